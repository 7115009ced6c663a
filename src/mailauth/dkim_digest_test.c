/* SPDX-License-Identifier: ISC */
/* Signatures made by dkimpy, and the digests that are inside them. */
#include "mailauth/dkim_digest.h"

#include <stdio.h>

#include "base/buf.h"
#include "mailauth/tags.h"
#include "test/test.h"

#define HEADER \
	"A: X\r\nB: Y\t\r\n\tZ  \r\nFrom: a@x.test\r\nSubject: one\r\nsubject:  two\r\n"
#define BODY "\r\n C \r\nD \t E\r\n\r\n\r\n"

enum { MEM = 1024 * 1024 };

static const struct {
	const char *field, *header, *body;
} signatures[] = {
	{ "DKIM-Signature: v=1; a=rsa-sha256; c=simple/simple; d=x.test; i=@x.test;\r\n"
	  " q=dns/txt; s=s; t=1795411036; h=from : subject : subject : subject : b\r\n"
	  " : a; bh=NOeivbQlDH9TmNKJUw7D53wZfsk8YMZ/hTuVVwTgi8s=;\r\n"
	  " b=oQ4u5CB5XGYWFV//n9FYM+PiP5Y3JQHRWy7yLB7nOQdx483CYI/w3OTeX8GnUbYZrEqvg\r\n"
	  " mtz8qBT8l4YmrCDR2V4iiYMZt/OmcNue5E/QUDwC9+T6RFMfDZChzMEAN48moIzmgkfkXXX\r\n"
	  " EWjBPF/ONgtcNkQ45r71+WMp6k1vah0=\r\n",
		"31f7bd02630f0c6467d1f292eee3ea5f0609574d2fd0c2e48f5a0a36a198b456",
		"34e7a2bdb4250c7f5398d289530ec3e77c197ec93c60c67f853b955704e08bcb" },
	{ "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=x.test;\r\n"
	  " i=@x.test; q=dns/txt; s=s; t=1795411036; h=from : subject : subject :\r\n"
	  " subject : b : a; bh=unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=;\r\n"
	  " b=lWS/8OOn/TwYLTNG18nckWSaUWbAoy2jRNt2h9HU3v+H2NLORGxxwz7c/R5QkT43Tp+w3\r\n"
	  " 5SfqT0UFyCmofgodNhxjD76UjnbtWwIJpLwDCMctjEa6tTNDiorgYhc+K0ipjeXf3Zm6FK5\r\n"
	  " 46VUJy4G7IL+FjGhx0ZeBPAy275jU2g=\r\n",
		"818658f385d153b047b87327f5f24b28ae3c4986a9ccac209b8823f49e4e7edd",
		"ba76a4e891ead302fe4351cfedd5b5b63071f452c0e837dfa19d2aacbc1b6e9a" },
	{ "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=x.test; i=@x.test;\r\n"
	  " l=12; q=dns/txt; s=s; t=1795411036; h=from : subject : subject :\r\n"
	  " subject : b : a; bh=NOeivbQlDH9TmNKJUw7D53wZfsk8YMZ/hTuVVwTgi8s=;\r\n"
	  " b=GRfOAp9lymRxAygHW6d5z6prP/wVnLuqbh42PwsH2XE8zLksd84sYXLzCVhODoFYlO08x\r\n"
	  " r8FdKpdoYrMGEPw8V6OIzxS2lTe6BtLJ9RDGibd5XgsVRV7DpTnPHELZpMQYNlbB4o9OxJf\r\n"
	  " +U8bZGV2DkKZtJ9owD9+OjVSoGTdejY=\r\n",
		"34864c4f9c4499b43efcac2b0e54796a74c11278198b333ad47ebd3f6ca02303",
		"34e7a2bdb4250c7f5398d289530ec3e77c197ec93c60c67f853b955704e08bcb" },
	{ "DKIM-Signature: v=1; a=rsa-sha256; c=simple/relaxed; d=x.test; i=@x.test;\r\n"
	  " q=dns/txt; s=s; t=1795411036; h=from : subject : subject : subject : b\r\n"
	  " : a; bh=unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=;\r\n"
	  " b=F7qGX7BG3l8bG+UzmwR3U50qmjP51lmtkyO6iIb3n/WgXmAEY/w2oIhvaio7gLB1SIq6j\r\n"
	  " eM9UIug51bSZKfuv5LeASS2U8rHayS/ghxQ8fuCqYw3+AXBIJxcX6Fa41RFPQ6xV9LKdx5L\r\n"
	  " Qx/vxspjqvCd7x1RFLaFevYZRAgS/70=\r\n",
		"6c5ba89cbb4f68123c481bb7da6731e7f533217aa833eaacad36f9207a98b0d9",
		"ba76a4e891ead302fe4351cfedd5b5b63071f452c0e837dfa19d2aacbc1b6e9a" },
};

static const char seal[] =
	"ARC-Seal: i=1; cv=none; a=rsa-sha256; d=x.test; s=s; t=1795411036;\r\n"
	" b=J8NJJLwuTBoPAZjPoyTitK2I7vsY1BNEHNW0XByNIoeaqdZCoD50z0LdhFV53jPkZMoSN\r\n"
	" KMniD+ggbaIPe0Mti2Dm9Au0ffqcF82a0kSu5EN18OWceE7SOsK0vSxfpXZ+Yq7xzcp4vBP\r\n"
	" ADLVPNIp6fuywhs41pF2pw4pKvAf/mo=\r\n";
static const char message_signature[] =
	"ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=x.test;\r\n"
	" s=s; t=1795411036; h=from : subject;\r\n"
	" bh=unak6JHq0wL+Q1HP7dW1tjBx9FLA6DffoZ0qrLwbbpo=;\r\n"
	" b=UhRsdvqrkiG95kKJHkXG4kCFgOusMYau5pw/0WVFPdKwO4RnVvW2P9QYP+Zq/LtpaqRfh\r\n"
	" ZN2ojCaKfM81EQT67Mbq/9W7CN5tcmtzlVkC+EhKiH+kAOKEkhg0jr6M7LYTk4HmZ75cs9V\r\n"
	" s5eoh28FpwOA2PKz97hVTbe7rnbXwh8=\r\n";
static const char results[] = "ARC-Authentication-Results: i=1; x.test; spf=pass\r\n";
static const char seal_digest[] =
	"a5c56924e8c97c5fa1da742e3004577608415db198aefda0f4f4528b19bbd2a8";
static const char message_digest[] =
	"a099b8dfd6241ad9154f5fbe315a65d6bfc1a09558ad035441a1939c224cd99a";

static const char *
hex(const uint8_t digest[32])
{
	static char text[65];

	for (size_t i = 0; i < 32; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", digest[i]);
	return text;
}

static size_t
digests(struct arena *mem, const char *header, const char *body,
	struct content_signature **out)
{
	BUF_AUTO b = BUF(MEM);
	size_t n, length = strlen(header) + 2;
	str whole;

	buf_addz(&b, header);
	buf_addz(&b, body);
	assert_int_equal(arena_copy(mem, buf_str(&b), &whole), RC_OK);
	assert_int_equal(dkim_digests(whole, length, mem, out, &n), RC_OK);
	return n;
}

TEST(each_canonical_form_gives_the_digests_that_others_signed)
{
	for (size_t i = 0; i < sizeof(signatures) / sizeof(signatures[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		struct content_signature *s;
		char header[2000];

		(void)snprintf(
			header, sizeof(header), "%s%s", signatures[i].field, HEADER);
		assert_int_equal(digests(mem, header, BODY, &s), 1);
		assert_true(s->computed && !s->l_short);
		assert_int_equal(s->kind, SIGNATURE_DKIM);
		assert_string_equal(hex(s->header), signatures[i].header);
		assert_string_equal(hex(s->body), signatures[i].body);
	}
}

TEST(bare_line_feeds_give_the_digests_of_whole_line_ends)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content_signature *s;
	char text[2000], bare[2000];
	size_t n = 0, k;

	(void)snprintf(text, sizeof(text), "%s%s%s", signatures[1].field, HEADER, BODY);
	for (const char *p = text; *p != '\0'; p++)
		if (*p != '\r')
			bare[n++] = *p;
	str whole = { bare, n };
	assert_int_equal(
		dkim_digests(whole, str_find(whole, STR("\n\n")) + 2, mem, &s, &k),
		RC_OK);
	assert_int_equal(k, 1);
	assert_string_equal(hex(s->header), signatures[1].header);
	assert_string_equal(hex(s->body), signatures[1].body);
}

TEST(an_arc_set_gives_the_digests_that_others_signed)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content_signature *s;
	char header[4000];

	(void)snprintf(header, sizeof(header), "%s%s%s%s", seal, message_signature,
		results, HEADER);
	assert_int_equal(digests(mem, header, BODY, &s), 2);
	assert_int_equal(s[0].kind, SIGNATURE_ARC_SEAL);
	assert_int_equal(s[0].instance, 1);
	assert_true(s[0].computed);
	assert_string_equal(hex(s[0].header), seal_digest);
	assert_int_equal(s[1].kind, SIGNATURE_ARC_MESSAGE);
	assert_true(s[1].computed);
	assert_string_equal(hex(s[1].header), message_digest);
	/* a second field of the same instance makes the set no set */
	(void)snprintf(header, sizeof(header), "%s%s%s%s%s", seal, message_signature,
		results, results, HEADER);
	assert_int_equal(digests(mem, header, BODY, &s), 2);
	assert_false(s[0].computed);
}

TEST(an_empty_body_has_the_digest_the_standard_names)
{
	/* RFC 6376 3.4.3: one line end; 3.4.4: nothing */
	static const struct {
		const char *c, *body;
	} rows[] = {
		{ "simple/simple",
			"7eb70257593da06f682a3ddda54a9d260d4fc514f645237f5ca74b08f8da61a6" },
		{ "relaxed/relaxed",
			"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
	};

	for (size_t i = 0; i < 2; i++) {
		ARENA_AUTO mem = arena_new(MEM);
		struct content_signature *s;
		char header[200];

		(void)snprintf(header, sizeof(header),
			"DKIM-Signature: v=1; a=rsa-sha256; c=%s; d=x.test; h=from; bh=; b=\r\n",
			rows[i].c);
		assert_int_equal(digests(mem, header, "\r\n\r\n\r\n", &s), 1);
		assert_string_equal(hex(s->body), rows[i].body);
	}
}

TEST(a_length_that_leaves_the_end_out_is_told)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content_signature *s;

	assert_int_equal(
		digests(mem,
			"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed; d=x.test; s=s; "
			"l=3; h=from; bh=; b=\r\nFrom: a@x.test\r\n",
			"\r\nabcdef\r\n", &s),
		1);
	assert_true(s->computed && s->l_short);
	/* SHA-256 of "abc" */
	assert_string_equal(hex(s->body),
		"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(what_nobody_may_verify_is_not_computed)
{
	static const char *const rows[] = {
		"DKIM-Signature: v=1; a=rsa-sha1; d=x.test; s=s; h=from; bh=; b=\r\n",
		"DKIM-Signature: v=1; a=rsa-sha256; c=strange; d=x.test; s=s; h=from; bh=; b=\r\n",
		"DKIM-Signature: v=1; a=rsa-sha256; d=x.test; s=s; h=from; bh=;\r\n",
		"DKIM-Signature: v=1; a=rsa-sha256; d=x.test; d=y.test; h=from; bh=; b=\r\n",
		"DKIM-Signature: v=1; a=rsa-sha256; l=-1; d=x.test; h=from; bh=; b=\r\n",
		"DKIM-Signature: no list\r\n",
		"DKIM-Signature:\r\n",
		"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=x.test; s=s; b=\r\n",
		"ARC-Seal: i=51; a=rsa-sha256; cv=none; d=x.test; s=s; b=\r\n",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ARENA_AUTO mem = arena_new(MEM);
		struct content_signature *s;

		assert_int_equal(digests(mem, rows[i], "\r\nx\r\n", &s), 1);
		assert_false(s->computed);
	}
}

TEST(a_message_without_signatures_costs_no_memory)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct content_signature *s;
	size_t n;

	assert_int_equal(
		dkim_digests(STR(HEADER BODY), sizeof(HEADER) + 1, mem, &s, &n), RC_OK);
	assert_int_equal(n, 0);
	assert_int_equal(arena_used(mem), 0);
}

TEST(a_thousand_signatures_and_fields_end_in_bounded_work)
{
	ARENA_AUTO mem = arena_new(16 * MEM);
	BUF_AUTO b = BUF(4 * MEM);
	struct content_signature *s;
	size_t n;

	for (int i = 0; i < 40; i++) {
		buf_addz(&b, "DKIM-Signature: v=1; a=rsa-sha256; d=x; s=s; bh=; b=; h=a");
		for (int k = 0; k < 900; k++)
			buf_addz(&b, ":\r\n z");
		buf_addz(&b, "\r\n");
	}
	for (int i = 0; i < 9000; i++)
		buf_addz(&b, "A: b\r\n");
	buf_addz(&b, "\r\n");
	assert_true(buf_ok(&b));
	assert_int_equal(dkim_digests(buf_str(&b), b.len, mem, &s, &n), RC_OK);
	assert_int_equal(n, CONTENT_SIGNATURES);
	/* the budget is for all of them: the last ones get none */
	assert_true(s[0].computed);
	assert_false(s[CONTENT_SIGNATURES - 1].computed);
}

TEST(signatures_of_different_parts_of_a_long_body_do_not_read_it_again_and_again)
{
	static const int lengths[] = { 0, 1, 0 };
	enum { LONG = 33 * 1024 * 1024 };
	const uint8_t zeros[32] = { 0 };
	ARENA_AUTO mem = arena_new(MEM);
	char *message = malloc(1024 + LONG);
	struct content_signature *s;
	size_t at = 0, n;

	assert_non_null(message);
	for (size_t i = 0; i < 3; i++)
		at += (size_t)snprintf(message + at, 1024 - at,
			"DKIM-Signature: v=1; a=rsa-sha256; d=x.test; s=s; l=%d; h=from; "
			"bh=; b=\r\n",
			lengths[i]);
	at += (size_t)snprintf(message + at, 1024 - at, "\r\n");
	memset(message + at, 'x', LONG);
	assert_int_equal(
		dkim_digests((str){ message, at + LONG }, at, mem, &s, &n), RC_OK);
	assert_int_equal(n, 3);
	assert_true(s[0].computed && s[2].computed);
	assert_false(s[1].computed);
	assert_memory_equal(s[1].body, zeros, sizeof(zeros));
	assert_memory_equal(s[2].body, s[0].body, sizeof(zeros));
	free(message);
}

TEST(tag_lists_are_read_by_the_grammar)
{
	struct tags t;

	assert_int_equal(tags_read(STR(" a = b ;\r\n c=d e; "), &t), RC_OK);
	assert_int_equal(t.n, 2);
	assert_true(str_eq(tags_value(&t, STR("a")), STR("b")));
	assert_true(str_eq(tags_value(&t, STR("c")), STR("d e")));
	assert_true(str_eq(tags_value(&t, STR("C")), STR("")));
	assert_int_equal(tags_read(STR("a=b;;c=d"), &t), RC_BAD);
	assert_int_equal(tags_read(STR("a b=c"), &t), RC_BAD);
	assert_int_equal(tags_read(STR("=c"), &t), RC_BAD);
	assert_int_equal(tags_read(STR(""), &t), RC_BAD);
}
