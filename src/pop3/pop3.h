/* SPDX-License-Identifier: ISC */
/*
 * pop3: sessions of the door for fetching mail with POP3 (RFC 1939, 2449, 2595, 3206, 5034,
 * 6856), run by a net/service, on the INBOX of the account.  The maildrop is locked while a
 * session is in the TRANSACTION state; the lock is this process's memory.
 */
#pragma once

#include "conf/conf.h"
#include "directory/entry.h"
#include "net/errand.h"
#include "net/service.h"
#include "store/store.h"

struct pop3_locks;

struct pop3_house {
	struct store *store;
	struct logins *logins;
	struct pool *hashes;		/* errands of logins */
	struct pop3_locks *locks;	/* pop3_locks_new() */
};

struct pop3_locks *pop3_locks_new(void);
void pop3_locks_free(struct pop3_locks **lp);

extern const struct session_kind pop3_kind;	/* 110; its arg: struct pop3_house */
extern const struct session_kind pop3s_kind;	/* 995 */
