/* SPDX-License-Identifier: ISC */
/*
 * What is wrong, in sentences.  Each shard is read through a connection of its
 * own, as of one moment, while deliveries go on; so whatever looks wrong between
 * rows and files is looked at again under the shard's lock before it is said.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/digest.h"
#include "store/marks.h"
#include "store/store_int.h"
#include "wire/jrec.h"

struct check {
	struct store *s;
	bool digests;
	store_damage_fn *fn;
	void *arg;
	struct sha256 *sha;
	char *block; /* what a file is read through */
	struct err *err;
	enum rc rc;
	uint64_t account; /* whose folder is being walked */
	const char *month;
};

enum { BLOCK = 64 * 1024 };

static void damage(struct check *c, const char *fmt, ...) PRINTF(2, 3);

static void
damage(struct check *c, const char *fmt, ...)
{
	char sentence[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	for (char *p = sentence; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?'; /* a mailbox's name */
	c->fn(sentence, c->arg);
}

enum row { ROW_NONE, ROW_MESSAGE, ROW_GOING };

/* What the index says of a message now; a file that is being delivered has its
 * row when the lock is to be had. */
static enum rc
row_now(struct check *c, uint64_t account, const char *msgid, enum row *row)
{
	static const char *const where[] = {
		"SELECT 1 FROM email WHERE account_id = ? AND msgid = ?",
		"SELECT 1 FROM blob_gone WHERE account_id = ? AND msgid = ?",
	};
	struct shard *sh = shard_of(c->s, account);
	LOCK_AUTO held = lock_take(&sh->lock);

	*row = ROW_NONE;
	for (int i = 0; i < 2 && *row == ROW_NONE; i++) {
		PREPARE(q, sh->db, where[i], c->err);
		db_bind_u64(q, 1, account);
		db_bind_str(q, 2, str_of(msgid));
		enum rc rc = db_step(q, c->err);
		db_reset(q);
		if (rc == RC_OK)
			*row = i == 0 ? ROW_MESSAGE : ROW_GOING;
		else if (rc != RC_NONE)
			return rc;
	}
	return RC_OK;
}

/* Of what follows the trace block. */
static enum rc
digest_of(struct check *c, int fd, uint64_t at, uint8_t out[SHA256_BYTES])
{
	size_t n = BLOCK;

	while (n == BLOCK) {
		enum rc rc = fs_pread(fd, c->block, BLOCK, at, &n, c->err);

		if (rc != RC_OK)
			return rc;
		sha256_add(c->sha, (str){ c->block, n });
		at += n;
	}
	sha256_done(c->sha, out);
	return RC_OK;
}

/* What the row of a message says. */
struct said {
	uint64_t account, size, trace_bytes;
	str id, digest;
};

static enum rc
check_content(struct check *c, const struct said *m, const char *path)
{
	FD_AUTO fd = -1;
	uint8_t got[SHA256_BYTES];
	enum rc rc = fs_open(c->s->data, path, O_RDONLY, 0, &fd, c->err);

	if (rc == RC_NONE)
		return RC_OK; /* expunged this moment, or named below */
	if (rc != RC_OK || (rc = digest_of(c, fd, m->trace_bytes, got)) != RC_OK) {
		damage(c, "account %" PRIu64 ": message " STR_FMT " cannot be read: %s",
			m->account, STR_ARG(m->id), c->err == NULL ? path : c->err->text);
		return RC_OK;
	}
	if (!str_eq(m->digest, (str){ (const char *)got, sizeof(got) }))
		damage(c,
			"account %" PRIu64 ": the bytes of message " STR_FMT
			" (%s) are not those that were delivered",
			m->account, STR_ARG(m->id), path);
	return RC_OK;
}

static enum rc
check_message(struct check *c, const struct said *m)
{
	uint64_t account = m->account;
	char msgid[MSG_ID_LEN + 1], path[BLOB_PATH];
	struct stat st;
	enum row row;
	enum rc rc;

	if (!ids_valid(m->id) || !str_z(m->id, msgid, sizeof(msgid))) {
		damage(c, "account %" PRIu64 ": a row has an id that is none", account);
		return RC_OK;
	}
	blob_path(account, msgid, path);
	if (fstatat(c->s->data, path, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if ((rc = row_now(c, account, msgid, &row)) != RC_OK)
			return rc;
		if (row == ROW_MESSAGE)
			damage(c, "account %" PRIu64 ": message %s has no file (%s)",
				account, msgid, path);
		return RC_OK;
	}
	if ((uint64_t)st.st_size != m->size)
		damage(c,
			"account %" PRIu64
			": the file of message %s (%s) has %jd bytes, its "
			"row says %" PRIu64,
			account, msgid, path, (intmax_t)st.st_size, m->size);
	else if (c->digests)
		return check_content(c, m, path);
	return RC_OK;
}

static enum rc
check_messages(struct check *c, struct db *db)
{
	enum rc rc;

	PREPARE(q, db, "SELECT account_id, msgid, size, digest, trace_bytes FROM email",
		c->err);
	while ((rc = db_step(q, c->err)) == RC_OK) {
		const struct said m = { .account = db_u64(q, 0),
			.id = db_str(q, 1),
			.size = db_u64(q, 2),
			.digest = db_str(q, 3),
			.trace_bytes = db_u64(q, 4) };

		if ((rc = check_message(c, &m)) != RC_OK) {
			db_reset(q);
			return rc;
		}
	}
	return rc == RC_NONE ? RC_OK : rc;
}

/* Those that were deleted have their messages still. */
#define BOXES                                                                               \
	"(SELECT account_id, mailbox_id, name, messages, unseen, uidnext FROM mailbox"      \
	" UNION ALL SELECT account_id, mailbox_id, name || ' (deleted)', messages, unseen," \
	" uidnext FROM mailbox_deleted)"

/* Questions whose every answer is a damage. */
static const char *const questions[] = {
	("SELECT 'account ' || m.account_id || ': message ' || m.msgid || ' (mailbox ' ||"
	 " m.mailbox_id || ', UID ' || m.uid || ') has no row of its own'"
	 " FROM mailbox_email m LEFT JOIN email e"
	 " ON e.account_id = m.account_id AND e.msgid = m.msgid WHERE e.msgid IS NULL"),

	("SELECT 'account ' || e.account_id || ': message ' || e.msgid || ' is in ' ||"
	 " coalesce(c.n, 0) || ' mailboxes, its row says ' || e.refs FROM email e LEFT JOIN"
	 " (SELECT account_id, msgid, count(*) AS n FROM mailbox_email GROUP BY 1, 2) c"
	 " ON c.account_id = e.account_id AND c.msgid = e.msgid"
	 " WHERE coalesce(c.n, 0) <> e.refs"),

	("SELECT 'account ' || e.account_id || ': message ' || e.msgid ||"
	 " ' belongs to an account without a row' FROM email e LEFT JOIN account a"
	 " ON a.account_id = e.account_id WHERE a.account_id IS NULL"),

	("SELECT 'account ' || account_id || ' has ' || n || ' messages, its row says ' ||"
	 " messages FROM (SELECT a.account_id, a.messages, (SELECT count(*) FROM email e"
	 " WHERE e.account_id = a.account_id) AS n FROM account a) x WHERE n <> messages"),

	("SELECT 'account ' || account_id || ' has ' || n || ' bytes, its row says ' || bytes"
	 " FROM (SELECT a.account_id, a.bytes, (SELECT coalesce(sum(e.size), 0) FROM email e"
	 " WHERE e.account_id = a.account_id) AS n FROM account a) x WHERE n <> bytes"),

	("SELECT 'account ' || account_id || ': ' || name || ' has ' || n ||"
	 " ' messages, its row says ' || messages FROM (SELECT b.account_id, b.name, b.messages,"
	 " (SELECT count(*) FROM mailbox_email m WHERE m.account_id = b.account_id"
	 " AND m.mailbox_id = b.mailbox_id) AS n FROM " BOXES
	 " b) x WHERE n <> messages"),

	("SELECT 'account ' || f.account_id || ': flags are kept in mailbox ' || f.mailbox_id ||"
	 " ' for messages from UID ' || f.block * 128 || ', of which none is there'"
	 " FROM mailbox_mark f WHERE NOT EXISTS (SELECT 1 FROM mailbox_email m"
	 " WHERE m.account_id = f.account_id AND m.mailbox_id = f.mailbox_id"
	 " AND m.uid BETWEEN f.block * 128 AND f.block * 128 + 127)"),

	("SELECT 'account ' || account_id || ': ' || name || ' holds UID ' || n ||"
	 " ', the next one is said to be ' || uidnext FROM (SELECT b.account_id, b.name,"
	 " b.uidnext, (SELECT max(m.uid) FROM mailbox_email m WHERE m.account_id = b.account_id"
	 " AND m.mailbox_id = b.mailbox_id) AS n FROM " BOXES " b) x WHERE n >= uidnext"),

	("SELECT 'account ' || m.account_id || ': ' || count(*) || ' messages, as ' || min(m.msgid)"
	 " || ', are in a mailbox that is not there (' || m.mailbox_id || ')'"
	 " FROM mailbox_email m LEFT JOIN mailbox b ON b.account_id = m.account_id"
	 " AND b.mailbox_id = m.mailbox_id LEFT JOIN mailbox_deleted d"
	 " ON d.account_id = m.account_id AND d.mailbox_id = m.mailbox_id"
	 " WHERE b.mailbox_id IS NULL AND d.mailbox_id IS NULL"
	 " GROUP BY m.account_id, m.mailbox_id"),

	("SELECT 'account ' || m.account_id || ': what mailbox ' || m.mailbox_id || ' says of message '"
	 " || m.msgid || ' (UID ' || m.uid || ') is not what its row says' FROM mailbox_email m"
	 " JOIN email e ON e.account_id = m.account_id AND e.msgid = m.msgid"
	 " WHERE m.size <> e.size OR m.received_ms <> e.received_ms"
	 " OR m.thread_id <> e.thread_id OR m.sent_s IS NOT e.sent_s"),

	("SELECT 'account ' || k.account_id || ': message ' || k.msgid ||"
	 " ' has a key to sort by and no row' FROM email_key k LEFT JOIN email e"
	 " ON e.account_id = k.account_id AND e.msgid = k.msgid WHERE e.msgid IS NULL"),

	/* where a mailbox has it still, that is said above */
	("SELECT 'account ' || i.account_id || ': message ' || i.msgid ||"
	 " ' has an item of FETCH and no row' FROM email_item i LEFT JOIN email e"
	 " ON e.account_id = i.account_id AND e.msgid = i.msgid LEFT JOIN mailbox_email m"
	 " ON m.account_id = i.account_id AND m.msgid = i.msgid"
	 " WHERE e.msgid IS NULL AND m.msgid IS NULL"),

	("SELECT 'account ' || a.account_id || ' has no INBOX' FROM account a LEFT JOIN mailbox b"
	 " ON b.account_id = a.account_id AND b.mailbox_id = 1 WHERE b.mailbox_id IS NULL"),
};

static enum rc
check_counts(struct check *c, struct db *db)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		enum rc rc;

		PREPARE(q, db, questions[i], c->err);
		while ((rc = db_step(q, c->err)) == RC_OK)
			damage(c, STR_FMT, STR_ARG(db_str(q, 0)));
		if (rc != RC_NONE)
			return rc;
	}
	return RC_OK;
}

/* With what readers have made of them. */
static enum rc
count_unread(
	struct db *db, uint64_t account, uint64_t mailbox, uint64_t *n, struct err *err)
{
	MARKS_AUTO marks = marks_of(db, account, mailbox);
	enum rc rc;

	*n = 0;
	PREPARE(q, db,
		"SELECT uid, flags FROM mailbox_email"
		" WHERE account_id = ? AND mailbox_id = ? ORDER BY uid",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, mailbox);
	while ((rc = db_step(q, err)) == RC_OK) {
		uint64_t flags = db_u64(q, 1);
		const struct mark *mark;

		if ((rc = marks_find(&marks, (uint32_t)db_u64(q, 0), &mark, err)) !=
			RC_OK) {
			db_reset(q);
			return rc;
		}
		*n += ((mark != NULL ? mark->flags : flags) & STORE_SEEN) == 0;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
check_unread(struct check *c, struct db *db)
{
	enum rc rc;

	PREPARE(q, db,
		"SELECT account_id, mailbox_id, name, unseen FROM"
		" (SELECT account_id, mailbox_id, name, unseen FROM mailbox UNION ALL"
		" SELECT account_id, mailbox_id, name || ' (deleted)', unseen"
		" FROM mailbox_deleted)",
		c->err);
	while ((rc = db_step(q, c->err)) == RC_OK) {
		uint64_t account = db_u64(q, 0), unseen = db_u64(q, 3), n;
		struct err why;

		rc = count_unread(db, account, db_u64(q, 1), &n, &why);
		if (rc != RC_OK)
			damage(c, "account %" PRIu64 ": " STR_FMT ": %s", account,
				STR_ARG(db_str(q, 2)), why.text);
		else if (n != unseen)
			damage(c,
				"account %" PRIu64 ": " STR_FMT " has %" PRIu64
				" unread messages, its row says %" PRIu64,
				account, STR_ARG(db_str(q, 2)), n, unseen);
	}
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
check_rows(struct check *c, unsigned n, struct db *db)
{
	enum rc rc = db_begin_read(db, c->err); /* one moment for all questions */

	if (rc == RC_OK)
		rc = check_messages(c, db);
	if (rc == RC_OK)
		rc = check_counts(c, db);
	if (rc == RC_OK)
		rc = check_unread(c, db);
	db_rollback(db);
	if (rc != RC_OK || !c->digests)
		return rc;
	struct err why = { 0 };
	if (db_integrity(db, &why) != RC_OK)
		damage(c, "index database %u: %s", n, why.text);
	return RC_OK;
}

static enum rc
check_shard(struct check *c, unsigned n)
{
	struct db *db;
	enum rc rc = shard_reader(c->s, n, &db, c->err);

	if (rc != RC_OK)
		return rc;
	rc = check_rows(c, n, db);
	db_close(&db);
	return rc;
}

/* A file that is also still in incoming/ may be half applied: the journal will
 * be applied again from where it stands. */
static bool
waits(struct check *c, const char *msgid)
{
	char path[48];

	(void)snprintf(path, sizeof(path), "incoming/%.20s", msgid);
	return faccessat(c->s->data, path, F_OK, 0) == 0;
}

static bool
check_file(const char *name, void *arg)
{
	struct check *c = arg;
	char path[BLOB_PATH] = "", here[600];
	enum row row;

	(void)snprintf(here, sizeof(here), "accounts/%" PRIu64 "/%s/%s", c->account,
		c->month, name);
	if (ids_valid(str_of(name)))
		blob_path(c->account, name, path);
	if (strcmp(path, here) != 0) {
		damage(c, "%.200s is not a message's file", here);
		return true;
	}
	if ((c->rc = row_now(c, c->account, name, &row)) != RC_OK)
		return false;
	if (row == ROW_NONE && !waits(c, name) &&
		faccessat(c->s->data, path, F_OK, 0) == 0)
		damage(c, "account %" PRIu64 ": the file %s has no row", c->account,
			path);
	return true;
}

static bool
check_month(const char *name, void *arg)
{
	struct check *c = arg;
	char folder[320];
	enum rc rc;

	(void)snprintf(
		folder, sizeof(folder), "accounts/%" PRIu64 "/%s", c->account, name);
	c->month = name;
	rc = fs_each(c->s->data, folder, check_file, c, c->err);
	if (rc == RC_NONE)
		return true; /* removed this moment */
	if (c->rc == RC_OK)
		c->rc = rc;
	return c->rc == RC_OK;
}

static bool
check_folder(const char *name, void *arg)
{
	struct check *c = arg;
	char folder[320];
	enum rc rc;

	if (!str_u64(str_of(name), INT64_MAX, &c->account)) {
		damage(c, "accounts/%.40s is not an account's folder", name);
		return true;
	}
	(void)snprintf(folder, sizeof(folder), "accounts/%s", name);
	rc = fs_each(c->s->data, folder, check_month, c, c->err);
	if (rc == RC_NONE)
		return true;
	if (c->rc == RC_OK)
		c->rc = rc;
	return c->rc == RC_OK;
}

enum rc
store_check(
	struct store *s, bool digests, store_damage_fn *fn, void *arg, struct err *err)
{
	struct check c = { .s = s,
		.digests = digests,
		.fn = fn,
		.arg = arg,
		.err = err,
		.sha = sha256_new(),
		.block = malloc(BLOCK) };
	enum rc rc = RC_OK;

	if (c.block == NULL)
		abort();
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = check_shard(&c, i);
	if (rc == RC_OK)
		rc = fs_each(s->data, "accounts", check_folder, &c, err);
	if (rc == RC_OK)
		rc = c.rc;
	sha256_free(&c.sha);
	free(c.block);
	return rc;
}
