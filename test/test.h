/* SPDX-License-Identifier: ISC */
/*
 * test: cmocka, and TEST(name) that registers itself.
 *
 *	TEST(what_a_user_would_lose) { assert_int_equal(...); }
 *
 * A test program takes one argument, a part of a name: only those tests run.
 * test_folder() gives a fresh folder that is removed when the program ends.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

void test_register(const char *name, void (*fn)(void **state));
const char *test_folder(void);		/* absolute path; a new one each call */

#define TEST(name) \
	static void name(void **state); \
	__attribute__((constructor)) static void register_##name(void) \
	{ \
		test_register(#name, name); \
	} \
	static void name(__attribute__((unused)) void **state)
