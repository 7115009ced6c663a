/* SPDX-License-Identifier: ISC */
#include "wire/imap_put.h"

#include "wire/imap_lex_int.h"
#include "wire/imap_structure.h"

enum { DAY_MS = 24 * 60 * 60 * 1000, DAYS_MOST = 2932896 /* 31-Dec-9999 */ };

static bool
is_atom(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!lex_is_astring((unsigned char)s.ptr[i]))
			return false;
	/* as an astring it would be right, but who reads it may think of nstring */
	return s.len > 0 && !str_ieq(s, STR("NIL"));
}

void
imap_put_astring(struct buf *b, str s)
{
	if (is_atom(s))
		buf_add(b, s);
	else
		imap_put_string(b, s);
}

void
imap_put_flags(struct buf *b, unsigned flags, bool recent, str keywords)
{
	static const struct {
		unsigned flag;
		str name;
	} names[] = {
		{ IMAP_ANSWERED, STR_INIT("\\Answered ") },
		{ IMAP_FLAGGED, STR_INIT("\\Flagged ") },
		{ IMAP_DELETED, STR_INIT("\\Deleted ") },
		{ IMAP_SEEN, STR_INIT("\\Seen ") },
		{ IMAP_DRAFT, STR_INIT("\\Draft ") },
	};
	char text[64];
	size_t n = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if ((flags & names[i].flag) != 0) {
			memcpy(text + n, names[i].name.ptr, names[i].name.len);
			n += names[i].name.len;
		}
	}
	if (recent) {
		memcpy(text + n, "\\Recent ", 8);
		n += 8;
	}
	buf_addc(b, '(');
	buf_add(b, (str){ text, n > 0 && keywords.len == 0 ? n - 1 : n });
	buf_add(b, keywords);
	buf_addc(b, ')');
}

static void
put_two(char *at, unsigned n)
{
	at[0] = (char)('0' + n / 10 % 10);
	at[1] = (char)('0' + n % 10);
}

/* Of the Gregorian calendar; years begin with March, so that a leap day is a year's last. */
static unsigned
civil(uint64_t days, unsigned *month, unsigned *day)
{
	uint64_t since = days + 719468, era = since / 146097, in_era = since % 146097;
	uint64_t years = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) /
			 365;
	uint64_t in_year = in_era - (365 * years + years / 4 - years / 100);
	uint64_t march = (5 * in_year + 2) / 153;

	*day = (unsigned)(in_year - (153 * march + 2) / 5 + 1);
	*month = (unsigned)(march < 10 ? march + 3 : march - 9);
	return (unsigned)(years + era * 400 + (*month <= 2));
}

void
imap_put_date_time(struct buf *b, uint64_t ms)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	char text[] = "\"17-Jul-1996 02:44:25 +0000\"";
	unsigned month, day, in_day;

	if (ms / DAY_MS > DAYS_MOST) /* date-year has four digits */
		ms = (uint64_t)DAYS_MOST * DAY_MS;
	in_day = (unsigned)(ms % DAY_MS / 1000);
	unsigned year = civil(ms / DAY_MS, &month, &day);
	put_two(text + 1, day);
	memcpy(text + 4, months + 3 * (size_t)(month - 1), 3);
	put_two(text + 8, year / 100);
	put_two(text + 10, year);
	put_two(text + 13, in_day / 3600);
	put_two(text + 16, in_day / 60 % 60);
	put_two(text + 19, in_day % 60);
	buf_add(b, (str){ text, sizeof(text) - 1 });
}
