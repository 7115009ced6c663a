/* SPDX-License-Identifier: ISC */
#include "ctl/restore_account.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "ctl/backup_copy.h"
#include "ctl/ctl_int.h"
#include "ctl/restore_older.h"
#include "deliver/apply.h"
#include "journal/journal.h"
#include "store/change.h"
#include "store/mailbox.h"
#include "store/view.h"
#include "wire/facts.h"

enum { ENVELOPE = 1 << 20, BOXES = 16 << 20 };

struct known {
	UT_hash_handle hh;
	uint8_t digest[32];
};

struct back {
	struct verb_io *io;
	int src, data;
	int older; /* a copy of its databases, where an older version made them; or -1 */
	struct directory *from_directory, *directory;
	struct store *from_store, *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct journal *journal;
	struct account from, to;
	struct known *known; /* what the account has */
	struct store_mailbox box; /* of the backup; its messages go to `mailbox` */
	struct view *view; /* of it */
	uint64_t mailbox; /* 0: not looked for yet */
	uint64_t count, last;
	struct err *err;
};

static enum rc
open_databases(struct back *b, const struct conf *conf, int data)
{
	const struct directory_want dw = {
		.data = data, .conf = conf, .read_only = data == b->src
	};
	const struct store_want sw = {
		.data = data, .cache_bytes = 1 << 20, .read_only = data == b->src
	};
	enum rc rc = directory_open(&dw, &b->from_directory, b->err);

	if (rc == RC_OK)
		rc = store_open(&sw, &b->from_store, b->err);
	if (rc != RC_OK)
		directory_close(&b->from_directory);
	return rc;
}

/* What cannot be read as it is may have been made by a version before this one. */
static enum rc
open_backup(struct back *b, const struct conf *conf)
{
	enum rc rc = open_databases(b, conf, b->src);

	if (rc == RC_OK)
		return RC_OK;
	rc = restore_older_copy(b->src, b->data, &b->older, b->err);
	return rc == RC_OK ? open_databases(b, conf, b->older) : rc;
}

static enum rc
open_all(struct back *b, const struct conf *conf)
{
	const struct directory_want dw = { .data = b->data, .conf = conf };
	const struct store_want sw = { .data = b->data, .cache_bytes = 1 << 20 };
	const struct ledger_want lw = { .data = b->data };
	const struct refusals_want rw = { .data = b->data, .keep_ms = conf->held.keep };
	enum rc rc = open_backup(b, conf);

	if (rc == RC_OK)
		rc = directory_open(&dw, &b->directory, b->err);
	if (rc == RC_OK)
		rc = store_open(&sw, &b->store, b->err);
	if (rc == RC_OK)
		rc = ledger_open(&lw, &b->ledger, b->err);
	return rc == RC_OK ? refusals_open(&rw, &b->refusals, b->err) : rc;
}

static void
close_all(struct back *b)
{
	while (b->known != NULL) {
		struct known *k = b->known;

		HASH_DEL(b->known, k);
		free(k);
	}
	refusals_close(&b->refusals);
	ledger_close(&b->ledger);
	store_close(&b->store);
	directory_close(&b->directory);
	store_close(&b->from_store);
	directory_close(&b->from_directory);
	fs_close(&b->older);
	restore_older_remove(b->data);
}

static bool
is_known(struct back *b, const uint8_t digest[32])
{
	struct known *k;

	HASH_FIND(hh, b->known, digest, 32, k);
	return k != NULL;
}

static enum rc
learn(const struct store_message *m, void *arg, struct err *err)
{
	struct back *b = arg;
	struct known *k;

	(void)err;
	if (is_known(b, m->digest))
		return RC_OK;
	k = calloc(1, sizeof(*k));
	if (k == NULL)
		abort();
	memcpy(k->digest, m->digest, sizeof(k->digest));
	HASH_ADD(hh, b->known, digest, sizeof(k->digest), k);
	return RC_OK;
}

/* The mailbox of the same name, made where there is none. */
static enum rc
find_mailbox(struct back *b)
{
	ARENA_AUTO mem = arena_new(ENVELOPE);
	struct mailbox m;
	enum rc rc;

	if (b->mailbox != 0)
		return RC_OK;
	rc = mailbox_by_name(b->store, b->to.id, b->box.name, false, mem, &m, b->err);
	if (rc == RC_OK)
		b->mailbox = m.id;
	return rc != RC_NONE ? rc
			     : mailbox_create(b->store, b->to.id, b->box.name, STR(""),
				       &b->mailbox, b->err);
}

/* What is there of its facts; the rest is asked of a scanner. */
static void
pack_facts(const struct store_message *m, struct arena *mem, struct buf *out)
{
	struct facts f = { .date_s = INT64_MIN };

	if (facts_unpack_envelope(m->envelope, mem, &f.envelope) != RC_OK)
		f.envelope = (struct fact_envelope){ 0 };
	facts_pack(out, &f);
}

/* As a record of house's journal, applied with the others in the end. */
static enum rc
commit(struct back *b, const struct msg_id *id, const struct store_message *m)
{
	ARENA_AUTO mem = arena_new(ENVELOPE);
	BUF_AUTO facts = BUF(FACTS_MOST);
	BUF_AUTO record = BUF(JREC_MOST);
	const struct msg_id *ids[] = { &m->id };
	uint32_t uid = (uint32_t)m->uid;
	struct store_texts texts;
	struct view_row row;
	struct jrec_append_item item = { .id = *id,
		.size = m->size,
		.received_ms = m->received_ms,
		.flags = m->flags };
	struct jrec_append r = { .account = b->to.id, .n = 1, .items = &item };
	enum rc rc = find_mailbox(b);

	if (rc != RC_OK)
		return rc;
	rc = store_texts(b->from_store, b->from.id, ids, 1, 0, mem, &texts, b->err);
	if (rc != RC_OK)
		return rc;
	view_rows(b->view, &uid, 1, &row);
	pack_facts(m, mem, &facts);
	r.mailbox = b->mailbox;
	item.keywords = row.keywords;
	item.trace_bytes = texts.trace_bytes;
	item.facts = buf_str(&facts);
	memcpy(item.digest, m->digest, sizeof(item.digest));
	jrec_put_append(&record, &r);
	if (!buf_ok(&facts) || !buf_ok(&record))
		return err_set(b->err, RC_LIMIT,
			"message %s is too large for the journal", id->text);
	return journal_commit(
		b->journal, JREC_APPEND, buf_str(&record), true, &b->last, b->err);
}

static enum rc
give_back(const struct store_message *m, void *arg, struct err *err)
{
	struct back *b = arg;
	struct msg_id id = ids_message(clock_wall_ms());
	char from[COPY_PATH], to[64];
	FD_AUTO in = -1;
	FD_AUTO out = -1;
	enum rc rc;

	if (is_known(b, m->digest))
		return RC_OK;
	if (!ids_valid(msg_id_str(&m->id)))
		return err_set(err, RC_TEMP, "the backup has a message without an id");
	copy_blob_path(b->from.id, &m->id, from);
	rc = fs_open(b->src, from, O_RDONLY, 0, &in, err);
	if (rc != RC_OK)
		return rc == RC_NONE ? err_set(err, RC_TEMP,
					       "message %s has no file in the backup",
					       m->id.text)
				     : rc;
	(void)snprintf(to, sizeof(to), "incoming/%s", id.text);
	rc = fs_open(b->data, to, O_WRONLY | O_CREAT | O_EXCL, 0660, &out, err);
	if (rc == RC_OK)
		rc = copy_open_file(in, out, err);
	if (rc == RC_OK)
		rc = fs_sync_data(out, err);
	if (rc == RC_OK)
		rc = commit(b, &id, m);
	if (rc != RC_OK)
		return rc;
	b->count++;
	return learn(m, b, err);
}

struct boxes {
	struct arena *mem;
	struct store_mailbox *at;
	size_t n;
};

static enum rc
add_box(const struct store_mailbox *m, void *arg, struct err *err)
{
	struct boxes *x = arg;

	if (x->n == MAILBOXES_MOST)
		return err_set(err, RC_LIMIT, "more than %d mailboxes", MAILBOXES_MOST);
	x->at[x->n] = *m;
	return arena_copy(x->mem, m->name, &x->at[x->n++].name);
}

/* What the account has, or what the backup has of it. */
static enum rc
each_message(struct back *b, bool backup)
{
	ARENA_AUTO mem = arena_new(BOXES);
	struct boxes x = { .mem = mem,
		.at = arena_array(mem, MAILBOXES_MOST, sizeof(*x.at)) };
	struct store *s = backup ? b->from_store : b->store;
	uint64_t account = backup ? b->from.id : b->to.id;
	enum rc rc = store_mailboxes(s, account, add_box, &x, b->err);

	for (size_t i = 0; (rc == RC_OK || rc == RC_NONE) && i < x.n; i++) {
		b->box = x.at[i];
		b->mailbox = 0;
		if (backup)
			rc = view_open(s, account, b->box.id, &b->view, b->err);
		if (rc == RC_OK)
			rc = store_messages(s, account, b->box.name, 0,
				backup ? give_back : learn, b, b->err);
		view_close(&b->view);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
replay(uint64_t seq, enum jrec_kind kind, str payload, void *arg)
{
	(void)kind;
	(void)payload;
	((struct back *)arg)->last = seq;
	return RC_OK;
}

static enum rc
open_journal(struct back *b)
{
	FD_AUTO dir = -1;
	FD_AUTO incoming = -1;
	struct journal_want want = { .replay = replay, .arg = b };
	enum rc rc = fs_open_dir(b->data, "journal/house", &dir, b->err);

	if (rc == RC_OK)
		rc = fs_open_dir(b->data, "incoming", &incoming, b->err);
	want.dirfd = dir;
	want.incoming = incoming;
	return rc == RC_OK ? journal_open(&want, &b->journal, b->err) : rc;
}

/* Applied here, so that the mail is there when the command ends. */
static enum rc
apply(struct back *b, const struct conf *conf)
{
	const struct apply_want want = { .data = b->data,
		.journal = "house",
		.directory = b->directory,
		.store = b->store,
		.ledger = b->ledger,
		.refusals = b->refusals,
		.checkpoint_ms = conf->store.checkpoint,
		.ledger_keep_ms = conf->server.ledger_keep };
	struct apply *a = NULL;
	enum rc rc = apply_open(&want, &a, b->err);

	if (rc == RC_OK)
		rc = apply_all(a, b->last, b->err);
	if (rc == RC_OK)
		rc = apply_checkpoint(a, b->err);
	apply_close(&a);
	return rc;
}

/* What a restore before this one, which was cut off, has committed is in the
 * mailbox before anybody looks what is missing there: else it came twice. */
static enum rc
finish_earlier(struct back *b, const struct conf *conf)
{
	enum rc rc = open_journal(b);

	journal_close(&b->journal);
	return rc == RC_OK && b->last > 0 ? apply(b, conf) : rc;
}

static enum rc
give_all_back(struct back *b)
{
	enum rc rc = open_journal(b);

	if (rc == RC_OK)
		rc = each_message(b, true);
	journal_close(&b->journal);
	return rc;
}

enum rc
restore_account(
	struct verb_io *io, const struct instance *in, int src, const char *address)
{
	struct back b = {
		.io = io, .src = src, .data = in->data, .older = -1, .err = &io->err
	};
	enum rc rc = instance_become_owner(in, &io->err);

	if (rc == RC_OK)
		rc = open_all(&b, in->conf);
	if (rc == RC_OK && (rc = account_find(b.from_directory, str_of(address), io->mem,
				    &b.from, b.err)) == RC_NONE)
		rc = err_set(b.err, rc, "the backup has no account %.150s", address);
	if (rc == RC_OK && (rc = account_find(b.directory, str_of(address), io->mem,
				    &b.to, b.err)) == RC_NONE)
		rc = err_set(b.err, rc,
			"there is no account %.150s here; `gatepost account add` "
			"makes it",
			address);
	if (rc == RC_OK)
		rc = finish_earlier(&b, in->conf);
	if (rc == RC_OK)
		rc = store_account_make(b.store, b.to.id, b.err);
	if (rc == RC_OK)
		rc = each_message(&b, false);
	if (rc == RC_OK)
		rc = give_all_back(&b);
	if (rc == RC_OK && b.count > 0)
		rc = apply(&b, in->conf);
	if (rc == RC_OK)
		verb_printf(io, "%" PRIu64 " messages are back in the mailboxes of %s\n",
			b.count, address);
	close_all(&b);
	return rc;
}
