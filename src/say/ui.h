/* SPDX-License-Identifier: ISC */
/* ui: the files of ui/ that are part of the program; the tables are made by tools/embed.py when it is built. */
#pragma once

#include "say/sentences.h"
#include "say/template.h"

struct ui_asset {		/* served under /ui/NAME as they are */
	const char *name;	/* "page-1a2b3c4d.css": with a part of its digest, so it may be kept for ever */
	const char *url;	/* "/ui/page-1a2b3c4d.css" */
	const char *plain;	/* "page.css": as ui_url() is asked for it */
	const char *type;	/* "text/css; charset=utf-8" */
	str data;
};

extern const struct ui_asset ui_assets[];	/* ended by name NULL */
extern const struct template_file ui_pages[];	/* ended by name NULL */
extern const size_t ui_npages;
extern const struct sentences_file ui_texts[];
extern const size_t ui_ntexts;

/* "/ui/page-1a2b3c4d.css"; NULL: there is none. */
const char *ui_url(const char *plain);
