/* SPDX-License-Identifier: ISC */
#include "mime/date.h"

enum { TOKENS_MOST = 32, UNSET = -1, TIDY = 256 };

struct moment {
	int day, month, year, hour, minute, second;
	int zone; /* minutes east of UTC */
	bool has_zone, afternoon, forenoon;
};

static const str months[] = { STR_INIT("jan"), STR_INIT("feb"), STR_INIT("mar"),
	STR_INIT("apr"), STR_INIT("may"), STR_INIT("jun"), STR_INIT("jul"),
	STR_INIT("aug"), STR_INIT("sep"), STR_INIT("oct"), STR_INIT("nov"),
	STR_INIT("dec") };

/* RFC 5322 4.3; other letters mean that nothing is known: UTC. */
static const struct zone {
	str name;
	int hours;
} zones[] = {
	{ STR_INIT("EST"), -5 },
	{ STR_INIT("EDT"), -4 },
	{ STR_INIT("CST"), -6 },
	{ STR_INIT("CDT"), -5 },
	{ STR_INIT("MST"), -7 },
	{ STR_INIT("MDT"), -6 },
	{ STR_INIT("PST"), -8 },
	{ STR_INIT("PDT"), -7 },
	{ STR_INIT("CET"), 1 },
	{ STR_INIT("CEST"), 2 },
	{ STR_INIT("MEZ"), 1 },
	{ STR_INIT("MESZ"), 2 },
	{ STR_INIT("JST"), 9 },
};

static bool
digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Takes the number at the front; false when there is none or it is too long. */
static bool
number(str *s, size_t most_digits, int *out)
{
	size_t n = 0;
	uint64_t v;

	while (n < s->len && digit(s->ptr[n]))
		n++;
	if (n == 0 || n > most_digits || !str_u64(str_first(*s, n), 999999, &v))
		return false;
	*out = (int)v;
	*s = str_skip(*s, n);
	return true;
}

static bool
take(str *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = str_skip(*s, 1);
	return true;
}

/* Without comments, and without the blanks that obsolete syntax allows around
 * a time's colons (RFC 5322 4.3).  What does not fit is no date's matter. */
static str
tidy(str value, char out[TIDY])
{
	size_t n = 0, depth = 0;

	for (size_t i = 0; i < value.len && n < TIDY; i++) {
		char c = value.ptr[i];

		if (c == '(' || (c == ')' && depth > 0)) {
			depth += c == '(' ? 1 : (size_t)-1;
			c = ' ';
		} else if (depth > 0) {
			i += c == '\\';
			continue;
		}
		if (c == '\t')
			c = ' ';
		if (c == ' ' && (n == 0 || out[n - 1] == ' ' || out[n - 1] == ':'))
			continue;
		if (c == ':' && n > 0 && out[n - 1] == ' ')
			n--;
		out[n++] = c;
	}
	return str_trim((str){ out, n });
}

/* The next token: a run of letters, or of digits with a sign and colons. */
static bool
next_token(str *s, str *token)
{
	size_t n = 0;

	while (s->len > 0 && !digit(s->ptr[0]) && !letter(s->ptr[0]) &&
		s->ptr[0] != '+' && s->ptr[0] != '-')
		*s = str_skip(*s, 1);
	if (s->len == 0)
		return false;
	if (letter(s->ptr[0]))
		while (n < s->len && letter(s->ptr[n]))
			n++;
	else
		for (n = 1; n < s->len && (digit(s->ptr[n]) || s->ptr[n] == ':');)
			n++;
	*token = str_first(*s, n);
	*s = str_skip(*s, n);
	return true;
}

static bool
clock_time(str t, struct moment *m)
{
	if (m->hour != UNSET || !number(&t, 2, &m->hour) || !take(&t, ':') ||
		!number(&t, 2, &m->minute))
		return false;
	m->second = 0;
	if (take(&t, ':') && !number(&t, 2, &m->second))
		return false;
	return t.len == 0;
}

/* "+0130", "-05:00", "+9"; RFC 5322 3.3: any hours, minutes below 60. */
static bool
offset_zone(str t, struct moment *m)
{
	int sign = t.ptr[0] == '-' ? -1 : 1, hours, minutes = 0;

	t = str_skip(t, 1);
	size_t digits = t.len;
	if (!number(&t, 4, &hours))
		return false;
	if (take(&t, ':')) {
		if (!number(&t, 2, &minutes))
			return false;
	} else if (digits > 2) {
		minutes = hours % 100;
		hours /= 100;
	}
	if (t.len > 0 || minutes > 59)
		return false;
	m->zone = sign * (hours * 60 + minutes);
	m->has_zone = true;
	return true;
}

static void
word(str t, struct moment *m)
{
	for (int i = 0; i < 12; i++)
		if (m->month == UNSET && str_istarts(t, months[i])) {
			m->month = i + 1;
			return;
		}
	m->afternoon |= str_ieq(t, STR("PM"));
	m->forenoon |= str_ieq(t, STR("AM"));
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]) && !m->has_zone; i++)
		if (str_ieq(t, zones[i].name)) {
			m->zone = zones[i].hours * 60;
			m->has_zone = true;
		}
}

/* RFC 5322 4.3 */
static int
whole_year(int y, size_t digits)
{
	if (digits <= 2)
		return y < 50 ? y + 2000 : y + 1900;
	return digits == 3 ? y + 1900 : y;
}

static bool
plain_number(str t, struct moment *m)
{
	size_t digits = t.len;
	int v;

	/* A fraction of a second, and what else people append. */
	if (m->day != UNSET && m->month != UNSET && m->year != UNSET)
		return m->hour != UNSET;
	if (!number(&t, 4, &v) || t.len > 0)
		return false;
	if (digits == 4 && m->year == UNSET)
		m->year = v;
	else if (m->day == UNSET && digits <= 2)
		m->day = v;
	else if (m->month == UNSET && digits <= 2)
		m->month = v;
	else if (m->year == UNSET)
		m->year = whole_year(v, digits);
	else
		return false;
	return true;
}

/* 2020-01-02: the year first, so the month before the day. */
static bool
iso_date(str *s, struct moment *m)
{
	str t = str_trim(*s);

	if (!(number(&t, 4, &m->year) && m->year > 31 && take(&t, '-') &&
		    number(&t, 2, &m->month) && take(&t, '-') &&
		    number(&t, 2, &m->day))) {
		m->year = m->month = m->day = UNSET;
		return false;
	}
	*s = t;
	return true;
}

static bool
token(str t, struct moment *m)
{
	bool sign = t.ptr[0] == '+' || t.ptr[0] == '-';

	if (letter(t.ptr[0])) {
		word(t, m);
		return true;
	}
	/* A zone follows the time; before it a hyphen is only one ("1-Jan-2020"). */
	if (sign && m->hour != UNSET && t.len > 1)
		return m->has_zone || offset_zone(t, m);
	if (sign)
		t = str_skip(t, 1);
	if (t.len == 0)
		return true;
	if (memchr(t.ptr, ':', t.len) != NULL)
		return clock_time(t, m);
	return plain_number(t, m);
}

static int
days_in(int month, int year)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap ? 1 : 0);
}

/* Days from 1970-01-01, in the Gregorian calendar for all years. */
static int64_t
days_from_epoch(int64_t y, int m, int d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static enum rc
to_seconds(struct moment *m, int64_t *out)
{
	if (m->day == UNSET || m->month < 1 || m->month > 12 || m->year == UNSET)
		return RC_BAD;
	if (m->hour == UNSET)
		m->hour = m->minute = m->second = 0;
	if (m->afternoon && m->hour < 12)
		m->hour += 12;
	if (m->forenoon && m->hour == 12)
		m->hour = 0;
	if (m->day < 1 || m->day > days_in(m->month, m->year) || m->hour > 23 ||
		m->minute > 59 || m->second > 60)
		return RC_BAD;
	int64_t s = days_from_epoch(m->year, m->month, m->day) * 86400 + m->hour * 3600 +
		    m->minute * 60 + m->second - (int64_t)m->zone * 60;
	/* A zone must not carry it out of the years that can be written. */
	if (s < days_from_epoch(0, 1, 1) * 86400 ||
		s >= days_from_epoch(10000, 1, 1) * 86400)
		return RC_BAD;
	*out = s;
	return RC_OK;
}

static enum rc
read_date(str value, struct moment *m, int64_t *seconds)
{
	char text[TIDY];
	str t;

	*m = (struct moment){ UNSET, UNSET, UNSET, UNSET, UNSET, UNSET };
	value = tidy(value, text);
	(void)iso_date(&value, m);
	for (size_t i = 0; next_token(&value, &t); i++)
		if (i == TOKENS_MOST || !token(t, m))
			return RC_BAD;
	return to_seconds(m, seconds);
}

enum rc
mail_date_parse(str value, int64_t *seconds)
{
	struct moment m;

	return read_date(value, &m, seconds);
}

enum rc
mail_date_day(str value, int64_t *days)
{
	struct moment m;
	int64_t seconds;
	enum rc rc = read_date(value, &m, &seconds);

	if (rc == RC_OK)
		*days = days_from_epoch(m.year, m.month, m.day);
	return rc;
}
