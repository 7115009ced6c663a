/* SPDX-License-Identifier: ISC */
/*
 * smtp_world: what the session tests stand in: a service on a free port of the
 * loopback, a journal and a spool in a folder of their own; the directory, the
 * scanner and the checks are fakes that do what address and message say.
 *
 *	alice@ bob@	taken (threshold 5); bob's answer comes from a thread
 *	strict@ lax@	taken, thresholds 1 and 100
 *	abuse@		taken, with samples
 *	full@ disabled@ later@
 *	anything else @example.test is unknown, other domains are not ours
 *
 *	SCORE=n in the message is its score; VIRUS, TEMP, FULL what they say;
 *	VIRUS and ATTACHED: a sample
 *	LIES is said to be where fields of our own begin
 *	KILLS loses the scanner unless world_calm, TOO MUCH is past its limits
 */
#pragma once

#include "base/buf.h"
#include "held/held.h"
#include "journal/journal.h"
#include "smtp/smtp.h"
#include "test/client.h"

struct world {
	const struct conf *conf;
	struct smtp_gate gate;
	int incoming, journal_dir, held_dir;
	uint8_t held_key[SEAL_PRIVATE]; /* opens what is held */
	unsigned port;
	char folder[256];
};

extern _Atomic unsigned world_scans; /* messages that a scanner saw */
extern _Atomic bool world_calm;

/* settings: lines of [smtp] */
void world_open(struct world *w, const char *settings);
void world_close(struct world *w);

struct client client_open(struct world *w);
/* One reply, its lines with CRLF; "" at the end of the stream. */
str client_reply(struct client *c);
/* "C: text" sends a line, "S: 250 text" wants a reply whose last line begins so. */
void smtp_talk(struct client *c, const char *const lines[]);
#define TALK(c, ...) smtp_talk((c), (const char *const[]){ __VA_ARGS__, NULL })

/* The n-th message record (from 0); false: there are fewer. */
bool world_record(struct world *w, size_t n, struct arena *mem, struct jrec_message *m);
size_t world_count(struct world *w, enum jrec_kind kind);
/* The held original, malloc'd, with its facts; NULL: not there. */
char *world_original(struct world *w, const struct msg_id *id, struct held_about *about,
	size_t *nfacts);
/* The published file, malloc'd, or NULL. */
char *world_file(struct world *w, const struct msg_id *id);
size_t world_files(struct world *w);
