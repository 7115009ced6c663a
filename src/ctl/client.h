/* SPDX-License-Identifier: ISC */
/* client: a verb over the control socket of a running server. */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "ctl/verb.h"

/* RC_OK: connected.  RC_NONE: no server listens there. */
enum rc client_connect(int run, int *fd, struct err *err) MUST_CHECK;
/*
 * Sends the words and the input, gives what comes back to standard output, and
 * the status to *how.  RC_LIMIT: the server closed before it began (house is
 * being restarted): may be tried again.  Otherwise err says what went wrong.
 */
enum rc client_run(int fd, int argc, char *const argv[], str input, enum verb_exit *how,
	struct err *err) MUST_CHECK;
