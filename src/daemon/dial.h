/* SPDX-License-Identifier: ISC */
/*
 * dial: the gate's connections to clamd, made by the manager.
 *
 * The gate must reach one socket and no other, and neither seccomp (which sees
 * a pointer, not the address) nor Landlock (no unix sockets, TCP from ABI 4 on)
 * can say that.  So every connect(2) of the gate is a notification to the manager
 * (seccomp_unotify(2), Linux 5.9): it connects a socket of its own to the place
 * in the settings and puts it into the gate in place of the gate's.  What address
 * the gate asked for is never looked at.
 */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/str.h"

struct dial {
	int notify;			/* the gate's, -1: none */
	bool known;
	struct sockaddr_storage to;
	socklen_t len;
};

/* Where it leads: a path, or HOST:PORT (a name is looked up now). */
void dial_target(struct dial *d, str socket);
/* One notification. */
void dial_answer(struct dial *d);
