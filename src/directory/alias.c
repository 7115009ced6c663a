/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "directory/directory_int.h"

enum rc
alias_insert(struct directory *d, str alias, str target, struct err *err)
{
	return sql_run(d,
		"INSERT OR IGNORE INTO alias_target (alias, target) VALUES (?, ?)",
		(const str[]){ alias, target }, 2, err);
}

/* A target as it is kept: the name of an account or alias of ours. */
static enum rc
local_target(
	struct directory *d, str target, struct arena *mem, str *out, struct err *err)
{
	struct found_domain f;
	struct address a;
	uint64_t account;
	str name;
	enum rc rc = address_split(target, mem, &a, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_local(d, target, mem, &name, &f, NULL);
	if (rc == RC_BAD)
		return err_set(err, RC_BAD,
			STR_FMT " is not on this server; aliases cannot lead "
				"elsewhere until Gatepost can send mail",
			STR_ARG(target));
	if (rc == RC_OK && (rc = sql_name(d, name, &account, err)) == RC_NONE &&
		!str_empty(a.tag)) {
		rc = address_join(a.local, (str){ 0 }, f.name, mem, &name);
		if (rc == RC_OK)
			rc = sql_name(d, name, &account, err);
	}
	if (rc == RC_NONE)
		return err_set(err, RC_NONE,
			"there is neither an account nor an alias " STR_FMT
			"; add it first",
			STR_ARG(name));
	if (rc == RC_OK)
		*out = name;
	return rc;
}

/* Makes the alias if it is not there. */
static enum rc
open_alias(
	struct directory *d, str address, struct arena *mem, str *name, struct err *err)
{
	struct found_domain f;
	uint64_t account = 0;
	enum rc rc = sql_local(d, address, mem, name, &f, err);

	if (rc != RC_OK)
		return rc;
	if (!address_dot_string(str_first(*name, name->len - f.name.len - 1)))
		return err_set(err, RC_BAD,
			"the part before @ of " STR_FMT " holds a character "
			"that aliases cannot have",
			STR_ARG(*name));
	rc = sql_name(d, *name, &account, err);
	if (rc == RC_OK && account != 0)
		return err_set(err, RC_BAD, "there is already an account " STR_FMT,
			STR_ARG(*name));
	return rc == RC_NONE ? name_insert(d, *name, f.id, 0, err) : rc;
}

/* Everything that leads to this alias, itself first. */
static enum rc
collect_above(struct directory *d, str alias, struct arena *mem, str **out, size_t *n,
	struct err *err)
{
	str *list = arena_array(mem, ALIAS_UP, sizeof(*list));
	size_t count = 1;

	if (list == NULL)
		return err_set(err, RC_LIMIT, "too many aliases");
	list[0] = alias;
	for (size_t at = 0; at < count; at++) {
		struct db_stmt *q = db_prepare(
			d->db, "SELECT alias FROM alias_target WHERE target = ?", err);
		enum rc rc;

		if (q == NULL)
			return RC_TEMP;
		db_bind_str(q, 1, list[at]);
		while ((rc = db_step(q, err)) == RC_OK) {
			size_t i = 0;

			while (i < count && !str_eq(list[i], db_str(q, 0)))
				i++;
			if (i == ALIAS_UP)
				rc = err_set(err, RC_BAD,
					"more than %d aliases lead to " STR_FMT, ALIAS_UP,
					STR_ARG(alias));
			else if (i == count)
				rc = arena_copy(mem, db_str(q, 0), &list[count++]);
			if (rc != RC_OK)
				break;
		}
		db_reset(q);
		if (rc != RC_NONE)
			return rc;
	}
	*out = list;
	*n = count;
	return RC_OK;
}

/* After a change: no circles, not too deep, not too many, for this alias and
 * for all that lead to it. */
static enum rc
check_paths(struct directory *d, str alias, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	str *above = NULL;
	size_t n = 0;
	enum rc rc = collect_above(d, alias, mem, &above, &n, err);

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		ARENA_AUTO work = arena_new(WORK_BYTES);
		struct found_name found;

		rc = sql_expand(d, above[i], work, &found, err);
	}
	return rc;
}

enum rc
alias_add(
	struct directory *d, str address, const str targets[], size_t n, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	str alias, target;
	enum rc rc;

	if (n == 0)
		return err_set(err, RC_BAD, "an alias needs at least one target");
	if ((rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = open_alias(d, address, mem, &alias, err);
	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		rc = local_target(d, targets[i], mem, &target, err);
		if (rc == RC_OK)
			rc = alias_insert(d, alias, target, err);
	}
	if (rc == RC_OK)
		rc = check_paths(d, alias, err);
	return change_end(d, rc, err);
}

static enum rc
remove_targets(struct directory *d, str alias, const str targets[], size_t n,
	struct arena *mem, struct err *err)
{
	uint64_t left = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < n; i++) {
		str target;

		rc = sql_local(d, targets[i], mem, &target, NULL, err);
		if (rc == RC_OK)
			rc = sql_run(d,
				"DELETE FROM alias_target WHERE alias = ? AND target = ?",
				(const str[]){ alias, target }, 2, err);
		if (rc == RC_OK && db_changes(d->db) == 0)
			rc = err_set(err, RC_NONE, STR_FMT " does not lead to " STR_FMT,
				STR_ARG(alias), STR_ARG(target));
	}
	if (rc == RC_OK)
		rc = sql_number(d, "SELECT count(*) FROM alias_target WHERE alias = ?",
			alias, &left, err);
	if (rc == RC_OK && left == 0)
		rc = err_set(err, RC_BAD,
			STR_FMT " would lead nowhere; add another target first, "
				"or remove the alias as a whole",
			STR_ARG(alias));
	return rc;
}

enum rc
alias_remove(
	struct directory *d, str address, const str targets[], size_t n, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint64_t account = 0;
	str alias;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_local(d, address, mem, &alias, NULL, err);
	if (rc == RC_OK)
		rc = sql_name(d, alias, &account, err);
	if (rc == RC_NONE || (rc == RC_OK && account != 0))
		rc = err_set(err, RC_NONE, "there is no alias " STR_FMT, STR_ARG(alias));
	if (rc == RC_OK && n == 0 && str_starts(alias, STR("abuse@")))
		rc = err_set(err, RC_BAD,
			STR_FMT " must be there while its domain is (RFC 2142 4);"
				" add another target to it and remove the old one",
			STR_ARG(alias));
	if (rc == RC_OK)
		rc = n > 0 ? remove_targets(d, alias, targets, n, mem, err)
			   : name_delete(d, alias, mem, err);
	return change_end(d, rc, err);
}

/* Rows come ordered by alias; the next target belongs to the last alias. */
static enum rc
read_row(
	struct db_stmt *q, struct arena *mem, struct alias *list, size_t *n, size_t *room)
{
	struct alias *a = *n > 0 ? &list[*n - 1] : NULL;

	if (a == NULL || !str_eq(a->address, db_str(q, 0))) {
		a = &list[(*n)++];
		*room = (size_t)db_u64(q, 2);
		a->targets = arena_array(mem, *room + 1, sizeof(*a->targets));
		if (a->targets == NULL ||
			arena_copy(mem, db_str(q, 0), &a->address) != RC_OK)
			return RC_LIMIT;
	}
	if (a->ntargets == *room)
		return RC_OK;
	return arena_copy(mem, db_str(q, 1), &a->targets[a->ntargets++]);
}

enum rc
alias_list(struct directory *d, str domain, struct arena *mem, struct alias **out,
	size_t *n, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	ARENA_AUTO work = arena_new(WORK_BYTES);
	struct alias *list;
	uint64_t most;
	size_t count = 0, room = 0;
	enum rc rc = RC_OK;

	if (!str_empty(domain) &&
		(rc = domain_canonical(domain, work, &domain, err)) != RC_OK)
		return rc;
	rc = sql_number(d, "SELECT count(*) FROM name WHERE account IS NULL AND ? = ''",
		STR(""), &most, err);
	if (rc != RC_OK)
		return rc;
	list = arena_array(mem, (size_t)most + 1, sizeof(*list));
	if (list == NULL)
		return err_set(err, RC_LIMIT, "there are too many aliases to list");
	struct db_stmt *q = db_prepare(d->db,
		"SELECT n.address, t.target, "
		"(SELECT count(*) FROM alias_target o WHERE o.alias = n.address) "
		"FROM name n JOIN domain d ON d.id = n.domain "
		"JOIN alias_target t ON t.alias = n.address "
		"WHERE n.account IS NULL AND ? IN ('', d.name) "
		"ORDER BY d.name, n.address, t.target",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, domain);
	while ((rc = db_step(q, err)) == RC_OK)
		if ((rc = read_row(q, mem, list, &count, &room)) != RC_OK)
			break;
	db_reset(q);
	if (rc != RC_NONE)
		return rc == RC_LIMIT
			       ? err_set(err, rc, "there are too many aliases to list")
			       : rc;
	*out = list;
	*n = count;
	return RC_OK;
}
