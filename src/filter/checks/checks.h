/* SPDX-License-Identifier: ISC */
/* checks: the rows that filter_checks[] is made of. */
#pragma once

#include "filter/filter.h"

extern const struct check check_gtube;
extern const struct check check_many_received;
extern const struct check check_virus;
extern const struct check check_virus_unseen; /* clamd would not look at all of it */
extern const struct check check_signature;
/* Found by who asks a scanner (smtp/smtp_verdict.c). */
extern const struct check check_scanner_lost;
extern const struct check check_unreadable;

extern const struct check check_dangerous_file;
extern const struct check check_dangerous_member;
extern const struct check check_macros;
extern const struct check check_encrypted_archive;
extern const struct check check_unopened_archive;
extern const struct check check_name_hides;
extern const struct check check_type_conflict;
extern const struct check check_hidden_text;
extern const struct check check_link_text;
extern const struct check check_link_address;
extern const struct check check_link_userinfo;
extern const struct check check_link_punycode;

/* One row for each flag of the facts that counts against a message. */
struct structural {
	struct check check; /* first: check.run gets a pointer to it */
	uint32_t flag; /* enum fact_flag */
};

enum { STRUCTURALS = 15 };
extern const struct structural structural_checks[STRUCTURALS];

/* One row for oddities of content.odd that say the same. */
struct oddity {
	struct check check; /* first, as above */
	uint64_t bits; /* mime/odd.h */
};

enum { ODDITIES = 10 };
extern const struct oddity odd_checks[ODDITIES];

/*
 * Looks for a leaf that `is` says yes to and adds a finding of c for the first: inside,
 * if all of them are within attached messages.  `detail` may be NULL; what it returns is
 * ours, not the message's (filter.h).
 */
struct leaf_look {
	bool (*is)(const struct evidence *e, const struct content_leaf *leaf);
	str (*detail)(const struct evidence *e, const struct content_leaf *leaf);
};

void leaf_check(const struct check *c, const struct leaf_look *look,
	const struct evidence *e, struct findings *f);
/* The last part of a file name in a path, without what Windows drops at its end (blanks
 * and dots), and what is behind its last point. */
str leaf_file_name(const struct content_leaf *leaf);
str leaf_extension(const struct content_leaf *leaf);
