/* SPDX-License-Identifier: ISC */
/* Running uacme: who it is, what it may touch, and for how long. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "daemon/acme_int.h"
#include "daemon/cage.h"
#include "daemon/rights.h"

enum { TURN_MS = 200, CHALLENGES = 3, PROGRAM = 4, FIRST_FREE = 5 };

/* The CAs that uacme's HTTPS library believes; there is no setting for another file. */
static const char trusted[] = "/etc/ssl/certs/ca-certificates.crt";

/* --- in the child --- */

__attribute__((noreturn)) static void
die(const struct err *err)
{
	(void)dprintf(STDERR_FILENO, "gatepost: %s\n", err->text);
	_exit(127);
}

static enum rc
write_map(const char *path, const char *text, struct err *err)
{
	FD_AUTO fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return err_errno(err, path);
	return RC_OK;
}

/* Without root's rights a mount of one's own takes a user namespace of one's own. */
static enum rc
own_users(struct err *err)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char text[64];
	enum rc rc;

	if (unshare(CLONE_NEWUSER) != 0)
		return err_errno(
			err, "[acme] ca_file needs root's rights, or user namespaces");
	if ((rc = write_map("/proc/self/setgroups", "deny", err)) != RC_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "%u %u 1", uid, uid);
	if ((rc = write_map("/proc/self/uid_map", text, err)) != RC_OK)
		return rc;
	(void)snprintf(text, sizeof(text), "%u %u 1", gid, gid);
	return write_map("/proc/self/gid_map", text, err);
}

/* For this process alone, ca_file lies where the system's CAs are. */
static enum rc
trust(const char *ca_file, struct err *err)
{
	enum rc rc = geteuid() == 0 ? RC_OK : own_users(err);

	if (rc != RC_OK)
		return rc;
	if (unshare(CLONE_NEWNS) != 0 ||
		mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		mount(ca_file, trusted, NULL, MS_BIND, NULL) != 0)
		return err_errno(err,
			"[acme] ca_file cannot be put into the place of the system's CAs");
	return RC_OK;
}

static void
limit(__rlimit_resource_t which, rlim_t value)
{
	(void)setrlimit(which, &(struct rlimit){ value, value });
}

/* Numbers of their own, so that the hook finds them; nothing else goes along. */
static enum rc
place(const struct acme_run *r, int out, struct err *err)
{
	int null = open("/dev/null", O_RDONLY);
	int program = open("/proc/self/exe", O_PATH);
	int high[4] = { fcntl(null, F_DUPFD, 20), fcntl(out, F_DUPFD, 20),
		fcntl(r->challenges, F_DUPFD, 20), fcntl(program, F_DUPFD, 20) };

	for (size_t i = 0; i < 4; i++)
		if (high[i] < 0)
			return err_errno(err, "descriptors");
	if (fchdir(r->own) != 0 || dup2(high[0], STDIN_FILENO) < 0 ||
		dup2(high[1], STDOUT_FILENO) < 0 || dup2(high[1], STDERR_FILENO) < 0 ||
		dup2(high[2], CHALLENGES) < 0 || dup2(high[3], PROGRAM) < 0 ||
		close_range(FIRST_FREE, ~0u, 0) != 0)
		return err_errno(err, "descriptors");
	return RC_OK;
}

static enum rc
prepare_files(const struct acme_run *r, struct err *err)
{
	enum rc rc = fs_replace(AT_FDCWD, "request.csr", 0600, r->csr, err);

	if (rc == RC_OK && symlinkat("/proc/self/fd/4", AT_FDCWD, ACME_HOOK) != 0 &&
		errno != EEXIST)
		rc = err_errno(err, ACME_HOOK);
	return rc;
}

static enum rc
cage(const struct instance *in, struct err *err)
{
	FD_AUTO here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	const int writes[] = { here, CHALLENGES };
	unsigned abi = cage_abi();
	enum rc rc;

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 1 << 20);
	limit(RLIMIT_NOFILE, 64);
	limit(RLIMIT_CPU, 60);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, "no_new_privs");
	if (abi == 0)
		rc = err_set(err, RC_PERM, "this kernel has no Landlock");
	else
		rc = cage_program(uacme_reads, writes, 2, PROGRAM, abi, err);
	return in->conf->sandbox.mode == CONF_SANDBOX_REQUIRED ? rc : RC_OK;
}

/* The order leaves no way back: what root is needed for, then another user, then the
 * cage, which forbids mounts and files. */
__attribute__((noreturn)) static void
become(const struct acme_run *r, int out, const char *const argv[])
{
	static const char *const environment[] = { "PATH=/usr/bin:/bin", "LC_ALL=C",
		NULL };
	const struct owners *o = &r->in->owners;
	str ca_file = r->in->conf->acme.ca_file;
	struct err err = { 0 };
	sigset_t none;
	enum rc rc;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	(void)setsid();
	(void)umask(0027);
	rc = place(r, out, &err);
	if (rc == RC_OK && !str_empty(ca_file))
		rc = trust(ca_file.ptr, &err);
	if (rc == RC_OK && o->switching)
		rc = owners_become(o->acme, o->group, &err);
	/* after the change of user, which clears it */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	if (rc == RC_OK)
		rc = prepare_files(r, &err);
	if (rc == RC_OK)
		rc = cage(r->in, &err);
	if (rc == RC_OK) {
		/* execve's type is older than const */
		(void)execve(argv[0], (char *const *)(uintptr_t)argv,
			(char *const *)(uintptr_t)environment);
		(void)err_errno(&err, argv[0]);
	}
	die(&err);
}

/* --- in the parent --- */

static void
take(int fd, struct buf *said)
{
	char part[4096];
	ssize_t n;

	while ((n = read(fd, part, sizeof(part))) > 0)
		buf_add(said, (str){ part, (size_t)n });
}

/* Until it ended or is late; it, and what it started, is gone then. */
static enum rc
watch(pid_t pid, int out, const struct acme_run *r, int *how, struct err *err)
{
	siginfo_t info = { 0 };
	enum rc rc = RC_OK;

	while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
		info.si_pid == 0) {
		struct pollfd p = { .fd = out, .events = POLLIN };

		if (clock_ms() >= r->until_ms) {
			rc = err_set(err, RC_TEMP, "uacme did not end within %d minutes",
				(int)ACME_MINUTES);
			break;
		}
		if (poll(&p, 1, TURN_MS) > 0 && (p.revents & POLLIN) == 0)
			(void)poll(NULL, 0, TURN_MS); /* closed, and not ended yet */
		take(out, r->said);
	}
	/* its own session: the number is its until it is reaped */
	(void)kill(-pid, SIGKILL);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, how, 0) < 0 && errno == EINTR)
		;
	take(out, r->said);
	return rc;
}

enum rc
acme_run(const struct acme_run *r, const char *const argv[], int *status, struct err *err)
{
	int ends[2], how = 0;
	enum rc rc;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return err_errno(err, "pipe");
	pid_t pid = fork();
	if (pid == 0) {
		(void)fcntl(ends[1], F_SETFL, 0); /* it does not expect otherwise */
		become(r, ends[1], argv);
	}
	fs_close(&ends[1]);
	if (pid < 0)
		rc = err_errno(err, "fork");
	else
		rc = watch(pid, ends[0], r, &how, err);
	fs_close(&ends[0]);
	if (rc == RC_OK && !WIFEXITED(how))
		rc = err_set(err, RC_TEMP, "uacme was ended by signal %d", WTERMSIG(how));
	if (rc == RC_OK)
		*status = WEXITSTATUS(how);
	return rc;
}
