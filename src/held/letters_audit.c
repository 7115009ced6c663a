/* SPDX-License-Identifier: ISC */
/* What must be true of appeals and letters. */
#include "held/letters.h"
#include "held/refusals_int.h"

enum { HOUR_MS = 3600 * 1000, DAY_MS = 24 * HOUR_MS, TEXT = 64 * 1024 };

/* Two columns for its sentence: before A middle B after.  after_ms: of what is older than
 * that, where a server runs. */
static const struct {
	const char *sql, *before, *middle, *after;
	uint64_t after_ms;
} rules[] = {
	{ "SELECT a.id || '.' || a.n, '' FROM appeal a WHERE NOT EXISTS (SELECT 1 FROM refusal "
	  "f WHERE f.id = a.id AND f.n = a.n)",
		"there is an appeal about refusal ", ", and no such refusal", "", 0 },
	{ "SELECT a.id || '.' || a.n, '' FROM appeal a JOIN refusal f ON f.id = a.id AND "
	  "f.n = a.n WHERE f.state = 1",
		"there is an appeal about refusal ", ", which says that it is open", "",
		0 },
	{ "SELECT f.id || '.' || f.n, '' FROM refusal f WHERE f.state = 2 AND NOT EXISTS "
	  "(SELECT 1 FROM appeal a WHERE a.id = f.id AND a.n = f.n)",
		"refusal ", " was appealed, and the appeal is missing", "", 0 },
	{ "SELECT o.id || '.' || o.n, o.letter FROM letter_about o WHERE o.letter <> '' AND "
	  "NOT EXISTS (SELECT 1 FROM letter l WHERE l.message = o.letter)",
		"refusal ", " is told of by letter ", ", which does not exist", 0 },
	{ "SELECT message, address FROM letter WHERE done = 0 AND made_ms < ?", "letter ",
		" to ",
		" was begun more than an hour ago and is not there; the log may say why",
		HOUR_MS },
	{ "SELECT id || '.' || n, address FROM letter_about WHERE letter = '' AND kind = 1 AND "
	  "time_ms < ?",
		"refusal ", " was appealed more than a day ago, and no letter to ",
		" tells of it", DAY_MS },
};

static enum rc
check(struct refusals *r, size_t i, uint64_t wall_ms, struct buf *found, struct err *err)
{
	uint64_t after_ms = rules[i].after_ms;

	PREPARE(q, r->db, rules[i].sql, err);
	enum rc rc;

	if (after_ms > 0)
		db_bind_u64(q, 1, wall_ms > after_ms ? wall_ms - after_ms : 0);
	while ((rc = db_step(q, err)) == RC_OK) {
		str a = db_str(q, 0), b = db_str(q, 1);

		buf_addf(found, "%s" STR_FMT "%s" STR_FMT "%s\n", rules[i].before,
			STR_ARG(a), rules[i].middle, STR_ARG(b), rules[i].after);
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
letters_audit(struct refusals *r, uint64_t wall_ms, bool running,
	void (*breach)(str sentence, void *arg), void *arg, struct err *err)
{
	BUF_AUTO found = BUF(TEXT);
	enum rc rc = RC_OK;
	str left, line;
	{
		LOCK_AUTO held = lock_take(&r->lock);

		for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]) && rc == RC_OK;
			i++)
			if (running || rules[i].after_ms == 0)
				rc = check(r, i, wall_ms, &found, err);
	}
	/* of more than fit there is a first one */
	left = buf_str(&found);
	while (rc == RC_OK && str_cut(&left, '\n', &line))
		if (line.len > 0)
			breach(line, arg);
	if (rc == RC_OK && !buf_ok(&found))
		breach(STR("more is wrong with appeals and letters than fits here"), arg);
	return rc;
}
