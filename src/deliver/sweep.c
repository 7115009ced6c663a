/* SPDX-License-Identifier: ISC */
/*
 * Files in incoming/ that no record waits for.
 *
 * A file may be removed when it is certain that nobody will need it: every
 * journal was read from where it is applied to its end, without damage, no record
 * there names it, what was applied has been made durable since, and its last byte
 * was written more than an hour ago (a session links its file and commits within
 * seconds of that).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fs.h"
#include "base/map.h"
#include "deliver/deliver_int.h"

enum { OLD_S = 3600, PAYLOAD_MEM = 16 * 1024 * 1024, CANDIDATES = 100 * 1000 };

struct named {
	struct msg_id id;
	UT_hash_handle hh;
};

struct sweep {
	const struct apply_want *want;
	struct named *waiting;
	struct arena *mem;
	int incoming;
	char (*old)[40]; /* names */
	size_t nold;
};

struct each {
	int data;
	journal_fn *fn;
	void *arg;
	struct err *err;
	enum rc rc;
};

static bool
one_journal(const char *name, void *arg)
{
	struct each *e = arg;
	char path[80];
	FD_AUTO folder = -1;

	if (name[0] == '.' || strlen(name) > 31)
		return true;
	(void)snprintf(path, sizeof(path), "journal/%.31s", name);
	e->rc = fs_open_dir(e->data, path, &folder, e->err);
	if (e->rc == RC_OK)
		e->rc = e->fn(name, folder, e->arg, e->err);
	return e->rc == RC_OK;
}

enum rc
each_journal(int data, journal_fn *fn, void *arg, struct err *err)
{
	struct each e = { .data = data, .fn = fn, .arg = arg, .err = err };
	enum rc rc = fs_each(data, "journal", one_journal, &e, err);

	return rc == RC_OK ? e.rc : rc == RC_NONE ? RC_OK : rc;
}

static void
remember_id(struct sweep *s, const struct msg_id *id)
{
	struct named *n;

	HASH_FIND(hh, s->waiting, id->text, MSG_ID_LEN, n);
	if (n != NULL)
		return;
	n = calloc(1, sizeof(*n));
	if (n == NULL)
		abort();
	n->id = *id;
	HASH_ADD_KEYPTR(hh, s->waiting, n->id.text, MSG_ID_LEN, n);
}

static enum rc
remember(struct sweep *s, const struct journal_item *item, struct err *err)
{
	struct jrec_message m;
	struct jrec_append p;
	enum rc rc = RC_OK;

	arena_reset(s->mem);
	if (item->kind == JREC_MESSAGE) {
		rc = jrec_get_message(item->payload, s->mem, &m);
		if (rc == RC_OK)
			remember_id(s, &m.id);
	} else if (item->kind == JREC_APPEND) {
		rc = jrec_get_append(item->payload, s->mem, &p);
		for (size_t i = 0; rc == RC_OK && i < p.n; i++)
			remember_id(s, &p.items[i].id);
	}
	return rc == RC_OK ? rc : err_set(err, RC_PERM, "a record cannot be read");
}

static enum rc
read_waiting(const char *name, int folder, void *arg, struct err *err)
{
	struct sweep *s = arg;
	struct journal_reader *r;
	struct journal_item item;
	uint64_t from = 0;
	enum rc rc = applied_upto(s->want, name, &from, err);

	if (rc != RC_OK || (rc = journal_read_open(folder, from, &r, err)) != RC_OK)
		return rc;
	while ((rc = journal_next(r, UINT64_MAX, &item, err)) == RC_OK)
		if ((rc = remember(s, &item, err)) != RC_OK)
			break;
	journal_read_close(&r);
	return rc == RC_NONE ? RC_OK : rc;
}

static bool
is_old(struct sweep *s, const char *name)
{
	struct stat st;
	time_t now = time(NULL); /* the machine's: file times are */

	return fstatat(s->incoming, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	       S_ISREG(st.st_mode) && st.st_mtime < now - OLD_S;
}

static bool
consider(const char *name, void *arg)
{
	struct sweep *s = arg;
	struct named *n = NULL;
	size_t len = strlen(name);

	if (len >= sizeof(s->old[0]) ||
		(!ids_valid(str_of(name)) && strncmp(name, ".tmp-", 5) != 0))
		return true;
	HASH_FIND(hh, s->waiting, name, len, n);
	if (n == NULL && is_old(s, name))
		memcpy(s->old[s->nold++], name, len + 1);
	return s->nold < CANDIDATES;
}

/* The candidates first, the journals after: a record committed in between names
 * its file in time. */
static enum rc
sweep(struct sweep *s, struct err *err)
{
	struct err why;
	enum rc rc = fs_open_dir(s->want->data, "incoming", &s->incoming, err);

	if (rc != RC_OK || (rc = fs_each(s->incoming, ".", consider, s, err)) != RC_OK ||
		s->nold == 0)
		return rc;
	rc = each_journal(s->want->data, read_waiting, s, &why);
	if (rc == RC_PERM) /* damage: then nothing is certain */
		return RC_OK;
	if (rc != RC_OK)
		return err_set(err, rc, "%s", why.text);
	/* A power cut would take back what is applied and not yet durable, and the
	 * journal could not roll it forward without its file. */
	if ((rc = ledger_checkpoint(s->want->ledger, err)) != RC_OK ||
		(rc = refusals_checkpoint(s->want->refusals, err)) != RC_OK ||
		(rc = store_checkpoint(s->want->store, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < s->nold; i++) {
		struct named *n;

		HASH_FIND(hh, s->waiting, s->old[i], strlen(s->old[i]), n);
		if (n == NULL)
			(void)fs_unlink(s->incoming, s->old[i], NULL);
	}
	return RC_OK;
}

enum rc
apply_sweep(const struct apply_want *w, struct err *err)
{
	struct sweep s = { .want = w, .incoming = -1 };
	struct named *n, *next;

	s.mem = arena_new(PAYLOAD_MEM);
	s.old = calloc(CANDIDATES, sizeof(*s.old));
	if (s.old == NULL)
		abort();
	enum rc rc = sweep(&s, err);
	HASH_ITER(hh, s.waiting, n, next)
	{
		HASH_DEL(s.waiting, n);
		free(n);
	}
	arena_free(&s.mem);
	free(s.old);
	fs_close(&s.incoming);
	return rc;
}
