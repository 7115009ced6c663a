/* SPDX-License-Identifier: ISC */
/* Accept-Language (RFC 9110 12.5.4). */
#include "wire/http.h"

enum { RANGES = 32, THOUSAND = 1000 };

/* RFC 9110 12.4.2; -1: none. */
static int
quality(str s)
{
	int q = 0, unit = THOUSAND;

	s = str_trim(s);
	if (!str_istarts(s, STR("q=")) || s.len < 3 || s.len > 7 ||
		(s.len > 3 && s.ptr[3] != '.'))
		return -1;
	for (size_t i = 2; i < s.len; i++) {
		if (i == 3)
			continue;
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		q += (s.ptr[i] - '0') * unit;
		unit /= 10;
	}
	return q <= THOUSAND ? q : -1;
}

/* Does `longer` begin with the subtags of `shorter`? */
static bool
is_under(str longer, str shorter)
{
	return shorter.len > 0 && longer.len > shorter.len &&
	       longer.ptr[shorter.len] == '-' && str_istarts(longer, shorter);
}

/* The same, else the longest of which the range is a kind ("de" for "de-AT"), else the
 * first that is a kind of it; n: none. */
static size_t
match(str range, const str offered[], size_t n)
{
	size_t best = n, kind = n;

	if (str_eq(range, STR("*")))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (str_ieq(range, offered[i]))
			return i;
		if (is_under(range, offered[i]) &&
			(best == n || offered[i].len > offered[best].len))
			best = i;
		if (kind == n && is_under(offered[i], range))
			kind = i;
	}
	return best < n ? best : kind;
}

size_t
http_language(str accept, const str offered[], size_t n)
{
	size_t best = 0;
	int best_q = 0;
	str one;

	for (int i = 0; i < RANGES && str_cut(&accept, ',', &one); i++) {
		str range = STR("");
		int q = THOUSAND;

		if (!str_cut(&one, ';', &range))
			continue;
		if (one.len > 0)
			q = quality(one);
		if (q <= best_q)
			continue;
		size_t at = match(str_trim(range), offered, n);
		if (at < n) {
			best = at;
			best_q = q;
		}
	}
	return best;
}
