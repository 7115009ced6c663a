/* SPDX-License-Identifier: ISC */
/*
 * web_int: what the files of this folder share: the session, its phases, requests and answers.
 *
 * Phases are net/session.h's.  Handlers make an answer; only the phases write.  While a handler runs as an errand
 * the session is parked and everything in it is the handler's.
 */
#pragma once

#include "base/arena.h"
#include "net/session.h"
#include "web/web.h"
#include "wire/http.h"
#include "wire/http_body.h"

enum {
	WEB_FORM = 32 * 1024,
	WEB_MEM = 1024 * 1024,		/* of a request */
	WEB_PAGE = 512 * 1024,
	WEB_PIECE = 16 * 1024,		/* of an answer, at a time */
	WEB_HEAD_MS = 20 * 1000,
	WEB_BODY_MS = 30 * 1000,
	WEB_IDLE_MS = 60 * 1000,	/* between requests */
	WEB_STALL_MS = 30 * 1000,	/* for something of an answer to be read */
	WEB_SEND_MS = 300 * 1000,	/* for all of it */
	WEB_LINGER_MS = 2 * 1000,	/* for what is on its way when we close */
	WEB_LINGER = 256 * 1024,	/* bytes of it */
	WEB_TURN = 32,			/* lines or pieces, then others go first */
	WEB_REQUESTS = 1000,
	WEB_TOKEN = 26,			/* of a link, a cookie: 128 bits in base 32 */
};

struct web_session;
typedef void web_handler(struct web_session *s);

struct web_route {
	const char *head, *tail;	/* of the path; what is between them is s->part */
	bool open;			/* there is something between */
	bool waits;			/* an errand */
	web_handler *get, *post;	/* NULL: 405 */
};

struct web_answer {
	unsigned status;
	const char *type, *cache, *allow;	/* NULL: no such field */
	str body, location, etag;
	bool english;			/* it is in no language of the reader's */
	uint64_t retry_s;		/* 0: no such field */
	struct buf page;		/* what body looks at, if it was made */
};

struct web_session {
	struct session base;
	struct web_house *house;
	const struct conf *conf;
	const struct web_route *routes;
	bool plain;			/* port 80 */
	bool closing;			/* after this answer */
	bool unread;			/* something of the request may still come */
	unsigned requests;
	uint64_t send_by_ms;
	/* of a request, from its first line to the end of its answer: */
	struct arena *mem;
	struct http_request *q;
	size_t head_bytes;
	const struct web_route *route;
	str part;			/* of the path */
	unsigned language;
	str chosen;			/* ?lang=, "" if there is none */
	bool full;			/* mem was, for web_keep() */
	struct buf body;
	struct http_chunks chunks;
	uint64_t left;			/* of the body */
	char cookie[WEB_TOKEN + 1];	/* to be set; "": none */
	struct web_answer answer;
	struct buf head;
	size_t sent;
	struct errand errand;
};

/* web_route.c: what a request's head says; 0, or the status that it gets */
extern const struct web_route web_routes[], web_plain_routes[];
unsigned web_route(struct web_session *s);
void web_pick_language(struct web_session *s);

/* web_answer.c */
str web_keep(struct web_session *s, str text);	/* a copy in mem; "" and no page where it is full */
void web_put_head(const struct web_session *s, struct buf *b);
struct scope *web_scope(struct web_session *s, str path);	/* path "": no switch of languages */
void web_page(struct web_session *s, unsigned status, const char *file, const struct scope *scope);
void web_text(struct web_session *s, unsigned status, str text);
void web_error(struct web_session *s, unsigned status, str page_url);
/* The disk, the directory: logged, and 503. */
void web_failed(struct web_session *s, const char *what, const struct err *err);
void web_redirect(struct web_session *s, unsigned status, str to);
/* "/r/TOKEN/appeal"; web_url() with ?lang= if it was there. */
str web_path(struct web_session *s, const char *head, str token, const char *tail);
str web_url(struct web_session *s, const char *head, str token, const char *tail);

/* web_values.c */
void web_put_refusal(struct web_session *s, struct scope *to, const struct refusal *f);
/* By the token in the path.  False: answered. */
bool web_find_refusal(struct web_session *s, struct refusal *f);
/* The house's, with what the settings say. */
struct appeal_house web_appeals(const struct web_session *s);
bool web_may_appeal(const struct web_session *s, const struct refusal *f);
bool web_may_guess(struct web_session *s);	/* false: answered, 429 */
void web_guessed_wrong(struct web_session *s);	/* counted, and 404 */

/* The handlers; each in the file that its name says. */
web_handler web_refusal_get, web_appeal_get, web_appeal_post, web_decide_get, web_decide_post, web_ca_get,
	web_ca_crt_get, web_static_get, web_static_icon, web_static_robots, web_static_home, web_plain_acme,
	web_plain_other;
/* The form; note and contact "" or what was typed. */
struct web_typed {
	str note, contact;
	bool note_long, contact_long;
};

void web_refusal_page(struct web_session *s, unsigned status, const struct refusal *f, const struct web_typed *t);
