/* SPDX-License-Identifier: ISC */
/*
 * The command line: finds the verb, and the place where it is to run (ctl/verb.h).
 * Exit status: 0 done, 1 it could not be done, 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "ctl/client.h"
#include "ctl/ctl_proto.h"
#include "ctl/run.h"
#include "ctl/shown.h"
#include "daemon/acme.h"
#include "daemon/child.h"
#include "daemon/instance.h"
#include "filter/filter.h"

static const char standard_conf[] = "/etc/gatepost/gatepost.conf";

enum { RETRY_MS = 5000, PAUSE_US = 50000, VERB_MEMORY = 256 * 1024 * 1024 };

struct command {
	const char *conf_path;
	const struct verb *verb;
	int argc; /* the words, --json among them */
	char **argv;
	struct buf input;
};

static void
help(FILE *to)
{
	(void)fprintf(to,
		"usage: gatepost [-c FILE] COMMAND ... [--json]\n"
		"FILE is %s unless it is given.\n\n",
		standard_conf);
	for (const struct verb *v = verbs; v->words != NULL; v++)
		(void)fprintf(to, "  %s %s\n\t%s\n", v->words, v->usage, v->doc);
	(void)fprintf(
		to, "\nExit status: 0 done, 1 it could not be done, 2 wrong usage.\n");
}

static int
finish(enum verb_exit how, const struct err *err)
{
	if (!shown_flush() && how == VERB_DONE)
		how = VERB_FAILED;
	if (err->text[0] != '\0')
		(void)fprintf(stderr, "gatepost: %s\n", err->text);
	return (int)how;
}

static int
fail(const struct err *err)
{
	return finish(VERB_FAILED, err);
}

static void
to_stdout(struct verb_io *io, str bytes)
{
	(void)io;
	(void)shown_write(bytes);
}

/* --- input --- */

static enum rc
read_input(int fd, struct buf *out, struct err *err)
{
	char part[65536];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "the input");
		buf_add(out, (str){ part, (size_t)n });
	}
	if (!buf_ok(out))
		return err_set(err, RC_BAD, "the input is larger than %d MiB",
			CTL_INPUT_BYTES >> 20);
	return RC_OK;
}

/* Verbs open no files of the caller: what they are to read is read here. */
static enum rc
take_input(struct command *c, struct err *err)
{
	bool from_stdin = false;

	if ((c->verb->flags & VERB_INPUT) == 0)
		return RC_OK;
	for (int i = 0; i < c->argc; i++) {
		if (strcmp(c->argv[i], "--from-file") == 0 && i + 1 < c->argc &&
			strcmp(c->argv[i + 1], "-") != 0) {
			FD_AUTO fd = -1;
			enum rc rc = fs_open(
				AT_FDCWD, c->argv[i + 1], O_RDONLY, 0, &fd, err);

			return rc == RC_OK ? read_input(fd, &c->input, err) : rc;
		}
		from_stdin = from_stdin || strcmp(c->argv[i], "-") == 0 ||
			     strcmp(c->argv[i], "--password-stdin") == 0;
	}
	return from_stdin ? read_input(STDIN_FILENO, &c->input, err) : RC_OK;
}

/* --- where it runs --- */

/* Those that open, lock and become what they need themselves. */
static enum verb_exit
run_here(struct command *c, struct err *err)
{
	struct verb_io io = { .conf_path = c->conf_path, .data = -1, .out = to_stdout };
	enum verb_exit how;

	io.mem = arena_new(VERB_MEMORY);
	how = run_words(&io, true, c->argc, c->argv);
	*err = io.err;
	arena_free(&io.mem);
	return how;
}

/* No server: with the owner's rights, the lock being held. */
static enum verb_exit
run_alone(struct command *c, const struct instance *in, struct err *err)
{
	const struct directory_want d = { .data = in->data, .conf = in->conf };
	const struct store_want s = { .data = in->data,
		.cache_bytes = (size_t)in->conf->store.cache };
	const struct ledger_want l = { .data = in->data };
	const struct refusals_want r = { .data = in->data,
		.keep_ms = in->conf->held.keep };
	struct verb_io io = { .conf = in->conf,
		.conf_path = c->conf_path,
		.data = in->data,
		.input = buf_str(&c->input),
		.out = to_stdout };
	enum verb_exit how = VERB_FAILED;

	struct held_keys keys = { 0 };
	char who[64];

	(void)snprintf(who, sizeof(who), "user %u (command line)", (unsigned)getuid());
	io.who = str_of(who);
	/* read by who may; verbs that need them say that they are missing */
	if (instance_held_keys(in, &keys, NULL) == RC_OK && keys.has_private)
		io.held_key = keys.private_key;
	if (instance_become_owner(in, err) != RC_OK)
		return VERB_FAILED;
	io.mem = arena_new(VERB_MEMORY);
	if (directory_open(&d, &io.directory, &io.err) == RC_OK &&
		store_open(&s, &io.store, &io.err) == RC_OK &&
		ledger_open(&l, &io.ledger, &io.err) == RC_OK &&
		refusals_open(&r, &io.refusals, &io.err) == RC_OK)
		how = run_words(&io, false, c->argc, c->argv);
	*err = io.err;
	if (io.refusals != NULL)
		refusals_close(&io.refusals);
	if (io.ledger != NULL)
		ledger_close(&io.ledger);
	if (io.store != NULL)
		store_close(&io.store);
	if (io.directory != NULL)
		directory_close(&io.directory);
	arena_free(&io.mem);
	wipe(&keys, sizeof(keys));
	return how;
}

/* The server if there is one; the lock if there is none; and again for a while
 * when one is just starting, ending, or has lost its house. */
static enum verb_exit
run_there(struct command *c, struct instance *in, struct err *err)
{
	uint64_t until = clock_ms() + RETRY_MS;
	enum verb_exit how = VERB_FAILED;

	for (;;) {
		FD_AUTO fd = -1;
		enum rc rc = client_connect(in->run, &fd, err);

		if (rc == RC_OK) {
			*err = (struct err){ 0 };
			rc = client_run(
				fd, c->argc, c->argv, buf_str(&c->input), &how, err);
		} else if (rc == RC_NONE) {
			rc = instance_lock(in, err);
			if (rc == RC_OK) {
				*err = (struct err){ 0 };
				return run_alone(c, in, err);
			}
		}
		if (rc != RC_LIMIT || clock_ms() >= until)
			return rc == RC_OK ? how : VERB_FAILED;
		(void)usleep(PAUSE_US);
	}
}

static int
run_command(struct command *c)
{
	struct instance in = INSTANCE_NONE;
	struct err err = { 0 };
	enum verb_exit how;

	if ((c->verb->flags & VERB_LOCAL) != 0) {
		how = run_here(c, &err);
		return finish(how, &err);
	}
	if (instance_open(c->conf_path, &in, &err) != RC_OK ||
		take_input(c, &err) != RC_OK)
		return fail(&err);
	how = run_there(c, &in, &err);
	instance_close(&in);
	return finish(how, &err);
}

/* --- words --- */

static int
child(int argc, char **argv)
{
	uint64_t fd;

	if (argc != 4 || !str_u64(str_of(argv[3]), 1 << 20, &fd))
		return 2;
	return child_main(argv[2], (int)fd);
}

/* uacme knows no words for its hook but its name. */
static bool
is_hook(const char *called)
{
	const char *slash = strrchr(called, '/');

	return strcmp(slash == NULL ? called : slash + 1, ACME_HOOK) == 0;
}

static bool
find_verb(struct command *c)
{
	char **words = calloc((size_t)c->argc + 1, sizeof(*words));
	int n = c->argc, used;

	if (words == NULL)
		abort();
	for (int i = 0; i < n; i++)
		words[i] = c->argv[i];
	while (verb_switch(&n, words, "--json"))
		;
	c->verb = verb_find(n, words, &used);
	free(words);
	return c->verb != NULL;
}

int
main(int argc, char **argv)
{
	struct command c = { .conf_path = standard_conf, .input = BUF(CTL_INPUT_BYTES) };
	BUF_AUTO manual = BUF(1 << 20);

	if (argc > 1 && strcmp(argv[1], "--child") == 0)
		return child(argc, argv);
	if (argc == 3 && strcmp(argv[1], "--acme") == 0)
		return acme_main(argv[2]);
	if (argc > 0 && is_hook(argv[0]))
		return acme_hook_main(argc, argv);
	if (argc > 2 && strcmp(argv[1], "-c") == 0) {
		c.conf_path = argv[2];
		argc -= 2;
		argv += 2;
	}
	c.argc = argc - 1;
	c.argv = argv + 1;
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("gatepost %s\n", GATEPOST_VERSION) < 0;
	if (argc == 2 && strcmp(argv[1], "--manual-settings") == 0) {
		conf_manual(&manual);
		return fputs(buf_z(&manual), stdout) < 0;
	}
	if (argc == 2 && strcmp(argv[1], "--manual-checks") == 0) {
		filter_manual(&manual);
		return fputs(buf_z(&manual), stdout) < 0;
	}
	if (argc < 2 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(argc < 2 ? stderr : stdout);
		return argc < 2 ? VERB_USAGE : VERB_DONE;
	}
	if (!find_verb(&c)) {
		(void)fprintf(stderr,
			"gatepost: there is no command \"%.60s\"; "
			"gatepost --help lists them\n",
			argv[1]);
		return VERB_USAGE;
	}
	int status = run_command(&c);
	buf_free(&c.input);
	return status;
}
