/* SPDX-License-Identifier: ISC */
#include "journal/journal.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/fs.h"
#include "journal/journal_int.h"

struct journal_reader {
	int dirfd;
	bool open; /* file is */
	struct jfile file;
	uint64_t after; /* given out, or not wanted */
};

enum rc
journal_read_open(int dirfd, uint64_t after, struct journal_reader **out, struct err *err)
{
	struct journal_reader *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->dirfd = fcntl(dirfd, F_DUPFD_CLOEXEC, 3);
	if (r->dirfd < 0) {
		free(r);
		return err_errno(err, "read the journal");
	}
	r->after = after;
	*out = r;
	return RC_OK;
}

void
journal_read_close(struct journal_reader **rp)
{
	struct journal_reader *r = *rp;

	if (r == NULL)
		return;
	if (r->open)
		jfile_close(&r->file);
	fs_close(&r->dirfd);
	free(r);
	*rp = NULL;
}

/* Opens the file that has, or will have, the record after the position. */
static enum rc
find_file(struct journal_reader *r, struct err *err)
{
	uint64_t *firsts = NULL, first = 0;
	size_t n = 0;
	enum rc rc = jfile_list(r->dirfd, &firsts, &n, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && firsts[i] <= r->after + 1; i++)
		first = firsts[i];
	uint64_t oldest = n > 0 ? firsts[0] : 0;
	free(firsts);
	if (n == 0)
		return RC_NONE;
	if (first == 0)
		return err_set(err, RC_PERM,
			"record %" PRIu64
			" is missing: the oldest file begins with %" PRIu64,
			r->after + 1, oldest);
	if ((rc = jfile_open(r->dirfd, first, false, &r->file, err)) == RC_OK)
		r->open = true;
	return rc;
}

static enum rc
go_on_in(struct journal_reader *r, uint64_t first, struct err *err)
{
	struct jfile fresh;
	enum rc rc = jfile_open(r->dirfd, first, false, &fresh, err);

	if (rc != RC_OK)
		return rc;
	fresh.sum = r->file.sum;
	fresh.linked = true;
	jfile_close(&r->file);
	r->file = fresh;
	return RC_OK;
}

/* Nothing whole stands where the next record should: is it to come (RC_NONE), in
 * the next file (RC_OK, opened), or lost?  Lost is certain only if it is still
 * not there when looked at again, because the writer goes on meanwhile. */
static enum rc
at_end(struct journal_reader *r, uint64_t until, struct err *err)
{
	uint64_t *firsts = NULL, later = 0;
	size_t n = 0;
	bool lost = false, next = false;
	enum rc rc = jfile_list(r->dirfd, &firsts, &n, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n; i++) {
		next = next || (firsts[i] == r->file.next && firsts[i] > r->file.first);
		later = firsts[i];
	}
	free(firsts);
	if (next)
		return go_on_in(r, r->file.next, err);
	if ((rc = jfile_lost(&r->file, &lost, err)) != RC_OK)
		return rc;
	if (lost)
		return jfile_damage(&r->file, "is damaged, and later ones are not", err);
	if (later > r->file.next)
		return jfile_damage(&r->file,
			"is missing or damaged, and a later file is there", err);
	if (until != UINT64_MAX && r->file.next <= until)
		return jfile_damage(&r->file, "was synced and is not there", err);
	return RC_NONE;
}

enum rc
journal_next(struct journal_reader *r, uint64_t until, struct journal_item *item,
	struct err *err)
{
	struct jfile_record got;
	bool again = false;
	enum rc rc;

	if (r->after >= until)
		return RC_NONE;
	if (!r->open && (rc = find_file(r, err)) != RC_OK)
		return rc;
	for (;;) {
		rc = jfile_next(&r->file, &got, err);
		if (rc == RC_NONE) {
			rc = at_end(r, until, err);
			if (rc == RC_OK || (rc == RC_PERM && !again)) {
				again = rc == RC_PERM;
				continue;
			}
		}
		if (rc != RC_OK)
			return rc;
		again = false;
		if (got.seq > r->after)
			break;
	}
	r->after = got.seq;
	*item = (struct journal_item){
		.seq = got.seq, .kind = got.kind, .payload = got.payload
	};
	return RC_OK;
}

/* The last number of a file, which is one less than its name if it is empty.
 * Damage ends it too: who reads it all is told. */
static enum rc
last_of(int dirfd, uint64_t first, uint64_t *last, struct err *err)
{
	struct jfile f;
	struct jfile_record r;
	enum rc rc = jfile_open(dirfd, first, false, &f, err);

	if (rc != RC_OK)
		return rc;
	while ((rc = jfile_next(&f, &r, err)) == RC_OK)
		continue;
	*last = f.next - 1;
	jfile_close(&f);
	return rc == RC_NONE || rc == RC_PERM ? RC_OK : rc;
}

enum rc
journal_bounds(int dirfd, uint64_t *first, uint64_t *last, struct err *err)
{
	uint64_t *firsts = NULL, newest = 0, oldest = 0, end = 0;
	size_t n = 0;
	enum rc rc = jfile_list(dirfd, &firsts, &n, err);

	if (rc != RC_OK)
		return rc;
	if (n > 0) {
		oldest = firsts[0];
		newest = firsts[n - 1];
	}
	free(firsts);
	if (n > 0 && (rc = last_of(dirfd, newest, &end, err)) != RC_OK)
		return rc;
	*first = end < oldest ? 0 : oldest;
	*last = end;
	return RC_OK;
}
