/* SPDX-License-Identifier: ISC */
/* filter, inside: one conversation with clamd, one command a connection. */
#pragma once

#include <sys/socket.h>

#include "filter/clamd.h"
#include "wire/clamd.h"

struct clamd_peer {
	bool none; /* the setting is empty: no virus scanning */
	bool known; /* the address could be made out */
	bool local; /* a unix socket: descriptors can be passed */
	struct sockaddr_storage addr;
	socklen_t len;
};

/* From "/path" or "HOST:PORT".  A HOST that is a name is asked for here. */
void clamd_peer_read(str setting, struct clamd_peer *out);

/* The file's bytes, or some that a probe makes up. */
struct clamd_source {
	int fd; /* -1: the text, then zeros */
	str text;
	uint64_t size;
};

/* What clamd answered; *answer is a view into line.  RC_TEMP: no answer that
 * can be read by until_ms. */
enum rc clamd_ping(
	const struct clamd_peer *p, uint64_t until_ms, struct err *err) MUST_CHECK;
enum rc clamd_fildes(const struct clamd_peer *p, int fd, uint64_t until_ms,
	char line[CLAMD_ANSWER], struct clamd_answer *answer, struct err *err) MUST_CHECK;
enum rc clamd_instream(const struct clamd_peer *p, const struct clamd_source *s,
	uint64_t until_ms, char line[CLAMD_ANSWER], struct clamd_answer *answer,
	struct err *err) MUST_CHECK;
