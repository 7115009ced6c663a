/* SPDX-License-Identifier: ISC */
/* Which form of a word goes with a number: Unicode CLDR's rules for whole numbers, of languages
 * that have few.  A further rule is a function and a row. */
#include "say/say_int.h"

static size_t
never(uint64_t n)
{
	(void)n;
	return 0;
}

static size_t
one(uint64_t n)
{
	return n != 1;
}

static size_t
zero_one(uint64_t n)
{
	return n > 1;
}

static bool
few(uint64_t n)
{
	return n % 10 >= 2 && n % 10 <= 4 && (n % 100 < 12 || n % 100 > 14);
}

static size_t
east_slavic(uint64_t n)
{
	if (n % 10 == 1 && n % 100 != 11)
		return 0;
	return few(n) ? 1 : 2;
}

static size_t
polish(uint64_t n)
{
	if (n == 1)
		return 0;
	return few(n) ? 1 : 2;
}

static size_t
czech(uint64_t n)
{
	if (n == 1)
		return 0;
	return n >= 2 && n <= 4 ? 1 : 2;
}

static const struct plural {
	str name;
	size_t forms;
	size_t (*pick)(uint64_t n);
} plurals[] = {
	{ STR_INIT("never"), 1, never },
	{ STR_INIT("one"), 2, one },
	{ STR_INIT("zero_one"), 2, zero_one },
	{ STR_INIT("east_slavic"), 3, east_slavic },
	{ STR_INIT("polish"), 3, polish },
	{ STR_INIT("czech"), 3, czech },
};

bool
plural_find(str name, unsigned *rule)
{
	for (unsigned i = 0; i < sizeof(plurals) / sizeof(plurals[0]); i++) {
		if (!str_eq(plurals[i].name, name))
			continue;
		*rule = i;
		return true;
	}
	return false;
}

size_t
plural_forms(unsigned rule)
{
	return plurals[rule].forms;
}

size_t
plural_pick(unsigned rule, uint64_t n)
{
	return plurals[rule].pick(n);
}
