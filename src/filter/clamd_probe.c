/* SPDX-License-Identifier: ISC */
/* Trying what clamd scans whole, at start and for `check`. */
#include <sys/mman.h>

#include "base/fs.h"
#include "base/thread.h"
#include "filter/clamd_int.h"
#include "wire/jrec.h"

/* The EICAR test file, joined only here: programs that hold it are found. */
static str
eicar(char out[80])
{
	static const char *const parts[] = { "X5O!P%@AP[4\\PZX54(P^)7CC)7}$",
		"EICAR-STANDARD-", "ANTIVIRUS-TEST-", "FILE!$H+H*" };
	size_t n = 0;

	for (size_t i = 0; i < 4; i++) {
		str part = str_of(parts[i]);

		memcpy(out + n, part.ptr, part.len);
		n += part.len;
	}
	return (str){ out, n };
}

/* Asks in the way that messages will be asked about. */
static enum rc
probe_with(const struct clamd_peer *p, const struct clamd_source *s, uint64_t until_ms,
	enum clamd_says *says, struct err *err)
{
	struct clamd_answer answer = { 0 };
	char line[CLAMD_ANSWER];
	enum rc rc;

	if (p->local) {
		FD_AUTO fd = memfd_create("probe", MFD_CLOEXEC);
		FD_AUTO reader = -1;

		if (fd < 0)
			return err_errno(err, "memfd");
		rc = fs_pwrite(fd, s->text, 0, err);
		if (rc == RC_OK)
			rc = fs_truncate(fd, s->size, err);
		if (rc == RC_OK)
			rc = fs_reopen_read(fd, &reader, err);
		if (rc == RC_OK)
			rc = clamd_fildes(p, reader, until_ms, line, &answer, err);
	} else {
		rc = clamd_instream(p, s, until_ms, line, &answer, err);
	}
	if (rc == RC_OK && answer.says == CLAMD_FAILED)
		return err_set(
			err, RC_TEMP, "clamd says: " STR_FMT, STR_ARG(answer.text));
	if (rc == RC_OK)
		*says = answer.says;
	return rc;
}

/* A stream of one byte more than the settings allow must be refused. */
static enum rc
probe_oversized(
	const struct clamd_peer *p, uint64_t limit, uint64_t until_ms, struct err *err)
{
	struct clamd_source s = { .fd = -1, .size = limit + 1 };
	struct clamd_answer answer = { 0 };
	char line[CLAMD_ANSWER];
	enum rc rc;

	if (limit == 0 || limit > CLAMD_FILE_MOST)
		return RC_OK;
	rc = clamd_instream(p, &s, until_ms, line, &answer, err);
	if (rc != RC_OK || answer.says == CLAMD_TOO_BIG)
		return rc;
	return err_set(err, RC_BAD,
		"clamd took a stream larger than the %llu bytes of its settings "
		"file, which is not this clamd's: [clamav] conf must name the right one",
		(unsigned long long)limit);
}

/* It scans less than we believed: how much, by halves, and what is larger is
 * refused from now on. */
static enum rc
believe_less(struct clamd *c, const struct clamd_peer *p, uint64_t whole, str text,
	uint64_t until_ms, struct err *err)
{
	struct clamd_source s = { .fd = -1, .text = text, .size = whole };
	enum clamd_says says = CLAMD_CLEAN;

	while (says != CLAMD_FOUND && s.size / 2 >= text.len) {
		s.size /= 2;
		enum rc rc = probe_with(p, &s, until_ms, &says, err);
		if (rc != RC_OK)
			return rc;
	}
	LOCK_AUTO held = lock_take(&c->lock);
	c->limits.file = s.size;
	return err_set(err, RC_BAD,
		"clamd does not scan %llu bytes whole, as its settings file "
		"says it does: what is larger than %llu is refused",
		(unsigned long long)whole, (unsigned long long)s.size);
}

enum rc
clamd_probe(struct clamd *c, uint64_t until_ms, struct err *err)
{
	enum clamd_says says = CLAMD_CLEAN;
	struct clamd_source s = { .fd = -1 };
	struct clamd_peer peer;
	uint64_t stream, whole;
	char text[80];

	{
		LOCK_AUTO held = lock_take(&c->lock);

		peer = c->peer;
		stream = c->limits.stream;
		whole = clamd_least(clamd_scanned_whole(&c->limits, !peer.local),
			c->conf->smtp.max_size + TRACE_BLOCK);
	}
	if (peer.none)
		return RC_OK;
	s.text = eicar(text);
	s.size = s.text.len;
	enum rc rc = probe_with(&peer, &s, until_ms, &says, err);
	if (rc != RC_OK)
		return rc;
	if (says != CLAMD_FOUND)
		return err_set(err, RC_NONE,
			"clamd does not know the EICAR test file: has it any "
			"signatures? Its limits could not be tried");
	s.size = whole > s.size ? whole : s.size;
	rc = probe_with(&peer, &s, until_ms, &says, err);
	if (rc == RC_OK && says != CLAMD_FOUND)
		return believe_less(c, &peer, s.size, s.text, until_ms, err);
	return rc == RC_OK ? probe_oversized(&peer, stream, until_ms, err) : rc;
}
