/* SPDX-License-Identifier: ISC */
#include "daemon/child.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "daemon/instance.h"
#include "daemon/metrics.h"
#include "daemon/process.h"

enum { SETUP_WAIT_MS = 30000, SEND_WAIT_MS = 5000, CLAMD_CONF = 1 << 20 };

void
child_die(const struct err *err, const char *what)
{
	log_error("%s: %s", what, err->text);
	_exit(1);
}

static void
take_settings(struct child *c, int fd)
{
	struct err err = { 0 };
	char *text;
	size_t len;
	const struct conf *conf;

	if (chan_memfd_read(fd, SETUP_SETTINGS, &text, &len, &err) != RC_OK ||
		conf_parse((str){ text, len }, c->conf_path, &conf, &err) != RC_OK)
		child_die(&err, "settings");
	free(text);
	if (c->conf != NULL)
		conf_drop(&c->conf);
	c->conf = conf;
	log_least((enum log_level)conf->server.log_level);
}

static void
take_keys(struct child *c, int fd)
{
	struct tls_pair pairs[SETUP_PAIRS];
	struct err err = { 0 };
	struct setup_ca ca;
	char *bytes;
	size_t len, n;
	struct tls *tls;

	if (chan_memfd_read(fd, SETUP_KEYS + 4, &bytes, &len, &err) != RC_OK)
		child_die(&err, "keys");
	if (setup_get_pairs((str){ bytes, len }, pairs, &n, &ca) != RC_OK)
		child_die(&(struct err){ .text = "the manager's packing is wrong" },
			"keys");
	if (tls_new(pairs, n, c->conf->tls.minimum == CONF_TLS_1_3,
		    c->conf->tls.ticket_rotation, &tls, &err) != RC_OK)
		child_die(&err, "keys");
	free(c->ca_pem);
	c->ca_pem = strndup(ca.pem.len > 0 ? ca.pem.ptr : "", ca.pem.len);
	if (c->ca_pem == NULL)
		abort();
	c->ca_serves = ca.serves;
	wipe(bytes, len);
	free(bytes);
	tls_drop(&c->tls);
	c->tls = tls;
}

static void
take_clamd_conf(struct child *c, int fd)
{
	size_t len;

	free(c->clamd_conf);
	c->clamd_conf = NULL;
	if (chan_memfd_read(fd, CLAMD_CONF, &c->clamd_conf, &len, NULL) != RC_OK ||
		len == 0) {
		free(c->clamd_conf);
		c->clamd_conf = NULL;
	}
}

static void
take_held(int fd, uint8_t **out)
{
	struct err err = { 0 };
	char *bytes;
	size_t len;

	if (chan_memfd_read(fd, SEAL_PRIVATE, &bytes, &len, &err) != RC_OK)
		child_die(&err, "the held key");
	if (len == SEAL_PRIVATE)
		*out = (uint8_t *)bytes;
	else
		free(bytes);
}

/* The parts of a message, in their order; their descriptors are used up. */
static unsigned
take_parts(struct child *c, struct chan_msg *m, uint32_t parts)
{
	struct err err = { 0 };
	unsigned n = 0;

	for (unsigned part = 0; part < PARTS; part++) {
		if ((parts & 1u << part) == 0)
			continue;
		if (n == m->nfds)
			child_die(&(struct err){ .text = "descriptors are missing" },
				"setup");
		int *fd = &m->fds[n++];
		if (part == PART_SETTINGS)
			take_settings(c, *fd);
		else if (part == PART_KEYS)
			take_keys(c, *fd);
		else if (part == PART_CLAMD)
			take_clamd_conf(c, *fd);
		else if (part == PART_HELD_PUBLIC)
			take_held(*fd, &c->held_public);
		else if (part == PART_HELD_PRIVATE)
			take_held(*fd, &c->held_private);
		else if (part == PART_METRICS && metrics_map(*fd, &err) != RC_OK)
			child_die(&err, "setup");
		if (part == PART_DATA)
			c->data = *fd;
		else
			(void)close(*fd);
	}
	return n;
}

static void
take_setup(struct child *c)
{
	struct chan_msg m = { 0 };
	struct err err = { 0 };

	if (chan_recv(c->control, c->buf, CHAN_MOST, &m, clock_ms() + SETUP_WAIT_MS,
		    &err) != RC_OK)
		child_die(&err, "setup");
	if (m.type != MGR_SETUP || setup_get_head(m.body, &c->head) != RC_OK ||
		!str_z(c->head.conf_path, c->conf_path, sizeof(c->conf_path)))
		child_die(&(struct err){ .text = "not a setup" }, "setup");
	c->head.conf_path = str_of(c->conf_path);
	if (c->head.wall_ms != 0)
		clock_set_wall(c->head.wall_ms);
	unsigned used = take_parts(c, &m, c->head.parts);
	if (m.nfds - used != c->head.nlisten)
		child_die(&(struct err){ .text = "listeners are missing" }, "setup");
	c->nlisten = c->head.nlisten;
	for (size_t i = 0; i < c->nlisten; i++)
		c->listeners[i] = m.fds[used + i];
}

/* Everything that root's process gives up, in the order that leaves no way
 * back.  Changing the user clears the wish to die with the parent, so that
 * wish comes after. */
static void
become_user(const struct child *c)
{
	struct err err = { 0 };
	struct rlimit files;

	(void)umask(0007);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (c->head.switching && owners_become(c->head.uid, c->head.gid, &err) != RC_OK)
		child_die(&err, "user");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 ||
		prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		child_die(&(struct err){ .text = "prctl" }, "user");
}

/* The terminal's Ctrl-C and a supervisor's SIGTERM reach the whole group; the
 * manager alone decides what they mean. */
static void
ignore_signals(void)
{
	static const int all[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGUSR1, SIGUSR2 };
	sigset_t none;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		(void)signal(all[i], SIG_IGN);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

int
child_main(const char *name, int control)
{
	static struct child c = { .data = -1 };
	const struct process *p = processes;

	while (p->name != NULL && strcmp(p->name, name) != 0)
		p++;
	if (p->name == NULL || fcntl(control, F_SETFD, FD_CLOEXEC) != 0)
		return 2;
	c.process = p;
	c.control = control;
	c.buf = malloc(CHAN_MOST);
	if (c.buf == NULL)
		abort();
	(void)snprintf(c.name, sizeof(c.name), "%s", name);
	log_name(c.name);
	ignore_signals();
	take_setup(&c);
	if (p == &processes[PROCESS_SCANNER])
		(void)snprintf(c.name, sizeof(c.name), "%s-%u", name, c.head.slot);
	(void)prctl(PR_SET_NAME, c.name);
	become_user(&c);
	p->run(&c);
	return 0;
}

void
child_cage(struct child *c)
{
	struct err err = { 0 };
	struct cage cage = { 0 };
	struct chan_msg dial = { .type = CHILD_DIAL, .nfds = 1 };

	c->process->rights(c, &cage);
	if (cage_close(&cage, c->data, c->head.abi,
		    c->conf->sandbox.mode == CONF_SANDBOX_REQUIRED, &dial.fds[0],
		    &err) != RC_OK)
		child_die(&err, "the cage cannot be closed");
	if (dial.fds[0] >= 0 &&
		chan_send(c->control, &dial, clock_ms() + SEND_WAIT_MS, &err) != RC_OK)
		child_die(&err, "the manager does not listen");
	fs_close(&dial.fds[0]);
	if (c->conf->test.probe)
		probe_cage(c);
}

void
child_tell(struct child *c, enum setup_msg type, uint32_t slot)
{
	unsigned char bytes[4];
	struct chan_msg m = { .type = (uint16_t)type };

	for (unsigned i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(slot >> (8 * i));
	m.body = (str){ (const char *)bytes, sizeof(bytes) };
	(void)!chan_send(c->control, &m, clock_ms() + SEND_WAIT_MS, NULL);
}

void
child_ready(struct child *c)
{
	child_tell(c, CHILD_READY, 0);
}

void
child_next(struct child *c, struct chan_msg *m)
{
	struct err err = { 0 };
	struct setup_head head;

	for (;;) {
		enum rc rc = chan_recv(
			c->control, c->buf, CHAN_MOST, m, UINT64_MAX, &err);

		if (rc == RC_NONE)
			continue;
		if (rc != RC_OK)
			_exit(1);
		if (m->type != MGR_RELOAD)
			return;
		if (setup_get_head(m->body, &head) != RC_OK)
			child_die(&(struct err){ .text = "not a setup" }, "reload");
		(void)take_parts(c, m, head.parts);
		return;
	}
}
