/* SPDX-License-Identifier: ISC */
#include "ctl/caged.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <jansson.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "daemon/cage.h"
#include "daemon/process.h"

/* A sanitizer's last words are worth more than a quiet terminal. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum {
	TIMES = 3, /* a verb prints what a scanner only counts */
	SAID = 64 * 1024,
};

/* The first byte of an answer. */
enum { ANSWER = '+', SENTENCE = '-' };

/* --- the child --- */

static void
flush(struct caged *c)
{
	str left = buf_str(&c->said);

	while (left.len > 0) {
		ssize_t n = write(c->answer, left.ptr, left.len);

		if (n < 0 && errno != EINTR)
			_exit(1);
		left = str_skip(left, n < 0 ? 0 : (size_t)n);
	}
	buf_clear(&c->said);
}

/* JSON comes in pieces of a few bytes. */
void
caged_say(struct caged *c, str bytes)
{
	for (; bytes.len > 0; bytes = str_skip(bytes, SAID)) {
		if (c->said.len >= SAID)
			flush(c);
		buf_add(&c->said, str_first(bytes, SAID));
	}
}

static int
say_part(const char *bytes, size_t len, void *arg)
{
	str rest = { bytes, len };

	while (rest.len > 0) {
		size_t n = str_find(rest, STR("\x7f"));

		caged_say(arg, str_first(rest, n));
		if (n < rest.len)
			caged_say(arg, STR("\\u007f")); /* jansson leaves DEL as it is */
		rest = str_skip(rest, n + 1);
	}
	return 0;
}

void
caged_say_json(struct caged *c, const json_t *value, bool one_line)
{
	(void)json_dump_callback(value, say_part, c,
		JSON_ENSURE_ASCII | (one_line ? JSON_COMPACT : JSON_INDENT(2)));
	caged_say(c, STR("\n"));
}

static enum rc
give_up_root(const struct conf *conf, struct err *err)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return RC_OK;
	user = getpwnam(conf->sandbox.user_scanner.ptr);
	if (user == NULL)
		user = getpwnam("nobody");
	if (user == NULL || user->pw_uid == 0)
		return err_set(
			err, RC_TEMP, "there is no user to become instead of root");
	if (setgroups(0, NULL) != 0 || setgid(user->pw_gid) != 0 ||
		setuid(user->pw_uid) != 0)
		return err_errno(err, "becoming another user than root");
	return RC_OK;
}

static enum rc
close_cage(struct caged *c, struct err *err)
{
	const struct child as_scanner = { .conf = c->conf };
	struct cage cage = { 0 };
	int notify = -1;
	enum rc rc = give_up_root(c->conf, err);

	if (rc != RC_OK)
		return rc;
	scanner_rights(&as_scanner, &cage);
	rc = cage_close(&cage, -1, cage_abi(), false, &notify, err);
	if (rc == RC_OK && !SANITIZED)
		(void)close(STDERR_FILENO);
	return rc;
}

static enum rc
prepare(struct caged *c, struct err *err)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return err_errno(err, "/dev/null");
	(void)close(null);
	json_object_seed(0); /* opens a device otherwise, later */
	c->charsets = charsets_new();
	if (c->bytes.len > 0) {
		void *at = mmap(NULL, c->bytes.len, PROT_READ, MAP_PRIVATE, c->fd, 0);

		if (at == MAP_FAILED)
			return err_errno(err, "the message");
		c->bytes.ptr = at;
	}
	return close_cage(c, err);
}

__attribute__((noreturn)) static void
child(struct caged *c, caged_fn *fn)
{
	static const char answer = ANSWER, sentence = SENTENCE;
	struct err err = { 0 };
	enum rc rc = prepare(c, &err);

	if (rc == RC_OK) {
		caged_say(c, (str){ &answer, 1 });
		rc = fn(c, &err);
	}
	if (rc != RC_OK) {
		caged_say(c, (str){ &sentence, 1 });
		caged_say(c, str_of(err.text));
	}
	flush(c);
	_exit(rc == RC_OK ? 0 : 1);
}

/* --- the command --- */

static enum rc
copy_in(int from, int to, size_t *size, struct err *err)
{
	char part[65536];
	ssize_t n;

	*size = 0;
	while ((n = read(from, part, sizeof(part))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "the message");
		*size += (size_t)n;
		if (*size > CAGED_INPUT)
			return err_set(err, RC_PERM, "the message is larger than %d MiB",
				CAGED_INPUT >> 20);
		enum rc rc = fs_append(to, (str){ part, (size_t)n }, err);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

static enum rc
take_in(struct caged *c, const char *file, struct err *err)
{
	FD_AUTO opened = -1;
	int from = STDIN_FILENO;

	c->fd = memfd_create("message", MFD_CLOEXEC);
	if (c->fd < 0)
		return err_errno(err, "memory for the message");
	if (strcmp(file, "-") != 0) {
		enum rc rc = fs_open(
			AT_FDCWD, file, O_RDONLY | O_NOCTTY, 0, &opened, err);
		if (rc == RC_NONE)
			return err_set(err, rc, "there is no file %.200s", file);
		if (rc != RC_OK)
			return rc;
		from = opened;
	}
	return copy_in(from, c->fd, &c->bytes.len, err);
}

static enum rc
hear(int from, uint64_t until_ms, struct buf *out, struct err *err)
{
	char part[65536];

	for (;;) {
		struct pollfd p = { .fd = from, .events = POLLIN };
		uint64_t now = clock_ms();
		int ready = now < until_ms ? poll(&p, 1, (int)(until_ms - now)) : 0;

		if (ready == 0)
			return err_set(
				err, RC_PERM, "the message takes too long to read");
		ssize_t n = ready < 0 ? -1 : read(from, part, sizeof(part));
		if (n == 0)
			return RC_OK;
		if (n < 0 && errno != EINTR)
			return err_errno(err, "the answer");
		if (n > 0)
			buf_add(out, (str){ part, (size_t)n });
		if (!buf_ok(out))
			return err_set(err, RC_PERM,
				"there is more to say about the message than %d MiB",
				CAGED_MOST >> 20);
	}
}

static bool
printable(str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '\n' && (s.ptr[i] < ' ' || s.ptr[i] > '~'))
			return false;
	return true;
}

/* What was heard of a child that ended with this status.  Nothing is said before it
 * fails, so a sentence is behind '+' at most. */
static enum rc
judge(struct buf *heard, int status, struct err *err)
{
	str all = buf_str(heard);
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	if (!printable(all))
		return err_set(err, RC_BAD,
			"what was said about the message cannot be shown: "
			"keep it away from other programs");
	bool answered = all.len > 0 && all.ptr[0] == ANSWER;
	if (answered)
		buf_drop(heard, 1);
	if (code == 0 && answered)
		return RC_OK;
	if (code == 1 && heard->len > 1 && heard->data[0] == SENTENCE)
		return err_set(err, RC_PERM, "%.200s", buf_z(heard) + 1);
	return err_set(err, RC_PERM,
		"the message ended the process that looked at it; "
		"it may need more memory than [limits] scanner_memory");
}

enum rc
caged_run(const struct conf *conf, const char *file, caged_fn *fn, struct buf *out,
	struct err *err)
{
	struct caged c = { .conf = conf, .fd = -1, .said = BUF(2 * SAID) };
	int ends[2], status = 0;
	enum rc rc = take_in(&c, file, err);

	if (rc != RC_OK || pipe2(ends, O_CLOEXEC) != 0) {
		fs_close(&c.fd);
		return rc != RC_OK ? rc : err_errno(err, "a pipe");
	}
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		c.answer = ends[1];
		child(&c, fn);
	}
	(void)close(ends[1]);
	fs_close(&c.fd);
	if (pid < 0) {
		(void)close(ends[0]);
		return err_errno(err, "a process");
	}
	rc = hear(ends[0], clock_ms() + TIMES * conf->limits.scanner_timeout, out, err);
	(void)close(ends[0]);
	if (rc != RC_OK)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return rc == RC_OK ? judge(out, status, err) : rc;
}
