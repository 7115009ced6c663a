/* SPDX-License-Identifier: ISC */
#include "say/say_int.h"

enum { STEPS = 4000 };

struct section {
	size_t step;
	struct html html;
};

struct compiling {
	const struct template_file *file;
	const struct sentences *sentences;
	struct arena *mem;
	struct program *out;
	struct html html;
	struct section open[SAY_SECTIONS];
	size_t nopen;
	size_t at; /* in the file */
	unsigned line;
	struct err *err;
};

static enum rc
bad(const struct compiling *c, const char *what, str which)
{
	return err_set(c->err, RC_BAD, "%s:%u: %s%s" STR_FMT, c->file->name, c->line,
		what, which.len > 0 ? ": " : "", STR_ARG(str_first(which, 60)));
}

static enum rc
add_step(struct compiling *c, enum op op, str text)
{
	struct program *p = c->out;

	if (p->n == p->cap) {
		size_t cap = p->cap == 0 ? 64 : p->cap * 2;
		struct step *grown = cap > STEPS
					     ? NULL
					     : arena_array(c->mem, cap, sizeof(*grown));

		if (grown == NULL)
			return bad(c, "this template is too long", STR(""));
		if (p->n > 0)
			memcpy(grown, p->steps, p->n * sizeof(*grown));
		p->steps = grown;
		p->cap = cap;
	}
	p->steps[p->n++] = (struct step){ .op = op, .line = c->line, .text = text };
	return RC_OK;
}

/* Literal text; lines are counted here. */
static enum rc
literal(struct compiling *c, str text)
{
	struct err why = { 0 };

	if (text.len == 0)
		return RC_OK;
	for (size_t i = 0; i < text.len; i++) {
		if (c->out->form == SAY_HTML &&
			html_text(&c->html, text.ptr[i], &why) != RC_OK)
			return bad(c, why.text, STR(""));
		c->line += text.ptr[i] == '\n';
	}
	return add_step(c, OP_TEXT, text);
}

static enum rc
value(struct compiling *c, str name, bool is_sentence)
{
	struct err why = { 0 };
	enum op op = is_sentence ? OP_SENTENCE : OP_VALUE;

	if (!is_sentence && name.len > 4 &&
		str_eq(str_skip(name, name.len - 4), STR("_url")))
		op = OP_URL;
	if (is_sentence && sentences_said(c->sentences, 0, name) == NULL)
		return bad(c, "there is no such sentence", name);
	if (c->out->form == SAY_HTML &&
		html_value(&c->html, name, is_sentence, &why) != RC_OK)
		return bad(c, why.text, name);
	return add_step(c, op, name);
}

static enum rc
open_section(struct compiling *c, enum op op, str name)
{
	struct err why = { 0 };

	if (c->nopen == SAY_SECTIONS)
		return bad(c, "sections are too deep", name);
	if (c->out->form == SAY_HTML && html_section(&c->html, &why) != RC_OK)
		return bad(c, why.text, name);
	c->open[c->nopen++] = (struct section){ c->out->n, c->html };
	return add_step(c, op, name);
}

static enum rc
close_section(struct compiling *c, str name)
{
	struct section *s;

	if (c->nopen == 0)
		return bad(c, "nothing is open that this would end", name);
	s = &c->open[--c->nopen];
	if (!str_eq(c->out->steps[s->step].text, name))
		return bad(c, "another section is open", c->out->steps[s->step].text);
	if (!html_same(&s->html, &c->html))
		return bad(c,
			"a section ends where it began: in text, in a tag or in an attribute",
			name);
	c->out->steps[s->step].end = c->out->n;
	return RC_OK;
}

static enum rc
include(struct compiling *c, str file)
{
	if (c->out->form == SAY_HTML && c->html.at != HTML_TEXT)
		return bad(c, "a file is put in between tags", file);
	if (c->out->form !=
		(str_ieq(str_skip(file, file.len < 4 ? 0 : file.len - 4), STR(".txt"))
				? SAY_TEXT
				: SAY_HTML))
		return bad(c, "a file of the other kind", file);
	return add_step(c, OP_FILE, file);
}

/* What stands in {{…}}. */
static enum rc
tag(struct compiling *c, str in)
{
	char kind = in.len > 0 ? in.ptr[0] : '\0';
	bool plain = (kind >= 'a' && kind <= 'z') || kind == '\0';
	str name = plain ? in : str_trim(str_skip(in, 1));

	if (kind == '!')
		return RC_OK;
	if (kind == '>')
		return include(c, name);
	if (!say_name(name))
		return bad(c, "this is no name", name);
	switch (kind) {
	case '=':
		return value(c, name, true);
	case '#':
		return open_section(c, OP_EACH, name);
	case '?':
		return open_section(c, OP_IF, name);
	case '^':
		return open_section(c, OP_NOT, name);
	case '/':
		return close_section(c, name);
	default:
		return plain ? value(c, name, false)
			     : bad(c, "a tag begins with a name or = # ? ^ / > !", in);
	}
}

/* Does a tag that puts nothing in stand alone in its line?  Then the line is not there. */
static bool
alone(str text, size_t open, size_t close, size_t *begin, size_t *end)
{
	*begin = open;
	*end = close;
	if (open + 2 >= text.len || memchr("#?^/>!", text.ptr[open + 2], 6) == NULL)
		return false;
	while (*begin > 0 &&
		(text.ptr[*begin - 1] == ' ' || text.ptr[*begin - 1] == '\t'))
		(*begin)--;
	while (*end < text.len && (text.ptr[*end] == ' ' || text.ptr[*end] == '\t'))
		(*end)++;
	if ((*begin > 0 && text.ptr[*begin - 1] != '\n') ||
		(*end < text.len && text.ptr[*end] != '\n'))
		return false;
	if (*end < text.len)
		(*end)++;
	return true;
}

static enum rc
next(struct compiling *c)
{
	str text = c->file->text, rest = str_skip(text, c->at), in;
	size_t open = c->at + str_find(rest, STR("{{")), close, begin, end;
	enum rc rc;

	if (open == text.len) {
		c->at = text.len;
		return literal(c, rest);
	}
	in = str_skip(text, open + 2);
	close = open + 2 + str_find(in, STR("}}"));
	if (close == text.len)
		return bad(c, "{{ without }}", STR(""));
	in = str_first(in, close - open - 2);
	close += 2;
	if (!alone(text, open, close, &begin, &end) || begin < c->at) {
		begin = open;
		end = close;
	}
	if ((rc = literal(c, str_first(rest, begin - c->at))) != RC_OK ||
		(rc = tag(c, in)) != RC_OK)
		return rc;
	for (size_t i = begin; i < end; i++)
		c->line += text.ptr[i] == '\n';
	c->at = end;
	return RC_OK;
}

enum rc
template_compile(const struct template_file *f, const struct sentences *s,
	struct arena *mem, struct program *out, struct err *err)
{
	struct compiling c = {
		.file = f, .sentences = s, .mem = mem, .out = out, .line = 1, .err = err
	};
	enum rc rc;

	*out = (struct program){ .name = f->name,
		.form = say_is_text(f->name) ? SAY_TEXT : SAY_HTML };
	if (f->text.len > TEMPLATE_MOST)
		return bad(&c, "this template is too long", STR(""));
	while (c.at < f->text.len)
		if ((rc = next(&c)) != RC_OK)
			return rc;
	if (c.nopen > 0)
		return bad(&c, "a section is not ended",
			out->steps[c.open[c.nopen - 1].step].text);
	if (c.html.at != HTML_TEXT)
		return bad(&c, "a template ends between tags", STR(""));
	return RC_OK;
}
