/* SPDX-License-Identifier: ISC */
/*
 * cage: closing a process in.  The mechanisms; who may do what stands in
 * rights.c.
 *
 * Landlock for files and TCP ports, seccomp for system calls, rlimits for
 * memory and descriptors.  To be called before the process has threads: both
 * hold for the calling thread and what it starts.  What a kernel's Landlock is
 * too old for is left out (doc/sandbox.md says what that means).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/err.h"

enum { CAGE_FOLDERS = 8, CAGE_ABI_LEAST = 2 };

enum cage_use { CAGE_READ = 1, CAGE_WRITE = 2 };

struct cage_folder {
	const char *path;	/* below the data folder; NULL ends */
	unsigned use;
};

enum cage_sockets { CAGE_NO_SOCKETS, CAGE_UNIX_SOCKETS, CAGE_TCP_SOCKETS };

struct cage_limit {
	__rlimit_resource_t which;	/* RLIMIT_… */
	rlim_t value;
};

struct cage_limits {
	size_t n;
	struct cage_limit at[8];
};

struct cage {
	const struct cage_folder *folders;
	const char *const *const *calls;	/* lists of system calls, ended by NULL */
	enum cage_sockets sockets;		/* kinds that socket() may make; connect() is
						 * then the manager's (dial.h) */
	struct cage_limits limits;
};

/* For a program that is not ours and is executed afterwards: files may be read below
 * `reads`, executed where they say so, written below the folders `writes`; the network and
 * system calls stay as they are.  To be followed by exec. */
struct cage_path {
	const char *path;	/* absolute; what is missing is left out; NULL ends */
	bool may_execute;
};

enum rc cage_program(const struct cage_path *reads, const int *writes, size_t nwrites,
	int program, unsigned abi, struct err *err) MUST_CHECK;

unsigned cage_abi(void);		/* Landlock's version; 0: none */
bool cage_has_seccomp(void);
/* *notify: what connect() is answered through; -1 without sockets. */
enum rc cage_close(const struct cage *c, int data, unsigned abi, bool required, int *notify,
	struct err *err) MUST_CHECK;
