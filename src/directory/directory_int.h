/* SPDX-License-Identifier: ISC */
/*
 * The folder's own: the open directory, the table of sources, and the lookups
 * that several files need.  All functions with a struct directory here are
 * called with its lock held, but for those of the table of sources.
 */
#pragma once

#include <pthread.h>

#include "base/thread.h"
#include "db/db.h"
#include "directory/directory.h"

enum {
	DOMAIN_MOST = 253,	/* RFC 1035 2.3.4, without the root's dot */
	LOCAL_MOST = 64,	/* RFC 5321 4.5.3.1.1 */
	TAG_MOST = 255,		/* what senders put after '+' */
	ALIAS_DEPTH = 10,	/* aliases that lead to aliases */
	ALIAS_UP = 1000,	/* aliases above one that are looked at again */
	WORK_BYTES = 2 << 20,	/* arena of one call */
};

struct address {
	str local, tag, domain;		/* canonical; tag "" for none */
};

enum rc address_split(str address, struct arena *mem, struct address *out, struct err *err)
	MUST_CHECK;
enum rc address_join(str local, str tag, str domain, struct arena *mem, str *out) MUST_CHECK;
bool address_dot_string(str local);

struct found_domain {
	uint64_t id;
	str name, alias_of, catchall;
};

struct found_target {
	uint64_t account, quota;
	bool has_quota, disabled;
};

/* An account or alias, an alias with all accounts that it leads to. */
struct found_name {
	str address;
	uint64_t account;		/* 0: an alias */
	size_t ntargets;
	struct found_target *targets;
};

/*
 * Where names come from.  A source is asked for a domain; the first that knows
 * it answers for all of its names.  A foreign source gives its accounts ids of
 * ours (rows of `account`), so that everything behind it stays the same.
 */
struct source {
	const char *name;
	/* RC_NONE: not mine. `name` "": the first domain. */
	enum rc (*domain)(struct directory *d, str name, struct arena *mem,
		struct found_domain *out, struct err *err);
	enum rc (*name_of)(struct directory *d, str address, struct arena *mem,
		struct found_name *out, struct err *err);
	enum rc (*policy)(struct directory *d, str scope, struct policy *out, struct err *err);
};

extern const struct source *const directory_sources[];	/* ended by NULL */
extern const struct source source_sql;

struct directory {
	pthread_mutex_t lock;
	struct db *db;
	const struct conf *conf;
	bool read_only;
	void (*changed)(void *arg);
	void (*shut_out)(uint64_t account, void *arg);
	void *arg;
	uint64_t shutting_out;	/* whom the change under way will shut out; 0: nobody */
};

/* Taken with the lock for every change: begin, and commit or roll back. */
enum rc change_begin(struct directory *d, struct err *err) MUST_CHECK;
/* Commits when rc is RC_OK, otherwise takes everything back; returns how it is. */
enum rc change_end(struct directory *d, enum rc rc, struct err *err) MUST_CHECK;

/* sql.c */
enum rc sql_domain(struct directory *d, str name, struct arena *mem, struct found_domain *out,
	struct err *err) MUST_CHECK;
/* RC_NONE: no such name; account 0: an alias, whose targets are not looked up. */
enum rc sql_name(struct directory *d, str address, uint64_t *account, struct err *err) MUST_CHECK;
/* Follows an alias to its accounts. RC_BAD: a loop, too deep or too many. */
enum rc sql_expand(struct directory *d, str address, struct arena *mem, struct found_name *out,
	struct err *err) MUST_CHECK;
/* The canonical name, in the domain itself where `address` is in an alias of it.
 * RC_BAD with a sentence: no address, or not in a domain of ours. */
enum rc sql_local(struct directory *d, str address, struct arena *mem, str *name,
	struct found_domain *domain, struct err *err) MUST_CHECK;
/* As sql_local(), and there must be an account of that name: RC_NONE. */
enum rc sql_account(struct directory *d, str address, struct arena *mem, str *name, uint64_t *id,
	struct err *err) MUST_CHECK;
/* One statement with up to three texts, no rows. */
enum rc sql_run(struct directory *d, const char *sql, const str args[], size_t n, struct err *err)
	MUST_CHECK;
/* The first row's text (copied) or number; RC_NONE: no row. */
enum rc sql_text(struct directory *d, const char *sql, str arg, struct arena *mem, str *out,
	struct err *err) MUST_CHECK;
enum rc sql_number(struct directory *d, const char *sql, str arg, uint64_t *out, struct err *err)
	MUST_CHECK;

/* account.c; quota NULL: the default */
enum rc name_insert(struct directory *d, str name, uint64_t domain, uint64_t account,
	struct err *err) MUST_CHECK;	/* account 0: an alias */
enum rc account_insert(struct directory *d, str name, uint64_t domain, const uint64_t *quota,
	uint64_t *id, struct err *err) MUST_CHECK;
/* A name with its policy and its places in aliases; RC_BAD: it is needed there. */
enum rc name_delete(struct directory *d, str name, struct arena *mem, struct err *err) MUST_CHECK;
/* The account's row and its credentials. */
enum rc account_forget(struct directory *d, uint64_t id, struct err *err) MUST_CHECK;

/* credential.c */
struct credentials;		/* a password's rows, made outside of the lock */
enum rc credentials_make(str password, struct credentials **out, struct err *err) MUST_CHECK;
enum rc credentials_store(struct directory *d, uint64_t account, const struct credentials *c,
	struct err *err) MUST_CHECK;
void credentials_free(struct credentials **cp);

/* alias.c */
enum rc alias_insert(struct directory *d, str alias, str target, struct err *err) MUST_CHECK;
