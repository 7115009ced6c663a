/* SPDX-License-Identifier: ISC */
#include "deliver/court.h"

#include "base/clock.h"
#include "say/ui.h"
#include "test/test.h"

const uint8_t court_key[TOKEN_KEY] = { 1, 2, 3 };

void
ok(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

void
court_words(struct court *c)
{
	static const char settings[] = "hostname = mx.x.test\nport_offset = 20000\n";
	struct err err = { .rc = RC_OK };

	ok(sentences_new(ui_texts, ui_ntexts, &c->sentences, &err), &err);
	ok(templates_new(ui_pages, ui_npages, c->sentences, &c->templates, &err), &err);
	ok(conf_parse(str_of(settings), "test", &c->conf, &err), &err);
}

void
court_house(struct court *c)
{
	c->house = (struct appeal_house){ .release = room_want(&c->r),
		.own = c->r.own,
		.limits = { .network = 1000, .domain = 1000, .all = 10000 } };
}

void
court_begin(struct court *c)
{
	room_start(&c->r);
	court_house(c);
	court_words(c);
}

void
court_end(struct court *c)
{
	conf_drop(&c->conf);
	templates_free(&c->templates);
	sentences_free(&c->sentences);
	parts_sound(&c->r.p);
	room_clear(&c->r);
}

struct letters_want
court_letters(struct court *c)
{
	return (struct letters_want){ .conf = c->conf,
		.directory = c->r.p.directory,
		.refusals = c->r.p.refusals,
		.own = c->r.own,
		.sentences = c->sentences,
		.templates = c->templates,
		.token_key = court_key };
}

void
court_send(struct court *c)
{
	const struct letters_want w = court_letters(c);
	struct err err = { .rc = RC_OK };
	bool more = true;

	while (more)
		ok(letters_send(&w, &more, &err), &err);
}

enum appeal_end
court_appeal(struct court *c, const struct sent *s, const char *note)
{
	struct refusal f = room_found(&c->r, s->id.text);
	struct appeal a = { .time_ms = clock_wall_ms(),
		.note = str_of(note),
		.contact = STR("me@y.test"),
		.language = STR("en"),
		.client = { .family = 4, .bytes = { 192, 0, 2, 9 } } };
	struct err err = { .rc = RC_OK };
	enum appeal_end end = APPEAL_MANY;

	ok(appeal_make(&c->house, &f, &a, &end, &err), &err);
	return end;
}

void
has(const char *text, const char *what)
{
	if (strstr(text, what) == NULL)
		fail_msg("\"%s\" is not in: %s", what, text);
}

void
court_token(const char *text, char out[27])
{
	const char *at = strstr(text, "/d/");

	assert_non_null(at);
	(void)snprintf(out, 27, "%s", at + 3);
}

enum rc
court_decide(struct court *c, const char *token, bool uphold, struct refusal *f,
	struct err *err)
{
	*err = (struct err){ .rc = RC_OK };
	return appeal_decide(&c->house, str_of(token), uphold, c->r.mem, f, err);
}
