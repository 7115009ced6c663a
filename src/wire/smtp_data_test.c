/* SPDX-License-Identifier: ISC */
#include "base/buf.h"
#include "test/test.h"
#include "wire/smtp_data.h"

/* Feeds `in` in pieces of `step`; what was left over comes back. */
static str
feed(struct smtp_data *d, str in, size_t step, struct buf *out)
{
	while (in.len > 0 && !d->done) {
		str piece = str_first(in, step), part, before = piece;

		while (smtp_data_next(d, &piece, &part))
			buf_add(out, part);
		in = str_skip(in, before.len - piece.len);
	}
	return in;
}

struct data_case {
	str in, out, left;
	bool done, cr, lf, nul;
};

static const struct data_case cases[] = {
	{ STR_INIT("a\r\n.\r\nRSET\r\n"), STR_INIT("a\r\n"), STR_INIT("RSET\r\n"), true },
	{ STR_INIT(".\r\n"), STR_INIT(""), STR_INIT(""), true },
	{ STR_INIT("..a\r\n.b\r\n...\r\n.\r\n"), STR_INIT(".a\r\nb\r\n..\r\n"),
		STR_INIT(""), true },
	{ STR_INIT("\r\n\r\n.\r\n"), STR_INIT("\r\n\r\n"), STR_INIT(""), true },
	{ STR_INIT("a.\r\n.\r\n"), STR_INIT("a.\r\n"), STR_INIT(""), true },
	{ STR_INIT("a\0b\r\n.\r\n"), STR_INIT("a\0b\r\n"), STR_INIT(""), true,
		.nul = true },
	/* none of these is the end: SMTP smuggling */
	{ STR_INIT("a\n.\n"), STR_INIT("a\n.\n"), STR_INIT(""), false, .lf = true },
	{ STR_INIT("a\n.\r\n"), STR_INIT("a\n.\r\n"), STR_INIT(""), false, .lf = true },
	{ STR_INIT("a\r.\r"), STR_INIT("a\r."), STR_INIT(""), false, .cr = true },
	{ STR_INIT("a\r.\r\n"), STR_INIT("a\r.\r\n"), STR_INIT(""), false, .cr = true },
	{ STR_INIT("a\r.\n"), STR_INIT("a\r.\n"), STR_INIT(""), false, .cr = true,
		.lf = true },
	{ STR_INIT("a\n.\r"), STR_INIT("a\n."), STR_INIT(""), false, .lf = true },
	{ STR_INIT("a\r\n.\n"), STR_INIT("a\r\n\n"), STR_INIT(""), false, .lf = true },
	{ STR_INIT("a\r\n.\rb"), STR_INIT("a\r\n\rb"), STR_INIT(""), false, .cr = true },
	{ STR_INIT("a\r\n.\r\r\n"), STR_INIT("a\r\n\r\r\n"), STR_INIT(""), false,
		.cr = true },
	{ STR_INIT("a\r\r\n.\r\n"), STR_INIT("a\r\r\n"), STR_INIT(""), true, .cr = true },
	{ STR_INIT("a\r\n\0.\r\n"), STR_INIT("a\r\n\0.\r\n"), STR_INIT(""), false,
		.nul = true },
	{ STR_INIT("a\r\n.\0\r\n"), STR_INIT("a\r\n\0\r\n"), STR_INIT(""), false,
		.nul = true },
	{ STR_INIT("a\r\0\n.\r\n"), STR_INIT("a\r\0\n.\r\n"), STR_INIT(""), false,
		.cr = true, .lf = true, .nul = true },
	{ STR_INIT("a\n\n.\r\n"), STR_INIT("a\n\n.\r\n"), STR_INIT(""), false,
		.lf = true },
	{ STR_INIT("a\r\n\n.\r\n"), STR_INIT("a\r\n\n.\r\n"), STR_INIT(""), false,
		.lf = true },
	{ STR_INIT("a\r\n. \r\n"), STR_INIT("a\r\n \r\n"), STR_INIT(""), false },
};

TEST(only_crlf_dot_crlf_ends_a_message_however_it_is_cut)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct data_case *c = &cases[i];

		for (size_t step = 1; step <= c->in.len; step++) {
			BUF_AUTO out = BUF(1000);
			struct smtp_data d = { .mode = SMTP_DATA_DOTS };
			str left = feed(&d, c->in, step, &out);

			assert_true(str_eq(buf_str(&out), c->out));
			assert_true(str_eq(left, c->left));
			assert_int_equal(d.done, c->done);
			assert_int_equal(d.bare_cr, c->cr);
			assert_int_equal(d.bare_lf, c->lf);
			assert_int_equal(d.nul, c->nul);
		}
	}
}

TEST(normalized_newlines_still_end_nothing)
{
	static const struct {
		str in, out;
		bool done;
	} n[] = {
		{ STR_INIT("a\nb\rc\r\n.\r\n"), STR_INIT("a\r\nb\r\nc\r\n"), true },
		{ STR_INIT("a\n.\n"), STR_INIT("a\r\n.\r\n"), false },
		{ STR_INIT("a\n.\r\n"), STR_INIT("a\r\n.\r\n"), false },
		{ STR_INIT("a\r\n.\n"), STR_INIT("a\r\n\r\n"), false },
	};

	for (size_t i = 0; i < sizeof(n) / sizeof(n[0]); i++) {
		for (size_t step = 1; step <= n[i].in.len; step++) {
			BUF_AUTO out = BUF(1000);
			struct smtp_data d = { .normalize = true };

			(void)feed(&d, n[i].in, step, &out);
			assert_true(str_eq(buf_str(&out), n[i].out));
			assert_int_equal(d.done, n[i].done);
		}
	}
}

TEST(chunks_keep_their_dots_and_never_end)
{
	BUF_AUTO out = BUF(1000);
	struct smtp_data d = { .mode = SMTP_DATA_CHUNKS };

	(void)feed(&d, STR("..a\r\n.\r\nb\r"), 3, &out);
	assert_false(d.done || d.bare_cr);
	buf_add(&out, smtp_data_end(&d));
	assert_true(str_eq(buf_str(&out), STR("..a\r\n.\r\nb\r")));
	assert_true(d.bare_cr);
}
