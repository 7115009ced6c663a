/* SPDX-License-Identifier: ISC */
#include "wire/base64.h"

static const char letters[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
base64_put(struct buf *b, str bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? (uint8_t)bytes.ptr[i + k] : 0);
		buf_addc(b, letters[v >> 18]);
		buf_addc(b, letters[v >> 12 & 63]);
		buf_addc(b, n > 1 ? letters[v >> 6 & 63] : '=');
		buf_addc(b, n > 2 ? letters[v & 63] : '=');
	}
}

static int
value(char c)
{
	const char *at = c == '\0' ? NULL : strchr(letters, c);

	return at == NULL ? -1 : (int)(at - letters);
}

/* Bytes of a group, 1 to 3; 0: not one. */
static size_t
group(const char *at, bool last, uint8_t out[3])
{
	size_t n = 4;
	uint32_t v = 0;

	while (last && n > 2 && at[n - 1] == '=')
		n--;
	for (size_t i = 0; i < 4; i++) {
		int one = i < n ? value(at[i]) : 0;

		if (one < 0)
			return 0;
		v = v << 6 | (uint32_t)one;
	}
	/* bits that belong to no byte must be zero (RFC 4648 3.5) */
	if ((n == 2 && (v & 0xffff) != 0) || (n == 3 && (v & 0xff) != 0))
		return 0;
	out[0] = (uint8_t)(v >> 16);
	out[1] = (uint8_t)(v >> 8);
	out[2] = (uint8_t)v;
	return n - 1;
}

enum rc
base64_get(str text, struct buf *b)
{
	size_t before = b->len;

	if (text.len % 4 != 0)
		return RC_BAD;
	for (size_t i = 0; i < text.len; i += 4) {
		uint8_t bytes[3];
		size_t n = group(text.ptr + i, i + 4 == text.len, bytes);

		if (n == 0) {
			b->len = before;
			return RC_BAD;
		}
		buf_add(b, (str){ (const char *)bytes, n });
	}
	return RC_OK;
}
