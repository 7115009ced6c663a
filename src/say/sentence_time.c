/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "say/say_int.h"

struct moment {
	struct tm tm;
	char day[12], year[24], clock[12];
	str month;
};

static str
month_name(const struct sentences *s, unsigned language, int number)
{
	str left = sentence(s, language, STR("months")), word;

	while (str_cut(&left, ' ', &word))
		if (word.len > 0 && number-- == 0)
			return word;
	return STR("");
}

static str
part_of(const struct moment *m, str name)
{
	if (str_eq(name, STR("day")))
		return str_of(m->day);
	if (str_eq(name, STR("month")))
		return m->month;
	if (str_eq(name, STR("year")))
		return str_of(m->year);
	return str_eq(name, STR("clock")) ? str_of(m->clock) : STR("");
}

static void
say(const struct sentences *s, unsigned language, str key, uint64_t wall_ms,
	struct buf *out)
{
	/* the year 9999 is enough, and gmtime_r() can do it */
	time_t t = (time_t)(wall_ms / 1000 < 253402300799 ? wall_ms / 1000
							  : 253402300799);
	str text = sentence(s, language, key);
	struct moment m = { 0 };
	struct piece p;

	(void)gmtime_r(&t, &m.tm);
	m.month = month_name(s, language, m.tm.tm_mon);
	(void)snprintf(m.year, sizeof(m.year), "%d", m.tm.tm_year + 1900);
	(void)snprintf(m.clock, sizeof(m.clock), "%02d:%02d", m.tm.tm_hour % 24,
		m.tm.tm_min % 60);
	(void)snprintf(m.day, sizeof(m.day), "%d", m.tm.tm_mday);
	while (piece_next(&text, &p, NULL) == RC_OK) {
		if (p.kind == PIECE_TEXT)
			buf_add(out, p.text);
		else if (m.tm.tm_mday == 1 && str_eq(p.text, STR("day")))
			buf_add(out, sentence(s, language, STR("first_day")));
		else
			buf_add(out, part_of(&m, p.text));
	}
}

void
sentence_time(
	const struct sentences *s, unsigned language, uint64_t wall_ms, struct buf *out)
{
	say(s, language, STR("date_time"), wall_ms, out);
}

void
sentence_day(
	const struct sentences *s, unsigned language, uint64_t wall_ms, struct buf *out)
{
	say(s, language, STR("date_day"), wall_ms, out);
}
