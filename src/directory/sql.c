/* SPDX-License-Identifier: ISC */
/* Our own SQL source, and the small questions that changes ask of it. */
#include <stdlib.h>

#include "directory/directory_int.h"

enum { MOST_RAW = 4 * ASK_TARGETS, MOST_ALIASES = 256 };

static enum rc
too_much(struct err *err)
{
	return err_set(err, RC_LIMIT, "the answer is larger than the memory for it");
}

enum rc
sql_run(struct directory *d, const char *sql, const str args[], size_t n, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db, sql, err);

	if (q == NULL)
		return RC_TEMP;
	for (size_t i = 0; i < n; i++)
		db_bind_str(q, (int)i + 1, args[i]);
	return db_run(q, err);
}

enum rc
sql_text(struct directory *d, const char *sql, str arg, struct arena *mem, str *out,
	struct err *err)
{
	struct db_stmt *q = db_prepare(d->db, sql, err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, arg);
	rc = db_step(q, err);
	if (rc == RC_OK && arena_copy(mem, db_str(q, 0), out) != RC_OK)
		rc = too_much(err);
	db_reset(q);
	return rc;
}

enum rc
sql_number(struct directory *d, const char *sql, str arg, uint64_t *out, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db, sql, err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, arg);
	rc = db_step(q, err);
	if (rc == RC_OK)
		*out = db_u64(q, 0);
	db_reset(q);
	return rc;
}

enum rc
sql_domain(struct directory *d, str name, struct arena *mem, struct found_domain *out,
	struct err *err)
{
	struct found_domain f;
	struct db_stmt *q;
	enum rc rc;

	if (str_empty(name))
		q = db_prepare(d->db,
			"SELECT id, name, NULL, catchall FROM domain "
			"WHERE alias_of IS NULL ORDER BY id LIMIT 1",
			err);
	else
		q = db_prepare(d->db,
			"SELECT d.id, d.name, o.name, d.catchall FROM domain d "
			"LEFT JOIN domain o ON o.id = d.alias_of WHERE d.name = ?",
			err);
	if (q == NULL)
		return RC_TEMP;
	if (!str_empty(name))
		db_bind_str(q, 1, name);
	rc = db_step(q, err);
	if (rc == RC_OK) {
		f.id = db_u64(q, 0);
		if (arena_copy(mem, db_str(q, 1), &f.name) != RC_OK ||
			arena_copy(mem, db_str(q, 2), &f.alias_of) != RC_OK ||
			arena_copy(mem, db_str(q, 3), &f.catchall) != RC_OK)
			rc = too_much(err);
		else
			*out = f;
	}
	db_reset(q);
	return rc;
}

enum rc
sql_name(struct directory *d, str address, uint64_t *account, struct err *err)
{
	return sql_number(d, "SELECT coalesce(account, 0) FROM name WHERE address = ?",
		address, account, err);
}

/* Walking down from an alias. */
struct walk {
	struct directory *d;
	struct arena *mem;
	struct err *err;
	str path[ALIAS_DEPTH], done[MOST_ALIASES];
	size_t depth, ndone, n;
	struct found_target *found;
};

static void
read_target(struct db_stmt *q, int col, struct found_target *t)
{
	t->account = db_u64(q, col);
	t->disabled = db_u64(q, col + 1) != 0;
	t->has_quota = !db_is_null(q, col + 2);
	t->quota = t->has_quota ? db_u64(q, col + 2) : 0;
}

/* Adds the accounts an alias names, and gives the aliases it names. */
static enum rc
read_targets(struct walk *w, str alias, str **below, size_t *nbelow)
{
	struct db_stmt *q = db_prepare(w->d->db,
		"SELECT t.target, n.account, a.disabled, a.quota FROM alias_target t "
		"JOIN name n ON n.address = t.target LEFT JOIN account a ON a.id = n.account "
		"WHERE t.alias = ? ORDER BY t.target",
		w->err);
	str *list = arena_array(w->mem, MOST_ALIASES, sizeof(*list));
	size_t n = 0;
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	if (list == NULL)
		return too_much(w->err);
	db_bind_str(q, 1, alias);
	while ((rc = db_step(q, w->err)) == RC_OK) {
		if (db_is_null(q, 1) ? n == MOST_ALIASES : w->n == MOST_RAW) {
			rc = err_set(w->err, RC_BAD,
				STR_FMT " has too many targets; at most %d "
					"accounts",
				STR_ARG(alias), ASK_TARGETS);
			break;
		}
		if (!db_is_null(q, 1))
			read_target(q, 1, &w->found[w->n++]);
		else if ((rc = arena_copy(w->mem, db_str(q, 0), &list[n++])) != RC_OK)
			break;
	}
	db_reset(q);
	*below = list;
	*nbelow = n;
	return rc == RC_NONE ? RC_OK : rc == RC_LIMIT ? too_much(w->err) : rc;
}

static enum rc
walk_alias(struct walk *w, str alias)
{
	str *below = NULL;
	size_t n = 0;
	enum rc rc;

	for (size_t i = 0; i < w->depth; i++)
		if (str_eq(w->path[i], alias))
			return err_set(w->err, RC_BAD,
				"mail would go round in a circle: " STR_FMT
				" leads back to itself by way of " STR_FMT,
				STR_ARG(alias), STR_ARG(w->path[w->depth - 1]));
	for (size_t i = 0; i < w->ndone; i++)
		if (str_eq(w->done[i], alias))
			return RC_OK;
	if (w->depth == ALIAS_DEPTH || w->ndone == MOST_ALIASES)
		return err_set(w->err, RC_BAD,
			"aliases that lead to aliases go too deep at " STR_FMT
			"; at most %d",
			STR_ARG(alias), ALIAS_DEPTH);
	w->path[w->depth++] = alias;
	rc = read_targets(w, alias, &below, &n);
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = walk_alias(w, below[i]);
	w->depth--;
	if (rc == RC_OK && w->ndone < MOST_ALIASES)
		w->done[w->ndone++] = alias;
	return rc;
}

static int
by_account(const void *a, const void *b)
{
	const struct found_target *x = a, *y = b;

	return x->account < y->account ? -1 : x->account > y->account;
}

enum rc
sql_expand(struct directory *d, str address, struct arena *mem, struct found_name *out,
	struct err *err)
{
	struct walk *w = arena_new_of(mem, struct walk);
	size_t n = 0;
	enum rc rc;

	if (w == NULL)
		return too_much(err);
	*w = (struct walk){ .d = d, .mem = mem, .err = err };
	w->found = arena_array(mem, MOST_RAW, sizeof(*w->found));
	if (w->found == NULL)
		return too_much(err);
	if ((rc = walk_alias(w, address)) != RC_OK)
		return rc;
	qsort(w->found, w->n, sizeof(*w->found), by_account);
	for (size_t i = 0; i < w->n; i++)
		if (i == 0 || w->found[i].account != w->found[n - 1].account)
			w->found[n++] = w->found[i];
	if (n > ASK_TARGETS)
		return err_set(err, RC_BAD, STR_FMT " leads to more than %d accounts",
			STR_ARG(address), ASK_TARGETS);
	out->targets = w->found;
	out->ntargets = n;
	return RC_OK;
}

static enum rc
name_of(struct directory *d, str address, struct arena *mem, struct found_name *out,
	struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"SELECT n.account, a.disabled, a.quota FROM name n "
		"LEFT JOIN account a ON a.id = n.account WHERE n.address = ?",
		err);
	struct found_name f = { .ntargets = 1 };
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, address);
	rc = db_step(q, err);
	if (rc == RC_OK && !db_is_null(q, 0)) {
		f.targets = arena_new_of(mem, struct found_target);
		if (f.targets != NULL)
			read_target(q, 0, f.targets);
		f.account = db_u64(q, 0);
	}
	db_reset(q);
	if (rc != RC_OK)
		return rc;
	if (f.account == 0 && (rc = sql_expand(d, address, mem, &f, err)) != RC_OK)
		return rc;
	if (f.targets == NULL || arena_copy(mem, address, &f.address) != RC_OK)
		return too_much(err);
	*out = f;
	return RC_OK;
}

static enum rc
policy_of(struct directory *d, str scope, struct policy *out, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"SELECT threshold, observe, appeals, refused_mail FROM policy WHERE scope = ?",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, scope);
	rc = db_step(q, err);
	if (rc == RC_OK)
		*out = (struct policy){
			.has_threshold = !db_is_null(q, 0),
			.threshold = (int32_t)db_i64(q, 0),
			.has_filter = !db_is_null(q, 1),
			.observe = db_i64(q, 1) != 0,
			.has_appeals = !db_is_null(q, 2),
			.recipient_appeals = db_i64(q, 2) != 0,
			.has_refused_mail = !db_is_null(q, 3),
			.daily = db_i64(q, 3) != 0,
		};
	db_reset(q);
	return rc;
}

const struct source source_sql = {
	.name = "sql",
	.domain = sql_domain,
	.name_of = name_of,
	.policy = policy_of,
};

enum rc
sql_local(struct directory *d, str address, struct arena *mem, str *name,
	struct found_domain *domain, struct err *err)
{
	struct found_domain f;
	struct address a;
	enum rc rc;

	if ((rc = address_split(address, mem, &a, err)) != RC_OK)
		return rc;
	rc = sql_domain(d, a.domain, mem, &f, err);
	if (rc == RC_OK && !str_empty(f.alias_of))
		rc = sql_domain(d, f.alias_of, mem, &f, err);
	if (rc == RC_NONE)
		return err_set(err, RC_BAD,
			STR_FMT " is not a domain of this server; "
				"`gatepost domain add` makes it one",
			STR_ARG(a.domain));
	if (rc != RC_OK)
		return rc;
	if (address_join(a.local, a.tag, f.name, mem, name) != RC_OK)
		return too_much(err);
	if (domain != NULL)
		*domain = f;
	return RC_OK;
}

enum rc
sql_account(struct directory *d, str address, struct arena *mem, str *name, uint64_t *id,
	struct err *err)
{
	uint64_t account = 0;
	enum rc rc = sql_local(d, address, mem, name, NULL, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_name(d, *name, &account, err);
	if (rc == RC_OK && account == 0)
		return err_set(err, RC_NONE, STR_FMT " is an alias, not an account",
			STR_ARG(*name));
	if (rc == RC_NONE)
		return err_set(
			err, RC_NONE, "there is no account " STR_FMT, STR_ARG(*name));
	if (rc == RC_OK)
		*id = account;
	return rc;
}
