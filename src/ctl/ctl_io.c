/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_io.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/clock.h"

static enum rc
ready(int fd, short events, uint64_t until_ms, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = events };
	uint64_t now = clock_ms(), left = now >= until_ms ? 0 : until_ms - now;
	int n = poll(&p, 1, left > INT_MAX ? INT_MAX : (int)left);

	if (n < 0 && errno != EINTR)
		return err_errno(err, "poll");
	if (n == 0)
		return err_set(err, RC_TEMP, "no answer in time");
	return RC_OK;
}

enum rc
ctl_send(int fd, str bytes, uint64_t until_ms, struct err *err)
{
	enum rc rc;

	while (bytes.len > 0) {
		if ((rc = ready(fd, POLLOUT, until_ms, err)) != RC_OK)
			return rc;
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return err_set(err, RC_PERM, "the other side has gone");
		if (n < 0)
			return err_errno(err, "send");
		bytes = str_skip(bytes, (size_t)n);
	}
	return RC_OK;
}

enum rc
ctl_recv(int fd, void *out, size_t len, uint64_t until_ms, struct err *err)
{
	char *at = out;
	enum rc rc;

	while (len > 0) {
		if ((rc = ready(fd, POLLIN, until_ms, err)) != RC_OK)
			return rc;
		ssize_t n = recv(fd, at, len, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n == 0 || (n < 0 && errno == ECONNRESET))
			return err_set(err, RC_PERM, "the other side has gone");
		if (n < 0)
			return err_errno(err, "receive");
		at += n;
		len -= (size_t)n;
	}
	return RC_OK;
}

enum rc
ctl_send_frames(int fd, enum ctl_tag tag, str bytes, uint64_t until_ms, struct err *err)
{
	unsigned char head[CTL_FRAME_HEAD];
	enum rc rc;

	do {
		str part = str_first(bytes, CTL_FRAME_BYTES);

		ctl_put_frame(tag, part.len, head);
		rc = ctl_send(
			fd, (str){ (const char *)head, sizeof(head) }, until_ms, err);
		if (rc == RC_OK)
			rc = ctl_send(fd, part, until_ms, err);
		bytes = str_skip(bytes, part.len);
	} while (rc == RC_OK && !str_empty(bytes));
	return rc;
}
