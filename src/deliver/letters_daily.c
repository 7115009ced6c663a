/* SPDX-License-Identifier: ISC */
/* Whom the daily letters are for. */
#include <stdlib.h>

#include "base/clock.h"
#include "deliver/letters.h"

enum { MEM = 64 * 1024 * 1024, RCPTS_LOOKED_AT = 20 };

struct collecting {
	const struct letters_want *w;
	struct arena *mem, *work;
	uint64_t from_ms, to_ms;
	struct decider *rows;
	size_t n;
};

static enum rc
add(struct collecting *c, const struct refusal *f, uint64_t account, struct err *err)
{
	struct account a;
	enum rc rc = account_by_id(c->w->directory, account, c->work, &a, err);
	struct decider *d = &c->rows[c->n];

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if (c->n == DAILY_ROWS)
		return RC_OK;
	*d = (struct decider){ .id = f->id, .n = f->n, .role = DECIDER_RECIPIENT };
	if (arena_copy(c->mem, a.address, &d->address) != RC_OK)
		return err_set(err, RC_LIMIT, "too many refusals for one day's letters");
	c->n++;
	return RC_OK;
}

static enum rc
add_rcpt(struct collecting *c, const struct refusal *f, str rcpt, struct err *err)
{
	struct ask_answer a = { .ntargets = 0 };
	struct policy p;
	enum rc rc = policy_for(c->w->directory, rcpt, &p, err);

	if (rc == RC_NONE || (rc == RC_OK && !p.daily))
		return RC_OK;
	if (rc == RC_OK)
		rc = directory_resolve(
			c->w->directory, rcpt, NULL, NULL, c->work, &a, err);
	for (size_t i = 0; i < a.ntargets && rc == RC_OK; i++)
		rc = add(c, f, a.targets[i], err);
	return rc;
}

/* Newest first: what is too old ends it (RC_NONE). */
static enum rc
on_refusal(const struct refusal *f, void *arg, struct err *err)
{
	struct collecting *c = arg;
	enum rc rc = RC_OK;

	if (f->time_ms <= c->from_ms || c->n == DAILY_ROWS)
		return RC_NONE;
	if (f->time_ms > c->to_ms || f->state == REFUSAL_RELEASED)
		return RC_OK;
	arena_reset(c->work);
	for (size_t i = 0; i < f->nrcpts && i < RCPTS_LOOKED_AT && rc == RC_OK; i++)
		rc = add_rcpt(c, f, f->rcpts[i], err);
	return rc;
}

enum rc
letters_daily(const struct letters_want *w, struct err *err)
{
	struct collecting c = { .w = w };
	enum rc rc = letters_daily_due(
		w->refusals, clock_wall_ms(), &c.from_ms, &c.to_ms, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	ARENA_AUTO mem = arena_new(MEM);
	ARENA_AUTO work = arena_new(MEM);
	c.mem = mem;
	c.work = work;
	c.rows = calloc(DAILY_ROWS + 1, sizeof(*c.rows));
	if (c.rows == NULL)
		abort();
	rc = refusals_each(w->refusals, 0, on_refusal, &c, err);
	if (rc == RC_OK || rc == RC_NONE)
		rc = letters_daily_put(w->refusals, c.rows, c.n, c.to_ms, err);
	free(c.rows);
	return rc;
}
