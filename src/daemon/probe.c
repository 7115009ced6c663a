/* SPDX-License-Identifier: ISC */
/*
 * probe: in a test build, each process tries what its rights forbid, once its
 * cage is closed, and logs one line for each try:
 *
 *	probe WHAT: denied (why)
 *	probe WHAT: POSSIBLE
 *
 * Not in what people run: probe_none.c takes its place there.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"
#include "daemon/process.h"

/* Each returns -1 and errno when it was denied. */
static int
try_open(const char *path, int flags)
{
	FD_AUTO fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -1 : 0;
}

static int
read_passwd(const struct child *c)
{
	(void)c;
	return try_open("/etc/passwd", O_RDONLY);
}

static int
write_tmp(const struct child *c)
{
	(void)c;
	return try_open("/tmp/gatepost-probe", O_WRONLY | O_CREAT);
}

static int
list_root(const struct child *c)
{
	(void)c;
	return try_open("/", O_RDONLY | O_DIRECTORY);
}

/* Another process's memory. */
static int
read_parent(const struct child *c)
{
	char path[40];

	(void)c;
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)getppid());
	return try_open(path, O_RDONLY);
}

/* Mailboxes are house's alone. */
static int
open_mailboxes(const struct child *c)
{
	FD_AUTO fd = -1;

	if (c->process == &processes[PROCESS_HOUSE]) {
		errno = ENOTSUP;
		return -1;
	}
	fd = openat(c->data, "accounts", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -1 : 0;
}

static int
try_connect(int family, const void *at, socklen_t len)
{
	FD_AUTO fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage peer;
	socklen_t peer_len = sizeof(peer);

	if (fd < 0)
		return -1;
	if (connect(fd, at, len) != 0)
		return -1;
	/* the manager may have connected it to clamd instead (dial.h) */
	if (getpeername(fd, (struct sockaddr *)&peer, &peer_len) != 0)
		return -1;
	errno = EREMOTE;
	return peer_len == len && memcmp(&peer, at, len) == 0 ? 0 : -1;
}

/* Where somebody surely listens: at our own port. */
static int
connect_tcp(const struct child *c)
{
	struct sockaddr_storage at = { .ss_family = AF_INET };
	socklen_t len = sizeof(at);

	if (c->nlisten == 0 ||
		getsockname(c->listeners[0], (struct sockaddr *)&at, &len) != 0)
		len = sizeof(struct sockaddr_in);
	return try_connect(at.ss_family, &at, len);
}

/* The control socket, where commands are taken. */
static int
connect_control(const struct child *c)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	const char *slash = strrchr(c->conf_path, '/');
	int folder = slash == NULL ? 0 : (int)(slash - c->conf_path + 1);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "%.*srun/control", folder,
		c->conf_path);
	return try_connect(AF_UNIX, &at, sizeof(at));
}

static int
send_datagram(const struct child *c)
{
	FD_AUTO fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)c;
	return fd < 0 ? -1 : 0;
}

static int
listen_tcp(const struct child *c)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	FD_AUTO fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)c;
	return fd < 0 ? -1 : bind(fd, (struct sockaddr *)&at, sizeof(at));
}

static int
exec_shell(const struct child *c)
{
	char *const none[] = { NULL };

	(void)c;
	return execve("/bin/true", none, none);
}

static int
fork_child(const struct child *c)
{
	(void)c;
	pid_t pid = fork();
	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int
trace_parent(const struct child *c)
{
	(void)c;
	return (int)ptrace(PTRACE_ATTACH, getppid(), NULL, NULL);
}

static int
signal_parent(const struct child *c)
{
	(void)c;
	return kill(getppid(), 0);
}

static int
mount_something(const struct child *c)
{
	(void)c;
	return mount("none", "/tmp", "tmpfs", 0, NULL);
}

static int
new_namespace(const struct child *c)
{
	(void)c;
	return unshare(CLONE_NEWUSER);
}

static int
make_code(const struct child *c)
{
	(void)c;
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return p == MAP_FAILED ? -1 : 0;
}

static int
become_root(const struct child *c)
{
	(void)c;
	return setuid(0);
}

static int
be_dumped(const struct child *c)
{
	(void)c;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
load_module(const struct child *c)
{
	(void)c;
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static const struct {
	const char *what;
	int (*run)(const struct child *c);
} tries[] = {
	{ "read /etc/passwd", read_passwd },
	{ "write in /tmp", write_tmp },
	{ "list /", list_root },
	{ "read the manager's memory", read_parent },
	{ "open others' mailboxes", open_mailboxes },
	{ "connect to a TCP port", connect_tcp },
	{ "connect to the control socket", connect_control },
	{ "make a datagram socket", send_datagram },
	{ "bind a TCP port", listen_tcp },
	{ "run a program", exec_shell },
	{ "fork", fork_child },
	{ "trace the manager", trace_parent },
	{ "signal the manager", signal_parent },
	{ "mount", mount_something },
	{ "make a user namespace", new_namespace },
	{ "make code at run time", make_code },
	{ "become root", become_root },
	{ "become dumpable", be_dumped },
	{ "use bpf", load_module },
};

void
probe_cage(const struct child *c)
{
	size_t possible = 0, n = sizeof(tries) / sizeof(tries[0]);

	for (size_t i = 0; i < n; i++) {
		errno = 0;
		if (tries[i].run(c) == 0) {
			possible++;
			log_error("probe %s: POSSIBLE", tries[i].what);
		} else {
			log_info("probe %s: denied (%s)", tries[i].what, strerror(errno));
		}
	}
	log_info("probe: %zu of %zu possible", possible, n);
}
