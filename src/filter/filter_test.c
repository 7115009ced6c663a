/* SPDX-License-Identifier: ISC */
#include "filter/filter.h"

#include <stdio.h>

#include "base/ids.h"
#include "crypto/digest.h"
#include "conf/conf.h"
#include "filter/checks/checks.h"
#include "test/test.h"
#include "wire/smtp_reply.h"

static const struct check light = { STR_INIT("LIGHT"), GROUP_HEADER, CHECK_CHEAP, 1500,
	"", NULL };
static const struct check heavy = { STR_INIT("HEAVY"), GROUP_LINKS, CHECK_CHEAP, 4000, "",
	NULL };
static const struct check good = { STR_INIT("GOOD"), GROUP_ROUTE, CHECK_CHEAP, -2250, "",
	NULL };
static const struct policy_of usual = { 5000, false };

static struct findings
look(struct arena *mem, uint32_t flags, uint32_t received)
{
	struct facts facts = { .flags = flags, .received = received };
	struct evidence e = { .fd = -1, .facts = &facts };
	struct findings f = { .mem = mem };

	assert_int_equal(filter_look(&e, &f, NULL), RC_OK);
	return f;
}

TEST(usual_mail_is_delivered_without_a_finding)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = look(mem, 0, 5);
	struct verdict v = filter_judge(&f, &usual);

	assert_int_equal(f.n, 0);
	assert_int_equal(v.what, VERDICT_DELIVER);
	assert_int_equal(v.score, 0);
}

TEST(gtube_is_refused_for_its_score_unless_observed)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = look(mem, FACT_GTUBE, 5);
	struct policy_of watching = { 5000, true };
	struct verdict v = filter_judge(&f, &usual);

	assert_int_equal(v.what, VERDICT_REFUSE);
	assert_true(v.by_score);
	assert_true(v.score >= 1000000);
	assert_true(str_eq(
		v.reason, STR("this message was recognised as a spam test message")));
	assert_int_equal(filter_judge(&f, &watching).what, VERDICT_DELIVER);
	assert_true(filter_judge(&f, &watching).score >= 1000000);
}

TEST(a_decisive_finding_refuses_even_where_one_only_observes)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = look(mem, FACT_HEADER_LIMIT | FACT_GTUBE, 5);
	struct policy_of lenient = { 2000000000, true };
	struct verdict v = filter_judge(&f, &lenient);

	assert_int_equal(v.what, VERDICT_REFUSE);
	assert_false(v.by_score);
	assert_true(str_eq(
		v.reason, STR("this message has more in it than our checks can read")));
}

TEST(the_strongest_group_is_the_reason_and_the_threshold_counts)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = { .mem = mem };
	struct policy_of exact = { 5500, false }, above = { 5501, false };
	str links = filter_group_sentence(GROUP_LINKS);

	finding_add(&f, &light, STR(""));
	finding_add(&f, &heavy, STR(""));
	struct verdict v = filter_judge(&f, &exact);
	assert_int_equal(v.what, VERDICT_REFUSE);
	assert_int_equal(v.groups, 1u << GROUP_LINKS | 1u << GROUP_HEADER);
	assert_true(str_eq(v.reason, links));
	assert_int_equal(filter_judge(&f, &above).what, VERDICT_DELIVER);
	/* two that count much are both named */
	finding_add(&f, &light, STR(""));
	v = filter_judge(&f, &exact);
	assert_true(str_eq(v.reason,
		STR("this message has links that do not lead where they say and has a "
		    "header that breaks the rules of e-mail")));
}

TEST(any_two_reasons_fit_and_any_one_fits_the_longest_reply)
{
	for (unsigned a = 0; a < GROUPS; a++)
		for (unsigned b = 0; b < GROUPS; b++) {
			ARENA_AUTO mem = arena_new(4096);
			struct findings f = { .mem = mem };
			struct check one = { STR_INIT("A"), a, CHECK_CHEAP, 5000, "",
				NULL };
			struct check two = { STR_INIT("B"), b, CHECK_CHEAP, 5000, "",
				NULL };

			finding_add(&f, &one, STR(""));
			finding_add(&f, &two, STR(""));
			str reason = filter_judge(&f, &usual).reason;
			assert_true(str_starts(reason, STR("this message ")));
			assert_true(reason.len <= FILTER_REASON);
		}
}

/* RFC 5321 4.5.3.1.5: 512 octets, and the longest of everything is in them. */
TEST(the_longest_refusal_keeps_its_link_reason_and_id)
{
	static const char label[] =
		"abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyzx";
	BUF_AUTO b = BUF(4096);
	BUF_AUTO text = BUF(1024);
	BUF_AUTO link = BUF(400);
	const struct conf *conf = NULL;
	char base[320], reason[FILTER_REASON];
	struct msg_id id;
	struct token t;

	/* RFC 1035 2.3.4: labels of 63, 253 in all */
	buf_addf(&text, "hostname = %s.%s.%s.%.61s\nport_offset = 20000\n", label, label,
		label, label);
	assert_int_equal(conf_parse(buf_str(&text), "test", &conf, NULL), RC_OK);
	assert_int_equal(conf->server.hostname.len, 253);
	conf_link_base(conf, base);
	token_make(&t);
	buf_addf(&link, "%s%s", base, t.text);
	memset(reason, 'r', sizeof(reason));
	memset(id.text, 'i', sizeof(id.text));
	id.text[sizeof(id.text) - 1] = '\0';
	smtp_put_refusal(&b, 550, "5.7.1", buf_str(&link),
		(str){ reason, sizeof(reason) }, str_of(id.text));
	assert_true(b.len <= SMTP_REPLY_MOST);
	assert_true(str_starts(buf_str(&b), STR("550 5.7.1 https://abcdef")));
	assert_true(str_find(buf_str(&b), buf_str(&link)) == 10);
	assert_true(str_find(buf_str(&b), (str){ reason, sizeof(reason) }) < b.len);
	assert_true(str_find(buf_str(&b), str_of(id.text)) < b.len);
	conf_drop(&conf);
}

TEST(a_virus_is_not_pushed_out_by_many_findings)
{
	ARENA_AUTO mem = arena_new(4096);
	struct findings f = { .mem = mem };

	for (size_t i = 0; i < 2 * FINDINGS_MOST; i++)
		finding_add(&f, &light, STR(""));
	finding_add(&f, &check_virus, STR("Eicar"));
	assert_int_equal(f.n, FINDINGS_MOST);
	assert_true(str_eq(
		filter_judge(&f, &usual).reason, filter_group_sentence(GROUP_VIRUS)));
}

TEST(the_ledger_reads_findings_as_names_and_scores)
{
	ARENA_AUTO mem = arena_new(4096);
	BUF_AUTO b = BUF(4096);
	struct findings f = { .mem = mem };

	finding_add(&f, &light, STR(""));
	finding_add(&f, &good, STR(""));
	finding_add(&f, &check_virus, STR("Eicar"));
	filter_list(&f, &b);
	assert_string_equal(buf_z(&b), "LIGHT=1.500 GOOD=-2.250 VIRUS=1000.000(Eicar)");
}

TEST(every_check_has_a_name_of_its_own_a_line_and_a_group)
{
	size_t n = 0;

	for (; filter_checks[n]->name.len > 0; n++) {
		assert_true(filter_checks[n]->doc[0] != '\0');
		assert_true(filter_checks[n]->group < GROUPS);
		for (size_t k = 0; k < n; k++)
			assert_false(
				str_eq(filter_checks[n]->name, filter_checks[k]->name));
	}
	for (size_t i = 0; i < STRUCTURALS; i++) {
		ARENA_AUTO mem = arena_new(4096);
		struct findings f = look(mem, structural_checks[i].flag, 0);

		assert_int_equal(f.n, 1);
		assert_ptr_equal(f.at[0].check, &structural_checks[i].check);
	}
}

TEST(a_detour_over_many_servers_counts)
{
	ARENA_AUTO mem = arena_new(4096);

	assert_int_equal(look(mem, 0, 25).n, 0);
	assert_int_equal(look(mem, 0, 26).n, 1);
}

TEST(tokens_differ_and_only_their_hash_is_kept)
{
	struct token a, b;
	uint8_t hash[32];

	token_make(&a);
	token_make(&b);
	assert_int_equal(strlen(a.text), 26);
	assert_string_not_equal(a.text, b.text);
	sha256(str_of(a.text), hash);
	assert_memory_equal(hash, a.hash, sizeof(hash));
}
