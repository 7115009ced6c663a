/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "directory/directory_int.h"

enum rc
name_insert(
	struct directory *d, str name, uint64_t domain, uint64_t account, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"INSERT INTO name (address, domain, account) VALUES (?, ?, ?)", err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, name);
	db_bind_u64(q, 2, domain);
	if (account != 0)
		db_bind_u64(q, 3, account);
	else
		db_bind_null(q, 3);
	return db_run(q, err);
}

enum rc
account_insert(struct directory *d, str name, uint64_t domain, const uint64_t *quota,
	uint64_t *id, struct err *err)
{
	struct db_stmt *q = db_prepare(
		d->db, "INSERT INTO account (quota, created_ms) VALUES (?, ?)", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	if (quota != NULL)
		db_bind_u64(q, 1, *quota);
	else
		db_bind_null(q, 1);
	db_bind_u64(q, 2, clock_wall_ms());
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	*id = db_last_id(d->db);
	return name_insert(d, name, domain, *id, err);
}

static enum rc
run_with_id(struct directory *d, const char *sql, uint64_t id, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db, sql, err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, id);
	return db_run(q, err);
}

enum rc
account_forget(struct directory *d, uint64_t id, struct err *err)
{
	enum rc rc = run_with_id(d, "DELETE FROM credential WHERE account = ?", id, err);

	d->shutting_out = id;
	if (rc == RC_OK)
		rc = run_with_id(d, "DELETE FROM account WHERE id = ?", id, err);
	return rc;
}

/* A new name: in a domain of ours, no +tag's neighbour, and not there yet. */
static enum rc
check_new(struct directory *d, str address, struct arena *mem, str *name,
	struct found_domain *domain, struct err *err)
{
	uint64_t account;
	enum rc rc = sql_local(d, address, mem, name, domain, err);

	if (rc != RC_OK)
		return rc;
	if (!address_dot_string(str_first(*name, name->len - domain->name.len - 1)))
		return err_set(err, RC_BAD,
			"the part before @ of " STR_FMT " holds a character "
			"that addresses of accounts cannot have",
			STR_ARG(*name));
	rc = sql_name(d, *name, &account, err);
	if (rc == RC_OK)
		return err_set(err, RC_BAD, "there is already an %s " STR_FMT,
			account != 0 ? "account" : "alias", STR_ARG(*name));
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
add_one(struct directory *d, const struct account_new *a, const struct credentials *c,
	uint64_t *id, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct found_domain domain;
	str name;
	enum rc rc = check_new(d, a->address, mem, &name, &domain, err);

	if (rc == RC_OK)
		rc = account_insert(
			d, name, domain.id, a->has_quota ? &a->quota : NULL, id, err);
	if (rc == RC_OK && c != NULL)
		rc = credentials_store(d, *id, c, err);
	return rc;
}

enum rc
account_add(
	struct directory *d, const struct account_new *a, uint64_t *id, struct err *err)
{
	struct credentials *c = NULL;
	uint64_t made = 0;
	enum rc rc = RC_OK;

	if (!str_empty(a->password))
		rc = credentials_make(a->password, &c, err);
	if (rc == RC_OK && (rc = change_begin(d, err)) == RC_OK)
		rc = change_end(d, add_one(d, a, c, &made, err), err);
	credentials_free(&c);
	if (rc == RC_OK && id != NULL)
		*id = made;
	return rc;
}

/* Hashing takes the time: before the transaction, which stops mail. */
static enum rc
make_all(const struct account_new *a, size_t n, struct credentials **c, struct err *err)
{
	for (size_t i = 0; i < n; i++) {
		char what[80];
		enum rc rc;

		if (str_empty(a[i].password))
			continue;
		rc = credentials_make(a[i].password, &c[i], err);
		if (rc != RC_OK) {
			(void)snprintf(
				what, sizeof(what), "account number %zu of these", i + 1);
			return err_wrap(err, what);
		}
	}
	return RC_OK;
}

enum rc
account_add_many(
	struct directory *d, const struct account_new *a, size_t n, struct err *err)
{
	struct credentials **c = calloc(n + 1, sizeof(struct credentials *));
	uint64_t id;
	enum rc rc;

	if (c == NULL)
		abort();
	rc = make_all(a, n, c, err);
	if (rc == RC_OK && (rc = change_begin(d, err)) == RC_OK) {
		for (size_t i = 0; rc == RC_OK && i < n; i++)
			rc = add_one(d, &a[i], c[i], &id, err);
		rc = change_end(d, rc, err);
	}
	for (size_t i = 0; i < n; i++)
		credentials_free(&c[i]);
	free(c);
	return rc;
}

/* Columns: id, address, disabled, quota, created. */
static enum rc
read_account(struct directory *d, struct db_stmt *q, struct arena *mem,
	struct account *out, struct err *err)
{
	struct account a = {
		.id = db_u64(q, 0),
		.disabled = db_u64(q, 2) != 0,
		.quota = db_is_null(q, 3) ? d->conf->store.quota : db_u64(q, 3),
		.created_ms = db_u64(q, 4),
	};

	if (arena_copy(mem, db_str(q, 1), &a.address) != RC_OK)
		return err_set(err, RC_LIMIT, "there are too many accounts to list");
	*out = a;
	return RC_OK;
}

enum rc
account_by_id(struct directory *d, uint64_t id, struct arena *mem, struct account *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	struct db_stmt *q = db_prepare(d->db,
		"SELECT a.id, n.address, a.disabled, a.quota, a.created_ms FROM account a "
		"JOIN name n ON n.account = a.id WHERE a.id = ?",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, id);
	rc = db_step(q, err);
	if (rc == RC_OK)
		rc = read_account(d, q, mem, out, err);
	db_reset(q);
	if (rc == RC_NONE)
		return err_set(err, RC_NONE, "there is no account number %llu",
			(unsigned long long)id);
	return rc;
}

enum rc
account_find(struct directory *d, str address, struct arena *mem, struct account *out,
	struct err *err)
{
	ARENA_AUTO work = arena_new(WORK_BYTES);
	uint64_t id = 0;
	str name;
	enum rc rc;

	{
		LOCK_AUTO held = lock_take(&d->lock);

		rc = sql_account(d, address, work, &name, &id, err);
	}
	return rc == RC_OK ? account_by_id(d, id, mem, out, err) : rc;
}

enum rc
account_list(struct directory *d, str domain, struct arena *mem, struct account **out,
	size_t *n, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	ARENA_AUTO work = arena_new(WORK_BYTES);
	struct account *list;
	uint64_t most;
	size_t count = 0;
	enum rc rc = RC_OK;

	if (!str_empty(domain) &&
		(rc = domain_canonical(domain, work, &domain, err)) != RC_OK)
		return rc;
	rc = sql_number(
		d, "SELECT count(*) FROM account WHERE ? <> '@'", (str){ 0 }, &most, err);
	if (rc != RC_OK)
		return rc;
	list = arena_array(mem, (size_t)most + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, RC_LIMIT, "there are too many accounts to list");
	struct db_stmt *q = db_prepare(d->db,
		"SELECT a.id, n.address, a.disabled, a.quota, a.created_ms FROM name n "
		"JOIN account a ON a.id = n.account JOIN domain d ON d.id = n.domain "
		"WHERE ? IN ('', d.name) ORDER BY d.name, n.address",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, domain);
	while (count < most && (rc = db_step(q, err)) == RC_OK)
		if ((rc = read_account(d, q, mem, &list[count++], err)) != RC_OK)
			break;
	db_reset(q);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	*out = list;
	*n = count;
	return RC_OK;
}

static bool
is_postmaster(str name)
{
	return str_starts(name, STR("postmaster@"));
}

enum rc
account_disable(struct directory *d, str address, bool disabled, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint64_t id = 0;
	str name;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_account(d, address, mem, &name, &id, err);
	if (rc == RC_OK && disabled && is_postmaster(name))
		rc = err_set(err, RC_BAD,
			STR_FMT " must take mail always (RFC 5321 4.5.1); it "
				"cannot be disabled",
			STR_ARG(name));
	if (disabled)
		d->shutting_out = id;
	if (rc == RC_OK)
		rc = run_with_id(d,
			disabled ? "UPDATE account SET disabled = 1 WHERE id = ?"
				 : "UPDATE account SET disabled = 0 WHERE id = ?",
			id, err);
	return change_end(d, rc, err);
}

/* An alias that would lead nowhere, or a catch-all, keeps its account. */
static enum rc
refuse_if_last(struct directory *d, str name, struct arena *mem, struct err *err)
{
	str other;
	enum rc rc = sql_text(d,
		"SELECT alias FROM alias_target t WHERE target = ? AND "
		"(SELECT count(*) FROM alias_target o WHERE o.alias = t.alias) = 1 LIMIT 1",
		name, mem, &other, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			"the alias " STR_FMT " leads to " STR_FMT
			" only; remove the alias, or add another target to it, first",
			STR_ARG(other), STR_ARG(name));
	if (rc != RC_NONE)
		return rc;
	rc = sql_text(d, "SELECT name FROM domain WHERE catchall = ? LIMIT 1", name, mem,
		&other, err);
	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			STR_FMT " is the catch-all of " STR_FMT
				"; set another one, or `off`, first",
			STR_ARG(name), STR_ARG(other));
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
name_delete(struct directory *d, str name, struct arena *mem, struct err *err)
{
	static const char *const steps[] = {
		"DELETE FROM alias_target WHERE target = ?",
		"DELETE FROM alias_target WHERE alias = ?",
		"DELETE FROM policy WHERE scope = ?",
		"DELETE FROM name WHERE address = ?",
	};
	enum rc rc = refuse_if_last(d, name, mem, err);

	for (size_t i = 0; rc == RC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = sql_run(d, steps[i], &name, 1, err);
	return rc;
}

enum rc
account_remove(struct directory *d, str address, uint64_t *id, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint64_t account = 0;
	str name;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_account(d, address, mem, &name, &account, err);
	if (rc == RC_OK && is_postmaster(name))
		rc = err_set(err, RC_BAD,
			STR_FMT " must be there while its domain is "
				"(RFC 5321 4.5.1)",
			STR_ARG(name));
	if (rc == RC_OK)
		rc = name_delete(d, name, mem, err);
	if (rc == RC_OK)
		rc = account_forget(d, account, err);
	rc = change_end(d, rc, err);
	if (rc == RC_OK && id != NULL)
		*id = account;
	return rc;
}

enum rc
account_quota(struct directory *d, str address, bool has, uint64_t quota, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct db_stmt *q;
	uint64_t id = 0;
	str name;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_account(d, address, mem, &name, &id, err);
	if (rc == RC_OK) {
		q = db_prepare(d->db, "UPDATE account SET quota = ? WHERE id = ?", err);
		if (q == NULL)
			return change_end(d, RC_TEMP, err);
		if (has)
			db_bind_u64(q, 1, quota);
		else
			db_bind_null(q, 1);
		db_bind_u64(q, 2, id);
		rc = db_run(q, err);
	}
	return change_end(d, rc, err);
}

static enum rc
postmaster_of(struct directory *d, const struct found_domain *f, struct arena *mem,
	uint64_t *id, struct err *err)
{
	str name;

	if (address_join(STR("postmaster"), (str){ 0 }, f->name, mem, &name) != RC_OK)
		return RC_LIMIT;
	return sql_name(d, name, id, err);
}

enum rc
account_heir(struct directory *d, str address, uint64_t *id, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct found_domain f;
	uint64_t account = 0;
	str name;
	enum rc rc = sql_local(d, address, mem, &name, &f, err);

	if (rc == RC_OK)
		rc = postmaster_of(d, &f, mem, &account, err);
	if (rc == RC_BAD || rc == RC_NONE || (rc == RC_OK && account == 0)) {
		rc = sql_domain(d, (str){ 0 }, mem, &f, err);
		if (rc == RC_OK)
			rc = postmaster_of(d, &f, mem, &account, err);
	}
	if (rc == RC_NONE || (rc == RC_OK && account == 0))
		return err_set(err, RC_NONE,
			"there is no domain whose postmaster could take it");
	if (rc == RC_OK)
		*id = account;
	return rc;
}
