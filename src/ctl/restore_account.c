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
#include "deliver/apply.h"
#include "journal/journal.h"
#include "wire/facts.h"

enum { ENVELOPE = 1 << 20 };

struct known {
	UT_hash_handle hh;
	uint8_t digest[32];
};

struct back {
	struct verb_io *io;
	int src, data;
	struct directory *from_directory, *directory;
	struct store *from_store, *store;
	struct ledger *ledger;
	struct refusals *refusals;
	struct journal *journal;
	struct account from, to;
	struct known *known; /* what the account has */
	uint64_t count, last;
	struct err *err;
};

static enum rc
open_all(struct back *b, const struct conf *conf)
{
	const struct directory_want from_dw = {
		.data = b->src, .conf = conf, .read_only = true
	};
	const struct directory_want dw = { .data = b->data, .conf = conf };
	const struct store_want from_sw = {
		.data = b->src, .cache_bytes = 1 << 20, .read_only = true
	};
	const struct store_want sw = { .data = b->data, .cache_bytes = 1 << 20 };
	const struct ledger_want lw = { .data = b->data };
	const struct refusals_want rw = { .data = b->data, .keep_ms = conf->held.keep };
	enum rc rc = directory_open(&from_dw, &b->from_directory, b->err);

	if (rc == RC_OK)
		rc = store_open(&from_sw, &b->from_store, b->err);
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

/* As a record of house's journal, applied with the others in the end. */
static enum rc
commit(struct back *b, const struct msg_id *id, const struct store_message *m)
{
	ARENA_AUTO mem = arena_new(ENVELOPE);
	BUF_AUTO facts = BUF(FACTS_MOST);
	BUF_AUTO record = BUF(JREC_MOST);
	struct facts f = { .date_s = INT64_MIN };
	struct jrec_rcpt rcpt = {
		.address = b->to.address,
		.answer = JREC_DELIVERED,
		.code = 250,
		.enhanced = STR("2.0.0"),
		.reason = STR("given back from a backup"),
		.ntargets = 1,
		.targets = &b->to.id,
	};
	struct jrec_message r = { .id = *id,
		.time_ms = clock_wall_ms(),
		.helo = STR("restore"),
		.size = m->size,
		.nrcpts = 1,
		.rcpts = &rcpt };

	if (facts_unpack_envelope(m->envelope, mem, &f.envelope) != RC_OK)
		f.envelope = (struct fact_envelope){ 0 };
	facts_pack(&facts, &f);
	r.facts = buf_str(&facts);
	memcpy(r.digest, m->digest, sizeof(r.digest));
	(void)ip_parse(STR("127.0.0.1"), &r.client);
	jrec_put_message(&record, &r);
	if (!buf_ok(&facts) || !buf_ok(&record))
		return err_set(b->err, RC_LIMIT,
			"message %s is too large for the journal", id->text);
	return journal_commit(
		b->journal, JREC_MESSAGE, buf_str(&record), true, &b->last, b->err);
}

static enum rc
give_back(const struct store_message *m, void *arg, struct err *err)
{
	struct back *b = arg;
	struct msg_id id = ids_message(clock_wall_ms());
	char to[64];
	FD_AUTO in = -1;
	FD_AUTO out = -1;
	enum rc rc;

	if (is_known(b, m->digest))
		return RC_OK;
	rc = store_open_message(b->from_store, b->from.id, &m->id, &in, err);
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

static enum rc
add_name(const struct store_mailbox *m, void *arg, struct err *err)
{
	(void)err;
	(void)json_array_append_new(arg, verb_json_str(m->name));
	return RC_OK;
}

static enum rc
each_message(struct back *b, struct store *s, uint64_t account, store_message_fn *fn)
{
	json_t *names = json_array();
	enum rc rc = store_mailboxes(s, account, add_name, names, b->err);

	for (size_t i = 0; (rc == RC_OK || rc == RC_NONE) && i < json_array_size(names);
		i++)
		rc = store_messages(s, account,
			str_of(json_string_value(json_array_get(names, i))), 0, fn, b,
			b->err);
	json_decref(names);
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
		rc = each_message(b, b->from_store, b->from.id, give_back);
	journal_close(&b->journal);
	return rc;
}

enum rc
restore_account(
	struct verb_io *io, const struct instance *in, int src, const char *address)
{
	struct back b = { .io = io, .src = src, .data = in->data, .err = &io->err };
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
		rc = each_message(&b, b.store, b.to.id, learn);
	if (rc == RC_OK)
		rc = give_all_back(&b);
	if (rc == RC_OK && b.count > 0)
		rc = apply(&b, in->conf);
	if (rc == RC_OK)
		verb_printf(io, "%" PRIu64 " messages are back in the INBOX of %s\n",
			b.count, address);
	close_all(&b);
	return rc;
}
