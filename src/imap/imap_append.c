/* SPDX-License-Identifier: ISC */
/*
 * APPEND, MULTIAPPEND (RFC 3502) and REPLACE (RFC 8508): messages go into files of incoming/
 * as they arrive, then an errand asks a scanner for their facts and puts all of them into
 * the mailbox, or none.
 *
 * What is refused is refused before "+" where the client waits for it (LITERAL+, RFC 7888:
 * where it does not, its bytes are read and thrown away).  A message is kept as it came, bare
 * LF included: what a client put there it gets back, byte for byte (doc/appends.md).
 */
#include "base/clock.h"
#include "imap/imap_append.h"

enum {
	TURN_BYTES = 1024 * 1024, /* then others have their turn */
	SILENT_MS = 5 * 60 * 1000, /* within a message */
	THROWN_TIMES = 4, /* of APPENDLIMIT; more ends the session */
	PLACE_MS = 30 * 1000, /* for a place among the errands */
	PLACE_PAUSE_MS = 10,
};

static void
let_go(struct imap_session *s)
{
	struct appending *a = s->cmd.state;

	for (size_t i = 0; i < a->n; i++)
		fs_spool_drop(own_incoming(s->house->own), &a->at[i].file);
	a->n = 0;
	sha256_free(&a->digest);
}

/* The first reason is the one that is told. */
static void
fail(struct appending *a, enum imap_how how, const char *code, const char *text)
{
	if (a->failed)
		return;
	a->failed = true;
	a->why = (struct imap_reply){ .how = how, .code = code, .text = text };
}

/* With what was put into s->reply. */
static void
fail_as(struct imap_session *s, struct appending *a)
{
	fail(a, s->reply.how, s->reply.code, s->reply.text);
}

static bool
done(struct imap_session *s, struct appending *a)
{
	s->reply = a->why;
	a->did = IMAP_DONE;
	return false;
}

/* ---- what the command says before its first message ---- */

static void
find_replaced(struct imap_session *s, struct appending *a)
{
	struct imap_lex *x = &s->cmd.x;
	struct view_row row;
	size_t count = view_list_count(s->box.list);
	uint32_t number = (uint32_t)count;

	if (!lex_sp(x) ||
		((s->cmd.uid || !lex_char(x, '*')) && !lex_nz_number(x, &number))) {
		(void)imap_bad(s);
		fail_as(s, a);
		return;
	}
	if (!s->cmd.uid && (number == 0 || number > count)) {
		fail(a, IMAP_BAD, NULL, "there is no such message");
		return;
	}
	a->replaces = s->cmd.uid ? number : view_list_uid(s->box.list, number);
	view_rows(s->box.view, &a->replaces, 1, &row);
	if (row.uid == 0)
		fail(a, IMAP_NO, "EXPUNGEISSUED", "the message is gone");
	a->credit = row.uid == 0 ? 0 : row.size;
	a->replaces_mailbox = view_mailbox(s->box.view);
}

static void
find_mailbox(struct imap_session *s, struct appending *a)
{
	struct mailbox m;
	struct err err = { 0 };
	str name;
	enum rc rc;

	if (!lex_sp(&s->cmd.x)) {
		(void)imap_bad(s);
		fail_as(s, a);
		return;
	}
	if (!imap_mailbox_arg(s, &name)) {
		fail_as(s, a);
		return;
	}
	rc = mailbox_by_name(
		s->house->store, s->account, name, false, s->cmd.mem, &m, &err);
	if (rc == RC_NONE) {
		fail(a, IMAP_NO, "TRYCREATE", "there is no such mailbox");
	} else if (rc != RC_OK) {
		(void)imap_failed(s, rc, &err);
		fail_as(s, a);
	} else {
		a->mailbox = m.id;
	}
}

static void
find_quota(struct imap_session *s, struct appending *a)
{
	struct account account;
	struct store_usage used;
	struct err err = { 0 };
	enum rc rc = account_by_id(
		s->house->directory, s->account, s->cmd.mem, &account, &err);

	if (rc == RC_OK)
		rc = store_usage(s->house->store, s->account, &used, &err);
	if (rc != RC_OK) {
		(void)imap_failed(s, rc, &err);
		fail_as(s, a);
		return;
	}
	/* RFC 8508 3.4: what goes makes room, also where there is none */
	a->room = account.quota == 0 ? UINT64_MAX : a->credit;
	if (account.quota > used.bytes)
		a->room += account.quota - used.bytes;
}

static void
find_places(struct imap_session *s, struct appending *a)
{
	struct store_place to = { s->account, a->mailbox };
	struct err err = { 0 };
	enum rc rc = change_room(s->house->store, to, &a->places, &err);

	if (rc == RC_OK)
		return;
	if (rc == RC_NONE) {
		fail(a, IMAP_NO, "TRYCREATE", "there is no such mailbox");
		return;
	}
	(void)imap_failed(s, rc, &err);
	fail_as(s, a);
}

static bool
begin(struct imap_session *s, bool replace)
{
	struct appending *a = arena_new_of(s->cmd.mem, struct appending);

	if (a == NULL)
		return false;
	a->at = arena_array(s->cmd.mem, APPEND_MOST, sizeof(*a->at));
	if (a->at == NULL)
		return false;
	/* a message behind which nothing says so is none */
	a->mine = imap_append_wants(s, s->cmd.x.all);
	a->replace = replace;
	a->house = s->house;
	a->conf = s->conf;
	a->account = s->account;
	a->digest = sha256_new();
	s->cmd.state = a;
	s->cmd.end = let_go;
	if (replace)
		find_replaced(s, a);
	if (!a->failed)
		find_mailbox(s, a);
	if (!a->failed)
		find_quota(s, a);
	if (!a->failed)
		find_places(s, a);
	a->x = s->cmd.x;
	return true;
}

/* ---- a message's words, and whether it may come ---- */

static void
check(struct imap_session *s, struct appending *a)
{
	uint64_t most = s->conf->imap.append_most, bytes = a->literal.bytes;

	if (a->replace && a->n > 0)
		fail(a, IMAP_BAD, NULL, "one message replaces another");
	else if (a->utf8 && !imap_utf8(s)) /* RFC 6855 4 */
		fail(a, IMAP_NO, "CANNOT", "ENABLE UTF8=ACCEPT comes before UTF8");
	else if (bytes == 0) /* RFC 3502 */
		fail(a, IMAP_NO, NULL, "an empty message: nothing was appended");
	else if (bytes > most)
		fail(a, IMAP_NO, "TOOBIG", "larger than APPENDLIMIT");
	else if (a->n == APPEND_MOST || a->together + bytes > most * TOGETHER)
		fail(a, IMAP_NO, "LIMIT", "too much for one command");
	else if (a->n >= a->places && !a->replace)
		fail(a, IMAP_NO, "LIMIT", "there are as many messages as there may be");
	else if (bytes > a->room || a->together > a->room - bytes)
		fail(a, IMAP_NO, "OVERQUOTA", "there is no room for it");
}

static void
open_piece(struct imap_session *s, struct appending *a, const struct append_words *w)
{
	struct piece *p = &a->at[a->n];
	struct err err = { 0 };
	enum rc rc = fs_spool_open(own_incoming(s->house->own), 0660, &p->file, &err);

	if (rc != RC_OK) {
		(void)imap_failed(s, rc, &err);
		fail_as(s, a);
		return;
	}
	p->size = a->literal.bytes;
	p->flags = w->flags;
	p->received_ms = w->has_date ? w->received_ms : clock_wall_ms();
	a->together += p->size;
	a->n++;
}

/* What follows cannot be told from commands any more, and may be a stranger's words. */
static bool
bye(struct imap_session *s, struct appending *a, const char *text)
{
	buf_addf(&s->out, "* BYE [TOOBIG] %s\r\n", text);
	fail(a, IMAP_NO, "TOOBIG", text);
	a->why.close = true;
	return done(s, a);
}

static bool
at_words(struct imap_session *s, struct appending *a)
{
	struct append_words w;
	bool announced = a->mine && imap_line_literal(a->x.all, &a->literal) == RC_OK;

	if (!a->failed && !imap_append_words(&a->x, &w)) {
		s->cmd.x.why = a->x.why;
		(void)imap_bad(s);
		fail_as(s, a);
	}
	if (!announced) {
		fail(a, IMAP_BAD, NULL, "a message was expected");
		return done(s, a);
	}
	if (!a->failed) {
		a->utf8 = w.utf8;
		check(s, a);
	}
	if (!a->failed)
		open_piece(s, a, &w);
	if (a->failed && a->literal.wait)
		return done(s, a);
	if (a->failed &&
		a->literal.bytes > s->conf->imap.append_most * THROWN_TIMES - a->thrown)
		return bye(s, a, "that is far larger than APPENDLIMIT");
	if (a->literal.wait)
		buf_addz(&s->out, "+ go on\r\n");
	a->left = a->literal.bytes;
	/* at least a byte in a millisecond, and no long silence */
	a->until_ms = clock_ms() + s->conf->imap.idle_timeout + a->left;
	a->step = AT_BYTES;
	return true;
}

/* ---- its bytes ---- */

static void
keep(struct imap_session *s, struct appending *a, str some)
{
	struct err err = { 0 };
	enum rc rc;

	if (a->failed) {
		a->thrown += some.len;
		return;
	}
	if (!a->literal.binary && memchr(some.ptr, '\0', some.len) != NULL) {
		fail(a, IMAP_BAD, NULL,
			"NUL is for literals that begin with ~"); /* CHAR8 */
		return;
	}
	rc = fs_append(a->at[a->n - 1].file.fd, some, &err);
	if (rc == RC_OK) {
		sha256_add(a->digest, some);
		return;
	}
	(void)imap_failed(s, rc, &err);
	fail_as(s, a);
}

/* False: a->did says what is to be done. */
static bool
wait_to_read(struct imap_session *s, struct appending *a, enum conn_got got)
{
	uint64_t silent = clock_ms() + SILENT_MS;

	if (s->base.late || (got != CONN_QUIET && got != CONN_FULL)) {
		a->did = imap_lost(s);
		return false;
	}
	s->base.until_ms = silent < a->until_ms ? silent : a->until_ms;
	a->did = IMAP_READ;
	return false;
}

static bool
at_bytes(struct imap_session *s, struct appending *a)
{
	size_t taken = 0;
	enum conn_got got;
	str some;

	while (a->left > 0) {
		if (taken > TURN_BYTES) {
			a->did = IMAP_MORE;
			return false;
		}
		if ((got = conn_bytes(s->io->conn, &some)) != CONN_OK)
			return wait_to_read(s, a, got);
		if (some.len > a->left)
			some.len = (size_t)a->left;
		keep(s, a, some);
		conn_eat(s->io->conn, some.len);
		a->left -= some.len;
		taken += some.len;
	}
	if (!a->failed)
		sha256_done(a->digest, a->at[a->n - 1].digest);
	a->step = AT_LINE;
	return true;
}

/* ---- what is behind it ---- */

static bool
at_line(struct imap_session *s, struct appending *a)
{
	enum conn_got got;
	str line;

	got = imap_line(s, &line);
	if (got == CONN_LONG)
		return bye(s, a, "that line is too long");
	if (got != CONN_OK)
		return wait_to_read(s, a, got);
	if (a->utf8 && !a->failed) {
		if (!str_starts(line, STR(")")))
			fail(a, IMAP_BAD, NULL, "a closing parenthesis was expected");
		line = str_skip(line, line.len > 0);
	}
	if (str_empty(line)) {
		a->step = AT_ERRAND;
		a->until_ms = clock_ms() + PLACE_MS;
		return a->failed ? done(s, a) : true;
	}
	if (arena_copy(s->cmd.mem, line, &line) != RC_OK)
		return bye(s, a, "too much for one command");
	a->x = imap_lex(line, imap_utf8(s), s->cmd.mem);
	a->step = AT_WORDS;
	return true;
}

/* ---- all of it is here ---- */

/* Others may have come while this one did.  Two that get here in the same moment may both
 * be let in, so that a quota is passed by what is under way at once, not by more. */
static bool
still_room(struct imap_session *s, struct appending *a)
{
	find_quota(s, a);
	if (!a->failed)
		find_places(s, a);
	if (!a->failed && a->n > a->places && !a->replace)
		fail(a, IMAP_NO, "LIMIT", "there are as many messages as there may be");
	if (!a->failed && a->together > a->room)
		fail(a, IMAP_NO, "OVERQUOTA", "there is no room for it any more");
	return !a->failed;
}

static bool
at_errand(struct imap_session *s, struct appending *a)
{
	if (!still_room(s, a))
		return done(s, a);
	if (errand_start(&s->errand, s->house->errands, s->io, imap_append_work, a)) {
		a->step = AT_END;
		a->did = IMAP_WAIT;
		return false;
	}
	if (clock_ms() >= a->until_ms) {
		fail(a, IMAP_NO, "UNAVAILABLE",
			"too busy at the moment, try again later");
		return done(s, a);
	}
	s->wake_ms = clock_ms() + PLACE_PAUSE_MS;
	a->did = IMAP_WAIT;
	return false;
}

/* "APPENDUID 38505 3955:3957"; NULL: they are not known. */
static const char *
uids_code(struct imap_session *s, const struct appending *a)
{
	BUF_AUTO b = BUF(APPEND_MOST * 12 + 40);
	str code;

	buf_addf(&b, "APPENDUID %u ", a->uidvalidity);
	for (size_t i = 0, to; i < a->n; i = to) {
		for (to = i + 1; to < a->n && a->at[to].uid == a->at[to - 1].uid + 1;)
			to++;
		if (a->at[i].uid == 0)
			return NULL;
		buf_addf(&b, i > 0 ? ",%u" : "%u", a->at[i].uid);
		if (to > i + 1)
			buf_addf(&b, ":%u", a->at[to - 1].uid);
	}
	return arena_copy(s->cmd.mem, buf_str(&b), &code) == RC_OK ? code.ptr : NULL;
}

static bool
at_end(struct imap_session *s, struct appending *a)
{
	const char *code;

	a->did = IMAP_DONE;
	if (a->rc == RC_NONE) { /* deleted while the message came */
		(void)imap_no(s, "TRYCREATE", "there is no such mailbox");
		return false;
	}
	if (a->rc != RC_OK) {
		(void)imap_failed(s, a->rc, &a->err);
		return false;
	}
	code = uids_code(s, a);
	/* RFC 8508 4.3: before the EXPUNGE */
	if (a->replace && code != NULL)
		buf_addf(&s->out, "* OK [%s] it is replaced\r\n", code);
	(void)imap_ok(s, a->replace ? NULL : code, a->replace ? "replaced" : "appended");
	return false;
}

static enum imap_did
run(struct imap_session *s, bool replace)
{
	static bool (*const steps[])(struct imap_session *, struct appending *) = {
		[AT_WORDS] = at_words,
		[AT_BYTES] = at_bytes,
		[AT_LINE] = at_line,
		[AT_ERRAND] = at_errand,
		[AT_END] = at_end,
	};
	struct appending *a;

	if (s->cmd.state == NULL && !begin(s, replace))
		return imap_no(s, "LIMIT", "too much for one command");
	a = s->cmd.state;
	while (steps[a->step](s, a))
		continue;
	return a->did;
}

enum imap_did
cmd_append(struct imap_session *s)
{
	return run(s, false);
}

enum imap_did
cmd_replace(struct imap_session *s)
{
	return run(s, true);
}
