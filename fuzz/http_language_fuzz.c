/* SPDX-License-Identifier: ISC */
#include "wire/http.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const str offered[] = { STR_INIT("en"), STR_INIT("de"), STR_INIT("pt-BR"),
		STR_INIT("zh-Hant-TW") };
	str accept = { (const char *)data, size };

	if (http_language(accept, offered, 4) >= 4 || http_language(accept, NULL, 0) != 0)
		abort();
	return 0;
}
