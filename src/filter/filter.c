/* SPDX-License-Identifier: ISC */
#include "filter/filter.h"

#include "filter/filter_int.h"

/* ---- groups ---- */

static const struct {
	str clause, sentence;
} groups[GROUPS] = {
#define GROUP(name, clause) \
	[GROUP_##name] = { STR_INIT(clause), STR_INIT("this message " clause) },
#include "filter/groups.def"
#undef GROUP
};

str
filter_group_sentence(enum check_group g)
{
	return groups[g].sentence;
}

/* ---- findings ---- */

static void
add(struct findings *f, const struct finding *what, str detail)
{
	memset(f->reasons, 0, sizeof(f->reasons));
	if (f->n == FINDINGS_MOST && !what->decisive)
		return;
	if (f->n == FINDINGS_MOST)
		f->n--;
	struct finding *at = &f->at[f->n++];
	*at = *what;
	if (detail.len > 0 && arena_copy(f->mem, detail, &at->detail) != RC_OK)
		at->detail = STR("");
}

void
finding_add_inside(struct findings *f, const struct check *c, bool inside, str detail)
{
	struct finding new = { c, c->score, c->score == CHECK_DECISIVE, inside, STR("") };

	if (!new.decisive)
		switch (score_setting(f->scores, c->name, &new.score)) {
		case SETTING_NONE:
			new.score = c->score;
			break;
		case SETTING_SCORE:
			break;
		case SETTING_OFF:
			return;
		case SETTING_REFUSE:
			new.score = CHECK_DECISIVE;
			new.decisive = true;
			break;
		}
	add(f, &new, detail);
}

void
finding_add(struct findings *f, const struct check *c, str detail)
{
	finding_add_inside(f, c, false, detail);
}

void
finding_add_score(struct findings *f, const struct check *c, int32_t score, str detail)
{
	struct finding new = { c, score, false, false, STR("") };
	int32_t set;

	if (score_setting(f->scores, c->name, &set) != SETTING_OFF)
		add(f, &new, detail);
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
	f->scores = filter_settings(e)->scores;
	enum rc rc = run_phase(CHECK_CHEAP, e, f, err);

	if (rc != RC_OK || decided(f))
		return rc;
	return run_phase(CHECK_DEAR, e, f, err);
}

/* ---- the verdict ---- */

static int32_t
within_int32(int64_t n)
{
	return n > INT32_MAX ? INT32_MAX : n < INT32_MIN ? INT32_MIN : (int32_t)n;
}

static int32_t
score_of(const struct findings *f)
{
	int64_t sum = 0;

	for (size_t i = 0; i < f->n; i++)
		sum += f->at[i].score;
	return within_int32(sum);
}

/* What speaks against the message: only what is decisive, where something is. */
static void
sum_groups(const struct findings *f, bool decisive, int64_t sums[GROUPS])
{
	memset(sums, 0, GROUPS * sizeof(*sums));
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].decisive || !decisive)
			sums[f->at[i].check->group] += f->at[i].score;
}

static enum check_group
largest(const int64_t sums[GROUPS], enum check_group but)
{
	enum check_group best = GROUPS;

	for (unsigned g = 0; g < GROUPS; g++)
		if (g != but && sums[g] > 0 && (best == GROUPS || sums[g] > sums[best]))
			best = g;
	return best;
}

/* The second group is named too where it counted at least half as much. */
static str
make_reason(struct findings *f, bool decisive)
{
	BUF_AUTO b = BUF(FILTER_REASON);
	int64_t sums[GROUPS];
	str both;

	sum_groups(f, decisive, sums);
	enum check_group first = largest(sums, GROUPS), second;
	if (first == GROUPS)
		return STR("this message was not wanted");
	second = largest(sums, first);
	if (second == GROUPS || sums[second] * 2 < sums[first])
		return groups[first].sentence;
	buf_addf(&b, STR_FMT " and " STR_FMT, STR_ARG(groups[first].sentence),
		STR_ARG(groups[second].clause));
	if (!buf_ok(&b) || arena_copy(f->mem, buf_str(&b), &both) != RC_OK)
		return groups[first].sentence;
	return both;
}

/* Made once for all recipients. */
static str
reason_of(struct findings *f, bool decisive)
{
	if (str_empty(f->reasons[decisive]))
		f->reasons[decisive] = make_reason(f, decisive);
	return f->reasons[decisive];
}

struct verdict
filter_judge(struct findings *f, const struct policy_of *p)
{
	struct verdict v = { .what = VERDICT_DELIVER, .score = score_of(f) };
	bool decisive = decided(f);

	for (size_t i = 0; i < f->n; i++)
		v.groups |= 1u << f->at[i].check->group;
	v.by_score = !decisive && !p->observe && f->n > 0 && v.score >= p->threshold;
	if (decisive || v.by_score) {
		v.what = VERDICT_REFUSE;
		v.reason = reason_of(f, decisive);
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
