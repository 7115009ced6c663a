/* SPDX-License-Identifier: ISC */
#include "daemon/dial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netdb.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/ip.h"

static bool
unix_target(struct dial *d, str path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	if (!str_z(path, un.sun_path, sizeof(un.sun_path)))
		return false;
	memcpy(&d->to, &un, sizeof(un));
	d->len = sizeof(un);
	return true;
}

static bool
named_target(struct dial *d, str host, str port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char name[256], number[8];

	if (!str_z(host, name, sizeof(name)) || !str_z(port, number, sizeof(number)) ||
		getaddrinfo(name, number, &hints, &found) != 0)
		return false;
	bool fits = found->ai_addrlen <= sizeof(d->to);
	if (fits) {
		memcpy(&d->to, found->ai_addr, found->ai_addrlen);
		d->len = found->ai_addrlen;
	}
	freeaddrinfo(found);
	return fits;
}

void
dial_target(struct dial *d, str socket)
{
	const char *colon = socket.len == 0 ? NULL : memrchr(socket.ptr, ':', socket.len);

	d->known = false;
	if (socket.len == 0)
		return;
	if (socket.ptr[0] == '/' || colon == NULL) {
		d->known = unix_target(d, socket);
		return;
	}
	str host = str_first(socket, (size_t)(colon - socket.ptr));
	str port = str_skip(socket, host.len + 1);
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = str_first(str_skip(host, 1), host.len - 2);
	d->known = named_target(d, host, port);
}

/* *fd is the new socket; 0, or the error for the gate's connect.  A TCP
 * connection still under way is EINPROGRESS, and its socket is given too. */
static int
connect_there(const struct dial *d, int *fd)
{
	if (!d->known)
		return EHOSTUNREACH;
	*fd = socket(d->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd < 0)
		return errno;
	return connect(*fd, (const struct sockaddr *)&d->to, d->len) == 0 ? 0 : errno;
}

static int
give(const struct dial *d, const struct seccomp_notif *q)
{
	FD_AUTO fd = -1;
	int e = connect_there(d, &fd);
	struct seccomp_notif_addfd add = { .id = q->id,
		.flags = SECCOMP_ADDFD_FLAG_SETFD,
		.srcfd = (uint32_t)fd,
		.newfd = (uint32_t)q->data.args[0],
		.newfd_flags = O_CLOEXEC };

	if (e != 0 && e != EINPROGRESS)
		return e;
	/* over whatever the gate had there: its own descriptors only */
	if (ioctl(d->notify, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0)
		return errno;
	return e;
}

void
dial_answer(struct dial *d)
{
	struct seccomp_notif *q = NULL;
	struct seccomp_notif_resp *a = NULL;

	if (seccomp_notify_alloc(&q, &a) != 0)
		abort();
	if (seccomp_notify_receive(d->notify, q) == 0) {
		a->id = q->id;
		a->error = -give(d, q);
		(void)seccomp_notify_respond(d->notify, a);
	} else if (errno != EINTR && errno != ENOENT) {
		fs_close(&d->notify);
	}
	seccomp_notify_free(q, a);
}
