/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "base/clock.h"
#include "say/say_int.h"

struct scope *
scope_new(struct arena *mem)
{
	struct scope *s = arena_new_of(mem, struct scope);

	if (s == NULL)
		return NULL;
	s->mem = mem;
	s->root = s;
	return s;
}

bool
scope_ok(const struct scope *s)
{
	return s != NULL && !s->root->failed;
}

/* The entry of that name here, a new one if there is none. */
static struct entry *
entry_of(struct scope *s, const char *name, enum entry_kind kind)
{
	struct entry *e;

	if (s == NULL)
		return NULL;
	assert(say_name(str_of(name)));
	for (e = s->entries; e != NULL; e = e->next)
		if (str_eq(e->name, str_of(name)))
			break;
	if (e == NULL) {
		e = arena_new_of(s->mem, struct entry);
		if (e == NULL) {
			s->root->failed = true;
			return NULL;
		}
		e->next = s->entries;
		s->entries = e;
		e->name = str_of(name);
	} else {
		assert(kind != ENTRY_LIST || e->kind == ENTRY_LIST);
	}
	e->kind = kind;
	return e;
}

void
scope_set(struct scope *s, const char *name, str value)
{
	struct entry *e = entry_of(s, name, ENTRY_VALUE);

	if (e != NULL)
		e->value = value;
}

void
scope_say(struct scope *s, const char *name, str key)
{
	struct entry *e = entry_of(s, name, ENTRY_SAY);

	if (e != NULL)
		e->value = key;
}

void
scope_number(struct scope *s, const char *name, uint64_t n)
{
	struct entry *e = entry_of(s, name, ENTRY_NUMBER);

	if (e != NULL)
		e->n = n;
}

void
scope_flag(struct scope *s, const char *name, bool on)
{
	struct entry *e = entry_of(s, name, ENTRY_FLAG);

	if (e != NULL)
		e->n = on;
}

static void
set_time(struct scope *s, str name, const char *end, enum entry_kind kind, uint64_t ms)
{
	char full[TEMPLATE_NAME + 1];
	struct entry *e;
	str kept;

	(void)snprintf(full, sizeof(full), STR_FMT "%s", STR_ARG(name), end);
	if (arena_copy(s->mem, str_of(full), &kept) != RC_OK) {
		s->root->failed = true;
		return;
	}
	e = entry_of(s, kept.ptr, kind);
	if (e != NULL)
		e->n = ms;
}

void
scope_time(struct scope *s, const char *name, uint64_t wall_ms)
{
	if (s == NULL)
		return;
	assert(strlen(name) + 4 <= TEMPLATE_NAME);
	set_time(s, str_of(name), "", ENTRY_TIME, wall_ms);
	set_time(s, str_of(name), "_day", ENTRY_DAY, wall_ms);
	set_time(s, str_of(name), "_iso", ENTRY_ISO, wall_ms);
}

struct scope *
scope_row(struct scope *s, const char *list)
{
	struct entry *e = entry_of(s, list, ENTRY_LIST);
	struct scope *row;

	if (e == NULL)
		return NULL;
	row = arena_new_of(s->mem, struct scope);
	if (row == NULL) {
		s->root->failed = true;
		return NULL;
	}
	row->mem = s->mem;
	row->up = s;
	row->root = s->root;
	if (e->last == NULL)
		e->first = row;
	else
		e->last->next = row;
	e->last = row;
	return row;
}

const struct entry *
scope_find(const struct scope *s, str name)
{
	for (; s != NULL; s = s->up)
		for (const struct entry *e = s->entries; e != NULL; e = e->next)
			if (str_eq(e->name, name))
				return e;
	return NULL;
}

bool
entry_holds(const struct entry *e)
{
	if (e == NULL)
		return false;
	switch (e->kind) {
	case ENTRY_LIST:
		return e->first != NULL;
	case ENTRY_VALUE:
		return e->value.len > 0;
	case ENTRY_NUMBER:
	case ENTRY_FLAG:
	case ENTRY_TIME:
	case ENTRY_ISO:
	case ENTRY_DAY:
		return e->n != 0;
	case ENTRY_SAY:
		return true;
	}
	abort();
}
