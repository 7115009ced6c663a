/* SPDX-License-Identifier: ISC */
/* ctl_io: bytes over the control socket's stream, each with a deadline
 * (clock_ms), on either end.  Any thread, one at a time for a descriptor. */
#pragma once

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "ctl/ctl_proto.h"

/* RC_PERM: the other side has closed.  RC_TEMP: late, or an error. */
enum rc ctl_send(int fd, str bytes, uint64_t until_ms, struct err *err) MUST_CHECK;
enum rc ctl_recv(int fd, void *out, size_t len, uint64_t until_ms, struct err *err) MUST_CHECK;
/* In frames of at most CTL_FRAME_BYTES. */
enum rc ctl_send_frames(int fd, enum ctl_tag tag, str bytes, uint64_t until_ms,
	struct err *err) MUST_CHECK;
