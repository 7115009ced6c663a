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
 *	80	/.well-known/acme-challenge/TOKEN, and a redirect to https of everything else
 *
 * GET and HEAD change nothing.  What changes something is a POST with a form token bound to a cookie
 * (web_form.h), and is work for an errand where it waits for the disk.
 *
 * Limits: a head of 16 KiB, a form of 32 KiB, 20 s for a head, 30 s for a body, 60 s between requests, 1,000 requests
 * of a connection; per network, guesses of tokens (web_guess.h).
 */
#pragma once

#include "deliver/appeal.h"
#include "deliver/letters.h"
#include "net/errand.h"
#include "net/service.h"
#include "say/ui.h"

struct web_house {
	struct refusals *refusals;
	struct appeal_house appeals;
	const struct sentences *sentences;
	const struct templates *templates;
	const uint8_t *token_key;	/* TOKEN_KEY bytes */
	struct pool *errands;
	struct web_guesses *guesses;	/* web_guess.h */
	int data;			/* the data folder: acme/ */
	str ca_pem;			/* our own CA's certificate; "" if it does not serve */
};

extern const struct session_kind https_kind;	/* 443; its arg: struct web_house */
extern const struct session_kind http_kind;	/* 80 */
