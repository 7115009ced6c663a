/* SPDX-License-Identifier: ISC */
/* Each test closes a cage in a child and looks from inside; its exit status
 * says what was possible. */
#include "daemon/cage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "test/test.h"

static const char *const calls[] = { "read", "write", "openat", "close", "exit_group",
	"exit", "fstat", "newfstatat", "brk", "munmap", "linkat", "unlinkat", "renameat",
	"fcntl", "lseek", "ftruncate", "rt_sigprocmask", "rt_sigreturn", "rt_sigaction",
	"sigaltstack", "getpid", "futex", NULL };
static const char *const *const lists[] = { calls, NULL };
static const struct cage_folder folders[] = { { "own", CAGE_READ | CAGE_WRITE },
	{ "shown", CAGE_READ }, { NULL, 0 } };

static int
folder(void)
{
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(mkdirat(fd, "own", 0700), 0);
	assert_int_equal(mkdirat(fd, "shown", 0700), 0);
	assert_int_equal(mkdirat(fd, "other", 0700), 0);
	return fd;
}

/* What `look` returns in the cage; 99: the cage could not be closed. */
static int
inside(int (*look)(int data), enum cage_sockets sockets)
{
	const struct cage cage = {
		.folders = folders, .calls = lists, .sockets = sockets
	};
	FD_AUTO data = folder();
	int how = 0, notify;
	pid_t pid = fork();

	if (pid == 0) {
		if (cage_close(&cage, data, cage_abi(), true, &notify, NULL) != RC_OK)
			_exit(99);
		_exit(look(data));
	}
	assert_true(pid > 0 && waitpid(pid, &how, 0) == pid);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

static int
opens(int data, const char *path, int flags)
{
	return openat(data, path, flags | O_CLOEXEC, 0600) >= 0;
}

static int
look_files(int data)
{
	int possible = 0;

	possible |= opens(data, "own/new", O_RDWR | O_CREAT) ? 1 : 0;
	possible |= opens(data, "shown/new", O_RDWR | O_CREAT) ? 2 : 0;
	possible |= opens(data, "other/new", O_RDWR | O_CREAT) ? 4 : 0;
	possible |= opens(data, "shown", O_RDONLY | O_DIRECTORY) ? 8 : 0;
	possible |= opens(AT_FDCWD, "/etc/passwd", O_RDONLY) ? 16 : 0;
	possible |= opens(data, "own/../other", O_RDONLY | O_DIRECTORY) ? 32 : 0;
	return possible;
}

TEST(a_process_reaches_its_own_folders_and_no_other)
{
	if (cage_abi() < CAGE_ABI_LEAST)
		skip();
	assert_int_equal(inside(look_files, CAGE_NO_SOCKETS), 1 | 8);
}

static int
look_processes(int data)
{
	char *const none[] = { NULL };

	(void)data;
	(void)execve("/bin/true", none, none);
	if (errno != EPERM)
		return 1;
	if (fork() >= 0 || errno != EPERM)
		return 2;
	if (kill(getppid(), 0) == 0)
		return 3;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED)
		return 4;
	return 0;
}

TEST(a_process_that_was_taken_over_starts_nothing_and_signals_nobody)
{
	if (cage_abi() < CAGE_ABI_LEAST)
		skip();
	assert_int_equal(inside(look_processes, CAGE_NO_SOCKETS), 0);
}

static int
look_sockets(int data)
{
	int possible = 0;

	(void)data;
	possible |= socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 1 : 0;
	possible |= socket(AF_UNIX, SOCK_DGRAM, 0) >= 0 ? 2 : 0;
	possible |= socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 4 : 0;
	possible |= socket(AF_INET, SOCK_DGRAM, 0) >= 0 ? 8 : 0;
	possible |= socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ? 16 : 0;
	return possible;
}

TEST(only_the_sockets_that_clamd_needs_can_be_made)
{
	if (cage_abi() < CAGE_ABI_LEAST)
		skip();
	assert_int_equal(inside(look_sockets, CAGE_NO_SOCKETS), 0);
	assert_int_equal(inside(look_sockets, CAGE_UNIX_SOCKETS), 1);
	assert_int_equal(inside(look_sockets, CAGE_TCP_SOCKETS), 4);
}

/* 1 its own folder, 2 another's, 4 a file outside, 8 a program outside; then it becomes
 * /usr/bin/true, which ends with 0 only if it may be executed. */
static int
in_program_cage(int wanted)
{
	static const struct cage_path reads[] = { { "/usr", true }, { "/lib", true },
		{ "/lib64", true }, { "/nonexistent", false }, { NULL, false } };
	FD_AUTO data = folder();
	int how = 0;
	pid_t pid = fork();

	if (pid == 0) {
		FD_AUTO own = openat(data, "own", O_PATH | O_DIRECTORY);
		FD_AUTO program = open("/usr/bin/true", O_PATH);
		int possible = 0;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
			cage_program(reads, &own, 1, program, cage_abi(), NULL) != RC_OK)
			_exit(99);
		possible |= opens(data, "own/new", O_RDWR | O_CREAT) ? 1 : 0;
		possible |= opens(data, "other/new", O_RDWR | O_CREAT) ? 2 : 0;
		possible |= opens(data, "/etc/passwd", O_RDONLY) ? 4 : 0;
		possible |= opens(data, "/usr/new", O_RDWR | O_CREAT) ? 8 : 0;
		if (possible != wanted)
			_exit(possible + 64);
		(void)execl("/usr/bin/true", "true", (char *)NULL);
		_exit(98);
	}
	assert_true(pid > 0 && waitpid(pid, &how, 0) == pid);
	assert_true(WIFEXITED(how));
	return WEXITSTATUS(how);
}

TEST(a_program_that_is_not_ours_writes_into_its_own_folder_only)
{
	if (cage_abi() < CAGE_ABI_LEAST)
		skip();
	assert_int_equal(in_program_cage(1), 0);
}
