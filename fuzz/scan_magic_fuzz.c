/* SPDX-License-Identifier: ISC */
/* What a file is, and the three formats that are read by code of our own. */
#include <stdlib.h>

#include "scan/cms.h"
#include "scan/magic.h"
#include "scan/stream.h"
#include "scan/tnef.h"
#include "scan/zip.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str bytes = { (const char *)data, size }, name, file;
	LUMP_AUTO copy = { 0 };
	LUMP_AUTO signed_bytes = { 0 };
	struct tnef_reader r;

	if (!magic_fits(magic_of(bytes), STR("application/octet-stream")))
		abort();
	(void)magic_name_hides(bytes);
	if (stream_end(OPEN_ZSTD, bytes) > size || stream_end(OPEN_XZ, bytes) > size)
		abort();
	(void)zip_is_encrypted(bytes);
	if (!lump_add(&copy, bytes))
		abort();
	zip_agree(bytes, zip_is_plain(bytes) ? ZIP_DIRECTORY : ZIP_LOCAL, copy.data);
	tnef_begin(&r, bytes);
	while (tnef_next(&r, &name, &file))
		continue;
	(void)(cms_is_signed(bytes) && cms_content(bytes, &signed_bytes));
	return 0;
}
