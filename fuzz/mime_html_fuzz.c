/* SPDX-License-Identifier: ISC */
/* HTML in UTF-8 gives text and links in UTF-8, within their limits. */
#include "mime/html.h"
#include "mime/preview.h"
#include "mime/utf8.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(4 * 1024 * 1024);
	BUF_AUTO text = BUF(2000);
	BUF_AUTO hidden = BUF(500);
	struct html h = { .text = &text, .hidden = &hidden };
	str in = { (const char *)data, size }, preview;

	(void)html_charset(in);
	if (!utf8_valid(in) || html_read(in, mem, &h) != RC_OK)
		return 0;
	if (!utf8_valid(buf_str(&text)) || !utf8_valid(buf_str(&hidden)) ||
		h.n > HTML_LINKS || h.n > h.all || !utf8_valid(h.title) ||
		mime_preview(in, mem, &preview) != RC_OK || !utf8_valid(preview))
		abort();
	for (size_t i = 0; i < h.n; i++)
		if (h.links[i].url.len == 0 || h.links[i].url.len > HTML_URL ||
			h.links[i].text.len > HTML_LINK_TEXT ||
			!utf8_valid(h.links[i].url) || !utf8_valid(h.links[i].text))
			abort();
	return 0;
}
