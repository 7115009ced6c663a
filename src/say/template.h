/* SPDX-License-Identifier: ISC */
/*
 * template: pages and letters as files of ui/, filled in.
 *
 *	{{name}}		a value, escaped for where it stands (below)
 *	{{=key}}		a sentence in the reader's language (sentences.h); its {name} are values
 *	{{#name}} … {{/name}}	for each row of the list; once for a flag that is set or a value that is not ""
 *	{{^name}} … {{/name}}	if there is no row, flag or value
 *	{{>file}}		another template, at most 8 deep
 *
 * Names are [a-z][a-z0-9_]*; one that is unknown in a row is looked for around it, and one that is
 * unknown everywhere is a mistake of ours that a test finds: template_check().  There is no way to put a
 * value in unescaped.  HTML: & < > " ' ` become references, which is right between tags and in quoted
 * attributes, the only places where template_check() lets a value stand; in href and src only values
 * whose name ends in _url may stand, which must begin with "/" (not "//") or "https://".  Text
 * (files named *.txt): control characters but TAB and LF become "?".
 *
 * Templates are compiled once, at start, and then never change: any thread.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum { TEMPLATE_MOST = 64 * 1024, TEMPLATE_NAME = 32, TEMPLATE_DEEP = 8 };

struct templates;
struct sentences;

struct template_file {
	const char *name;	/* "refusal.html" */
	str text;
};

/* RC_BAD: err says which file, line and why. */
enum rc templates_new(const struct template_file *files, size_t n, const struct sentences *s,
	struct templates **out, struct err *err) MUST_CHECK;
void templates_free(struct templates **tp);

/* What is put in: names and values in an arena, that must live until the page is made. */
struct scope;
struct scope *scope_new(struct arena *mem);	/* NULL: the arena is full, as below */
void scope_set(struct scope *s, const char *name, str value);	/* the view must live on */
void scope_flag(struct scope *s, const char *name, bool on);
struct scope *scope_row(struct scope *s, const char *list);	/* a further row */
bool scope_ok(const struct scope *s);	/* false: the arena was full at some point */

/* RC_LIMIT: the buffer's.  RC_PERM: a value of a name_url that is no URL.  `language`: sentences_pick()'s. */
enum rc template_put(const struct templates *t, const char *file, unsigned language,
	const struct scope *s, struct buf *out, struct err *err) MUST_CHECK;
