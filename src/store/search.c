/* SPDX-License-Identifier: ISC */
#include "store/search.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fs.h"
#include "search_sql.h"
#include "store/search_words.h"
#include "store/store_int.h"

enum {
	STEPS = sizeof(search_schema) / sizeof(search_schema[0]),
	CHECKPOINT_BYTES = 4 << 20, /* of a WAL, before it is written back */
	CHUNK = 256, /* found messages read under the lock at once */
};

struct part {
	pthread_mutex_t lock;
	struct db *db;
};

struct search {
	bool read_only;
	struct part parts[STORE_SHARDS];
};

static struct part *
part_of(struct search *s, uint64_t account)
{
	return &s->parts[account % STORE_SHARDS];
}

static int64_t
first_id(uint64_t account)
{
	return (int64_t)(account << 32);
}

static enum rc
part_open(struct search *s, const struct search_want *w, unsigned n, struct err *err)
{
	char path[32];
	enum rc rc;

	(void)snprintf(path, sizeof(path), "search/%u.db", n);
	rc = db_open(&(struct db_want){ .dirfd = w->data,
			     .path = path,
			     .sync = DB_SYNC_NORMAL,
			     .cache_bytes = w->cache_bytes,
			     .read_only = w->read_only },
		&s->parts[n].db, err);
	if (rc == RC_OK)
		rc = db_migrate(s->parts[n].db, search_schema, STEPS, err);
	return rc;
}

enum rc
search_open(const struct search_want *w, struct search **out, struct err *err)
{
	struct search *s = calloc(1, sizeof(*s));
	enum rc rc = RC_OK;

	if (s == NULL)
		abort();
	s->read_only = w->read_only;
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		(void)pthread_mutex_init(&s->parts[i].lock, NULL);
	if (!w->read_only)
		rc = fs_mkdirs(w->data, "search", 0700, err);
	for (unsigned i = 0; i < STORE_SHARDS && rc == RC_OK; i++)
		rc = part_open(s, w, i, err);
	if (rc != RC_OK) {
		search_close(&s);
		return rc;
	}
	*out = s;
	return RC_OK;
}

void
search_close(struct search **sp)
{
	struct search *s = *sp;

	if (s == NULL)
		return;
	for (unsigned i = 0; i < STORE_SHARDS; i++) {
		db_close(&s->parts[i].db);
		(void)pthread_mutex_destroy(&s->parts[i].lock);
	}
	free(s);
	*sp = NULL;
}

static enum rc
read_mark(struct part *p, uint64_t account, uint64_t *modseq, struct err *err)
{
	*modseq = 0;
	PREPARE(q, p->db, "SELECT modseq FROM mark WHERE account_id = ?", err);
	db_bind_u64(q, 1, account);
	enum rc rc = db_step(q, err);
	if (rc == RC_OK)
		*modseq = db_u64(q, 0);
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
search_mark(struct search *s, uint64_t account, uint64_t *modseq, struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);

	return read_mark(p, account, modseq, err);
}

/* Never that of words whose doc was forgotten: they are still in the lists. */
static enum rc
next_id(struct part *p, uint64_t account, int64_t *id, struct err *err)
{
	*id = first_id(account);
	PREPARE(q, p->db,
		"SELECT max(id) FROM (SELECT max(id) AS id FROM doc WHERE id BETWEEN ?1 AND ?2"
		" UNION ALL SELECT * FROM (SELECT rowid FROM words"
		" WHERE rowid BETWEEN ?1 AND ?2 ORDER BY rowid DESC LIMIT 1))",
		err);
	db_bind_i64(q, 1, first_id(account));
	db_bind_i64(q, 2, first_id(account + 1) - 1);
	enum rc rc = db_step(q, err);
	if (rc == RC_OK && !db_is_null(q, 0))
		*id = db_i64(q, 0) + 1;
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static void
bind_words(struct db_stmt *q, int i, str text, struct buf *words)
{
	buf_clear(words);
	search_words(str_first(text, SEARCH_TEXT), words);
	db_bind_str(q, i, buf_str(words));
}

static enum rc
add_one(struct part *p, int64_t id, const struct search_doc *d, struct err *err)
{
	BUF_AUTO words = BUF(2 * SEARCH_TEXT);
	enum rc rc;

	PREPARE(q, p->db, "INSERT INTO doc(id, msgid, unread) VALUES(?, ?, ?)", err);
	db_bind_i64(q, 1, id);
	db_bind_str(q, 2, msg_id_str(&d->id));
	db_bind_u64(q, 3, d->unread);
	if ((rc = db_run(q, err)) != RC_OK || d->unread)
		return rc;
	PREPARE(w, p->db,
		"INSERT INTO words(rowid, subject, people, body) VALUES(?, ?, ?, ?)",
		err);
	db_bind_i64(w, 1, id);
	bind_words(w, 2, d->subject, &words);
	bind_words(w, 3, d->people, &words);
	bind_words(w, 4, d->body, &words);
	return db_run(w, err);
}

static enum rc
add_all(struct part *p, uint64_t account, const struct search_doc *list, size_t n,
	struct err *err)
{
	uint64_t mark;
	int64_t id;
	enum rc rc = read_mark(p, account, &mark, err);

	if (rc == RC_OK)
		rc = next_id(p, account, &id, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		if (list[i].modseq <= mark)
			continue;
		rc = add_one(p, id++, &list[i], err);
		mark = list[i].modseq;
	}
	if (rc != RC_OK)
		return rc;
	PREPARE(q, p->db, "INSERT OR REPLACE INTO mark(account_id, modseq) VALUES(?, ?)",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, mark);
	return db_run(q, err);
}

/* What does not succeed leaves nothing behind. */
static enum rc
settle(struct part *p, enum rc rc, struct err *err)
{
	if (rc == RC_OK)
		rc = db_commit(p->db, err);
	if (rc != RC_OK) {
		db_rollback(p->db);
		return rc;
	}
	if (db_unsettled(p->db) > CHECKPOINT_BYTES)
		(void)!db_checkpoint(p->db, NULL);
	return RC_OK;
}

enum rc
search_add_all(
	struct search *s, const struct search_news *news, size_t n, struct err *err)
{
	if (n == 0)
		return RC_OK;
	struct part *p = part_of(s, news[0].account);
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc = db_begin(p->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		assert(part_of(s, news[i].account) == p);
		rc = add_all(p, news[i].account, news[i].list, news[i].n, err);
	}
	return settle(p, rc, err);
}

enum rc
search_add(struct search *s, uint64_t account, const struct search_doc *list, size_t n,
	struct err *err)
{
	const struct search_news news = { account, list, n };

	return search_add_all(s, &news, 1, err);
}

static enum rc
forget(struct part *p, uint64_t account, struct err *err)
{
	enum rc rc;

	PREPARE(q, p->db, "DELETE FROM doc WHERE id BETWEEN ? AND ?", err);
	db_bind_i64(q, 1, first_id(account));
	db_bind_i64(q, 2, first_id(account + 1) - 1);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	PREPARE(m, p->db, "DELETE FROM mark WHERE account_id = ?", err);
	db_bind_u64(m, 1, account);
	return db_run(m, err);
}

enum rc
search_forget(struct search *s, uint64_t account, struct err *err)
{
	struct part *p = part_of(s, account);
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc = db_begin(p->db, err);

	return rc == RC_OK ? settle(p, forget(p, account, err), err) : rc;
}

/* {subject people} : ("one" AND "two"): what search_words() gives has neither quotes
 * nor anything else of FTS5's syntax in it.  False: there is no word in it. */
static bool
put_question(struct buf *b, unsigned fields, const str *words, size_t n)
{
	static const char *const names[] = { "subject", "people", "body" };
	BUF_AUTO folded = BUF(64 * 1024);
	str rest, word;
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		search_words(str_first(words[i], 1000), &folded);
	buf_addz(b, "{");
	for (unsigned i = 0; i < 3; i++)
		if ((fields & 1u << i) != 0)
			buf_addf(b, " %s", names[i]);
	buf_addz(b, " } : (");
	for (rest = buf_str(&folded); count < SEARCH_WORDS && str_cut(&rest, ' ', &word);
		count++) {
		buf_addz(b, count > 0 ? " AND \"" : "\"");
		buf_add(b, word);
		buf_addc(b, '"');
	}
	buf_addc(b, ')');
	return count > 0;
}

struct found {
	size_t n;
	int64_t last;
	struct {
		struct msg_id id;
		bool sure;
	} at[CHUNK];
};

/* Messages that could not be read, and those that hold the words. */
static const char unread_sql[] = "SELECT id, msgid, unread FROM doc"
				 " WHERE id BETWEEN ?1 AND ?2 AND unread = 1"
				 " ORDER BY id LIMIT 256";
static const char words_sql[] =
	"SELECT d.id, d.msgid, d.unread FROM words w JOIN doc d ON d.id = w.rowid"
	" WHERE w.words MATCH ?3 AND w.rowid BETWEEN ?1 AND ?2"
	" ORDER BY w.rowid LIMIT 256";

static enum rc
read_found(struct part *p, const char *sql, str question, int64_t from, int64_t to,
	struct found *f, struct err *err)
{
	LOCK_AUTO held = lock_take(&p->lock);
	enum rc rc;

	f->n = 0;
	f->last = to;
	PREPARE(q, p->db, sql, err);
	db_bind_i64(q, 1, from);
	db_bind_i64(q, 2, to);
	if (sql == words_sql)
		db_bind_str(q, 3, question);
	while ((rc = db_step(q, err)) == RC_OK) {
		f->last = db_i64(q, 0);
		f->at[f->n].sure = db_u64(q, 2) == 0;
		(void)str_z(
			db_str(q, 1), f->at[f->n].id.text, sizeof(f->at[f->n].id.text));
		f->n++;
	}
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

static enum rc
each_found(struct part *p, uint64_t account, const char *sql, str question, search_fn *fn,
	void *arg, struct err *err)
{
	int64_t from = first_id(account), to = first_id(account + 1) - 1;
	struct found f;
	enum rc rc;

	do {
		rc = read_found(p, sql, question, from, to, &f, err);
		for (size_t i = 0; i < f.n && rc == RC_OK; i++)
			rc = fn(&f.at[i].id, f.at[i].sure, arg, err);
		from = f.last + 1;
	} while (rc == RC_OK && f.n == CHUNK);
	return rc;
}

enum rc
search_find(struct search *s, uint64_t account, unsigned fields, const str *words,
	size_t n, search_fn *fn, void *arg, struct err *err)
{
	struct part *p = part_of(s, account);
	BUF_AUTO question = BUF(2 * SEARCH_WORDS * (SEARCH_WORD + 8) + 100);
	enum rc rc;

	if ((fields & SEARCH_ALL) == 0 ||
		!put_question(&question, fields & SEARCH_ALL, words, n))
		return err_set(err, RC_BAD, "there is no word to look for");
	rc = each_found(p, account, unread_sql, STR(""), fn, arg, err);
	if (rc == RC_OK)
		rc = each_found(p, account, words_sql, buf_str(&question), fn, arg, err);
	return rc;
}
