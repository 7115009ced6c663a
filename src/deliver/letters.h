/* SPDX-License-Identifier: ISC */
/*
 * letters: mail of our own about refusals, each exactly once (as notices are: its id is written down with what
 * it is about before it is composed, and goes through house's own journal):
 *
 *  - an appeal, to each who may decide: the first ten of an hour one by one, then one digest an hour for what
 *    came meanwhile;
 *  - once a day, to who wants it (policy refused_mail=daily): what was refused for them since the last one.
 *
 * Text only (ui/letters: templates as for pages, in [web] language), a link https://…/d/TOKEN for each refusal.
 * The stranger's words are quoted line by line, their links defanged (hxxp://, example[.]test).
 */
#pragma once

#include "deliver/own.h"
#include "say/template.h"

enum { TOKEN_KEY = 32 };	/* bytes of keys/token.key */

struct letters_want {
	str hostname;
	const struct conf *conf;	/* links, language */
	struct directory *directory;
	struct refusals *refusals;
	struct own *own;
	const struct templates *templates;
	unsigned language;
	const uint8_t *token_key;	/* TOKEN_KEY bytes */
};

/* Sends what is due; quick when nothing is.  Any thread that may wait. */
enum rc letters_send(const struct letters_want *w, struct err *err) MUST_CHECK;
