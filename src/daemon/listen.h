/* SPDX-License-Identifier: ISC */
/* listen: the ports we open.  A new door is a row in listen.c and one in the
 * process that has its sessions. */
#pragma once

#include "conf/conf.h"
#include "daemon/setup.h"

struct listeners {
	size_t n;
	int fds[SETUP_LISTENERS];
	uint16_t ports[SETUP_LISTENERS];	/* the standard port of each */
};

/* Binds every port on every address of the settings; RC_TEMP names the one that
 * failed and why. */
enum rc listen_open(const struct conf *conf, struct listeners *out, struct err *err) MUST_CHECK;
void listen_close(struct listeners *l);
