/* SPDX-License-Identifier: ISC */
/* A frame from a process that was taken over: refused, or the same when packed again. */
#include "net/chan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	str frame = { (const char *)data, size };
	unsigned char head[CHAN_HEADER];
	struct chan_msg m;

	if (chan_unpack(frame, &m) != RC_OK)
		return 0;
	chan_pack_header(&m, head);
	if (m.type == 0 || m.nfds != 0 || m.body.len + CHAN_HEADER != size ||
		m.body.len > CHAN_MOST || memcmp(head, data, sizeof(head)) != 0)
		abort();
	return 0;
}
