/* SPDX-License-Identifier: ISC */
#include "filter/filter.h"

void
finding_add(
	struct findings *f, const struct check *c, bool decisive, str reason, str detail)
{
	struct finding add = { c, c->score, decisive, reason, STR("") };

	if (f->n == FINDINGS_MOST && !decisive)
		return;
	if (f->n == FINDINGS_MOST)
		f->n--;
	if (detail.len > 0 && arena_copy(f->mem, detail, &add.detail) != RC_OK)
		add.detail = STR("");
	f->at[f->n++] = add;
}

static bool
decided(const struct findings *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].decisive)
			return true;
	return false;
}

static enum rc
run_phase(enum check_phase phase, const struct evidence *e, struct findings *f,
	struct err *err)
{
	for (size_t i = 0; filter_checks[i]->name.len > 0; i++) {
		const struct check *c = filter_checks[i];
		enum rc rc;

		if (c->phase != phase || c->run == NULL)
			continue;
		rc = c->run(c, e, f, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
filter_look(const struct evidence *e, struct findings *f, struct err *err)
{
	enum rc rc = run_phase(CHECK_CHEAP, e, f, err);

	if (rc != RC_OK || decided(f))
		return rc;
	return run_phase(CHECK_DEAR, e, f, err);
}

static const struct finding *
strongest(const struct findings *f, bool decisive)
{
	const struct finding *best = NULL;

	for (size_t i = 0; i < f->n; i++)
		if ((f->at[i].decisive || !decisive) &&
			(best == NULL || f->at[i].score > best->score))
			best = &f->at[i];
	return best;
}

static int32_t
score_of(const struct findings *f)
{
	int64_t sum = 0;

	for (size_t i = 0; i < f->n; i++)
		sum += f->at[i].score;
	return sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : (int32_t)sum;
}

struct verdict
filter_judge(const struct findings *f, const struct policy_of *p)
{
	struct verdict v = { .what = VERDICT_DELIVER, .score = score_of(f) };
	const struct finding *why = NULL;

	if (decided(f)) {
		why = strongest(f, true);
	} else if (!p->observe && f->n > 0 && v.score >= p->threshold) {
		v.by_score = true;
		why = strongest(f, false);
	}
	if (why != NULL) {
		v.what = VERDICT_REFUSE;
		v.reason = why->reason;
	}
	return v;
}

void
filter_list(const struct findings *f, struct buf *out)
{
	for (size_t i = 0; i < f->n; i++) {
		const struct finding *at = &f->at[i];
		int64_t n = at->score;

		buf_addf(out, "%s" STR_FMT "=%s%lld.%03lld", i > 0 ? " " : "",
			STR_ARG(at->check->name), n < 0 ? "-" : "",
			(long long)((n < 0 ? -n : n) / 1000),
			(long long)((n < 0 ? -n : n) % 1000));
		if (at->detail.len > 0)
			buf_addf(out, "(" STR_FMT ")", STR_ARG(at->detail));
	}
}
