/* SPDX-License-Identifier: ISC */
/*
 * imap_absent: which UIDs are not there, as ranges: a mailbox may have given billions.
 */
#pragma once

#include "store/view.h"
#include "wire/imap_set.h"

typedef void imap_absent_fn(uint32_t from, uint32_t to, void *arg);

/* Ranges of UIDs below `end` and in the set (resolved; NULL: all) that neither list has (b may be
 * NULL), ascending; neighbours are not joined across the set's ranges. */
void imap_absent(const struct view_list *a, const struct view_list *b, uint32_t end,
	const struct imap_set *set, imap_absent_fn *fn, void *arg);
