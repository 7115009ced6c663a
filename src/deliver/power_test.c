/* SPDX-License-Identifier: ISC */
/*
 * The power is cut after every single thing that was done to the disk.
 *
 * One scenario is recorded.  For each prefix of its events the folder is made as
 * a strict disk may show it afterwards, recovery runs as at a start, and then:
 * every message acknowledged before the cut is in each of its mailboxes, once;
 * nothing is there twice or where it was not to go; the original of everything that
 * was refused before is held, and what is taken for a duplicate of it is one; what was
 * released is in its mailboxes, once, also when it is released again; audit
 * and verify find no breach; and a next message finds its way.
 * */
#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "deliver/power_play.h"
#include "deliver/release.h"
#include "test/test.h"

enum { MESSAGES = 64, EXPUNGED = 4, RELEASES = 8, ACCOUNTS = 52, SECONDS = 45 };

/* What was said to the peers, and when. */
struct told {
	struct sent sent;
	size_t acked; /* events that had happened when it was acknowledged */
};

struct removed {
	struct msg_id id;
	uint64_t account;
	size_t begun;
};

/* A refused message that was released after all. */
struct freed {
	struct sent sent;
	struct msg_id copy;
	size_t begun, acked;
};

static struct freed freed[RELEASES];
static size_t nfreed;
static struct told told[MESSAGES];
static size_t ntold;
static struct removed removed[EXPUNGED];
static size_t nremoved;
static size_t born; /* events when everything had been opened once */

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

/* --- the scenario --- */

static void
send_one(struct parts *p, size_t from, size_t n, size_t refused, size_t body,
	uint64_t time_ms)
{
	struct told *t = &told[ntold];
	struct err err = { .rc = RC_OK };

	t->sent = (struct sent){
		.from = from, .n = n, .refused = refused, .body = body, .time_ms = time_ms
	};
	must(parts_send(p, &t->sent, &err), &err);
	t->acked = power_events();
	ntold++;

	BUF_AUTO mark = BUF(64);
	struct jrec_answered a = { .id = t->sent.id };
	jrec_put_answered(&mark, &a);
	journal_note(p->journal, JREC_ANSWERED, buf_str(&mark));
}

/* The bytes of message n come again and are refused again. */
static void
send_again(struct parts *p, size_t n)
{
	struct told *t = &told[ntold];
	struct err err = { .rc = RC_OK };

	t->sent = told[n].sent;
	t->sent.bytes_of = told[n].sent.id;
	t->sent.n = 0;
	t->sent.held = (struct msg_id){ "" };
	must(parts_send(p, &t->sent, &err), &err);
	t->acked = power_events();
	assert_string_equal(t->sent.held.text, told[n].sent.held.text);
	ntold++;
}

static void
send_some(struct parts *p)
{
	send_one(p, 0, 1, 0, 100, 0);
	send_one(p, 1, 3, 2, 9000, 0);
	send_one(p, 0, 50, 0, 2000, 0);
	send_one(p, 5, 0, 2, 0, 0);
}

static enum rc
first_uid(const struct store_message *m, void *arg, struct err *err)
{
	struct store_message *first = arg;

	(void)err;
	if (first->uid == 0) {
		first->uid = m->uid;
		first->id = m->id;
	}
	return RC_OK;
}

/* The reader of account n removes its first message. */
static void
expunge(struct parts *p, size_t n)
{
	struct store_message first = { .uid = 0 };
	struct err err = { .rc = RC_OK };
	uint64_t account = p->accounts[n];

	must(store_messages(p->store, account, STR("INBOX"), 0, first_uid, &first, &err),
		&err);
	assert_true(first.uid != 0);
	removed[nremoved++] = (struct removed){
		.id = first.id, .account = account, .begun = power_events()
	};
	must(store_expunge(p->store, account, STR("INBOX"), first.uid, &err), &err);
}

static enum rc
open_own(struct parts *p, struct own **own, struct err *err)
{
	const struct own_want w = { .apply = { .data = p->data,
					    .directory = p->directory,
					    .store = p->store,
					    .ledger = p->ledger,
					    .refusals = p->refusals,
					    .with = p->apply,
					    .checkpoint_ms = 1000 } };

	return own_open(&w, own, err);
}

static enum rc
run_release(struct parts *p, struct own *own, const struct msg_id *id,
	struct msg_id *copy, struct err *err)
{
	ARENA_AUTO mem = arena_new(16 << 20);
	const struct release_want w = { .data = p->data,
		.hostname = STR("mx.x.test"),
		.directory = p->directory,
		.refusals = p->refusals,
		.private_key = p->held_private };
	struct refusal f;
	enum rc rc = release_run(&w, own, msg_id_str(id), STR("tester"), mem, &f, err);

	if (rc == RC_OK)
		*copy = f.release_id;
	return rc;
}

/* What message n was refused for, is delivered. */
static void
release(struct parts *p, size_t n)
{
	struct freed *f = &freed[nfreed];
	struct own *own = NULL;
	struct err err = { .rc = RC_OK };

	f->sent = told[n].sent;
	f->begun = power_events();
	must(open_own(p, &own, &err), &err);
	must(run_release(p, own, &f->sent.id, &f->copy, &err), &err);
	f->acked = power_events();
	nfreed++;
	own_close(&own);
}

static void
checkpoint(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	must(apply_checkpoint(p->apply, &err), &err);
	journal_trim(p->journal, apply_position(p->apply), 0);
}

static void
scenario(struct parts *p)
{
	uint64_t now = clock_wall_ms(), month = 31ull * 24 * 3600 * 1000;
	struct err err = { .rc = RC_OK };

	must(parts_open(p, &err), &err);
	born = power_events();
	send_some(p);
	parts_apply(p);
	release(p, 1);
	send_some(p); /* waits while the others are checkpointed */
	send_again(p, ntold - 1);
	checkpoint(p);
	parts_apply(p);
	for (size_t i = 0; i < 4; i++) /* a batch over a month's end, back and forth */
		send_one(p, i, 2, 0, 300, i % 2 == 0 ? now : now + month);
	parts_apply(p);
	expunge(p, 0);
	expunge(p, 2);
	send_some(p);
	checkpoint(p);
	send_one(p, 3, 4, 1, 70000, 0);
	parts_close(p); /* a clean stop and a start */
	must(parts_open(p, &err), &err);
	send_some(p);
	send_again(p, 1);
	parts_apply(p);
	release(p, 3);
	release(p, ntold - 1);
	expunge(p, 7);
	checkpoint(p);
	send_some(p);
	parts_apply(p);
	send_one(p, 0, 2, 0, 500, 0);
	parts_close(p);
}

/* --- after the cut --- */

struct look {
	struct parts *p;
	size_t events; /* that had happened */
	size_t account;
	unsigned copies[MESSAGES], released[RELEASES];
	char wrong[400];
};

static bool
was_removed(const struct look *l, const struct msg_id *id, uint64_t account)
{
	for (size_t i = 0; i < nremoved; i++)
		if (removed[i].account == account && removed[i].begun <= l->events &&
			strcmp(removed[i].id.text, id->text) == 0)
			return true;
	return false;
}

static enum rc
count_message(const struct store_message *m, void *arg, struct err *err)
{
	struct look *l = arg;

	for (size_t i = 0; i < ntold; i++)
		if (strcmp(told[i].sent.id.text, m->id.text) == 0) {
			const struct sent *s = &told[i].sent;

			l->copies[i]++;
			if (l->account < s->from || l->account >= s->from + s->n)
				return err_set(err, RC_BAD,
					"message %zu is in mailbox %zu", i, l->account);
			return RC_OK;
		}
	for (size_t i = 0; i < nfreed; i++)
		if (strcmp(freed[i].copy.text, m->id.text) == 0) {
			l->released[i]++;
			return RC_OK;
		}
	return err_set(err, RC_BAD, "an unknown message is in mailbox %zu", l->account);
}

static bool
was_refused(const struct sent *s, size_t account)
{
	return account >= s->from + s->n && account < s->from + s->n + s->refused;
}

/* again: it was released once more after the cut. */
static enum rc
look_at_released(const struct look *l, bool again, struct err *err)
{
	for (size_t i = 0; i < nfreed; i++) {
		bool must_be = was_refused(&freed[i].sent, l->account) &&
			       (freed[i].acked <= l->events ||
				       (again && freed[i].begun <= l->events));

		if (l->released[i] > was_refused(&freed[i].sent, l->account) ||
			(must_be && l->released[i] == 0))
			return err_set(err, RC_BAD,
				"release %zu is %u times in mailbox %zu%s", i,
				l->released[i], l->account, again ? ", begun again" : "");
	}
	return RC_OK;
}

static enum rc
look_at_account(struct look *l, bool again, struct err *err)
{
	struct parts *p = l->p;
	uint64_t account = p->accounts[l->account];
	enum rc rc;

	memset(l->copies, 0, sizeof(l->copies));
	memset(l->released, 0, sizeof(l->released));
	rc = store_messages(p->store, account, STR("INBOX"), 0, count_message, l, err);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	for (size_t i = 0; i < ntold; i++) {
		const struct sent *s = &told[i].sent;
		bool target = l->account >= s->from && l->account < s->from + s->n;

		if (l->copies[i] > 1)
			return err_set(err, RC_BAD,
				"message %zu is %u times in mailbox %zu", i, l->copies[i],
				l->account);
		if (target && told[i].acked <= l->events && l->copies[i] == 0 &&
			!was_removed(l, &s->id, account))
			return err_set(err, RC_BAD,
				"message %zu, acknowledged, is not in mailbox %zu", i,
				l->account);
	}
	return look_at_released(l, again, err);
}

static enum rc
look_at_accounts(struct look *l, bool again, struct err *err)
{
	enum rc rc = RC_OK;

	for (l->account = 0; l->account < ACCOUNTS && rc == RC_OK; l->account++)
		rc = look_at_account(l, again, err);
	return rc;
}

/* Who asked for a release and heard nothing asks again. */
static enum rc
release_again(struct look *l, struct own *own, struct err *err)
{
	struct err why = { .rc = RC_OK };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < nfreed && rc == RC_OK; i++) {
		struct msg_id copy = freed[i].copy;

		if (freed[i].begun > l->events)
			continue;
		rc = run_release(l->p, own, &freed[i].sent.id, &copy, &why);
		if (rc == RC_BAD && strstr(why.text, "released already") != NULL)
			rc = RC_OK;
		if (rc != RC_OK || strcmp(copy.text, freed[i].copy.text) != 0)
			return err_set(err, RC_BAD, "release %zu again: %s", i, why.text);
	}
	return rc;
}

static bool
note_damage(const struct held_about *about, void *arg)
{
	struct look *l = arg;

	if (about->size == 0)
		(void)snprintf(l->wrong, sizeof(l->wrong), "%s, held, is not whole",
			about->id.text);
	return true;
}

/* Gate begins anew with what it finds in the folder: the message that was on its way
 * when the power went comes again. */
static enum rc
refuse_again(struct look *l, const struct sent *cut_off, struct err *err)
{
	struct sent next = *cut_off;
	enum rc rc;

	next.bytes_of = cut_off->bytes_of.text[0] != '\0' ? cut_off->bytes_of
							  : cut_off->id;
	next.n = 0;
	next.held = (struct msg_id){ "" };
	if ((rc = parts_send(l->p, &next, err)) != RC_OK)
		return rc;
	return parts_original(l->p, &next, err);
}

static enum rc
look_at_held(struct look *l, struct err *err)
{
	enum rc rc = held_each(l->p->held_dir, note_damage, l, err);

	if (rc == RC_OK && l->wrong[0] != '\0')
		return err_set(err, RC_BAD, "%s", l->wrong);
	for (size_t i = 0; i < ntold && rc == RC_OK; i++) {
		const struct sent *s = &told[i].sent;

		if (s->refused == 0)
			continue;
		if (told[i].acked > l->events)
			return refuse_again(l, s, err);
		rc = parts_original(l->p, s, err);
	}
	return rc;
}

/* Recovery as at a start, then everything is looked at. */
static enum rc
recover(struct parts *p, size_t events, struct err *err)
{
	struct look l = { .p = p, .events = events };
	struct sent next = { .from = 0, .n = 1, .body = 10 };
	struct own *own = NULL;
	enum rc rc = parts_open(p, err);

	if (rc != RC_OK ||
		(rc = apply_all(p->apply, journal_synced(p->journal), err)) != RC_OK ||
		(rc = open_own(p, &own, err)) != RC_OK)
		return rc;
	rc = own_settle(own, err);
	if (rc == RC_OK)
		rc = look_at_accounts(&l, false, err);
	if (rc == RC_OK)
		rc = release_again(&l, own, err);
	if (rc == RC_OK)
		rc = look_at_accounts(&l, true, err);
	own_close(&own);
	if (rc != RC_OK || (rc = look_at_held(&l, err)) != RC_OK)
		return rc;
	for (int verify = 0; verify < 2; verify++) {
		parts_audit(p, verify == 1);
		if (p->breaches > 0)
			return err_set(err, RC_BAD, "%.200s", p->damage);
	}
	bool gone;
	if ((rc = parts_send(p, &next, err)) != RC_OK ||
		(rc = apply_all(p->apply, journal_synced(p->journal), err)) != RC_OK)
		return rc;
	rc = store_has(p->store, p->accounts[0], &next.id, &gone, err);
	return rc == RC_NONE ? err_set(err, RC_BAD, "the next message was not delivered")
			     : rc;
}

TEST(whatever_the_power_takes_no_acknowledged_message_is_lost_or_doubled)
{
	struct parts made;
	const char *root = test_folder();

	parts_make(&made, root, ACCOUNTS);
	made.roll_bytes = 16 * 1024;
	power_record(root);
	scenario(&made);
	power_stop();
	power_play(&(struct power_play){
		.made = &made, .recover = recover, .born = born, .seconds = SECONDS });
	parts_clear(&made);
}
