/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_store.h"

#include "base/clock.h"
#include "crypto/digest.h"
#include "smtp/smtp_split.h"
#include "wire/smtp_trace.h"

enum { REASON_SHORT = 60 };

void
smtp_verdict_trace(const struct smtp_verdict *v, struct smtp_trace *t)
{
	*t = (struct smtp_trace){ .from = v->from,
		.helo = v->helo,
		.hostname = v->conf->server.hostname,
		.id = msg_id_str(&v->id),
		.tls_version = v->tls_version,
		.tls_cipher = v->tls_cipher,
		.client = v->client,
		.esmtp = v->esmtp,
		.utf8 = v->utf8,
		.wall_ms = v->wall_ms };
	/* RFC 5321 7.2: several would tell each about the others */
	if (v->nrcpts == 1)
		t->rcpt = v->rcpts->written;
}

static enum rc
put_trace(struct smtp_verdict *v)
{
	char block[TRACE_BLOCK];
	struct smtp_trace t;

	smtp_verdict_trace(v, &t);
	t.has_score = true;
	t.score = v->score;
	t.findings = v->listed;
	smtp_trace_block(&t, block);
	return fs_pwrite(v->file->fd, (str){ block, sizeof(block) }, 0, &v->err);
}

/* "X-Gatepost-Score" becomes "X-xatepost-Score".  Where it stands the scanner said, and
 * it may lie: nothing but one letter of such a name is ever changed. */
static enum rc
rename_field(struct smtp_verdict *v, uint64_t offset)
{
	char bytes[1 + SMTP_TRACE_NAME];
	size_t got, letter;
	enum rc rc = fs_pread(v->file->fd, bytes, sizeof(bytes), TRACE_BLOCK + offset - 1,
		&got, &v->err);

	if (rc != RC_OK || !smtp_trace_forged((str){ bytes, got }, &letter))
		return rc;
	return fs_pwrite(v->file->fd, STR("x"), TRACE_BLOCK + offset + letter, &v->err);
}

static enum rc
digest_again(struct smtp_verdict *v, uint8_t digest[SHA256_BYTES])
{
	enum { PIECE = 64 * 1024 };
	char *piece = malloc(PIECE);
	struct sha256 *d = sha256_new();
	enum rc rc = RC_OK;
	size_t got = 0;

	if (piece == NULL)
		abort();
	for (uint64_t at = 0; at < v->size && rc == RC_OK; at += got) {
		rc = fs_pread(v->file->fd, piece, PIECE, TRACE_BLOCK + at, &got, &v->err);
		if (rc == RC_OK && got == 0)
			rc = err_set(&v->err, RC_TEMP, "the spooled file became shorter");
		if (rc == RC_OK)
			sha256_add(d, (str){ piece, got });
	}
	sha256_done(d, digest);
	sha256_free(&d);
	free(piece);
	return rc;
}

enum rc
smtp_finish_file(struct smtp_verdict *v)
{
	enum rc rc = v->finished ? RC_OK : put_trace(v);

	for (size_t i = 0; rc == RC_OK && !v->finished && i < v->scanned.facts.nforged;
		i++)
		rc = rename_field(v, v->scanned.facts.forged[i]);
	v->finished = v->finished || rc == RC_OK;
	return rc;
}

/* `shorter`: reasons are cut, because the record would be too long. */
static void
put_record(const struct smtp_verdict *v, const uint8_t digest[SHA256_BYTES],
	const uint8_t once[16], bool shorter, struct buf *out)
{
	struct jrec_rcpt *rcpts = calloc(v->nrcpts, sizeof(*rcpts));
	/* who is delivered to has the facts there, nobody else's are kept in the clear */
	str facts = v->delivered > 0 ? v->scanned.packed : STR("");
	struct jrec_message m = { .id = v->id,
		.time_ms = v->wall_ms,
		.client = v->client,
		.helo = v->helo,
		.from = v->from_plain,
		.size = TRACE_BLOCK + v->size,
		.findings = v->listed,
		.nrcpts = v->nrcpts,
		.rcpts = rcpts,
		.facts = facts };
	size_t i = 0;

	if (rcpts == NULL)
		abort();
	m.flags = (v->tls_version.len > 0 ? JREC_TLS : 0u) | (v->utf8 ? JREC_UTF8 : 0u) |
		  (v->prdr ? JREC_PRDR : 0u) | (v->again ? JREC_AGAIN : 0u);
	memcpy(m.digest, digest, SHA256_BYTES);
	memcpy(m.once, once, sizeof(m.once));
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next, i++) {
		struct jrec_rcpt *o = &rcpts[i];

		*o = (struct jrec_rcpt){ .address = r->address,
			.answer = r->answer,
			.code = (uint16_t)r->code,
			.enhanced = str_of(r->esc),
			.reason = str_first(
				r->reason, shorter ? REASON_SHORT : JREC_REASON),
			.score = r->score,
			.has_token = r->has_token };
		if (r->answer == JREC_DELIVERED) {
			o->ntargets = r->ntargets;
			o->targets = r->targets;
		}
		if (r->has_token) {
			memcpy(o->token, r->token.hash, sizeof(o->token));
			m.held = v->held;
		}
	}
	jrec_put_message(out, &m);
	free(rcpts);
}

static const uint8_t no_key[16];

void
smtp_verdict_record(const struct smtp_verdict *v, struct buf *out)
{
	put_record(v, v->digest, no_key, true, out);
}

static enum rc
commit(struct smtp_verdict *v, const uint8_t digest[SHA256_BYTES], const uint8_t once[16],
	bool sync_names)
{
	BUF_AUTO b = BUF(JREC_MOST);
	uint64_t seq;

	put_record(v, digest, once, false, &b);
	if (!buf_ok(&b)) {
		buf_clear(&b);
		put_record(v, digest, once, true, &b);
	}
	if (!buf_ok(&b))
		return err_set(&v->err, RC_TEMP, "the journal's record is too long");
	enum rc rc = journal_commit(
		v->gate->journal, JREC_MESSAGE, buf_str(&b), sync_names, &seq, &v->err);
	v->committed = rc == RC_OK;
	return rc;
}

enum rc
smtp_record(struct smtp_verdict *v)
{
	return commit(v, v->digest, no_key, false);
}

static void
make_once_key(const struct smtp_verdict *v, uint8_t key[16])
{
	str *rcpts = calloc(v->delivered, sizeof(*rcpts));
	size_t n = 0;

	if (rcpts == NULL)
		abort();
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		if (r->answer == JREC_DELIVERED)
			rcpts[n++] = r->address;
	once_key(v->from_plain, rcpts, n, v->digest, key);
	free(rcpts);
}

static enum rc
publish(struct smtp_verdict *v, const uint8_t digest[SHA256_BYTES],
	const uint8_t once[16])
{
	int incoming = v->gate->incoming;
	enum rc rc = fs_spool_publish(incoming, v->file, v->id.text, &v->err);

	if (rc != RC_OK)
		return rc == RC_LIMIT ? rc : RC_TEMP;
	rc = fs_sync_data(v->file->fd, &v->err);
	if (rc == RC_OK)
		rc = commit(v, digest, once, true);
	/* RC_PERM: the record may come back at a start, and needs its file then; if it
	 * does not, house sweeps it. */
	if (rc != RC_OK && rc != RC_PERM)
		(void)fs_unlink(incoming, v->id.text, NULL);
	return rc;
}

static enum rc
store_claimed(struct smtp_verdict *v, const uint8_t key[16])
{
	uint8_t digest[SHA256_BYTES];
	struct msg_id before;
	enum rc rc;

	if (once_find(v->gate->once, key, v->wall_ms, &before)) {
		v->again = true;
		rc = commit(v, v->digest, no_key, false);
		if (rc == RC_OK)
			v->answered = before;
		return rc;
	}
	memcpy(digest, v->digest, SHA256_BYTES);
	rc = smtp_finish_file(v);
	if (rc == RC_OK && v->scanned.facts.nforged > 0)
		rc = digest_again(v, digest);
	if (rc == RC_OK)
		rc = publish(v, digest, key);
	if (rc != RC_OK)
		return rc;
	struct jrec_pending p = { .id = v->id, .time_ms = v->wall_ms };
	memcpy(p.once, key, sizeof(p.once));
	once_add(v->gate->once, &p);
	return RC_OK;
}

enum rc
smtp_store(struct smtp_verdict *v)
{
	uint8_t key[16];

	make_once_key(v, key);
	if (!once_claim(v->gate->once, key, v->until_ms))
		return err_set(&v->err, RC_TEMP,
			"the same message is being taken on another connection");
	enum rc rc = store_claimed(v, key);
	once_release(v->gate->once, key);
	return rc;
}
