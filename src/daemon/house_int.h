/* SPDX-License-Identifier: ISC */
/* house_int: the house process, for its own files. */
#pragma once

#include "base/thread.h"
#include "daemon/child.h"
#include "deliver/apply.h"
#include "deliver/fulltext.h"
#include "deliver/own.h"
#include "directory/answer.h"
#include "directory/directory.h"
#include "held/refusals.h"
#include "imap/imap.h"
#include "ledger/ledger.h"
#include "net/pool.h"
#include "pop3/pop3.h"
#include "store/store.h"
#include "web/web.h"

struct house_letters {		/* house_letters.c */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	bool end;
};

struct house {
	struct child *child;
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;		/* the applying thread's; verbs open their own */
	struct refusals *refusals;
	struct apply *apply;		/* of the gate's journal */
	struct own *own;		/* house's own journal; ends under `notices` */
	pthread_mutex_t notices;	/* held while one is sent */
	uint64_t notice_after_ms;	/* clock_ms() */
	struct scanners *readers;	/* scanners of its own */
	unsigned nreaders;		/* as many as were started */
	struct search *search;
	struct fulltext *fulltext;
	struct answer *answer;
	struct logins *logins;
	struct service *service;	/* sessions of readers */
	struct pool *hashes, *errands;	/* what they wait for */
	struct imap_house imap;
	struct pop3_house pop3;
	struct sentences *sentences;
	struct templates *templates;
	uint8_t token_key[TOKEN_KEY];	/* what links, forms and stamps are made with */
	struct pool *web_errands;
	char *ca_pem;
	struct web_house web;
	struct house_letters letters;
	struct pool *verbs;
	pthread_mutex_t lock;
	const struct conf *conf;	/* under lock: a reload changes it while verbs run */
};

/* house_doors.c: everything else is open by then. */
void house_doors_open(struct house *h);
void house_doors_limits(struct house *h);	/* from the settings, after a reload too */
/* False: sessions are left, and nothing that they use may be closed. */
bool house_doors_close(struct house *h, uint64_t until_ms);
/* house_web.c */
void house_words_open(struct house *h);	/* sentences, templates, token_key; before anything is applied */
void house_web_open(struct house *h);
void house_web_reload(struct house *h);
void house_web_close(struct house *h);	/* no session is left */
void house_letters_start(struct house *h);	/* after house_web_open() */
void house_letters_stop(struct house *h);	/* a letter under way is finished */
void house_wake(uint64_t number, void *arg);	/* struct store_want.wake */
/* A connection of the control socket, owned from now on: a verb on a thread
 * of the pool. */
void house_verb(struct house *h, int fd);
