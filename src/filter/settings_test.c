/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include "filter/checks/checks.h"
#include "filter/filter_int.h"
#include "test/test.h"

static const struct conf *
conf_of(const char *lines)
{
	char text[6000];
	const struct conf *conf = NULL;
	struct err err = { 0 };
	int n = snprintf(text, sizeof(text), "hostname = mx.example.test\n%s", lines);

	if (conf_parse((str){ text, (size_t)n }, "test", &conf, &err) != RC_OK)
		fail_msg("%s", err.text);
	return conf;
}

TEST(a_signatures_family_is_the_first_pattern_that_matches)
{
	static const str list = STR_INIT(
		"A.*=refuse  *mid*=2.5 exact=ignore *.Unofficial=6 B.*C=-1.5 x*=bad");
	static const struct {
		const char *name;
		enum setting_act act;
		int32_t score;
	} cases[] = {
		{ "A.b", SETTING_REFUSE, 0 },
		{ "a.mid", SETTING_REFUSE, 0 },
		{ "in the MIDDLE", SETTING_SCORE, 2500 },
		{ "exact", SETTING_OFF, 0 },
		{ "exact.UNOFFICIAL", SETTING_OFF, 0 },
		{ "exactly", SETTING_REFUSE, 0 },
		{ "Other.UNOFFICIAL", SETTING_SCORE, 6000 },
		{ "B.1.C", SETTING_SCORE, -1500 },
		{ "B.1.CC.C.D", SETTING_REFUSE, 0 },
		{ "b.CCC", SETTING_SCORE, -1500 },
		{ "x1", SETTING_REFUSE, 0 }, /* what cannot be read refuses */
		{ "", SETTING_REFUSE, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t score = 0;

		assert_int_equal(
			family_of(list, str_of(cases[i].name), &score), cases[i].act);
		if (cases[i].act == SETTING_SCORE)
			assert_int_equal(score, cases[i].score);
	}
}

TEST(the_default_families_refuse_what_is_malware_and_score_what_is_spam)
{
	static const struct {
		const char *name;
		enum setting_act act;
	} cases[] = {
		{ "Win.Test.EICAR_HDB-1", SETTING_REFUSE },
		{ "Eicar-Test-Signature", SETTING_REFUSE },
		{ "Gatepost.Test.EICAR.UNOFFICIAL", SETTING_REFUSE },
		{ "Heuristics.Encrypted.Zip", SETTING_SCORE },
		{ "Heuristics.Phishing.Email.SpoofedDomain", SETTING_SCORE },
		{ "Heuristics.OLE2.ContainsMacros.VBA", SETTING_SCORE },
		{ "Heuristics.Something.New", SETTING_REFUSE },
		{ "PUA.Win.Packer.Upx-1", SETTING_SCORE },
		{ "Sanesecurity.Junk.12345.UNOFFICIAL", SETTING_SCORE },
		{ "Sanesecurity.Phishing.Bank.1.UNOFFICIAL", SETTING_SCORE },
		{ "Sanesecurity.Malware.27812.JsHeur.UNOFFICIAL", SETTING_REFUSE },
		{ "Sanesecurity.Badmacro.Doc.shell.UNOFFICIAL", SETTING_REFUSE },
		{ "Sanesecurity.Foxhole.Zip_fs151.UNOFFICIAL", SETTING_REFUSE },
		{ "winnow.malware.bd.pdf.1.UNOFFICIAL", SETTING_REFUSE },
		{ "winnow.spam.ts.misc.1.UNOFFICIAL", SETTING_SCORE },
		{ "Local.Own.1.UNOFFICIAL", SETTING_SCORE },
		{ "Java.Exploit.CVE_2012_0507-1", SETTING_REFUSE },
	};
	const struct conf *conf = conf_of("");

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int32_t score = 0;

		if (family_of(conf->clamav.families, str_of(cases[i].name), &score) !=
			cases[i].act)
			fail_msg("%s", cases[i].name);
		assert_true(
			cases[i].act != SETTING_SCORE || (score > 0 && score < 10000));
	}
	conf_drop(&conf);
}

static struct findings
one(struct arena *mem, const struct check *c, const char *scores)
{
	struct findings f = { .mem = mem, .scores = str_of(scores) };

	finding_add(&f, c, STR(""));
	return f;
}

TEST(scores_are_set_by_name_but_for_what_is_decisive)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = one(mem, &check_macros, "X=1 MACROS=-2.25");

	assert_int_equal(f.at[0].score, -2250);
	assert_int_equal(one(mem, &check_macros, "MACROS=off").n, 0);
	f = one(mem, &check_macros, "MACROS=refuse");
	assert_true(f.at[0].decisive);
	f = one(mem, &check_macros, "");
	assert_int_equal(f.at[0].score, check_macros.score);
	f = one(mem, &check_virus, "VIRUS=off");
	assert_true(f.n == 1 && f.at[0].decisive);
}

TEST(settings_that_mean_nothing_are_told)
{
	static const struct {
		const char *lines, *says;
	} cases[] = {
		{ "[filter]\nscores = MACROS=1 LINK_TEXT=off\n", NULL },
		{ "[filter]\nscores = MACRO=1\n", "no check MACRO" },
		{ "[filter]\nscores = MACROS=lots\n", "MACROS=lots" },
		{ "[filter]\nscores = MACROS\n", "MACROS" },
		{ "[filter]\nscores = VIRUS=off\n", "always refuses" },
		{ "[filter]\nscores = VIRUS_UNSEEN=1\n", "always refuses" },
		{ "[clamav]\nfamilies = A.*=ignore B=1.5\n", NULL },
		{ "[clamav]\nfamilies = A.*=off\n", "A.*=off" },
		{ "[clamav]\nfamilies = =1\n", "=1" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct conf *conf = conf_of(cases[i].lines);
		struct err err = { 0 };
		enum rc rc = filter_conf_check(conf, &err);

		assert_int_equal(rc, cases[i].says == NULL ? RC_OK : RC_BAD);
		if (cases[i].says != NULL)
			assert_non_null(strstr(err.text, cases[i].says));
		conf_drop(&conf);
	}
}

TEST(the_manual_has_every_check)
{
	BUF_AUTO b = BUF(64 * 1024);

	filter_manual(&b);
	for (size_t i = 0; filter_checks[i]->name.len > 0; i++)
		assert_true(str_find(buf_str(&b), filter_checks[i]->name) < b.len);
	assert_true(str_find(buf_str(&b), STR(".It Cm MACROS No 3.000\n")) < b.len);
}
