/* SPDX-License-Identifier: ISC */
#include "filter/said.h"

#include "filter/filter.h"

enum { KEY = 64, REASONS = 4, DOMAINS_MOST = 20, DOMAINS_TEXT = 8192 };

static const char *const groups[] = {
#define GROUP(name, clause) #name,
#include "filter/groups.def"
#undef GROUP
};

static str
keep(struct arena *mem, str s)
{
	str out;

	return arena_copy(mem, s, &out) == RC_OK ? out : STR("");
}

/* ---- reasons ---- */

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
put_reason(struct scope *to, struct arena *mem, const char *group)
{
	static const char *const what[] = { "reason", "advice" };
	struct scope *row = scope_row(to, "reasons");
	char key[2 * KEY], lower[KEY];
	size_t n = 0;

	for (; group[n] != '\0' && n + 1 < sizeof(lower); n++)
		lower[n] = (char)(group[n] >= 'A' && group[n] <= 'Z' ? group[n] + 32
								     : group[n]);
	lower[n] = '\0';
	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		(void)snprintf(key, sizeof(key), "%s_%s", what[i], lower);
		scope_say(row, what[i], keep(mem, str_of(key)));
	}
}

/* Those that counted most, the most first. */
static void
put_reasons(struct scope *to, struct arena *mem, const struct refusal *f)
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
		put_reason(to, mem, groups[most]);
		sums[most] = 0;
	}
	if (n == 0)
		put_reason(to, mem, "OTHER");
}

/* ---- domains ---- */

str
said_domain(str address)
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
		if (str_ieq(said_domain(f->rcpts[i]), said_domain(f->rcpts[n])))
			return true;
	return false;
}

/* Of many, those of the first. */
static str
to_domains(struct arena *mem, const struct refusal *f)
{
	BUF_AUTO b = BUF(DOMAINS_TEXT);

	for (size_t i = 0; i < f->nrcpts && i < DOMAINS_MOST; i++) {
		if (came_before(f, i))
			continue;
		buf_addz(&b, b.len > 0 ? ", " : "");
		buf_add(&b, said_domain(f->rcpts[i]));
	}
	return keep(mem, buf_str(&b));
}

void
said_refusal(struct scope *to, struct arena *mem, const struct refusal *f)
{
	char name[REFUSAL_NAME];

	refusal_name(f, name);
	scope_time(to, "time", f->time_ms);
	scope_set(to, "from_domain", said_domain(f->sender));
	scope_set(to, "to_domain", to_domains(mem, f));
	scope_set(to, "reference", keep(mem, str_of(name)));
	put_reasons(to, mem, f);
	scope_flag(to, refusal_state_name(f->state), true);
	scope_flag(to, "held", f->held);
	scope_time(to, "held_until", f->held_until_ms);
	scope_flag(to, "virus", f->virus);
	scope_time(to, "decided_at", f->decided_ms);
}
