/* SPDX-License-Identifier: ISC */
#include "crypto/seal.h"

#include <stdlib.h>

#include "base/ids.h"
#include "crypto/digest.h"
#include "test/test.h"

enum { SEALED = SEAL_PIECE + SEAL_TAG };

static str
view(const void *p, size_t len)
{
	return (str){ p, len };
}

static void
fill(char *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (char)(i % 251);
}

/* A file of two pieces: a whole one and "the last piece". */
struct sealed {
	uint8_t public_key[SEAL_PUBLIC], private_key[SEAL_PRIVATE], wrapped[SEAL_WRAPPED];
	char plain[SEAL_PIECE], first[SEALED], last[14 + SEAL_TAG];
};

static struct sealed *
seal_two(void)
{
	struct sealed *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	seal_make_keys(t->public_key, t->private_key);
	fill(t->plain, sizeof(t->plain));
	struct seal *s = seal_new(t->public_key, STR("about"), t->wrapped);
	seal_piece(s, view(t->plain, sizeof(t->plain)), false, t->first);
	seal_piece(s, STR("the last piece"), true, t->last);
	seal_free(&s);
	assert_null(s);
	return t;
}

static struct seal *
open_it(const struct sealed *t)
{
	struct seal *s;

	assert_int_equal(
		seal_open(t->private_key, STR("about"), t->wrapped, &s, NULL), RC_OK);
	return s;
}

/* What the pieces of t, in this order, give. */
static enum rc
unpiece(const struct sealed *t, const char *piece, size_t len, bool last)
{
	char *out = malloc(SEALED);
	struct err err = { 0 };
	struct seal *s = open_it(t);
	enum rc rc = seal_unpiece(s, view(piece, len), last, out, &err);

	assert_true((rc == RC_OK) == (err.text[0] == '\0'));
	seal_free(&s);
	free(out);
	return rc;
}

TEST(what_was_sealed_can_be_read_with_the_private_key)
{
	struct sealed *t = seal_two();
	struct seal *s = open_it(t);
	char *out = malloc(SEALED);

	assert_int_equal(
		seal_unpiece(s, view(t->first, SEALED), false, out, NULL), RC_OK);
	assert_memory_equal(out, t->plain, SEAL_PIECE);
	assert_int_equal(
		seal_unpiece(s, view(t->last, sizeof(t->last)), true, out, NULL), RC_OK);
	assert_memory_equal(out, "the last piece", 14);
	seal_free(&s);
	free(out);
	free(t);
}

/* Made once with Python's `cryptography`: HKDF, X25519PrivateKey and AESGCM put
 * together by the comment in seal.c. */
TEST(files_sealed_by_the_description_alone_can_be_read)
{
	uint8_t secret[SEAL_PRIVATE], own[SEAL_PUBLIC], known[SEAL_PUBLIC],
		wrapped[SEAL_WRAPPED];
	char last[14 + SEAL_TAG], *piece = malloc(SEALED);
	struct seal *s;

	assert_true(ids_unhex(STR("9a6a37819121877345ce84f56f4d2193987fd0528fe6ecc1561d"
				  "33801e0f"),
		last, sizeof(last)));
	assert_true(ids_unhex(STR("7d9c24316539825c1896e57f28197746793ce60cbee3ad47da9d"
				  "07b85fa55e2a6a8b7b683f94130d628f03178315684321be8598"
				  "a36bfb2aaf6365c2387425db54ea09f0a54083f777ff44bd7dfc"
				  "c0d6"),
		wrapped, sizeof(wrapped)));
	for (unsigned i = 0; i < SEAL_PRIVATE; i++)
		secret[i] = (uint8_t)i;
	seal_public_of(secret, own);
	assert_true(ids_unhex(STR("8f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1ad1ba"
				  "6f3e2138285f"),
		known, sizeof(known)));
	assert_memory_equal(own, known, SEAL_PUBLIC);
	assert_int_equal(seal_open(secret, STR("about"), wrapped, &s, NULL), RC_OK);
	/* its first piece is too long to stand here; any other counts as number 0 */
	struct sealed *t = seal_two();
	assert_int_equal(
		seal_unpiece(s, view(t->first, SEALED), false, piece, NULL), RC_BAD);
	assert_int_equal(
		seal_unpiece(s, view(last, sizeof(last)), true, piece, NULL), RC_OK);
	assert_memory_equal(piece, "the last piece", 14);
	seal_free(&s);
	free(piece);
	free(t);
}

TEST(another_key_opens_nothing)
{
	struct sealed *t = seal_two();
	struct err err = { 0 };
	struct seal *s;

	uint8_t other[SEAL_PUBLIC], secret[SEAL_PRIVATE];
	seal_make_keys(other, secret);
	assert_int_equal(seal_open(secret, STR("about"), t->wrapped, &s, &err), RC_BAD);
	assert_non_null(strstr(err.text, "another key"));
	assert_int_equal(
		seal_open(t->private_key, STR("abouT"), t->wrapped, &s, NULL), RC_BAD);
	assert_int_equal(
		seal_open(t->private_key, STR(""), t->wrapped, &s, NULL), RC_BAD);
	free(t);
}

TEST(every_bit_of_the_wrapped_key_counts)
{
	struct sealed *t = seal_two();
	struct seal *s;

	for (unsigned bit = 0; bit < SEAL_WRAPPED * 8; bit += 3) {
		t->wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
		/* the highest bit of an X25519 key is ignored (RFC 7748 5), but not by
		 * the salt */
		assert_int_equal(
			seal_open(t->private_key, STR("about"), t->wrapped, &s, NULL),
			RC_BAD);
		t->wrapped[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	memset(t->wrapped, 0,
		SEAL_PUBLIC); /* of small order: everybody knows the secret */
	assert_int_equal(
		seal_open(t->private_key, STR("about"), t->wrapped, &s, NULL), RC_BAD);
	free(t);
}

TEST(pieces_that_were_changed_swapped_cut_or_left_out_are_noticed)
{
	struct sealed *t = seal_two();

	assert_int_equal(unpiece(t, t->first, SEALED, false), RC_OK);
	/* cut off behind the first piece, or the last one alone */
	assert_int_equal(unpiece(t, t->first, SEALED, true), RC_BAD);
	assert_int_equal(unpiece(t, t->last, sizeof(t->last), true), RC_BAD);
	assert_int_equal(unpiece(t, t->last, sizeof(t->last), false), RC_BAD);
	/* shorter, longer */
	assert_int_equal(unpiece(t, t->first, SEALED - 1, false), RC_BAD);
	assert_int_equal(unpiece(t, t->first, SEALED - 1, true), RC_BAD);
	assert_int_equal(unpiece(t, t->first, SEALED + 1, false), RC_BAD);
	assert_int_equal(unpiece(t, t->first, SEAL_TAG - 1, true), RC_BAD);
	assert_int_equal(unpiece(t, t->first, 0, true), RC_BAD);
	for (size_t at = 0; at < SEALED; at += 4111) {
		t->first[at] ^= 4;
		assert_int_equal(unpiece(t, t->first, SEALED, false), RC_BAD);
		t->first[at] ^= 4;
	}
	free(t);
}

TEST(an_empty_file_is_one_empty_piece)
{
	uint8_t public_key[SEAL_PUBLIC], private_key[SEAL_PRIVATE], wrapped[SEAL_WRAPPED];
	char piece[SEAL_TAG], out[SEAL_TAG];
	struct seal *s;

	seal_make_keys(public_key, private_key);
	s = seal_new(public_key, STR(""), wrapped);
	seal_piece(s, STR(""), true, piece);
	seal_free(&s);
	assert_int_equal(seal_open(private_key, STR(""), wrapped, &s, NULL), RC_OK);
	assert_int_equal(
		seal_unpiece(s, view(piece, sizeof(piece)), true, out, NULL), RC_OK);
	seal_free(&s);
}

TEST(no_two_files_share_a_key)
{
	struct sealed *a = seal_two(), *b = calloc(1, sizeof(*b));
	struct seal *s = seal_new(a->public_key, STR("about"), b->wrapped);

	seal_piece(s, view(a->plain, SEAL_PIECE), false, b->first);
	assert_memory_not_equal(a->wrapped, b->wrapped, SEAL_PUBLIC);
	assert_memory_not_equal(a->first, b->first, SEALED);
	seal_free(&s);
	free(a);
	free(b);
}
