/* SPDX-License-Identifier: ISC */
/* acme_int: the files about certificates of public CAs. */
#pragma once

#include "daemon/acme.h"

/* acme_state.c; keys: the folder keys/.  `about` is what the settings ask for, one line: a
 * try with other settings is another matter. */
enum { ACME_ABOUT = 8192 };
void acme_about(const struct conf *conf, str names, struct buf *out);
void acme_state_read(int keys, str about, struct acme_state *out);
enum rc acme_state_write(int keys, str about, const struct acme_state *s, struct err *err)
	MUST_CHECK;
/* 1 h after the first failure, twice as long after each, a day at most. */
uint64_t acme_delay_ms(unsigned failures);

/* One sentence out of all that uacme said; control bytes and all. */
void acme_sentence(str said, struct buf *out);

/* acme_run.c: one run of uacme. */
struct acme_run {
	const struct instance *in;
	int own, challenges;	/* keys/acme/uacme, data/acme */
	str csr;		/* PEM, written to own/request.csr */
	uint64_t until_ms;	/* clock_ms() */
	struct buf *said;	/* its output */
};

/* RC_OK: it ended by itself, *status is its exit status. */
enum rc acme_run(const struct acme_run *r, const char *const argv[], int *status,
	struct err *err) MUST_CHECK;
