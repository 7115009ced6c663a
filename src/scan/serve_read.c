/* SPDX-License-Identifier: ISC */
/* The scanner's work for readers: a part decoded, a text converted, a message searched. */
#include "base/fs.h"
#include "mime/tree.h"
#include "scan/hunt.h"
#include "scan/lump.h"
#include "scan/scan_int.h"
#include "scan/search.h"

/* ---- a part ---- */

static enum rc
keep(str piece, void *arg)
{
	return lump_add(arg, piece) ? RC_OK : RC_LIMIT;
}

/* RFC 3516 4.3: what is no encoding that we know is not shown decoded. */
static bool
known_encoding(str raw, enum mime_encoding *how)
{
	uint64_t odd = 0;

	*how = mime_encoding_read(raw, &odd);
	return raw.len == 0 || *how != MIME_IDENTITY || odd == 0;
}

/* A view of raw, or in *to. */
static enum rc
decode(const struct scan_job *job, enum mime_encoding how, str raw, struct lump *to,
	str *out, struct err *err)
{
	uint64_t most = job->most_unpacked > 0 ? job->most_unpacked : SCAN_UNPACKED;
	uint64_t odd = 0;

	if (how != MIME_IDENTITY) {
		if (mime_decode(how, raw, most, keep, to, &odd) != RC_OK)
			return err_set(
				err, RC_LIMIT, "the part is longer than is decoded");
		raw = (str){ to->data, to->len };
	}
	if (raw.len > most)
		return err_set(err, RC_LIMIT, "the part is longer than is decoded");
	*out = raw;
	return RC_OK;
}

enum rc
scan_do_part(const struct scan_job *job, const struct scan_part_of *part,
	struct arena *mem, struct buf *out, int *fd, struct err *err)
{
	struct mapped file __attribute__((cleanup(scan_unmap))) = { 0 };
	struct scan_job whole = *job;
	LUMP_AUTO bytes = { 0 };
	enum mime_encoding how;

	whole.offset = 0;
	if (part->end > job->size)
		return RC_BAD;
	if (!known_encoding(part->encoding, &how))
		return err_set(err, RC_NONE, "an encoding that nobody knows");
	enum rc rc = scan_map(&whole, mem, &file, err);
	if (rc != RC_OK)
		return rc;
	str raw = { file.message.ptr + part->at, (size_t)(part->end - part->at) };
	rc = decode(job, how, raw, &bytes, &raw, err);
	if (rc == RC_OK)
		rc = chan_memfd("part", raw, fd, err);
	buf_le(out, raw.len, 8);
	return rc;
}

/* ---- a text ---- */

enum rc
scan_do_convert(
	str charset, str bytes, struct charsets *cs, struct buf *out, struct err *err)
{
	const uint64_t wrong = MIME_ODD(UNKNOWN_CHARSET) | MIME_ODD(BAD_CHARSET) |
			       MIME_ODD(CHARSET_CONFLICT);
	uint64_t odd = 0;

	if (!charset_known(charset))
		return err_set(err, RC_NONE, "a charset that nobody knows");
	charset_to_utf8(cs, charset, bytes, out, &odd);
	return (odd & wrong) == 0
		       ? RC_OK
		       : err_set(err, RC_NONE, "the text is not of its charset");
}

/* ---- a search ---- */

static bool
take_field(enum search_field_of of, str name, str value, void *arg)
{
	struct hunt *h = arg;

	if (of == SEARCH_OF_ATTACHED)
		hunt_attached(h, name, value);
	else
		hunt_field(h, of == SEARCH_OF_MESSAGE, name, value);
	return h->left > 0;
}

static bool
take_text(str utf8, void *arg)
{
	struct hunt *h = arg;

	hunt_text(h, utf8);
	return h->left > 0;
}

enum rc
scan_do_search(const struct scan_job *job, const struct scan_key *keys, size_t n,
	struct charsets *cs, struct arena *mem, struct buf *out, struct err *err)
{
	struct mapped file __attribute__((cleanup(scan_unmap))) = { 0 };
	struct hunt h __attribute__((cleanup(hunt_clear))) = { 0 };
	const struct search_sink sink = { take_field, take_text, &h };
	struct mime_tree tree;

	hunt_begin(&h, keys, n);
	enum rc rc = scan_map(job, mem, &file, err);
	if (rc == RC_OK)
		rc = mime_parse(file.message, cs, mem, &tree, err);
	if (rc == RC_OK)
		rc = search_message(&file, &tree, cs, &sink, err);
	for (size_t i = 0; i < n; i++)
		buf_le(out, h.yes[i], 1);
	return rc;
}
