/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_sample.h"

#include "base/clock.h"
#include "smtp/smtp_recent.h"

static bool
takes_samples(const struct smtp_rcpt *r)
{
	str domain = r->address, local;

	return str_cut(&domain, '@', &local) && str_ieq(local, STR("abuse"));
}

static bool
somebody_takes(const struct smtp_verdict *v)
{
	for (const struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		if (takes_samples(r))
			return true;
	return false;
}

enum rc
smtp_sample_look(struct smtp_verdict *v, const struct evidence *e)
{
	enum rc rc;

	if (v->findings->n == 0 || !somebody_takes(v))
		return RC_OK;
	struct findings *left = arena_new_of(v->mem, struct findings);
	if (left == NULL)
		return err_set(&v->err, RC_LIMIT, "no memory for findings");
	*left = *v->findings;
	rc = filter_sample(e, left, &v->err);
	if (rc == RC_OK)
		v->sample = left;
	return rc == RC_NONE ? RC_OK : rc;
}

struct findings *
smtp_sample_findings(struct smtp_verdict *v, const struct smtp_rcpt *r)
{
	return v->sample != NULL && takes_samples(r) ? v->sample : v->findings;
}

bool
smtp_sample_allowed(struct smtp_verdict *v)
{
	enum { HOUR_MS = 3600 * 1000 };
	struct ip network = ip_network(&v->client);
	uint64_t now = clock_ms();
	uint32_t hour = (uint32_t)(now / HOUR_MS);
	uint8_t key[SMTP_RECENT_KEY];
	str client = smtp_recent_client(&network, key);

	if (v->sample_counted)
		return true;
	memcpy(key + client.len, &hour, sizeof(hour));
	client.len += sizeof(hour);
	v->sample_counted = smtp_recent_note(v->gate->samples, client, now) <=
			    v->conf->filter.abuse_samples;
	return v->sample_counted;
}
