/* SPDX-License-Identifier: ISC */
#include "say/samples.h"

enum { MEMORY = 256 * 1024, DAY = 24 * 3600 * 1000 };

#define REFUSED 1795442719000 /* 2026-11-23, 14:05 UTC */

static void
add_reason(struct scope *s, const char *reason, const char *advice)
{
	struct scope *row = scope_row(s, "reasons");

	scope_say(row, "reason", str_of(reason));
	scope_say(row, "advice", str_of(advice));
}

static void
refusal(struct scope *s, const char *state)
{
	scope_time(s, "time", REFUSED);
	scope_set(s, "from_domain", STR("ateliers-lindenhof.example"));
	scope_set(s, "to_domain", STR("stadtwerke.example"));
	scope_set(s, "reference", STR("01KAQ5W8Z6M3.1"));
	scope_flag(s, state, true);
	scope_flag(s, "held", true);
	scope_time(s, "held_until", REFUSED + 14LL * DAY);
	scope_time(s, "appealed_at", REFUSED + 3600 * 1000);
	scope_time(s, "decided_at", REFUSED + DAY);
}

static void
form(struct scope *s)
{
	scope_flag(s, "may_appeal", true);
	scope_set(s, "appeal_url", STR("/r/7fK2mQx0Zb9/appeal"));
	scope_set(s, "form_token", STR("b1946ac92492d2347c6235b4d2611184"));
	scope_set(s, "stamp", STR("1795442719.591785b794601e212b260e25925636fd"));
	scope_number(s, "bits", 17);
	scope_set(s, "js_url", str_of(ui_url("appeal.js")));
	scope_set(s, "note", STR(""));
	scope_set(s, "contact", STR(""));
}

static void
refusal_open(struct scope *s)
{
	refusal(s, "open");
	add_reason(s, "reason_macros", "advice_macros");
	add_reason(s, "reason_links", "advice_links");
	form(s);
}

static void
refusal_again(struct scope *s)
{
	refusal_open(s);
	scope_set(s, "note", STR("My note was far too long, and came back."));
	scope_flag(s, "note_long", true);
	scope_set(s, "contact", STR("anna@ateliers-lindenhof.example"));
	scope_flag(s, "contact_long", true);
}

static void
refusal_virus(struct scope *s)
{
	refusal(s, "open");
	scope_flag(s, "virus", true);
	add_reason(s, "reason_virus", "advice_virus");
	form(s);
}

static void
refusal_not_held(struct scope *s)
{
	refusal(s, "open");
	scope_set(s, "from_domain", STR(""));
	scope_flag(s, "held", false);
	add_reason(s, "reason_other", "advice_other");
}

static void
refusal_appealed(struct scope *s)
{
	refusal(s, "appealed");
	add_reason(s, "reason_sealed", "advice_sealed");
}

static void
refusal_released(struct scope *s)
{
	refusal(s, "released");
	add_reason(s, "reason_sealed", "advice_sealed");
}

static void
refusal_dismissed(struct scope *s)
{
	refusal(s, "dismissed");
	add_reason(s, "reason_pattern", "advice_pattern");
}

static void
refusal_every_reason(struct scope *s)
{
	static const char *const groups[] = { "virus", "unseen", "unread", "large",
		"pattern", "spam_test", "dangerous", "macros", "sealed", "disguise",
		"structure", "concealed", "links", "author", "header", "route", "other" };
	static char keys[sizeof(groups) / sizeof(groups[0])][2][TEMPLATE_NAME];

	refusal(s, "open");
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		(void)snprintf(keys[i][0], TEMPLATE_NAME, "reason_%s", groups[i]);
		(void)snprintf(keys[i][1], TEMPLATE_NAME, "advice_%s", groups[i]);
		add_reason(s, keys[i][0], keys[i][1]);
	}
}

static void
appealed(struct scope *s)
{
	refusal(s, "appealed");
	scope_set(s, "page_url", STR("/r/7fK2mQx0Zb9"));
}

static void
appealed_taken(struct scope *s)
{
	appealed(s);
	scope_flag(s, "taken", true);
	scope_flag(s, "contact_given", true);
}

static void
appealed_taken_no_answer(struct scope *s)
{
	appealed(s);
	scope_flag(s, "taken", true);
}

static void
appealed_again(struct scope *s)
{
	appealed(s);
	scope_flag(s, "again", true);
}

static void
appealed_decided(struct scope *s)
{
	refusal(s, "released");
	scope_set(s, "page_url", STR("/r/7fK2mQx0Zb9"));
	scope_flag(s, "decided", true);
}

static void
appealed_gone(struct scope *s)
{
	appealed(s);
	scope_flag(s, "gone", true);
}

static void
appealed_many(struct scope *s)
{
	appealed(s);
	scope_flag(s, "many", true);
}

#define NOTE                                                                                              \
	"Good morning,\nI am the carpenter who is to repair the doors of your depot. The message had my " \
	"offer in it, as your Ms Weber asked me to send it.\n\nThe spreadsheet has macros because our "   \
	"program makes it so; see https://ateliers-lindenhof.example/ for who we are."

static void
wait_note(struct scope *s)
{
	form(s);
	scope_set(s, "note", STR(NOTE));
	scope_set(s, "contact", STR("anna@ateliers-lindenhof.example"));
	scope_number(s, "seconds", 20);
}

static void
wait_early(struct scope *s)
{
	form(s);
	scope_number(s, "seconds", 1);
	scope_flag(s, "early", true);
}

static void
decide(struct scope *s, const char *state, const char *who)
{
	refusal(s, state);
	scope_flag(s, who, true);
	scope_set(s, "sender", STR("anna.lindner@ateliers-lindenhof.example"));
	scope_set(scope_row(s, "recipients"), "address", STR("weber@stadtwerke.example"));
	if (strcmp(who, "postmaster") == 0)
		scope_set(scope_row(s, "recipients"), "address",
			STR("depot@stadtwerke.example"));
	scope_set(s, "client", STR("2001:db8:4:1::25"));
	scope_set(s, "helo", STR("out3.provider.example"));
	scope_set(s, "subject", STR("Angebot: Türen im Depot <b>Nord</b> & Süd"));
	scope_set(s, "size", STR("214 KB"));
	scope_set(s, "findings",
		STR("macros.found 4.0, links.elsewhere 2.5, header.no_date 0.5: 7.0"));
	scope_set(s, "note", STR(""));
	scope_set(s, "contact", STR(""));
	scope_set(s, "decided_by", STR(""));
	scope_set(s, "decide_url", STR("/d/Jq8v1TtQ4s"));
	scope_set(s, "form_token", STR("b1946ac92492d2347c6235b4d2611184"));
	add_reason(s, "reason_macros", "advice_macros");
	add_reason(s, "reason_links", "advice_links");
}

static void
decide_appealed(struct scope *s)
{
	decide(s, "appealed", "postmaster");
	scope_flag(s, "may_release", true);
	scope_flag(s, "may_dismiss", true);
	scope_flag(s, "has_appeal", true);
	scope_set(s, "note", STR(NOTE));
	scope_set(s, "contact", STR("anna@ateliers-lindenhof.example, +49 30 0000"));
}

static void
decide_recipient_virus(struct scope *s)
{
	decide(s, "open", "recipient");
	scope_flag(s, "virus", true);
	scope_flag(s, "may_dismiss", true);
	scope_set(s, "findings", STR(""));
	scope_set(s, "subject", STR(""));
	scope_set(s, "sender", STR(""));
	scope_set(s, "from_domain", STR(""));
}

static void
decide_virus(struct scope *s)
{
	decide(s, "appealed", "postmaster");
	scope_flag(s, "virus", true);
	scope_flag(s, "may_release", true);
	scope_flag(s, "may_dismiss", true);
	scope_flag(s, "has_appeal", true);
}

static void
decide_not_held(struct scope *s)
{
	decide(s, "open", "postmaster");
	scope_flag(s, "may_dismiss", true);
	scope_flag(s, "held", false);
}

static void
decide_released(struct scope *s)
{
	decide(s, "released", "postmaster");
	scope_set(s, "decided_by", STR("postmaster@stadtwerke.example"));
}

static void
decide_dismissed(struct scope *s)
{
	decide(s, "dismissed", "recipient");
}

static void
decided(struct scope *s, const char *state, const char *how)
{
	refusal(s, state);
	scope_flag(s, how, true);
	scope_set(s, "page_url", STR("/d/Jq8v1TtQ4s"));
}

static void
decided_released(struct scope *s)
{
	decided(s, "released", "done");
}

static void
decided_dismissed(struct scope *s)
{
	decided(s, "dismissed", "done");
}

static void
decided_otherwise_released(struct scope *s)
{
	decided(s, "released", "otherwise");
}

static void
decided_otherwise_dismissed(struct scope *s)
{
	decided(s, "dismissed", "otherwise");
}

static void
decided_gone(struct scope *s)
{
	decided(s, "open", "gone");
}

static void
decided_forbidden(struct scope *s)
{
	decided(s, "open", "forbidden");
}

static void
ca(struct scope *s)
{
	scope_flag(s, "own_ca", true);
	scope_set(s, "ca_url", STR("/ca.crt"));
	scope_set(s, "fingerprint",
		STR("5E:1B:9C:44:0F:A2:7D:38:C6:90:11:EE:84:5A:2B:D7:63:F8:0C:99:A1:34:7E:5D:B2:68:4F:13:"
		    "C0:DE:77:2A"));
	scope_time(s, "until", REFUSED + 3650LL * DAY);
}

static void
ca_public(struct scope *s)
{
	scope_set(s, "ca_url", STR("/ca.crt"));
	scope_set(s, "fingerprint", STR(""));
	scope_time(s, "until", 0);
}

static void
home(struct scope *s)
{
	(void)s;
}

#define ERROR(code)                                                                      \
	static void error_##code(struct scope *s)                                        \
	{                                                                                \
		scope_number(s, "status", code);                                         \
		scope_flag(s, "e" #code, true);                                          \
		scope_set(s, "page_url", code == 403 ? STR("/r/7fK2mQx0Zb9") : STR("")); \
	}

ERROR(400)
ERROR(403)
ERROR(404)
ERROR(405)
ERROR(413)
ERROR(429)
ERROR(500)
ERROR(503)

static void
letter_facts(struct scope *s)
{
	refusal(s, "appealed");
	scope_set(s, "sender", STR("anna.lindner@ateliers-lindenhof.example"));
	scope_set(scope_row(s, "recipients"), "address", STR("weber@stadtwerke.example"));
	scope_set(scope_row(s, "recipients"), "address", STR("depot@stadtwerke.example"));
	scope_set(s, "subject", STR("Angebot: Türen im Depot Nord & Süd"));
	add_reason(s, "reason_macros", "advice_macros");
	add_reason(s, "reason_links", "advice_links");
	scope_set(scope_row(s, "note_lines"), "line", STR("Good morning,"));
	scope_set(scope_row(s, "note_lines"), "line",
		STR("I am the carpenter who is to repair the doors of your depot. The message had my offer "
		    "in it; see hxxps://ateliers-lindenhof[.]example/ for who we are."));
	scope_set(s, "contact", STR("anna@ateliers-lindenhof[.]example"));
	scope_set(s, "decide_url", STR("https://mx.stadtwerke.example/d/Jq8v1TtQ4s"));
	scope_flag(s, "postmaster", true);
}

static void
letter_bare(struct scope *s)
{
	refusal(s, "appealed");
	scope_set(s, "sender", STR(""));
	scope_set(s, "from_domain", STR(""));
	scope_set(scope_row(s, "recipients"), "address", STR("weber@stadtwerke.example"));
	scope_set(s, "subject", STR(""));
	add_reason(s, "reason_virus", "advice_virus");
	scope_flag(s, "virus", true);
	scope_set(s, "contact", STR(""));
	scope_set(
		s, "decide_url", STR("https://mx.stadtwerke.example:20443/d/Jq8v1TtQ4s"));
	scope_flag(s, "postmaster", true);
}

static void
letter_digest(struct scope *s)
{
	scope_number(s, "count", 12);
	scope_number(s, "more", 10);
	letter_facts(scope_row(s, "appeals"));
	letter_bare(scope_row(s, "appeals"));
}

static void
letter_digest_one(struct scope *s)
{
	scope_number(s, "count", 1);
	scope_number(s, "more", 0);
	letter_facts(scope_row(s, "appeals"));
}

static void
letter_daily(struct scope *s)
{
	struct scope *row;

	scope_set(s, "address", STR("weber@stadtwerke.example"));
	scope_number(s, "count", 3);
	scope_number(s, "more", 1);
	letter_facts(scope_row(s, "refusals"));
	row = scope_row(s, "refusals");
	letter_bare(row);
	scope_flag(row, "held", false);
}

static void
letter_daily_one(struct scope *s)
{
	scope_set(s, "address", STR("weber@stadtwerke.example"));
	scope_number(s, "count", 1);
	scope_number(s, "more", 0);
	letter_facts(scope_row(s, "refusals"));
}

const struct sample samples[] = {
	{ "refusal", "refusal.html", refusal_open },
	{ "refusal-again", "refusal.html", refusal_again },
	{ "refusal-virus", "refusal.html", refusal_virus },
	{ "refusal-not-held", "refusal.html", refusal_not_held },
	{ "refusal-appealed", "refusal.html", refusal_appealed },
	{ "refusal-released", "refusal.html", refusal_released },
	{ "refusal-dismissed", "refusal.html", refusal_dismissed },
	{ "refusal-reasons", "refusal.html", refusal_every_reason },
	{ "appealed", "appealed.html", appealed_taken },
	{ "appealed-no-answer", "appealed.html", appealed_taken_no_answer },
	{ "appealed-again", "appealed.html", appealed_again },
	{ "appealed-decided", "appealed.html", appealed_decided },
	{ "appealed-gone", "appealed.html", appealed_gone },
	{ "appealed-many", "appealed.html", appealed_many },
	{ "wait", "appeal_wait.html", wait_note },
	{ "wait-early", "appeal_wait.html", wait_early },
	{ "decide", "decide.html", decide_appealed },
	{ "decide-virus", "decide.html", decide_virus },
	{ "decide-virus-recipient", "decide.html", decide_recipient_virus },
	{ "decide-not-held", "decide.html", decide_not_held },
	{ "decide-released", "decide.html", decide_released },
	{ "decide-dismissed", "decide.html", decide_dismissed },
	{ "decided-released", "decided.html", decided_released },
	{ "decided-dismissed", "decided.html", decided_dismissed },
	{ "decided-otherwise-released", "decided.html", decided_otherwise_released },
	{ "decided-otherwise-dismissed", "decided.html", decided_otherwise_dismissed },
	{ "decided-gone", "decided.html", decided_gone },
	{ "decided-forbidden", "decided.html", decided_forbidden },
	{ "ca", "ca.html", ca },
	{ "ca-public", "ca.html", ca_public },
	{ "home", "home.html", home },
	{ "error-400", "error.html", error_400 },
	{ "error-403", "error.html", error_403 },
	{ "error-404", "error.html", error_404 },
	{ "error-405", "error.html", error_405 },
	{ "error-413", "error.html", error_413 },
	{ "error-429", "error.html", error_429 },
	{ "error-500", "error.html", error_500 },
	{ "error-503", "error.html", error_503 },
	{ "letter-appeal", "appeal.txt", letter_facts },
	{ "letter-appeal-bare", "appeal.txt", letter_bare },
	{ "letter-digest", "appeals.txt", letter_digest },
	{ "letter-digest-one", "appeals.txt", letter_digest_one },
	{ "letter-daily", "daily.txt", letter_daily },
	{ "letter-daily-one", "daily.txt", letter_daily_one },
	{ 0 },
};

enum rc
sample_put(const struct sample *sample, const struct sentences *s,
	const struct templates *t, unsigned language, struct buf *out, struct err *err)
{
	ARENA_AUTO mem = arena_new(MEMORY);
	struct scope *scope = scope_new(mem);
	static char urls[SENTENCES_LANGUAGES][80];
	str tags[SENTENCES_LANGUAGES];
	size_t n = sentences_tags(s, tags);

	scope_set(scope, "hostname", STR("mx.stadtwerke.example"));
	scope_set(scope, "css_url", str_of(ui_url("page.css")));
	scope_set(scope, "icon_url", str_of(ui_url("gate.svg")));
	for (unsigned i = 0; i < n; i++) {
		struct scope *row = scope_row(scope, "languages");

		(void)snprintf(urls[i], sizeof(urls[i]), "/%s-" STR_FMT ".html",
			sample->name, STR_ARG(tags[i]));
		scope_set(row, "tag", tags[i]);
		scope_set(row, "name", sentences_name(s, i));
		scope_set(row, "lang_url", str_of(urls[i]));
		scope_flag(row, "here", i == language);
	}
	sample->fill(scope);
	return template_put(t, sample->file, language, scope, out, err);
}
