/* SPDX-License-Identifier: ISC */
/* court: tests of appeals, letters and decisions: a room, what letters need, and somebody who appeals. */
#pragma once

#include "deliver/appeal.h"
#include "deliver/letters.h"
#include "deliver/room.h"

struct court {
	struct room r;
	struct appeal_house house;
	struct sentences *sentences;
	struct templates *templates;
	const struct conf *conf;
};

extern const uint8_t court_key[TOKEN_KEY];

void ok(enum rc rc, const struct err *err);
void court_begin(struct court *c);
/* Only what is not the room's. */
void court_words(struct court *c);
void court_house(struct court *c);
void court_end(struct court *c);
struct letters_want court_letters(struct court *c);
void court_send(struct court *c); /* until nothing is due */
enum appeal_end court_appeal(struct court *c, const struct sent *s, const char *note);
enum rc court_decide(struct court *c, const char *token, bool uphold, struct refusal *f,
	struct err *err);
void court_token(const char *text, char out[27]); /* of the first link */
void has(const char *text, const char *what);
