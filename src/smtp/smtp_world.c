/* SPDX-License-Identifier: ISC */
#include "smtp/smtp_world.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/thread.h"
#include "filter/filter.h"
#include "net/tls.h"
#include "test/test.h"

/* ---- the directory ---- */

static pthread_t threads[64];
static _Atomic unsigned nthreads;

static void
resolve(struct remote_ask *a)
{
	static const struct {
		str name;
		enum ask_status status;
		int32_t threshold;
	} people[] = {
		{ STR_INIT("alice"), ASK_LOCAL, 5000 },
		{ STR_INIT("bob"), ASK_LOCAL, 5000 },
		{ STR_INIT("postmaster"), ASK_LOCAL, 5000 },
		{ STR_INIT("abuse"), ASK_LOCAL, 5000 },
		{ STR_INIT("strict"), ASK_LOCAL, 1000 },
		{ STR_INIT("lax"), ASK_LOCAL, 100000 },
		{ STR_INIT("full"), ASK_FULL, 0 },
		{ STR_INIT("disabled"), ASK_DISABLED, 0 },
		{ STR_INIT("later"), ASK_LATER, 0 },
	};
	str address = str_of(a->address), domain = address, local;

	(void)str_cut(&domain, '@', &local);
	a->answer = (struct ask_answer){ .status = ASK_UNKNOWN, .address = address };
	if (!str_eq(domain, STR("example.test")) && !str_eq(address, STR("postmaster")))
		a->answer.status = ASK_RELAY;
	else
		for (size_t i = 0; i < sizeof(people) / sizeof(people[0]); i++)
			if (str_eq(people[i].name, local)) {
				a->answer.status = people[i].status;
				a->answer.threshold = people[i].threshold;
			}
	if (a->answer.status != ASK_LOCAL)
		return;
	a->answer.ntargets = 1;
	a->answer.targets = arena_array(a->mem, 1, 8);
	a->answer.targets[0] = 7;
}

static void *
resolve_later(void *arg)
{
	struct remote_ask *a = arg;

	resolve(a);
	a->done(a);
	return NULL;
}

bool
remote_ask(struct remote *r, struct remote_ask *a)
{
	(void)r;
	if (!str_starts(str_of(a->address), STR("bob@"))) {
		resolve(a);
		return true;
	}
	unsigned n = atomic_fetch_add(&nthreads, 1);
	threads[n % 64] = thread_start("house", resolve_later, a);
	return false;
}

/* ---- scanner and checks ---- */

_Atomic unsigned world_scans;
_Atomic bool world_calm;

static char *
read_message(int fd, uint64_t size, uint32_t offset)
{
	char *text = calloc(1, (size_t)size + 1);
	size_t got;

	assert_non_null(text);
	assert_int_equal(
		fs_pread(fd, text, (size_t)size - offset, offset, &got, NULL), RC_OK);
	return text;
}

enum rc
scan_ask(struct scanners *s, const struct scan_job *job, uint64_t until_ms,
	struct arena *mem, struct scanned *out, struct err *err)
{
	char *text = read_message(job->fd, job->size, job->offset);
	BUF_AUTO b = BUF(FACTS_MOST);
	struct facts f = { .date_s = INT64_MIN };

	(void)s;
	(void)until_ms;
	world_scans++;
	bool kills = strstr(text, "KILLS") != NULL && !world_calm;
	if (kills || strstr(text, "TOO MUCH") != NULL) {
		free(text);
		return err_set(err, kills ? RC_BAD : RC_PERM, "no facts");
	}
	f.forged = arena_array(mem, FACTS_FORGED, sizeof(*f.forged));
	for (char *p = text; p != NULL && *p != '\0'; p = strchr(p, '\n')) {
		p += *p == '\n';
		f.received += strncmp(p, "Received:", 9) == 0;
		if (strncmp(p, "X-Gatepost-", 11) == 0 ||
			strncmp(p, "Authentication-R", 16) == 0)
			f.forged[f.nforged++] = (uint32_t)(p - text);
	}
	char *lie = strstr(text, "LIES");
	for (unsigned i = 0; lie != NULL && i < 8; i++)
		f.forged[f.nforged++] = (uint32_t)(lie - text) + i;
	free(text);
	facts_pack(&b, &f);
	*out = (struct scanned){ .facts = f };
	return arena_copy(mem, buf_str(&b), &out->packed);
}

void
scanned_clear(struct scanned *s)
{
	s->njobs = 0;
}

void
finding_add(struct findings *f, const struct check *c, str detail)
{
	f->at[f->n++] = (struct finding){ c, c->score, true, false, detail };
}

static const struct check fake_check = { .name = STR_INIT("FAKE") };

enum rc
filter_look(const struct evidence *e, struct findings *f, struct err *err)
{
	char *text = read_message(e->fd, e->size, e->offset), *at;
	enum rc rc = RC_OK;

	f->at[f->n++] = (struct finding){ .check = &fake_check };
	if ((at = strstr(text, "SCORE=")) != NULL)
		f->at[0].score = (int32_t)strtol(at + 6, NULL, 10) * 1000;
	f->at[0].decisive = strstr(text, "VIRUS") != NULL;
	if (strstr(text, "TEMP") != NULL)
		rc = err_set(err, RC_TEMP, "a check is down");
	if (strstr(text, "FULL") != NULL)
		rc = err_set(err, RC_LIMIT, "no room");
	free(text);
	return rc;
}

enum rc
filter_sample(const struct evidence *e, struct findings *f, struct err *err)
{
	char *text = read_message(e->fd, e->size, e->offset);
	bool sample = strstr(text, "ATTACHED") != NULL;

	(void)err;
	free(text);
	f->at[0].decisive = false;
	return sample ? RC_OK : RC_NONE;
}

struct verdict
filter_judge(struct findings *f, const struct policy_of *p)
{
	struct verdict v = { .score = f->at[0].score, .reason = STR("because") };

	v.by_score = !f->at[0].decisive;
	if (f->at[0].decisive || (v.score >= p->threshold && !p->observe))
		v.what = VERDICT_REFUSE;
	return v;
}

void
filter_list(const struct findings *f, struct buf *out)
{
	buf_addf(out, STR_FMT "=%d.000", STR_ARG(f->at[0].check->name),
		f->at[0].score / 1000);
}

void
token_make(struct token *t)
{
	unsigned char bits[16];

	ids_random(bits, sizeof(bits));
	ids_base32(bits, sizeof(bits), t->text);
	memset(t->hash, t->text[0], sizeof(t->hash));
}

/* ---- the world ---- */

static void
open_held(struct world *w)
{
	const struct held_limits limits = { .keep_ms = 14ull * 24 * 3600 * 1000,
		.all_bytes = 1 << 30,
		.network_bytes = 1 << 30 };
	uint8_t public_key[SEAL_PUBLIC];

	seal_make_keys(public_key, w->held_key);
	w->gate.held = held_open(w->held_dir, public_key, &limits);
}

void
world_open(struct world *w, const char *settings)
{
	char text[1000];
	const struct session_kind *kind = &smtp_kind;

	log_least(LOG_ERROR_);
	memset(w, 0, sizeof(*w));
	(void)snprintf(text, sizeof(text),
		"hostname = mx.example.test\nport_offset = 20000\n"
		"[smtp]\nmin_free = 0\n%s%s\n",
		strstr(settings, "greet_delay") == NULL ? "greet_delay = 0\n" : "",
		settings);
	assert_int_equal(conf_parse(str_of(text), "test", &w->conf, NULL), RC_OK);
	(void)snprintf(w->folder, sizeof(w->folder), "%s", test_folder());
	int dir;
	assert_int_equal(fs_open_dir(AT_FDCWD, w->folder, &dir, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(dir, "incoming", 0700, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(dir, "journal/gate", 0700, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(dir, "held", 0700, NULL), RC_OK);
	assert_int_equal(fs_open_dir(dir, "held", &w->held_dir, NULL), RC_OK);
	assert_int_equal(fs_open_dir(dir, "incoming", &w->incoming, NULL), RC_OK);
	assert_int_equal(fs_open_dir(dir, "journal/gate", &w->journal_dir, NULL), RC_OK);
	fs_close(&dir);
	struct smtp_gate *g = &w->gate;
	struct journal_want want = { .dirfd = w->journal_dir, .incoming = w->incoming };
	g->incoming = w->incoming;
	assert_int_equal(journal_open(&want, &g->journal, NULL), RC_OK);
	g->once = once_new();
	open_held(w);
	g->verdicts = pool_new("verdict", 2, 100);
	struct tls *tls = client_tls_of("mx.example.test");
	assert_int_equal(service_new(w->conf, tls, 2, &g->service, NULL), RC_OK);
	tls_drop(&tls);
	smtp_gate_init(g);
	void *arg = g;
	int fd = client_listen(&w->port);
	service_listen(g->service, 1, &fd, &kind, &arg);
}

void
world_close(struct world *w)
{
	struct smtp_gate *g = &w->gate;

	assert_true(service_drain(g->service, clock_ms() + 10000));
	pool_free(&g->verdicts);
	for (unsigned i = 0; i < nthreads; i++)
		(void)pthread_join(threads[i], NULL);
	nthreads = 0;
	service_free(&g->service);
	smtp_gate_clear(g);
	journal_close(&g->journal);
	once_free(&g->once);
	held_close(&g->held);
	fs_close(&w->held_dir);
	fs_close(&w->incoming);
	fs_close(&w->journal_dir);
	conf_drop(&w->conf);
}

/* ---- the other side ---- */

struct client
client_open(struct world *w)
{
	return client_connect(w->port);
}

/* Where the reply ends that begins at c->at; 0: not all there. */
static size_t
reply_end(const struct client *c)
{
	str left = str_skip(buf_str(&c->in), c->at);
	size_t used = 0;

	for (;;) {
		size_t n = str_find(left, STR("\r\n"));

		if (n == left.len)
			return 0;
		bool last = n < 4 || left.ptr[3] == ' ';
		used += n + 2;
		left = str_skip(left, n + 2);
		if (last)
			return used;
	}
}

str
client_reply(struct client *c)
{
	size_t n;

	while ((n = reply_end(c)) == 0)
		if (!client_more(c))
			return STR("");
	str reply = { c->in.data + c->at, n };
	c->at += n;
	return reply;
}

static str
last_line(str reply)
{
	for (size_t i = reply.len < 2 ? 0 : reply.len - 2; i > 0; i--)
		if (reply.ptr[i - 1] == '\n')
			return str_skip(reply, i);
	return reply;
}

void
smtp_talk(struct client *c, const char *const lines[])
{
	for (; *lines != NULL; lines++) {
		str line = str_of(*lines), text = str_skip(line, 3);

		if (line.ptr[0] == 'C') {
			BUF_AUTO b = BUF(100000);

			buf_add(&b, text);
			buf_add(&b, STR("\r\n"));
			client_send(c, buf_str(&b));
			continue;
		}
		str got = last_line(client_reply(c));
		if (!str_starts(got, text))
			fail_msg("wanted \"%s\", got \"" STR_FMT "\"", *lines,
				STR_ARG(got));
	}
}

/* ---- what is left ---- */

char *
world_original(struct world *w, const struct msg_id *id, struct held_about *about,
	size_t *nfacts)
{
	int out = memfd_create("original", MFD_CLOEXEC);
	char *facts = NULL, *text;
	struct err err = { 0 };
	size_t got;
	enum rc rc = held_get(
		w->held_dir, id->text, w->held_key, out, about, &facts, nfacts, &err);

	if (rc != RC_OK) {
		fs_close(&out);
		return NULL;
	}
	free(facts);
	text = calloc(1, (size_t)about->size + 1);
	assert_non_null(text);
	assert_int_equal(
		fs_pread(out, text, (size_t)about->size + 1, 0, &got, NULL), RC_OK);
	assert_int_equal(got, about->size);
	fs_close(&out);
	return text;
}

static enum rc
next(struct journal_reader *r, struct journal_item *item)
{
	return journal_next(r, UINT64_MAX, item, NULL);
}

bool
world_record(struct world *w, size_t n, struct arena *mem, struct jrec_message *m)
{
	struct journal_reader *r;
	struct journal_item item;
	bool found = false;

	assert_int_equal(journal_read_open(w->journal_dir, 0, &r, NULL), RC_OK);
	while (!found && next(r, &item) == RC_OK)
		if (item.kind == JREC_MESSAGE && n-- == 0)
			found = jrec_get_message(item.payload, mem, m) == RC_OK;
	/* m looks into the payload: keep it for the test's lifetime */
	if (found) {
		str kept;

		assert_int_equal(arena_copy(mem, item.payload, &kept), RC_OK);
		assert_int_equal(jrec_get_message(kept, mem, m), RC_OK);
	}
	journal_read_close(&r);
	return found;
}

size_t
world_count(struct world *w, enum jrec_kind kind)
{
	struct journal_reader *r;
	struct journal_item item;
	size_t n = 0;

	assert_int_equal(journal_read_open(w->journal_dir, 0, &r, NULL), RC_OK);
	while (next(r, &item) == RC_OK)
		n += item.kind == kind;
	journal_read_close(&r);
	return n;
}

char *
world_file(struct world *w, const struct msg_id *id)
{
	char *data;
	size_t len;

	if (fs_read_all(w->incoming, id->text, 1 << 24, &data, &len, NULL) != RC_OK)
		return NULL;
	return data;
}

static bool
count(const char *name, void *arg)
{
	(void)name;
	++*(size_t *)arg;
	return true;
}

size_t
world_files(struct world *w)
{
	size_t n = 0;

	assert_int_equal(fs_each(w->incoming, ".", count, &n, NULL), RC_OK);
	return n;
}
