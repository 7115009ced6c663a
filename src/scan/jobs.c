/* SPDX-License-Identifier: ISC */
#include "scan/jobs.h"

#include <stdio.h>

#include "base/fs.h"
#include "net/chan.h"

enum { BLOCK = 512 };

void
jobs_clear(struct jobs *j)
{
	for (unsigned i = 0; i < j->n; i++)
		fs_close(&j->fds[i]);
	j->n = 0;
	lump_free(&j->seen);
	lump_free(&j->bundle);
}

static enum rc
no_memory(struct err *err)
{
	return err_set(err, RC_LIMIT, "no memory for what the virus scanner has to see");
}

static bool
is_new(struct jobs *j, const uint8_t digest[SHA256_BYTES])
{
	for (size_t i = 0; i < j->seen.len; i += SHA256_BYTES)
		if (memcmp(j->seen.data + i, digest, SHA256_BYTES) == 0)
			return false;
	return true;
}

static enum rc
alone(struct jobs *j, uint16_t leaf, str bytes, struct err *err)
{
	if (j->n == CONTENT_JOBS)
		return err_set(err, RC_LIMIT,
			"more parts that no strict reader would have found than are looked at");
	enum rc rc = chan_memfd("part", bytes, &j->fds[j->n], err);
	if (rc == RC_OK)
		j->leaves[j->n++] = leaf;
	return rc;
}

static enum rc
flush(struct jobs *j, struct err *err)
{
	static const char end[2 * BLOCK];

	if (j->bundle.len == 0)
		return RC_OK;
	if (!lump_add(&j->bundle, (str){ end, sizeof(end) }))
		return no_memory(err);
	enum rc rc = alone(j, 0, (str){ j->bundle.data, j->bundle.len }, err);
	j->bundle.len = 0;
	return rc;
}

/* IEEE 1003.1 ustar, as little of it as a reader needs. */
static enum rc
bundle(struct jobs *j, uint16_t leaf, str bytes, struct err *err)
{
	static const char zeros[BLOCK];
	char head[BLOCK] = { 0 };
	unsigned sum = 0;

	(void)snprintf(head, 100, "%u", leaf);
	(void)snprintf(head + 100, 8, "0000644");
	(void)snprintf(head + 108, 8, "0000000");
	(void)snprintf(head + 116, 8, "0000000");
	(void)snprintf(head + 124, 12, "%011zo", bytes.len);
	(void)snprintf(head + 136, 12, "00000000000");
	memset(head + 148, ' ', 8);
	head[156] = '0';
	memcpy(head + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)head[i];
	(void)snprintf(head + 148, 8, "%06o", sum);
	size_t pad = (BLOCK - bytes.len % BLOCK) % BLOCK;
	if (!lump_add(&j->bundle, (str){ head, BLOCK }) || !lump_add(&j->bundle, bytes) ||
		!lump_add(&j->bundle, (str){ zeros, pad }))
		return no_memory(err);
	return j->bundle.len >= JOBS_BUNDLE ? flush(j, err) : RC_OK;
}

enum rc
jobs_add(struct jobs *j, uint16_t leaf, str bytes, const uint8_t digest[SHA256_BYTES],
	struct err *err)
{
	if (!j->wanted || bytes.len < JOBS_LEAST || !is_new(j, digest))
		return RC_OK;
	if (!lump_add(&j->seen, (str){ (const char *)digest, SHA256_BYTES }))
		return no_memory(err);
	if (j->n < JOBS_ALONE || bytes.len >= JOBS_BUNDLE)
		return alone(j, leaf, bytes, err);
	return bundle(j, leaf, bytes, err);
}

enum rc
jobs_done(struct jobs *j, struct err *err)
{
	return flush(j, err);
}
