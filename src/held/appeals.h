/* SPDX-License-Identifier: ISC */
/*
 * appeals: what senders said about their refusals, who is to decide, and the letters about it: tables of
 * the register (refusals.h; its lock, its file).  Everything here is synced when it returns RC_OK.
 *
 * One appeal for a refusal.  It makes the refusal REFUSAL_APPEALED; a decision makes that released or
 * dismissed as refusals.h says.  Its row goes with the refusal's.
 *
 * A decider is one page behind one link: /d/TOKEN, for one refusal and one person.  Only SHA-256 of the token
 * is kept; the token is made from keys/token.key and what it is for (deliver/letters.h), so that a letter that
 * was cut off and is written again has the same links.
 *
 * Any thread.
 */
#pragma once

#include "base/ip.h"
#include "held/refusals.h"

enum {
	APPEAL_NOTE = 6000, /* bytes of UTF-8: 2,000 characters, as the page says */
	APPEAL_CONTACT = 254,
	APPEAL_SUBJECT = 300,
	APPEAL_DECIDERS = 16, /* who is told of one appeal */
};

struct appeal {
	uint64_t time_ms;
	str note, contact; /* plain text; LF and TAB are the only controls */
	str subject; /* of the original, decoded; "" if it is not known */
	str language; /* of the page: "de" */
	struct ip client; /* from where */
};

/* In the last 24 hours; 0: none is taken.  When half of `all` are there, each network and each domain
 * has one only. */
struct appeal_limits {
	uint64_t network; /* from one network (IPv4 /24, IPv6 /48) */
	uint64_t domain; /* about mail of one sender domain that came from one network */
	uint64_t all;
};

enum appeal_end {
	APPEAL_TAKEN,
	APPEAL_AGAIN, /* there is one already; nothing has changed */
	APPEAL_DECIDED, /* released or dismissed */
	APPEAL_GONE, /* not held, or its time is over */
	APPEAL_MANY, /* a limit: later */
};

enum decider_role {
	DECIDER_POSTMASTER = 1, /* may release everything */
	DECIDER_RECIPIENT, /* not what was refused for a virus */
};

struct decider {
	struct msg_id id;
	uint32_t n;
	str address; /* of the account */
	enum decider_role role;
	uint8_t token[32]; /* SHA-256 of the link's; only deciders_put() looks at it */
};

/* What appeals_put() would say now; nothing is written. */
enum rc appeals_may(struct refusals *r, const struct refusal *f, const struct appeal *a,
	const struct appeal_limits *l, enum appeal_end *end, struct err *err) MUST_CHECK;
/* `tell`: whose letters are to be written. */
enum rc appeals_put(struct refusals *r, const struct refusal *f, const struct appeal *a,
	const struct decider tell[], size_t ntell, const struct appeal_limits *l,
	enum appeal_end *end, struct err *err) MUST_CHECK;
/* RC_NONE: there is none. */
enum rc appeals_get(struct refusals *r, const struct refusal *f, struct arena *mem,
	struct appeal *out, struct err *err) MUST_CHECK;

/* By the token of a link; *f as it is now.  RC_NONE: none. */
enum rc deciders_find(struct refusals *r, str token, struct arena *mem,
	struct decider *out, struct refusal *f, struct err *err) MUST_CHECK;
