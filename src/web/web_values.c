/* SPDX-License-Identifier: ISC */
/* What pages say about a refusal, and by which token. */
#include "base/clock.h"
#include "filter/said.h"
#include "web/web_guess.h"
#include "web/web_int.h"

void
web_put_refusal(struct web_session *s, struct scope *to, const struct refusal *f)
{
	struct appeal a = { 0 };

	if (f->state == REFUSAL_APPEALED &&
		appeals_get(s->house->refusals, f, s->mem, &a, NULL) != RC_OK)
		a.time_ms = 0;
	said_refusal(to, s->mem, f);
	scope_time(to, "appealed_at", a.time_ms);
}

/* ---- tokens ---- */

bool
web_may_guess(struct web_session *s)
{
	uint64_t wait_s = web_guesses_wait(
		s->house->guesses, &s->base.io->peer, s->conf->web.guesses, clock_ms());

	if (wait_s == 0)
		return true;
	s->answer.retry_s = wait_s;
	web_error(s, 429, STR(""));
	return false;
}

void
web_guessed_wrong(struct web_session *s)
{
	web_guesses_add(s->house->guesses, &s->base.io->peer, clock_ms());
	web_error(s, 404, STR(""));
}

bool
web_find_refusal(struct web_session *s, struct refusal *f)
{
	struct err err = { 0 };
	enum rc rc;

	if (!web_may_guess(s))
		return false;
	rc = refusals_by_token(s->house->refusals, s->part, s->mem, f, &err);
	if (rc == RC_NONE)
		web_guessed_wrong(s);
	else if (rc != RC_OK)
		web_failed(s, "a refusal could not be looked up", &err);
	return rc == RC_OK;
}

bool
web_may_appeal(const struct web_session *s, const struct refusal *f)
{
	return f->state == REFUSAL_OPEN && f->held && s->conf->web.appeals > 0;
}

struct appeal_house
web_appeals(const struct web_session *s)
{
	struct appeal_house h = s->house->appeals;

	h.release.hostname = s->conf->server.hostname;
	h.scanner_ms = s->conf->limits.scanner_timeout;
	h.unpacked = s->conf->limits.scanner_unpacked;
	h.limits = (struct appeal_limits){ .network = s->conf->web.appeals_network,
		.domain = s->conf->web.appeals_domain,
		.all = s->conf->web.appeals };
	return h;
}
