/* SPDX-License-Identifier: ISC */
#include "directory/directory_int.h"

/* "all", a domain or an account or alias, as it is kept. */
static enum rc
find_scope(struct directory *d, str scope, struct arena *mem, str *out, struct err *err)
{
	struct found_domain f;
	uint64_t account;
	enum rc rc;

	if (str_ieq(scope, STR("all"))) {
		*out = STR("all");
		return RC_OK;
	}
	if (str_find(scope, STR("@")) < scope.len) {
		rc = sql_local(d, scope, mem, out, NULL, err);
		if (rc == RC_OK && (rc = sql_name(d, *out, &account, err)) == RC_NONE)
			rc = err_set(err, RC_NONE,
				"there is neither an account nor an alias " STR_FMT,
				STR_ARG(*out));
		return rc;
	}
	if ((rc = domain_canonical(scope, mem, out, err)) != RC_OK)
		return rc;
	rc = sql_domain(d, *out, mem, &f, err);
	if (rc == RC_NONE)
		return err_set(err, RC_NONE, STR_FMT " is not a domain of this server",
			STR_ARG(*out));
	if (rc == RC_OK && !str_empty(f.alias_of))
		return err_set(err, RC_BAD,
			STR_FMT " is an alias of " STR_FMT ", whose policy counts",
			STR_ARG(*out), STR_ARG(f.alias_of));
	return rc;
}

enum rc
policy_get(struct directory *d, str scope, struct policy *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct policy p = { 0 };
	str kept;
	enum rc rc = find_scope(d, scope, mem, &kept, err);

	if (rc == RC_OK && (rc = source_sql.policy(d, kept, &p, err)) == RC_NONE)
		rc = RC_OK;
	if (rc == RC_OK)
		*out = p;
	return rc;
}

static enum rc
put(struct directory *d, str scope, const struct policy *p, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"INSERT INTO policy (scope, threshold, observe, appeals, refused_mail) "
		"VALUES (?, ?, ?, ?, ?)",
		err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, scope);
	if (p->has_threshold)
		db_bind_i64(q, 2, p->threshold);
	else
		db_bind_null(q, 2);
	const struct {
		bool has, value;
	} flags[] = {
		{ p->has_filter, p->observe },
		{ p->has_appeals, p->recipient_appeals },
		{ p->has_refused_mail, p->daily },
	};

	for (int i = 0; i < 3; i++)
		if (flags[i].has)
			db_bind_u64(q, 3 + i, flags[i].value);
		else
			db_bind_null(q, 3 + i);
	return db_run(q, err);
}

enum rc
policy_set(struct directory *d, str scope, const struct policy *p, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	str kept;
	enum rc rc;

	if (p->has_threshold && (p->threshold < 0 || p->threshold > 1000000))
		return err_set(err, RC_BAD, "a threshold is between 0.0 and 1000.0");
	if ((rc = change_begin(d, err)) != RC_OK)
		return rc;
	rc = find_scope(d, scope, mem, &kept, err);
	if (rc == RC_OK)
		rc = sql_run(d, "DELETE FROM policy WHERE scope = ?", &kept, 1, err);
	if (rc == RC_OK && (p->has_threshold || p->has_filter || p->has_appeals ||
				   p->has_refused_mail))
		rc = put(d, kept, p, err);
	return change_end(d, rc, err);
}
