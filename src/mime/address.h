/* SPDX-License-Identifier: ISC */
/*
 * address: the addresses of From, To and their like (RFC 5322 3.4, obsolete
 * forms 4.4, UTF-8 of RFC 6532).
 *
 * As forgiving as mail clients are, because what they show is what counts:
 * dots and '@' in unquoted names, ';' for ',', a missing '>' or quote, two
 * addresses without a comma, routes, words before a bare address.  Nesting
 * costs no stack.  Any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum address_kind {
	ADDRESS_BOX, /* local, and domain ("" where it has none) */
	ADDRESS_GROUP, /* a group begins; name is its name */
	ADDRESS_GROUP_END,
};

struct address {
	enum address_kind kind;
	str name; /* unquoted; encoded words as they are; or the comment */
	str local, domain; /* unquoted; a domain literal with its brackets */
};

struct address_list {
	size_t n;
	struct address *at; /* in mem */
};

/* At most `most` entries of an unfolded value, more are left out; a group that
 * has begun is always ended.  RC_LIMIT: mem is full. */
enum rc address_parse(
	str value, size_t most, struct arena *mem, struct address_list *out) MUST_CHECK;
