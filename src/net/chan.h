/* SPDX-License-Identifier: ISC */
/*
 * chan: messages between our own processes.
 *
 * A SOCK_SEQPACKET pair; each packet is a frame with a fixed header: magic,
 * version, type, id, length; then at most CHAN_MOST bytes and at most
 * CHAN_FDS descriptors.  The other side may have been taken over: whatever is
 * not a whole, well-formed frame of our version is RC_BAD and the channel is
 * to be given up.  Larger things travel as sealed memfds (chan_memfd).
 *
 * Sending and receiving may go on at the same time on two threads; several
 * senders need no lock (a frame is one sendmsg).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { CHAN_MOST = 192 * 1024, CHAN_FDS = 72, CHAN_VERSION = 1, CHAN_HEADER = 20 };

struct chan_msg {
	uint16_t type;		/* the protocol's own; never 0 */
	uint64_t id;		/* pairs a question with its answer */
	str body;		/* received: in the caller's buffer */
	int fds[CHAN_FDS];	/* received: the receiver's to close */
	unsigned nfds;
};

/* Both ends, close-on-exec, with socket buffers that hold a whole frame. */
enum rc chan_pair(int out[2], struct err *err) MUST_CHECK;
/* RC_OK; RC_TEMP: not sent by until_ms; RC_PERM: the other side is gone;
 * RC_LIMIT: the body is longer than CHAN_MOST. */
enum rc chan_send(int fd, const struct chan_msg *m, uint64_t until_ms, struct err *err)
	MUST_CHECK;
/* Waits until until_ms (0: only what is there).  RC_NONE: nothing came.
 * RC_PERM: the other side is gone.  RC_BAD: not our protocol. */
enum rc chan_recv(int fd, char *buf, size_t size, struct chan_msg *m, uint64_t until_ms,
	struct err *err) MUST_CHECK;
void chan_close_fds(struct chan_msg *m);

/* The frame alone, without I/O: for chan.c, its test and its fuzz target. */
void chan_pack_header(const struct chan_msg *m, unsigned char out[CHAN_HEADER]);
enum rc chan_unpack(str frame, struct chan_msg *m);

/* A sealed (write, shrink, grow) memfd with the bytes; and reading one back,
 * refused unless so sealed and at most `most` bytes; malloc'd, NUL added. */
enum rc chan_memfd(const char *name, str bytes, int *fd, struct err *err) MUST_CHECK;
enum rc chan_memfd_read(int fd, size_t most, char **out, size_t *len, struct err *err)
	MUST_CHECK;
