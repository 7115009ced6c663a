/* SPDX-License-Identifier: ISC */
/* A date that was read lies in the years that can be written. */
#include <stdlib.h>

#include "mime/date.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int64_t s;

	if (mail_date_parse((str){ (const char *)data, size }, &s) == RC_OK &&
		(s < -62167219200 || s > 253402300799))
		abort();
	return 0;
}
