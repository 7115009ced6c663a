/* SPDX-License-Identifier: ISC */
#include "journal/journal_int.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/hash.h"
#include "base/ids.h"
#include "crypto/digest.h"
#include "wire/pack.h"

enum { HEAD_MAGIC = 0x464a5047, MAGIC = 0x524a5047, VERSION = 1 };
enum { NAME_DIGITS = 16, WINDOW = 64 * 1024 };

void
jfile_name(uint64_t first, char out[JFILE_NAME])
{
	(void)snprintf(out, JFILE_NAME, "%016" PRIu64 ".log", first);
}

struct list {
	uint64_t *at;
	size_t n, cap;
};

static bool
take_name(const char *name, void *arg)
{
	struct list *l = arg;
	str s = str_of(name);
	uint64_t first;

	if (s.len != NAME_DIGITS + 4 || !str_eq(str_skip(s, NAME_DIGITS), STR(".log")) ||
		!str_u64(str_first(s, NAME_DIGITS), INT64_MAX, &first) || first == 0)
		return true;
	if (l->n == l->cap) {
		l->cap = l->cap == 0 ? 16 : l->cap * 2;
		l->at = realloc(l->at, l->cap * sizeof(*l->at));
		if (l->at == NULL)
			abort();
	}
	l->at[l->n++] = first;
	return true;
}

static int
by_number(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

enum rc
jfile_list(int dirfd, uint64_t **firsts, size_t *n, struct err *err)
{
	struct list l = { .n = 0 };
	enum rc rc = fs_each(dirfd, ".", take_name, &l, err);

	if (rc != RC_OK) {
		free(l.at);
		return rc;
	}
	if (l.n > 1)
		qsort(l.at, l.n, sizeof(*l.at), by_number);
	*firsts = l.at;
	*n = l.n;
	return RC_OK;
}

static uint64_t
check_of(const uint64_t salt[2], str bytes)
{
	return hash_sip24(salt, bytes.ptr, bytes.len);
}

static uint64_t
sum_of(const uint64_t salt[2], str head, str payload)
{
	uint8_t out[SHA256_BYTES];
	struct sha256 *d = sha256_new();
	struct pack p = { .left = { (const char *)out, sizeof(out) } };

	sha256_add(d, (str){ (const char *)salt, 16 });
	sha256_add(d, str_first(head, 32));
	sha256_add(d, payload);
	sha256_done(d, out);
	sha256_free(&d);
	return pack_le(&p, 8);
}

/* RC_NONE: not written yet, or torn while it was; no record is in the file. */
static enum rc
read_head(struct jfile *f, struct err *err)
{
	char bytes[JFILE_HEAD];
	struct pack p = { .left = { bytes, sizeof(bytes) } };
	uint64_t salt[2];
	size_t got;
	enum rc rc = fs_pread(f->fd, bytes, sizeof(bytes), 0, &got, err);

	if (rc != RC_OK)
		return rc;
	if (got < sizeof(bytes))
		return RC_NONE;
	uint64_t magic = pack_le(&p, 4), version = pack_le(&p, 4), first = pack_le(&p, 8);
	pack_bytes(&p, salt, sizeof(salt));
	uint64_t check = pack_le(&p, 8);
	if (magic != HEAD_MAGIC || check != check_of(salt, (str){ bytes, 32 }))
		return RC_NONE;
	if (version != VERSION)
		return err_set(
			err, RC_PERM, "its version %" PRIu64 " is not known", version);
	if (first != f->first)
		return err_set(err, RC_PERM, "it is the file of number %" PRIu64, first);
	memcpy(f->salt, salt, sizeof(salt));
	f->headed = true;
	return RC_OK;
}

enum rc
jfile_open(int dirfd, uint64_t first, bool write, struct jfile *f, struct err *err)
{
	struct jfile got = { .first = first,
		.next = first,
		.pos = JFILE_HEAD,
		.linked = first == 1,
		.mem = BUF(JFILE_PAYLOAD + JFILE_RECORD) };
	char name[JFILE_NAME];

	jfile_name(first, name);
	enum rc rc = fs_open(
		dirfd, name, write ? O_RDWR | O_CREAT : O_RDONLY, 0640, &got.fd, err);
	if (rc != RC_OK)
		return rc;
	rc = read_head(&got, err);
	if (rc != RC_OK && rc != RC_NONE) {
		jfile_close(&got);
		return rc == RC_PERM ? err_wrap(err, name) : rc;
	}
	*f = got;
	return RC_OK;
}

void
jfile_close(struct jfile *f)
{
	fs_close(&f->fd);
	buf_free(&f->mem);
}

struct header {
	uint64_t magic, kind, length, after, seq, prev, sum, check;
};

static bool
read_header(const struct jfile *f, str bytes, struct header *h)
{
	struct pack p = { .left = bytes };

	h->magic = pack_le(&p, 4);
	h->kind = pack_le(&p, 4);
	h->length = pack_le(&p, 4);
	h->after = pack_le(&p, 4);
	h->seq = pack_le(&p, 8);
	h->prev = pack_le(&p, 8);
	h->sum = pack_le(&p, 8);
	h->check = pack_le(&p, 8);
	return pack_ok(&p) && h->magic == MAGIC && h->length <= JFILE_PAYLOAD &&
	       h->check == check_of(f->salt, str_first(bytes, 40)) && h->after > 0 &&
	       h->after <= h->seq;
}

/* Reads the record at `at` into f->mem. RC_NONE: none is whole there. */
static enum rc
read_record(struct jfile *f, uint64_t at, struct header *h, struct err *err)
{
	char bytes[JFILE_RECORD];
	size_t got;
	enum rc rc = fs_pread(f->fd, bytes, sizeof(bytes), at, &got, err);

	if (rc != RC_OK)
		return rc;
	if (!read_header(f, (str){ bytes, got }, h))
		return RC_NONE;
	buf_clear(&f->mem);
	if (h->length > f->mem.cap) {
		char *p = realloc(f->mem.data, h->length);

		if (p == NULL)
			abort();
		f->mem.data = p;
		f->mem.cap = h->length;
	}
	if ((rc = fs_pread(f->fd, f->mem.data, h->length, at + JFILE_RECORD, &got,
		     err)) != RC_OK)
		return rc;
	if (got < h->length)
		return RC_NONE;
	f->mem.len = got;
	return h->sum == sum_of(f->salt, (str){ bytes, sizeof(bytes) }, buf_str(&f->mem))
		       ? RC_OK
		       : RC_NONE;
}

enum rc
jfile_damage(const struct jfile *f, const char *what, struct err *err)
{
	return err_set(err, RC_PERM,
		"record %" PRIu64 " (file %016" PRIu64 ".log at byte %" PRIu64 ") %s",
		f->next, f->first, f->pos, what);
}

enum rc
jfile_next(struct jfile *f, struct jfile_record *out, struct err *err)
{
	struct header h;
	enum rc rc;

	if (!f->headed && (rc = read_head(f, err)) != RC_OK)
		return rc;
	if ((rc = read_record(f, f->pos, &h, err)) != RC_OK)
		return rc;
	if (h.seq != f->next)
		return jfile_damage(f, "is missing: another stands in its place", err);
	if (f->linked && h.prev != f->sum)
		return jfile_damage(f, "does not follow the one before it", err);
	*out = (struct jfile_record){ .seq = h.seq,
		.after = h.after,
		.sum = h.sum,
		.at = f->pos,
		.kind = (enum jrec_kind)h.kind,
		.payload = buf_str(&f->mem) };
	f->pos += JFILE_RECORD + h.length;
	f->next++;
	f->sum = h.sum;
	f->linked = true;
	return RC_OK;
}

/* Looks at one place where the magic stands. */
static enum rc
lost_at(struct jfile *f, uint64_t at, bool *lost, struct err *err)
{
	struct header h;
	enum rc rc = read_record(f, at, &h, err);

	if (rc == RC_NONE)
		return RC_OK;
	if (rc == RC_OK)
		*lost = h.seq > f->next && h.seq - h.after >= f->next;
	return rc;
}

enum rc
jfile_lost(struct jfile *f, bool *lost, struct err *err)
{
	static const char magic[4] = { 'G', 'P', 'J', 'R' };
	char *window = malloc(WINDOW);
	uint64_t at = f->pos;
	size_t got = 0;
	enum rc rc = RC_OK;

	if (window == NULL)
		abort();
	*lost = false;
	if (!f->headed) { /* the head is synced before the first record is written */
		bool blank = true;

		free(window);
		rc = jfile_blank(f, &blank, err);
		*lost = !blank;
		return rc;
	}
	while (rc == RC_OK && !*lost) {
		rc = fs_pread(f->fd, window, WINDOW, at, &got, err);
		if (rc != RC_OK || got < sizeof(magic))
			break;
		str left = { window, got };
		for (;;) {
			size_t n = str_find(left, (str){ magic, sizeof(magic) });

			if (n == left.len || rc != RC_OK || *lost)
				break;
			left = str_skip(left, n);
			rc = lost_at(f, at + (size_t)(left.ptr - window), lost, err);
			left = str_skip(left, 1);
		}
		at += got - (sizeof(magic) - 1);
	}
	free(window);
	return rc;
}

enum rc
jfile_blank(struct jfile *f, bool *blank, struct err *err)
{
	static const char zeros[4096];
	char page[4096];
	size_t got = 0;

	*blank = true;
	for (uint64_t at = f->pos; *blank; at += got) {
		enum rc rc = fs_pread(f->fd, page, sizeof(page), at, &got, err);

		if (rc != RC_OK)
			return rc;
		if (got == 0)
			break;
		*blank = memcmp(page, zeros, got) == 0;
	}
	return RC_OK;
}

void
jfile_put_head(struct jfile *f, struct buf *b)
{
	size_t start = b->len;

	ids_random(f->salt, sizeof(f->salt));
	buf_le(b, HEAD_MAGIC, 4);
	buf_le(b, VERSION, 4);
	buf_le(b, f->first, 8);
	buf_add(b, (str){ (const char *)f->salt, sizeof(f->salt) });
	buf_le(b, check_of(f->salt, (str){ b->data + start, 32 }), 8);
}

void
jfile_put(
	struct jfile *f, struct buf *b, enum jrec_kind kind, str payload, uint64_t synced)
{
	size_t start = b->len;

	buf_le(b, MAGIC, 4);
	buf_le(b, kind, 4);
	buf_le(b, payload.len, 4);
	buf_le(b, f->next - synced, 4);
	buf_le(b, f->next, 8);
	buf_le(b, f->sum, 8);
	f->sum = sum_of(f->salt, (str){ b->data + start, 32 }, payload);
	buf_le(b, f->sum, 8);
	buf_le(b, check_of(f->salt, (str){ b->data + start, 40 }), 8);
	buf_add(b, payload);
	f->next++;
	f->linked = true;
}
