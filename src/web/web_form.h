/* SPDX-License-Identifier: ISC */
/*
 * web_form: who may change something by a form, and whether it cost them a little.
 *
 * A form has a token: an HMAC under keys/token.key of the cookie __Host-gatepost, the path of the page and the
 * hour.  It counts for 12 hours, and only where Origin and Sec-Fetch-Site, if they are sent, say that the form
 * was ours.  Nothing is kept.
 *
 * A stamp says when the form of an appeal was given out, for which link, and how many bits of work its script has to
 * do; or, for who has no script, before when the second step does not count.  Either is good for an hour.
 */
#pragma once

#include "web/web_int.h"

enum { FORM_TOKEN = 64, FORM_HOURS = 12, STAMP_MS = 3600 * 1000 };

/* In the session's arena; also sees that the answer sets the cookie, if there is none. */
str web_form_token(struct web_session *s, str path);
bool web_form_good(struct web_session *s, const struct http_form *f, str path);

enum web_work {
	WORK_DONE,
	WORK_WAIT,	/* no proof, or a wrong one: a second step, later */
	WORK_EARLY,	/* that step, but too early */
};

str web_stamp(struct web_session *s, uint64_t wall_ms);			/* for the script */
str web_stamp_wait(struct web_session *s, uint64_t not_before_ms);	/* for the second step */
/* *not_before_ms: of WORK_EARLY. */
enum web_work web_work(struct web_session *s, const struct http_form *f, uint64_t wall_ms,
	uint64_t *not_before_ms);
