/* SPDX-License-Identifier: ISC */
/*
 * rights: who may do what.  This is the page to read before trusting a process
 * and the page to change when one needs more.  All of them: no exec, no new
 * processes, no ptrace, no signals to others, no code made at run time, nothing
 * outside the folders named here, no core dumps.
 */
#include <sys/resource.h>

#include "daemon/process.h"
#include "daemon/rights.h"

/* An address space limit and the sanitizers' shadow memory exclude each other. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

#define CALLS static const char *const

CALLS memory_and_time[] = { "brk", "munmap", "mremap", "madvise", "clock_gettime",
	"clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time",
	"getrandom", "restart_syscall", "exit", "exit_group", "rt_sigaction",
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "getpid", "gettid", "getppid",
	"getuid", "geteuid", "getgid", "getegid", "sched_yield", "sched_getaffinity",
	"futex", "membarrier", "rseq", "set_robust_list", "uname", "sysinfo", "getrusage",
	"getrlimit", NULL };
CALLS descriptors[] = { "read", "write", "readv", "writev", "pread64", "pwrite64",
	"preadv", "pwritev", "lseek", "close", "fstat", "newfstatat", "fstat64", "statx",
	"fcntl", "dup", "poll", "ppoll", "ftruncate", "memfd_create", "recvmsg", NULL };
CALLS files[] = { "openat", "open", "stat", "lstat", "access", "faccessat", "faccessat2",
	"getdents64", "linkat", "unlinkat", "unlink", "renameat", "renameat2", "mkdirat",
	"mkdir", "rmdir", "readlink", "readlinkat", "fchmod", "fchmodat", "fsync",
	"fdatasync", "syncfs", "sync_file_range", "fallocate", "fstatfs", "statfs",
	"umask", "fadvise64", "utimensat", NULL };
CALLS network[] = { "accept4", "accept", "shutdown", "getsockname", "getpeername",
	"getsockopt", "setsockopt", "recvfrom", "epoll_create1", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "eventfd2", "timerfd_create",
	"timerfd_settime", NULL };

static struct cage_limits
limits(rlim_t processes_most, rlim_t descriptors_most)
{
	return (struct cage_limits){ .n = 3,
		.at = {
			{ RLIMIT_CORE, 0 }, /* keys and mail in memory */
			{ RLIMIT_NPROC, processes_most },
			{ RLIMIT_NOFILE, descriptors_most },
		} };
}

/* The public door: strangers' bytes, the spool, its journal.  No mailbox. */
void
gate_rights(const struct child *c, struct cage *out)
{
	static const struct cage_folder folders[] = { { "incoming",
							      CAGE_READ | CAGE_WRITE },
		{ "held", CAGE_READ | CAGE_WRITE },
		{ "journal/gate", CAGE_READ | CAGE_WRITE }, { NULL, 0 } };
	static const char *const *const calls[] = { memory_and_time, descriptors, files,
		network, NULL };
	str clamd = c->conf->clamav.socket;

	*out = (struct cage){ .folders = folders,
		.calls = calls,
		.limits = limits(RLIM_INFINITY, RLIM_INFINITY) };
	/* to be connected to clamd, by the manager (dial.h), and nowhere else */
	if (!str_empty(clamd))
		out->sockets = clamd.ptr[0] == '/' ||
					       str_find(clamd, STR(":")) == clamd.len
				       ? CAGE_UNIX_SOCKETS
				       : CAGE_TCP_SOCKETS;
}

/* Mailboxes and directory; talks to the gate and to the command line only
 * through channels it was handed. */
void
house_rights(const struct child *c, struct cage *out)
{
	static const struct cage_folder folders[] = { { ".", CAGE_READ | CAGE_WRITE },
		{ NULL, 0 } };
	static const char *const *const calls[] = { memory_and_time, descriptors, files,
		network, NULL };

	(void)c;
	*out = (struct cage){ .folders = folders,
		.calls = calls,
		.limits = limits(RLIM_INFINITY, RLIM_INFINITY) };
}

/* Takes hostile bytes apart: a channel, the descriptors that come over it,
 * memory up to a limit.  No file, no socket, no thread. */
void
scanner_rights(const struct child *c, struct cage *out)
{
	static const struct cage_folder folders[] = { { NULL, 0 } };
	static const char *const *const calls[] = { memory_and_time, descriptors, NULL };

	*out = (struct cage){
		.folders = folders, .calls = calls, .limits = limits(0, 256)
	};
	out->limits.at[out->limits.n++] = (struct cage_limit){ RLIMIT_FSIZE,
		c->conf->limits.scanner_memory };
	if (!SANITIZED)
		out->limits.at[out->limits.n++] = (struct cage_limit){ RLIMIT_AS,
			c->conf->limits.scanner_memory };
}

/* uacme, which asks a CA for certificates, is not one of our processes: Debian's program,
 * executed with these files to read, two folders to write (its own and data/acme) and
 * the network, but no port to listen on.  doc/sandbox.md says the rest. */
const struct cage_path uacme_reads[] = { { "/usr", true }, { "/lib", true },
	{ "/lib64", true }, { "/etc/ld.so.cache", false }, { "/etc/ssl", false },
	{ "/etc/ca-certificates", false }, { "/etc/gnutls", false },
	{ "/etc/resolv.conf", false }, { "/etc/hosts", false },
	{ "/etc/host.conf", false }, { "/etc/nsswitch.conf", false },
	{ "/etc/gai.conf", false }, { "/etc/services", false },
	{ "/etc/localtime", false }, { "/dev/null", false }, { "/dev/urandom", false },
	{ "/dev/random", false }, { "/proc", false }, { NULL, false } };
