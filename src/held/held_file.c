/* SPDX-License-Identifier: ISC */
/* One held file: written by gate, read by house. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "crypto/digest.h"
#include "held/held_int.h"
#include "wire/facts.h"
#include "wire/pack.h"

enum { SIZE_MOST_BITS = 48, SEALED = SEAL_PIECE + SEAL_TAG, MODE = 0640 };

static const char magic[8] = { 'G', 'P', 'H', 'E', 'L', 'D', '1', '\n' };

void
held_about_put(struct buf *b, const struct held_header *h)
{
	buf_add(b, (str){ magic, sizeof(magic) });
	buf_add(b, (str){ h->id.text, MSG_ID_LEN });
	buf_le(b, h->wall_ms, 8);
	buf_le(b, h->size, 8);
	buf_le(b, h->facts, 4);
	buf_le(b, h->network.family, 1);
	buf_add(b, (str){ (const char *)h->network.bytes, sizeof(h->network.bytes) });
	buf_add(b, (str){ (const char *)h->mark, sizeof(h->mark) });
}

enum rc
held_header_get(str bytes, struct held_header *h)
{
	struct pack p = { .left = bytes };
	struct held_header got = { .size = 0 };
	char begin[sizeof(magic)];

	pack_bytes(&p, begin, sizeof(begin));
	pack_bytes(&p, got.id.text, MSG_ID_LEN);
	got.wall_ms = pack_le(&p, 8);
	got.size = pack_le(&p, 8);
	got.facts = (uint32_t)pack_le(&p, 4);
	got.network.family = (uint8_t)pack_le(&p, 1);
	pack_bytes(&p, got.network.bytes, sizeof(got.network.bytes));
	pack_bytes(&p, got.mark, sizeof(got.mark));
	pack_bytes(&p, got.wrapped, sizeof(got.wrapped));
	if (!pack_done(&p) || memcmp(begin, magic, sizeof(magic)) != 0 ||
		!ids_valid((str){ got.id.text, MSG_ID_LEN }) || got.wall_ms > INT64_MAX ||
		got.size == 0 || got.size >> SIZE_MOST_BITS != 0 ||
		got.facts > FACTS_MOST ||
		(got.network.family != 0 && got.network.family != 4 &&
			got.network.family != 6))
		return RC_BAD;
	*h = got;
	return RC_OK;
}

static uint64_t
plain_bytes(const struct held_header *h)
{
	return HELD_DIGEST + h->facts + h->size;
}

uint64_t
held_file_bytes(const struct held_header *h)
{
	uint64_t pieces = (plain_bytes(h) + SEAL_PIECE - 1) / SEAL_PIECE;

	return HELD_HEADER + plain_bytes(h) + pieces * SEAL_TAG;
}

/* ---- writing ---- */

/* What is to be sealed, in its order. */
struct source {
	str before[2]; /* digest, facts: what is left of them */
	int fd;
	uint64_t at, size;
};

static enum rc
fill(struct source *s, char *piece, size_t len, struct err *err)
{
	size_t have = 0, got;

	for (size_t i = 0; i < 2; i++) {
		str part = str_first(s->before[i], len - have);

		if (part.len > 0)
			memcpy(piece + have, part.ptr, part.len);
		have += part.len;
		s->before[i] = str_skip(s->before[i], part.len);
	}
	enum rc rc = fs_pread(s->fd, piece + have, len - have, s->at, &got, err);
	if (rc == RC_OK && got < len - have)
		rc = err_set(err, RC_TEMP, "the spooled file became shorter");
	s->at += len - have;
	return rc;
}

static enum rc
write_pieces(int fd, struct seal *seal, struct source *s, uint64_t left, struct err *err)
{
	char *piece = malloc(SEAL_PIECE + SEALED), *out = piece + SEAL_PIECE;
	enum rc rc = RC_OK;

	if (piece == NULL)
		abort();
	while (left > 0 && rc == RC_OK) {
		size_t len = left < SEAL_PIECE ? (size_t)left : SEAL_PIECE;

		left -= len;
		if ((rc = fill(s, piece, len, err)) != RC_OK)
			break;
		seal_piece(seal, (str){ piece, len }, left == 0, out);
		rc = fs_append(fd, (str){ out, len + SEAL_TAG }, err);
	}
	wipe(piece, SEAL_PIECE);
	free(piece);
	return rc;
}

static enum rc
write_all(int fd, const uint8_t public_key[SEAL_PUBLIC], struct held_header *h,
	const struct held_item *what, struct err *err)
{
	struct source s = { .before = { { (const char *)what->digest, HELD_DIGEST },
				    what->facts },
		.fd = what->fd,
		.size = what->size };
	BUF_AUTO head = BUF(HELD_HEADER);

	held_about_put(&head, h);
	struct seal *seal = seal_new(public_key, buf_str(&head), h->wrapped);
	buf_add(&head, (str){ (const char *)h->wrapped, SEAL_WRAPPED });
	enum rc rc = fs_append(fd, buf_str(&head), err);
	if (rc == RC_OK)
		rc = write_pieces(fd, seal, &s, plain_bytes(h), err);
	seal_free(&seal);
	return rc;
}

/* The bytes are on disk before they have a name: what has one is whole, also
 * for who counts duplicates after a power cut. */
enum rc
held_write(int dir, const uint8_t public_key[SEAL_PUBLIC], struct held_header *h,
	const struct held_item *what, struct err *err)
{
	struct fs_spool spool;
	enum rc rc = fs_spool_open(dir, MODE, &spool, err);

	if (rc != RC_OK)
		return rc == RC_LIMIT ? rc : RC_TEMP;
	rc = write_all(spool.fd, public_key, h, what, err);
	if (rc == RC_OK)
		rc = fs_sync_data(spool.fd, err);
	if (rc == RC_OK)
		rc = fs_spool_publish(dir, &spool, h->id.text, err);
	if (rc == RC_OK && (rc = fs_sync_dir(dir, err)) != RC_OK)
		(void)fs_unlink(dir, h->id.text, NULL);
	fs_spool_drop(dir, &spool);
	return rc == RC_OK || rc == RC_LIMIT ? rc : RC_TEMP;
}

/* ---- reading ---- */

enum rc
held_header_read(
	int dir, const char *id, int *out, struct held_header *h, struct err *err)
{
	char bytes[HELD_HEADER];
	uint64_t size;
	size_t got;
	FD_AUTO fd = -1;
	enum rc rc;

	if (!ids_valid(str_of(id)))
		return err_set(err, RC_NONE, "this is no message's id");
	if ((rc = fs_open(dir, id, O_RDONLY | O_NOFOLLOW, 0, &fd, err)) != RC_OK ||
		(rc = fs_size(fd, &size, err)) != RC_OK ||
		(rc = fs_pread(fd, bytes, sizeof(bytes), 0, &got, err)) != RC_OK)
		return rc;
	if (held_header_get((str){ bytes, got }, h) != RC_OK ||
		strcmp(h->id.text, id) != 0 || size != held_file_bytes(h))
		return err_set(err, RC_BAD, "the held file %s is damaged", id);
	*out = fd;
	fd = -1;
	return RC_OK;
}

/* Where what comes out of the pieces goes, in its order. */
struct sink {
	uint8_t digest[HELD_DIGEST];
	char *facts;
	size_t ndigest, nfacts, facts_len; /* what they have, and are to have */
	int fd;
	uint64_t at;
};

static void
take(str *plain, void *to, size_t *have, size_t want)
{
	str part = str_first(*plain, want - *have);

	if (part.len > 0)
		memcpy((char *)to + *have, part.ptr, part.len);
	*have += part.len;
	*plain = str_skip(*plain, part.len);
}

static enum rc
pour(struct sink *s, str plain, struct err *err)
{
	take(&plain, s->digest, &s->ndigest, HELD_DIGEST);
	take(&plain, s->facts, &s->nfacts, s->facts_len);
	enum rc rc = fs_pwrite(s->fd, plain, s->at, err);
	s->at += plain.len;
	return rc;
}

static enum rc
read_pieces(int fd, struct seal *seal, struct sink *s, uint64_t left, struct err *err)
{
	char *sealed = malloc(SEALED + SEAL_PIECE), *plain = sealed + SEALED;
	uint64_t at = HELD_HEADER;
	enum rc rc = RC_OK;
	size_t got;

	if (sealed == NULL)
		abort();
	while (left > 0 && rc == RC_OK) {
		size_t len = left < SEAL_PIECE ? (size_t)left : SEAL_PIECE;

		left -= len;
		rc = fs_pread(fd, sealed, len + SEAL_TAG, at, &got, err);
		at += got;
		if (rc == RC_OK)
			rc = seal_unpiece(
				seal, (str){ sealed, got }, left == 0, plain, err);
		if (rc == RC_OK)
			rc = pour(s, (str){ plain, len }, err);
	}
	wipe(plain, SEAL_PIECE);
	free(sealed);
	return rc;
}

static enum rc
unseal(int fd, const struct held_header *h, const uint8_t private_key[SEAL_PRIVATE],
	struct sink *s, struct err *err)
{
	BUF_AUTO about = BUF(HELD_ABOUT);
	struct seal *seal;

	held_about_put(&about, h);
	enum rc rc = seal_open(private_key, buf_str(&about), h->wrapped, &seal, err);
	if (rc != RC_OK)
		return rc;
	rc = read_pieces(fd, seal, s, plain_bytes(h), err);
	seal_free(&seal);
	return rc;
}

enum rc
held_get(int dir, const char *id, const uint8_t private_key[SEAL_PRIVATE], int out,
	struct held_about *about, char **facts, size_t *len, struct err *err)
{
	struct sink s = { .fd = out };
	struct held_header h;
	FD_AUTO fd = -1;
	enum rc rc = held_header_read(dir, id, &fd, &h, err);

	if (rc != RC_OK)
		return rc;
	s.facts_len = h.facts;
	s.facts = calloc(1, (size_t)h.facts + 1);
	if (s.facts == NULL)
		abort();
	rc = unseal(fd, &h, private_key, &s, err);
	if (rc != RC_OK) {
		free(s.facts);
		(void)err_wrap(err, id);
		return rc;
	}
	*about = (struct held_about){ .id = h.id, .wall_ms = h.wall_ms, .size = h.size };
	memcpy(about->digest, s.digest, sizeof(about->digest));
	*facts = s.facts;
	*len = h.facts;
	return RC_OK;
}

struct each {
	int dir;
	held_fn *fn;
	void *arg;
};

static bool
each_name(const char *name, void *arg)
{
	struct each *e = arg;
	struct held_about about = { .wall_ms = ids_time_ms(str_of(name)) };
	struct held_header h;
	FD_AUTO fd = -1;

	if (!ids_valid(str_of(name)))
		return true;
	switch (held_header_read(e->dir, name, &fd, &h, NULL)) {
	case RC_OK:
		about.wall_ms = h.wall_ms;
		about.size = h.size;
		break;
	case RC_BAD:
		break; /* size 0 */
	case RC_NONE: /* removed meanwhile */
	case RC_LIMIT:
	case RC_TEMP:
	case RC_PERM:
		return true;
	}
	(void)str_z(str_of(name), about.id.text, sizeof(about.id.text));
	return e->fn(&about, e->arg);
}

enum rc
held_each(int dir, held_fn *fn, void *arg, struct err *err)
{
	struct each e = { .dir = dir, .fn = fn, .arg = arg };

	return fs_each(dir, ".", each_name, &e, err);
}

enum rc
held_remove(int dir, const char *id, struct err *err)
{
	if (!ids_valid(str_of(id)))
		return err_set(err, RC_NONE, "this is no message's id");
	return fs_unlink(dir, id, err);
}
