/* SPDX-License-Identifier: ISC */
#include "wire/smtp_cmd.h"

bool
smtp_line_read(str line, struct smtp_line *out)
{
	struct smtp_line l = { .args = line };

	for (size_t i = 0; i < line.len; i++)
		if (line.ptr[i] == '\r' || line.ptr[i] == '\n' || line.ptr[i] == '\0')
			return false;
	(void)str_cut(&l.args, ' ', &l.verb);
	/* RFC 5321 4.1.1: trailing white space is tolerated */
	while (l.args.len > 0 && l.args.ptr[l.args.len - 1] == ' ')
		l.args.len--;
	*out = l;
	return true;
}

static bool
no_value(str value)
{
	return value.ptr == NULL;
}

static enum smtp_bad
mail_size(struct smtp_mail *m, str value)
{
	/* RFC 1870 3: up to 20 digits; more than fits is more than we take */
	if (value.len == 0 || value.len > 20)
		return SMTP_BAD_PARAMETER;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] < '0' || value.ptr[i] > '9')
			return SMTP_BAD_PARAMETER;
	if (!str_u64(value, UINT64_MAX, &m->size))
		m->size = UINT64_MAX;
	return SMTP_GOOD;
}

static enum smtp_bad
mail_body(struct smtp_mail *m, str value)
{
	static const str names[] = { STR_INIT("7BIT"), STR_INIT("8BITMIME"),
		STR_INIT("BINARYMIME") };

	for (unsigned i = 0; i < 3; i++) {
		if (str_ieq(value, names[i])) {
			m->body = (enum smtp_body)i;
			return SMTP_GOOD;
		}
	}
	return SMTP_BAD_PARAMETER;
}

static enum smtp_bad
mail_utf8(struct smtp_mail *m, str value)
{
	m->utf8 = true;
	return no_value(value) ? SMTP_GOOD : SMTP_BAD_PARAMETER;
}

static enum smtp_bad
mail_prdr(struct smtp_mail *m, str value)
{
	m->prdr = true;
	return no_value(value) ? SMTP_GOOD : SMTP_BAD_PARAMETER;
}

static const struct param {
	str name;
	enum smtp_bad (*read)(struct smtp_mail *m, str value);
} params[] = {
	{ STR_INIT("SIZE"), mail_size },
	{ STR_INIT("BODY"), mail_body },
	{ STR_INIT("SMTPUTF8"), mail_utf8 },
	{ STR_INIT("PRDR"), mail_prdr },
};

enum { PARAMS = sizeof(params) / sizeof(params[0]) };

/* RFC 5321 4.1.1.11: keyword, and perhaps "=" with at least one character. */
static enum smtp_bad
one_param(str word, unsigned *seen, struct smtp_mail *m)
{
	size_t eq = str_find(word, STR("="));
	str name = str_first(word, eq);
	str value = eq == word.len ? (str){ 0 }
				   : (str){ word.ptr + eq + 1, word.len - eq - 1 };

	for (unsigned i = 0; i < PARAMS; i++) {
		if (!str_ieq(name, params[i].name))
			continue;
		if (*seen & 1u << i)
			return SMTP_BAD_PARAMETER;
		*seen |= 1u << i;
		return params[i].read(m, value);
	}
	return SMTP_NO_PARAMETER;
}

static enum smtp_bad
path_after(str *args, str word, unsigned allow, struct smtp_path *out)
{
	if (!str_istarts(*args, word))
		return SMTP_BAD_SYNTAX;
	*args = str_skip(*args, word.len);
	enum rc rc = smtp_path_read(args, allow, out);
	if (rc != RC_OK)
		return rc == RC_LIMIT ? SMTP_LONG_ADDRESS : SMTP_BAD_ADDRESS;
	/* what follows is a parameter, after a space */
	if (args->len > 0 && args->ptr[0] != ' ')
		return SMTP_BAD_ADDRESS;
	return SMTP_GOOD;
}

enum smtp_bad
smtp_mail_read(str args, struct smtp_mail *out)
{
	struct smtp_mail m = { 0 };
	unsigned seen = 0;
	str word;
	enum smtp_bad bad = path_after(&args, STR("FROM:"), SMTP_ALLOW_NULL, &m.from);

	if (bad != SMTP_GOOD)
		return bad;
	while (str_cut(&args, ' ', &word)) {
		if (word.len == 0)
			continue;
		bad = one_param(word, &seen, &m);
		if (bad != SMTP_GOOD)
			return bad;
	}
	if (m.from.utf8 && !m.utf8)
		return SMTP_NEEDS_UTF8;
	*out = m;
	return SMTP_GOOD;
}

enum smtp_bad
smtp_rcpt_read(str args, bool utf8, struct smtp_path *out)
{
	struct smtp_path p;
	enum smtp_bad bad = path_after(&args, STR("TO:"), SMTP_ALLOW_POSTMASTER, &p);

	if (bad != SMTP_GOOD)
		return bad;
	if (!str_empty(str_trim(args)))
		return SMTP_NO_PARAMETER; /* we offer none for RCPT */
	if (p.utf8 && !utf8)
		return SMTP_NEEDS_UTF8;
	*out = p;
	return SMTP_GOOD;
}

bool
smtp_bdat_read(str args, uint64_t *size, bool *last)
{
	str number;
	uint64_t n;

	if (!str_cut(&args, ' ', &number) || !str_u64(number, INT64_MAX, &n))
		return false;
	if (!str_empty(args) && !str_ieq(args, STR("LAST")))
		return false;
	*size = n;
	*last = !str_empty(args);
	return true;
}

bool
smtp_helo_read(str args, str *name)
{
	if (args.len == 0 || args.len > SMTP_DOMAIN_MOST)
		return false;
	for (str left = args; left.len > 0;) {
		size_t n = smtp_utf8_length(left);

		if (n == 0 || (unsigned char)left.ptr[0] <= ' ' || left.ptr[0] == 0x7f)
			return false;
		left = str_skip(left, n);
	}
	*name = args;
	return true;
}
