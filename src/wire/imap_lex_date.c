/* SPDX-License-Identifier: ISC */
#include "wire/imap_lex_int.h"

enum { DAY_S = 24 * 60 * 60 };

/* `n` digits that are at least `least` and at most `most`. */
static bool
digits(struct imap_lex *x, size_t n, unsigned least, unsigned most, unsigned *out)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (!lex_is_digit(lex_at(x, i)))
			return lex_wanted(x, "a digit");
		v = v * 10 + lex_at(x, i) - '0';
	}
	if (v < least || v > most)
		return lex_wanted(x, "a date that exists");
	*out = v;
	return lex_took(x, n);
}

static bool
month(struct imap_lex *x, unsigned *out)
{
	static const str names[] = { STR_INIT("Jan"), STR_INIT("Feb"), STR_INIT("Mar"),
		STR_INIT("Apr"), STR_INIT("May"), STR_INIT("Jun"), STR_INIT("Jul"),
		STR_INIT("Aug"), STR_INIT("Sep"), STR_INIT("Oct"), STR_INIT("Nov"),
		STR_INIT("Dec") };

	for (unsigned i = 0; i < 12; i++) {
		if (str_istarts(lex_rest(x), names[i])) {
			*out = i + 1;
			return lex_took(x, 3);
		}
	}
	return lex_wanted(x, "a month");
}

static unsigned
month_days(unsigned year, unsigned m)
{
	static const unsigned char days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[m - 1] + (m == 2 && leap ? 1u : 0);
}

/* Days since 1970 in the Gregorian calendar; years begin with March, so that a leap day
 * is a year's last. */
static int64_t
days_of(unsigned year, unsigned m, unsigned day)
{
	int64_t y = (int64_t)year - (m <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400, in_era = y - era * 400;
	int64_t in_year = (153 * ((int64_t)m + (m > 2 ? -3 : 9)) + 2) / 5 + day - 1;

	return era * 146097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719468;
}

/* "1-Feb-1994" */
static bool
date_text(struct imap_lex *x, int64_t *days)
{
	unsigned day, m, year;
	size_t start = x->at;

	if (!digits(x, lex_is_digit(lex_at(x, 1)) ? 2 : 1, 1, 31, &day) ||
		!lex_char(x, '-') || !month(x, &m) || !lex_char(x, '-') ||
		!digits(x, 4, 0, 9999, &year))
		return false;
	if (day > month_days(year, m)) {
		x->at = start;
		return lex_wanted(x, "a date that exists");
	}
	*days = days_of(year, m, day);
	return true;
}

bool
lex_date(struct imap_lex *x, int64_t *days)
{
	size_t start = x->at;
	bool quoted = lex_char(x, '"');
	int64_t d;

	if (!date_text(x, &d) || (quoted && !lex_char(x, '"')))
		return lex_wanted_all(x, start, "a date");
	*days = d;
	return true;
}

/* "21:52:25"; a leap second is the one before it */
static bool
time_of_day(struct imap_lex *x, int64_t *seconds)
{
	unsigned h, m, s;

	if (!digits(x, 2, 0, 23, &h) || !lex_char(x, ':') || !digits(x, 2, 0, 59, &m) ||
		!lex_char(x, ':') || !digits(x, 2, 0, 60, &s))
		return false;
	*seconds = ((int64_t)h * 60 + m) * 60 + (s < 60 ? s : 59);
	return true;
}

/* "-0800": seconds east of Greenwich */
static bool
zone(struct imap_lex *x, int64_t *east)
{
	bool west = lex_peek(x, '-');
	unsigned h, m;

	if (!west && !lex_peek(x, '+'))
		return lex_wanted(x, "a time zone");
	x->at++;
	if (!digits(x, 2, 0, 23, &h) || !digits(x, 2, 0, 59, &m))
		return false;
	*east = ((int64_t)h * 60 + m) * (west ? -60 : 60);
	return true;
}

bool
lex_date_time(struct imap_lex *x, uint64_t *ms)
{
	int64_t days, seconds, east;
	size_t start = x->at;

	if (!lex_char(x, '"'))
		return lex_wanted_all(x, start, "a date and time");
	x->at += lex_peek(x, ' '); /* date-day-fixed */
	if (!date_text(x, &days) || !lex_sp(x) || !time_of_day(x, &seconds) ||
		!lex_sp(x) || !zone(x, &east) || !lex_char(x, '"'))
		return lex_back(x, start);
	seconds += days * DAY_S - east;
	/* older mail than that is told to be from 1970, not refused: people move it here */
	*ms = seconds < 0 ? 0 : (uint64_t)seconds * 1000;
	return true;
}
