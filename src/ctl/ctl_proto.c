/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_proto.h"

#include "wire/pack.h"

static const str magic = STR_INIT("GPC1");

void
ctl_put_request(struct buf *b, int argc, char *const argv[], size_t input)
{
	BUF_AUTO words = BUF(CTL_WORDS_BYTES);

	buf_le(&words, (uint64_t)argc, 4);
	for (int i = 0; i < argc; i++)
		pack_put_str(&words, str_of(argv[i]));
	b->over = b->over || !buf_ok(&words) || input > CTL_INPUT_BYTES ||
		  argc > CTL_WORDS;
	buf_add(b, magic);
	buf_le(b, words.len, 4);
	buf_le(b, input, 4);
	buf_add(b, buf_str(&words));
}

enum rc
ctl_get_head(str bytes, struct ctl_head *out)
{
	struct pack p = { .left = str_skip(bytes, magic.len) };

	if (!str_starts(bytes, magic))
		return RC_BAD;
	size_t words = (size_t)pack_le(&p, 4), input = (size_t)pack_le(&p, 4);
	if (!pack_done(&p) || words > CTL_WORDS_BYTES || input > CTL_INPUT_BYTES)
		return RC_BAD;
	*out = (struct ctl_head){ words, input };
	return RC_OK;
}

enum rc
ctl_get_words(char *bytes, size_t len, char *out[CTL_WORDS + 1], int *argc)
{
	struct pack p = { .left = { bytes, len } };
	size_t n = (size_t)pack_le(&p, 4);

	if (!pack_ok(&p) || n > CTL_WORDS)
		return RC_BAD;
	for (size_t i = 0; i < n; i++) {
		str word = pack_str(&p, CTL_WORDS_BYTES);

		if (!pack_ok(&p) ||
			(word.len > 0 && memchr(word.ptr, '\0', word.len) != NULL))
			return RC_BAD;
		/* One byte to the left, over its length's last byte, so that there is room
		 * for the NUL.  (An empty last word is no pointer: count from the end.) */
		char *at = bytes + (len - p.left.len - word.len) - 1;
		memmove(at, at + 1, word.len);
		at[word.len] = '\0';
		out[i] = at;
	}
	if (!pack_done(&p))
		return RC_BAD;
	out[n] = NULL;
	*argc = (int)n;
	return RC_OK;
}

void
ctl_put_frame(enum ctl_tag tag, size_t len, unsigned char out[CTL_FRAME_HEAD])
{
	out[0] = (unsigned char)tag;
	for (unsigned i = 0; i < 4; i++)
		out[1 + i] = (unsigned char)(len >> (8 * i));
}

enum rc
ctl_get_frame(const unsigned char head[CTL_FRAME_HEAD], enum ctl_tag *tag, size_t *len)
{
	size_t n = 0;

	for (unsigned i = 0; i < 4; i++)
		n |= (size_t)head[1 + i] << (8 * i);
	if (head[0] < CTL_HELLO || head[0] > CTL_EXIT || n > CTL_FRAME_BYTES ||
		(head[0] == CTL_HELLO && n != 0) || (head[0] == CTL_EXIT && n != 1))
		return RC_BAD;
	*tag = (enum ctl_tag)head[0];
	*len = n;
	return RC_OK;
}
