/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "say/say_int.h"

enum { MEMORY = 8 * 1024 * 1024, FILES = 100 };

struct templates {
	struct arena *mem;
	const struct sentences *sentences;
	size_t n;
	struct program *programs;
};

/* While one is filled in. */
struct filling {
	const struct templates *t;
	const struct program *program;
	unsigned language;
	unsigned steps; /* a list in a list in a list: an end all the same */
	struct buf *out;
	struct err *err;
};

static const struct program *
program_of(const struct templates *t, str name)
{
	for (size_t i = 0; i < t->n; i++)
		if (str_eq(str_of(t->programs[i].name), name))
			return &t->programs[i];
	return NULL;
}

/* Files that are put in become numbers. */
static enum rc
link_files(struct templates *t, struct program *p, struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct program *other;

		if (p->steps[i].op != OP_FILE)
			continue;
		other = program_of(t, p->steps[i].text);
		if (other == NULL)
			return err_set(err, RC_BAD, "%s:%u: there is no file " STR_FMT,
				p->name, p->steps[i].line,
				STR_ARG(str_first(p->steps[i].text, 60)));
		p->steps[i].end = (size_t)(other - t->programs);
	}
	return RC_OK;
}

/* How many files deep it goes, from those that are known (`deep`): round after round, so that a
 * circle never ends. */
static bool
deepen(const struct templates *t, unsigned *deep)
{
	bool more = false;

	for (size_t f = 0; f < t->n; f++) {
		const struct program *p = &t->programs[f];

		for (size_t i = 0; i < p->n; i++) {
			if (p->steps[i].op != OP_FILE || deep[f] > deep[p->steps[i].end])
				continue;
			deep[f] = deep[p->steps[i].end] + 1;
			more = true;
		}
	}
	return more;
}

static enum rc
check_depth(const struct templates *t, struct err *err)
{
	unsigned deep[FILES] = { 0 };

	for (unsigned round = 0; round <= TEMPLATE_DEEP; round++)
		if (!deepen(t, deep))
			break;
	for (size_t f = 0; f < t->n; f++)
		if (deep[f] >= TEMPLATE_DEEP)
			return err_set(err, RC_BAD,
				"%s: files in files in files, too deep",
				t->programs[f].name);
	return RC_OK;
}

static enum rc
compile_all(
	struct templates *t, const struct template_file *files, size_t n, struct err *err)
{
	enum rc rc;

	if (n > FILES)
		return err_set(err, RC_BAD, "templates: too many files");
	t->programs = arena_array(t->mem, n + 1, sizeof(struct program));
	if (t->programs == NULL)
		return err_set(err, RC_BAD, "templates: too much text");
	for (; t->n < n; t->n++) {
		if (program_of(t, str_of(files[t->n].name)) != NULL)
			return err_set(err, RC_BAD, "%s: there twice", files[t->n].name);
		if ((rc = template_compile(&files[t->n], t->sentences, t->mem,
			     &t->programs[t->n], err)) != RC_OK)
			return rc;
	}
	for (size_t i = 0; i < n; i++)
		if ((rc = link_files(t, &t->programs[i], err)) != RC_OK)
			return rc;
	return check_depth(t, err);
}

enum rc
templates_new(const struct template_file *files, size_t n, const struct sentences *s,
	struct templates **out, struct err *err)
{
	struct templates *t = calloc(1, sizeof(*t));
	enum rc rc;

	if (t == NULL)
		abort();
	t->mem = arena_new(MEMORY);
	t->sentences = s;
	rc = compile_all(t, files, n, err);
	if (rc == RC_OK)
		*out = t;
	else
		templates_free(&t);
	return rc;
}

void
templates_free(struct templates **tp)
{
	if (*tp == NULL)
		return;
	arena_free(&(*tp)->mem);
	free(*tp);
	*tp = NULL;
}

static enum rc
failed(const struct filling *f, unsigned line, const char *what, str which)
{
	return err_set(f->err, RC_PERM, "%s:%u: %s: " STR_FMT, f->program->name, line,
		what, STR_ARG(str_first(which, 60)));
}

/* Text: what a value says in further lines stays behind the "> " of its first, or in the
 * line. */
static void
put_lines(struct filling *f, str value)
{
	size_t begin = f->out->len, i;
	char prefix[16];
	str line;

	while (begin > 0 && f->out->data[begin - 1] != '\n')
		begin--;
	for (i = begin;
		i < f->out->len && (f->out->data[i] == ' ' || f->out->data[i] == '>');
		i++)
		;
	if (i < f->out->len || i - begin > sizeof(prefix))
		i = begin;
	memcpy(prefix, f->out->data == NULL ? "" : f->out->data + begin, i - begin);
	while (str_cut(&value, '\n', &line)) {
		say_escape(f->out, SAY_TEXT, line);
		if (value.len == 0)
			return;
		buf_addc(f->out, i > begin ? '\n' : ' ');
		buf_add(f->out, (str){ prefix, i - begin });
	}
}

static void
put_value(struct filling *f, str value)
{
	if (f->program->form == SAY_HTML)
		say_escape(f->out, SAY_HTML, value);
	else
		put_lines(f, value);
}

static enum rc put_sentence(
	struct filling *f, const struct scope *s, unsigned line, str key, bool inner);

/* A value of any kind as text. */
static enum rc
put_entry(struct filling *f, const struct scope *s, unsigned line, str name, bool inner)
{
	const struct entry *e = scope_find(s, name);
	BUF_AUTO text = BUF(SENTENCE_MOST);
	char iso[CLOCK_TEXT];

	if (e == NULL)
		return failed(f, line, "nobody has set this value", name);
	switch (e->kind) {
	case ENTRY_VALUE:
		put_value(f, e->value);
		return RC_OK;
	case ENTRY_NUMBER:
		buf_addu(f->out, e->n);
		return RC_OK;
	case ENTRY_TIME:
		sentence_time(f->t->sentences, f->language, e->n, &text);
		put_value(f, buf_str(&text));
		return RC_OK;
	case ENTRY_DAY:
		sentence_day(f->t->sentences, f->language, e->n, &text);
		put_value(f, buf_str(&text));
		return RC_OK;
	case ENTRY_ISO:
		clock_text(e->n, iso);
		put_value(f, str_of(iso));
		return RC_OK;
	case ENTRY_SAY:
		return inner ? failed(f, line, "a sentence in a sentence in a sentence",
				       name)
			     : put_sentence(f, s, line, e->value, true);
	case ENTRY_FLAG:
	case ENTRY_LIST:
		return failed(f, line, "a flag or a list is no value", name);
	}
	abort();
}

/* {name|form|form}: the form that goes with the number, # being the number. */
static enum rc
put_count(struct filling *f, const struct scope *s, unsigned line, const struct piece *p,
	unsigned rule)
{
	const struct entry *e = scope_find(s, p->text);
	str form;

	if (e == NULL || e->kind != ENTRY_NUMBER)
		return failed(f, line, "nobody has set this number", p->text);
	form = p->forms[plural_pick(rule, e->n)];
	while (form.len > 0) {
		str before = str_first(form, str_find(form, STR("#")));

		put_value(f, before);
		if (before.len < form.len)
			buf_addu(f->out, e->n);
		form = str_skip(form, before.len + 1);
	}
	return RC_OK;
}

/* `inner`: it is said for a value of another one. */
static enum rc
put_sentence(struct filling *f, const struct scope *s, unsigned line, str key, bool inner)
{
	const struct said *said = sentences_said(f->t->sentences, f->language, key);
	struct piece p;
	str rest;
	enum rc rc;

	if (said == NULL)
		return failed(f, line, "there is no such sentence", key);
	rest = said->text;
	while (piece_next(&rest, &p, NULL) == RC_OK) {
		if (p.kind == PIECE_TEXT) {
			put_value(f, p.text);
			continue;
		}
		rc = p.kind == PIECE_NAME ? put_entry(f, s, line, p.text, inner)
					  : put_count(f, s, line, &p, said->rule);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
put_url(struct filling *f, const struct scope *s, const struct step *step)
{
	const struct entry *e = scope_find(s, step->text);

	if (e == NULL || e->kind != ENTRY_VALUE)
		return failed(f, step->line, "nobody has set this URL", step->text);
	if (!say_is_url(e->value))
		return failed(f, step->line, "this is no URL", step->text);
	put_value(f, e->value);
	return RC_OK;
}

static enum rc put_steps(
	struct filling *f, const struct scope *s, size_t from, size_t to);

static enum rc
put_each(struct filling *f, const struct scope *s, size_t at)
{
	const struct step *step = &f->program->steps[at];
	const struct entry *e = scope_find(s, step->text);
	enum rc rc = RC_OK;

	if (!entry_holds(e))
		return RC_OK;
	if (e->kind != ENTRY_LIST)
		return put_steps(f, s, at + 1, step->end);
	for (const struct scope *row = e->first; row != NULL && rc == RC_OK;
		row = row->next)
		rc = put_steps(f, row, at + 1, step->end);
	return rc;
}

static enum rc
put_file(struct filling *f, const struct scope *s, const struct step *step)
{
	const struct program *before = f->program;
	enum rc rc;

	f->program = &f->t->programs[step->end];
	rc = put_steps(f, s, 0, f->program->n);
	f->program = before;
	return rc;
}

static enum rc
put_step(struct filling *f, const struct scope *s, size_t at)
{
	const struct step *step = &f->program->steps[at];

	switch (step->op) {
	case OP_TEXT:
		buf_add(f->out, step->text);
		return RC_OK;
	case OP_VALUE:
		if (str_eq(step->text, STR("lang"))) {
			put_value(f, sentences_tag(f->t->sentences, f->language));
			return RC_OK;
		}
		return put_entry(f, s, step->line, step->text, false);
	case OP_URL:
		return put_url(f, s, step);
	case OP_SENTENCE:
		return put_sentence(f, s, step->line, step->text, false);
	case OP_EACH:
		return put_each(f, s, at);
	case OP_IF:
	case OP_NOT:
		if (entry_holds(scope_find(s, step->text)) != (step->op == OP_IF))
			return RC_OK;
		return put_steps(f, s, at + 1, step->end);
	case OP_FILE:
		return put_file(f, s, step);
	}
	abort();
}

static enum rc
put_steps(struct filling *f, const struct scope *s, size_t from, size_t to)
{
	enum rc rc = RC_OK;

	for (size_t i = from; i < to && rc == RC_OK; i++) {
		const struct step *step = &f->program->steps[i];

		if (++f->steps > SAY_STEPS || !buf_ok(f->out))
			return err_set(f->err, RC_LIMIT, "%s: this page is too long",
				f->program->name);
		rc = put_step(f, s, i);
		if (step->op == OP_EACH || step->op == OP_IF || step->op == OP_NOT)
			i = step->end - 1;
	}
	return rc;
}

enum rc
template_put(const struct templates *t, const char *file, unsigned language,
	const struct scope *s, struct buf *out, struct err *err)
{
	const struct program *p = program_of(t, str_of(file));
	BUF_AUTO text = BUF(out->limit);
	struct filling f = {
		.t = t, .program = p, .language = language, .out = &text, .err = err
	};
	enum rc rc;

	assert(p != NULL);
	if (!scope_ok(s))
		return err_set(err, RC_LIMIT, "%s: too many values", file);
	if ((rc = put_steps(&f, s, 0, p->n)) != RC_OK)
		return rc;
	if (p->form == SAY_TEXT)
		say_wrap(out, buf_str(&text));
	else
		buf_add(out, buf_str(&text));
	if (!buf_ok(&text) || !buf_ok(out))
		return err_set(err, RC_LIMIT, "%s: this page is too long", file);
	return RC_OK;
}
