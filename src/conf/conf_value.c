/* SPDX-License-Identifier: ISC */
#include "conf/conf_int.h"

#include <inttypes.h>

struct suffix {
	const char *text;
	uint64_t times;
};

/* Largest last: printing takes the largest that divides. */
static const struct suffix sizes[] = {
	{ "", 1 },
	{ "K", 1ull << 10 },
	{ "M", 1ull << 20 },
	{ "G", 1ull << 30 },
	{ "T", 1ull << 40 },
	{ NULL, 0 },
};

static const struct suffix times[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "m", 60000 },
	{ "h", 3600000 },
	{ "d", 86400000 },
	{ "w", 604800000 },
	{ NULL, 0 },
};

/* "50M": digits and a suffix of the table; `bare` is what no suffix means. */
static bool
read_suffixed(str s, const struct suffix *table, uint64_t bare, uint64_t *out)
{
	size_t digits = 0;
	uint64_t n, by = bare;

	while (digits < s.len && s.ptr[digits] >= '0' && s.ptr[digits] <= '9')
		digits++;
	if (!str_u64(str_first(s, digits), UINT64_MAX, &n))
		return false;
	str tail = str_trim(str_skip(s, digits));
	if (!str_empty(tail)) {
		while (table->text != NULL && !str_ieq(tail, str_of(table->text)))
			table++;
		if (table->text == NULL)
			return false;
		by = table->times;
	}
	return !__builtin_mul_overflow(n, by, out);
}

static void
put_suffixed(const struct suffix *table, uint64_t n, struct buf *out)
{
	const struct suffix *best = table;

	for (; n != 0 && table->text != NULL; table++)
		if (n % table->times == 0)
			best = table;
	buf_addf(out, "%" PRIu64 "%s", n / best->times, best->text);
}

/* "5", "5.25", "-0.001": at most three digits after the point. */
static bool
read_fix(str s, int64_t *out)
{
	bool minus = s.len > 0 && s.ptr[0] == '-';
	str rest = minus ? str_skip(s, 1) : s, whole = { 0 };
	uint64_t n, part = 0;

	(void)str_cut(&rest, '.', &whole);
	if (!str_u64(whole, 1000000, &n) || rest.len > 3)
		return false;
	if (!str_empty(rest) && !str_u64(rest, 999, &part))
		return false;
	for (size_t i = rest.len; i < 3; i++)
		part *= 10;
	*out = (int64_t)(n * 1000 + part) * (minus ? -1 : 1);
	return true;
}

static bool
read_word(const struct conf_row *row, str s, unsigned *out)
{
	for (unsigned i = 0; i < CONF_WORDS && row->words[i] != NULL; i++) {
		if (str_eq(s, str_of(row->words[i]))) {
			*out = i;
			return true;
		}
	}
	return false;
}

static bool
within(const struct conf_row *row, uint64_t n)
{
	return n >= row->min && n <= row->max * (row->type == TYPE_secs ? 1000 : 1);
}

static void *
place(const struct conf_row *row, struct conf *c)
{
	return (char *)c + row->offset;
}

static const void *
place_of(const struct conf_row *row, const struct conf *c)
{
	return (const char *)c + row->offset;
}

static bool
read_number(const struct conf_row *row, str value, uint64_t *out)
{
	if (row->type == TYPE_num)
		return str_u64(value, UINT64_MAX, out);
	if (row->type == TYPE_size)
		return read_suffixed(value, sizes, 1, out);
	return read_suffixed(value, times, 1000, out);
}

static bool
set(const struct conf_row *row, str value, struct conf *c)
{
	uint64_t n;
	int64_t fix;
	void *at = place(row, c);

	switch (row->type) {
	case TYPE_str:
		*(conf_str *)at = value;
		return value.len >= row->min && value.len <= row->max;
	case TYPE_num:
	case TYPE_size:
	case TYPE_secs:
		if (!read_number(row, value, &n) || !within(row, n))
			return false;
		*(uint64_t *)at = n;
		return true;
	case TYPE_fix:
		if (!read_fix(value, &fix) || fix < (int64_t)row->min ||
			fix > (int64_t)row->max)
			return false;
		*(conf_fix *)at = (conf_fix)fix;
		return true;
	case TYPE_flag:
		*(conf_flag *)at = str_eq(value, STR("yes"));
		return *(conf_flag *)at || str_eq(value, STR("no"));
	case TYPE_word:
		return read_word(row, value, at);
	}
	return false;
}

enum rc
conf_value_set(const struct conf_row *row, str value, struct conf *c, struct err *err)
{
	BUF_AUTO kind = BUF(400);

	if (set(row, value, c))
		return RC_OK;
	conf_value_kind(row, &kind);
	return err_set(err, RC_BAD, "%s = \"%.60s\" is not %s", row->name,
		value.len == 0 ? "" : value.ptr, buf_z(&kind));
}

void
conf_value_put(const struct conf_row *row, const struct conf *c, struct buf *out)
{
	const void *at = place_of(row, c);
	int64_t fix;

	switch (row->type) {
	case TYPE_str:
		buf_add(out, *(const conf_str *)at);
		break;
	case TYPE_num:
		buf_addf(out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case TYPE_size:
		put_suffixed(sizes, *(const uint64_t *)at, out);
		break;
	case TYPE_secs:
		put_suffixed(times, *(const uint64_t *)at, out);
		break;
	case TYPE_fix:
		fix = *(const conf_fix *)at;
		buf_addf(out, "%s%" PRId64 ".%03" PRId64, fix < 0 ? "-" : "",
			(fix < 0 ? -fix : fix) / 1000, (fix < 0 ? -fix : fix) % 1000);
		break;
	case TYPE_flag:
		buf_addz(out, *(const conf_flag *)at ? "yes" : "no");
		break;
	case TYPE_word:
		buf_addz(out, row->words[*(const conf_word *)at]);
		break;
	}
}

static void
put_words(const struct conf_row *row, struct buf *out)
{
	for (unsigned i = 0; i < CONF_WORDS && row->words[i] != NULL; i++)
		buf_addf(out, "%s%s", i == 0 ? "" : " | ", row->words[i]);
}

void
conf_value_kind(const struct conf_row *row, struct buf *out)
{
	switch (row->type) {
	case TYPE_str:
		buf_addf(out, "text of at most %" PRIu64 " bytes", row->max);
		break;
	case TYPE_num:
		buf_addf(
			out, "a number from %" PRIu64 " to %" PRIu64, row->min, row->max);
		break;
	case TYPE_size:
		buf_addz(out, "bytes (suffix K M G T) from ");
		put_suffixed(sizes, row->min, out);
		buf_addz(out, " to ");
		put_suffixed(sizes, row->max, out);
		break;
	case TYPE_secs:
		buf_addz(out, "a time (suffix ms s m h d w) from ");
		put_suffixed(times, row->min, out);
		buf_addz(out, " to ");
		put_suffixed(times, row->max * 1000, out);
		break;
	case TYPE_fix:
		buf_addf(out, "a number with a point from %" PRIu64 " to %" PRIu64,
			row->min / 1000, row->max / 1000);
		break;
	case TYPE_flag:
		buf_addz(out, "yes | no");
		break;
	case TYPE_word:
		put_words(row, out);
		break;
	}
}
