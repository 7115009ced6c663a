/* SPDX-License-Identifier: ISC */
/*
 * template: pages and letters as files of ui/, filled in.
 *
 *	{{name}}		a value, escaped for where it stands (below)
 *	{{=key}}		a sentence in the reader's language (sentences.h); its {name} are values
 *	{{#name}} … {{/name}}	for each row of the list; once for a flag that is set, a value that is not ""
 *				and a number or time that is not 0
 *	{{?name}} … {{/name}}	once if there is any of that
 *	{{^name}} … {{/name}}	if there is none
 *	{{>file}}		another template, at most 8 deep
 *	{{! comment }}
 *
 * Names are [a-z][a-z0-9_]*; one that is unknown in a row is looked for around it.  A flag or list that
 * nobody set is not there; a value that nobody set is a mistake of ours, RC_PERM, that a test finds.
 * {{lang}} is always known: the language's tag.  A tag that puts nothing in, alone in its line, takes the line with it.
 *
 * There is no way to put a value in unescaped.  HTML: & < > " ' become references, which is right between tags and
 * in double-quoted attributes, the only places where templates_new() lets a value stand; in href and
 * src only values whose name ends in _url may stand, which must begin with "/" (not "//") or "https://".
 * Scripts, styles and on… attributes are refused.  Both kinds: control characters but TAB and LF become "?", and
 * what is no UTF-8 or turns the direction of writing becomes U+FFFD.
 *
 * Text (files named *.txt): the first line is a letter's subject; the others are broken at 72 columns and go
 * on behind the spaces and > that they begin with, as further lines of a value do; elsewhere LF in a
 * value becomes a space.
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

/* RC_BAD: err says which file, line and why.  Files and sentences must live on. */
enum rc templates_new(const struct template_file *files, size_t n, const struct sentences *s,
	struct templates **out, struct err *err) MUST_CHECK;
void templates_free(struct templates **tp);

/* What is put in: names and values in an arena, that must live until the page is made. */
struct scope;
struct scope *scope_new(struct arena *mem);	/* NULL: the arena is full, as below */
void scope_set(struct scope *s, const char *name, str value);	/* the view must live on */
void scope_flag(struct scope *s, const char *name, bool on);
void scope_number(struct scope *s, const char *name, uint64_t n);
/* `name` as people write it, and name_day without the hour, name_iso for <time datetime>. */
void scope_time(struct scope *s, const char *name, uint64_t wall_ms);
/* A value that is a sentence: "reason_virus". */
void scope_say(struct scope *s, const char *name, str key);
struct scope *scope_row(struct scope *s, const char *list);	/* a further row */
bool scope_ok(const struct scope *s);	/* false: the arena was full at some point */

/* RC_LIMIT: the buffer's, the arena's.  RC_PERM: a value that nobody set, a name_url that is no URL.  Nothing is put
 * into `out` then.  `language`: its number in sentences_tags(). */
enum rc template_put(const struct templates *t, const char *file, unsigned language,
	const struct scope *s, struct buf *out, struct err *err) MUST_CHECK;
