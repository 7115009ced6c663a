/* SPDX-License-Identifier: ISC */
/* Letters about refusals: a thread that looks whether any are due. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "daemon/house_int.h"
#include "deliver/letters.h"

enum { LOOK_MS = 2000, AGAIN_MS = 60 * 1000 };

static enum rc
send_due(struct house *h, bool *more, struct err *err)
{
	const struct conf *conf;
	enum rc rc;
	{
		LOCK_AUTO held = lock_take(&h->lock);

		conf = conf_keep(h->conf);
	}
	const struct letters_want w = { .conf = conf,
		.directory = h->directory,
		.refusals = h->refusals,
		.own = h->own,
		.sentences = h->sentences,
		.templates = h->templates,
		.token_key = h->token_key };

	rc = letters_send(&w, more, err);
	conf_drop(&conf);
	return rc;
}

/* False: it is time to end. */
static bool
wait_for(struct house *h, uint64_t ms)
{
	struct house_letters *l = &h->letters;
	LOCK_AUTO held = lock_take(&l->lock);
	uint64_t until_ms = clock_ms() + ms;

	while (!l->end && cond_until(&l->wake, &l->lock, until_ms))
		;
	return !l->end;
}

static void *
run(void *arg)
{
	struct house *h = arg;
	uint64_t wait_ms = LOOK_MS;

	while (wait_for(h, wait_ms)) {
		struct err err = { 0 };
		bool more = false;

		wait_ms = LOOK_MS;
		if (send_due(h, &more, &err) != RC_OK) {
			log_warn("msg=\"a letter about refusals waits\" why=\"%s\"",
				err.text);
			wait_ms = AGAIN_MS;
		} else if (more) {
			wait_ms = 1;
		}
	}
	return NULL;
}

void
house_letters_start(struct house *h)
{
	struct house_letters *l = &h->letters;

	(void)pthread_mutex_init(&l->lock, NULL);
	cond_init(&l->wake);
	l->thread = thread_start("letters", run, h);
}

void
house_letters_stop(struct house *h)
{
	struct house_letters *l = &h->letters;
	{
		LOCK_AUTO held = lock_take(&l->lock);

		l->end = true;
		(void)pthread_cond_signal(&l->wake);
	}
	(void)pthread_join(l->thread, NULL);
}
