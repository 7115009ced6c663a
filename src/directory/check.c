/* SPDX-License-Identifier: ISC */
#include "directory/directory_int.h"

/* Each statement finds what must not be; its row becomes the sentence. */
static const struct rule {
	const char *sql, *sentence;
} rules[] = {
	{ "SELECT name FROM domain d WHERE alias_of IS NULL AND NOT EXISTS (SELECT 1 FROM name "
	  "WHERE address = 'postmaster@' || d.name AND account IS NOT NULL)",
		"directory: the domain %.*s has no account postmaster@" },
	{ "SELECT name FROM domain d WHERE alias_of IS NULL AND NOT EXISTS (SELECT 1 FROM name "
	  "WHERE address = 'abuse@' || d.name)",
		"directory: the domain %.*s has no abuse@" },
	{ "SELECT name FROM domain d WHERE alias_of IS NOT NULL AND NOT EXISTS "
	  "(SELECT 1 FROM domain o WHERE o.id = d.alias_of AND o.alias_of IS NULL)",
		"directory: the domain %.*s is an alias of none" },
	{ "SELECT name FROM domain WHERE catchall IS NOT NULL AND NOT EXISTS "
	  "(SELECT 1 FROM name WHERE address = catchall)",
		"directory: the catch-all of %.*s leads nowhere" },
	{ "SELECT address FROM name n WHERE NOT EXISTS (SELECT 1 FROM domain WHERE id = n.domain)",
		"directory: %.*s is in no domain" },
	{ "SELECT address FROM name n WHERE account IS NOT NULL AND NOT EXISTS "
	  "(SELECT 1 FROM account WHERE id = n.account)",
		"directory: the account row of %.*s is missing" },
	{ "SELECT id FROM account a WHERE NOT EXISTS (SELECT 1 FROM name WHERE account = a.id)",
		"directory: the account number %.*s has no name" },
	{ "SELECT address FROM name n WHERE account IS NULL AND NOT EXISTS "
	  "(SELECT 1 FROM alias_target WHERE alias = n.address)",
		"directory: the alias %.*s has no target" },
	{ "SELECT alias FROM alias_target t WHERE NOT EXISTS "
	  "(SELECT 1 FROM name WHERE address = t.target)",
		"directory: a target of the alias %.*s is missing" },
	{ "SELECT account FROM credential c WHERE NOT EXISTS "
	  "(SELECT 1 FROM account WHERE id = c.account)",
		"directory: a credential belongs to the account number %.*s, which is missing" },
	{ NULL, NULL },
};

static enum rc
apply_rule(struct directory *d, const struct rule *r, directory_damage_fn *fn, void *arg,
	struct err *err)
{
	struct db_stmt *q = db_prepare(d->db, r->sql, err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	while ((rc = db_step(q, err)) == RC_OK) {
		const char *hole = strstr(r->sentence, "%.*s");
		struct err line;

		(void)err_set(&line, RC_PERM, STR_FMT STR_FMT "%s",
			(int)(hole - r->sentence), r->sentence, STR_ARG(db_str(q, 0)),
			hole + 4);
		fn(line.text, arg);
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

/* Circles cannot be made; a damaged table may hold one. */
static enum rc
check_aliases(struct directory *d, directory_damage_fn *fn, void *arg, struct err *err)
{
	ARENA_AUTO mem = arena_new(64 << 20);
	str *names;
	uint64_t most;
	size_t n = 0;
	enum rc rc = sql_number(d,
		"SELECT count(*) FROM name WHERE account IS NULL AND ? = ''", STR(""),
		&most, err);

	if (rc != RC_OK)
		return rc;
	names = arena_array(mem, (size_t)most + 1, sizeof(*names));
	struct db_stmt *q = db_prepare(
		d->db, "SELECT address FROM name WHERE account IS NULL", err);
	if (names == NULL || q == NULL)
		return err_set(err, RC_TEMP, "too many aliases to check");
	while (n < most && (rc = db_step(q, err)) == RC_OK)
		if ((rc = arena_copy(mem, db_str(q, 0), &names[n++])) != RC_OK)
			break;
	db_reset(q);
	for (size_t i = 0; (rc == RC_OK || rc == RC_NONE) && i < n; i++) {
		ARENA_AUTO work = arena_new(WORK_BYTES);
		struct found_name found;
		struct err line, why = { 0 };

		rc = sql_expand(d, names[i], work, &found, &why);
		if (rc == RC_BAD) {
			(void)err_set(&line, rc, "directory: %.220s", why.text);
			fn(line.text, arg);
			rc = RC_OK;
		} else if (rc != RC_OK) {
			return err_set(err, rc, "%.220s", why.text);
		}
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
directory_check(struct directory *d, directory_damage_fn *fn, void *arg, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	struct err why = { 0 };
	enum rc rc = db_integrity(d->db, &why);

	if (rc == RC_PERM) {
		struct err line;

		(void)err_set(&line, rc, "directory.db: %.220s", why.text);
		fn(line.text, arg);
		return RC_OK;
	}
	if (rc != RC_OK)
		return err_set(err, rc, "%s", why.text);
	for (const struct rule *r = rules; rc == RC_OK && r->sql != NULL; r++)
		rc = apply_rule(d, r, fn, arg, err);
	return rc == RC_OK ? check_aliases(d, fn, arg, err) : rc;
}
