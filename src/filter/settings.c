/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "filter/filter_int.h"

static const struct conf_filter filter_defaults = {
#define CONF(name, type, standard, ...) .name = CONF_DEFAULT_##type(standard),
#define CONF_DEFAULT_str(text)          STR_INIT(text)
#define CONF_DEFAULT_num(text)          0
#include "conf/filter.def"
#undef CONF
};

const struct conf_filter *
filter_settings(const struct evidence *e)
{
	return e->conf != NULL ? &e->conf->filter : &filter_defaults;
}

str
family_settings(const struct evidence *e)
{
	return e->conf != NULL ? e->conf->clamav.families : STR("");
}

/* "5", "5.25", "-0.001" */
static bool
read_score(str s, int32_t *out)
{
	bool minus = s.len > 0 && s.ptr[0] == '-';
	str rest = minus ? str_skip(s, 1) : s, whole = { 0 };
	uint64_t n, part = 0;

	(void)str_cut(&rest, '.', &whole);
	if (!str_u64(whole, 1000, &n) || rest.len > 3 ||
		(rest.len > 0 && !str_u64(rest, 999, &part)))
		return false;
	for (size_t i = rest.len; i < 3; i++)
		part *= 10;
	int32_t score = (int32_t)(n * 1000 + part);
	*out = minus ? -score : score;
	return true;
}

/* "NAME=2.5", "NAME=off", "NAME=refuse"; false: none of them. */
static bool
read_word(str word, str off, str *name, enum setting_act *act, int32_t *score)
{
	str value = word;

	*score = 0;
	if (!str_cut(&value, '=', name) || name->len == 0 || name->len == word.len)
		return false;
	*act = str_eq(value, STR("refuse")) ? SETTING_REFUSE
	       : str_eq(value, off)         ? SETTING_OFF
					    : SETTING_SCORE;
	return *act != SETTING_SCORE || read_score(value, score);
}

enum setting_act
score_setting(str scores, str name, int32_t *score)
{
	enum setting_act act;
	str word, of;

	while (str_cut(&scores, ' ', &word))
		if (read_word(word, STR("off"), &of, &act, score) && str_eq(of, name))
			return act;
	return SETTING_NONE;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 32) : c;
}

/* Only the last '*' is ever gone back to: pattern times name at most. */
static bool
matches(str pattern, str name)
{
	size_t p = 0, n = 0, star = SIZE_MAX, from = 0;

	while (n < name.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern.len &&
			   lower(pattern.ptr[p]) == lower(name.ptr[n])) {
			p++;
			n++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

enum setting_act
family_of(str families, str name, int32_t *score)
{
	static const str third = STR_INIT(".UNOFFICIAL");
	enum setting_act act;
	str word, pattern, bare = name;

	if (name.len > third.len && str_ieq(str_skip(name, name.len - third.len), third))
		bare.len -= third.len;
	while (str_cut(&families, ' ', &word))
		if (read_word(word, STR("ignore"), &pattern, &act, score) &&
			(matches(pattern, name) || matches(pattern, bare)))
			return act;
	return SETTING_REFUSE;
}

bool
in_list(str list, str word)
{
	str one;

	while (word.len > 0 && str_cut(&list, ' ', &one))
		if (str_ieq(one, word))
			return true;
	return false;
}

static const struct check *
check_named(str name)
{
	for (size_t i = 0; filter_checks[i]->name.len > 0; i++)
		if (str_eq(filter_checks[i]->name, name))
			return filter_checks[i];
	return NULL;
}

static enum rc
check_scores(str list, struct err *err)
{
	enum setting_act act;
	int32_t score;
	str word, name;

	while (str_cut(&list, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (!read_word(word, STR("off"), &name, &act, &score))
			return err_set(err, RC_BAD,
				"[filter] scores: \"" STR_FMT
				"\" is not NAME=2.5, NAME=off or NAME=refuse",
				STR_ARG(word));
		const struct check *c = check_named(name);
		if (c == NULL)
			return err_set(err, RC_BAD,
				"[filter] scores: there is no check " STR_FMT,
				STR_ARG(name));
		if (c->score == CHECK_DECISIVE)
			return err_set(err, RC_BAD,
				"[filter] scores: " STR_FMT
				" always refuses, this cannot be changed",
				STR_ARG(name));
	}
	return RC_OK;
}

static enum rc
check_families(str list, struct err *err)
{
	enum setting_act act;
	int32_t score;
	str word, name;

	while (str_cut(&list, ' ', &word))
		if (word.len > 0 && !read_word(word, STR("ignore"), &name, &act, &score))
			return err_set(err, RC_BAD,
				"[clamav] families: \"" STR_FMT
				"\" is not PATTERN=refuse, PATTERN=ignore or "
				"PATTERN=2.5",
				STR_ARG(word));
	return RC_OK;
}

enum rc
filter_conf_check(const struct conf *conf, struct err *err)
{
	enum rc rc = check_scores(conf->filter.scores, err);

	return rc == RC_OK ? check_families(conf->clamav.families, err) : rc;
}

void
filter_manual(struct buf *out)
{
	for (size_t i = 0; filter_checks[i]->name.len > 0; i++) {
		const struct check *c = filter_checks[i];

		buf_addf(out, ".It Cm " STR_FMT " No ", STR_ARG(c->name));
		if (c->score == CHECK_DECISIVE)
			buf_addz(out, "(always refuses)");
		else
			buf_addf(out, "%d.%03d", c->score / 1000, c->score % 1000);
		buf_addf(out, "\n%s\n", c->doc);
	}
}
