/* SPDX-License-Identifier: ISC */
/* What a local process may send to the control socket, and house back. */
#include <stddef.h>
#include <stdint.h>

#include "ctl/ctl_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *words[CTL_WORDS + 1];
	BUF_AUTO copy = BUF(1 << 20), again = BUF(1 << 20);
	struct ctl_head head;
	enum ctl_tag tag;
	size_t len;
	int argc;

	buf_add(&copy, (str){ (const char *)data, size });
	if (ctl_get_head(buf_str(&copy), &head) != RC_OK && copy.data != NULL &&
		ctl_get_words(copy.data, copy.len, words, &argc) == RC_OK)
		ctl_put_request(&again, argc, words, 0);
	if (size >= CTL_FRAME_HEAD)
		(void)ctl_get_frame(data, &tag, &len);
	return 0;
}
