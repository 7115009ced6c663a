/* SPDX-License-Identifier: ISC */
/* scanner: takes messages apart, with nothing but its channel to the gate. */
#include <unistd.h>

#include "base/log.h"
#include "daemon/process.h"
#include "scan/scan.h"
#include "wire/pack.h"

void
scanner_run(struct child *c)
{
	struct chan_msg m;
	int gate = -1;

	scan_prepare(); /* opens files, which the cage forbids */
	child_cage(c);
	child_ready(c);
	while (gate < 0) {
		child_next(c, &m);
		if (m.type == MGR_PEER && m.nfds == 1)
			gate = m.fds[0];
		else
			chan_close_fds(&m);
	}
	/* Until the gate closes it, or enough was done: the manager starts a fresh
	 * one then.  Settings of a reload reach the scanners that follow. */
	scan_serve(gate, c->conf->limits.scanner_messages);
	_exit(0);
}
