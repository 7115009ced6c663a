/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "ctl/ctl_int.h"
#include "mime/word.h"
#include "store/mailbox.h"
#include "wire/facts.h"

enum { CHUNK = 64 * 1024, SHOWN = 60, ENVELOPE = 1 << 20 };

struct listing {
	struct verb_io *io;
	json_t *rows;
	struct msg_id found; /* of the one message asked for */
	const struct verb_hits *only; /* NULL: all messages */
	str mailbox; /* named in each row, when there are several */
};

static enum rc
find(struct verb_io *io, const char *address, struct account *out)
{
	return account_find(io->directory, str_of(address), io->mem, out, &io->err);
}

static void
show_mailbox(struct verb_io *io, const struct mailbox *m, json_t *rows)
{
	if (io->json)
		(void)json_array_append_new(rows,
			json_pack("{s:o, s:o, s:I, s:b, s:I, s:I, s:I, s:I, s:I}", "name",
				verb_json_str(m->name), "special",
				verb_json_str(m->special), "id", (json_int_t)m->id,
				"subscribed", m->subscribed, "messages",
				(json_int_t)m->messages, "unseen", (json_int_t)m->unseen,
				"bytes", (json_int_t)m->bytes, "uidnext",
				(json_int_t)m->uidnext, "uidvalidity",
				(json_int_t)m->uidvalidity));
	else
		verb_printf(io,
			STR_FMT "\t%" PRIu32 " messages\t%" PRIu32 " unseen\t" STR_FMT
				"\t%s\n",
			STR_ARG(m->name), m->messages, m->unseen, STR_ARG(m->special),
			m->subscribed ? "subscribed" : "");
}

static enum verb_exit
list_mailboxes(struct verb_io *io, const struct account *a)
{
	struct mailbox *list;
	size_t n;
	enum rc rc = mailbox_list(io->store, a->id, true, io->mem, &list, &n, &io->err);

	if (rc != RC_OK)
		return verb_fail(io, rc);
	json_t *rows = json_array();
	for (size_t i = 0; i < n; i++)
		show_mailbox(io, &list[i], rows);
	if (io->json)
		verb_json(io, rows);
	else
		json_decref(rows);
	return verb_done(io);
}

static str
flags_text(unsigned flags, char out[8])
{
	static const char letters[] = "SAFDd"; /* in the order of enum store_flag */
	size_t n = 0;

	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if ((flags & (1u << i)) != 0)
			out[n++] = letters[i];
	if (n == 0)
		out[n++] = '-';
	return (str){ out, n };
}

static void
describe(const struct fact_envelope *e, struct arena *mem, struct buf *from,
	struct buf *subject)
{
	uint64_t odd = 0;
	str text;

	if (e->from.n > 0 && !str_empty(e->from.at[0].host)) {
		buf_add(from, e->from.at[0].mailbox);
		buf_addc(from, '@');
		buf_add(from, e->from.at[0].host);
	}
	/* no tables: bytes of odd charsets are read in the cage only */
	if (mime_words(e->subject, NULL, 1000, mem, &text, &odd) == RC_OK)
		buf_add(subject, text);
}

static enum rc
on_message(const struct store_message *m, void *arg, struct err *err)
{
	struct listing *l = arg;
	ARENA_AUTO mem = arena_new(ENVELOPE);
	BUF_AUTO from = BUF(1000);
	BUF_AUTO subject = BUF(1001);
	struct fact_envelope e = { 0 };
	char flags[8], when[CLOCK_TEXT];
	bool hit = true, sure = true;
	enum rc rc = l->only == NULL ? RC_OK
				     : verb_is_hit(l->only, &m->id, &hit, &sure, err);

	if (rc != RC_OK || !hit)
		return rc;
	if (facts_unpack_envelope(m->envelope, mem, &e) == RC_OK)
		describe(&e, mem, &from, &subject);
	clock_text(m->received_ms, when);
	str letters = flags_text(m->flags, flags);
	if (l->io->json)
		(void)json_array_append_new(l->rows,
			json_pack("{s:I, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o*, s:o*}",
				"uid", (json_int_t)m->uid, "id", m->id.text, "received",
				when, "size", (json_int_t)m->size, "flags",
				verb_json_str(letters), "from",
				verb_json_str(buf_str(&from)), "subject",
				verb_json_str(buf_str(&subject)), "message_id",
				verb_json_str(e.message_id), "mailbox",
				l->only == NULL ? NULL : verb_json_str(l->mailbox),
				"sure", l->only == NULL ? NULL : json_boolean(sure)));
	else
		verb_printf(l->io,
			STR_FMT "%s%" PRIu64 "\t%s\t" STR_FMT "\t" STR_FMT "\t%" PRIu64
				"\t" STR_FMT "\n",
			STR_ARG(l->mailbox), l->only == NULL ? "" : "\t", m->uid, when,
			STR_ARG(str_first(buf_str(&from), SHOWN)),
			STR_ARG(buf_str(&subject)), m->size, STR_ARG(letters));
	return RC_OK;
}

static enum verb_exit
list_messages(struct verb_io *io, const struct account *a, str mailbox)
{
	struct listing l = { .io = io, .rows = json_array() };
	enum rc rc = store_messages(
		io->store, a->id, mailbox, 0, on_message, &l, &io->err);

	if (rc == RC_NONE)
		rc = err_set(&io->err, rc,
			STR_FMT " has no mailbox " STR_FMT
				"; `gatepost mailbox list` shows what there is",
			STR_ARG(a->address), STR_ARG(mailbox));
	if (rc == RC_OK && io->json)
		verb_json(io, l.rows);
	else
		json_decref(l.rows);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

static enum rc
search_mailbox(const struct store_mailbox *m, void *arg, struct err *err)
{
	struct listing *l = arg;
	enum rc rc = arena_copy(l->io->mem, m->name, &l->mailbox);

	if (rc != RC_OK)
		return rc;
	return store_messages(l->io->store, verb_hits_account(l->only), l->mailbox, 0,
		on_message, l, err);
}

/* What full text says; of messages that it does not have, or not whole, it is not sure. */
enum verb_exit
verb_mailbox_search(struct verb_io *io, int argc, char **argv)
{
	struct listing l = { .io = io, .rows = json_array() };
	struct verb_hits *hits = NULL;
	struct account a;
	enum rc rc;

	if (!verb_words(io, "mailbox search", argc, argv, 2, VERB_ARGS))
		return VERB_USAGE;
	rc = find(io, argv[0], &a);
	if (rc == RC_OK)
		rc = store_account_make(io->store, a.id, &io->err);
	if (rc == RC_OK)
		rc = verb_search(io, a.id, argc - 1, argv + 1, &hits);
	l.only = hits;
	if (rc == RC_OK)
		rc = store_mailboxes(io->store, a.id, search_mailbox, &l, &io->err);
	if (rc == RC_OK && io->json)
		verb_json(io, json_pack("{s:O, s:I}", "messages", l.rows, "waiting",
				      (json_int_t)verb_hits_waiting(hits)));
	else if (rc == RC_OK && verb_hits_waiting(hits) > 0)
		verb_printf(io,
			"%" PRIu64 " or more new messages are not in the full text yet\n",
			verb_hits_waiting(hits));
	json_decref(l.rows);
	verb_hits_free(&hits);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_mailbox_list(struct verb_io *io, int argc, char **argv)
{
	struct account a;
	enum rc rc;

	if (!verb_words(io, "mailbox list", argc, argv, 1, 2))
		return VERB_USAGE;
	rc = find(io, argv[0], &a);
	/* an account's mailboxes are made with its first message, or here */
	if (rc == RC_OK)
		rc = store_account_make(io->store, a.id, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	return argc == 1 ? list_mailboxes(io, &a)
			 : list_messages(io, &a, str_of(argv[1]));
}

static enum rc
on_wanted(const struct store_message *m, void *arg, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	l->found = m->id;
	return RC_OK;
}

static enum rc
send_file(struct verb_io *io, uint64_t account, const struct msg_id *id)
{
	static _Thread_local char chunk[CHUNK];
	FD_AUTO fd = -1;
	uint64_t at = 0;
	size_t got;
	enum rc rc = store_open_message(io->store, account, id, &fd, &io->err);

	while (rc == RC_OK &&
		(rc = fs_pread(fd, chunk, CHUNK, at, &got, &io->err)) == RC_OK) {
		if (got == 0)
			return RC_OK;
		io->out(io, (str){ chunk, got });
		at += got;
	}
	return rc;
}

enum verb_exit
verb_mailbox_read(struct verb_io *io, int argc, char **argv)
{
	struct listing l = { .io = io };
	struct account a;
	str mailbox;
	uint64_t uid = 0;
	enum rc rc;

	if (!verb_words(io, "mailbox read", argc, argv, 1, 3))
		return VERB_USAGE;
	if (argc == 3 && (!str_u64(str_of(argv[2]), UINT32_MAX, &uid) || uid == 0)) {
		(void)err_set(&io->err, RC_BAD, "\"%.40s\" is not a UID", argv[2]);
		return VERB_USAGE;
	}
	mailbox = argc > 1 ? str_of(argv[1]) : STR("INBOX");
	rc = find(io, argv[0], &a);
	if (rc == RC_OK)
		rc = store_account_make(io->store, a.id, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (uid == 0)
		return list_messages(io, &a, mailbox);
	rc = store_messages(io->store, a.id, mailbox, uid, on_wanted, &l, &io->err);
	if (rc == RC_NONE || (rc == RC_OK && l.found.text[0] == '\0'))
		rc = err_set(&io->err, RC_NONE,
			STR_FMT " has no message with the UID %" PRIu64 " in " STR_FMT,
			STR_ARG(a.address), uid, STR_ARG(mailbox));
	if (rc == RC_OK)
		rc = send_file(io, a.id, &l.found);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
