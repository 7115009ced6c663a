/* SPDX-License-Identifier: ISC */
/* OpenPGP's armor and packets: views lie in the bytes, and there is an end. */
#include <stdlib.h>

#include "scan/pgp.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str bytes = { (const char *)data, size }, rest = bytes, base64, name, file;
	LUMP_AUTO joined = { 0 };
	struct pgp_packet p;
	size_t at = 0;

	(void)pgp_is_open(bytes);
	while (pgp_next(&rest, &p, &joined)) {
		if (p.body.len > size)
			abort();
		if (pgp_literal(p.body, &name, &file) && name.len + file.len > size)
			abort();
	}
	while (pgp_armored(bytes, &at, &base64))
		if (base64.ptr < bytes.ptr || base64.ptr + base64.len > bytes.ptr + size)
			abort();
	return 0;
}
