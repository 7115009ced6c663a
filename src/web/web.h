/* SPDX-License-Identifier: ISC */
/*
 * web: sessions of HTTPS (443) and HTTP (80), run by a net/service: HTTP/1.1 (wire/http.h), keep-alive, requests
 * one after the other.
 *
 *	443	/r/TOKEN		what a sender sees who was refused (web_refusal.c)
 *		/r/TOKEN/appeal		POST: the appeal (web_appeal.c)
 *		/d/TOKEN		who decides about one (web_decide.c); POST: the decision
 *		/ca, /ca.crt		our own CA's certificate, and how programs are told to trust it (web_ca.c)
 *		/ui/NAME		style sheets, scripts, images (web_static.c)
 *		/, /robots.txt, /favicon.ico
 *	80	/.well-known/acme-challenge/TOKEN, and a redirect to https of everything else (web_plain.c)
 *
 * GET and HEAD change nothing.  What changes something is a POST with a form token bound to a cookie
 * (web_form.h), and is work for an errand, as is whatever else waits for the disk.
 *
 * Limits: a head of 16 KiB, a form of 32 KiB, 20 s for a head, 30 s for a body, 60 s between requests, 1,000 requests
 * of a connection; per network, guesses of tokens (web_guess.h).  Tokens are never logged.
 */
#pragma once

#include <stdatomic.h>

#include "deliver/appeal.h"
#include "deliver/letters.h"
#include "net/errand.h"
#include "net/service.h"
#include "say/ui.h"

struct web_guesses;

/* Our own CA's certificate, for /ca. */
struct web_ca {
	str pem;		/* "": there is none */
	char fingerprint[96];	/* SHA-256 of the certificate, "AB:CD:…" */
	uint64_t until_ms;
};

struct web_house {
	struct refusals *refusals;
	struct appeal_house appeals;	/* but for what the settings say: the session's do */
	const struct sentences *sentences;
	const struct templates *templates;
	const uint8_t *token_key;	/* TOKEN_KEY bytes */
	struct pool *errands;
	struct web_guesses *guesses;	/* web_guesses_new() */
	int data;			/* the data folder: acme/ */
	struct web_ca ca;
	/* The certificate that is served is of our own CA: strangers are warned of it, so they are
	 * not told to insist on TLS.  A reload may change it. */
	atomic_bool own_ca;
};

/* RC_BAD: not a certificate in PEM.  *out looks at pem. */
enum rc web_ca_read(str pem, struct web_ca *out, struct err *err) MUST_CHECK;

extern const struct session_kind https_kind;	/* 443; its arg: struct web_house */
extern const struct session_kind http_kind;	/* 80; likewise */
