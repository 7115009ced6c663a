/* SPDX-License-Identifier: ISC */
/*
 * directory: domains, accounts, aliases, credentials, quotas, policies.
 *
 * Source: our own SQL (data/directory.db); foreign SQL and LDAP are further
 * rows of the source table, to come.  Names are canonical inside: domains as
 * A-labels in lower case (IDNA 2008), local parts NFC and case-folded.
 * Sentences in *err are for the administrator.  Any thread; one lock.
 *
 * Changes (not reads) call `changed`, so that house can push invalidations.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "directory/policy.h"
#include "wire/ask.h"

struct directory;

struct directory_want {
	int data;			/* the data folder; must stay open */
	const struct conf *conf;	/* defaults of quota and policy; kept */
	bool read_only;
	void (*changed)(void *arg);	/* may be NULL */
	void (*shut_out)(uint64_t account, void *arg);	/* its sessions are to end; may be NULL */
	void *arg;
};

enum rc directory_open(const struct directory_want *, struct directory **, struct err *) MUST_CHECK;
void directory_close(struct directory **dp);
void directory_reload(struct directory *d, const struct conf *conf);

/* Canonical form of an address, without its +tag (which *tag gets, if not
 * NULL).  RC_BAD: not an address. */
enum rc address_canonical(str address, struct arena *mem, str *canonical, str *tag, struct err *err)
	MUST_CHECK;
enum rc domain_canonical(str domain, struct arena *mem, str *canonical, struct err *err) MUST_CHECK;

/*
 * Where mail to an address goes: the question of every RCPT.  `usage` asks the
 * store how full an account is (NULL: quotas are not looked at).
 * Order: account or alias of that name; without its +tag; the domain it is an
 * alias of; catch-all; unknown.  <postmaster> without a domain is the first
 * domain's.  RC_OK also for unknown addresses: the status says it.
 */
typedef enum rc directory_usage_fn(uint64_t account, uint64_t *bytes, void *arg);
enum rc directory_resolve(struct directory *d, str address, directory_usage_fn *usage, void *arg,
	struct arena *mem, struct ask_answer *out, struct err *err) MUST_CHECK;
/* The same, and says each step as a sentence (`gatepost explain`). */
typedef void directory_say_fn(const char *sentence, void *arg);
enum rc directory_explain(struct directory *d, str address, directory_usage_fn *usage, void *arg,
	directory_say_fn *say, void *say_arg, struct arena *mem, struct ask_answer *out,
	struct err *err) MUST_CHECK;

struct domain {
	uint64_t id;
	str name, alias_of, catchall;	/* "" for none */
};

struct account {
	uint64_t id;
	str address;
	bool disabled;
	uint64_t quota;			/* bytes; 0: none; the default already put in */
	uint64_t created_ms;
};

struct alias {
	str address;
	size_t ntargets;
	str *targets;
};

/* Makes postmaster@ and the alias abuse@ too.  RC_BAD: there already, or no name. */
enum rc domain_add(struct directory *d, str name, struct err *err) MUST_CHECK;
/* RC_BAD while accounts other than postmaster@ or domain aliases are left. */
enum rc domain_remove(struct directory *d, str name, struct err *err) MUST_CHECK;
enum rc domain_alias(struct directory *d, str name, str other, struct err *err) MUST_CHECK;
/* address "": off */
enum rc domain_catchall(struct directory *d, str name, str address, struct err *err) MUST_CHECK;
enum rc domain_list(struct directory *d, struct arena *mem, struct domain **out, size_t *n,
	struct err *err) MUST_CHECK;

struct account_new {
	str address, password;		/* password "": none */
	bool has_quota;
	uint64_t quota;
};

enum rc account_add(struct directory *d, const struct account_new *a, uint64_t *id,
	struct err *err) MUST_CHECK;
/* All in one transaction: all or none. */
enum rc account_add_many(struct directory *d, const struct account_new *a, size_t n,
	struct err *err) MUST_CHECK;
enum rc account_find(struct directory *d, str address, struct arena *mem, struct account *out,
	struct err *err) MUST_CHECK;
enum rc account_by_id(struct directory *d, uint64_t id, struct arena *mem, struct account *out,
	struct err *err) MUST_CHECK;
enum rc account_list(struct directory *d, str domain, struct arena *mem, struct account **out,
	size_t *n, struct err *err) MUST_CHECK;	/* domain "": all */
enum rc account_disable(struct directory *d, str address, bool disabled, struct err *err) MUST_CHECK;
/* postmaster@ cannot be removed alone.  Mail that is already accepted for it
 * goes to its domain's postmaster. *id: whose store is to be removed. */
enum rc account_remove(struct directory *d, str address, uint64_t *id, struct err *err) MUST_CHECK;
enum rc account_quota(struct directory *d, str address, bool has, uint64_t quota, struct err *err)
	MUST_CHECK;
enum rc account_password(struct directory *d, str address, str password, struct err *err)
	MUST_CHECK;
/* The account that gets what was accepted for `address` when its target is
 * gone: its domain's postmaster, else the first domain's.  RC_NONE: no domain. */
enum rc account_heir(struct directory *d, str address, uint64_t *id, struct err *err) MUST_CHECK;

/* app passwords: made here (20 characters base 32), shown once.  doors: login.h */
enum rc app_password_add(struct directory *d, str address, str name, unsigned doors,
	char secret[32], struct err *err) MUST_CHECK;
typedef enum rc app_password_fn(str name, unsigned doors, uint64_t created_ms, void *arg,
	struct err *err);
enum rc app_password_list(struct directory *d, str address, app_password_fn *fn, void *arg,
	struct err *err) MUST_CHECK;
enum rc app_password_revoke(struct directory *d, str address, str name, struct err *err) MUST_CHECK;

/* Targets must be local (remote ones: RC_BAD until sending exists); loops are
 * found here.  Adding to an alias that is there adds targets. */
enum rc alias_add(struct directory *d, str address, const str targets[], size_t n,
	struct err *err) MUST_CHECK;
enum rc alias_remove(struct directory *d, str address, const str targets[], size_t n,
	struct err *err) MUST_CHECK;	/* n 0: the whole alias */
enum rc alias_list(struct directory *d, str domain, struct arena *mem, struct alias **out,
	size_t *n, struct err *err) MUST_CHECK;

/* For audit and verify. */
typedef void directory_damage_fn(const char *sentence, void *arg);
enum rc directory_check(struct directory *d, directory_damage_fn *fn, void *arg, struct err *err)
	MUST_CHECK;
enum rc directory_copy(struct directory *d, int dirfd, struct err *err) MUST_CHECK;
