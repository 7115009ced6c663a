/* SPDX-License-Identifier: ISC */
/*
 * Certificates of a public CA, as the manager sees them: when one is due it starts a
 * process that gets it, and puts it to use when that has ended well.  What came of it and
 * when the next try is stands in keys/acme/state, so a restart changes nothing.
 * Those of our own CA are made here and now.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "daemon/acme.h"
#include "daemon/manager_int.h"

enum {
	/* the wall clock may be set meanwhile, and files changed by hand */
	LOOK_MOST_MS = 3600 * 1000,
	LOOK_LEAST_MS = 1000,
	/* our own CA is near */
	OWN_LOOK_MS = 24 * 3600 * 1000,
	/* it ends itself after ACME_MINUTES */
	LIFE_MS = ACME_MINUTES * 60000 + 30000,
};

/* The certificate that `init` made is never the reason that mail stops. */
bool
renewal_own(struct manager *m, const struct instance *in)
{
	struct err err = { 0 };
	enum rc rc = instance_renew_cert(in, &err);

	m->renew_ms = clock_ms() + OWN_LOOK_MS;
	if (rc == RC_OK)
		log_info("the certificate of %s was made anew by our own CA",
			in->conf->server.hostname.ptr);
	else if (rc != RC_NONE)
		log_warn("the certificate cannot be renewed: %s", err.text);
	return rc == RC_OK;
}

__attribute__((noreturn)) static void
become(const struct manager *m)
{
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)close_range(STDERR_FILENO + 1, ~0u, CLOSE_RANGE_CLOEXEC);
	(void)execl(
		"/proc/self/exe", "gatepost", "--acme", m->in.conf_path, (char *)NULL);
	log_error("acme: exec: %s", strerror(errno));
	_exit(127);
}

static void
start(struct manager *m, const char *why)
{
	struct renewal *r = &m->renewal;
	pid_t pid = fork();

	if (pid == 0)
		become(m);
	if (pid < 0) {
		log_error("acme cannot be started: %s", strerror(errno));
		return;
	}
	r->pid = pid;
	r->until_ms = clock_ms() + LIFE_MS;
	log_info("a certificate is asked for, because %s", why);
}

static void
look(struct manager *m)
{
	struct renewal *r = &m->renewal;
	uint64_t now = clock_wall_ms(), wait = LOOK_MOST_MS;
	struct err err = { 0 };
	struct acme_look l;
	enum rc rc = acme_look(&m->in, &l, &err);

	if (rc == RC_OK) {
		if (l.due && l.next_ms <= now)
			start(m, l.why);
		else if (l.next_ms > now && l.next_ms - now < LOOK_MOST_MS)
			wait = l.next_ms - now;
		acme_look_clear(&l);
	} else if (rc != RC_NONE) {
		log_warn("whether a certificate is due cannot be told: %s", err.text);
	}
	r->look_ms = clock_ms() + (wait < LOOK_LEAST_MS ? LOOK_LEAST_MS : wait);
}

void
renewal_turn(struct manager *m)
{
	struct renewal *r = &m->renewal;

	if (r->pid != 0 && clock_ms() >= r->until_ms) {
		log_warn("acme (process %d) is killed: it does not end", (int)r->pid);
		(void)kill(r->pid, SIGKILL);
		r->until_ms = UINT64_MAX;
	}
	/* house answers the CA's questions */
	if (r->pid == 0 && m->told_ready && m->stage == STAGE_SERVING &&
		clock_ms() >= r->look_ms)
		look(m);
}

uint64_t
renewal_next_ms(const struct manager *m)
{
	const struct renewal *r = &m->renewal;

	if (r->pid != 0)
		return r->until_ms;
	return m->told_ready && m->stage == STAGE_SERVING ? r->look_ms : UINT64_MAX;
}

enum rc
renewal_ended(struct manager *m, pid_t pid, int how)
{
	struct renewal *r = &m->renewal;

	if (r->pid == 0 || r->pid != pid)
		return RC_NONE;
	r->pid = 0;
	/* not at once, even if not a byte could be written about it */
	r->look_ms = clock_ms() + LOOK_MOST_MS;
	if (WIFSIGNALED(how))
		log_warn("acme (process %d) was ended by signal %d", (int)pid,
			WTERMSIG(how));
	return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? RC_OK : RC_TEMP;
}

void
renewal_kill(struct manager *m)
{
	if (m->renewal.pid == 0)
		return;
	(void)kill(m->renewal.pid, SIGKILL);
	(void)waitpid(m->renewal.pid, NULL, 0);
	m->renewal.pid = 0;
}
