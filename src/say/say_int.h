/* SPDX-License-Identifier: ISC */
/* say_int: what sentences and templates know of each other. */
#pragma once

#include "base/arena.h"
#include "say/sentences.h"
#include "say/template.h"

enum { SAY_FORMS = 6, SAY_SECTIONS = 8, SAY_STEPS = 1000 * 1000 };

/* What a text is escaped for. */
enum say_form { SAY_HTML, SAY_TEXT };

/*
 * A sentence is read piece by piece.  NAME: {name}.  COUNT: {name|form|form}, of which the number chooses
 * one, with # for the number.
 */
enum piece_kind { PIECE_TEXT, PIECE_NAME, PIECE_COUNT };

struct piece {
	enum piece_kind kind;
	str text;	/* PIECE_TEXT's, otherwise the name */
	size_t nforms;
	str forms[SAY_FORMS];
};

/* RC_NONE: the end.  RC_BAD: no sentence, which sentences_new() has refused. */
enum rc piece_next(str *rest, struct piece *out, struct err *err) MUST_CHECK;

/* A sentence, and by which rule its numbers choose: English's, where it is said in English. */
struct said {
	str text;
	unsigned rule;
};

/* NULL: no such key. */
const struct said *sentences_said(const struct sentences *s, unsigned language, str key);
str sentences_tag(const struct sentences *s, unsigned language);
void sentence_day(const struct sentences *s, unsigned language, uint64_t wall_ms, struct buf *out);

/* The rules of plurals. */
bool plural_find(str name, unsigned *rule);
size_t plural_forms(unsigned rule);
size_t plural_pick(unsigned rule, uint64_t n);

bool say_name(str s);	/* [a-z][a-z0-9_]*, TEMPLATE_NAME bytes at most */
bool say_is_text(const char *file);	/* *.txt */
bool say_is_url(str s);

/* A value: valid UTF-8 comes out whatever goes in; controls become '?', and characters that turn the
 * direction of what follows U+FFFD. */
void say_escape(struct buf *out, enum say_form form, str value);
/* Lines of more than 72 characters are broken at spaces; what is broken goes on behind the spaces and
 * > that its line begins with.  The first line, a letter's subject, stays whole. */
void say_wrap(struct buf *out, str text);

/* Scopes. */
enum entry_kind { ENTRY_VALUE, ENTRY_NUMBER, ENTRY_FLAG, ENTRY_TIME, ENTRY_ISO, ENTRY_DAY, ENTRY_SAY, ENTRY_LIST };

struct entry {
	struct entry *next;
	enum entry_kind kind;
	str name, value;
	uint64_t n;	/* number, flag, time */
	struct scope *first, *last;	/* rows */
};

struct scope {
	struct arena *mem;
	struct scope *up, *next;
	struct scope *root;
	struct entry *entries;
	bool failed;	/* the root's */
};

const struct entry *scope_find(const struct scope *s, str name);
bool entry_holds(const struct entry *e);	/* is {{#name}} to be shown? e may be NULL */

/* Programs. */
enum op {
	OP_TEXT,	/* as it is */
	OP_VALUE,
	OP_URL,	/* a value that is checked */
	OP_SENTENCE,
	OP_EACH,	/* {{#name}}: up to `end` */
	OP_IF,	/* {{?name}}: once */
	OP_NOT,	/* {{^name}} */
	OP_FILE,	/* {{>file}} */
};

struct step {
	enum op op;
	unsigned line;
	str text;	/* the text, the name, the key */
	size_t end;	/* first step behind the section; the number of the file */
};

struct program {
	const char *name;
	enum say_form form;
	struct step *steps;
	size_t n, cap;
};

enum rc template_compile(const struct template_file *f, const struct sentences *s, struct arena *mem,
	struct program *out, struct err *err) MUST_CHECK;

/*
 * Where in HTML something stands.  Literal text goes through html_text(), and html_value(),
 * html_section() say whether a value, a sentence or the border of a section may stand here.
 */
enum html_at { HTML_TEXT, HTML_OPENED, HTML_TAG, HTML_IN_TAG, HTML_NAME, HTML_EQUALS, HTML_QUOTED, HTML_CLOSE,
	HTML_DECLARATION, HTML_SCRIPT };

struct html {
	enum html_at at;
	bool script;	/* in a <script …> tag */
	size_t n;	/* of name[]; in HTML_QUOTED: bytes of the value so far */
	size_t seen;	/* of the </script> that is to come */
	char name[TEMPLATE_NAME];	/* the tag's, then the attribute's */
};

enum rc html_text(struct html *h, char c, struct err *err) MUST_CHECK;
enum rc html_value(struct html *h, str name, bool is_sentence, struct err *err) MUST_CHECK;
enum rc html_section(const struct html *h, struct err *err) MUST_CHECK;
bool html_same(const struct html *a, const struct html *b);
