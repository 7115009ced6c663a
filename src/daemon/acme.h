/* SPDX-License-Identifier: ISC */
/*
 * acme: a certificate of a public CA (RFC 8555), got and renewed (doc/acme.md).
 *
 * The key and the request are made here; Debian's uacme, as a user of its own and
 * caged, talks to the CA and gives the certificate back; it never sees the key.
 * House answers the CA's challenges on port 80 from data/acme/, where the hook puts them.
 *
 *	keys/acme/state     what came of the last try, and when the next one is
 *	keys/acme/lock      held by who tries
 *	keys/acme/uacme/    uacme's own: private/key.pem (the account's key), the request
 *	data/acme/TOKEN     challenges (RFC 8555 8.3)
 *
 * Whoever may read keys/.  One thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "daemon/instance.h"

#define ACME_UACME	"/usr/bin/uacme"
#define ACME_HOOK	"gatepost-acme-hook"	/* argv[0] of the hook */

enum { ACME_NAMES = 4096, ACME_NAMES_MOST = 32, ACME_TOKEN = 128, ACME_AUTH = 1024,
	ACME_MINUTES = 5 };

/* What keys/acme/state tells; all 0 when nothing was tried. */
struct acme_state {
	bool same;		/* it was about the directory and names of the settings now */
	char got[512];		/* the directory that the last certificate came from; "" */
	uint64_t tried_ms, next_ms;	/* wall clock; next: not before */
	unsigned failures;	/* in a row */
	char said[240];		/* why the last try failed; "" if it did not */
};

struct acme_look {
	struct buf names;	/* that it is to be for, spaces between, the first one first */
	char file[256];		/* in keys/tls, without .crt */
	bool due;
	char why[300];		/* it is due */
	uint64_t next_ms;	/* wall clock: when it is to be tried */
	struct acme_state last;
};

/* RC_NONE: [acme] directory is empty.  RC_BAD: the settings.  To be cleared if RC_OK. */
enum rc acme_look(const struct instance *in, struct acme_look *out, struct err *err) MUST_CHECK;
void acme_look_clear(struct acme_look *l);

/*
 * Gets one, waiting up to ACME_MINUTES.  RC_NONE: it is not due (and not `force`).
 * RC_LIMIT: another process is at it.  Whatever else fails is in the state and in err.
 * said: what uacme wrote.
 */
enum rc acme_get(const struct instance *in, bool force, struct buf *said, struct err *err)
	MUST_CHECK;
/* Main of the manager's short-lived process; its exit status: 0 there is a new one, 3 there
 * was nothing to do, 1 it failed. */
int acme_main(const char *conf_path);

/* The hook, as uacme calls it: METHOD TYPE IDENT TOKEN AUTH.  folder: data/acme. */
enum rc acme_hook(int folder, int argc, char **argv, struct err *err) MUST_CHECK;
/* data/acme, made where it is missing. */
enum rc acme_challenges(const struct instance *in, int *fd, struct err *err) MUST_CHECK;
/* The hook as a process, its folder being descriptor 3. */
int acme_hook_main(int argc, char **argv);
