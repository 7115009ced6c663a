/* SPDX-License-Identifier: ISC */
/* RCPT: the question to the directory, and what its answer means. */
#include <time.h>

#include "base/clock.h"
#include "smtp/smtp_counts.h"
#include "smtp/smtp_int.h"
#include "wire/ask.h"

struct smtp_ask {
	struct remote_ask remote; /* first: done() gets its address */
	struct service *service;
	uint64_t number;
	_Atomic bool done;
	str written; /* in ask_mem, like this */
};

static const struct smtp_reply
	rcpt_ok = { 250, "2.1.5", "ok" },
	too_many = { 452, "4.5.3",
		"too many recipients, send the rest in another message" },
	separately = { 452, "4.5.3", "send the message to this recipient separately" };

static struct smtp_reply
bad_rcpt(enum smtp_bad bad)
{
	static const struct smtp_reply rows[] = {
		[SMTP_BAD_SYNTAX] = { 501, "5.5.4", "say RCPT TO:<address>" },
		[SMTP_BAD_ADDRESS] = { 501, "5.1.3", "this is not an address" },
		[SMTP_LONG_ADDRESS] = { 501, "5.1.3", "the address is too long" },
		[SMTP_BAD_PARAMETER] = { 501, "5.5.4", "a parameter is wrong" },
		[SMTP_NO_PARAMETER] = { 555, "5.5.4",
			"there is a parameter that is not known" },
		[SMTP_NEEDS_UTF8] = { 553, "5.6.7", "this address needs SMTPUTF8" },
	};

	return rows[bad];
}

/* Rows by enum ask_status; the count's row where there is one. */
static const struct refusal {
	struct smtp_reply reply;
	enum smtp_counted count;
} refusals[] = {
	[ASK_UNKNOWN] = { { 550, "5.1.1", "no such address here" }, SMTP_COUNT_UNKNOWN },
	[ASK_RELAY] = { { 550, "5.7.1",
				"this server does not take mail for that domain" },
		SMTP_COUNT_RELAY },
	[ASK_FULL] = { { 452, "4.2.2", "the mailbox is full" }, SMTP_COUNT_FULL },
	[ASK_DISABLED] = { { 550, "5.2.1", "the mailbox is disabled" },
		SMTP_COUNT_OTHER },
	[ASK_LATER] = { { 451, "4.3.0", "addresses cannot be looked up at the moment" },
		SMTP_COUNT_OTHER },
};

static struct smtp_reply
refuse(struct smtp_session *s, enum ask_status status)
{
	const struct refusal *r = &refusals[status];

	if (status == ASK_LATER) /* ours, not a refusal */
		return r->reply;
	smtp_counts_add(s->gate->counts, &s->base.io->peer, r->count, clock_wall_ms());
	s->unknown += r->count == SMTP_COUNT_UNKNOWN;
	s->relay += r->count == SMTP_COUNT_RELAY;
	s->other += r->count != SMTP_COUNT_UNKNOWN && r->count != SMTP_COUNT_RELAY;
	return r->reply;
}

/* smtp_split.h: recipients whose answers differed are taken apart. */
static bool
belongs_elsewhere(struct smtp_session *s, str address)
{
	struct smtp_txn *t = &s->txn;
	const struct ip *peer = &s->base.io->peer;

	if (t->prdr)
		return false;
	enum smtp_group group = smtp_split_group(
		s->gate->splits, peer, t->from, address, clock_ms());
	if (group == SMTP_GROUP_NONE)
		return false;
	if (t->group == SMTP_GROUP_NONE)
		t->group = group;
	if (t->group == group)
		return false;
	if (!t->split)
		smtp_split_given(s->gate->splits, peer, t->from, address, clock_ms());
	t->split = true;
	return true;
}

static struct smtp_reply
take(struct smtp_session *s, const struct ask_answer *a, str written)
{
	enum { BESIDE = 64 + 60 }; /* a record's fields and a short reason */
	struct smtp_txn *t = &s->txn;
	struct smtp_rcpt *r;

	if (belongs_elsewhere(s, a->address))
		return separately;
	size_t bytes = a->address.len + a->ntargets * sizeof(a->targets[0]) + BESIDE;
	if (t->rcpt_bytes + bytes > SMTP_RCPTS_BYTES)
		return too_many;
	r = arena_new_of(t->mem, struct smtp_rcpt);
	if (r == NULL || arena_copy(t->mem, a->address, &r->address) != RC_OK ||
		arena_copy(t->mem, written, &r->written) != RC_OK ||
		(r->targets = arena_array(t->mem, a->ntargets, sizeof(*r->targets))) ==
			NULL)
		return too_many;
	memcpy(r->targets, a->targets, a->ntargets * sizeof(*r->targets));
	r->ntargets = a->ntargets;
	r->policy = (struct policy_of){ .threshold = a->threshold,
		.observe = a->observe };
	if (t->last == NULL)
		t->first = r;
	else
		t->last->next = r;
	t->last = r;
	t->nrcpts++;
	t->rcpt_bytes += bytes;
	s->state = SMTP_RCPT;
	return rcpt_ok;
}

static struct smtp_reply
answered(struct smtp_session *s)
{
	const struct ask_answer *a = &s->ask->remote.answer;
	struct smtp_reply r = a->status == ASK_LOCAL ? take(s, a, s->ask->written)
						     : refuse(s, a->status);

	s->ask = NULL;
	arena_reset(s->ask_mem);
	return r;
}

static void
done(struct remote_ask *remote)
{
	struct smtp_ask *a = (struct smtp_ask *)remote;
	struct service *service = a->service;
	uint64_t number = a->number;

	/* From here on the session may go on, and end, at any time. */
	atomic_store_explicit(&a->done, true, memory_order_release);
	service_wake(service, number);
}

/* Ends by the question's own deadline; until then its memory is not ours. */
static enum session_step
phase_ask(void *session)
{
	struct smtp_session *s = session;

	if (!atomic_load_explicit(&s->ask->done, memory_order_acquire))
		return session_await(&s->base, s->ask->remote.until_ms);
	s->base.phase = smtp_phase_command;
	struct smtp_reply r = answered(s);
	return smtp_answer(s, &r);
}

struct smtp_reply
smtp_rcpt(struct smtp_session *s, str args)
{
	struct smtp_path p;
	enum smtp_bad bad = smtp_rcpt_read(args, s->txn.utf8, &p);
	str written;

	if (bad != SMTP_GOOD)
		return bad_rcpt(bad);
	if (s->txn.nrcpts >= s->conf->smtp.max_recipients ||
		s->txn.nrcpts >= SMTP_RCPTS_MOST)
		return too_many;
	struct smtp_ask *a = arena_new_of(s->ask_mem, struct smtp_ask);
	if (a == NULL || arena_copy(s->ask_mem, p.text, &written) != RC_OK)
		return smtp_limit;
	s->ask = a;
	a->service = s->base.io->service;
	a->number = s->base.io->number;
	a->written = written;
	(void)str_z((str){ p.plain, p.plain_len }, a->remote.address,
		sizeof(a->remote.address));
	a->remote.until_ms = clock_ms() + s->conf->smtp.house_timeout;
	a->remote.done = done;
	a->remote.mem = s->ask_mem;
	if (remote_ask(s->gate->remote, &a->remote))
		return answered(s);
	s->base.phase = phase_ask;
	return (struct smtp_reply){ 0 };
}

/* Only when the process ends is a session closed with a question open. */
void
smtp_ask_free(struct smtp_session *s)
{
	static const struct timespec a_while = { .tv_nsec = 1000 * 1000 };

	while (s->ask != NULL && s->base.phase == phase_ask &&
		!atomic_load_explicit(&s->ask->done, memory_order_acquire))
		(void)nanosleep(&a_while, NULL);
	s->ask = NULL;
}
