/* SPDX-License-Identifier: ISC */
#include "filter/excerpt.h"

#include <sys/mman.h>

#include "base/fs.h"

enum { PIECE = 64 * 1024 };

/* clamd takes for mail what begins with such a field. */
static const str head = STR_INIT("Received: from excerpt\r\n");

struct making {
	const struct evidence *e;
	int fd;
	uint64_t at; /* next byte of the copy */
	char piece[PIECE];
	struct err *err;
};

static enum rc
put(struct making *m, str bytes)
{
	enum rc rc = fs_pwrite(m->fd, bytes, m->at, m->err);

	m->at += bytes.len;
	return rc;
}

/* Bytes of the message, or as many blanks: line ends stay, so that what is behind
 * begins where it did. */
static enum rc
put_range(struct making *m, uint64_t from, uint64_t end, bool blank)
{
	enum rc rc = RC_OK;
	size_t got;

	while (from < end && rc == RC_OK) {
		size_t want = end - from < PIECE ? (size_t)(end - from) : PIECE;

		rc = fs_pread(
			m->e->fd, m->piece, want, m->e->offset + from, &got, m->err);
		if (rc == RC_OK && got != want)
			rc = err_set(m->err, RC_TEMP, "the spooled file became shorter");
		for (size_t i = 0; blank && rc == RC_OK && i < got; i++)
			if (m->piece[i] != '\r' && m->piece[i] != '\n')
				m->piece[i] = ' ';
		if (rc == RC_OK)
			rc = put(m, (str){ m->piece, got });
		from += want;
	}
	return rc;
}

static struct making *
begin(const struct evidence *e, struct err *err)
{
	struct making *m = calloc(1, sizeof(*m));

	if (m == NULL)
		abort();
	m->e = e;
	m->err = err;
	m->fd = memfd_create("excerpt", MFD_CLOEXEC);
	return m;
}

static enum rc
finish(struct making *m, enum rc rc, int *fd, uint64_t *size)
{
	if (m->fd < 0)
		rc = err_errno(m->err, "memfd");
	if (rc == RC_OK)
		rc = fs_reopen_read(m->fd, fd, m->err);
	if (rc == RC_OK)
		*size = m->at;
	fs_close(&m->fd);
	free(m);
	return rc;
}

enum rc
excerpt_part(const struct evidence *e, const struct fact_part *p, int *fd, uint64_t *size,
	struct err *err)
{
	struct making *m = begin(e, err);
	enum rc rc = RC_OK;

	if (m->fd >= 0)
		rc = put(m, head);
	if (m->fd >= 0 && rc == RC_OK)
		rc = put_range(m, p->header_at, p->end, false);
	return finish(m, rc, fd, size);
}

static bool
is_message(str type, str subtype)
{
	return str_ieq(type, STR("message")) &&
	       (str_ieq(subtype, STR("rfc822")) || str_ieq(subtype, STR("global")));
}

static bool
is_attached_message(const struct fact_part *p)
{
	return p->kind == FACT_MESSAGE ||
	       (p->kind == FACT_LEAF && is_message(p->type, p->subtype));
}

static bool
is_blanked(const struct fact_structure *s, const struct content_leaf *leaf)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct fact_part *p = &s->parts[i];

		if (is_attached_message(p) && leaf->at >= p->body_at &&
			leaf->at <= p->end && leaf->length <= p->end - leaf->at)
			return true;
	}
	return false;
}

bool
leaf_is_inside(const struct evidence *e, const struct content_leaf *leaf)
{
	str subtype = leaf->type, type;

	/* What one reading has within a message, another may have beside it. */
	while ((leaf->flags & LEAF_ALTERNATE) != 0) {
		if (leaf->at != 0)
			return is_blanked(&e->facts->structure, leaf);
		if (leaf->parent == 0)
			return false;
		leaf = &e->content->leaves[leaf->parent - 1]; /* in front of it */
		subtype = leaf->type;
	}
	return (leaf->flags & LEAF_IN_MESSAGE) != 0 ||
	       (str_cut(&subtype, '/', &type) && is_message(type, subtype));
}

enum rc
excerpt_outside(const struct evidence *e, int *fd, uint64_t *size, struct err *err)
{
	const struct fact_structure *s = &e->facts->structure;
	uint64_t done = 0, end = e->size - e->offset;
	struct making *m;
	enum rc rc = RC_OK;
	size_t found = 0;

	for (size_t i = 0; i < s->n; i++)
		found += is_attached_message(&s->parts[i]);
	if (found == 0)
		return RC_NONE;
	m = begin(e, err);
	/* In their order: those within one that is done already lie before `done`. */
	for (size_t i = 0; m->fd >= 0 && i < s->n && rc == RC_OK; i++) {
		const struct fact_part *p = &s->parts[i];

		if (!is_attached_message(p) || p->body_at < done)
			continue;
		rc = put_range(m, done, p->body_at, false);
		if (rc == RC_OK)
			rc = put_range(m, p->body_at, p->end, true);
		done = p->end;
	}
	if (m->fd >= 0 && rc == RC_OK)
		rc = put_range(m, done, end, false);
	return finish(m, rc, fd, size);
}
