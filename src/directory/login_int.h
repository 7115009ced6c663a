/* SPDX-License-Identifier: ISC */
/*
 * login_int: shared by login.c (outcomes, the guard, what is remembered),
 * login_password.c (is it right?) and login_sasl.c (exchanges).
 */
#pragma once

#include <gsasl.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/thread.h"
#include "crypto/password.h"
#include "directory/directory_int.h"
#include "directory/guard.h"
#include "directory/entry.h"
#include "directory/login.h"
#include "directory/secret.h"

enum {
	LOGIN_APPS = 64,	/* app passwords of an account */
	LOGIN_SECRET = DIRECTORY_SECRET,
	LOGIN_NAME = 640,	/* bytes of a name that are looked at */
	LOGIN_SHOWN = 129,	/* of them in the log, with a NUL */
	REMEMBER_ROW = 8,
	REMEMBER_ROWS = 1024,
	PASS_ROWS = 4096,
};

/* A password that was right lately. */
struct remembered {
	uint8_t digest[32];	/* HMAC of account, door and password */
	uint64_t until_ms, round;
};

struct logins {
	struct directory *directory;
	Gsasl *gsasl;
	sem_t hashes;			/* those that may be made now */
	atomic_uint hashed;		/* how many were, for tests */
	char nobody[PASSWORD_TEXT];	/* hash of a password that nobody has */
	uint8_t key[LOGIN_SECRET];	/* this process's, for what is remembered */

	pthread_mutex_t lock;		/* for all that follows; none other is taken in it */
	const struct conf *conf;
	struct guard *guard;
	bool has_secret;
	uint8_t secret[LOGIN_SECRET];	/* the instance's: login_secret() */
	uint64_t round;			/* how often all was forgotten */
	struct remembered remembered[REMEMBER_ROWS][REMEMBER_ROW];

	pthread_mutex_t passes_lock;	/* for these; none of ours is taken in it */
	struct pass *passes[PASS_ROWS];
};

/* What the directory has about a name. */
struct login_row {
	str name;			/* canonical; of what is no address: as written, lower case */
	uint64_t account;		/* 0: nobody */
	bool disabled, has_scram;
	char hash[PASSWORD_TEXT];	/* "": none */
	struct scram scram;
	size_t napps;
	struct {
		uint8_t digest[32];
		unsigned doors;
	} apps[LOGIN_APPS];
};

/* credential.c; RC_OK also for nobody */
enum rc login_row_read(struct directory *d, str user, struct arena *mem, struct login_row *out,
	struct err *err) MUST_CHECK;
/* The same, by account and without its name; RC_NONE: it is gone. */
enum rc login_row_again(struct directory *d, uint64_t account, struct login_row *out,
	struct err *err) MUST_CHECK;
/* One attempt, from the moment its name is known. */
struct attempt {
	struct logins *logins;
	const struct login_want *want;
	const char *how;		/* for the log */
	str user;			/* as sent */
	struct login_row *row;		/* in mem */
	struct arena *mem;
	uint64_t began_ms, delay_ms, round;
	const uint8_t *app;		/* digest of the app password that was right; NULL: none */
};

/* Asks directory and guard.  False: over, *a says why, and it is in the log. */
bool attempt_begin(struct attempt *t, struct login_answer *a);
/* The guard once more: others may have failed since. */
bool attempt_blocked(struct attempt *t, struct login_answer *a);
/* How it ended: fills *a, tells guard and log.  sentence: of LOGIN_DISABLED. */
void attempt_end(struct attempt *t, enum login_says says, const char *sentence,
	struct login_answer *a);

/* entry_pass.c */
void pass_enter(struct pass *p, const struct session_io *io, struct logins *l,
	const struct login_answer *a);
/* What a login was by, for pass_valid(); app NULL: the account's own password */
uint64_t login_mark(const struct logins *l, const struct login_row *row, const uint8_t *app);

/* login_password.c; `other`: who it is to be for, "" for itself (RFC 4616 2) */
void login_try(struct logins *l, const struct login_want *w, const char *how, str other,
	str user, str password, struct login_answer *a);
bool login_same_name(str a, str b);

/* login_sasl.c */
void logins_set_up(struct logins *l);
