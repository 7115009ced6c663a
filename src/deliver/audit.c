/* SPDX-License-Identifier: ISC */
#include "deliver/audit.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "crypto/digest.h"
#include "deliver/audit_int.h"
#include "deliver/deliver_int.h"

/* What a journal record and a ledger row both say of a message. */
struct promise {
	const struct msg_id *id;
	bool again, waiting; /* waiting: perhaps not applied yet */
	size_t nrcpts;
	struct promised {
		str address;
		enum jrec_answer answer;
		size_t ntargets;
		const uint64_t *targets;
	} * rcpts;
};

void
audit_breach(struct audit *a, const char *fmt, ...)
{
	char sentence[SENTENCE];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	for (char *p = sentence; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	a->sum.breaches++;
	a->w->breach(sentence, a->w->arg);
}

static void
on_damage(const char *sentence, void *arg)
{
	audit_breach(arg, "%s", sentence);
}

bool
audit_in_incoming(const struct audit *a, const struct msg_id *id)
{
	char path[40];
	struct stat st;

	(void)snprintf(path, sizeof(path), "incoming/%s", id->text);
	return fstatat(a->w->data, path, &st, 0) == 0;
}

/* Is the message, or was it, in the account?  RC_NONE: never. */
enum rc
audit_was_there(
	struct audit *a, uint64_t account, const struct msg_id *id, struct err *err)
{
	bool gone = false;
	enum rc rc = store_has(a->w->store, account, id, &gone, err);

	if (rc == RC_OK)
		a->sum.messages++;
	return rc == RC_NONE && gone ? RC_OK : rc;
}

static enum rc
check_target(struct audit *a, const struct promise *p, const struct promised *r,
	uint64_t target, struct err *err)
{
	ARENA_AUTO mem = arena_new(ACCOUNT_MEM);
	struct account account;
	enum rc rc = account_by_id(a->w->directory, target, mem, &account, err);

	if (rc == RC_NONE) /* its mailboxes went with it, or its heir has the message */
		return RC_OK;
	if (rc != RC_OK || (rc = audit_was_there(a, target, p->id, err)) != RC_NONE)
		return rc;
	if (p->waiting && audit_in_incoming(a, p->id))
		return RC_OK;
	/* applied and cleared away while we looked? */
	if (p->waiting && (rc = audit_was_there(a, target, p->id, err)) != RC_NONE)
		return rc;
	audit_breach(a,
		"message %s, accepted for " STR_FMT ", is not in the mailbox of " STR_FMT
		"%s (account %" PRIu64 ")",
		p->id->text, STR_ARG(r->address), STR_ARG(account.address),
		p->waiting ? " and not in incoming/" : "", target);
	return RC_OK;
}

static bool
is_target(const struct promise *p, uint64_t account)
{
	for (size_t i = 0; i < p->nrcpts; i++)
		for (size_t t = 0; t < p->rcpts[i].ntargets; t++)
			if (p->rcpts[i].targets[t] == account)
				return true;
	return false;
}

static enum rc
check_refused(struct audit *a, const struct promise *p, const struct promised *r,
	struct err *err)
{
	ARENA_AUTO mem = arena_new(ACCOUNT_MEM);
	struct account account;
	bool gone = false;
	enum rc rc = account_find(a->w->directory, r->address, mem, &account, NULL);

	if (rc != RC_OK || is_target(p, account.id))
		return rc == RC_TEMP ? err_set(err, rc, "the directory cannot be read")
				     : RC_OK;
	rc = store_has(a->w->store, account.id, p->id, &gone, err);
	if (rc == RC_OK || (rc == RC_NONE && gone))
		audit_breach(a,
			"message %s was not accepted for " STR_FMT
			" and is in that mailbox",
			p->id->text, STR_ARG(r->address));
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
check_promise(struct audit *a, const struct promise *p, struct err *err)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < p->nrcpts && rc == RC_OK; i++) {
		const struct promised *r = &p->rcpts[i];

		a->sum.recipients++;
		if (r->answer != JREC_DELIVERED)
			rc = check_refused(a, p, r, err);
		for (size_t t = 0; !p->again && t < r->ntargets && rc == RC_OK; t++)
			rc = check_target(a, p, r, r->targets[t], err);
	}
	return rc;
}

/* --- journals --- */

enum rc
audit_waiting_file(struct audit *a, const struct waiting_file *f, struct err *err)
{
	char path[40];
	char *data = NULL;
	size_t len = 0;
	uint8_t digest[SHA256_BYTES];

	(void)snprintf(path, sizeof(path), "incoming/%s", f->id.text);
	enum rc rc = fs_read_all(a->w->data, path, 1u << 30, &data, &len, err);
	if (rc == RC_NONE)
		return RC_OK;
	if (rc == RC_OK && len >= f->trace_bytes)
		sha256((str){ data + f->trace_bytes, len - f->trace_bytes }, digest);
	if (rc == RC_OK &&
		(len != f->size || memcmp(digest, f->digest, sizeof(digest)) != 0))
		audit_breach(a, "message %s in incoming/ is not what was accepted",
			f->id.text);
	free(data);
	return rc == RC_BAD ? RC_OK : rc;
}

static enum rc
check_waiting_message(struct audit *a, const struct jrec_message *m, struct err *err)
{
	const struct waiting_file f = { .id = m->id,
		.size = m->size,
		.trace_bytes = TRACE_BLOCK,
		.digest = m->digest };

	return audit_waiting_file(a, &f, err);
}

static void
keep_seen(struct journal_state *j, const struct jrec_message *m, uint64_t seq)
{
	if (j->n == j->room) {
		j->room = j->room == 0 ? 1024 : j->room * 2;
		j->at = realloc(j->at, j->room * sizeof(*j->at));
		if (j->at == NULL)
			abort();
	}
	j->at[j->n++] = (struct seen){ .seq = seq, .id = m->id };
}

static enum rc
check_register(struct audit *a, const struct jrec_message *m, struct err *err)
{
	enum rc rc = RC_OK;

	if ((m->flags & JREC_RELEASED) != 0)
		return audit_release(a, m, err);
	for (size_t i = 0; i < m->nrcpts && rc == RC_OK; i++)
		if (m->rcpts[i].answer == JREC_REFUSED && m->rcpts[i].has_token)
			rc = audit_link(a, &m->id, m->time_ms, m->rcpts[i].address, err);
	return rc;
}

static enum rc
check_message(struct audit *a, struct journal_state *j, const struct journal_item *item,
	uint64_t applied, struct err *err)
{
	struct jrec_message m;

	arena_reset(a->mem);
	if (jrec_get_message(item->payload, a->mem, &m) != RC_OK) {
		audit_breach(a, "record %" PRIu64 " of journal %s cannot be read",
			item->seq, j->name);
		return RC_OK;
	}
	keep_seen(j, &m, item->seq);
	if (a->verify)
		return item->seq > applied ? check_waiting_message(a, &m, err) : RC_OK;
	struct promise p = { .id = &m.id,
		.again = (m.flags & JREC_AGAIN) != 0,
		.waiting = item->seq > applied,
		.nrcpts = m.nrcpts };
	p.rcpts = arena_array(a->mem, m.nrcpts, sizeof(*p.rcpts));
	if (p.rcpts == NULL)
		return err_set(
			err, RC_LIMIT, "record %" PRIu64 " is too large", item->seq);
	for (size_t i = 0; i < m.nrcpts; i++)
		p.rcpts[i] = (struct promised){ .address = m.rcpts[i].address,
			.answer = m.rcpts[i].answer,
			.ntargets = m.rcpts[i].ntargets,
			.targets = m.rcpts[i].targets };
	enum rc rc = check_promise(a, &p, err);
	return rc == RC_OK && item->seq <= j->in_register ? check_register(a, &m, err)
							  : rc;
}

static enum rc
read_journal(struct audit *a, struct journal_state *j, int folder, uint64_t applied,
	struct err *err)
{
	struct journal_reader *r;
	struct journal_item item;
	struct err why;
	enum rc rc = journal_read_open(folder, j->first - 1, &r, err);

	if (rc != RC_OK)
		return rc;
	for (;;) {
		rc = journal_next(r, UINT64_MAX, &item, &why);
		if (rc != RC_OK)
			break;
		a->sum.records++;
		j->end = item.seq + 1;
		rc = item.kind == JREC_MESSAGE  ? check_message(a, j, &item, applied, err)
		     : item.kind == JREC_APPEND ? audit_append(a, j, &item, applied, err)
						: RC_OK;
		if (rc != RC_OK)
			break;
	}
	journal_read_close(&r);
	if (rc == RC_PERM) {
		j->damaged = true;
		audit_breach(a, "journal %s: %s", j->name, why.text);
		return RC_OK;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* How far each of the three is; in a running house between two batches, because a batch
 * is in the mailboxes before it is in the others. */
static enum rc
read_positions(struct audit *a, const char *name, struct journal_state *j,
	uint64_t *in_store, struct err *err)
{
	if (a->w->apply != NULL)
		apply_hold(a->w->apply);
	enum rc rc = store_applied(a->w->store, name, in_store, err);
	if (rc == RC_OK)
		rc = ledger_applied(a->w->ledger, name, &j->in_ledger, err);
	if (rc == RC_OK)
		rc = refusals_applied(a->w->refusals, name, &j->in_register, err);
	if (a->w->apply != NULL)
		apply_release(a->w->apply);
	return rc;
}

static enum rc
audit_journal(const char *name, int folder, void *arg, struct err *err)
{
	struct audit *a = arg;
	struct journal_state *j = &a->journals[a->njournals];
	uint64_t last, in_store = 0, most;
	enum rc rc;

	if (a->njournals == JOURNALS)
		return err_set(
			err, RC_LIMIT, "there are more than %d journals", JOURNALS);
	a->njournals++;
	(void)str_z(str_of(name), j->name, sizeof(j->name));
	j->oldest_row = UINT64_MAX;
	/* Before the journal: what is applied then has a record that we see. */
	if ((rc = read_positions(a, name, j, &in_store, err)) != RC_OK)
		return rc;
	if ((rc = journal_bounds(folder, &j->first, &last, err)) != RC_OK)
		return rc;
	if (j->first == 0)
		j->first = last + 1;
	j->end = j->first;
	if ((rc = read_journal(a, j, folder, in_store, err)) != RC_OK)
		return rc;
	/* A checkpoint syncs the ledger before the mailboxes. */
	if (in_store > j->in_ledger)
		audit_breach(a,
			"the ledger knows journal %s up to record %" PRIu64
			", but record %" PRIu64 " of it was applied: its end is missing",
			name, j->in_ledger, in_store);
	most = in_store > j->in_ledger ? in_store : j->in_ledger;
	if (j->in_register > most)
		most = j->in_register;
	if (most >= j->end && !j->damaged)
		audit_breach(a,
			"journal %s ends with record %" PRIu64 ", but record %" PRIu64
			" of it was applied: its end is missing",
			name, j->end - 1, most);
	return RC_OK;
}

/* --- ledger --- */

static struct journal_state *
state_of(struct audit *a, str name)
{
	for (size_t i = 0; i < a->njournals; i++)
		if (str_eq(str_of(a->journals[i].name), name))
			return &a->journals[i];
	return NULL;
}

static struct seen *
find_seen(struct journal_state *j, uint64_t seq)
{
	size_t low = 0, high = j->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (j->at[mid].seq == seq)
			return &j->at[mid];
		if (j->at[mid].seq < seq)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

/* A row whose record is not to be had any more stands for it. */
static enum rc
check_row_alone(struct audit *a, const struct ledger_row *row, struct err *err)
{
	struct promise p = { .id = &row->id,
		.again = (row->flags & JREC_AGAIN) != 0,
		.nrcpts = row->nrcpts };

	arena_reset(a->mem);
	p.rcpts = arena_array(a->mem, row->nrcpts, sizeof(*p.rcpts));
	if (p.rcpts == NULL)
		return err_set(err, RC_LIMIT, "a row of the ledger is too large");
	for (size_t i = 0; i < row->nrcpts; i++)
		p.rcpts[i] = (struct promised){ .address = row->rcpts[i].address,
			.answer = row->rcpts[i].answer,
			.ntargets = row->rcpts[i].ntargets,
			.targets = row->rcpts[i].targets };
	enum rc rc = check_promise(a, &p, err);
	for (size_t i = 0; i < row->nrcpts && rc == RC_OK; i++)
		if ((row->flags & LEDGER_LINK) != 0 &&
			row->rcpts[i].answer == JREC_REFUSED)
			rc = audit_link(
				a, &row->id, row->time_ms, row->rcpts[i].address, err);
	return rc;
}

static enum rc
audit_row(const struct ledger_row *row, void *arg, struct err *err)
{
	struct audit *a = arg;
	struct journal_state *j = state_of(a, row->journal);
	struct seen *s;

	a->sum.rows++;
	if (j == NULL) {
		audit_breach(a,
			"the ledger has message %s of journal " STR_FMT
			", and there is no such journal",
			row->id.text, STR_ARG(row->journal));
		return RC_OK;
	}
	if (row->seq < j->oldest_row)
		j->oldest_row = row->seq;
	if (row->seq > j->in_ledger) /* entered since we began */
		return RC_OK;
	if (row->seq < j->first || (j->damaged && row->seq >= j->end))
		return check_row_alone(a, row, err);
	s = find_seen(j, row->seq);
	if (s == NULL || strcmp(s->id.text, row->id.text) != 0)
		audit_breach(a,
			"the ledger has message %s as record %" PRIu64
			" of journal %s, and the journal has not",
			row->id.text, row->seq, j->name);
	else
		s->entered = true;
	return RC_OK;
}

/* What is older than the oldest row has been aged; if it has not, the ledger's
 * own check finds the hole. */
static void
audit_entered(struct audit *a)
{
	for (size_t i = 0; i < a->njournals; i++) {
		const struct journal_state *j = &a->journals[i];

		for (size_t k = 0; k < j->n; k++)
			if (!j->at[k].entered && j->at[k].seq <= j->in_ledger &&
				j->at[k].seq > j->oldest_row)
				audit_breach(a,
					"message %s (record %" PRIu64
					" of journal %s) is not in the ledger",
					j->at[k].id.text, j->at[k].seq, j->name);
	}
}

static enum rc
run(struct audit *a, struct err *err)
{
	struct ledger_query all = { .since_ms = 0 };
	enum rc rc = refusals_expired(a->w->refusals, &a->expired_ms, err);

	if (rc == RC_OK)
		rc = each_journal(a->w->data, audit_journal, a, err);
	if (rc == RC_OK && !a->verify)
		rc = ledger_find(a->w->ledger, &all, audit_row, a, err);
	if (rc == RC_OK && !a->verify)
		audit_entered(a);
	if (rc == RC_OK)
		rc = audit_held(a, err);
	if (rc == RC_OK)
		rc = ledger_check(a->w->ledger, on_damage, a, err);
	if (rc == RC_OK)
		rc = store_check(a->w->store, a->verify, on_damage, a, err);
	if (rc == RC_OK)
		rc = directory_check(a->w->directory, on_damage, a, err);
	return rc;
}

static enum rc
start(const struct audit_want *w, bool verify, struct audit_sum *out, struct err *err)
{
	struct audit *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort();
	a->w = w;
	a->verify = verify;
	a->mem = arena_new(ROW_MEM);
	enum rc rc = run(a, err);
	if (rc == RC_OK)
		*out = a->sum;
	for (size_t i = 0; i < a->njournals; i++)
		free(a->journals[i].at);
	arena_free(&a->mem);
	free(a);
	return rc;
}

enum rc
audit_run(const struct audit_want *w, struct audit_sum *out, struct err *err)
{
	return start(w, false, out, err);
}

enum rc
verify_run(const struct audit_want *w, struct audit_sum *out, struct err *err)
{
	return start(w, true, out, err);
}
