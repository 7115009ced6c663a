/* SPDX-License-Identifier: ISC */
/*
 * A row: the form's number; the keywords, each once: how many, and of each its length and its
 * bytes; then runs of UIDs with the same mark: UIDs without one before it, length, flags and
 * the keywords' number (0: none), modseq less that of the run before.  Numbers have seven
 * bits in a byte, the lowest first; of signed ones the sign is the lowest bit.
 */
#include "store/marks.h"

#include <assert.h>
#include <inttypes.h>

#include "store/store_int.h"

enum {
	FORM = 1,
	FLAG_BITS = 5,
	WORDS_MOST = 4096, /* of one message: more than may be */
	DATA_MOST = MARKS_BLOCK * (WORDS_MOST + 32),
};

static void
put_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_addc(b, (char)(v | 0x80));
	buf_addc(b, (char)v);
}

static bool
get_number(str *s, uint64_t *out)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && s->len > 0; shift += 7) {
		unsigned char c = (unsigned char)s->ptr[0];

		*s = str_skip(*s, 1);
		v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) {
			*out = v;
			return true;
		}
	}
	return false;
}

static uint64_t
folded(uint64_t from, uint64_t to)
{
	return to >= from ? (to - from) << 1 : (from - to) << 1 | 1;
}

static uint64_t
unfolded(uint64_t from, uint64_t v)
{
	return v & 1 ? from - (v >> 1) : from + (v >> 1);
}

/* ---- writing ---- */

struct words {
	size_t n;
	str at[MARKS_BLOCK];
	uint8_t of
		[MARKS_BLOCK]; /* of each mark: the place of its keywords and 1; 0: none */
};

static uint8_t
place(struct words *w, str keywords)
{
	if (keywords.len == 0)
		return 0;
	for (size_t i = w->n; i > 0; i--)
		if (str_eq(w->at[i - 1], keywords))
			return (uint8_t)i;
	w->at[w->n++] = keywords;
	return (uint8_t)w->n;
}

static bool
alike(const struct mark at[MARKS_BLOCK], const struct words *w, size_t a, size_t b)
{
	return at[b].set && at[a].flags == at[b].flags && at[a].modseq == at[b].modseq &&
	       w->of[a] == w->of[b];
}

void
marks_pack(const struct mark at[MARKS_BLOCK], struct buf *out)
{
	struct words w = { 0 };
	uint64_t modseq = 0;
	size_t done = 0;

	for (size_t i = 0; i < MARKS_BLOCK; i++)
		if (at[i].set)
			w.of[i] = i > 0 && at[i - 1].set &&
						  at[i - 1].keywords.ptr ==
							  at[i].keywords.ptr &&
						  at[i - 1].keywords.len ==
							  at[i].keywords.len
					  ? w.of[i - 1]
					  : place(&w, at[i].keywords);
	put_number(out, FORM);
	put_number(out, w.n);
	for (size_t i = 0; i < w.n; i++) {
		put_number(out, w.at[i].len);
		buf_add(out, w.at[i]);
	}
	for (size_t i = 0, end; i < MARKS_BLOCK; i = end) {
		end = i + 1;
		if (!at[i].set)
			continue;
		while (end < MARKS_BLOCK && alike(at, &w, i, end))
			end++;
		put_number(out, i - done);
		put_number(out, end - i);
		put_number(out, at[i].flags | (unsigned)w.of[i] << FLAG_BITS);
		put_number(out, folded(modseq, at[i].modseq));
		modseq = at[i].modseq;
		done = end;
	}
}

/* ---- reading ---- */

static bool
get_words(str *s, str words[MARKS_BLOCK + 1], uint64_t *n)
{
	uint64_t len;

	if (!get_number(s, n) || *n > MARKS_BLOCK)
		return false;
	words[0] = (str){ 0 };
	for (size_t i = 1; i <= *n; i++) {
		if (!get_number(s, &len) || len > s->len || len > WORDS_MOST)
			return false;
		words[i] = str_first(*s, (size_t)len);
		*s = str_skip(*s, (size_t)len);
	}
	return true;
}

bool
marks_unpack(str s, struct mark at[MARKS_BLOCK])
{
	str words[MARKS_BLOCK + 1];
	uint64_t form, nwords, gap, run, what, modseq = 0, step;
	size_t i = 0;

	memset(at, 0, MARKS_BLOCK * sizeof(at[0]));
	if (!get_number(&s, &form) || form != FORM || !get_words(&s, words, &nwords))
		return false;
	while (s.len > 0) {
		if (!get_number(&s, &gap) || !get_number(&s, &run) ||
			!get_number(&s, &what) || !get_number(&s, &step) || run == 0 ||
			gap > MARKS_BLOCK - i || run > MARKS_BLOCK - i - gap ||
			what >> FLAG_BITS > nwords)
			return false;
		modseq = unfolded(modseq, step);
		if (modseq > INT64_MAX)
			return false;
		i += gap;
		for (size_t end = i + run; i < end; i++)
			at[i] = (struct mark){ .set = true,
				.flags = what & ((1u << FLAG_BITS) - 1),
				.keywords = words[what >> FLAG_BITS],
				.modseq = modseq };
	}
	return true;
}

/* ---- rows ---- */

struct marks
marks_of(struct db *db, uint64_t account, uint64_t mailbox)
{
	return (struct marks){
		.db = db, .account = account, .mailbox = mailbox, .data = BUF(DATA_MOST)
	};
}

void
marks_clear(struct marks *m)
{
	buf_free(&m->data);
}

static enum rc
take(struct marks *m, struct db_stmt *q, struct err *err)
{
	m->block = (uint32_t)db_u64(q, 0);
	buf_clear(&m->data);
	buf_add(&m->data, db_str(q, 1));
	db_reset(q);
	m->stored = true;
	if (buf_ok(&m->data) && marks_unpack(buf_str(&m->data), m->at))
		return RC_OK;
	return err_set(err, RC_PERM,
		"flags in mailbox %" PRIu64 " of account %" PRIu64
		" cannot be read: run verify",
		m->mailbox, m->account);
}

static void
take_none(struct marks *m, uint32_t block)
{
	m->block = block;
	m->stored = false;
	memset(m->at, 0, sizeof(m->at));
}

static enum rc
load(struct marks *m, const char *sql, uint32_t from, uint32_t none, struct err *err)
{
	PREPARE(q, m->db, sql, err);
	db_bind_u64(q, 1, m->account);
	db_bind_u64(q, 2, m->mailbox);
	db_bind_u64(q, 3, from);
	enum rc rc = db_step(q, err);
	if (rc == RC_OK)
		rc = take(m, q, err);
	else if (rc == RC_NONE)
		rc = (take_none(m, none), RC_OK);
	m->asked = from;
	m->loaded = rc == RC_OK;
	return rc;
}

enum rc
marks_find(struct marks *m, uint32_t uid, const struct mark **out, struct err *err)
{
	uint32_t block = uid / MARKS_BLOCK;

	if (!m->loaded || block < m->asked || block > m->block) {
		enum rc rc = load(m,
			"SELECT block, data FROM mailbox_mark WHERE account_id = ?"
			" AND mailbox_id = ? AND block >= ? ORDER BY block LIMIT 1",
			block, UINT32_MAX, err);
		if (rc != RC_OK)
			return rc;
	}
	*out = block == m->block && m->at[uid % MARKS_BLOCK].set
		       ? &m->at[uid % MARKS_BLOCK]
		       : NULL;
	return RC_OK;
}

static enum rc
save_as(struct marks *m, const char *sql, str data, struct err *err)
{
	PREPARE(q, m->db, sql, err);
	db_bind_blob(q, 1, data);
	db_bind_u64(q, 2, m->account);
	db_bind_u64(q, 3, m->mailbox);
	db_bind_u64(q, 4, m->block);
	return db_run(q, err);
}

enum rc
marks_save(struct marks *m, struct err *err)
{
	BUF_AUTO b = BUF(DATA_MOST);

	if (!m->changed)
		return RC_OK;
	m->changed = false;
	m->loaded = false; /* keywords that were put are the caller's */
	marks_pack(m->at, &b);
	if (!buf_ok(&b))
		return err_set(err, RC_LIMIT, "too many keywords at once");
	return save_as(m,
		m->stored
			? "UPDATE mailbox_mark SET data = ? WHERE account_id = ?"
			  " AND mailbox_id = ? AND block = ?"
			: "INSERT INTO mailbox_mark(data, account_id, mailbox_id, block)"
			  " VALUES(?, ?, ?, ?)",
		buf_str(&b), err);
}

enum rc
marks_put(struct marks *m, uint32_t uid, const struct mark *mark, struct err *err)
{
	uint32_t block = uid / MARKS_BLOCK;

	if (!m->loaded || block != m->block) {
		enum rc rc = marks_save(m, err);

		if (rc == RC_OK)
			rc = load(m,
				"SELECT block, data FROM mailbox_mark WHERE account_id = ?"
				" AND mailbox_id = ? AND block = ?",
				block, block, err);
		if (rc != RC_OK)
			return rc;
	}
	m->at[uid % MARKS_BLOCK] = *mark;
	m->at[uid % MARKS_BLOCK].set = true;
	m->changed = true;
	return RC_OK;
}

static_assert(MARKS_BLOCK == 128, "as the statement says");

enum rc
marks_leave(struct db *db, uint64_t account, uint64_t mailbox, uint32_t first,
	uint32_t last, struct err *err)
{
	PREPARE(q, db,
		"DELETE FROM mailbox_mark WHERE account_id = ?1 AND mailbox_id = ?2"
		" AND block BETWEEN ?3 AND ?4 AND NOT EXISTS (SELECT 1"
		" FROM mailbox_email e WHERE e.account_id = ?1 AND e.mailbox_id = ?2"
		" AND e.uid BETWEEN block * 128 AND block * 128 + 127)",
		err);
	db_bind_u64(q, 1, account);
	db_bind_u64(q, 2, mailbox);
	db_bind_u64(q, 3, first / MARKS_BLOCK);
	db_bind_u64(q, 4, last / MARKS_BLOCK);
	return db_run(q, err);
}

static enum rc
renew_next(struct marks *m, uint64_t modseq, struct err *err)
{
	enum rc rc;

	PREPARE(q, m->db,
		"SELECT block, data, account_id, mailbox_id FROM mailbox_mark"
		" WHERE (account_id, mailbox_id, block) > (?, ?, ?)"
		" ORDER BY account_id, mailbox_id, block LIMIT 1",
		err);
	db_bind_u64(q, 1, m->account);
	db_bind_u64(q, 2, m->mailbox);
	db_bind_i64(q, 3, m->loaded ? (int64_t)m->block : -1);
	if ((rc = db_step(q, err)) != RC_OK)
		return rc;
	m->account = db_u64(q, 2);
	m->mailbox = db_u64(q, 3);
	if ((rc = take(m, q, err)) != RC_OK)
		return rc;
	for (size_t i = 0; i < MARKS_BLOCK; i++)
		m->at[i].modseq = modseq;
	m->changed = true;
	rc = marks_save(m, err);
	m->loaded = true;
	return rc;
}

enum rc
marks_renew(struct db *db, uint64_t modseq, struct err *err)
{
	MARKS_AUTO m = marks_of(db, 0, 0);
	enum rc rc;

	while ((rc = renew_next(&m, modseq, err)) == RC_OK)
		continue;
	return rc == RC_NONE ? RC_OK : rc;
}
