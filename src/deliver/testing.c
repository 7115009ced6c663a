/* SPDX-License-Identifier: ISC */
#include "deliver/testing.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/digest.h"
#include "test/test.h"
#include "wire/facts.h"
#include "wire/smtp_trace.h"

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

static void
address_of(size_t n, char out[40])
{
	(void)snprintf(out, 40, "a%zu@x.test", n);
}

static void
attach(struct parts *p, const char *path)
{
	struct err err = { .rc = RC_OK };

	must(fs_open_dir(AT_FDCWD, path, &p->data, &err), &err);
	must(fs_mkdirs(p->data, "incoming", 0770, &err), &err);
	must(fs_mkdirs(p->data, "journal/gate", 0770, &err), &err);
	must(fs_mkdirs(p->data, "held", 0770, &err), &err);
	must(fs_open_dir(p->data, "held", &p->held_dir, &err), &err);
	must(fs_open_dir(p->data, "incoming", &p->incoming, &err), &err);
	must(fs_open_dir(p->data, "journal/gate", &p->folder, &err), &err);
	must(conf_parse(STR("hostname = mx.x.test\n"), "test", &p->conf, &err), &err);
	struct directory_want w = { .data = p->data, .conf = p->conf };
	must(directory_open(&w, &p->directory, &err), &err);
}

void
parts_make(struct parts *p, const char *path, size_t naccounts)
{
	struct err err = { .rc = RC_OK };

	*p = (struct parts){ .data = -1,
		.incoming = -1,
		.folder = -1,
		.held_dir = -1,
		.naccounts = naccounts };
	seal_make_keys(p->held_public, p->held_private);
	attach(p, path);
	must(domain_add(p->directory, STR("x.test"), &err), &err);
	for (size_t i = 0; i < naccounts; i++) {
		char address[40];

		address_of(i, address);
		struct account_new a = { .address = str_of(address) };
		must(account_add(p->directory, &a, &p->accounts[i], &err), &err);
	}
	must(fs_sync_all(p->data, &err), &err);
}

void
parts_attach(struct parts *p, const struct parts *made, const char *path)
{
	*p = (struct parts){ .data = -1,
		.incoming = -1,
		.folder = -1,
		.held_dir = -1,
		.naccounts = made->naccounts,
		.roll_bytes = made->roll_bytes };
	memcpy(p->accounts, made->accounts, sizeof(p->accounts));
	memcpy(p->held_public, made->held_public, sizeof(p->held_public));
	memcpy(p->held_private, made->held_private, sizeof(p->held_private));
	attach(p, path);
}

static void
on_synced(uint64_t seq, void *arg)
{
	struct parts *p = arg;

	if (p->apply != NULL)
		apply_upto(p->apply, seq);
}

static void
on_crossed(uint64_t account, void *arg)
{
	struct parts *p = arg;

	p->crossed = account;
}

enum rc
parts_open(struct parts *p, struct err *err)
{
	struct journal_want jw = { .dirfd = p->folder,
		.incoming = p->incoming,
		.synced = on_synced,
		.arg = p,
		.roll_bytes = p->roll_bytes };
	struct store_want sw = { .data = p->data, .cache_bytes = 65536 };
	struct ledger_want lw = { .data = p->data };
	struct refusals_want rw = { .data = p->data,
		.keep_ms = 14ull * 24 * 3600 * 1000 };
	const struct held_limits hl = {
		.keep_ms = rw.keep_ms, .all_bytes = 1 << 30, .network_bytes = 1 << 30
	};
	enum rc rc;

	p->held = held_open(p->held_dir, p->held_public, &hl);
	if ((rc = journal_open(&jw, &p->journal, err)) != RC_OK ||
		(rc = held_load(p->held, clock_wall_ms(), err)) != RC_OK ||
		(rc = store_open(&sw, &p->store, err)) != RC_OK ||
		(rc = ledger_open(&lw, &p->ledger, err)) != RC_OK ||
		(rc = refusals_open(&rw, &p->refusals, err)) != RC_OK)
		return rc;
	struct apply_want aw = { .data = p->data,
		.journal = "gate",
		.directory = p->directory,
		.store = p->store,
		.ledger = p->ledger,
		.refusals = p->refusals,
		.checkpoint_ms = 1000,
		.crossed = on_crossed,
		.arg = p };
	return apply_open(&aw, &p->apply, err);
}

void
parts_close(struct parts *p)
{
	journal_close(&p->journal);
	held_close(&p->held);
	apply_close(&p->apply);
	refusals_close(&p->refusals);
	ledger_close(&p->ledger);
	store_close(&p->store);
}

void
parts_clear(struct parts *p)
{
	parts_close(p);
	directory_close(&p->directory);
	conf_drop(&p->conf);
	fs_close(&p->data);
	fs_close(&p->incoming);
	fs_close(&p->folder);
	fs_close(&p->held_dir);
}

/* The message's file: trace block, header, id, filling. */
static void
write_message(const struct sent *s, struct buf *b)
{
	const struct msg_id *id = s->bytes_of.text[0] != '\0' ? &s->bytes_of : &s->id;
	struct smtp_trace t = { .from = STR("s@y.test"),
		.helo = STR("h.test"),
		.hostname = STR("mx.x.test"),
		.id = msg_id_str(id),
		.wall_ms = ids_time_ms(msg_id_str(id)),
		.has_score = true,
		.findings = s->findings };
	char block[TRACE_BLOCK];

	smtp_trace_block(&t, block);
	buf_add(b, (str){ block, sizeof(block) });
	buf_add(b, s->header);
	buf_addf(b, "Subject: test\r\n\r\n%s\r\n", id->text);
	for (size_t i = 0; i < s->body; i++)
		buf_addc(b, (char)('a' + i % 26));
}

static void
fill_record(const struct parts *p, const struct sent *s, struct jrec_message *m,
	struct jrec_rcpt *r, uint64_t *targets, char (*addresses)[40])
{
	for (size_t i = 0; i < m->nrcpts; i++) {
		bool ok = i < s->n;

		address_of(s->from + i, addresses[i]);
		targets[i] = ok ? p->accounts[s->from + i] : 0;
		r[i] = (struct jrec_rcpt){ .address = str_of(addresses[i]),
			.answer = ok ? JREC_DELIVERED : JREC_REFUSED,
			.code = ok ? 250 : 550,
			.enhanced = ok ? STR("2.6.0") : STR("5.7.1"),
			.has_token = !ok,
			.ntargets = ok,
			.targets = &targets[i] };
		if (!ok)
			sha256(s->apart ? str_of(addresses[i]) : msg_id_str(&s->id),
				r[i].token);
	}
	m->rcpts = r;
}

/* The original of a refused one; on disk when it returns. */
static enum rc
hold(struct parts *p, struct sent *s, const struct jrec_message *m, int fd, str facts,
	struct err *err)
{
	struct held_item what = { .id = s->id,
		.wall_ms = m->time_ms,
		.client = m->client,
		.fd = fd,
		.size = m->size,
		.facts = facts };

	memcpy(what.digest, m->digest, sizeof(what.digest));
	return held_put(p->held, &what, &s->held, err);
}

/* As a session does it: spool, hold, name, sync the data; the journal syncs the name. */
static enum rc
spool(struct parts *p, struct sent *s, const struct jrec_message *m, str text, str facts,
	struct err *err)
{
	struct fs_spool spool;
	enum rc rc = fs_spool_open(p->incoming, 0660, &spool, err);

	if (rc != RC_OK)
		return rc;
	rc = fs_append(spool.fd, text, err);
	if (rc == RC_OK && s->refused > 0 && !s->unheld)
		rc = hold(p, s, m, spool.fd, facts, err);
	if (rc == RC_OK && s->n > 0)
		rc = fs_spool_publish(p->incoming, &spool, s->id.text, err);
	if (rc == RC_OK && s->n > 0)
		rc = fs_sync_data(spool.fd, err);
	fs_spool_drop(p->incoming, &spool);
	return rc;
}

static void
pack_facts(struct buf *b)
{
	struct facts facts = {
		.date_s = INT64_MIN, .header_bytes = 17, .envelope.subject = STR("test")
	};

	facts_pack(b, &facts);
}

enum rc
parts_send(struct parts *p, struct sent *s, struct err *err)
{
	BUF_AUTO text = BUF(1 << 20);
	BUF_AUTO record = BUF(JREC_MOST);
	BUF_AUTO packed = BUF(FACTS_MOST);
	struct jrec_rcpt r[PARTS_ACCOUNTS];
	uint64_t targets[PARTS_ACCOUNTS];
	char addresses[PARTS_ACCOUNTS][40];
	struct jrec_message m = { .time_ms = s->time_ms != 0 ? s->time_ms
							     : clock_wall_ms(),
		.client = { .family = 4, .bytes = { 192, 0, 2, 1 } },
		.helo = STR("h.test"),
		.from = STR("s@y.test"),
		.flags = s->flags,
		.findings = s->findings,
		.nrcpts = s->n + s->refused };
	enum rc rc = RC_OK;

	s->id = ids_message(m.time_ms);
	m.id = s->id;
	write_message(s, &text);
	m.size = text.len;
	sha256(str_skip(buf_str(&text), TRACE_BLOCK), m.digest);
	if (!s->unread)
		pack_facts(&packed);
	if ((s->flags & JREC_AGAIN) == 0)
		rc = spool(p, s, &m, buf_str(&text), buf_str(&packed), err);
	if (rc != RC_OK)
		return rc;
	m.held = s->held;
	m.facts = s->n > 0 ? buf_str(&packed) : STR("");
	fill_record(p, s, &m, r, targets, addresses);
	jrec_put_message(&record, &m);
	return journal_commit(
		p->journal, JREC_MESSAGE, buf_str(&record), true, &s->seq, err);
}

static enum rc
compare(int out, str want, struct err *err)
{
	char *got = malloc(want.len + 1);
	size_t n;
	enum rc rc;

	if (got == NULL)
		abort();
	rc = fs_pread(out, got, want.len + 1, 0, &n, err);
	if (rc == RC_OK && (n != want.len || memcmp(got, want.ptr, n) != 0))
		rc = err_set(err, RC_BAD, "what is held is not what was sent");
	free(got);
	return rc;
}

enum rc
parts_original(struct parts *p, const struct sent *s, struct err *err)
{
	BUF_AUTO text = BUF(1 << 20);
	struct held_about about;
	char *facts;
	size_t len;
	FD_AUTO out = memfd_create("original", MFD_CLOEXEC);
	enum rc rc = held_get(p->held_dir, s->held.text, p->held_private, out, &about,
		&facts, &len, err);

	if (rc != RC_OK)
		return RC_BAD;
	free(facts);
	write_message(s, &text);
	return compare(out, buf_str(&text), err);
}

void
parts_apply(struct parts *p)
{
	struct err err = { .rc = RC_OK };

	must(apply_all(p->apply, journal_synced(p->journal), &err), &err);
}

static void
on_breach(const char *sentence, void *arg)
{
	struct parts *p = arg;
	size_t used = strlen(p->damage);

	p->breaches++;
	(void)snprintf(p->damage + used, sizeof(p->damage) - used, "%s\n", sentence);
}

void
parts_audit(struct parts *p, bool verify)
{
	struct audit_want w = { .data = p->data,
		.directory = p->directory,
		.store = p->store,
		.ledger = p->ledger,
		.refusals = p->refusals,
		.held_key = p->held_private,
		.breach = on_breach,
		.arg = p };
	struct audit_sum sum = { .breaches = 0 };
	struct err err = { .rc = RC_OK };

	p->breaches = 0;
	p->damage[0] = '\0';
	must(verify ? verify_run(&w, &sum, &err) : audit_run(&w, &sum, &err), &err);
	assert_int_equal(sum.breaches, p->breaches);
}

void
parts_sound(struct parts *p)
{
	for (int verify = 0; verify < 2; verify++) {
		parts_audit(p, verify == 1);
		if (p->breaches != 0)
			fail_msg("%s", p->damage);
	}
}
