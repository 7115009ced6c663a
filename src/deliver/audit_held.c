/* SPDX-License-Identifier: ISC */
/* The register of refusals, the files in held/, and what was released. */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "deliver/audit_int.h"
#include "held/held.h"
#include "held/letters.h"

enum {
	RESOLVE_MEM = 4 * 1024 * 1024,
	HOUSEKEEPING_MS = 2 * 3600 * 1000, /* they are removed once an hour */
};

/* A file in held/. */
struct kept {
	struct msg_id id;
	uint64_t wall_ms;
	bool sound;
	UT_hash_handle hh;
};

struct holding {
	struct audit *a;
	int dir, incoming;
	struct kept *files;
};

/* --- who was given a link --- */

struct link {
	str address;
	bool found;
};

static enum rc
on_link(const struct refusal *f, void *arg, struct err *err)
{
	struct link *l = arg;

	(void)err;
	for (size_t i = 0; i < f->nrcpts && !l->found; i++)
		l->found = str_eq(f->rcpts[i], l->address);
	return RC_OK;
}

enum rc
audit_link(struct audit *a, const struct msg_id *id, uint64_t time_ms, str address,
	struct err *err)
{
	struct link l = { .address = address };
	enum rc rc;

	if (time_ms <= a->expired_ms)
		return RC_OK;
	rc = refusals_of(a->w->refusals, id, on_link, &l, err);
	if (rc != RC_OK || l.found)
		return rc;
	/* or has it gone while we looked? */
	rc = refusals_expired(a->w->refusals, &a->expired_ms, err);
	if (rc == RC_OK && time_ms > a->expired_ms)
		audit_breach(a,
			"message %s was refused for " STR_FMT
			" with a link, and the register of refusals does not know it",
			id->text, STR_ARG(address));
	return rc;
}

/* --- what was released --- */

struct released {
	struct audit *a;
	const struct jrec_message *m;
};

static enum rc
on_released(const struct refusal *f, void *arg, struct err *err)
{
	struct released *r = arg;

	(void)err;
	if (f->n != r->m->released_n)
		return RC_OK;
	if (f->state != REFUSAL_RELEASED)
		audit_breach(r->a,
			"refusal %s.%u was released as message %s, and the register says that it "
			"is %s",
			f->id.text, f->n, r->m->id.text, refusal_state_name(f->state));
	else if (strcmp(f->release_id.text, r->m->id.text) != 0)
		audit_breach(r->a,
			"refusal %s.%u was released twice, as message %s and as message %s",
			f->id.text, f->n, r->m->id.text, f->release_id.text);
	return RC_OK;
}

enum rc
audit_release(struct audit *a, const struct jrec_message *m, struct err *err)
{
	struct released r = { .a = a, .m = m };

	return refusals_of(a->w->refusals, &m->released, on_released, &r, err);
}

static enum rc
on_row(const struct ledger_row *row, void *arg, struct err *err)
{
	bool *found = arg;

	(void)err;
	*found = *found || (row->flags & JREC_RELEASED) != 0;
	return RC_OK;
}

/* Is it, or was it, where mail to the address goes now? */
static enum rc
has_copy(
	struct audit *a, const struct refusal *f, str address, bool *out, struct err *err)
{
	ARENA_AUTO mem = arena_new(RESOLVE_MEM);
	struct ask_answer to = { .ntargets = 0 };
	uint64_t heir;
	enum rc rc = directory_resolve(
		a->w->directory, address, NULL, NULL, mem, &to, err);

	if (rc == RC_OK && to.ntargets == 0) {
		rc = account_heir(a->w->directory, address, &heir, err);
		to.targets = &heir;
		to.ntargets = rc == RC_OK;
	}
	for (size_t i = 0; i < to.ntargets && rc == RC_OK && !*out; i++) {
		rc = audit_was_there(a, to.targets[i], &f->release_id, err);
		*out = rc == RC_OK;
		if (rc == RC_NONE)
			rc = RC_OK;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* The ledger's row is checked like every other: each target has the message. */
static enum rc
check_copy(struct audit *a, const struct refusal *f, struct err *err)
{
	struct ledger_query q = { .id = msg_id_str(&f->release_id) };
	bool found = false;
	enum rc rc = ledger_find(a->w->ledger, &q, on_row, &found, err);

	for (size_t i = 0; i < f->nrcpts && rc == RC_OK && !found; i++)
		rc = has_copy(a, f, f->rcpts[i], &found, err);
	if (rc == RC_OK && !found)
		audit_breach(a,
			"refusal %s.%u was released as message %s, and no mailbox has it",
			f->id.text, f->n, f->release_id.text);
	return rc;
}

/* --- files --- */

static bool
on_file(const struct held_about *about, void *arg)
{
	struct holding *h = arg;
	struct kept *k = calloc(1, sizeof(*k));

	if (k == NULL)
		abort();
	k->id = about->id;
	k->wall_ms = about->wall_ms;
	k->sound = about->size > 0;
	HASH_ADD_KEYPTR(hh, h->files, k->id.text, MSG_ID_LEN, k);
	return true;
}

static enum rc
check_held(const struct refusal *f, void *arg, struct err *err)
{
	struct holding *h = arg;
	struct audit *a = h->a;
	struct kept *k;
	enum rc rc = RC_OK;

	a->sum.refusals++;
	if (!a->verify && f->state == REFUSAL_RELEASED)
		rc = check_copy(a, f, err);
	if (rc != RC_OK || !f->held)
		return rc;
	HASH_FIND(hh, h->files, f->held_as.text, strlen(f->held_as.text), k);
	/* held since we began, or past its time by now? */
	if (k != NULL || faccessat(h->dir, f->held_as.text, F_OK, 0) == 0 ||
		f->held_until_ms <= clock_wall_ms())
		return RC_OK;
	audit_breach(a, "the original of refusal %s.%u (held/%s) is missing", f->id.text,
		f->n, f->held_as.text);
	return RC_OK;
}

static enum rc
check_needed(struct holding *h, const struct kept *k, struct err *err)
{
	uint64_t now = clock_wall_ms(), age = refusals_orphan_ms(h->a->w->refusals);
	bool named = true;
	enum rc rc;

	if (!k->sound)
		audit_breach(h->a, "the held file %s is damaged", k->id.text);
	if (k->wall_ms + age + HOUSEKEEPING_MS > now)
		return RC_OK;
	/* by any row: a server that does not run removes nothing */
	rc = refusals_need(h->a->w->refusals, &k->id, 0, &named, err);
	if (rc == RC_OK && !named && faccessat(h->dir, k->id.text, F_OK, 0) == 0)
		audit_breach(h->a, "the held file %s belongs to no refusal", k->id.text);
	return rc;
}

/* Reads it as a release would. */
static enum rc
decrypt(struct holding *h, const struct kept *k, struct err *err)
{
	struct fs_spool out = { .fd = -1 };
	struct held_about about;
	struct err why = { 0 };
	char *facts = NULL;
	size_t len;
	enum rc rc = fs_spool_open(h->incoming, 0600, &out, err);

	if (rc != RC_OK)
		return rc;
	rc = held_get(h->dir, k->id.text, h->a->w->held_key, out.fd, &about, &facts, &len,
		&why);
	fs_spool_drop(h->incoming, &out);
	if (rc == RC_OK)
		free(facts);
	if (rc == RC_BAD)
		audit_breach(h->a, "the held file %s", why.text);
	else if (rc != RC_OK && rc != RC_NONE)
		return err_set(err, rc, "%s", why.text);
	return RC_OK;
}

static enum rc
check_files(struct holding *h, struct err *err)
{
	struct audit *a = h->a;
	struct kept *k, *next;
	enum rc rc = RC_OK;

	HASH_ITER(hh, h->files, k, next)
	{
		a->sum.held++;
		if (rc == RC_OK && !a->verify)
			rc = check_needed(h, k, err);
		else if (rc == RC_OK && !k->sound)
			audit_breach(a, "the held file %s is damaged", k->id.text);
		else if (rc == RC_OK && a->w->held_key != NULL)
			rc = decrypt(h, k, err);
	}
	return rc;
}

static enum rc
check_register(struct audit *a, struct err *err)
{
	struct err why = { 0 };
	enum rc rc = refusals_check(a->w->refusals, &why);

	if (rc == RC_PERM) {
		audit_breach(a, "%s", why.text);
		return RC_OK;
	}
	return rc == RC_OK ? rc : err_set(err, rc, "%s", why.text);
}

static void
on_untrue(str sentence, void *arg)
{
	audit_breach(arg, STR_FMT, STR_ARG(sentence));
}

static void
forget(struct holding *h)
{
	struct kept *k, *next;

	HASH_ITER(hh, h->files, k, next)
	{
		HASH_DEL(h->files, k);
		free(k);
	}
	fs_close(&h->dir);
	fs_close(&h->incoming);
}

enum rc
audit_held(struct audit *a, struct err *err)
{
	struct holding h = { .a = a, .dir = -1, .incoming = -1 };
	enum rc rc = fs_open_dir(a->w->data, "incoming", &h.incoming, err);

	if (rc == RC_OK)
		rc = check_register(a, err);
	if (rc == RC_OK && !a->verify)
		rc = letters_audit(a->w->refusals, clock_wall_ms(), a->w->apply != NULL,
			on_untrue, a, err);
	if (rc == RC_OK && (rc = fs_open_dir(a->w->data, "held", &h.dir, err)) == RC_OK)
		rc = held_each(h.dir, on_file, &h, err);
	if (rc == RC_NONE)
		rc = RC_OK;
	if (rc == RC_OK)
		rc = refusals_each(a->w->refusals, 0, check_held, &h, err);
	if (rc == RC_OK)
		rc = check_files(&h, err);
	forget(&h);
	return rc;
}
