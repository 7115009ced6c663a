/* SPDX-License-Identifier: ISC */
/* What SEARCH looks at, for the index of texts (store/search.h). */
#include "scan/scan_int.h"
#include "scan/search.h"
#include "scan/text.h"
#include "wire/plain.h"

struct gathering {
	struct buf *head, *text;
	bool cut;
};

static void
put(struct gathering *g, struct buf *b, str s)
{
	str fits = plain_cut(s, b->limit - b->len);

	g->cut = g->cut || fits.len < s.len;
	text_plain(b, fits);
}

static bool
take_field(enum search_field_of of, str name, str value, void *arg)
{
	struct gathering *g = arg;
	struct buf *b = of == SEARCH_OF_ATTACHED ? g->text : g->head;

	put(g, b, of == SEARCH_OF_PART ? STR("\t") : STR(""));
	put(g, b, name);
	put(g, b, STR(": "));
	put(g, b, value);
	put(g, b, STR("\n"));
	return true;
}

static bool
take_text(str utf8, void *arg)
{
	struct gathering *g = arg;

	put(g, g->text, utf8);
	put(g, g->text, STR("\n"));
	return !g->cut;
}

enum rc
scan_search_content(const struct mapped *file, const struct mime_tree *tree,
	struct charsets *cs, struct arena *mem, struct content *c, struct err *err)
{
	BUF_AUTO head = BUF(CONTENT_SEARCH_HEAD);
	BUF_AUTO text = BUF(CONTENT_SEARCH_TEXT);
	struct gathering g = { &head, &text, false };
	const struct search_sink sink = { take_field, take_text, &g };
	enum rc rc = search_message(file, tree, cs, &sink, err);

	if (rc != RC_OK)
		return rc;
	c->search_cut = g.cut;
	if (arena_copy(mem, buf_str(&head), &c->search_head) != RC_OK ||
		arena_copy(mem, buf_str(&text), &c->search_text) != RC_OK)
		return err_set(err, RC_LIMIT,
			"the message needs more memory than a scanner has");
	return RC_OK;
}
