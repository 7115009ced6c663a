/* SPDX-License-Identifier: ISC */
#include "deliver/release.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/clock.h"
#include "held/held.h"
#include "wire/facts.h"
#include "wire/smtp_trace.h"

enum {
	FACTS_MEM = 4 * 1024 * 1024,
	RCPTS_MEM = 16 * 1024 * 1024,
	HEADER_MOST = 1024 * 1024,
};

enum rc
release_find(const struct release_want *w, str name, struct arena *mem,
	struct refusal *out, struct err *err)
{
	enum rc rc = refusals_find(w->refusals, name, mem, out, err);
	char when[CLOCK_TEXT];

	if (rc == RC_NONE)
		return err_set(err, RC_BAD,
			"there is no refusal " STR_FMT
			" (any more); `gatepost refusal list` shows those there are",
			(int)(name.len < 60 ? name.len : 60), name.ptr);
	if (rc != RC_OK || out->expires_ms > clock_wall_ms())
		return rc;
	clock_text(out->expires_ms, when);
	return err_set(err, RC_BAD, "the time of refusal %s.%u was over on %s",
		out->id.text, out->n, when);
}

/* --- opening --- */

static enum rc
may_open(const struct release_want *w, const struct refusal *f, struct err *err)
{
	char when[CLOCK_TEXT];

	if (f->held_as.text[0] == '\0')
		return err_set(err, RC_BAD,
			"the original of %s.%u was not kept: the limits of [held], or the disk, "
			"were in the way when it was refused",
			f->id.text, f->n);
	if (!f->held) {
		clock_text(f->held_until_ms, when);
		return err_set(err, RC_BAD, "the original of %s.%u was kept until %s",
			f->id.text, f->n, when);
	}
	if (w->private_key == NULL)
		return err_set(err, RC_BAD,
			"the key that opens held originals (keys/held.key) is missing");
	return RC_OK;
}

/* A file that stands for several refusals has the first one's trace block, which
 * would tell one recipient about another. */
static enum rc
write_block(
	const struct release_want *w, const struct refusal *f, int fd, struct err *err)
{
	char block[TRACE_BLOCK];
	struct smtp_trace t = { .from = f->sender,
		.helo = f->helo,
		.hostname = w->hostname,
		.id = msg_id_str(&f->id),
		.esmtp = true,
		.wall_ms = f->time_ms,
		.has_score = true,
		.score = f->score,
		.findings = f->findings };

	(void)ip_parse(f->client, &t.client);
	smtp_trace_block(&t, block);
	return fs_pwrite(fd, (str){ block, sizeof(block) }, 0, err);
}

enum rc
release_open(const struct release_want *w, const struct refusal *f, str who, str why,
	int out, char **facts, size_t *len, struct err *err)
{
	struct held_about about;
	FD_AUTO dir = -1;
	enum rc rc = may_open(w, f, err);

	if (rc == RC_OK)
		rc = fs_open_dir(w->data, "held", &dir, err);
	if (rc == RC_OK)
		rc = refusals_opened(w->refusals, f, who, why, err);
	if (rc != RC_OK)
		return rc;
	rc = held_get(dir, f->held_as.text, w->private_key, out, &about, facts, len, err);
	if (rc == RC_NONE)
		return err_set(err, RC_BAD,
			"the original of %s.%u is missing in held/; `gatepost audit` tells more",
			f->id.text, f->n);
	if (rc != RC_OK)
		return rc;
	if (about.size < TRACE_BLOCK)
		rc = err_set(err, RC_BAD, "the held file %s is too short", about.id.text);
	else if (strcmp(f->held_as.text, f->id.text) != 0)
		rc = write_block(w, f, out, err);
	if (rc != RC_OK)
		free(*facts);
	return rc;
}

/* --- releasing --- */

struct releasing {
	const struct release_want *w;
	const struct refusal *f;
	str who;
	struct arena *mem;
	struct jrec_message m;
	struct err *err;
};

static enum rc
add_field(struct releasing *r, int fd)
{
	char block[TRACE_BLOCK], field[SMTP_TRACE_FIELD + 1], date[CLOCK_TEXT + 8];
	size_t got;
	enum rc rc = fs_pread(fd, block, sizeof(block), 0, &got, r->err);

	clock_mail_date(r->m.time_ms, date);
	(void)snprintf(field, sizeof(field), "X-Gatepost-Released: %s.%u; %s",
		r->f->id.text, r->f->n, date);
	if (rc != RC_OK)
		return rc;
	if (got < sizeof(block) || !smtp_trace_add(block, str_of(field)))
		return err_set(r->err, RC_BAD,
			"the held file %s does not begin with a trace block of ours",
			r->f->held_as.text);
	return fs_pwrite(fd, (str){ block, sizeof(block) }, 0, r->err);
}

/* Where mail to the address goes today; what is gone has an heir. */
static enum rc
resolve(struct releasing *r, str address, struct jrec_rcpt *out)
{
	struct ask_answer a = { .ntargets = 0 };
	enum rc rc = directory_resolve(
		r->w->directory, address, NULL, NULL, r->mem, &a, r->err);

	if (rc == RC_OK && a.ntargets == 0) {
		a.targets = arena_array(r->mem, 1, sizeof(*a.targets));
		if (a.targets == NULL)
			return err_set(r->err, RC_LIMIT, "too many recipients");
		rc = account_heir(r->w->directory, address, a.targets, r->err);
		a.ntargets = 1;
	}
	if (rc != RC_OK)
		return rc == RC_NONE ? RC_TEMP : rc;
	*out = (struct jrec_rcpt){ .address = address,
		.answer = JREC_DELIVERED,
		.code = 250,
		.enhanced = STR("2.0.0"),
		.score = r->f->score,
		.ntargets = a.ntargets,
		.targets = a.targets };
	return RC_OK;
}

static enum rc
add_rcpts(struct releasing *r)
{
	BUF_AUTO reason = BUF(JREC_REASON);
	str text;
	enum rc rc;

	buf_addf(&reason, "released by " STR_FMT, STR_ARG(r->who));
	rc = arena_copy(r->mem, buf_str(&reason), &text);
	r->m.rcpts = arena_array(r->mem, r->f->nrcpts, sizeof(*r->m.rcpts));
	if (rc != RC_OK || r->m.rcpts == NULL)
		return err_set(r->err, RC_LIMIT, "too many recipients");
	for (size_t i = 0; i < r->f->nrcpts && rc == RC_OK; i++) {
		rc = resolve(r, r->f->rcpts[i], &r->m.rcpts[i]);
		r->m.rcpts[i].reason = text;
	}
	r->m.nrcpts = r->f->nrcpts;
	return rc;
}

/* --- fields that pretend to be ours --- */

static bool
is_line_start(str text, size_t at)
{
	return at == 0 || text.ptr[at - 1] == '\n' || text.ptr[at - 1] == '\r';
}

/* The field at `at` with its folded lines. */
static str
field_at(str text, size_t at)
{
	size_t end = at;

	while (end < text.len &&
		(end == at || !is_line_start(text, end) || text.ptr[end] == ' ' ||
			text.ptr[end] == '\t' || text.ptr[end] == '\n'))
		end++;
	return str_first(str_skip(text, at), end - at);
}

/* `text` begins with the byte before the message; `at` is a place behind it. */
static bool
is_forged(const struct releasing *r, str text, size_t at, size_t *letter)
{
	if (!smtp_trace_forged(str_skip(text, at - 1), letter))
		return false;
	str field = field_at(text, at);
	return *letter > 0 || str_ifind(field, r->w->hostname) < field.len;
}

static size_t
header_end(str text)
{
	size_t crlf = str_find(text, STR("\r\n\r\n")), lf = str_find(text, STR("\n\n"));

	return crlf < lf ? crlf : lf;
}

/* Where the scanner read the message gate has renamed them.  Of one that nobody could
 * read, house looks at the beginnings of lines, and changes one letter in those. */
static enum rc
rename_forged(struct releasing *r, int fd)
{
	char *bytes = malloc(HEADER_MOST);
	const uint64_t from = TRACE_BLOCK - 1; /* with the end of the line above */
	size_t got = 0, letter;
	enum rc rc;

	if (bytes == NULL)
		abort();
	rc = fs_pread(fd, bytes, HEADER_MOST, from, &got, r->err);
	str text = { bytes, got };
	text = str_first(text, 1 + header_end(str_skip(text, 1)));
	for (size_t at = 1; rc == RC_OK && at < text.len; at++)
		if (is_forged(r, text, at, &letter))
			rc = fs_pwrite(fd, STR("x"), from + at + letter, r->err);
	free(bytes);
	return rc;
}

/* They were in the held file, sealed by gate; still, they are checked. */
static enum rc
add_facts(struct releasing *r, str packed, uint64_t message)
{
	ARENA_AUTO mem = arena_new(FACTS_MEM);
	struct facts facts;

	if (facts_unpack(packed, message, mem, &facts) != RC_OK)
		return RC_OK;
	if (arena_copy(r->mem, packed, &r->m.facts) != RC_OK)
		return err_set(r->err, RC_LIMIT, "too many facts");
	return RC_OK;
}

static void
fill_record(struct releasing *r, const struct msg_id *id)
{
	const struct refusal *f = r->f;

	r->m = (struct jrec_message){ .id = *id,
		.time_ms = clock_wall_ms(),
		.helo = f->helo,
		.from = f->sender,
		.flags = JREC_RELEASED,
		.findings = f->findings,
		.held = f->held_as,
		.released = f->id,
		.released_n = f->n };
	(void)ip_parse(f->client, &r->m.client);
}

static enum rc
spool_and_deliver(struct releasing *r, struct own *own, struct fs_spool *file)
{
	char *facts = NULL;
	size_t len = 0;
	uint64_t size = 0;
	enum rc rc = release_open(
		r->w, r->f, r->who, STR("release"), file->fd, &facts, &len, r->err);

	if (rc != RC_OK)
		return rc;
	rc = fs_size(file->fd, &size, r->err);
	if (rc == RC_OK)
		rc = add_facts(r, (str){ facts, len }, size - TRACE_BLOCK);
	free(facts);
	if (rc == RC_OK && str_empty(r->m.facts))
		rc = rename_forged(r, file->fd);
	if (rc == RC_OK)
		rc = add_field(r, file->fd);
	if (rc == RC_OK)
		rc = add_rcpts(r);
	return rc == RC_OK ? own_deliver(own, file, &r->m, r->err) : rc;
}

static enum rc
not_decided(const struct refusal *f, struct err *err)
{
	char when[CLOCK_TEXT];

	clock_text(f->decided_ms, when);
	if (f->state == REFUSAL_RELEASED)
		return err_set(err, RC_BAD,
			"%s.%u was released already, on %s by " STR_FMT
			"; its copy is message %s",
			f->id.text, f->n, when,
			(int)(f->decided_by.len < 60 ? f->decided_by.len : 60),
			f->decided_by.ptr, f->release_id.text);
	if (f->state == REFUSAL_DISMISSED)
		return err_set(err, RC_BAD,
			"%s.%u was dismissed already, on %s by " STR_FMT, f->id.text,
			f->n, when,
			(int)(f->decided_by.len < 60 ? f->decided_by.len : 60),
			f->decided_by.ptr);
	return RC_OK;
}

static enum rc
may_release(const struct release_want *w, const struct refusal *f, struct err *err)
{
	enum rc rc = not_decided(f, err);

	return rc == RC_OK ? may_open(w, f, err) : rc;
}

enum rc
release_run(const struct release_want *w, struct own *own, str name, str who,
	struct arena *mem, struct refusal *out, struct err *err)
{
	LOCK_AUTO turn = lock_take(own_turn(own));
	ARENA_AUTO work = arena_new(RCPTS_MEM);
	struct fs_spool file = { .fd = -1 };
	struct refusal f;
	struct releasing r = { .w = w, .f = &f, .who = who, .mem = work, .err = err };
	struct msg_id id;
	enum rc rc = own_settle(own, err);

	if (rc == RC_OK)
		rc = release_find(w, name, work, &f, err);
	if (rc == RC_OK)
		rc = may_release(w, &f, err);
	if (rc == RC_OK)
		rc = refusals_release_id(w->refusals, &f, who, &id, err);
	if (rc == RC_OK)
		rc = fs_spool_open(own_incoming(own), 0660, &file, err);
	if (rc != RC_OK)
		return rc;
	fill_record(&r, &id);
	rc = spool_and_deliver(&r, own, &file);
	fs_spool_drop(own_incoming(own), &file);
	return rc == RC_OK ? release_find(w, name, mem, out, err) : rc;
}

enum rc
release_dismiss(const struct release_want *w, struct own *own, str name, str who,
	struct arena *mem, struct refusal *out, struct err *err)
{
	LOCK_AUTO turn = lock_take(own_turn(own));
	struct refusal f;
	enum rc rc = own_settle(own, err);

	if (rc == RC_OK)
		rc = release_find(w, name, mem, &f, err);
	if (rc == RC_OK)
		rc = not_decided(&f, err);
	if (rc == RC_OK)
		rc = refusals_dismiss(w->refusals, &f, who, err);
	return rc == RC_OK ? release_find(w, name, mem, out, err) : rc;
}
