/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/fs.h"
#include "conf/conf_int.h"

enum { MOST_LINE = 4096, MOST_FILE = 1 << 20, MOST_ROWS = 256 };

struct held {
	struct conf conf; /* first, so that a pointer to it is one to us */
	atomic_uint refs;
	struct arena *mem;
};

struct reading {
	struct held *held;
	const char *file;
	unsigned line;
	const char *section; /* as the table writes it */
	bool given[MOST_ROWS];
};

static enum rc
said(const struct reading *r, struct err *err)
{
	char where[120];

	(void)snprintf(where, sizeof(where), "%.100s:%u", r->file, r->line);
	return err_wrap(err, where);
}

/* Well-formed UTF-8 (RFC 3629 4) without control characters but the tab. */
static bool
is_text(str s)
{
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.ptr[i++];
		unsigned more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;
		uint32_t code = more == 0 ? c : c & (0x3fu >> more);

		if ((c < ' ' && c != '\t') || c == 0x7f || (c >= 0x80 && c < 0xc2) ||
			c > 0xf4)
			return false;
		for (; more > 0; more--) {
			if (i == s.len || ((unsigned char)s.ptr[i] & 0xc0) != 0x80)
				return false;
			code = code << 6 | ((unsigned char)s.ptr[i++] & 0x3f);
			if (more == 1 && c >= 0xe0 &&
				(code < (c < 0xf0 ? 0x800u : 0x10000u) ||
					code > 0x10ffff ||
					(code >= 0xd800 && code < 0xe000)))
				return false;
		}
	}
	return true;
}

static enum rc
enter_section(struct reading *r, str line, struct err *err)
{
	if (line.ptr[line.len - 1] != ']')
		return err_set(err, RC_BAD, "a section is written [name]");
	str name = str_trim((str){ line.ptr + 1, line.len - 2 });
	for (const struct conf_row *row = conf_rows; row->name != NULL; row++) {
		if (!str_empty(name) && str_eq(name, str_of(row->section))) {
			r->section = row->section;
			return RC_OK;
		}
	}
	return err_set(err, RC_BAD, "there is no section [" STR_FMT "]",
		STR_ARG(str_first(name, 60)));
}

static const struct conf_row *
row_find(const char *section, str name)
{
	for (const struct conf_row *row = conf_rows; row->name != NULL; row++)
		if (strcmp(row->section, section) == 0 && str_eq(name, str_of(row->name)))
			return row;
	return NULL;
}

static enum rc
set_line(struct reading *r, str line, struct err *err)
{
	str rest = line, name;

	if (str_find(line, STR("=")) == line.len)
		return err_set(err, RC_BAD, "neither `key = value` nor `[section]`");
	(void)str_cut(&rest, '=', &name);
	name = str_trim(name);
	const struct conf_row *row = row_find(r->section, name);
	if (row == NULL)
		return err_set(err, RC_BAD,
			"there is no setting \"" STR_FMT "\" in %s%s%s",
			STR_ARG(str_first(name, 60)), r->section[0] == '\0' ? "" : "[",
			r->section[0] == '\0' ? "the part before the first [section]"
					      : r->section,
			r->section[0] == '\0' ? "" : "]");
	bool *given = &r->given[row - conf_rows];
	if (*given)
		return err_set(err, RC_BAD, "%s is given twice", row->name);
	*given = true;
	str value;
	if (arena_copy(r->held->mem, str_trim(rest), &value) != RC_OK)
		return err_set(err, RC_BAD, "the file is too large");
	return conf_value_set(row, value, &r->held->conf, err);
}

static enum rc
one_line(struct reading *r, str line, struct err *err)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (line.len > MOST_LINE)
		return err_set(
			err, RC_BAD, "the line is longer than %d bytes", MOST_LINE);
	if (!is_text(line))
		return err_set(err, RC_BAD, "the line is not UTF-8 text");
	line = str_trim(line);
	if (str_empty(line) || line.ptr[0] == '#')
		return RC_OK;
	return line.ptr[0] == '[' ? enter_section(r, line, err) : set_line(r, line, err);
}

/* A row whose default breaks its own bounds must be given. */
static enum rc
set_standards(struct reading *r, struct err *err)
{
	for (const struct conf_row *row = conf_rows; row->name != NULL; row++) {
		if (r->given[row - conf_rows])
			continue;
		if (conf_value_set(row, str_of(row->standard), &r->held->conf, NULL) !=
			RC_OK)
			return err_set(err, RC_BAD, "%s: `%s = ...` is missing", r->file,
				row->name);
	}
	return RC_OK;
}

static enum rc
read_text(struct reading *r, str text, struct err *err)
{
	enum rc rc;
	str line;

	if (text.len > MOST_FILE)
		return err_set(err, RC_BAD, "%s is larger than 1 MiB", r->file);
	while (str_cut(&text, '\n', &line)) {
		r->line++;
		if ((rc = one_line(r, line, err)) != RC_OK)
			return said(r, err);
	}
	if ((rc = set_standards(r, err)) != RC_OK)
		return rc;
	if (conf_check(&r->held->conf, err) != RC_OK)
		return err_wrap(err, r->file);
	return RC_OK;
}

enum rc
conf_parse(str text, const char *file, const struct conf **out, struct err *err)
{
	struct held *held = calloc(1, sizeof(*held));
	struct reading r = { .held = held, .file = file, .section = "" };

	if (held == NULL)
		abort();
	atomic_init(&held->refs, 1);
	held->mem = arena_new(2 * MOST_FILE);
	enum rc rc = read_text(&r, text, err);
	const struct conf *c = &held->conf;
	if (rc != RC_OK)
		conf_drop(&c);
	else
		*out = c;
	return rc;
}

enum rc
conf_load(const char *path, const struct conf **out, struct err *err)
{
	char *text;
	size_t len;
	enum rc rc = fs_read_all(AT_FDCWD, path, MOST_FILE, &text, &len, err);

	if (rc != RC_OK)
		return rc;
	rc = conf_parse((str){ text, len }, path, out, err);
	free(text);
	return rc;
}

static struct held *
held_of(const struct conf *c)
{
	return (struct held *)(uintptr_t)c;
}

const struct conf *
conf_keep(const struct conf *c)
{
	(void)atomic_fetch_add(&held_of(c)->refs, 1);
	return c;
}

void
conf_drop(const struct conf **cp)
{
	struct held *held = held_of(*cp);

	*cp = NULL;
	if (held == NULL || atomic_fetch_sub(&held->refs, 1) != 1)
		return;
	arena_free(&held->mem);
	free(held);
}

unsigned
conf_scanners(const struct conf *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (c->limits.scanners != 0)
		return (unsigned)c->limits.scanners;
	return cores < 1 ? 1 : cores > 64 ? 64 : (unsigned)cores;
}

unsigned
conf_port(const struct conf *c, unsigned standard)
{
	return standard + (unsigned)c->server.port_offset;
}

void
conf_link_base(const struct conf *c, char out[320])
{
	str host = str_empty(c->server.link_host) ? c->server.hostname
						  : c->server.link_host;
	unsigned port = conf_port(c, 443);

	if (port == 443)
		(void)snprintf(out, 320, "https://" STR_FMT "/r/", STR_ARG(host));
	else
		(void)snprintf(
			out, 320, "https://" STR_FMT ":%u/r/", STR_ARG(host), port);
}
