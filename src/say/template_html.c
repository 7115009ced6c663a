/* SPDX-License-Identifier: ISC */
/*
 * Where in HTML a value may stand.  Not a parser of HTML, but of the little that our templates
 * may use: what is not between tags, in a tag or in a double-quoted attribute is refused, so that
 * escaping is right wherever a value is.
 */
#include "say/say_int.h"

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
}

static enum rc
bad(struct err *err, const char *what)
{
	return err_set(err, RC_BAD, "%s", what);
}

static bool
listed(const struct html *h, const char *const names[])
{
	for (; *names != NULL; names++)
		if (strcmp(h->name, *names) == 0)
			return true;
	return false;
}

static enum rc
add_name(struct html *h, char c, struct err *err)
{
	if (h->n + 1 >= sizeof(h->name))
		return bad(err, "this name of a tag or an attribute is too long");
	h->name[h->n++] = c;
	h->name[h->n] = '\0';
	return RC_OK;
}

/* The name of a tag is complete. */
static enum rc
named(struct html *h, struct err *err)
{
	static const char *const refused[] = { "style", "base", "iframe", "frame",
		"object", "embed", "template", "svg", "math", "noscript", "xmp",
		"plaintext", NULL };

	if (listed(h, refused))
		return bad(err, "this tag has no place in a page of ours");
	h->script = strcmp(h->name, "script") == 0;
	return RC_OK;
}

/* An attribute's name is complete. */
static enum rc
attribute(const struct html *h, struct err *err)
{
	static const char *const refused[] = { "style", "srcdoc", "http-equiv", "srcset",
		"ping", NULL };

	if (listed(h, refused) || (h->name[0] == 'o' && h->name[1] == 'n'))
		return bad(err, "this attribute has no place in a page of ours");
	return RC_OK;
}

static bool
takes_url(const struct html *h)
{
	static const char *const urls[] = { "href", "src", "action", "formaction", "cite",
		"poster", "data", NULL };

	return listed(h, urls);
}

static enum rc
in_text(struct html *h, char c)
{
	if (c == '<') {
		h->at = HTML_OPENED;
		h->n = 0;
		h->name[0] = '\0';
	}
	return RC_OK;
}

static enum rc
opened(struct html *h, char c, struct err *err)
{
	if (c == '!')
		h->at = HTML_DECLARATION;
	else if (c == '/')
		h->at = HTML_CLOSE;
	else if (c >= 'a' && c <= 'z')
		h->at = HTML_TAG;
	else
		return bad(err, "< begins a tag in small letters, and is &lt; otherwise");
	return h->at == HTML_TAG ? add_name(h, c, err) : RC_OK;
}

static void
end_tag(struct html *h)
{
	h->at = h->script ? HTML_SCRIPT : HTML_TEXT;
	h->script = false;
	h->seen = 0;
}

static enum rc
in_tag_name(struct html *h, char c, struct err *err)
{
	enum rc rc;

	if (is_letter(c))
		return add_name(h, c, err);
	if (c != '>' && !is_space(c))
		return bad(err, "behind a tag's name comes a space or >");
	if ((rc = named(h, err)) != RC_OK)
		return rc;
	h->at = HTML_IN_TAG;
	if (c == '>')
		end_tag(h);
	return RC_OK;
}

static enum rc
in_tag(struct html *h, char c, struct err *err)
{
	if (is_space(c))
		return RC_OK;
	if (c == '>') {
		end_tag(h);
		return RC_OK;
	}
	if (!is_letter(c))
		return bad(err, "in a tag stand attributes in small letters");
	h->at = HTML_NAME;
	h->n = 0;
	return add_name(h, c, err);
}

static enum rc
in_name(struct html *h, char c, struct err *err)
{
	enum rc rc;

	if (is_letter(c))
		return add_name(h, c, err);
	if ((rc = attribute(h, err)) != RC_OK)
		return rc;
	h->at = c == '=' ? HTML_EQUALS : HTML_IN_TAG;
	return c == '=' ? RC_OK : in_tag(h, c, err);
}

static enum rc
in_quotes(struct html *h, char c)
{
	h->n++;
	if (c == '"')
		h->at = HTML_IN_TAG;
	return RC_OK;
}

/* No script stands in a page: the end of the element is all that may follow. */
static enum rc
in_script(struct html *h, char c, struct err *err)
{
	static const char end[] = "</script>";

	if (c != end[h->seen++])
		return bad(err, "a page has no script in it; scripts are files");
	if (end[h->seen] == '\0')
		h->at = HTML_TEXT;
	return RC_OK;
}

enum rc
html_text(struct html *h, char c, struct err *err)
{
	switch (h->at) {
	case HTML_TEXT:
		return in_text(h, c);
	case HTML_OPENED:
		return opened(h, c, err);
	case HTML_TAG:
		return in_tag_name(h, c, err);
	case HTML_IN_TAG:
		return in_tag(h, c, err);
	case HTML_NAME:
		return in_name(h, c, err);
	case HTML_EQUALS:
		if (c != '"')
			return bad(err, "an attribute's value stands in double quotes");
		h->at = HTML_QUOTED;
		h->n = 0;
		return RC_OK;
	case HTML_QUOTED:
		return in_quotes(h, c);
	case HTML_CLOSE:
		if (c == '>')
			h->at = HTML_TEXT;
		return c == '>' || is_letter(c)
			       ? RC_OK
			       : bad(err, "in a tag's end stands its name");
	case HTML_DECLARATION:
		if (c == '-')
			return bad(err, "a comment is {{! … }}");
		if (c == '>')
			h->at = HTML_TEXT;
		return RC_OK;
	case HTML_SCRIPT:
		return in_script(h, c, err);
	}
	abort();
}

enum rc
html_value(struct html *h, str name, bool is_sentence, struct err *err)
{
	bool url = !is_sentence && name.len > 4 &&
		   str_eq(str_skip(name, name.len - 4), STR("_url"));

	if (h->at == HTML_TEXT)
		return RC_OK;
	if (h->at != HTML_QUOTED)
		return bad(err, "a value stands between tags or in a quoted attribute");
	if (takes_url(h) && (!url || h->n > 0))
		return bad(
			err, "here a value is named …_url, and nothing stands before it");
	h->n++;
	return RC_OK;
}

enum rc
html_section(const struct html *h, struct err *err)
{
	if (h->at == HTML_TEXT || h->at == HTML_IN_TAG ||
		(h->at == HTML_QUOTED && !takes_url(h)))
		return RC_OK;
	return bad(err,
		"a section begins and ends between tags, between attributes or in an attribute's text");
}

bool
html_same(const struct html *a, const struct html *b)
{
	return a->at == b->at && a->script == b->script &&
	       (a->at != HTML_QUOTED || strcmp(a->name, b->name) == 0);
}
