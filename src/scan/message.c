/* SPDX-License-Identifier: ISC */
#include "scan/scan.h"

#include <errno.h>
#include <sys/mman.h>

#include "base/fs.h"
#include "mailauth/dkim_digest.h"
#include "mime/header.h"
#include "scan/scan_int.h"
#include "scan/text.h"

enum { READ_MOST = 64 * 1024 }; /* larger files are mapped */

void
scan_unmap(struct mapped *m)
{
	if (m->at != NULL)
		(void)munmap(m->at, m->size);
}

enum rc
scan_map(const struct scan_job *job, struct arena *mem, struct mapped *m, struct err *err)
{
	uint64_t size = 0;
	size_t got = 0;
	char *bytes;
	enum rc rc = fs_size(job->fd, &size, err);

	if (job->offset > job->size)
		return err_set(err, RC_BAD, "the message begins behind its end");
	/* a page behind the end would be the end of the process */
	if (rc == RC_OK && size < job->size)
		return err_set(err, RC_TEMP,
			"the spooled file is shorter than it was said to be");
	if (rc != RC_OK || job->size > SIZE_MAX / 2)
		return rc == RC_OK ? err_set(err, RC_LIMIT, "larger than memory") : rc;
	size = job->size;
	if (size <= READ_MOST) {
		bytes = arena_alloc(mem, (size_t)size);
		if (bytes == NULL)
			return err_set(err, RC_LIMIT, "no memory for the message");
		rc = fs_pread(job->fd, bytes, (size_t)size, 0, &got, err);
		if (rc == RC_OK && got != size)
			rc = err_set(err, RC_TEMP, "the spooled file became shorter");
	} else {
		bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, job->fd, 0);
		if (bytes == MAP_FAILED)
			return errno == ENOMEM ? err_set(err, RC_LIMIT,
							 "larger than a scanner's memory")
					       : err_errno(err, "mmap");
		m->at = bytes;
		m->size = (size_t)size;
	}
	m->trace = (str){ bytes, job->offset };
	m->message = (str){ bytes + job->offset, (size_t)(size - job->offset) };
	return rc;
}

/* A header past its limits is a fact; there is no more to be known of such a message. */
static enum rc
read_header(const struct scan_job *job, str message, struct charsets *cs,
	struct arena *mem, struct facts *f, struct err *err)
{
	size_t length = header_block_length(message, 0);
	str block = length > 0 ? str_first(message, length) : message;

	if (block.len > HEADER_BYTES)
		f->flags |= FACT_HEADER_LIMIT;
	block = str_first(block, HEADER_BYTES);
	enum rc rc = scan_header(block, job->hostname, mem, f, err);
	return rc == RC_OK ? scan_keys(block, job->offset > 0, cs, mem, f, err) : rc;
}

static enum rc
read_parts(const struct scan_job *job, const struct mapped *file, struct charsets *cs,
	struct arena *mem, struct scanned *out, struct err *err)
{
	str message = file->message;
	struct facts *f = &out->facts;
	struct mime_tree tree;
	enum rc rc = mime_parse(message, cs, mem, &tree, err);

	if (rc != RC_OK)
		return rc;
	rc = scan_structure(message, &tree, mem, &f->structure);
	if (rc == RC_OK)
		rc = (job->want & ~(unsigned)SCAN_SEARCH) == 0
			     ? scan_preview(message, &tree, cs, mem, f)
			     : scan_content(job, message, &tree, cs, mem, out, err);
	if (rc == RC_OK && (job->want & SCAN_SEARCH) != 0)
		rc = scan_search_content(file, &tree, cs, mem, &out->content, err);
	f->known_preview = true;
	if (rc == RC_OK && (job->want & SCAN_CONTENT) != 0)
		rc = dkim_digests(message, f->header_bytes, mem, &out->content.signatures,
			&out->content.nsignatures);
	if (rc != RC_OK && (err == NULL || err->text[0] == '\0'))
		return err_set(
			err, rc, "the message needs more memory than a scanner has");
	return rc;
}

enum rc
scan_message(const struct scan_job *job, struct charsets *cs, struct arena *mem,
	struct scanned *out, struct err *err)
{
	struct mapped file __attribute__((cleanup(scan_unmap))) = { 0 };
	struct scanned got = { .facts = { .date_s = INT64_MIN } };
	struct facts *f = &got.facts;
	enum rc rc = scan_map(job, mem, &file, err);

	if (rc == RC_OK)
		rc = read_header(job, file.message, cs, mem, f, err);
	if (rc == RC_OK && (f->flags & FACT_HEADER_LIMIT) == 0)
		rc = read_parts(job, &file, cs, mem, &got, err);
	if (rc != RC_OK) {
		scanned_clear(&got);
		return rc;
	}
	if ((f->flags & FACT_HEADER_LIMIT) != 0)
		got.content.search_cut = true; /* nothing of it was looked at */
	if (text_gtube(file.message))
		f->flags |= FACT_GTUBE;
	*out = got;
	return RC_OK;
}
