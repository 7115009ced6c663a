/* SPDX-License-Identifier: ISC */
#include "deliver/appeal.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "mime/utf8.h"

enum { SCAN_MEM = 32 * 1024 * 1024, TELL_MEM = 4 * 1024 * 1024 };

/* ---- the subject ---- */

static enum rc
ask_scanner(const struct appeal_house *h, int fd, struct arena *mem, str *subject,
	struct err *err)
{
	struct scanned found = { .njobs = 0 };
	uint64_t size = 0;
	enum rc rc = fs_size(fd, &size, err);
	const struct scan_job job = { .fd = fd,
		.size = size,
		.offset = TRACE_BLOCK,
		.hostname = h->release.hostname,
		.most_ms = h->scanner_ms,
		.most_unpacked = h->unpacked,
		.want = SCAN_CONTENT };

	if (rc == RC_OK)
		rc = scan_ask(h->scanners, &job, clock_ms() + 2 * h->scanner_ms, mem,
			&found, err);
	if (rc == RC_OK) {
		*subject = found.content.subject;
		scanned_clear(&found);
	}
	return rc;
}

/* One line of whole characters, whatever the scanner said. */
static str
clean(struct arena *mem, str s)
{
	str out = STR("");

	s = utf8_first(str_first(s, utf8_run(s)), APPEAL_SUBJECT);
	if (arena_copy(mem, s, &out) != RC_OK)
		return STR("");
	for (char *c = (char *)(uintptr_t)out.ptr; c < out.ptr + out.len; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return out;
}

/* It helps who decides; where it cannot be had the appeal is taken all the same. */
static str
subject_of(const struct appeal_house *h, const struct refusal *f, struct arena *mem)
{
	struct fs_spool file = { .fd = -1 };
	int incoming = own_incoming(h->own);
	struct err err = { .rc = RC_OK };
	str subject = STR("");
	char *facts = NULL;
	size_t len = 0;
	enum rc rc;

	if (h->scanners == NULL || !f->held)
		return subject;
	rc = fs_spool_open(incoming, 0600, &file, &err);
	if (rc == RC_OK)
		rc = release_open(&h->release, f, STR("the appeal"), STR("its subject"),
			file.fd, &facts, &len, &err);
	if (rc == RC_OK) {
		free(facts);
		rc = ask_scanner(h, file.fd, mem, &subject, &err);
	}
	fs_spool_drop(incoming, &file);
	if (rc != RC_OK)
		log_info(
			"msg=\"the subject of an appealed refusal is not known\" id=%s why=\"%s\"",
			f->id.text, err.text);
	return clean(mem, subject);
}

/* ---- who is told ---- */

struct telling {
	const struct appeal_house *h;
	const struct refusal *f;
	struct arena *mem;
	struct decider at[APPEAL_DECIDERS];
	size_t n;
	struct err *err;
};

static enum rc
tell_account(struct telling *t, uint64_t id, enum decider_role role)
{
	struct account a;
	enum rc rc = account_by_id(t->h->release.directory, id, t->mem, &a, t->err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	for (size_t i = 0; i < t->n; i++)
		if (str_ieq(t->at[i].address, a.address))
			return RC_OK;
	if (t->n < APPEAL_DECIDERS)
		t->at[t->n++] = (struct decider){
			.id = t->f->id, .n = t->f->n, .address = a.address, .role = role
		};
	return RC_OK;
}

static enum rc
tell_postmaster(struct telling *t, str rcpt)
{
	uint64_t id;
	enum rc rc = account_heir(t->h->release.directory, rcpt, &id, t->err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	return tell_account(t, id, DECIDER_POSTMASTER);
}

static enum rc
tell_recipient(struct telling *t, str rcpt)
{
	struct directory *d = t->h->release.directory;
	struct ask_answer a = { .ntargets = 0 };
	struct policy p;
	enum rc rc = policy_for(d, rcpt, &p, t->err);

	if (rc == RC_NONE || (rc == RC_OK && !p.recipient_appeals))
		return RC_OK;
	if (rc == RC_OK)
		rc = directory_resolve(d, rcpt, NULL, NULL, t->mem, &a, t->err);
	for (size_t i = 0; i < a.ntargets && rc == RC_OK; i++)
		rc = tell_account(t, a.targets[i], DECIDER_RECIPIENT);
	return rc;
}

/* Postmasters first, so that one who is a recipient too is asked as postmaster. */
static enum rc
choose(struct telling *t)
{
	size_t n = t->f->nrcpts < APPEAL_LOOK ? t->f->nrcpts : APPEAL_LOOK;
	bool left = false;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = tell_postmaster(t, t->f->rcpts[i]);
	if (rc == RC_OK && !t->f->virus)
		rc = appeal_left_to_recipients(
			t->h->release.directory, t->f, &left, t->err);
	for (size_t i = 0; i < n && rc == RC_OK && left; i++)
		rc = tell_recipient(t, t->f->rcpts[i]);
	return rc;
}

/* ---- appeals and decisions ---- */

enum rc
appeal_make(const struct appeal_house *h, const struct refusal *f, const struct appeal *a,
	enum appeal_end *end, struct err *err)
{
	ARENA_AUTO mem = arena_new(SCAN_MEM);
	ARENA_AUTO tell_mem = arena_new(TELL_MEM);
	struct telling t = { .h = h, .f = f, .mem = tell_mem, .err = err };
	struct appeal whole = *a;
	/* what would not be taken is not opened either */
	enum rc rc = appeals_may(h->release.refusals, f, a, &h->limits, end, err);

	if (rc != RC_OK || *end != APPEAL_TAKEN)
		return rc;
	rc = choose(&t);
	if (rc != RC_OK)
		return rc;
	whole.subject = subject_of(h, f, mem);
	return appeals_put(
		h->release.refusals, f, &whole, t.at, t.n, &h->limits, end, err);
}

enum rc
appeal_decide(const struct appeal_house *h, str token, bool uphold, struct arena *mem,
	struct refusal *f, struct err *err)
{
	char name[REFUSAL_NAME];
	struct decider d;
	enum rc rc = deciders_find(h->release.refusals, token, mem, &d, f, err);

	if (rc == RC_OK)
		rc = appeal_may_decide(h->release.directory, &d, f, uphold, err);
	if (rc != RC_OK)
		return rc;
	refusal_name(f, name);
	rc = uphold ? release_run(
			      &h->release, h->own, str_of(name), d.address, mem, f, err)
		    : release_dismiss(
			      &h->release, h->own, str_of(name), d.address, mem, f, err);
	if (rc != RC_BAD)
		return rc;
	/* a second click of the same person is no mistake */
	struct refusal now;
	if (refusals_find(h->release.refusals, str_of(name), mem, &now, NULL) == RC_OK) {
		*f = now;
		if (now.state == (uphold ? REFUSAL_RELEASED : REFUSAL_DISMISSED) &&
			str_ieq(now.decided_by, str_first(d.address, REFUSAL_WHO)))
			return RC_OK;
	}
	return RC_BAD;
}
