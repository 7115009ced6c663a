/* SPDX-License-Identifier: ISC */
/* filter, inside: clamd's state, its limits, and one conversation with it, one command
 * a connection. */
#pragma once

#include <sys/socket.h>

#include "base/thread.h"
#include "filter/clamd.h"
#include "wire/clamd.h"

struct clamd_peer {
	bool none; /* the setting is empty: no virus scanning */
	bool known; /* the address could be made out */
	bool local; /* a unix socket: descriptors can be passed */
	struct sockaddr_storage addr;
	socklen_t len;
};

enum { CLAMD_LATE = 64 }; /* questions that were given up and are remembered */

struct clamd {
	pthread_mutex_t lock;
	pthread_cond_t freed;
	const struct conf *conf;
	struct clamd_peer peer;
	struct clamd_limits limits;
	uint64_t busy; /* connections */
	uint64_t misses; /* in a row */
	/* When questions were given up: clamd may work on them until MaxScanTime. */
	uint64_t late_ms[CLAMD_LATE];
	unsigned nlate;
	unsigned blamed; /* of the busy ones: those that are already among the late */
	bool down, probing;
	uint64_t probe_ms; /* not before */
};

/* What it cannot scan, whatever is set. */
enum { CLAMD_FILE_MOST = INT32_MAX };

extern const struct clamd_limits clamd_default_limits; /* those of clamd(8) 1.4 */
uint64_t clamd_least(uint64_t most, uint64_t limit); /* 0: none */
uint64_t clamd_scanned_whole(const struct clamd_limits *l, bool stream);

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
