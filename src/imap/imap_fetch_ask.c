/* SPDX-License-Identifier: ISC */
/* What FETCH has to ask a scanner: facts that the index does not have, and decoding. */
#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/thread.h"
#include "imap/imap_decoded.h"
#include "imap/imap_fetch_texts.h"
#include "store/learn.h"

enum {
	SCAN_MEM = 16 * 1024 * 1024,
	WAIT_MS = 5000,
	HOPELESS = 256,
	DECODED_TIMES = 2, /* scanner_unpacked: decoded parts that wait for readers */
};

/* The errand runs on a thread of its own while the session is parked: what hangs on f is
 * touched by one of the two at a time. */
static enum fetch_got
ask(struct fetch *f, void (*fn)(void *arg))
{
	struct imap_session *s = f->s;

	f->asked = errand_start(&s->errand, s->house->errands, s->io, fn, f);
	if (!f->asked)
		s->wake_ms = clock_ms() + FETCH_AGAIN_MS;
	return FETCH_WAIT;
}

static struct scan_job
job_of(struct fetch *f, int fd, uint64_t size, uint32_t trace)
{
	const struct conf *c = f->s->conf;

	return (struct scan_job){ .fd = fd,
		.size = size,
		.offset = trace,
		.hostname = c->server.hostname,
		.most_ms = c->limits.scanner_timeout,
		.most_unpacked = c->limits.scanner_unpacked };
}

/* ---- messages that no scanner can tell of ---- */

/* Asked for again and again, each would cost a scanner its whole time, or its life. Until house
 * is started anew, or as many others came after it, it is not asked about again. */
static struct {
	pthread_mutex_t lock;
	size_t next;
	struct msg_id ids[HOPELESS];
} hopeless = { .lock = PTHREAD_MUTEX_INITIALIZER };

static bool
is_hopeless(const struct msg_id *id)
{
	LOCK_AUTO held = lock_take(&hopeless.lock);

	for (size_t i = 0; i < HOPELESS; i++)
		if (strcmp(hopeless.ids[i].text, id->text) == 0)
			return true;
	return false;
}

static void
remember(const struct msg_id *id)
{
	LOCK_AUTO held = lock_take(&hopeless.lock);

	hopeless.ids[hopeless.next++ % HOPELESS] = *id;
}

/* ---- facts ---- */

static bool
unknown(const struct fetch *f, size_t k)
{
	const struct store_texts *t = &f->texts[k];
	unsigned want = fetch_lacks(f, k);
	bool lazy = (f->want.items & ITEM_PREVIEW_LAZY) != 0;

	if (f->rows[f->from + k].uid == 0 || t->header_bytes == UINT32_MAX ||
		f->learnt[k].tried)
		return false;
	return ((want & STORE_ENVELOPE) != 0 && t->envelope.len == 0) ||
	       ((want & STORE_STRUCTURE) != 0 && t->structure.len == 0) ||
	       ((want & STORE_PREVIEW) != 0 && !lazy && !t->known_preview);
}

bool
fetch_unknown(struct fetch *f)
{
	bool any = false;

	if (f->no_scanner || f->s->house->scanners == NULL)
		return false;
	for (size_t k = 0; k < f->loaded - f->from; k++) {
		if (!unknown(f, k))
			continue;
		if (is_hopeless(&f->rows[f->from + k].id))
			f->learnt[k] = (struct fetch_learnt){ true, RC_PERM };
		else
			any = true;
	}
	return any;
}

static enum rc
ask_scanner(struct fetch *f, size_t k, struct arena *mem, struct scanned *out,
	struct err *err)
{
	const struct view_row *r = &f->rows[f->from + k];
	struct imap_session *s = f->s;
	uint32_t trace = f->texts[k].trace_bytes;
	FD_AUTO fd = -1;
	enum rc rc = store_open_message(s->house->store, s->account, &r->id, &fd, err);

	if (rc != RC_OK)
		return rc;
	if (r->size < trace)
		return RC_PERM;
	struct scan_job job = job_of(f, fd, r->size, trace);
	rc = RC_BAD; /* which may have been the scanner's bad day: once more */
	for (int i = 0; i < 2 && rc == RC_BAD; i++)
		rc = scan_ask(s->house->scanners, &job,
			clock_ms() + job.most_ms + WAIT_MS, mem, out, err);
	return rc;
}

static enum rc
keep(struct fetch *f, struct store_texts *t, const struct facts *facts)
{
	BUF_AUTO b = BUF(FACTS_MOST);
	enum rc rc = RC_OK;

	facts_pack_envelope(&b, &facts->envelope);
	rc = arena_copy(f->facts, buf_str(&b), &t->envelope);
	buf_clear(&b);
	if (rc == RC_OK && facts->structure.n > 0) {
		facts_pack_structure(&b, &facts->structure);
		rc = arena_copy(f->facts, buf_str(&b), &t->structure);
	}
	if (rc == RC_OK && facts->known_preview)
		rc = arena_copy(f->facts, facts->preview, &t->preview);
	t->known_preview = facts->known_preview;
	t->header_bytes = facts->header_bytes;
	return rc == RC_OK ? RC_OK : RC_TEMP;
}

static enum rc
learn_one(struct fetch *f, size_t k, struct err *err)
{
	struct imap_session *s = f->s;
	const struct msg_id *id = &f->rows[f->from + k].id;
	ARENA_AUTO mem = arena_new(SCAN_MEM);
	struct scanned got = { 0 };
	struct err why = { 0 };
	enum rc rc = ask_scanner(f, k, mem, &got, err);

	if (rc != RC_OK)
		return rc;
	rc = keep(f, &f->texts[k], &got.facts);
	if (store_learn(s->house->store, s->account, id, &got.facts, &why) != RC_OK)
		log_warn("msg=\"facts are not kept\" id=%s why=\"%s\"", id->text,
			why.text);
	scanned_clear(&got);
	return rc;
}

/* All that is unknown in the window, as far as the time goes. */
static void
learn(void *arg)
{
	struct fetch *f = arg;
	uint64_t until_ms = clock_ms() + FETCH_ASK_MS;

	for (size_t k = 0; k < f->loaded - f->from && clock_ms() < until_ms; k++) {
		struct err err = { 0 };

		if (!unknown(f, k))
			continue;
		enum rc rc = learn_one(f, k, &err);
		if (rc == RC_TEMP) {
			log_warn(
				"msg=\"a reader's message could not be looked at\" why=\"%s\"",
				err.text);
			f->no_scanner = true;
			return;
		}
		f->learnt[k] = (struct fetch_learnt){ .tried = true, .rc = rc };
		if (rc != RC_NONE && (rc != RC_OK || f->texts[k].structure.len == 0))
			remember(&f->rows[f->from + k].id);
	}
}

enum fetch_got
fetch_learn(struct fetch *f)
{
	if (!fetch_unknown(f)) {
		f->asked = false;
		fetch_learnt(f);
		return FETCH_ON;
	}
	return ask(f, learn);
}

/* ---- decoding ---- */

/* Taken, while the client reads it. */
static void
keep_decoded(struct fetch *f)
{
	uint64_t most = f->s->conf->limits.scanner_unpacked * DECODED_TIMES;

	if (f->decode_rc != RC_OK || decoded_take(f->s->account, f->decode_size, most))
		return;
	log_warn("msg=\"too many decoded parts wait for their readers\" account=%llu",
		(unsigned long long)f->s->account);
	fs_close(&f->decode_fd);
	f->decode_rc = RC_TEMP;
}

static void
decode(void *arg)
{
	struct fetch *f = arg;
	const struct view_row *r = &f->rows[f->i];
	struct scan_job job = job_of(f, f->fd, r->size, 0);
	struct err err = { 0 };

	f->decode_rc = RC_BAD;
	for (int i = 0; i < 2 && f->decode_rc == RC_BAD; i++)
		f->decode_rc = scan_part(f->s->house->scanners, &job, f->decode_at,
			f->decode_end, f->decode_encoding,
			clock_ms() + job.most_ms + WAIT_MS, &f->decode_fd,
			&f->decode_size, &err);
	if (f->decode_rc != RC_OK && f->decode_rc != RC_NONE)
		log_warn("msg=\"a part could not be decoded\" id=%s why=\"%s\"",
			r->id.text, err.text);
	keep_decoded(f);
}

void
fetch_decoded_end(struct fetch *f)
{
	if (f->decode_fd >= 0)
		decoded_give(f->s->account, f->decode_size);
	fs_close(&f->decode_fd);
}

enum fetch_got
fetch_decode(struct fetch *f)
{
	if (f->asked) {
		f->asked = false;
		return FETCH_ON;
	}
	f->decode_rc = RC_TEMP;
	if (f->no_scanner || f->s->house->scanners == NULL)
		return FETCH_ON;
	return ask(f, decode);
}
