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
 * Each check belongs to a group (groups.def), and each group has a clause in plain
 * words, "this message …", so that it stands alone after a link or before one.  A
 * refusal's reason is the clause of the group that counted most, or of the two that
 * did: at most FILTER_REASON bytes.
 *
 * [filter] scores sets another score for a check by its name, turns it off, or makes
 * it refuse on its own; those that are decisive by themselves cannot be changed.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/buf.h"
#include "base/ip.h"
#include "wire/content.h"
#include "wire/facts.h"

struct clamd;
struct conf;

enum check_group {
#define GROUP(name, clause) GROUP_##name,
#include "filter/groups.def"
#undef GROUP
	GROUPS,
};

struct evidence {
	const struct conf *conf; /* NULL: every setting has its default */
	int fd; /* the spooled file, read-only */
	uint64_t size; /* of the whole file */
	uint32_t offset; /* where the message begins */
	const struct facts *facts;
	const struct content *content; /* NULL: not known */
	const int *jobs; /* content->njobs descriptors, beside fd itself */
	unsigned njobs; /* may be fewer: then clamd cannot be asked about all */
	struct ip client;
	str helo, from;
	struct clamd *clamd; /* NULL: no virus scanning */
	uint64_t until_ms;
};

struct finding {
	const struct check *check;
	int32_t score; /* thousandths */
	bool decisive;
	bool inside; /* all that it is about lies within attached messages */
	str detail; /* for ledger and log: a virus' name; "" */
};

enum { FINDINGS_MOST = 96, FILTER_REASON = 160 };

struct findings {
	size_t n;
	struct finding at[FINDINGS_MOST];
	struct arena *mem;
	str scores; /* [filter] scores */
	str reasons[2]; /* of a score, and of what is decisive; "" until asked for */
};

enum check_phase { CHECK_CHEAP, CHECK_DEAR }; /* dear ones run only if still needed */

struct check {
	str name; /* "DUP_FROM", in the ledger */
	enum check_group group;
	enum check_phase phase;
	int32_t score; /* default, thousandths; CHECK_DECISIVE: refuses, always */
	const char *doc; /* one line for the manual */
	/* NULL: another check's look finds it. */
	enum rc (*run)(const struct check *c, const struct evidence *e,
		struct findings *f, struct err *err);
};

enum { CHECK_DECISIVE = 1000000 };

/* All rows, ended by one with an empty name. */
extern const struct check *const filter_checks[];

/* Adds a finding with the check's score as it is set, or none where it is off.  Further
 * ones past the limit are dropped (the score is then already out of reach), but for
 * decisive ones.  detail is copied. */
void finding_add(struct findings *f, const struct check *c, str detail);
void finding_add_inside(struct findings *f, const struct check *c, bool inside, str detail);
/* A score of its own, e.g. that of a signature's family. */
void finding_add_score(struct findings *f, const struct check *c, int32_t score, str detail);

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
	uint32_t groups; /* bits of enum check_group: that found something */
	str reason; /* when refused; static or in mem */
};

struct verdict filter_judge(struct findings *f, const struct policy_of *p);
/* "NAME=2.500 OTHER=1.000" (and detail in brackets) for ledger and score header. */
void filter_list(const struct findings *f, struct buf *out);
/* "this message contains a virus or other malware" */
str filter_group_sentence(enum check_group g);

/*
 * A sample: a message whose viruses, and whatever else filter_judge() would refuse it
 * for, lie within messages attached to it (message/rfc822, or a report of RFC 5965).
 * Who takes reports of abuse wants it.  clamd is asked once more, about the message
 * without them.  RC_OK: it is one, and *f is left with what lies outside; RC_NONE: it
 * is none; RC_TEMP, RC_LIMIT: not now.
 */
enum rc filter_sample(
	const struct evidence *e, struct findings *f, struct err *err) MUST_CHECK;

/* [filter] and [clamav] families: RC_BAD says what is wrong, which conf/ cannot know. */
enum rc filter_conf_check(const struct conf *conf, struct err *err) MUST_CHECK;
/* The checks for gatepost.conf(5), in mdoc(7). */
void filter_manual(struct buf *out);

/* A refusal's token: 128 random bits; text 26 characters for the link, and
 * SHA-256 of that text for keeping. */
struct token {
	char text[27];
	uint8_t hash[32];
};

void token_make(struct token *t);
