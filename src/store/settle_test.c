/* SPDX-License-Identifier: ISC */
/*
 * The power is cut after every single thing that was done to the disk, while a reader's
 * mailbox changes.  What is found afterwards must be exactly what the index was after one of
 * its commits: not before the last that somebody was told of (store_settle() had
 * returned), and none that had not begun.  So no flag, UID or modseq is lost or given twice.
 *
 * As many cuts as fit into the time, evenly; all with GATEPOST_POWER_ALL=1.
 */
#include <ftw.h>

#include "store/change.h"
#include "store/testing.h"
#include "store/view.h"
#include "test/power.h"

enum { WHO = 7, INBOX = 1, ARCHIVE = 4, STATES = 400, SECONDS = 20, SEEDS = 2 };

/* The index after a commit. */
struct state {
	uint8_t digest[32];
	size_t begun, settled; /* events; settled 0: nobody was told */
};

static struct state states[STATES];
static size_t nstates;

struct play {
	int data;
	struct store *s;
	uint64_t seq;
	uint32_t uidnext;
};

static void
must(enum rc rc, const struct err *err)
{
	if (rc != RC_OK)
		fail_msg("%s", err->text);
}

/* All that a client can be told of. */
static void
digest_of(struct store *s, uint8_t out[32])
{
	static const char *const questions[] = {
		"SELECT mailbox_id || ' ' || uid || ' ' || msgid || ' ' || flags || ' ' || keywords"
		" || ' ' || modseq FROM mailbox_email WHERE account_id = 7",
		"SELECT mailbox_id || ' ' || block || ' ' || hex(data) FROM mailbox_mark"
		" WHERE account_id = 7",
		"SELECT mailbox_id || ' ' || name || ' ' || uidvalidity || ' ' || uidnext || ' ' ||"
		" messages || ' ' || unseen || ' ' || modseq FROM mailbox WHERE account_id = 7",
		"SELECT mailbox_id || ' ' || uid || ' ' || modseq FROM expunged WHERE account_id = 7",
		"SELECT modseq || ' ' || messages FROM account WHERE account_id = 7",
	};
	BUF_AUTO all = BUF(1 << 20);

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		struct db_stmt *q = db_prepare(s->shards[WHO].db, questions[i], NULL);

		assert_non_null(q);
		while (db_step(q, NULL) == RC_OK) {
			buf_add(&all, db_str(q, 0));
			buf_addc(&all, '\n');
		}
	}
	assert_true(buf_ok(&all));
	sha256(buf_str(&all), out);
}

static void
begun(void)
{
	assert_true(nstates < STATES);
	states[nstates] = (struct state){ .begun = power_events() };
}

static void
done(struct play *p, bool settled)
{
	digest_of(p->s, states[nstates].digest);
	states[nstates++].settled = settled ? power_events() : 0;
}

static void
arrive(struct play *p)
{
	struct mail m = make_mail(p->data, "", NULL);
	struct store_apply a = delivery(&m, ++p->seq, WHO);
	struct err err = { 0 };

	begun();
	must(store_deliver(p->s, "gate", &a, 1, p->seq, &err), &err);
	done(p, false);
	buf_free(&m.facts);
	p->uidnext++;
}

static void
change(struct play *p, uint32_t uid, unsigned flags, const char *keywords)
{
	const struct change_flags c = {
		.how = CHANGE_SET, .flags = flags, .keywords = str_of(keywords)
	};
	struct err err = { 0 };
	uint64_t modseq;

	begun();
	must(change_flags(p->s, (struct store_place){ WHO, INBOX }, &uid, 1, &c, &modseq,
		     NULL, NULL, &err),
		&err);
	done(p, true);
}

static void
move(struct play *p, uint32_t uid)
{
	struct change_copied c = { .from = (uint32_t[1]){ 0 }, .to = (uint32_t[1]){ 0 } };
	struct err err = { 0 };
	uint64_t modseq;

	begun();
	must(change_move(p->s, (struct store_place){ WHO, INBOX }, ARCHIVE, &uid, 1, &c,
		     &modseq, &err),
		&err);
	done(p, true);
}

static void
remove_one(struct play *p, uint32_t uid)
{
	struct err err = { 0 };

	begun();
	must(store_expunge(p->s, WHO, STR("INBOX"), uid, &err), &err);
	done(p, true);
}

/* A client hears how it is. */
static void
tell(struct play *p)
{
	struct err err = { 0 };
	struct view_now now;
	struct view *v;

	must(view_open(p->s, WHO, INBOX, &v, &err), &err);
	must(view_now(v, &now, &err), &err);
	states[nstates - 1].settled = power_events();
	view_list_drop(&now.list);
	view_close(&v);
}

/* The WAL is written back and begun anew, without anything else being synced. */
static void
begin_wal_anew(struct play *p)
{
	struct err err = { 0 };

	must(db_checkpoint(p->s->shards[WHO].db, &err), &err);
}

static void
play_round(struct play *p, uint32_t round)
{
	uint32_t first = p->uidnext;

	for (int i = 0; i < 4; i++)
		arrive(p);
	tell(p);
	change(p, first, STORE_SEEN, "");
	arrive(p);
	arrive(p);
	if (round % 2 == 1)
		begin_wal_anew(p);
	arrive(p);
	tell(p);
	change(p, first + 1, STORE_FLAGGED, "$Junk a b");
	move(p, first + 2);
	arrive(p);
	remove_one(p, first);
	if (round % 3 == 2) {
		struct err err = { 0 };

		must(store_checkpoint(p->s, &err), &err);
		states[nstates - 1].settled = power_events();
	}
	arrive(p);
}

static void
scenario(int data)
{
	struct play p = { .data = data, .s = open_store(data), .uidnext = 1 };

	begun();
	done(&p, true);
	for (uint32_t round = 0; round < 5; round++) {
		play_round(&p, round);
		if (round == 2) { /* another process, without a checkpoint between */
			store_close(&p.s);
			p.s = open_store(data);
		}
	}
	store_close(&p.s);
}

/* --- after the cut --- */

struct cuts {
	const struct world *w;
	const char *path;
	size_t events;
	unsigned done, failed;
};

/* The state it is in, or STATES. */
static size_t
state_found(const char *path)
{
	struct err err = { 0 };
	uint8_t digest[32];
	struct store *s;
	FD_AUTO data = -1;
	size_t i = nstates;

	assert_int_equal(fs_open_dir(AT_FDCWD, path, &data, NULL), RC_OK);
	if (store_open(&(struct store_want){ .data = data, .cache_bytes = 65536 }, &s,
		    &err) != RC_OK) {
		print_error("%s\n", err.text);
		return STATES;
	}
	digest_of(s, digest);
	while (i > 0 && memcmp(states[i - 1].digest, digest, sizeof(digest)) != 0)
		i--;
	store_close(&s);
	return i == 0 ? STATES : i - 1;
}

static int
remove_path(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
one_cut(struct cuts *c, enum power_mode mode, uint64_t seed)
{
	static const char *const words[] = { "all", "synced", "random" };
	size_t least = 0, most = 0, found;
	char event[200];

	for (size_t i = 0; i < nstates; i++) {
		if (states[i].settled != 0 && states[i].settled <= c->events)
			least = i;
		if (states[i].begun <= c->events)
			most = i;
	}
	world_write(c->w, mode, seed, c->path);
	found = state_found(c->path);
	if (found < least || found > most) {
		power_describe(c->events, event);
		print_error("cut before event %zu (%s), %s, seed %" PRIu64
			    ": state %zu, not %zu to %zu\n",
			c->events, event, words[mode], seed, found, least, most);
		c->failed++;
	}
	c->done++;
	(void)nftw(c->path, remove_path, 32, FTW_DEPTH | FTW_PHYS);
}

static void
all_of(struct cuts *c)
{
	one_cut(c, POWER_ALL, 0);
	one_cut(c, POWER_SYNCED, 0);
	for (uint64_t seed = 0; seed < SEEDS; seed++)
		one_cut(c, POWER_RANDOM, c->events * 5 + seed);
}

static void
all_cuts(struct cuts *c)
{
	size_t total = power_events(), from = states[0].settled, step = 1;
	struct world *w = world_new();
	uint64_t start = clock_ms();

	c->w = w;
	for (size_t n = from; n <= total && c->failed < 10; n += step) {
		world_advance(w, n);
		c->events = n;
		all_of(c);
		if (n == from && getenv("GATEPOST_POWER_ALL") == NULL)
			step = 1 + (clock_ms() - start + 1) * (total - from) /
					   (SECONDS * 1000);
	}
	print_message("%u cuts, %zu events, every %zu-th, in %" PRIu64 " s\n", c->done,
		total, step, (clock_ms() - start) / 1000);
	world_free(&w);
}

static const char *
quick_folder(void)
{
	static char path[] = "/dev/shm/gatepost-settle-XXXXXX";

	return mkdtemp(path) != NULL ? path : test_folder();
}

TEST(whatever_the_power_takes_nothing_a_client_was_told_is_taken_back)
{
	const char *root = test_folder();
	struct cuts c = { .path = quick_folder() };
	FD_AUTO data = -1;
	struct store *s;

	assert_int_equal(fs_open_dir(AT_FDCWD, root, &data, NULL), RC_OK);
	assert_int_equal(fs_mkdirs(data, "incoming", 0700, NULL), RC_OK);
	s = open_store(data);
	assert_int_equal(store_account_make(s, WHO, NULL), RC_OK);
	assert_int_equal(store_checkpoint(s, NULL), RC_OK);
	store_close(&s);
	power_record(root);
	scenario(data);
	power_stop();
	all_cuts(&c);
	(void)nftw(c.path, remove_path, 32, FTW_DEPTH | FTW_PHYS);
	assert_int_equal(c.failed, 0);
}
