/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "base/clock.h"
#include "directory/directory_int.h"

static enum rc
insert_domain(
	struct directory *d, str name, uint64_t alias_of, uint64_t *id, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"INSERT INTO domain (name, alias_of, created_ms) VALUES (?, ?, ?)", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, name);
	if (alias_of != 0)
		db_bind_u64(q, 2, alias_of);
	else
		db_bind_null(q, 2);
	db_bind_u64(q, 3, clock_wall_ms());
	rc = db_run(q, err);
	if (rc == RC_OK)
		*id = db_last_id(d->db);
	return rc;
}

/* RFC 5321 4.5.1 and RFC 2142 4: these two are there from the beginning. */
static enum rc
insert_role_names(struct directory *d, uint64_t domain, str name, struct arena *mem,
	struct err *err)
{
	str postmaster, abuse;
	uint64_t id;
	enum rc rc;

	if (address_join(STR("postmaster"), (str){ 0 }, name, mem, &postmaster) !=
			RC_OK ||
		address_join(STR("abuse"), (str){ 0 }, name, mem, &abuse) != RC_OK)
		return RC_LIMIT;
	if ((rc = account_insert(d, postmaster, domain, NULL, &id, err)) != RC_OK)
		return rc;
	if ((rc = name_insert(d, abuse, domain, 0, err)) != RC_OK)
		return rc;
	return alias_insert(d, abuse, postmaster, err);
}

/* RC_OK: there is no domain of that name. */
static enum rc
must_be_new(struct directory *d, str name, struct arena *mem, struct err *err)
{
	struct found_domain f;
	enum rc rc = sql_domain(d, name, mem, &f, err);

	if (rc == RC_NONE)
		return RC_OK;
	if (rc != RC_OK)
		return rc;
	if (!str_empty(f.alias_of))
		return err_set(err, RC_BAD,
			STR_FMT " is there already, as an alias of the domain " STR_FMT,
			STR_ARG(name), STR_ARG(f.alias_of));
	return err_set(err, RC_BAD, STR_FMT " is a domain of this server already",
		STR_ARG(name));
}

static enum rc
find(struct directory *d, str name, struct arena *mem, struct found_domain *out,
	struct err *err)
{
	enum rc rc = sql_domain(d, name, mem, out, err);

	if (rc == RC_NONE)
		return err_set(err, RC_NONE,
			STR_FMT " is not a domain of this server; "
				"`gatepost domain list` shows what there is",
			STR_ARG(name));
	return rc;
}

enum rc
domain_add(struct directory *d, str name, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint64_t id = 0;
	str canonical;
	enum rc rc = domain_canonical(name, mem, &canonical, err);

	if (rc != RC_OK || (rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = must_be_new(d, canonical, mem, err);
	if (rc == RC_OK)
		rc = insert_domain(d, canonical, 0, &id, err);
	if (rc == RC_OK)
		rc = insert_role_names(d, id, canonical, mem, err);
	return change_end(d, rc, err);
}

enum rc
domain_alias(struct directory *d, str name, str other, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct found_domain f;
	uint64_t id;
	str a, b;
	enum rc rc = domain_canonical(name, mem, &a, err);

	if (rc == RC_OK)
		rc = domain_canonical(other, mem, &b, err);
	if (rc != RC_OK || (rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = must_be_new(d, a, mem, err);
	if (rc == RC_OK)
		rc = find(d, b, mem, &f, err);
	if (rc == RC_OK && !str_empty(f.alias_of))
		rc = err_set(err, RC_BAD,
			STR_FMT " is itself an alias of " STR_FMT "; name that domain",
			STR_ARG(b), STR_ARG(f.alias_of));
	if (rc == RC_OK)
		rc = insert_domain(d, a, f.id, &id, err);
	return change_end(d, rc, err);
}

enum rc
domain_catchall(struct directory *d, str name, str address, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct found_domain f;
	uint64_t account;
	str canonical, target = { 0 };
	enum rc rc = domain_canonical(name, mem, &canonical, err);

	if (rc != RC_OK || (rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = find(d, canonical, mem, &f, err);
	if (rc == RC_OK && !str_empty(f.alias_of))
		rc = err_set(err, RC_BAD,
			STR_FMT " is an alias of " STR_FMT "; set the catch-all there",
			STR_ARG(canonical), STR_ARG(f.alias_of));
	if (rc == RC_OK && !str_empty(address)) {
		rc = sql_local(d, address, mem, &target, NULL, err);
		if (rc == RC_OK && (rc = sql_name(d, target, &account, err)) == RC_NONE)
			rc = err_set(err, RC_NONE,
				"there is neither an account nor an alias " STR_FMT
				"; add it first",
				STR_ARG(target));
	}
	if (rc == RC_OK)
		rc = sql_run(d,
			"UPDATE domain SET catchall = nullif(?, '') WHERE name = ?",
			(const str[]){ target, canonical }, 2, err);
	return change_end(d, rc, err);
}

/* Whatever would lose its way when the domain is gone. */
static enum rc
refuse_if_used(struct directory *d, const struct found_domain *f, struct arena *mem,
	struct err *err)
{
	str other;
	enum rc rc = sql_text(d,
		"SELECT name FROM domain WHERE alias_of = "
		"(SELECT id FROM domain WHERE name = ?) LIMIT 1",
		f->name, mem, &other, err);

	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			"the domain " STR_FMT " is an alias of " STR_FMT
			"; remove it first",
			STR_ARG(other), STR_ARG(f->name));
	if (rc != RC_NONE)
		return rc;
	rc = sql_text(d,
		"SELECT n.address FROM name n JOIN domain d ON d.id = n.domain "
		"WHERE d.name = ? AND n.account IS NOT NULL AND n.address <> 'postmaster@' || d.name "
		"LIMIT 1",
		f->name, mem, &other, err);
	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			"there are still accounts in " STR_FMT ", for example " STR_FMT
			"; remove them first",
			STR_ARG(f->name), STR_ARG(other));
	if (rc != RC_NONE)
		return rc;
	rc = sql_text(d,
		"SELECT t.alias FROM domain d JOIN name n ON n.domain = d.id "
		"JOIN alias_target t ON t.target = n.address JOIN name m ON m.address = t.alias "
		"WHERE d.name = ? AND m.domain <> d.id LIMIT 1",
		f->name, mem, &other, err);
	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			"the alias " STR_FMT " leads to " STR_FMT "; change it first",
			STR_ARG(other), STR_ARG(f->name));
	if (rc != RC_NONE)
		return rc;
	rc = sql_text(d,
		"SELECT o.name FROM domain d JOIN name n ON n.domain = d.id "
		"JOIN domain o ON o.catchall = n.address WHERE d.name = ? AND o.id <> d.id LIMIT 1",
		f->name, mem, &other, err);
	if (rc == RC_OK)
		return err_set(err, RC_BAD,
			"the catch-all of " STR_FMT " leads to " STR_FMT
			"; change it first",
			STR_ARG(other), STR_ARG(f->name));
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
delete_domain(struct directory *d, str name, struct err *err)
{
	static const char *const steps[] = {
		"UPDATE domain SET catchall = NULL WHERE name = ?",
		"DELETE FROM alias_target WHERE alias IN (SELECT n.address FROM name n "
		"JOIN domain d ON d.id = n.domain WHERE d.name = ?)",
		"DELETE FROM policy WHERE scope IN (SELECT n.address FROM name n "
		"JOIN domain d ON d.id = n.domain WHERE d.name = ?)",
		"DELETE FROM credential WHERE account IN (SELECT n.account FROM name n "
		"JOIN domain d ON d.id = n.domain WHERE d.name = ?)",
		"DELETE FROM policy WHERE scope = ?",
		"DELETE FROM name WHERE domain = (SELECT id FROM domain WHERE name = ?)",
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < sizeof(steps) / sizeof(steps[0]); i++)
		rc = sql_run(d, steps[i], &name, 1, err);
	return rc;
}

enum rc
domain_remove(struct directory *d, str name, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct found_domain f;
	uint64_t postmaster = 0;
	str canonical, address;
	enum rc rc = domain_canonical(name, mem, &canonical, err);

	if (rc != RC_OK || (rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = find(d, canonical, mem, &f, err);
	if (rc == RC_OK)
		rc = address_join(
			STR("postmaster"), (str){ 0 }, canonical, mem, &address);
	if (rc == RC_OK && str_empty(f.alias_of)) {
		rc = refuse_if_used(d, &f, mem, err);
		if (rc == RC_OK &&
			(rc = sql_name(d, address, &postmaster, err)) == RC_NONE)
			rc = RC_OK;
		if (rc == RC_OK)
			rc = delete_domain(d, canonical, err);
		if (rc == RC_OK && postmaster != 0)
			rc = account_forget(d, postmaster, err);
	}
	if (rc == RC_OK)
		rc = sql_run(d, "DELETE FROM domain WHERE name = ?", &canonical, 1, err);
	return change_end(d, rc, err);
}

static enum rc
read_domain(struct db_stmt *q, struct arena *mem, struct domain *out)
{
	*out = (struct domain){ .id = db_u64(q, 0) };
	if (arena_copy(mem, db_str(q, 1), &out->name) != RC_OK ||
		arena_copy(mem, db_str(q, 2), &out->alias_of) != RC_OK)
		return RC_LIMIT;
	return arena_copy(mem, db_str(q, 3), &out->catchall);
}

enum rc
domain_list(struct directory *d, struct arena *mem, struct domain **out, size_t *n,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	struct domain *list;
	uint64_t most;
	size_t count = 0;
	enum rc rc = sql_number(
		d, "SELECT count(*) FROM domain WHERE name <> ?", (str){ 0 }, &most, err);

	if (rc != RC_OK)
		return rc;
	list = arena_array(mem, (size_t)most + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, RC_LIMIT, "there are too many domains to list");
	struct db_stmt *q = db_prepare(d->db,
		"SELECT d.id, d.name, o.name, d.catchall "
		"FROM domain d LEFT JOIN domain o ON o.id = d.alias_of ORDER BY d.name",
		err);
	if (q == NULL)
		return RC_TEMP;
	while (count < most && (rc = db_step(q, err)) == RC_OK)
		if ((rc = read_domain(q, mem, &list[count++])) != RC_OK)
			break;
	db_reset(q);
	if (rc != RC_OK && rc != RC_NONE)
		return err_set(err, rc, "there are too many domains to list");
	*out = list;
	*n = count;
	return RC_OK;
}
