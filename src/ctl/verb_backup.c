/* SPDX-License-Identifier: ISC */
/*
 * backup: a consistent state into a new folder, also while the server runs.
 * The order of the steps is what makes it right: doc/backup.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ctl/backup_copy.h"
#include "ctl/ctl_int.h"
#include "daemon/instance.h"
#include "journal/journal.h"

enum { ROUNDS = 5, MEMORY = 256 << 20, RECORD_MEMORY = 8 << 20 };

/* An opened set of databases: the live one, or the copy. */
struct set {
	int data;
	struct directory *directory;
	struct store *store;
	struct ledger *ledger;
	struct refusals *refusals; /* NULL: there is none yet */
};

struct backup {
	struct verb_io *io;
	const struct conf *conf;
	struct set live, copy;
	uint64_t account; /* whose messages are looked at */
	uint64_t unsettled; /* files that went away before they were copied */
	uint64_t damaged, messages;
	struct err *err;
};

static void
set_close(struct set *s)
{
	refusals_close(&s->refusals);
	ledger_close(&s->ledger);
	store_close(&s->store);
	directory_close(&s->directory);
}

static enum rc
set_open(struct set *s, const struct conf *conf, struct err *err)
{
	const struct directory_want dw = {
		.data = s->data, .conf = conf, .read_only = true
	};
	const struct store_want sw = {
		.data = s->data, .cache_bytes = 1 << 20, .read_only = true
	};
	const struct ledger_want lw = { .data = s->data, .read_only = true };
	const struct refusals_want rw = { .data = s->data, .read_only = true };
	enum rc rc = directory_open(&dw, &s->directory, err);

	if (rc == RC_OK)
		rc = store_open(&sw, &s->store, err);
	if (rc == RC_OK)
		rc = ledger_open(&lw, &s->ledger, err);
	if (rc == RC_OK && (rc = refusals_open(&rw, &s->refusals, err)) == RC_NONE)
		rc = RC_OK;
	return rc;
}

/* What SQLite leaves beside a database that was only read. */
static bool
is_aside(const char *name, void *arg)
{
	size_t len = strlen(name);

	(void)arg;
	return len > 4 && (strcmp(name + len - 4, "-wal") == 0 ||
				  strcmp(name + len - 4, "-shm") == 0);
}

static bool
is_database(const char *name, void *arg)
{
	return (strncmp(name, "directory.db", 12) == 0 ||
		       strncmp(name, "refusals.db", 11) == 0) &&
	       (arg == NULL || is_aside(name, NULL));
}

static enum rc
clear_round(struct backup *b)
{
	static const char *const folders[] = { "index", "ledger", "journal/gate",
		"journal/house" };
	enum rc rc = remove_files(b->copy.data, ".", is_database, NULL, b->err);

	for (size_t i = 0; rc == RC_OK && i < 4; i++) {
		rc = fs_mkdirs(b->copy.data, folders[i], 0700, b->err);
		if (rc == RC_OK)
			rc = remove_files(b->copy.data, folders[i], NULL, NULL, b->err);
	}
	return rc;
}

/* The index before the journals, so that the journals reach further and what
 * they have more is rolled forward; the directory last, so that it knows every
 * account that is named. */
static enum rc
copy_state(struct backup *b)
{
	int from = b->live.data, to = b->copy.data;
	enum rc rc = clear_round(b);

	if (rc == RC_OK)
		rc = store_copy(b->live.store, to, b->err);
	if (rc == RC_OK)
		rc = ledger_copy(b->live.ledger, to, b->err);
	if (rc == RC_OK && b->live.refusals != NULL)
		rc = refusals_copy(b->live.refusals, to, b->err);
	if (rc == RC_OK)
		rc = copy_journal(from, to, "journal/gate", b->err);
	if (rc == RC_OK)
		rc = copy_journal(from, to, "journal/house", b->err);
	if (rc == RC_OK)
		rc = copy_tree(from, to, "incoming", true, b->err);
	if (rc == RC_OK)
		rc = directory_copy(b->live.directory, to, b->err);
	return rc;
}

static enum rc
copy_files(struct backup *b)
{
	static const char *const folders[] = { "accounts", "incoming", "held", "queue" };
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < 4; i++)
		rc = copy_tree(b->live.data, b->copy.data, folders[i], true, b->err);
	return rc;
}

/* A row of the copied index needs its file. */
static enum rc
need_file(const struct store_message *m, void *arg, struct err *err)
{
	struct backup *b = arg;
	char path[COPY_PATH];
	bool gone;
	enum rc rc;

	b->messages++;
	copy_blob_path(b->account, &m->id, path);
	if (copy_there(b->copy.data, path))
		return RC_OK;
	rc = copy_file(b->live.data, b->copy.data, path, true, err);
	if (rc != RC_NONE)
		return rc;
	rc = store_has(b->live.store, b->account, &m->id, &gone, err);
	if (rc == RC_NONE) {
		b->unsettled++; /* its reader removed it after the index was copied */
		return RC_OK;
	}
	if (rc == RC_OK) {
		b->damaged++;
		verb_printf(b->io,
			"message %s of account number %" PRIu64 " has no file here "
			"either; `gatepost verify` tells more\n",
			m->id.text, b->account);
	}
	return rc;
}

static enum rc
need_mailbox(const struct store_mailbox *m, void *arg, struct err *err)
{
	json_t *names = arg;

	(void)err;
	(void)json_array_append_new(names, verb_json_str(m->name));
	return RC_OK;
}

static enum rc
need_account(struct backup *b, uint64_t account)
{
	json_t *names = json_array();
	enum rc rc = store_mailboxes(b->copy.store, account, need_mailbox, names, b->err);

	b->account = account;
	for (size_t i = 0; (rc == RC_OK || rc == RC_NONE) && i < json_array_size(names);
		i++)
		rc = store_messages(b->copy.store, account,
			str_of(json_string_value(json_array_get(names, i))), 0, need_file,
			b, b->err);
	json_decref(names);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
need_all_rows(struct backup *b)
{
	ARENA_AUTO mem = arena_new(MEMORY);
	struct account *list;
	size_t n;
	enum rc rc = account_list(b->copy.directory, (str){ 0 }, mem, &list, &n, b->err);

	b->messages = 0;
	for (size_t i = 0; rc == RC_OK && i < n; i++)
		rc = need_account(b, list[i].id);
	return rc;
}

/* A record that the copied index does not know yet needs its file in incoming/;
 * it may have been applied and swept there meanwhile, then a target has it. */
static enum rc
need_incoming(struct backup *b, const struct jrec_message *m)
{
	char path[COPY_PATH], from[COPY_PATH];
	bool delivered = false;

	(void)snprintf(path, sizeof(path), "incoming/%s", m->id.text);
	if (copy_there(b->copy.data, path))
		return RC_OK;
	for (size_t i = 0; i < m->nrcpts; i++)
		for (size_t k = 0; k < m->rcpts[i].ntargets; k++) {
			delivered = true;
			copy_blob_path(m->rcpts[i].targets[k], &m->id, from);
			if (!copy_there(b->copy.data, from))
				continue;
			return fs_link(b->copy.data, from, b->copy.data, path, b->err);
		}
	b->unsettled += delivered && (m->flags & JREC_AGAIN) == 0;
	return RC_OK;
}

/* The same of what a reader appended: nobody but the account has it. */
static enum rc
need_appended(struct backup *b, const struct jrec_append *p)
{
	char path[COPY_PATH], from[COPY_PATH];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < p->n && rc == RC_OK; i++) {
		(void)snprintf(path, sizeof(path), "incoming/%s", p->items[i].id.text);
		if (copy_there(b->copy.data, path))
			continue;
		copy_blob_path(p->account, &p->items[i].id, from);
		if (copy_there(b->copy.data, from))
			rc = fs_link(b->copy.data, from, b->copy.data, path, b->err);
		else
			b->unsettled++;
	}
	return rc;
}

static enum rc
need_record(struct backup *b, const struct journal_item *item, struct arena *mem)
{
	struct jrec_message m;
	struct jrec_append p;

	arena_reset(mem);
	if (item->kind == JREC_MESSAGE &&
		jrec_get_message(item->payload, mem, &m) == RC_OK)
		return need_incoming(b, &m);
	if (item->kind == JREC_APPEND && jrec_get_append(item->payload, mem, &p) == RC_OK)
		return need_appended(b, &p);
	return RC_OK;
}

static enum rc
need_records(struct backup *b, const char *journal)
{
	ARENA_AUTO mem = arena_new(RECORD_MEMORY);
	FD_AUTO dir = -1;
	struct journal_reader *r = NULL;
	struct journal_item item;
	char path[64];
	uint64_t after = 0;
	enum rc rc;

	(void)snprintf(path, sizeof(path), "journal/%s", journal);
	if ((rc = fs_open_dir(b->copy.data, path, &dir, b->err)) != RC_OK)
		return rc;
	rc = store_applied(b->copy.store, journal, &after, b->err);
	if (rc == RC_OK || rc == RC_NONE)
		rc = journal_read_open(dir, after, &r, b->err);
	while (rc == RC_OK && (rc = journal_next(r, UINT64_MAX, &item, b->err)) == RC_OK)
		rc = need_record(b, &item, mem);
	journal_read_close(&r);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
reconcile(struct backup *b)
{
	enum rc rc;

	b->unsettled = b->damaged = 0;
	rc = set_open(&b->copy, b->conf, b->err);
	if (rc == RC_OK)
		rc = need_all_rows(b);
	if (rc == RC_OK)
		rc = need_records(b, "gate");
	if (rc == RC_OK)
		rc = need_records(b, "house");
	return rc;
}

/* Files that were copied and whose rows were gone before the index was. */
struct sweep {
	struct backup *b;
	uint64_t account;
	char path[COPY_PATH];
};

static bool
without_row(const char *name, void *arg)
{
	struct sweep *s = arg;
	struct msg_id id;
	bool gone;

	return ids_valid(str_of(name)) && str_z(str_of(name), id.text, sizeof(id.text)) &&
	       store_has(s->b->copy.store, s->account, &id, &gone, NULL) == RC_NONE;
}

static bool
sweep_month(const char *name, void *arg)
{
	struct sweep *s = arg;
	char path[COPY_PATH];

	(void)snprintf(
		path, sizeof(path), "accounts/%" PRIu64 "/%.20s", s->account, name);
	(void)!remove_files(s->b->copy.data, path, without_row, s, NULL);
	return true;
}

static bool
sweep_account(const char *name, void *arg)
{
	struct sweep *s = arg;
	char path[COPY_PATH];

	if (!str_u64(str_of(name), INT64_MAX, &s->account))
		return true;
	(void)snprintf(path, sizeof(path), "accounts/%.20s", name);
	(void)!fs_each(s->b->copy.data, path, sweep_month, s, NULL);
	return true;
}

static enum rc
run_rounds(struct backup *b)
{
	struct sweep sweep = { .b = b };
	/* the large part first: what comes while it runs is little */
	enum rc rc = copy_files(b);

	for (unsigned round = 0; rc == RC_OK && round < ROUNDS; round++) {
		rc = copy_state(b);
		if (rc == RC_OK)
			rc = copy_files(b);
		if (rc == RC_OK)
			rc = reconcile(b);
		if (rc == RC_OK && b->unsettled == 0) {
			rc = fs_each(
				b->copy.data, "accounts", sweep_account, &sweep, b->err);
			set_close(&b->copy);
			return rc;
		}
		set_close(&b->copy);
	}
	if (rc != RC_OK)
		return rc;
	return err_set(b->err, RC_TEMP,
		"%" PRIu64 " messages were removed by their readers while "
		"they were being copied, %d times in a row; try again",
		b->unsettled, ROUNDS);
}

static enum rc
finish(struct backup *b)
{
	static const char *const folders[] = { "index", "ledger" };
	bool only_aside = true;
	enum rc rc = remove_files(b->copy.data, ".", is_database, &only_aside, b->err);

	for (size_t i = 0; rc == RC_OK && i < 2; i++)
		rc = remove_files(b->copy.data, folders[i], is_aside, NULL, b->err);
	return rc == RC_OK ? fs_sync_all(b->copy.data, b->err) : rc;
}

/* DEST, new or empty, 0700, with the settings in it; before rights are given up. */
static enum rc
make_destination(
	struct verb_io *io, const struct instance *in, const char *path, int *data)
{
	FD_AUTO dest = -1;
	char *text = NULL;
	size_t len = 0;
	enum rc rc;

	if (mkdir(path, 0700) != 0)
		return errno != EEXIST
			       ? err_errno(&io->err, path)
			       : err_set(&io->err, RC_BAD,
					 "%.150s exists already; name a new folder",
					 path);
	dest = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dest < 0)
		return err_errno(&io->err, path);
	rc = fs_read_all(AT_FDCWD, in->conf_path, 1 << 20, &text, &len, &io->err);
	if (rc == RC_OK)
		rc = fs_replace(
			dest, "gatepost.conf", 0600, (str){ text, len }, &io->err);
	free(text);
	if (rc == RC_OK)
		rc = fs_mkdirs(dest, "data", 0700, &io->err);
	if (rc == RC_OK && in->owners.switching)
		rc = own_tree(dest, ".", in->owners.house, in->owners.group, &io->err);
	return rc == RC_OK ? fs_open_dir(dest, "data", data, &io->err) : rc;
}

enum verb_exit
verb_backup(struct verb_io *io, int argc, char **argv)
{
	struct instance in = INSTANCE_NONE;
	struct backup b = { .io = io, .err = &io->err, .live.data = -1, .copy.data = -1 };
	enum rc rc;

	if (!verb_words(io, "backup", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = instance_open(io->conf_path, &in, &io->err);
	if (rc == RC_OK)
		rc = make_destination(io, &in, argv[0], &b.copy.data);
	if (rc == RC_OK)
		rc = instance_become_owner(&in, &io->err);
	b.conf = in.conf;
	b.live.data = in.data;
	if (rc == RC_OK)
		rc = set_open(&b.live, in.conf, &io->err);
	if (rc == RC_OK)
		rc = run_rounds(&b);
	set_close(&b.copy);
	set_close(&b.live);
	if (rc == RC_OK)
		rc = finish(&b);
	fs_close(&b.copy.data);
	instance_close(&in);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json)
		verb_json(io, json_pack("{s:s, s:I, s:I}", "backup", argv[0], "messages",
				      (json_int_t)b.messages, "damaged",
				      (json_int_t)b.damaged));
	else
		verb_printf(io, "%" PRIu64 " messages are in %s; keys are not\n",
			b.messages, argv[0]);
	if (b.damaged == 0)
		return verb_done(io);
	(void)err_set(&io->err, RC_PERM,
		"%" PRIu64 " messages could not be copied, because their "
		"files are missing here",
		b.damaged);
	return VERB_FAILED;
}
