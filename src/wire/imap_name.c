/* SPDX-License-Identifier: ISC */
#include "wire/imap_name.h"

#include <utf8proc.h>

#include "mime/utf8.h"
#include "wire/imap_put.h"

enum { INBOX_LEN = 5 };

static bool
is_inbox(str name)
{
	return str_istarts(name, STR("INBOX")) &&
	       (name.len == INBOX_LEN || name.ptr[INBOX_LEN] == '/');
}

/* What a name may not have, as RFC 9051 5.1 and RFC 5198 2 say; NULL: nothing of it. */
static const char *
unfit(str s)
{
	utf8proc_int32_t c;

	for (size_t i = 0; i < s.len;) {
		i += (size_t)utf8proc_iterate((const utf8proc_uint8_t *)s.ptr + i,
			(utf8proc_ssize_t)(s.len - i), &c);
		if (c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029)
			return "a mailbox name has no control characters";
		if (c == '*' || c == '%')
			return "a mailbox name has neither * nor %, which stand for others in LIST";
	}
	return NULL;
}

static const char *
unfit_levels(str s)
{
	size_t levels = 1;

	if (s.len == 0)
		return "a mailbox name is not empty";
	if (s.ptr[0] == '/' || s.ptr[s.len - 1] == '/')
		return "a mailbox name neither begins nor ends with /";
	for (size_t i = 1; i < s.len; i++) {
		if (s.ptr[i] != '/')
			continue;
		if (s.ptr[i - 1] == '/')
			return "a mailbox name has no empty level";
		levels++;
	}
	return levels > MAILBOX_LEVELS_MOST ? "a mailbox name has fewer levels" : NULL;
}

/* NFC (RFC 9051 5.1, RFC 5198 3), in memory of mem. */
static enum rc
normalised(str s, struct arena *mem, str *out)
{
	utf8proc_uint8_t *composed = NULL;
	utf8proc_ssize_t n;

	if (!str_has_8bit(s))
		return arena_copy(mem, s, out);
	n = utf8proc_map((const utf8proc_uint8_t *)s.ptr, (utf8proc_ssize_t)s.len,
		&composed, UTF8PROC_STABLE | UTF8PROC_COMPOSE);
	if (n < 0)
		return n == UTF8PROC_ERROR_NOMEM ? RC_LIMIT : RC_BAD;
	enum rc rc = arena_copy(mem, (str){ (char *)composed, (size_t)n }, out);
	free(composed);
	return rc;
}

static enum rc
decoded(str wire, bool utf8, struct arena *mem, str *out, struct err *err)
{
	enum rc rc;

	/* "&AGE-" for each character is the longest that a name's bytes can be written */
	if (wire.len > 5 * MAILBOX_NAME_MOST)
		return err_set(err, RC_BAD, "a mailbox name has at most %d bytes",
			MAILBOX_NAME_MOST);
	if (!utf8 && (rc = imap_utf7_in(wire, mem, out)) != RC_OK)
		return err_set(err, rc,
			rc == RC_BAD ? "that is no modified UTF-7 (RFC 3501 5.1.3)"
				     : "the command is too long");
	if (utf8 && !utf8_valid(wire))
		return err_set(err, RC_BAD, "that is no UTF-8");
	if (utf8)
		*out = wire;
	return RC_OK;
}

enum rc
imap_name_in(
	str wire, bool utf8, struct arena *mem, str *out, bool *folder, struct err *err)
{
	bool slash;
	str name;
	enum rc rc = decoded(wire, utf8, mem, &name, err);

	if (rc != RC_OK)
		return rc;
	/* RFC 9051 6.3.4: CREATE of a name that is to have others below it */
	slash = folder != NULL && name.len > 1 && name.ptr[name.len - 1] == '/';
	name = str_first(name, name.len - slash);
	const char *why = unfit(name);
	if (why == NULL && (rc = normalised(name, mem, &name)) != RC_OK)
		return err_set(err, rc, "that name cannot be normalised");
	if (why == NULL && name.len > MAILBOX_NAME_MOST)
		return err_set(err, RC_BAD, "a mailbox name has at most %d bytes",
			MAILBOX_NAME_MOST);
	if (why == NULL)
		why = unfit_levels(name);
	if (why != NULL)
		return err_set(err, RC_BAD, "%s", why);
	if (is_inbox(name) && !str_starts(name, STR("INBOX"))) {
		char *own = arena_alloc(mem, name.len);

		if (own == NULL)
			return err_set(err, RC_LIMIT, "the command is too long");
		memcpy(own, name.ptr, name.len);
		memcpy(own, "INBOX", INBOX_LEN);
		name.ptr = own;
	}
	*out = name;
	if (folder != NULL)
		*folder = slash;
	return RC_OK;
}

/* UTF-8 in quotes, as RFC 9051 9 and RFC 6855 3 have it for those who asked for it: few
 * clients expect a literal in LIST. */
static void
put_wide(struct buf *b, str name)
{
	buf_addc(b, '"');
	for (size_t i = 0; i < name.len; i++) {
		if (name.ptr[i] == '"' || name.ptr[i] == '\\')
			buf_addc(b, '\\');
		buf_addc(b, name.ptr[i]);
	}
	buf_addc(b, '"');
}

void
imap_put_name(struct buf *b, str name, bool utf8)
{
	if (utf8 && str_has_8bit(name) && utf8_valid(name) &&
		str_printable(name) == name.len) {
		put_wide(b, name);
		return;
	}
	BUF_AUTO wire = BUF(8 * MAILBOX_NAME_MOST);
	if (!utf8)
		imap_put_utf7(&wire, name);
	imap_put_astring(b, utf8 ? name : buf_str(&wire));
}

/* The places of a name up to which the pattern so far can have come: [low..len]. */
struct places {
	bool at[MAILBOX_NAME_MOST + 1];
	size_t low, len;
	bool all; /* from low on, all of them */
};

static void
any_bytes(struct places *s)
{
	while (!s->at[s->low])
		s->low++;
	memset(s->at + s->low, true, s->len + 1 - s->low);
	s->all = true;
}

static void
any_of_a_level(struct places *s, str name)
{
	for (size_t i = s->low; i < s->len; i++)
		s->at[i + 1] = s->at[i + 1] || (s->at[i] && name.ptr[i] != '/');
}

static unsigned
upper(char c)
{
	return c >= 'a' && c <= 'z' ? (unsigned)(c - 32) : (unsigned char)c;
}

/* False: now it is nowhere. */
static bool
one_byte(struct places *s, str name, bool inbox, char c)
{
	bool any = false;

	for (size_t i = s->len; i > s->low; i--) {
		char n = name.ptr[i - 1];
		bool same = n == c || (inbox && i <= INBOX_LEN && upper(n) == upper(c));

		s->at[i] = s->at[i - 1] && same;
		any = any || s->at[i];
	}
	s->at[s->low++] = false;
	s->all = false;
	return any;
}

/* Wildcards behind wildcards cost nothing, and each other byte of the pattern leaves one place
 * less: so it is at most name times name, however long the pattern. */
bool
imap_list_match(str pattern, str name)
{
	struct places s = { .at = { true }, .len = name.len };
	bool inbox = is_inbox(name);

	if (name.len > MAILBOX_NAME_MOST)
		return false;
	for (size_t p = 0; p < pattern.len; p++) {
		char c = pattern.ptr[p];

		if (c != '*' && c != '%') {
			if (!one_byte(&s, name, inbox, c))
				return false;
		} else if (!s.all && c == '*') {
			any_bytes(&s);
		} else if (!s.all && (p == 0 || pattern.ptr[p - 1] != '%')) {
			any_of_a_level(&s, name);
		}
	}
	return s.at[name.len];
}
