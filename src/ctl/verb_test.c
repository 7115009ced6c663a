/* SPDX-License-Identifier: ISC */
#include <fcntl.h>

#include "base/fs.h"
#include "ctl/ctl_int.h"
#include "deliver/deliver_int.h"
#include "test/test.h"

struct fixture {
	struct verb_io io;
	struct buf out;
};

static void
on_out(struct verb_io *io, str bytes)
{
	buf_add(&((struct fixture *)io->arg)->out, bytes);
}

static void
set_up(struct fixture *f)
{
	const struct conf *conf;

	*f = (struct fixture){ .out = BUF(1 << 20), .io = { .data = -1, .out = on_out } };
	f->io.arg = f;
	f->io.mem = arena_new(16 << 20);
	assert_int_equal(
		conf_parse(STR("hostname = mx.example.test\n"), "test", &conf, NULL),
		RC_OK);
	f->io.conf = conf;
	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &f->io.data, NULL), RC_OK);
	for (const char *const *p = (const char *const[]){ "incoming", "index",
		     "accounts", "ledger", "journal/gate", "journal/house", NULL };
		*p != NULL; p++)
		assert_int_equal(fs_mkdirs(f->io.data, *p, 0700, NULL), RC_OK);
	struct directory_want dw = { .data = f->io.data, .conf = conf };
	struct store_want sw = { .data = f->io.data, .cache_bytes = 1 << 20 };
	struct ledger_want lw = { .data = f->io.data };
	assert_int_equal(directory_open(&dw, &f->io.directory, NULL), RC_OK);
	assert_int_equal(store_open(&sw, &f->io.store, NULL), RC_OK);
	struct refusals_want rw = { .data = f->io.data };
	assert_int_equal(ledger_open(&lw, &f->io.ledger, NULL), RC_OK);
	assert_int_equal(refusals_open(&rw, &f->io.refusals, NULL), RC_OK);
}

static void
tear_down(struct fixture *f)
{
	refusals_close(&f->io.refusals);
	ledger_close(&f->io.ledger);
	store_close(&f->io.store);
	directory_close(&f->io.directory);
	conf_drop(&f->io.conf);
	arena_free(&f->io.mem);
	fs_close(&f->io.data);
	buf_free(&f->out);
}

#define FIXTURE __attribute__((cleanup(tear_down))) struct fixture

/* Words as on the command line, without quoting. */
static enum verb_exit
run(struct fixture *f, const char *line)
{
	char words[400], *argv[VERB_ARGS + 1] = { NULL };
	int argc = 0, used = 0;

	assert_true(str_z(str_of(line), words, sizeof(words)));
	buf_clear(&f->out);
	f->io.err = (struct err){ 0 };
	for (char *p = words; *p != '\0';) {
		argv[argc++] = p;
		p += strcspn(p, " ");
		if (*p == ' ')
			*p++ = '\0';
	}
	f->io.json = verb_switch(&argc, argv, "--json");
	const struct verb *v = verb_find(argc, argv, &used);
	assert_non_null(v);
	return v->run(&f->io, argc - used, argv + used);
}

static void
does(struct fixture *f, const char *line)
{
	if (run(f, line) != VERB_DONE)
		fail_msg("%s: %s", line, f->io.err.text);
}

static void
fails(struct fixture *f, const char *line, enum verb_exit how, const char *why)
{
	assert_int_equal(run(f, line), how);
	if (strstr(f->io.err.text, why) == NULL)
		fail_msg("%s: \"%s\" does not say \"%s\"", line, f->io.err.text, why);
}

static bool
said(struct fixture *f, const char *what)
{
	return strstr(buf_z(&f->out), what) != NULL;
}

TEST(every_verb_can_be_found_by_its_words_and_the_longest_wins)
{
	char *words[] = { (char[]){ "account" }, (char[]){ "app-password" },
		(char[]){ "list" }, (char[]){ "x@a.test" } };
	int used = 0;

	assert_string_equal(
		verb_find(4, words, &used)->words, "account app-password list");
	assert_int_equal(used, 3);
	assert_null(verb_find(1, words, &used));
	for (const struct verb *v = verbs; v->words != NULL; v++)
		assert_non_null(v->run);
}

TEST(an_administrator_can_make_and_see_people)
{
	FIXTURE f;

	set_up(&f);
	does(&f, "domain add example.test");
	does(&f, "domain alias www.example.test example.test");
	f.io.input = STR("open sesame\nand more\n");
	does(&f, "account add alice@example.test --password-stdin --quota 10M");
	does(&f, "alias add sales@example.test alice@example.test");
	does(&f, "domain list");
	assert_true(said(&f, "www.example.test\talias of example.test"));
	does(&f, "account list");
	assert_true(said(&f, "alice@example.test\t10.0 MiB"));
	does(&f, "account show alice@example.test --json");
	assert_true(said(&f, "\"quota\":10485760"));
	does(&f, "alias list");
	assert_true(said(&f, "sales@example.test\talice@example.test"));
	does(&f, "explain sales+x@www.example.test");
	assert_true(said(&f, "is an alias of the domain example.test"));
	assert_true(said(&f, "alice@example.test (account number 2)"));
	does(&f, "account disable alice@example.test");
	does(&f, "explain alice@example.test --json");
	assert_true(said(&f, "\"status\":\"disabled\""));
	does(&f, "account enable alice@example.test");
	does(&f, "mailbox list alice@example.test");
	assert_true(said(&f, "INBOX\t0 messages"));
	does(&f, "mailbox read alice@example.test");
	does(&f, "alias remove sales@example.test");
	does(&f, "account remove alice@example.test");
	does(&f, "explain alice@example.test");
	assert_true(said(&f, "550 5.1.1"));
}

static void
notice_delivery(void *arg)
{
	struct fixture *f = arg;

	if (f->io.apply != NULL && pthread_mutex_trylock(&f->io.apply->turn->work) == 0) {
		(void)pthread_mutex_unlock(&f->io.apply->turn->work);
		fail_msg("mail could be delivered between the two removals");
	}
}

TEST(nothing_is_delivered_to_a_postmaster_that_is_being_removed)
{
	FIXTURE f;

	set_up(&f);
	directory_close(&f.io.directory);
	struct directory_want dw = { .data = f.io.data,
		.conf = f.io.conf,
		.changed = notice_delivery,
		.arg = &f };
	assert_int_equal(directory_open(&dw, &f.io.directory, NULL), RC_OK);
	does(&f, "domain add a.test");
	struct apply_want aw = { .data = f.io.data,
		.journal = "gate",
		.directory = f.io.directory,
		.store = f.io.store,
		.ledger = f.io.ledger,
		.refusals = f.io.refusals };
	assert_int_equal(apply_open(&aw, &f.io.apply, NULL), RC_OK);
	does(&f, "domain remove a.test");
	apply_hold(f.io.apply); /* and it goes on after that */
	apply_release(f.io.apply);
	apply_close(&f.io.apply);
}

TEST(what_cannot_be_done_says_why)
{
	FIXTURE f;

	set_up(&f);
	fails(&f, "domain add", VERB_USAGE, "usage: gatepost -c FILE domain add NAME");
	fails(&f, "domain add no..name", VERB_FAILED, "not a domain name");
	fails(&f, "account add x@none.test", VERB_FAILED, "domain add");
	fails(&f, "account show x@none.test --frob", VERB_USAGE, "--frob");
	does(&f, "domain add a.test");
	fails(&f, "account add x@a.test --quota many", VERB_USAGE, "not a size");
	fails(&f, "account password postmaster@a.test", VERB_USAGE, "--password-stdin");
	fails(&f, "account password postmaster@a.test --password-stdin", VERB_FAILED,
		"no password");
	fails(&f, "mailbox read postmaster@a.test Nowhere", VERB_FAILED, "no mailbox");
	fails(&f, "mailbox read postmaster@a.test INBOX 7", VERB_FAILED, "UID 7");
	fails(&f, "alias add x@a.test y@elsewhere.test", VERB_FAILED,
		"not on this server");
	fails(&f, "policy set a.test frob=1", VERB_USAGE, "frob");
	fails(&f, "domain remove a.test x", VERB_USAGE, "usage");
	fails(&f, "ledger --since yesterday", VERB_USAGE, "not a time");
}

TEST(a_policy_is_set_as_it_is_shown)
{
	FIXTURE f;

	set_up(&f);
	does(&f, "domain add a.test");
	does(&f, "policy set a.test threshold=7.25 filter=observe");
	does(&f, "policy show a.test");
	assert_true(said(&f, "threshold=7.25\nfilter=observe\n"));
	does(&f, "policy set a.test threshold=default");
	does(&f, "policy show a.test --json");
	assert_true(said(&f, "\"threshold\":null,\"filter\":\"observe\""));
}

TEST(a_file_of_accounts_is_taken_whole_or_not_at_all)
{
	FIXTURE f;

	set_up(&f);
	does(&f, "domain add a.test");
	f.io.input = STR(
		"# people\n\none@a.test\r\ntwo@a.test\topen sesame\nthree@a.test x y\n");
	does(&f, "account add --from-file -");
	assert_true(said(&f, "3 accounts added"));
	f.io.input = STR("four@a.test\none@a.test\n");
	fails(&f, "account add --from-file -", VERB_FAILED,
		"already an account one@a.test");
	does(&f, "account list a.test");
	assert_false(said(&f, "four@"));
}

TEST(sizes_and_scores_are_read_as_written)
{
	char text[VERB_SIZE_TEXT];
	uint64_t size;
	int32_t fix;

	assert_true(verb_size("10g", &size));
	assert_int_equal(size, 10ull << 30);
	assert_false(verb_size("10x", &size));
	assert_false(verb_size("", &size));
	assert_true(verb_fix("5", &fix));
	assert_int_equal(fix, 5000);
	assert_true(verb_fix("0.05", &fix));
	assert_int_equal(fix, 50);
	assert_false(verb_fix("5.0001", &fix));
	assert_false(verb_fix("-1", &fix));
	verb_size_text(1536, text);
	assert_string_equal(text, "1.5 KiB");
}
