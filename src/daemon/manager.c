/* SPDX-License-Identifier: ISC */
#include "daemon/manager.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "daemon/control.h"
#include "daemon/manager_int.h"
#include "daemon/metrics.h"
#include "filter/filter.h"
#include "wire/pack.h"

enum {
	DRAIN_GRACE_MS = 10000,
	DRAIN_HOUSE_MS = 30000,
	LIAR_MS = 2000,
	LOCK_MS = 30000 /* for the processes of a manager that was killed */
};

/* --- starting: every reason not to is one sentence --- */

static void
first_wrong(const char *sentence, void *arg)
{
	struct err *err = arg;

	if (err->text[0] == '\0')
		(void)err_set(
			err, RC_BAD, "%s; `gatepost check` lists them all", sentence);
}

static enum rc
check_kernel(struct manager *m, struct err *err)
{
	bool required = m->in.conf->sandbox.mode == CONF_SANDBOX_REQUIRED;

	m->abi = cage_abi();
	if (m->abi >= CAGE_ABI_LEAST && cage_has_seccomp())
		return RC_OK;
	if (!required) {
		log_warn(
			"this kernel has Landlock ABI %u and %s seccomp: processes are not "
			"fully caged ([sandbox] mode = best)",
			m->abi, cage_has_seccomp() ? "has" : "no");
		return RC_OK;
	}
	return err_set(err, RC_PERM,
		"this kernel cannot cage processes (Landlock ABI %u, at "
		"least %d is needed); `[sandbox] mode = best` does without",
		m->abi, CAGE_ABI_LEAST);
}

static void
raise_files(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return;
	files.rlim_cur = files.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static enum rc
block_signals(int *fd, struct err *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCHLD);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, &set, NULL) != 0)
		return err_errno(err, "signals");
	*fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return *fd < 0 ? err_errno(err, "signalfd") : RC_OK;
}

static void
write_pid(struct manager *m)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	(void)!fs_truncate(m->in.lock, 0, NULL);
	(void)!fs_append(m->in.lock, (str){ text, (size_t)n }, NULL);
}

/* An instance of before had none.  Without them mail goes on and nothing is held. */
static enum rc
take_held_keys(struct manager *m, struct err *err)
{
	struct err why = { 0 };
	enum rc rc = instance_make_held_keys(&m->in, &why);

	if (rc == RC_OK)
		log_info("keys/held.key was made: refused originals are sealed with it");
	else if (rc == RC_BAD)
		return err_set(err, rc, "%s", why.text);
	else if (rc != RC_NONE)
		log_warn("the key for refused originals cannot be made: %s", why.text);
	rc = instance_held_keys(&m->in, &m->held, err);
	if (rc == RC_OK && !m->held.has_private)
		log_warn(
			"keys/held.key is missing: refused originals cannot be released");
	return rc;
}

static enum rc
prepare(struct manager *m, const char *conf_path, struct err *err)
{
	enum rc rc = instance_open(conf_path, &m->in, err);

	if (rc != RC_OK)
		return rc;
	log_least((enum log_level)m->in.conf->server.log_level);
	if ((rc = instance_lock_wait(&m->in, clock_ms() + LOCK_MS, err)) != RC_OK)
		return rc;
	instance_check_folders(&m->in, first_wrong, err);
	if (err->text[0] != '\0')
		return err->rc;
	if ((rc = check_kernel(m, err)) != RC_OK)
		return rc;
	(void)renewal_own(m, &m->in);
	m->keys = BUF(SETUP_KEYS + 4);
	if ((rc = instance_pack_keys(&m->in, &m->keys, err)) != RC_OK)
		return rc;
	if ((rc = take_held_keys(m, err)) != RC_OK)
		return rc;
	raise_files();
	dial_target(&m->dial, m->in.conf->clamav.socket);
	if ((rc = listen_open(m->in.conf, &m->listeners, err)) != RC_OK ||
		(rc = control_open(m->in.run, &m->control, err)) != RC_OK ||
		(rc = metrics_make(&m->metrics, err)) != RC_OK)
		return rc;
	write_pid(m);
	return block_signals(&m->signals, err);
}

/* --- serving --- */

/* link_host may be another: our own CA signs for it too. */
static enum rc
pack_anew(struct manager *m, const struct instance *fresh, struct buf *keys,
	struct err *err)
{
	(void)renewal_own(m, fresh);
	return instance_pack_keys(fresh, keys, err);
}

static void
reload(struct manager *m)
{
	struct instance fresh = m->in;
	struct buf keys = BUF(SETUP_KEYS + 4);
	struct err err = { 0 };

	fresh.conf = NULL;
	if (conf_load(m->in.conf_path, &fresh.conf, &err) != RC_OK ||
		filter_conf_check(fresh.conf, &err) != RC_OK ||
		pack_anew(m, &fresh, &keys, &err) != RC_OK) {
		log_error("not reloaded, the old settings go on: %s", err.text);
		if (fresh.conf != NULL)
			conf_drop(&fresh.conf);
		buf_free(&keys);
		return;
	}
	if (!str_eq(fresh.conf->server.listen, m->in.conf->server.listen) ||
		fresh.conf->server.port_offset != m->in.conf->server.port_offset ||
		!str_eq(fresh.conf->server.data, m->in.conf->server.data) ||
		fresh.conf->limits.scanners != m->in.conf->limits.scanners ||
		fresh.conf->limits.readers != m->in.conf->limits.readers)
		log_warn(
			"listen, port_offset, data, scanners and readers change at the next start");
	conf_drop(&m->in.conf);
	m->in.conf = fresh.conf;
	buf_free(&m->keys);
	m->keys = keys;
	log_least((enum log_level)fresh.conf->server.log_level);
	dial_target(&m->dial, fresh.conf->clamav.socket);
	for (size_t i = 0; i < m->nkids; i++)
		kid_reload(m, &m->kids[i]);
	m->renewal.look_ms = 0;
	metric_add(METRIC_reloads, 1);
	log_info("reloaded");
}

static void
drain_house(struct manager *m)
{
	m->stage = STAGE_HOUSE;
	m->stage_until_ms = clock_ms() + DRAIN_HOUSE_MS + DRAIN_GRACE_MS;
	if (house_of(m)->pid == 0)
		m->stage = STAGE_OVER;
	kid_drain(house_of(m), DRAIN_HOUSE_MS);
}

/* First the gate: what it has answered is in its journal then.  Then house:
 * what is in the journal is in the mailboxes then. */
static void
drain(struct manager *m)
{
	uint64_t most = m->in.conf->server.drain_timeout;

	if (m->stage != STAGE_SERVING) {
		log_warn("asked twice: not waiting");
		m->stage = STAGE_OVER;
		return;
	}
	renewal_kill(m);
	log_info("ending: sessions have %llu s", (unsigned long long)(most / 1000));
	control_close(m->in.run, &m->control);
	listen_close(&m->listeners);
	m->stage = STAGE_GATE;
	m->stage_until_ms = clock_ms() + most + DRAIN_GRACE_MS;
	if (gate_of(m)->pid == 0)
		drain_house(m);
	else
		kid_drain(gate_of(m), most);
}

static void
reap(struct manager *m)
{
	int how;
	pid_t pid;

	while ((pid = waitpid(-1, &how, WNOHANG)) > 0) {
		if (renewal_ended(m, pid, how) == RC_OK && m->stage == STAGE_SERVING)
			reload(m);
		for (size_t i = 0; i < m->nkids; i++) {
			struct kid *k = &m->kids[i];

			if (k->pid != pid)
				continue;
			kid_ended(m, k, how);
			if (k == gate_of(m) && m->stage == STAGE_GATE)
				drain_house(m);
			else if (k == house_of(m) && m->stage == STAGE_HOUSE) {
				m->status = WIFEXITED(how) && WEXITSTATUS(how) == 0 ? 0
										    : 1;
				m->stage = STAGE_OVER;
			}
		}
	}
}

static void
on_signal(struct manager *m)
{
	struct signalfd_siginfo s;

	while (read(m->signals, &s, sizeof(s)) == (ssize_t)sizeof(s)) {
		if (s.ssi_signo == SIGCHLD)
			reap(m);
		else if (s.ssi_signo == SIGHUP && m->stage == STAGE_SERVING)
			reload(m);
		else if (s.ssi_signo == SIGTERM || s.ssi_signo == SIGINT)
			drain(m);
	}
}

static void
on_ready(struct manager *m, struct kid *k)
{
	k->ready = true;
	if (m->told_ready || !gate_of(m)->ready || !house_of(m)->ready)
		return;
	m->told_ready = true;
	log_info("serving %s: %zu listeners, SMTP on port %u, IMAPS on port %u",
		m->in.conf->server.hostname.ptr, m->listeners.n,
		conf_port(m->in.conf, 25), conf_port(m->in.conf, 993));
}

/* Those that were started: the settings may have been reloaded since. */
static void
scanner_lost(struct manager *m, bool reader, unsigned slot)
{
	for (size_t i = PROCESS_SCANNER; i < m->nkids; i++)
		if (m->kids[i].reader == reader && m->kids[i].slot == slot)
			kid_kill(&m->kids[i],
				reader ? "house gave it up" : "the gate gave it up");
}

/* The gate gives a scanner up, or house one of its own (slot + 1); or house (0) the
 * gate, which may be because it died: one that has only just started is not the one
 * that was meant. */
static void
on_lost(struct manager *m, struct kid *k, str body)
{
	struct pack p = { .left = body };
	unsigned slot = (unsigned)pack_le(&p, 4);
	struct kid *gate = gate_of(m);

	if (!pack_done(&p))
		return;
	if (k == gate)
		scanner_lost(m, false, slot);
	else if (k == house_of(m) && slot > 0)
		scanner_lost(m, true, slot - 1);
	else if (k == house_of(m) && m->stage == STAGE_SERVING &&
		 clock_ms() - gate->started_ms > LIAR_MS)
		kid_kill(gate, "house gave its channel up");
}

/* A child may have been taken over: what it says is little and checked. */
static void
on_kid(struct manager *m, struct kid *k)
{
	struct chan_msg msg = { 0 };
	struct err err = { 0 };
	enum rc rc = chan_recv(k->control, m->buf, CHAN_MOST, &msg, 0, &err);

	if (rc == RC_NONE)
		return;
	if (rc != RC_OK) {
		fs_close(&k->control);
		if (rc == RC_BAD)
			kid_kill(k, "it does not speak our protocol");
		return;
	}
	if (msg.type == CHILD_DIAL && k == gate_of(m) && msg.nfds == 1) {
		fs_close(&m->dial.notify);
		m->dial.notify = msg.fds[0];
		return;
	}
	chan_close_fds(&msg);
	if (msg.type == CHILD_READY)
		on_ready(m, k);
	else if (msg.type == CHILD_LOST)
		on_lost(m, k, msg.body);
}

static bool
is_ours(pid_t pid, void *arg)
{
	struct manager *m = arg;

	for (size_t i = 0; i < m->nkids; i++)
		if (m->kids[i].pid == pid)
			return true;
	return false;
}

static void
on_control(struct manager *m)
{
	struct chan_msg msg = { .type = MGR_CONTROL, .nfds = 1 };
	struct kid *house = house_of(m);

	if (control_accept(m->control, is_ours, m, &msg.fds[0]) != RC_OK)
		return;
	/* closed at once when house is not there: the client says so */
	if (house->control >= 0)
		(void)!chan_send(house->control, &msg, clock_ms() + 100, NULL);
	chan_close_fds(&msg);
}

static bool
wanted(const struct manager *m, const struct kid *k)
{
	if (m->stage == STAGE_SERVING)
		return true;
	/* while the gate finishes it may need the others */
	return m->stage == STAGE_GATE && k->process != &processes[PROCESS_GATE];
}

/* Starts who is due; returns the ms until something else is. */
static int
start_due(struct manager *m)
{
	uint64_t now = clock_ms(), next = UINT64_MAX;

	for (size_t i = 0; i < m->nkids; i++) {
		struct kid *k = &m->kids[i];

		if (k->pid != 0 || k->restart_ms == 0 || !wanted(m, k))
			continue;
		if (k->restart_ms <= now)
			kid_start(m, k);
		else if (k->restart_ms < next)
			next = k->restart_ms;
	}
	if (m->stage != STAGE_SERVING && m->stage_until_ms < next)
		next = m->stage_until_ms;
	next = m->renew_ms < next ? m->renew_ms : next;
	next = renewal_next_ms(m) < next ? renewal_next_ms(m) : next;
	return next <= now ? 0 : (int)(next - now < INT_MAX ? next - now : INT_MAX);
}

static void
drain_late(struct manager *m)
{
	if (m->stage == STAGE_SERVING || clock_ms() < m->stage_until_ms)
		return;
	if (m->stage == STAGE_GATE)
		kid_kill(gate_of(m), "it does not end");
	else if (m->stage == STAGE_HOUSE)
		kid_kill(house_of(m), "it does not end");
	m->stage_until_ms = clock_ms() + DRAIN_GRACE_MS;
}

static void
on_dial(struct manager *m, short events)
{
	if ((events & POLLIN) != 0)
		dial_answer(&m->dial);
	else
		fs_close(&m->dial.notify); /* that gate is gone */
}

static void
turn(struct manager *m)
{
	struct pollfd p[3 + MOST_KIDS] = { { .fd = m->signals, .events = POLLIN },
		{ .fd = m->control, .events = POLLIN },
		{ .fd = m->dial.notify, .events = POLLIN } };
	int timeout = start_due(m);

	for (size_t i = 0; i < m->nkids; i++)
		p[3 + i] = (struct pollfd){ .fd = m->kids[i].control, .events = POLLIN };
	if (poll(p, 3 + m->nkids, timeout) < 0 && errno != EINTR)
		abort();
	for (size_t i = 0; i < m->nkids; i++)
		if (p[3 + i].revents != 0 && m->kids[i].control == p[3 + i].fd)
			on_kid(m, &m->kids[i]);
	if (p[2].revents != 0 && m->dial.notify == p[2].fd)
		on_dial(m, p[2].revents);
	if (p[1].revents != 0)
		on_control(m);
	if (p[0].revents != 0)
		on_signal(m);
	drain_late(m);
	renewal_turn(m);
	if (clock_ms() >= m->renew_ms && renewal_own(m, &m->in) &&
		m->stage == STAGE_SERVING)
		reload(m);
}

static void
end_all(struct manager *m)
{
	for (size_t i = 0; i < m->nkids; i++)
		if (m->kids[i].pid != 0)
			(void)kill(m->kids[i].pid, SIGKILL);
	for (size_t i = 0; i < m->nkids; i++)
		if (m->kids[i].pid != 0)
			(void)waitpid(m->kids[i].pid, NULL, 0);
	renewal_kill(m);
	control_close(m->in.run, &m->control);
	log_info("ended");
}

int
manager_serve(const char *conf_path)
{
	static struct manager m = {
		.in = { .dir = -1, .data = -1, .keys = -1, .run = -1, .lock = -1 },
		.control = -1,
		.signals = -1,
		.metrics = -1,
		.dial = { .notify = -1 }
	};
	struct err err = { 0 };

	log_name("manager");
	if (prepare(&m, conf_path, &err) != RC_OK) {
		log_error("not started: %s", err.text);
		return 1;
	}
	m.buf = malloc(CHAN_MOST);
	if (m.buf == NULL)
		abort();
	kids_plan(&m);
	/* house first: it is asked by the gate */
	kid_start(&m, house_of(&m));
	kid_start(&m, gate_of(&m));
	for (size_t i = PROCESS_SCANNER; i < m.nkids; i++)
		kid_start(&m, &m.kids[i]);
	while (m.stage != STAGE_OVER)
		turn(&m);
	end_all(&m);
	free(m.buf);
	instance_close(&m.in);
	return m.status;
}
