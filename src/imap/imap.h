/* SPDX-License-Identifier: ISC */
/*
 * imap: sessions of the door for reading with IMAP4rev1 and IMAP4rev2 (RFC 3501, RFC 9051),
 * run by a net/service.  Everything a session needs from the process stands in a struct
 * imap_house; a session knows no SQL and no other session: what others do it sees in the
 * view of its mailbox (store/view.h).
 */
#pragma once

#include "conf/conf.h"
#include "deliver/append.h"
#include "deliver/fulltext.h"
#include "directory/entry.h"
#include "net/errand.h"
#include "net/service.h"
#include "scan/scan.h"
#include "store/search.h"
#include "store/store.h"

struct imap_house {
	struct store *store;
	struct search *search;		/* NULL: no full text; every message is looked at */
	struct fulltext *fulltext;	/* NULL: the same */
	struct directory *directory;	/* quotas */
	struct logins *logins;
	struct own *own;		/* appending */
	struct scanners *scanners;	/* house's readers */
	struct pool *hashes;		/* errands of logins */
	struct pool *errands;		/* errands to scanners */
	uint64_t progress_ms;		/* how often who waits hears of it; 0: 10 s */
};

extern const struct session_kind imap_kind;	/* 143; its arg: struct imap_house */
extern const struct session_kind imaps_kind;	/* 993 */
