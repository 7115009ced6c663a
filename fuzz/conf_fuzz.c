/* SPDX-License-Identifier: ISC */
/* Settings files: nothing may break, and what was accepted reads back. */
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct conf *c = NULL, *again = NULL;
	BUF_AUTO text = BUF(4 << 20);

	if (conf_parse((str){ (const char *)data, size }, "fuzz", &c, NULL) != RC_OK)
		return 0;
	conf_dump(c, &text);
	if (conf_parse(buf_str(&text), "dump", &again, NULL) != RC_OK)
		abort();
	conf_drop(&again);
	conf_drop(&c);
	return 0;
}
