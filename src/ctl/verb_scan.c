/* SPDX-License-Identifier: ISC */
/*
 * scan: what would be said to a message if it came in now: what the scanner finds, what
 * the checks make of it, and the answer.  The message is taken apart in a cage
 * (ctl/caged_scan.h); clamd is asked as for mail.
 */
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "ctl/caged.h"
#include "ctl/caged_scan.h"
#include "ctl/ctl_int.h"
#include "filter/checks/checks.h"
#include "filter/clamd.h"
#include "wire/smtp_reply.h"

enum { MEMORY = 256 * 1024 * 1024, CLAMD_CONF = 1 << 20, SAID = 1 << 20 };

struct scan {
	struct verb_io *io;
	const struct conf *conf;
	const char *client, *helo, *from, *to;
	int fd; /* a copy of the message */
	uint64_t size;
	struct arena *mem;
	struct caged_scan found;
	struct findings findings;
	struct policy_of policy;
	struct verdict verdict;
	enum rc looked; /* RC_OK: there is a verdict */
	struct clamd *clamd;
	bool without_clamd; /* it could not be asked: the server would answer 451 */
	char reply[SMTP_REPLY_MOST + 1];
	struct err why;
};

/* ---- the message ---- */

static enum rc
copy_message(struct scan *s, const char *file, struct err *err)
{
	FD_AUTO opened = -1;
	char piece[65536];
	ssize_t n;
	enum rc rc = RC_OK;

	s->fd = memfd_create("message", MFD_CLOEXEC);
	if (s->fd < 0)
		return err_errno(err, "memory for the message");
	if (strcmp(file, "-") != 0)
		rc = fs_open(AT_FDCWD, file, O_RDONLY | O_NOCTTY, 0, &opened, err);
	if (rc == RC_NONE)
		return err_set(err, rc, "there is no file %.200s", file);
	while (rc == RC_OK &&
		(n = read(opened < 0 ? 0 : opened, piece, sizeof(piece))) != 0) {
		if (n < 0)
			return err_errno(err, "the message");
		s->size += (size_t)n;
		if (s->size > CAGED_INPUT)
			return err_set(err, RC_PERM, "the message is larger than %d MiB",
				CAGED_INPUT >> 20);
		rc = fs_append(s->fd, (str){ piece, (size_t)n }, err);
	}
	return rc;
}

/* ---- the recipient's policy ---- */

/* Another command of ours, with --json: it knows how to ask a running server. */
static json_t *
ask_self(struct scan *s, const char *const words[3])
{
	char *argv[] = { (char[]){ "gatepost" }, (char[]){ "-c" },
		strdup(s->io->conf_path), strdup(words[0]), strdup(words[1]),
		words[2] == NULL ? (char[]){ "--json" } : strdup(words[2]),
		words[2] == NULL ? NULL : (char[]){ "--json" }, NULL };
	posix_spawn_file_actions_t actions;
	BUF_AUTO said = BUF(SAID);
	char piece[4096];
	int ends[2], status = 1;
	pid_t pid = -1;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return NULL;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	int failed = posix_spawn(&pid, "/proc/self/exe", &actions, NULL, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)close(ends[1]);
	while (failed == 0 && (n = read(ends[0], piece, sizeof(piece))) > 0)
		buf_add(&said, (str){ piece, (size_t)n });
	(void)close(ends[0]);
	if (failed == 0)
		(void)waitpid(pid, &status, 0);
	free(argv[2]);
	free(argv[3]);
	free(argv[4]);
	if (words[2] != NULL)
		free(argv[5]);
	return failed == 0 && status == 0 ? json_loadb(said.data, said.len, 0, NULL)
					  : NULL;
}

static void
take_policy(struct scan *s, const json_t *said)
{
	const json_t *threshold = json_object_get(said, "threshold");
	const char *filter = json_string_value(json_object_get(said, "filter"));

	if (json_is_number(threshold))
		s->policy.threshold = (int32_t)(json_number_value(threshold) * 1000 +
						0.5);
	if (filter != NULL && strcmp(filter, "observe") == 0)
		s->policy.observe = true;
}

static enum rc
find_policy(struct scan *s, struct err *err)
{
	enum { STANDARD = 5000 };
	const char *const all[3] = { "policy", "show", "all" };
	const char *const to[3] = { "explain", s->to, NULL };
	json_t *said = ask_self(s, s->to != NULL ? to : all);

	s->policy = (struct policy_of){ STANDARD, false };
	s->policy.observe = s->conf->server.filter == CONF_OBSERVE;
	if (said == NULL && s->to != NULL)
		return err_set(
			err, RC_TEMP, "the policy of %.200s cannot be found out", s->to);
	if (said != NULL)
		take_policy(s, said);
	const char *status = json_string_value(json_object_get(said, "status"));
	enum rc rc = RC_OK;
	if (status != NULL && strcmp(status, "local") != 0)
		rc = err_set(err, RC_NONE, "mail to %.200s would not be taken: %.20s",
			s->to, status);
	json_decref(said);
	return rc;
}

/* ---- the verdict ---- */

static void
make_clamd(struct scan *s)
{
	struct clamd_limits limits;
	char *text = NULL;
	size_t len = 0;

	if (str_empty(s->conf->clamav.socket))
		return;
	s->clamd = clamd_new(s->conf);
	(void)!fs_read_all(
		AT_FDCWD, s->conf->clamav.conf.ptr, CLAMD_CONF, &text, &len, NULL);
	if (clamd_limits_read((str){ text, len }, &limits, NULL) == RC_OK)
		clamd_set_limits(s->clamd, &limits);
	free(text);
}

static void
look(struct scan *s)
{
	struct evidence e = { .conf = s->conf,
		.fd = s->fd,
		.size = s->size,
		.facts = &s->found.scanned.facts,
		.content = &s->found.scanned.content,
		.jobs = s->found.scanned.jobs,
		.njobs = s->found.scanned.njobs,
		.helo = str_of(s->helo),
		.from = str_of(s->from),
		.clamd = s->clamd,
		.until_ms = clock_ms() + s->conf->smtp.verdict_timeout };

	(void)ip_parse(str_of(s->client), &e.client);
	s->findings.mem = s->mem;
	if (s->found.unreadable) {
		finding_add(&s->findings, &check_unreadable, STR(""));
	} else {
		s->looked = filter_look(&e, &s->findings, &s->why);
		if (s->looked == RC_TEMP && s->clamd != NULL) {
			s->without_clamd = true;
			s->findings.n = 0;
			e.clamd = NULL;
			s->looked = filter_look(&e, &s->findings, NULL);
		}
	}
	s->verdict = filter_judge(&s->findings, &s->policy);
}

/* As it would be, but for what is made for each answer: token and id. */
static void
make_reply(struct scan *s)
{
	BUF_AUTO b = BUF(2 * SMTP_REPLY_MOST);
	char link[340];

	if (s->without_clamd || s->looked != RC_OK) {
		smtp_put_reply(&b, 451, "4.3.0",
			STR("the message cannot be checked at the moment, please try "
			    "again later"));
	} else if (s->verdict.what == VERDICT_DELIVER) {
		smtp_put_reply(&b, 250, "2.6.0", STR("ID accepted"));
	} else {
		conf_link_base(s->conf, link);
		size_t n = strlen(link);
		(void)snprintf(link + n, sizeof(link) - n, "TOKEN");
		smtp_put_refusal(
			&b, 550, "5.7.1", str_of(link), s->verdict.reason, STR("ID"));
	}
	(void)snprintf(s->reply, sizeof(s->reply), "%s", buf_z(&b));
	s->reply[strcspn(s->reply, "\r")] = '\0';
}

/* ---- what is shown ---- */

static const char *
outcome(const struct scan *s)
{
	if (s->without_clamd || s->looked != RC_OK)
		return "not now";
	return s->verdict.what == VERDICT_REFUSE ? "refused" : "delivered";
}

static json_t *
findings_json(const struct scan *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];

		(void)json_array_append_new(list,
			json_pack("{s:o, s:f, s:b, s:o, s:s, s:o}", "name",
				verb_json_str(f->check->name), "score", f->score / 1000.0,
				"decisive", f->decisive, "detail",
				verb_json_str(f->detail), "about", f->check->doc, "group",
				verb_json_str(filter_group_sentence(f->check->group))));
	}
	return list;
}

/* What the child said stands before it, as it is. */
static void
show_json(struct scan *s)
{
	json_t *all = json_pack("{s:o, s:f, s:f, s:s, s:s, s:o, s:s, s:o}", "findings",
		findings_json(s), "score", s->verdict.score / 1000.0, "threshold",
		s->policy.threshold / 1000.0, "filter",
		s->policy.observe ? "observe" : "enforce", "verdict", outcome(s),
		"reason", verb_json_str(s->verdict.reason), "reply", s->reply, "clamd",
		json_string(s->clamd == NULL   ? "not configured"
			    : s->without_clamd ? "could not be asked"
					       : "asked"));
	char *text = json_dumps(all, JSON_COMPACT);
	str json = s->found.json;

	if (text == NULL)
		abort();
	if (json.len > 2)
		verb_printf(s->io, STR_FMT ",%s\n",
			STR_ARG(str_first(json, json.len - 1)), text + 1);
	else
		verb_printf(s->io, "%s\n", text);
	free(text);
	json_decref(all);
}

static void
show_name(struct verb_io *io, str name)
{
	char text[100];
	size_t n = 0;

	for (; n < name.len && n < sizeof(text) - 1; n++)
		text[n] = name.ptr[n] >= ' ' && name.ptr[n] <= '~' ? name.ptr[n] : '?';
	text[n] = '\0';
	verb_printf(io, " %s", n == 0 ? "-" : text);
}

static void
show_content(struct scan *s)
{
	const struct content *c = &s->found.scanned.content;

	verb_printf(s->io, "%llu bytes, %u parts, %zu links, %zu for the virus scanner\n",
		(unsigned long long)s->size, c->parts, c->nlinks, c->njobs);
	for (size_t i = 0; i < c->nleaves && i < 100; i++) {
		const struct content_leaf *leaf = &c->leaves[i];

		verb_printf(s->io, "  %llu bytes", (unsigned long long)leaf->size);
		show_name(s->io, leaf->type);
		show_name(s->io, leaf->true_type);
		show_name(s->io, leaf->name);
		verb_printf(s->io, "\n");
	}
}

static void
show_text(struct scan *s)
{
	if (s->found.unreadable)
		verb_printf(s->io, "it cannot be read: %s\n", s->why.text);
	else
		show_content(s);
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct finding *f = &s->findings.at[i];
		bool detail = f->detail.len > 0;

		verb_printf(s->io, "%9.3f " STR_FMT "%s" STR_FMT "%s: %s\n",
			f->score / 1000.0, STR_ARG(f->check->name), detail ? " (" : "",
			STR_ARG(f->detail), detail ? ")" : "", f->check->doc);
	}
	if (s->without_clamd)
		verb_printf(s->io, "clamd could not be asked: %s\n", s->why.text);
	verb_printf(s->io, "score %.3f, threshold %.3f%s: %s\n",
		s->verdict.score / 1000.0, s->policy.threshold / 1000.0,
		s->policy.observe ? " (only observed)" : "", outcome(s));
	verb_printf(s->io, "%s\n", s->reply);
}

static enum rc
scan_file(struct scan *s, const char *file, struct err *err)
{
	char path[64];
	enum rc rc = copy_message(s, file, err);

	if (rc == RC_OK)
		rc = find_policy(s, err);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd);
	if (rc == RC_OK)
		rc = caged_scan(s->conf, path, s->size, s->mem, &s->found, &s->why);
	if (rc != RC_OK) {
		if (err->text[0] == '\0')
			*err = s->why;
		return rc;
	}
	make_clamd(s);
	look(s);
	make_reply(s);
	if (s->io->json)
		show_json(s);
	else
		show_text(s);
	return RC_OK;
}

enum verb_exit
verb_scan(struct verb_io *io, int argc, char **argv)
{
	struct scan s = { .io = io, .fd = -1 };
	struct ip ip;
	enum rc rc;

	s.client = verb_option(&argc, argv, "--client");
	s.helo = verb_option(&argc, argv, "--helo");
	s.from = verb_option(&argc, argv, "--from");
	s.to = verb_option(&argc, argv, "--to");
	if (!verb_words(io, "scan", argc, argv, 1, 1))
		return VERB_USAGE;
	if (s.client != NULL && !ip_parse(str_of(s.client), &ip)) {
		(void)err_set(&io->err, RC_BAD, "\"%.60s\" is no address", s.client);
		return VERB_USAGE;
	}
	rc = conf_load(io->conf_path, &s.conf, &io->err);
	if (rc == RC_OK)
		rc = filter_conf_check(s.conf, &io->err);
	if (rc == RC_OK) {
		s.mem = arena_new(MEMORY);
		rc = scan_file(&s, argv[0], &io->err);
		scanned_clear(&s.found.scanned);
		clamd_free(&s.clamd);
		arena_free(&s.mem);
	}
	fs_close(&s.fd);
	conf_drop(&s.conf);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
