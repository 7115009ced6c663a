/* SPDX-License-Identifier: ISC */
#include "mime/address.h"

#include "base/buf.h"

enum token_kind { END, WORD, QUOTED, LITERAL, COMMENT, SPECIAL };

struct token {
	enum token_kind kind;
	str text; /* without quotes; of a literal with its brackets */
	char special; /* < > @ , ; : . */
	bool spaced; /* blanks or a comment stand before it */
};

struct lexer {
	str left;
	/* Once one of these was not closed, later ones are not searched for. */
	bool no_quote, no_comment, no_literal;
};

/* What is read between two separators.  A bare address is the last run of
 * words that holds an '@'; everything also goes into the phrase, which is the
 * name if a '<' follows. */
struct element {
	struct buf phrase;
	struct buf addr; /* the run that may be an address */
	size_t at; /* of its last '@' in addr; NONE */
	size_t phrase_cut; /* what of the phrase stands before that run */
	str comment;
	bool angle; /* inside <> */
	bool closed; /* after its > */
	bool complete; /* the bare address has ended */
	bool joined; /* the last token was '.' or '@' */
	bool any;
};

struct parser {
	struct lexer lex;
	struct element e;
	struct arena *mem;
	struct address_list list;
	size_t most;
	bool in_group;
	enum rc rc;
};

enum { NONE = -1 };
static const size_t NOWHERE = (size_t)NONE;

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool
word_char(char c)
{
	return !blank(c) && memchr("<>@,;:.\"([", c, 10) == NULL;
}

/* The length of what stands at the front up to its closing `close`, both
 * included; nested where `nests`.  0: not closed. */
static size_t
closed_by(str s, char open, char close, bool nests)
{
	size_t depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		else if (s.ptr[i] == close && i > 0) {
			if (--depth == 0)
				return i + 1;
		} else if (s.ptr[i] == open && (nests || i == 0))
			depth++;
	}
	return 0;
}

/* Takes what is enclosed, if it is closed at all. */
static bool
enclosed(struct lexer *l, char open, char close, bool *never, str *text)
{
	size_t n;

	if (l->left.ptr[0] != open || *never)
		return false;
	n = closed_by(l->left, open, close, open == '(');
	*never = n == 0;
	if (n == 0)
		return false;
	*text = str_first(l->left, n);
	l->left = str_skip(l->left, n);
	return true;
}

static str
inside(str s)
{
	return str_first(str_skip(s, 1), s.len - 2);
}

static struct token
next_token(struct lexer *l)
{
	struct token t = { .kind = END };
	size_t n = 0;

	while (l->left.len > 0 && blank(l->left.ptr[0])) {
		l->left = str_skip(l->left, 1);
		t.spaced = true;
	}
	if (l->left.len == 0)
		return t;
	if (enclosed(l, '"', '"', &l->no_quote, &t.text)) {
		t.kind = QUOTED;
		t.text = inside(t.text);
	} else if (enclosed(l, '(', ')', &l->no_comment, &t.text)) {
		t.kind = COMMENT;
		t.text = inside(t.text);
	} else if (enclosed(l, '[', ']', &l->no_literal, &t.text)) {
		t.kind = LITERAL;
	} else if (memchr("<>@,;:.", l->left.ptr[0], 7) != NULL) {
		t.kind = SPECIAL;
		t.special = l->left.ptr[0];
		t.text = str_first(l->left, 1);
		l->left = str_skip(l->left, 1);
	} else {
		/* At least one: an opening quote or bracket that is never closed. */
		for (n = 1; n < l->left.len && word_char(l->left.ptr[n]);)
			n++;
		t.kind = WORD;
		t.text = str_first(l->left, n);
		if (t.text.ptr[0] == '"')
			t.text = str_skip(t.text, 1);
		l->left = str_skip(l->left, n);
	}
	return t;
}

/* RFC 5322 3.2.1: what a backslash stands before means itself. */
static void
add_unquoted(struct buf *b, str s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '\\' && i + 1 < s.len)
			i++;
		buf_addc(b, s.ptr[i]);
	}
}

static void
add_text(struct buf *b, const struct token *t)
{
	if (t->kind == QUOTED)
		add_unquoted(b, t->text);
	else
		buf_add(b, t->text);
}

static void
element_clear(struct element *e)
{
	struct buf phrase = e->phrase, addr = e->addr;

	buf_clear(&phrase);
	buf_clear(&addr);
	*e = (struct element){ .phrase = phrase, .addr = addr, .at = NOWHERE };
}

/* By doubling, so that memory follows the addresses and not their separators. */
static bool
list_room(struct parser *p)
{
	size_t n = p->list.n;

	if ((n & (n - 1)) != 0)
		return true;
	struct address *at = arena_array(p->mem, n == 0 ? 1 : 2 * n, sizeof(*at));
	if (at == NULL)
		return false;
	if (n > 0)
		memcpy(at, p->list.at, n * sizeof(*at));
	p->list.at = at;
	return true;
}

static void
emit(struct parser *p, struct address a)
{
	/* One place is kept for the end of the group. */
	size_t room = p->most - (p->in_group && a.kind != ADDRESS_GROUP_END ? 1 : 0);

	if (a.kind == ADDRESS_GROUP && p->most > 0)
		room = p->most - 1;
	if (p->rc != RC_OK || p->list.n >= room)
		return;
	if (a.kind == ADDRESS_GROUP)
		p->in_group = true;
	if (a.kind == ADDRESS_GROUP_END)
		p->in_group = false;
	if (!list_room(p) || arena_copy(p->mem, a.name, &a.name) != RC_OK ||
		arena_copy(p->mem, a.local, &a.local) != RC_OK ||
		arena_copy(p->mem, a.domain, &a.domain) != RC_OK) {
		p->rc = RC_LIMIT;
		return;
	}
	p->list.at[p->list.n++] = a;
}

/* An element has ended: is there an address in it? */
static void
finish(struct parser *p)
{
	struct element *e = &p->e;
	str addr = buf_str(&e->addr), name = buf_str(&e->phrase);
	struct address a = { .kind = ADDRESS_BOX, .local = str_trim(addr) };
	bool bracketed = e->angle || e->closed;

	if (e->at != NOWHERE) {
		a.local = str_trim(str_first(addr, e->at));
		a.domain = str_trim(str_skip(addr, e->at + 1));
	} else if (!bracketed) {
		/* Words without an '@': all of them are the local part. */
		a.local = str_trim(name);
		e->phrase_cut = 0;
	}
	if (!bracketed)
		name = str_first(name, e->phrase_cut);
	a.name = str_trim(name);
	BUF_AUTO comment = BUF(e->comment.len);
	if (a.name.len == 0) {
		add_unquoted(&comment, e->comment);
		a.name = str_trim(buf_str(&comment));
	}
	if (a.local.len > 0 || a.domain.len > 0)
		emit(p, a);
	element_clear(e);
}

static void
group_end(struct parser *p)
{
	if (p->in_group)
		emit(p, (struct address){ .kind = ADDRESS_GROUP_END });
}

static void
group_begin(struct parser *p)
{
	group_end(p);
	emit(p, (struct address){
			.kind = ADDRESS_GROUP, .name = str_trim(buf_str(&p->e.phrase)) });
	element_clear(&p->e);
}

/* A token that is a part of a name or an address. */
static void
add(struct parser *p, const struct token *t)
{
	struct element *e = &p->e;
	bool joins = t->kind == SPECIAL && (t->special == '.' || t->special == '@');
	bool apart = t->spaced && e->any && !joins && !e->joined;

	if (!e->angle) {
		size_t before = e->phrase.len;

		if (t->spaced && e->any)
			buf_addc(&e->phrase, ' ');
		add_text(&e->phrase, t);
		if (apart && e->at != NOWHERE)
			e->complete = true;
		else if (apart) {
			buf_clear(&e->addr);
			e->phrase_cut = before;
		}
	}
	if (!e->complete) {
		if (t->kind == SPECIAL && t->special == '@')
			e->at = e->addr.len;
		add_text(&e->addr, t);
	}
	e->any = true;
	e->joined = joins;
}

static void
open_angle(struct parser *p)
{
	struct element *e = &p->e;

	if (e->closed || e->angle)
		finish(p);
	buf_clear(&e->addr);
	e->at = NOWHERE;
	e->angle = true;
	e->complete = e->joined = e->any = false;
}

static void
separator(struct parser *p, char c)
{
	struct element *e = &p->e;
	bool route = e->angle && (c == ':' || (c == ',' && e->addr.len > 0 &&
						      e->addr.data[0] == '@'));

	if (route) { /* RFC 5322 4.4: obs-route is read and ignored */
		if (c == ':') {
			buf_clear(&e->addr);
			e->at = NOWHERE;
		}
		return;
	}
	if (c == ':') {
		group_begin(p);
		return;
	}
	finish(p);
	if (c == ';')
		group_end(p);
}

static void
special(struct parser *p, const struct token *t)
{
	switch (t->special) {
	case '<':
		open_angle(p);
		break;
	case '>':
		if (p->e.angle) {
			p->e.angle = false;
			p->e.closed = true;
		}
		break;
	case ',':
	case ';':
	case ':':
		separator(p, t->special);
		break;
	default:
		if (!p->e.closed)
			add(p, t);
	}
}

static void
run(struct parser *p)
{
	for (;;) {
		struct token t = next_token(&p->lex);

		switch (t.kind) {
		case END:
			finish(p);
			group_end(p);
			return;
		case COMMENT:
			p->e.comment = t.text;
			break;
		case SPECIAL:
			special(p, &t);
			break;
		case WORD:
		case QUOTED:
		case LITERAL:
			if (!p->e.closed)
				add(p, &t);
		}
	}
}

enum rc
address_parse(str value, size_t most, struct arena *mem, struct address_list *out)
{
	struct parser p = { .lex.left = value, .mem = mem, .most = most };

	BUF_AUTO phrase = BUF(2 * value.len + 1);
	BUF_AUTO addr = BUF(2 * value.len + 1);
	p.e.phrase = phrase;
	p.e.addr = addr;
	element_clear(&p.e);
	run(&p);
	phrase = p.e.phrase;
	addr = p.e.addr;
	if (p.rc == RC_OK)
		*out = p.list;
	return p.rc;
}
