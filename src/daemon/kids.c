/* SPDX-License-Identifier: ISC */
/* The manager's children: starting, setting up, pairing, restarting. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "daemon/manager_int.h"
#include "daemon/metrics.h"

enum {
	SEND_MS = 2000,
	STEADY_MS = 10000, /* who ran for so long has not crashed "in a row" */
	RESTART_MOST_MS = 500, /* a crashed child is back within a second */
	CLAMD_CONF = 1 << 20,
};

static void
plan(struct manager *m, unsigned process, unsigned slot, bool reader)
{
	struct kid *k = &m->kids[m->nkids++];

	*k = (struct kid){ .process = &processes[process],
		.slot = slot,
		.reader = reader,
		.control = -1 };
	if (process == PROCESS_SCANNER)
		(void)snprintf(k->name, sizeof(k->name), "%s-%u",
			reader ? "reader" : "scanner", slot);
	else
		(void)snprintf(k->name, sizeof(k->name), "%s", k->process->name);
}

void
kids_plan(struct manager *m)
{
	unsigned scanners = conf_scanners(m->in.conf);

	plan(m, PROCESS_GATE, 0, false);
	plan(m, PROCESS_HOUSE, 0, false);
	for (unsigned i = 0; i < scanners; i++)
		plan(m, PROCESS_SCANNER, i, false);
	for (unsigned i = 0; i < m->in.conf->limits.readers; i++)
		plan(m, PROCESS_SCANNER, i, true);
}

static void
show(struct manager *m, const struct kid *k)
{
	struct metric_process p = {
		.pid = k->pid, .starts = k->starts, .since_ms = clock_wall_ms()
	};

	(void)snprintf(p.name, sizeof(p.name), "%.15s", k->name);
	metric_process_set((unsigned)(k - m->kids), &p);
}

void
kid_kill(struct kid *k, const char *why)
{
	if (k->pid == 0)
		return;
	log_warn("%s (process %d) is killed: %s", k->name, (int)k->pid, why);
	(void)kill(k->pid, SIGKILL);
}

static void
send_kid(struct kid *k, const struct chan_msg *msg)
{
	struct err err = { 0 };

	if (k->control < 0)
		return;
	if (chan_send(k->control, msg, clock_ms() + SEND_MS, &err) == RC_TEMP)
		kid_kill(k, "it does not listen to the manager");
}

/* clamd's settings; an empty file where they cannot be read. */
static enum rc
clamd_part(const struct conf *conf, int *fd, struct err *err)
{
	char *text = NULL;
	size_t len = 0;

	if (!str_empty(conf->clamav.conf))
		(void)!fs_read_all(
			AT_FDCWD, conf->clamav.conf.ptr, CLAMD_CONF, &text, &len, NULL);
	enum rc rc = chan_memfd("clamd.conf", (str){ text, len }, fd, err);
	free(text);
	return rc;
}

static enum rc
settings_part(const struct conf *conf, int *fd, struct err *err)
{
	BUF_AUTO text = BUF(SETUP_SETTINGS);

	conf_dump(conf, &text);
	return chan_memfd("settings", buf_str(&text), fd, err);
}

/* Half of the held keys; an empty file where it is missing. */
static enum rc
held_part(const struct held_keys *k, bool private, int *fd, struct err *err)
{
	const uint8_t *key = private ? k->private_key : k->public_key;
	size_t len = (private ? k->has_private : k->has_public) ? SEAL_PRIVATE : 0;

	return chan_memfd("held key", (str){ (const char *)key, len }, fd, err);
}

/* Descriptors of the parts, to be closed by close_parts(). */
static enum rc
open_parts(struct manager *m, unsigned parts, struct chan_msg *msg, struct err *err)
{
	enum rc rc = RC_OK;

	for (unsigned part = 0; part < PARTS && rc == RC_OK; part++) {
		int fd = -1;

		if ((parts & 1u << part) == 0)
			continue;
		if (part == PART_SETTINGS)
			rc = settings_part(m->in.conf, &fd, err);
		else if (part == PART_KEYS)
			rc = chan_memfd("keys", buf_str(&m->keys), &fd, err);
		else if (part == PART_CLAMD)
			rc = clamd_part(m->in.conf, &fd, err);
		else if (part == PART_HELD_PUBLIC || part == PART_HELD_PRIVATE)
			rc = held_part(&m->held, part == PART_HELD_PRIVATE, &fd, err);
		else
			fd = fcntl(part == PART_METRICS ? m->metrics : m->in.data,
				F_DUPFD_CLOEXEC, 3);
		if (rc == RC_OK && fd < 0)
			rc = err_errno(err, "descriptors");
		if (rc == RC_OK)
			msg->fds[msg->nfds++] = fd;
	}
	return rc;
}

static uid_t
uid_of(const struct owners *o, const struct process *p)
{
	uid_t uid;

	memcpy(&uid, (const char *)o + p->user, sizeof(uid));
	return uid;
}

static bool
has_door(const struct process *p, unsigned port)
{
	for (size_t i = 0; i < sizeof(p->doors) / sizeof(p->doors[0]); i++)
		if (p->doors[i] != 0 && p->doors[i] == port)
			return true;
	return false;
}

static void
send_parts(struct manager *m, struct kid *k, enum setup_msg type, unsigned parts)
{
	int doors[SETUP_LISTENERS];
	const struct owners *o = &m->in.owners;
	struct setup_head head = { .slot = k->slot,
		.parts = parts,
		.switching = o->switching,
		.uid = uid_of(o, k->process),
		.gid = o->group,
		.abi = m->abi,
		.wall_ms = str_empty(m->in.conf->test.now) ? 0 : clock_wall_ms(),
		.conf_path = str_of(m->in.conf_path) };
	struct chan_msg msg = { .type = (uint16_t)type };
	struct err err = { 0 };
	BUF_AUTO body = BUF(CHAN_MOST);

	for (size_t i = 0; i < m->listeners.n; i++)
		if (type == MGR_SETUP && has_door(k->process, m->listeners.ports[i])) {
			doors[head.nlisten] = m->listeners.fds[i];
			head.ports[head.nlisten++] = m->listeners.ports[i];
		}
	setup_put_head(&body, &head);
	msg.body = buf_str(&body);
	enum rc rc = open_parts(m, parts, &msg, &err);
	unsigned own = msg.nfds;
	for (size_t i = 0; i < head.nlisten; i++)
		msg.fds[msg.nfds++] = doors[i];
	if (rc == RC_OK)
		send_kid(k, &msg);
	else
		log_error("%s cannot be set up: %s", k->name, err.text);
	msg.nfds = own;
	chan_close_fds(&msg);
}

void
kid_reload(struct manager *m, struct kid *k)
{
	/* a scanner reads no messages while it works; its successor knows */
	if (k->process != &processes[PROCESS_SCANNER])
		send_parts(m, k, MGR_RELOAD,
			k->process->parts & (1u << PART_SETTINGS | 1u << PART_KEYS |
						    1u << PART_CLAMD));
}

void
kid_drain(struct kid *k, uint64_t left_ms)
{
	BUF_AUTO body = BUF(8);

	buf_le(&body, left_ms, 8);
	send_kid(k, &(struct chan_msg){ .type = MGR_DRAIN, .body = buf_str(&body) });
}

static void
send_peer(struct kid *to, enum peer peer, unsigned slot, int fd)
{
	BUF_AUTO body = BUF(8);

	buf_le(&body, peer, 4);
	buf_le(&body, slot, 4);
	send_kid(to, &(struct chan_msg){ .type = MGR_PEER,
			     .body = buf_str(&body),
			     .nfds = 1,
			     .fds = { fd } });
}

/* A new channel between k and who asks it (readers are asked by house, the others
 * and house by the gate); whoever has an old one drops it. */
static void
pair(struct manager *m, struct kid *k)
{
	struct kid *asks = k->reader ? house_of(m) : gate_of(m);
	bool scanner = k->process == &processes[PROCESS_SCANNER];
	struct err err = { 0 };
	int ends[2];

	if (asks->pid == 0 || k->pid == 0)
		return;
	if (chan_pair(ends, &err) != RC_OK) {
		log_error("no channel: %s", err.text);
		return;
	}
	send_peer(asks, scanner ? PEER_SCANNER : PEER_HOUSE, k->slot, ends[0]);
	send_peer(k, k->reader ? PEER_HOUSE : PEER_GATE, 0, ends[1]);
	k->paired = true;
	fs_close(&ends[0]);
	fs_close(&ends[1]);
}

/* A gate or house that starts gets everybody of its own who has nobody yet.
 * Scanners that had one see their channel end, exit, and come back. */
static void
pair_started(struct manager *m, struct kid *k)
{
	if (k == gate_of(m))
		pair(m, house_of(m));
	else
		pair(m, k);
	if (k->process == &processes[PROCESS_SCANNER])
		return;
	for (size_t i = PROCESS_SCANNER; i < m->nkids; i++)
		if (!m->kids[i].paired && m->kids[i].reader == (k == house_of(m)))
			pair(m, &m->kids[i]);
}

/* In the child: nothing of the manager survives the exec but the channel and,
 * for who writes data, the instance's lock: it is free only when the last of
 * them is gone, also when the manager was killed before them. */
__attribute__((noreturn)) static void
become(const struct manager *m, const struct kid *k, int control)
{
	int fd = dup(control);
	bool holds = (size_t)(k - m->kids) < PROCESS_SCANNER;

	if (fd < 0 || (holds && dup(m->in.lock) < 0))
		_exit(127);
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", fd);
	(void)execl("/proc/self/exe", "gatepost", "--child", k->process->name, number,
		(char *)NULL);
	log_error("%s: exec: %s", k->name, strerror(errno));
	_exit(127);
}

static enum rc
spawn(const struct manager *m, struct kid *k, struct err *err)
{
	int ends[2];
	enum rc rc = chan_pair(ends, err);

	if (rc != RC_OK)
		return rc;
	pid_t pid = fork();
	if (pid == 0)
		become(m, k, ends[1]);
	fs_close(&ends[1]);
	if (pid < 0) {
		fs_close(&ends[0]);
		return err_errno(err, "fork");
	}
	k->pid = pid;
	k->control = ends[0];
	return RC_OK;
}

void
kid_start(struct manager *m, struct kid *k)
{
	struct err err = { 0 };

	k->started_ms = clock_ms();
	k->restart_ms = 0;
	k->ready = k->paired = false;
	if (spawn(m, k, &err) != RC_OK) {
		log_error("%s cannot be started: %s", k->name, err.text);
		k->restart_ms = clock_ms() + RESTART_MOST_MS;
		return;
	}
	k->starts++;
	log_debug("%s is process %d", k->name, (int)k->pid);
	show(m, k);
	send_parts(m, k, MGR_SETUP, k->process->parts);
	pair_started(m, k);
}

static uint64_t
pause_ms(const struct kid *k)
{
	uint64_t ms = k->crashes <= 1 ? 0 : 50ull << (k->crashes > 6 ? 6 : k->crashes);

	return ms < RESTART_MOST_MS ? ms : RESTART_MOST_MS;
}

void
kid_ended(struct manager *m, struct kid *k, int how)
{
	bool well = WIFEXITED(how) && WEXITSTATUS(how) == 0;
	bool soon = clock_ms() - k->started_ms < STEADY_MS;

	fs_close(&k->control);
	k->crashes = soon ? k->crashes + 1 : 1;
	if (!well && WIFSIGNALED(how))
		log_error("%s (process %d) was ended by signal %d (%s)", k->name,
			(int)k->pid, WTERMSIG(how), strsignal(WTERMSIG(how)));
	else if (!well)
		log_error("%s (process %d) ended with status %d", k->name, (int)k->pid,
			WEXITSTATUS(how));
	k->pid = 0;
	k->ready = k->paired = false;
	show(m, k);
	k->restart_ms = clock_ms() + pause_ms(k);
	if (k->restart_ms == 0)
		k->restart_ms = 1;
}
