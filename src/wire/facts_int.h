/* SPDX-License-Identifier: ISC */
/* facts_int: what facts.c and facts_structure.c share. */
#pragma once

#include "wire/facts.h"
#include "wire/pack.h"

/* Packed, one without parts. */
enum { FACTS_NO_STRUCTURE = 3 };

/* The longest beginning of at most FACTS_STR bytes that ends no character early. */
str facts_cut(str s);
/* Neither NUL nor CR nor LF: strings end up in replies, headers and log lines. */
bool facts_one_line(str s);
enum rc facts_get_envelope(struct pack *p, struct arena *mem, struct fact_envelope *e) MUST_CHECK;
