/* SPDX-License-Identifier: ISC */
/* control: the socket run/control, at the manager's end. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

enum rc control_open(int run, int *fd, struct err *err) MUST_CHECK;
/* One connection of somebody who may command us: root, or the manager's own
 * user.  RC_NONE: nobody, or nobody who may. `ours` says whether a process is
 * one of our children: they may not, whoever runs them. */
enum rc control_accept(int fd, bool (*ours)(pid_t pid, void *arg), void *arg, int *out);
void control_close(int run, int *fd);
