/* SPDX-License-Identifier: ISC */
/*
 * filter: checks → findings → a verdict for each recipient.
 *
 * A check is one file in checks/ and one row in the table: it looks at a
 * struct evidence and adds findings.  Findings have a score in thousandths; a
 * decisive one refuses whatever the policy says (viruses, message limits).
 * What could not be looked at (clamd down) is RC_TEMP for the whole message:
 * 451, never an unscanned 250.
 *
 * Reasons are plain words for the sender, ours entirely: they never quote the
 * message, name a rule or tell a score.  Each is a clause that begins "this
 * message …", so that it stands alone after a link or before one: "this message
 * contains a virus or other malware".  At most FILTER_REASON bytes.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/buf.h"
#include "base/ip.h"
#include "wire/content.h"
#include "wire/facts.h"

struct clamd;

struct evidence {
	int fd; /* the spooled file, read-only */
	uint64_t size; /* of the whole file */
	uint32_t offset; /* where the message begins */
	const struct facts *facts;
	const struct content *content;
	const int *jobs; /* content->njobs descriptors, beside fd itself */
	struct ip client;
	str helo, from;
	struct clamd *clamd; /* NULL: no virus scanning */
	uint64_t until_ms;
};

struct finding {
	const struct check *check;
	int32_t score; /* thousandths */
	bool decisive;
	str reason; /* for people, without a full stop */
	str detail; /* for ledger and log: a virus' name; "" */
};

enum { FINDINGS_MOST = 64, FILTER_REASON = 160 };

struct findings {
	size_t n;
	struct finding at[FINDINGS_MOST];
	struct arena *mem;
};

enum check_phase { CHECK_CHEAP, CHECK_DEAR }; /* dear ones run only if still needed */

struct check {
	str name; /* "DUP_FROM", in the ledger */
	enum check_phase phase;
	int32_t score; /* default, thousandths */
	const char *doc; /* one line for the manual */
	/* NULL: another check's look finds it. */
	enum rc (*run)(const struct check *c, const struct evidence *e,
		struct findings *f, struct err *err);
};

/* All rows, ended by one with an empty name. */
extern const struct check *const filter_checks[];

/* Adds a finding with the check's own score; further ones past the limit are
 * dropped (the score is then already out of reach), but for decisive ones.
 * reason is kept by pointer, detail is copied. */
void finding_add(
	struct findings *f, const struct check *c, bool decisive, str reason, str detail);

/* Runs every check.  RC_OK; RC_TEMP/RC_LIMIT: not now. */
enum rc filter_look(
	const struct evidence *e, struct findings *f, struct err *err) MUST_CHECK;

struct policy_of { /* a recipient's, from house's answer */
	int32_t threshold; /* thousandths */
	bool observe;
};

enum verdict_class { VERDICT_DELIVER, VERDICT_REFUSE };

struct verdict {
	enum verdict_class what;
	bool by_score; /* refused for the score, not decisively */
	int32_t score;
	str reason; /* the strongest finding's, when refused; static or in mem */
};

struct verdict filter_judge(const struct findings *f, const struct policy_of *p);
/* "NAME=2.500 OTHER=1.000" (and detail in brackets) for ledger and score header. */
void filter_list(const struct findings *f, struct buf *out);

/* A refusal's token: 128 random bits; text 26 characters for the link, and
 * SHA-256 of that text for keeping. */
struct token {
	char text[27];
	uint8_t hash[32];
};

void token_make(struct token *t);
