/* SPDX-License-Identifier: ISC */
/* What pages say about a refusal: no content, no names of rules, no whole address of a recipient. */
#include "base/clock.h"
#include "filter/filter.h"
#include "web/web_guess.h"
#include "web/web_int.h"

enum { KEY = 64, REASONS = 4 };

/* ---- reasons ---- */

static const char *const groups[] = {
#define GROUP(name, clause) #name,
#include "filter/groups.def"
#undef GROUP
};

/* "NAME=2.500(detail) …" as filter_list() writes it: what each group counted, in thousandths. */
static void
count_groups(str findings, uint64_t sums[GROUPS])
{
	str one, name = STR(""), whole = STR("");

	while (str_cut(&findings, ' ', &one)) {
		uint64_t units, thousandths;

		if (!str_cut(&one, '=', &name) || !str_cut(&one, '.', &whole) ||
			!str_u64(whole, 1000000, &units) ||
			!str_u64(str_first(one, 3), 999, &thousandths))
			continue;
		for (size_t i = 0; !str_empty(filter_checks[i]->name); i++)
			if (str_eq(filter_checks[i]->name, name))
				sums[filter_checks[i]->group] += units * 1000 +
								 thousandths;
	}
}

static void
put_reason(struct web_session *s, struct scope *to, const char *group)
{
	struct scope *row = scope_row(to, "reasons");
	char key[2 * KEY], lower[KEY];
	size_t n = 0;
	static const char *const what[] = { "reason", "advice" };

	for (; group[n] != '\0' && n + 1 < sizeof(lower); n++)
		lower[n] = (char)(group[n] >= 'A' && group[n] <= 'Z' ? group[n] + 32
								     : group[n]);
	lower[n] = '\0';
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		(void)snprintf(key, sizeof(key), "%s_%s", what[i], lower);
		scope_say(row, what[i], web_keep(s, str_of(key)));
	}
}

/* Those that counted most, the most first. */
static void
put_reasons(struct web_session *s, struct scope *to, const struct refusal *f)
{
	uint64_t sums[GROUPS] = { 0 };
	size_t n = 0;

	count_groups(f->findings, sums);
	if (f->virus)
		sums[GROUP_VIRUS] = UINT64_MAX;
	for (; n < REASONS; n++) {
		size_t most = 0;

		for (size_t i = 1; i < GROUPS; i++)
			if (sums[i] > sums[most])
				most = i;
		if (sums[most] == 0)
			break;
		put_reason(s, to, groups[most]);
		sums[most] = 0;
	}
	if (n == 0)
		put_reason(s, to, "OTHER");
}

/* ---- domains ---- */

static str
domain_of(str address)
{
	for (size_t i = address.len; i > 0; i--)
		if (address.ptr[i - 1] == '@')
			return str_skip(address, i);
	return STR("");
}

static bool
came_before(const struct refusal *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (str_ieq(domain_of(f->rcpts[i]), domain_of(f->rcpts[n])))
			return true;
	return false;
}

static str
to_domains(struct web_session *s, const struct refusal *f)
{
	enum { MOST = 20 };
	BUF_AUTO b = BUF(WEB_PAGE);

	/* of many, those of the first */
	for (size_t i = 0; i < f->nrcpts && i < MOST; i++) {
		if (came_before(f, i))
			continue;
		buf_addz(&b, b.len > 0 ? ", " : "");
		buf_add(&b, domain_of(f->rcpts[i]));
	}
	return web_keep(s, buf_str(&b));
}

void
web_put_refusal(struct web_session *s, struct scope *to, const struct refusal *f)
{
	struct appeal a = { 0 };
	char name[REFUSAL_NAME];

	refusal_name(f, name);
	if (f->state == REFUSAL_APPEALED &&
		appeals_get(s->house->refusals, f, s->mem, &a, NULL) != RC_OK)
		a.time_ms = 0;
	scope_time(to, "time", f->time_ms);
	scope_set(to, "from_domain", domain_of(f->sender));
	scope_set(to, "to_domain", to_domains(s, f));
	scope_set(to, "reference", web_keep(s, str_of(name)));
	put_reasons(s, to, f);
	scope_flag(to, refusal_state_name(f->state), true);
	scope_flag(to, "held", f->held);
	scope_time(to, "held_until", f->held_until_ms);
	scope_flag(to, "virus", f->virus);
	scope_time(to, "appealed_at", a.time_ms);
	scope_time(to, "decided_at", f->decided_ms);
}

/* ---- tokens ---- */

bool
web_may_guess(struct web_session *s)
{
	uint64_t wait_s = web_guesses_wait(
		s->house->guesses, &s->base.io->peer, s->conf->web.guesses, clock_ms());

	if (wait_s == 0)
		return true;
	s->answer.retry_s = wait_s;
	web_error(s, 429, STR(""));
	return false;
}

void
web_guessed_wrong(struct web_session *s)
{
	web_guesses_add(s->house->guesses, &s->base.io->peer, clock_ms());
	web_error(s, 404, STR(""));
}

bool
web_find_refusal(struct web_session *s, struct refusal *f)
{
	struct err err = { 0 };
	enum rc rc;

	if (!web_may_guess(s))
		return false;
	rc = refusals_by_token(s->house->refusals, s->part, s->mem, f, &err);
	if (rc == RC_NONE)
		web_guessed_wrong(s);
	else if (rc != RC_OK)
		web_failed(s, "a refusal could not be looked up", &err);
	return rc == RC_OK;
}

bool
web_may_appeal(const struct web_session *s, const struct refusal *f)
{
	return f->state == REFUSAL_OPEN && f->held && s->conf->web.appeals > 0;
}
