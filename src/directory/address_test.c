/* SPDX-License-Identifier: ISC */
#include "base/fs.h"
#include "directory/directory_int.h"
#include "test/test.h"

#include <fcntl.h>
#include <stdlib.h>

static const struct row {
	str in, canonical, tag; /* canonical "": refused */
} rows[] = {
	{ STR_INIT("Alice@Example.TEST"), STR_INIT("alice@example.test"), STR_INIT("") },
	{ STR_INIT("alice+news@example.test"), STR_INIT("alice@example.test"),
		STR_INIT("news") },
	{ STR_INIT("alice+a+b@example.test"), STR_INIT("alice@example.test"),
		STR_INIT("a+b") },
	{ STR_INIT("+x@example.test"), STR_INIT("+x@example.test"), STR_INIT("") },
	{ STR_INIT("a@b@example.test"), STR_INIT("a@b@example.test"), STR_INIT("") },
	/* decomposed and upper case, composed and lower case: one name */
	{ STR_INIT("ANDRE\xcc\x81@example.test"), STR_INIT("andr\xc3\xa9@example.test"),
		STR_INIT("") },
	{ STR_INIT("GR\xc3\x9c\xc3\x9f\x65@example.test"),
		STR_INIT("gr\xc3\xbcsse@example.test"), STR_INIT("") },
	{ STR_INIT("a@B\xc3\xbc\x63her.example"), STR_INIT("a@xn--bcher-kva.example"),
		STR_INIT("") },
	{ STR_INIT("a@xn--bcher-kva.example"), STR_INIT("a@xn--bcher-kva.example"),
		STR_INIT("") },
	{ STR_INIT("a@fa\xc3\x9f.de"), STR_INIT("a@xn--fa-hia.de"), STR_INIT("") },
	{ STR_INIT(""), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("@example.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@example..test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@example.test."), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@-example.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@exa mple.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("alice@[192.0.2.1]"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("al\nice@example.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("al\0ice@example.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("al\xff@example.test"), STR_INIT(""), STR_INIT("") },
	{ STR_INIT("al\xe2\x80\xa8@example.test"), STR_INIT(""), STR_INIT("") },
};

TEST(an_address_has_one_form_however_it_is_written)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ARENA_AUTO mem = arena_new(65536);
		str canonical = { 0 }, tag = { 0 };
		enum rc rc = address_canonical(rows[i].in, mem, &canonical, &tag, NULL);

		if (rc != (str_empty(rows[i].canonical) ? RC_BAD : RC_OK) ||
			!str_eq(canonical, rows[i].canonical) ||
			!str_eq(tag, rows[i].tag))
			fail_msg("row %zu: " STR_FMT " gave %d " STR_FMT " + " STR_FMT, i,
				STR_ARG(rows[i].in), rc, STR_ARG(canonical),
				STR_ARG(tag));
	}
}

TEST(names_that_are_too_long_are_refused)
{
	ARENA_AUTO mem = arena_new(65536);
	char text[700];
	str out, domain = { text, 253 };

	memset(text, 'a', sizeof(text));
	memcpy(text + 64, "@example.test", 13);
	assert_int_equal(
		address_canonical((str){ text, 77 }, mem, &out, NULL, NULL), RC_OK);
	memset(text, 'a', sizeof(text));
	memcpy(text + 65, "@example.test", 13);
	assert_int_equal(
		address_canonical((str){ text, 78 }, mem, &out, NULL, NULL), RC_BAD);
	memset(text, 'a', sizeof(text));
	for (size_t i = 63; i < 253; i += 64)
		text[i] = '.';
	assert_int_equal(domain_canonical(domain, mem, &out, NULL), RC_OK);
	domain.len = 254;
	assert_int_equal(domain_canonical(domain, mem, &out, NULL), RC_BAD);
	memset(text, 'a', 64);
	memcpy(text + 64, ".test", 5);
	domain.len = 69;
	assert_int_equal(domain_canonical(domain, mem, &out, NULL), RC_BAD);
}

static str
element(str test, const char *open, const char *close)
{
	size_t at = str_find(test, str_of(open));

	if (at == test.len)
		return (str){ 0 };
	test = str_skip(test, at + strlen(open));
	return str_first(test, str_find(test, str_of(close)));
}

/* Quotes, comments and literals are the SMTP grammar's; what is left must agree. */
static void
check_case(str test, unsigned *checked)
{
	ARENA_AUTO mem = arena_new(65536);
	str address = element(test, "<address>", "</address>");
	str category = element(test, "<category>ISEMAIL_", "</category>");
	str diagnosis = element(test, "<diagnosis>ISEMAIL_", "</diagnosis>");
	str canonical;
	enum rc rc;

	for (size_t i = 0; i < address.len; i++)
		if (strchr("\"()[]&\\ ", address.ptr[i]) != NULL || address.ptr[i] & 0x80)
			return;
	rc = address_canonical(address, mem, &canonical, NULL, NULL);
	if (str_eq(category, STR("VALID_CATEGORY")) || str_eq(category, STR("DNSWARN"))) {
		if (rc != RC_OK)
			fail_msg("valid, but refused: " STR_FMT, STR_ARG(address));
		++*checked;
	} else if (str_eq(diagnosis, STR("ERR_NODOMAIN")) ||
		   str_eq(diagnosis, STR("ERR_NOLOCALPART")) ||
		   str_eq(diagnosis, STR("ERR_DOMAINHYPHENSTART")) ||
		   str_eq(diagnosis, STR("ERR_DOMAINHYPHENEND")) ||
		   str_eq(diagnosis, STR("RFC5322_LOCAL_TOOLONG")) ||
		   str_eq(diagnosis, STR("RFC5322_LABEL_TOOLONG"))) {
		if (rc != RC_BAD)
			fail_msg("not valid, but taken: " STR_FMT, STR_ARG(address));
		++*checked;
	}
}

TEST(addresses_of_the_public_suite_are_judged_as_it_does)
{
	const char *suites = getenv("GATEPOST_SUITES");
	char path[512], *text = NULL;
	unsigned checked = 0;
	size_t len;

	if (suites == NULL) {
		print_message(
			"SKIPPED: set GATEPOST_SUITES to the folder of the public suites\n");
		skip();
	}
	(void)snprintf(path, sizeof(path), "%s/address/tests.xml", suites);
	assert_int_equal(fs_read_all(AT_FDCWD, path, 1 << 24, &text, &len, NULL), RC_OK);
	for (str rest = { text, len };;) {
		size_t at = str_find(rest, STR("<test id="));

		if (at == rest.len)
			break;
		rest = str_skip(rest, at + 9);
		check_case(str_first(rest, str_find(rest, STR("</test>"))), &checked);
	}
	free(text);
	assert_true(checked > 20);
}
