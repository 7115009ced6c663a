/* SPDX-License-Identifier: ISC */
#include "daemon/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"

/* The kernel's numbers, here because Debian 12's headers stop at ABI 2. */
enum {
	LL_EXECUTE = 1 << 0,
	LL_WRITE_FILE = 1 << 1,
	LL_READ_FILE = 1 << 2,
	LL_READ_DIR = 1 << 3,
	LL_REMOVE_DIR = 1 << 4,
	LL_REMOVE_FILE = 1 << 5,
	LL_MAKE_DIR = 1 << 7,
	LL_MAKE_REG = 1 << 8,
	LL_MAKE_SYM = 1 << 12,
	LL_ALL_1 = (1 << 13) - 1,
	LL_REFER = 1 << 13, /* ABI 2 */
	LL_TRUNCATE = 1 << 14, /* ABI 3 */
	LL_IOCTL_DEV = 1 << 15, /* ABI 5 */
	LL_BIND_TCP = 1 << 0,
	LL_CONNECT_TCP = 1 << 1, /* ABI 4 */
	LL_SCOPE_ABSTRACT_UNIX = 1 << 0,
	LL_SCOPE_SIGNAL = 1 << 1, /* ABI 6 */
	RULE_PATH_BENEATH = 1,
	RULESET_VERSION = 1,
};

struct ruleset_attr {
	uint64_t fs, net, scoped;
};

struct path_attr {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

unsigned
cage_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);

	return abi < 0 ? 0 : (unsigned)abi;
}

bool
cage_has_seccomp(void)
{
	return prctl(PR_GET_SECCOMP) >= 0;
}

static uint64_t
fs_known(unsigned abi)
{
	uint64_t all = LL_ALL_1;

	all |= abi >= 2 ? LL_REFER : 0;
	all |= abi >= 3 ? LL_TRUNCATE : 0;
	all |= abi >= 5 ? LL_IOCTL_DEV : 0;
	return all;
}

static uint64_t
fs_use(unsigned use)
{
	uint64_t rights = LL_READ_FILE | LL_READ_DIR;

	if ((use & CAGE_WRITE) != 0)
		rights |= LL_WRITE_FILE | LL_REMOVE_FILE | LL_REMOVE_DIR | LL_MAKE_REG |
			  LL_MAKE_DIR | LL_TRUNCATE | LL_REFER;
	return rights;
}

static enum rc
allow_folder(
	int rules, int data, const struct cage_folder *f, unsigned abi, struct err *err)
{
	FD_AUTO fd = openat(data, f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct path_attr attr = { .allowed = fs_use(f->use) & fs_known(abi),
		.parent = fd };

	if (fd < 0 ||
		syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &attr, 0) != 0)
		return err_errno(err, f->path);
	return RC_OK;
}

static enum rc
close_files(const struct cage *c, int data, unsigned abi, struct err *err)
{
	struct ruleset_attr attr = { .fs = fs_known(abi),
		.net = abi >= 4 ? LL_BIND_TCP | LL_CONNECT_TCP : 0,
		.scoped = abi >= 6 ? LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL : 0 };
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 16 : 8;
	FD_AUTO rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	enum rc rc;

	if (rules < 0)
		return err_errno(err, "Landlock");
	for (const struct cage_folder *f = c->folders; f->path != NULL; f++)
		if ((rc = allow_folder(rules, data, f, abi, err)) != RC_OK)
			return rc;
	if (syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		return err_errno(err, "Landlock");
	return RC_OK;
}

static enum rc
allow_path(int rules, int fd, uint64_t rights, struct err *err)
{
	struct path_attr attr = { .allowed = rights, .parent = fd };
	struct stat st;

	/* what belongs to folders is refused for a file */
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		attr.allowed &= LL_EXECUTE | LL_READ_FILE | LL_WRITE_FILE | LL_TRUNCATE;
	if (syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &attr, 0) != 0)
		return err_errno(err, "Landlock");
	return RC_OK;
}

enum rc
cage_program(const struct cage_path *reads, const int *writes, size_t nwrites,
	int program, unsigned abi, struct err *err)
{
	struct ruleset_attr attr = { .fs = fs_known(abi),
		.net = abi >= 4 ? LL_BIND_TCP : 0,
		.scoped = abi >= 6 ? LL_SCOPE_ABSTRACT_UNIX | LL_SCOPE_SIGNAL : 0 };
	size_t size = abi >= 6 ? sizeof(attr) : abi >= 4 ? 16 : 8;
	FD_AUTO rules = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
	enum rc rc = rules < 0 ? err_errno(err, "Landlock") : RC_OK;

	for (; rc == RC_OK && reads->path != NULL; reads++) {
		FD_AUTO fd = open(reads->path, O_PATH | O_CLOEXEC);

		if (fd >= 0)
			rc = allow_path(rules, fd,
				fs_use(CAGE_READ) | (reads->may_execute ? LL_EXECUTE : 0),
				err);
	}
	for (size_t i = 0; i < nwrites && rc == RC_OK; i++)
		rc = allow_path(rules, writes[i],
			(fs_use(CAGE_READ | CAGE_WRITE) | LL_MAKE_SYM) & fs_known(abi),
			err);
	if (rc == RC_OK)
		rc = allow_path(rules, program, LL_EXECUTE | LL_READ_FILE, err);
	if (rc == RC_OK && syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		rc = err_errno(err, "Landlock");
	return rc;
}

static int
allow_calls(scmp_filter_ctx f, const char *const *const *lists)
{
	for (; *lists != NULL; lists++) {
		for (const char *const *name = *lists; *name != NULL; name++) {
			int nr = seccomp_syscall_resolve_name(*name);
			int e;

			/* a name of another architecture or a newer kernel */
			if (nr == __NR_SCMP_ERROR || nr < 0)
				continue;
			if ((e = seccomp_rule_add(f, SCMP_ACT_ALLOW, nr, 0)) != 0)
				return e;
		}
	}
	return 0;
}

/* Calls that everybody needs, but only with harmless arguments. */
static int
allow_with_arguments(scmp_filter_ctx f)
{
	const unsigned long exec = PROT_EXEC;
	int e = 0;

	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, exec, 0));
	/* threads, no processes; clone3's flags cannot be seen: libc then uses clone */
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
		SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, CLONE_THREAD));
	e |= seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	/* abort() signals itself, nobody else */
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1,
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid()));
	/* TCP fast open would be a connect() that nobody sees */
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendto), 1,
		SCMP_A3(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(sendmsg), 1,
		SCMP_A2(SCMP_CMP_MASKED_EQ, MSG_FASTOPEN, 0));
	e |= seccomp_rule_add(
		f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, SCMP_A0(SCMP_CMP_EQ, PR_SET_NAME));
	/* limits may be asked, not set */
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2,
		SCMP_A0(SCMP_CMP_EQ, 0), SCMP_A2(SCMP_CMP_EQ, 0));
	return e;
}

static int
allow_sockets(scmp_filter_ctx f, enum cage_sockets kind)
{
	const scmp_datum_t type = 0xf;
	int e = 0;

	if (kind == CAGE_NO_SOCKETS)
		return 0;
	e |= seccomp_rule_add(f, SCMP_ACT_NOTIFY, SCMP_SYS(connect), 0);
	/* streams only: a datagram needs no connect() */
	if (kind == CAGE_UNIX_SOCKETS)
		return e | seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
				   SCMP_A0(SCMP_CMP_EQ, AF_UNIX),
				   SCMP_A1(SCMP_CMP_MASKED_EQ, type, SOCK_STREAM));
	e |= seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
		SCMP_A0(SCMP_CMP_EQ, AF_INET),
		SCMP_A1(SCMP_CMP_MASKED_EQ, type, SOCK_STREAM));
	return e | seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
			   SCMP_A0(SCMP_CMP_EQ, AF_INET6),
			   SCMP_A1(SCMP_CMP_MASKED_EQ, type, SOCK_STREAM));
}

/* EPERM, not death, for what is not allowed: a library that tries something
 * unforeseen gets an error it can live with, an attacker gets no further. */
static enum rc
close_calls(const struct cage *c, int *notify, struct err *err)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int e;

	if (f == NULL)
		return err_set(err, RC_TEMP, "seccomp: no filter");
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);
	/* a binary tree: hundreds of rules are a handful of comparisons */
	(void)seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	e = allow_calls(f, c->calls);
	if (e == 0)
		e = allow_with_arguments(f);
	if (e == 0)
		e = allow_sockets(f, c->sockets);
	if (e == 0)
		e = seccomp_load(f);
	if (e == 0 && c->sockets != CAGE_NO_SOCKETS)
		*notify = seccomp_notify_fd(f);
	seccomp_release(f);
	if (e == 0)
		return RC_OK;
	errno = e < 0 ? -e : e;
	return err_errno(err, "seccomp");
}

static enum rc
close_limits(const struct cage_limits *l, struct err *err)
{
	for (size_t i = 0; i < l->n; i++) {
		struct rlimit was, want;

		if (getrlimit(l->at[i].which, &was) != 0)
			return err_errno(err, "rlimits");
		want.rlim_cur = want.rlim_max = l->at[i].value < was.rlim_max
							? l->at[i].value
							: was.rlim_max;
		if (setrlimit(l->at[i].which, &want) != 0)
			return err_errno(err, "rlimits");
	}
	return RC_OK;
}

/* What is missing is said, and is the end where the cage is required. */
static enum rc
shrug(enum rc rc, bool required, struct err *err)
{
	if (rc == RC_OK || required)
		return rc;
	log_warn("the cage is not complete: %s", err->text);
	return RC_OK;
}

enum rc
cage_close(const struct cage *c, int data, unsigned abi, bool required, int *notify,
	struct err *err)
{
	enum rc rc = close_limits(&c->limits, err);

	if (rc != RC_OK)
		return rc;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, "no_new_privs");
	if (abi == 0)
		rc = err_set(err, RC_PERM, "this kernel has no Landlock");
	else
		rc = close_files(c, data, abi, err);
	if ((rc = shrug(rc, required, err)) != RC_OK)
		return rc;
	*notify = -1;
	return shrug(close_calls(c, notify, err), required, err);
}
