/* SPDX-License-Identifier: ISC */
/* The words of APPEND, and what of it is done by an errand. */
#include "base/clock.h"
#include "imap/imap_append.h"
#include "wire/jrec.h"

enum {
	FACTS_MS = 5000, /* of a whole command; what is not known then is asked later */
	FACTS_MEM = 12 * 1024 * 1024,
	/* of all messages of a command; others are asked for again */
	TEXTS_MEM = 4 * 1024 * 1024,
};

/* The mailbox is there, and a blank: what follows is ours, also where it is wrong. */
bool
imap_append_wants(struct imap_session *s, str command)
{
	ARENA_AUTO mem = arena_new(2 * IMAP_COMMAND_MOST);
	struct imap_lex x = imap_lex(command, imap_utf8(s), mem);
	uint32_t number;
	bool replace;
	str tag, name;

	if (s->state == IMAP_NEW || !lex_tag(&x, &tag) || !lex_sp(&x))
		return false;
	if (lex_word(&x, STR("UID"))) {
		if (!lex_sp(&x) || !lex_word(&x, STR("REPLACE")))
			return false;
		replace = true;
	} else {
		replace = lex_word(&x, STR("REPLACE"));
		if (!replace && !lex_word(&x, STR("APPEND")))
			return false;
	}
	if (replace && (s->state != IMAP_SELECTED || s->box.read_only))
		return false;
	if (replace && (!lex_sp(&x) || (!lex_char(&x, '*') && !lex_number(&x, &number))))
		return false;
	return lex_sp(&x) && lex_astring(&x, &name) && lex_sp(&x);
}

/* What is left is the announcement of a literal and nothing else. */
static bool
at_literal(struct imap_lex *x, bool binary)
{
	str rest = str_skip(x->all, x->at);
	struct imap_literal l;

	if (imap_line_literal(rest, &l) == RC_OK && (l.binary || !binary) &&
		rest.ptr[l.binary] == '{' &&
		memchr(rest.ptr + 1 + l.binary, '{', rest.len - 1 - l.binary) == NULL)
		return true;
	x->why = binary ? "a literal that begins with ~" : "flags, a date or a message";
	return false;
}

bool
imap_append_words(struct imap_lex *x, struct append_words *out)
{
	*out = (struct append_words){ .has_date = false };
	if (!lex_sp(x))
		return false;
	if (lex_peek(x, '(') && (!lex_flags(x, false, &out->flags) || !lex_sp(x)))
		return false;
	if (lex_peek(x, '"')) {
		if (!lex_date_time(x, &out->received_ms) || !lex_sp(x))
			return false;
		out->has_date = true;
	}
	/* RFC 6855 4 */
	out->utf8 = lex_word(x, STR("UTF8"));
	if (out->utf8 && (!lex_sp(x) || !lex_char(x, '(')))
		return false;
	return at_literal(x, out->utf8);
}

/* What full text needs of a message. */
struct texts {
	bool known, cut;
	str head, text;
};

static void
keep_texts(const struct content *c, struct arena *mem, struct texts *t)
{
	t->known = arena_copy(mem, c->search_head, &t->head) == RC_OK &&
		   arena_copy(mem, c->search_text, &t->text) == RC_OK;
	t->cut = c->search_cut;
}

/* RC_OK: *facts, in mem.  Texts for full text are asked for in the same breath. */
static enum rc
ask(struct appending *a, const struct piece *p, uint64_t until_ms, struct arena *mem,
	str *facts, struct arena *texts, struct texts *t)
{
	struct scan_job job = { .fd = -1,
		.size = p->size,
		.hostname = a->conf->server.hostname,
		.most_ms = a->conf->limits.scanner_timeout,
		.most_unpacked = a->conf->limits.scanner_unpacked,
		.want = a->house->fulltext != NULL ? SCAN_SEARCH : 0 };
	struct scanned got = { 0 };
	ARENA_AUTO scratch = arena_new(FACTS_MEM);
	FD_AUTO fd = -1;
	enum rc rc = fs_reopen_read(p->file.fd, &fd, NULL);

	if (rc != RC_OK)
		return rc;
	job.fd = fd;
	rc = scan_ask(a->house->scanners, &job, until_ms, scratch, &got, NULL);
	if (rc == RC_OK && (rc = arena_copy(mem, got.packed, facts)) == RC_OK &&
		job.want != 0)
		keep_texts(&got.content, texts, t);
	scanned_clear(&got);
	return rc;
}

/* As far as there is time, and room in the record. */
static void
ask_all(struct appending *a, struct append_item *items, struct arena *mem,
	struct arena *texts, struct texts *t)
{
	uint64_t until_ms = clock_ms() + FACTS_MS;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < a->n && rc != RC_TEMP && clock_ms() < until_ms; i++)
		rc = ask(a, &a->at[i], until_ms, mem, &items[i].facts, texts, &t[i]);
}

void
imap_append_work(void *appending)
{
	struct appending *a = appending;
	struct append_item items[APPEND_MOST];
	struct append put = { .account = a->account,
		.mailbox = a->mailbox,
		.n = a->n,
		.items = items,
		.replaces_mailbox = a->replaces_mailbox,
		.replaces = a->replaces };
	struct texts texts[APPEND_MOST] = { 0 };
	ARENA_AUTO mem = arena_new(JREC_MOST);
	ARENA_AUTO texts_mem = arena_new(TEXTS_MEM);

	for (size_t i = 0; i < a->n; i++) {
		struct piece *p = &a->at[i];

		items[i] = (struct append_item){ .file = &p->file,
			.size = p->size,
			.received_ms = p->received_ms,
			.flags = p->flags.marks,
			.keywords = p->flags.keywords };
		memcpy(items[i].digest, p->digest, sizeof(p->digest));
	}
	ask_all(a, items, mem, texts_mem, texts);
	a->err = (struct err){ 0 };
	a->rc = own_append(a->house->own, &put, &a->uidvalidity, &a->err);
	for (size_t i = 0; i < a->n; i++) {
		a->at[i].uid = items[i].uid;
		if (a->rc == RC_OK && texts[i].known)
			fulltext_offer(a->house->fulltext, &items[i].id, texts[i].head,
				texts[i].text, texts[i].cut);
	}
}
