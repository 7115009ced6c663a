/* SPDX-License-Identifier: ISC */
#include "base/fs.h"
#include "filter/checks/checks.h"
#include "filter/clamd.h"
#include "filter/excerpt.h"
#include "filter/filter_int.h"

static bool
is_clamds(const struct finding *at)
{
	return at->check == &check_virus || at->check == &check_signature;
}

/* Only what clamd named can be explained by a sample, and what lies within one. */
static bool
worth_asking(const struct findings *f)
{
	bool named = false;

	for (size_t i = 0; i < f->n; i++) {
		const struct finding *at = &f->at[i];

		named |= is_clamds(at);
		if (at->decisive && !is_clamds(at) && !at->inside)
			return false;
	}
	return named;
}

/* RC_OK: clean; RC_NONE: not. */
static enum rc
ask(const struct evidence *e, int fd, uint64_t size, uint64_t until_ms, struct err *err)
{
	char name[CLAMD_NAME] = "";
	enum rc rc = clamd_scan(e->clamd, fd, size, until_ms, name, err);

	if (rc == RC_BAD) /* the message as a whole was well looked at */
		rc = RC_TEMP;

	if (rc == RC_PERM || (rc == RC_OK && name[0] != '\0'))
		return RC_NONE;
	return rc;
}

/* It lies within an attached message, and what has the same bytes as well: they are one
 * job (scan/jobs.h). */
static bool
is_inside(const struct evidence *e, uint16_t number)
{
	const struct content *c = e->content;

	if (number == 0 || number > c->nleaves)
		return false;
	const struct content_leaf *job = &c->leaves[number - 1];
	if (!leaf_is_inside(e, job))
		return false;
	for (size_t i = 0; i < c->nleaves; i++) {
		const struct content_leaf *leaf = &c->leaves[i];

		if (leaf->size > 0 && leaf->size == job->size &&
			memcmp(leaf->digest, job->digest, sizeof(job->digest)) == 0 &&
			!leaf_is_inside(e, leaf))
			return false;
	}
	return true;
}

static enum rc
ask_jobs(const struct evidence *e, uint64_t until_ms, struct err *err)
{
	const struct content *c = e->content;
	enum rc rc = RC_OK;

	for (size_t i = 0; c != NULL && i < c->njobs && rc == RC_OK; i++) {
		uint64_t size;

		if (is_inside(e, c->jobs[i].leaf))
			continue;
		rc = fs_size(e->jobs[i], &size, err);
		if (rc == RC_OK)
			rc = ask(e, e->jobs[i], size, until_ms, err);
	}
	return rc;
}

static void
leave_outside(struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		if (!is_clamds(&f->at[i]) && !f->at[i].inside)
			f->at[n++] = f->at[i];
	f->n = n;
	memset(f->reasons, 0, sizeof(f->reasons));
}

enum rc
filter_sample(const struct evidence *e, struct findings *f, struct err *err)
{
	FD_AUTO fd = -1;
	uint64_t size, until_ms;
	enum rc rc;

	if (e->clamd == NULL || !worth_asking(f))
		return RC_NONE;
	until_ms = clamd_deadline(e->clamd, e->until_ms);
	rc = excerpt_outside(e, &fd, &size, err);
	if (rc == RC_OK)
		rc = ask(e, fd, size, until_ms, err);
	if (rc == RC_OK)
		rc = ask_jobs(e, until_ms, err);
	if (rc == RC_OK)
		leave_outside(f);
	return rc;
}
