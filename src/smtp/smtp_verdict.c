/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_verdict.h"

#include "base/clock.h"
#include "filter/checks/checks.h"
#include "smtp/smtp_hold.h"
#include "smtp/smtp_recent.h"
#include "smtp/smtp_sample.h"
#include "smtp/smtp_split.h"
#include "smtp/smtp_store.h"
#include "wire/smtp_trace.h"

static const char checked_later[] =
	"the message cannot be checked at the moment, please try "
	"again later";

static void
answer_all(struct smtp_verdict *v, enum jrec_answer answer, unsigned code,
	const char *esc, const char *reason)
{
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next) {
		r->answer = answer;
		r->code = code;
		r->esc = esc;
		r->reason = str_of(reason);
		r->has_token = r->by_score = false;
	}
	v->per_rcpt = false;
	v->delivered = 0;
}

static void
not_now(struct smtp_verdict *v, enum rc rc)
{
	if (rc == RC_LIMIT)
		answer_all(
			v, JREC_NOT_NOW, 452, "4.3.1", "not enough room at the moment");
	else
		answer_all(v, JREC_NOT_NOW, 451, "4.3.0", checked_later);
}

static enum rc
scan(struct smtp_verdict *v, int fd)
{
	struct scan_job job = { .fd = fd,
		.size = TRACE_BLOCK + v->size,
		.offset = TRACE_BLOCK,
		.hostname = v->conf->server.hostname,
		.most_ms = v->conf->limits.scanner_timeout,
		.most_unpacked = v->conf->limits.scanner_unpacked,
		.want = SCAN_CONTENT | SCAN_JOBS };
	/* once to wait for a scanner, and once for its work */
	uint64_t until = clock_ms() + 2 * job.most_ms;

	return scan_ask(v->gate->scanners, &job,
		until < v->until_ms ? until : v->until_ms, v->mem, &v->scanned, &v->err);
}

static enum rc
new_findings(struct smtp_verdict *v)
{
	v->findings = arena_new_of(v->mem, struct findings);
	if (v->findings == NULL)
		return err_set(&v->err, RC_LIMIT, "no memory for findings");
	v->findings->mem = v->mem;
	return RC_OK;
}

static enum rc
list_findings(struct smtp_verdict *v)
{
	BUF_AUTO list = BUF(16 * 1024);

	filter_list(v->findings, &list);
	enum rc rc = arena_copy(v->mem, buf_str(&list), &v->listed);
	return rc == RC_OK ? rc : err_set(&v->err, rc, "no memory for findings");
}

static enum rc
check(struct smtp_verdict *v, int fd)
{
	struct evidence e = { .conf = v->conf,
		.fd = fd,
		.size = TRACE_BLOCK + v->size,
		.offset = TRACE_BLOCK,
		.facts = &v->scanned.facts,
		.content = &v->scanned.content,
		.jobs = v->scanned.jobs,
		.njobs = v->scanned.njobs,
		.client = v->client,
		.helo = v->helo,
		.from = v->from_plain,
		.clamd = str_empty(v->conf->clamav.socket) ? NULL : v->gate->clamd,
		.until_ms = v->until_ms };
	enum rc rc = new_findings(v);

	if (rc == RC_OK)
		rc = filter_look(&e, v->findings, &v->err);
	if (rc == RC_OK)
		rc = smtp_sample_look(v, &e);
	scanned_clear(&v->scanned); /* others wait for the memory */
	return rc == RC_OK ? list_findings(v) : rc;
}

/* Refused without having been read; v->err says to the log why. */
static enum rc
unread(struct smtp_verdict *v, const struct check *check)
{
	enum rc rc = new_findings(v);

	if (rc != RC_OK)
		return rc;
	finding_add(v->findings, check, STR(""));
	return list_findings(v);
}

static enum rc
lost_too_many(struct smtp_verdict *v)
{
	return unread(v, &check_scanner_lost);
}

static void
deliver(struct smtp_verdict *v, struct smtp_rcpt *r)
{
	r->answer = JREC_DELIVERED;
	r->code = 250;
	r->esc = "2.6.0";
	r->reason = STR("");
	r->has_token = false;
	v->delivered++;
}

static void
refuse(struct smtp_rcpt *r, const struct verdict *why)
{
	r->answer = JREC_REFUSED;
	r->code = 550;
	r->esc = "5.7.1";
	r->reason = why->reason;
	r->has_token = true;
	r->by_score = why->by_score;
}

static const char too_many_samples[] =
	"too many infected messages from your network in the last hour, please try again "
	"later";

static void
judge(struct smtp_verdict *v, struct smtp_rcpt *r)
{
	struct policy_of policy = r->policy;

	if (v->conf->server.filter == CONF_OBSERVE)
		policy.observe = true;
	struct verdict got = filter_judge(v->findings, &policy);
	v->score = got.score;
	struct findings *own = smtp_sample_findings(v, r);
	bool sample = got.what == VERDICT_REFUSE && own != v->findings;
	if (sample)
		got = filter_judge(own, &policy);
	r->score = got.score;
	if (got.what == VERDICT_REFUSE) {
		refuse(r, &got);
	} else if (!sample || smtp_sample_allowed(v)) {
		deliver(v, r);
	} else {
		r->answer = JREC_NOT_NOW;
		r->code = 451;
		r->esc = "4.7.1";
		r->reason = str_of(too_many_samples);
		r->has_token = r->by_score = false;
	}
}

static bool
split_again(struct smtp_verdict *v)
{
	str *rcpts = arena_array(v->mem, v->nrcpts, sizeof(*rcpts));
	enum smtp_group *groups = arena_array(v->mem, v->nrcpts, sizeof(*groups));
	struct smtp_split what = { .client = v->client,
		.from = v->from,
		.n = v->nrcpts,
		.rcpts = rcpts,
		.groups = groups,
		.digest = v->digest };
	size_t i = 0;

	if (rcpts == NULL || groups == NULL)
		return false;
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next, i++) {
		rcpts[i] = r->address;
		groups[i] = r->answer == JREC_DELIVERED ? SMTP_GROUP_DELIVER
							: SMTP_GROUP_REFUSE;
	}
	return smtp_split_again(v->gate->splits, &what, clock_ms());
}

static void
refuse_all(struct smtp_verdict *v)
{
	struct policy_of lenient = { INT32_MAX, true };
	struct verdict why = filter_judge(v->findings, &lenient);

	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		refuse(r, &why);
	v->delivered = 0;
}

static bool
somebody_waits(const struct smtp_verdict *v)
{
	for (const struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		if (r->answer == JREC_NOT_NOW)
			return true;
	return false;
}

/* Some take it and some do not; smtp_split.h tells why and how. */
static void
settle_differences(struct smtp_verdict *v)
{
	if (v->prdr) {
		v->per_rcpt = true;
		return;
	}
	if (somebody_waits(v)) {
		answer_all(v, JREC_NOT_NOW, 451, "4.7.1", too_many_samples);
		return;
	}
	if (split_again(v)) {
		answer_all(v, JREC_NOT_NOW, 451, "4.5.3",
			"the recipients' answers differ, send this again and it is taken "
			"in parts");
		return;
	}
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		if (r->answer == JREC_REFUSED && r->by_score)
			deliver(v, r);
	/* abuse@ takes a sample, and another recipient can never have it: one answer is
	 * to be true for both, and the sender's to act upon. */
	if (v->delivered < v->nrcpts)
		refuse_all(v);
}

/* With PRDR an answer is a recipient's, and so is its link. */
static void
make_tokens(struct smtp_verdict *v)
{
	struct token shared;

	token_make(&shared);
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next) {
		if (r->has_token && v->per_rcpt)
			token_make(&r->token);
		else if (r->has_token)
			r->token = shared;
	}
}

static void
judge_all(struct smtp_verdict *v)
{
	if (v->scanned.facts.received > v->conf->smtp.max_received) {
		/* RFC 5321 6.3 */
		answer_all(v, JREC_REFUSED, 554, "5.4.6",
			"too many Received fields, this message is going in circles");
		return;
	}
	for (struct smtp_rcpt *r = v->rcpts; r != NULL; r = r->next)
		judge(v, r);
	if (v->delivered == 0 && somebody_waits(v))
		answer_all(v, JREC_NOT_NOW, 451, "4.7.1", too_many_samples);
	if (v->delivered > 0 && v->delivered < v->nrcpts)
		settle_differences(v);
	make_tokens(v);
}

/* Was the message the reason once more?  The first time may be chance: later. */
static bool
once_more(struct smtp_recent *table, str key)
{
	return smtp_recent_note(table, key, clock_ms()) >= SMTP_KILLERS_TIMES;
}

static enum rc
look(struct smtp_verdict *v)
{
	struct smtp_recent *killers = v->gate->killers, *stallers = v->gate->stallers;
	str key = smtp_recent_digest(v->digest);
	FD_AUTO fd = -1;
	enum rc rc;

	if (smtp_recent_times(killers, key, clock_ms()) >= SMTP_KILLERS_TIMES)
		return lost_too_many(v);
	if (smtp_recent_times(stallers, key, clock_ms()) >= SMTP_KILLERS_TIMES)
		return unread(v, &check_virus_unseen);
	rc = fs_reopen_read(v->file->fd, &fd, &v->err);
	if (rc != RC_OK)
		return rc;
	rc = scan(v, fd);
	if (rc == RC_BAD)
		return once_more(killers, key) ? lost_too_many(v) : RC_TEMP;
	if (rc == RC_OK || rc == RC_PERM)
		smtp_recent_forget(killers, key);
	if (rc == RC_PERM)
		return unread(v, &check_unreadable);
	if (rc != RC_OK || v->scanned.facts.received > v->conf->smtp.max_received)
		return rc;
	rc = check(v, fd);
	if (rc == RC_BAD)
		return once_more(stallers, key) ? unread(v, &check_virus_unseen)
						: RC_TEMP;
	if (rc == RC_OK)
		smtp_recent_forget(stallers, key);
	return rc;
}

/* What we could not promise on disk was not accepted. */
static void
settle(struct smtp_verdict *v)
{
	smtp_hold(v);
	enum rc rc = v->delivered > 0 ? smtp_store(v) : smtp_record(v);

	if (rc == RC_OK)
		return;
	v->held = (struct msg_id){ "" }; /* the file that no record names */
	/* A refusal stays one without its record, but for its link: nothing
	 * would be behind it. */
	struct err why = v->err;
	not_now(v, rc);
	v->again = false;
	(void)smtp_record(v);
	v->err = why;
}

void
smtp_verdict_decide(struct smtp_verdict *v)
{
	enum rc rc = RC_OK;

	v->answered = v->id;
	if (v->preset.code != 0) {
		answer_all(v, v->preset.code < 500 ? JREC_NOT_NOW : JREC_REFUSED,
			v->preset.code, v->preset.esc, v->preset.text);
		/* the answer is the same whether it could be recorded or not */
		(void)smtp_record(v);
		return;
	}
	if (clock_ms() >= v->until_ms)
		rc = err_set(&v->err, RC_TEMP, "waited too long for its turn");
	if (rc == RC_OK)
		rc = look(v);
	if (rc == RC_OK)
		judge_all(v);
	else
		not_now(v, rc);
	settle(v);
}

void
smtp_verdict_run(struct work *w)
{
	struct smtp_verdict *v = (struct smtp_verdict *)w;
	struct service *service = v->service;
	uint64_t number = v->number;

	smtp_verdict_decide(v);
	/* From here on the session may go on, and end, at any time. */
	atomic_store_explicit(&v->done, true, memory_order_release);
	service_wake(service, number);
}

void
smtp_verdict_busy(struct smtp_verdict *v)
{
	BUF_AUTO b = BUF(JREC_MOST);

	v->answered = v->id;
	(void)err_set(&v->err, RC_TEMP, "too many messages are being decided about");
	answer_all(v, JREC_NOT_NOW, 451, "4.3.2",
		"too busy at the moment, please try again later");
	smtp_verdict_record(v, &b);
	if (buf_ok(&b))
		journal_note(v->gate->journal, JREC_MESSAGE, buf_str(&b));
}
