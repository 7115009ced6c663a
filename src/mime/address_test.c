/* SPDX-License-Identifier: ISC */
#include "mime/address.h"

#include "base/buf.h"
#include "test/test.h"

enum { MEM = 1024 * 1024 };

/* "name|local|domain" for a mailbox, "{name" and "}" for a group. */
static void
show(str value, size_t most, struct buf *out)
{
	ARENA_AUTO mem = arena_new(MEM);
	struct address_list l;

	assert_int_equal(address_parse(value, most, mem, &l), RC_OK);
	for (size_t i = 0; i < l.n; i++) {
		const struct address *a = &l.at[i];

		if (i > 0)
			buf_add(out, STR(" "));
		if (a->kind == ADDRESS_GROUP_END)
			buf_add(out, STR("}"));
		else if (a->kind == ADDRESS_GROUP)
			buf_addf(out, "{" STR_FMT, STR_ARG(a->name));
		else
			buf_addf(out, STR_FMT "|" STR_FMT "|" STR_FMT, STR_ARG(a->name),
				STR_ARG(a->local), STR_ARG(a->domain));
	}
}

TEST(addresses_are_read_as_clients_show_them)
{
	static const struct {
		const char *value, *want;
	} cases[] = {
		/* RFC 5322 appendix A */
		{ "John Doe <jdoe@machine.example>", "John Doe|jdoe|machine.example" },
		{ "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
			"Mary Smith|mary|x.test |jdoe|example.org Who?|one|y.test" },
		{ "<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <s@example.net>",
			"|boss|nil.test Giant; \"Big\" Box|s|example.net" },
		{ "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
			"{A Group Ed Jones|c|a.test |joe|where.test John|jdoe|one.test }" },
		{ "Undisclosed recipients:;", "{Undisclosed recipients }" },
		{ "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
			"Pete|pete|silly.test" },
		{ "A Group(Some people)\t:Chris Jones <c@(Chris's host.)public.example>",
			"{A Group Chris Jones|c|public.example }" },
		{ "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
			"{Hidden recipients }" },
		{ "Joe Q. Public <john.q.public@example.com>",
			"Joe Q. Public|john.q.public|example.com" },
		{ "Mary <@node.test:mary@example.net>, , jdoe@test  . example",
			"Mary|mary|example.net |jdoe|test.example" },
		{ "<@a.test,@b.test:joe@c.test>", "|joe|c.test" },
		/* comments, quotes, literals */
		{ "alice@example.test (Alice Liddell)",
			"Alice Liddell|alice|example.test" },
		{ "\"a@b\"@example.test", "|a@b|example.test" },
		{ "x@[192.0.2.1]", "|x|[192.0.2.1]" },
		/* RFC 6532 */
		{ "J\xc3\xb6rg <j\xc3\xb6rg@b\xc3\xbc.test>",
			"J\xc3\xb6rg|j\xc3\xb6rg|b\xc3\xbc.test" },
		/* what is met */
		{ "real@bank.test <evil@x.test>", "real@bank.test|evil|x.test" },
		{ "a@x.test; b@y.test", "|a|x.test |b|y.test" },
		{ "Alice <a@x.test> <b@y.test>", "Alice|a|x.test |b|y.test" },
		{ "Alice <a@x.test", "Alice|a|x.test" },
		{ "\"Alice <a@x.test>", "Alice|a|x.test" },
		{ "Alice (unclosed <a@x.test>", "Alice (unclosed|a|x.test" },
		{ "Alice Liddell a@x.test", "Alice Liddell|a|x.test" },
		{ "a@b@c.test", "|a@b|c.test" },
		{ "root", "|root|" },
		{ "two words", "|two words|" },
		{ "<>", "" },
		{ "", "" },
		{ ",,;", "" },
		{ "=?utf-8?q?a?= <a@x.test>", "=?utf-8?q?a?=|a|x.test" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		BUF_AUTO b = BUF(4096);

		show(str_of(cases[i].value), 100, &b);
		assert_string_equal(buf_z(&b), cases[i].want);
	}
}

TEST(a_list_over_the_limit_is_cut_and_its_group_still_ends)
{
	BUF_AUTO b = BUF(4096);

	show(STR("g:a@x,b@x,c@x;"), 3, &b);
	assert_string_equal(buf_z(&b), "{g |a|x }");
	buf_clear(&b);
	show(STR("a@x,b@x,c@x"), 2, &b);
	assert_string_equal(buf_z(&b), "|a|x |b|x");
	buf_clear(&b);
	show(STR("a@x,g:b@x;"), 2, &b);
	assert_string_equal(buf_z(&b), "|a|x |b|x");
}
