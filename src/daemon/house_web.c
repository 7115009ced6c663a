/* SPDX-License-Identifier: ISC */
/* The words and pages of ui/, and what the doors of the web need: errands of their own, our CA. */
#include "base/log.h"
#include "daemon/house_int.h"
#include "directory/secret.h"
#include "web/web_guess.h"

enum { WEB_ERRANDS = 8, WEB_WAITING = 1000 };

void
house_words_open(struct house *h)
{
	struct err err = { 0 };

	if (sentences_new(ui_texts, ui_ntexts, &h->sentences, &err) != RC_OK ||
		templates_new(ui_pages, ui_npages, h->sentences, &h->templates, &err) !=
			RC_OK)
		child_die(&err, "pages");
	if (directory_secret(h->directory, "web", h->token_key, &err) != RC_OK)
		child_die(&err, "directory");
}

/* A page can do without it. */
static void
open_ca(struct house *h)
{
	struct err err = { 0 };

	if (h->child->ca_pem == NULL || h->child->ca_pem[0] == '\0')
		return;
	h->ca_pem = strdup(h->child->ca_pem); /* a reload may bring another */
	if (h->ca_pem == NULL)
		abort();
	if (web_ca_read(str_of(h->ca_pem), &h->web.ca, &err) != RC_OK)
		log_warn("keys/ca.crt: %s", err.text);
}

void
house_web_open(struct house *h)
{
	struct web_house *w = &h->web;

	h->web_errands = pool_new("web", WEB_ERRANDS, WEB_WAITING);
	w->refusals = h->refusals;
	w->appeals =
		(struct appeal_house){ .release = { .data = h->child->data,
					       .directory = h->directory,
					       .refusals = h->refusals,
					       .private_key = h->child->held_private },
			.own = h->own,
			.scanners = h->readers };
	w->sentences = h->sentences;
	w->templates = h->templates;
	w->token_key = h->token_key;
	w->errands = h->web_errands;
	w->guesses = web_guesses_new(GUESS_NETWORKS);
	w->data = h->child->data;
	open_ca(h);
	house_web_reload(h);
}

void
house_web_reload(struct house *h)
{
	atomic_store(&h->web.own_ca, h->child->ca_serves);
}

void
house_web_close(struct house *h)
{
	pool_free(&h->web_errands);
}
