/* SPDX-License-Identifier: ISC */
/*
 * clamd: asking the virus scanner, with a deadline and a breaker.
 *
 * Over a unix socket the message's read-only descriptor is passed (FILDES),
 * over TCP the bytes are (INSTREAM).  A message larger than what clamd would
 * scan whole (its limits: read from its settings file, and probed with an
 * oversized stream at start) is never clean: RC_PERM, a content refusal.
 *
 * After `breaker_misses` failures in a row clamd counts as down: RC_TEMP at
 * once, and one probe (PING) every breaker_probe; the first that succeeds
 * closes the breaker.  Any thread; at most `connections` at a time, the rest
 * wait, within their deadline.  What clamd answers at once, if only with an
 * error, is no failure of that kind.  An empty `socket` setting: everything is
 * clean, nothing is asked.
 *
 * What it finds in a file that would be too much for its limits it leaves out, and says
 * OK (1.4.6: for a file in an archive whatever AlertExceedsMax says); clamd_sees() tells
 * by what the scanner counted (doc/virus.md).
 */
#pragma once

#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "wire/content.h"

struct clamd;

enum { CLAMD_NAME = 128 };

/* Keeps a reference.  Where `socket` is HOST:PORT with a name, this and
 * clamd_reload() ask for its address: before the cage closes.  A reload that
 * cannot keeps the address. */
struct clamd *clamd_new(const struct conf *conf);
void clamd_free(struct clamd **cp);
void clamd_reload(struct clamd *c, const struct conf *conf);

/* RC_OK: clean, or a virus whose name is in `virus` ("" for clean).  clamd sees
 * the whole file, our trace block included.
 * RC_TEMP: could not be asked.  RC_PERM: clamd would not scan it whole.
 * RC_BAD: it was at it until until_ms, while it answered to others: the file may be why. */
enum rc clamd_scan(struct clamd *c, int fd, uint64_t size, uint64_t until_ms,
	char virus[CLAMD_NAME], struct err *err) MUST_CHECK;

/* The deadline of all questions about one message: its own, or [clamav] timeout from
 * now where that is sooner. */
uint64_t clamd_deadline(struct clamd *c, uint64_t until_ms);

struct clamd_limits { /* 0: none */
	uint64_t stream, file, scan; /* StreamMaxLength, MaxFileSize, MaxScanSize */
	uint64_t recursion, files; /* MaxRecursion, MaxFiles */
	uint64_t scan_ms; /* MaxScanTime */
	uint64_t threads; /* MaxThreads: questions it works on at the same time */
	bool alerts; /* AlertExceedsMax */
	bool blind; /* ScanMail or ScanArchive is off */
	bool hasty; /* HeuristicScanPrecedence: it stops at a mere suspicion */
};

/* Reads the settings file (its descriptor was opened before the cage closed:
 * -1 when there is none), applies clamd's defaults for what it does not say. */
enum rc clamd_limits_read(str text, struct clamd_limits *out, struct err *err) MUST_CHECK;
/* Would it look at everything that the scanner found in a message of so many bytes?
 * RC_PERM: no; err says what is too much, and *limit is the name of clamd's setting. */
enum rc clamd_sees(struct clamd *c, const struct content *content, uint64_t size,
	const char **limit, struct err *err) MUST_CHECK;
/* Does it go on after a mere suspicion (Heuristics.*, PUA.*) until it has seen all? */
bool clamd_is_thorough(struct clamd *c);
void clamd_set_limits(struct clamd *c, const struct clamd_limits *l);
/* Sends the EICAR test file, alone and at the front of as many bytes as the
 * largest message that we would have scanned, then an oversized stream, and sees
 * what clamd makes of them; for `check`, at start and after each
 * clamd_set_limits().  RC_BAD: it scans less than we believed (then the limits
 * are lowered to what it does scan), or its settings are not those that we read.
 * RC_NONE: it does not know the EICAR test file, so nothing could be tried.
 * RC_TEMP: no answer. */
enum rc clamd_probe(struct clamd *c, uint64_t until_ms, struct err *err) MUST_CHECK;
bool clamd_is_down(struct clamd *c);
