/* SPDX-License-Identifier: ISC */
#include "daemon/control.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/log.h"

enum rc
control_open(int run, int *fd, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	FD_AUTO made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	/* through the descriptor: the path itself may be too long for a socket */
	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/control", run);
	(void)unlinkat(run, "control", 0);
	mode_t was = umask(0177);
	int failed = made < 0 || bind(made, (struct sockaddr *)&at, sizeof(at)) != 0 ||
		     listen(made, 64) != 0;
	int e = errno;
	(void)umask(was);
	errno = e;
	if (failed)
		return err_errno(err, "the control socket run/control");
	*fd = made;
	made = -1;
	return RC_OK;
}

enum rc
control_accept(int fd, bool (*ours)(pid_t pid, void *arg), void *arg, int *out)
{
	FD_AUTO got = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	struct ucred who;
	socklen_t len = sizeof(who);

	if (got < 0)
		return RC_NONE;
	if (getsockopt(got, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return RC_NONE;
	if ((who.uid != 0 && who.uid != geteuid()) || ours(who.pid, arg)) {
		log_warn("control socket: process %d of user %u was turned away",
			(int)who.pid, (unsigned)who.uid);
		return RC_NONE;
	}
	*out = got;
	got = -1;
	return RC_OK;
}

void
control_close(int run, int *fd)
{
	if (*fd >= 0)
		(void)unlinkat(run, "control", 0);
	fs_close(fd);
}
