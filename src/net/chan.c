/* SPDX-License-Identifier: ISC */
#include "net/chan.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"

static const unsigned char magic[4] = { 'G', 'P', 'c', 'h' };

/* Room for exactly CHAN_FDS descriptors: more arrive truncated. */
union control {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * CHAN_FDS)];
};

/* ---- the frame ---- */

static void
put_le(unsigned char *out, uint64_t v, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		out[i] = (unsigned char)(v >> (8 * i));
}

static uint64_t
get_le(const unsigned char *in, unsigned bytes)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < bytes; i++)
		v |= (uint64_t)in[i] << (8 * i);
	return v;
}

void
chan_pack_header(const struct chan_msg *m, unsigned char out[CHAN_HEADER])
{
	memcpy(out, magic, sizeof(magic));
	put_le(out + 4, CHAN_VERSION, 2);
	put_le(out + 6, m->type, 2);
	put_le(out + 8, m->id, 8);
	put_le(out + 16, m->body.len, 4);
}

static enum rc
unpack_header(const unsigned char *h, size_t body, struct chan_msg *m)
{
	uint16_t type = (uint16_t)get_le(h + 6, 2);

	if (memcmp(h, magic, sizeof(magic)) != 0 || get_le(h + 4, 2) != CHAN_VERSION ||
		type == 0 || body > CHAN_MOST || get_le(h + 16, 4) != body)
		return RC_BAD;
	m->type = type;
	m->id = get_le(h + 8, 8);
	return RC_OK;
}

enum rc
chan_unpack(str frame, struct chan_msg *m)
{
	struct chan_msg got = { 0 };

	if (frame.len < CHAN_HEADER)
		return RC_BAD;
	got.body = str_skip(frame, CHAN_HEADER);
	if (unpack_header((const unsigned char *)frame.ptr, got.body.len, &got) != RC_OK)
		return RC_BAD;
	*m = got;
	return RC_OK;
}

/* ---- the socket ---- */

enum rc
chan_pair(int out[2], struct err *err)
{
	int fds[2], want = 2 * (CHAN_MOST + CHAN_HEADER), got[2] = { 0 };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) != 0)
		return err_errno(err, "socketpair");
	for (int i = 0; i < 2; i++) {
		socklen_t len = sizeof(got[i]);

		(void)setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &want, sizeof(want));
		(void)getsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &got[i], &len);
	}
	/* unix(7): a packet has to fit into the sender's buffer, with its head */
	if (got[0] < CHAN_MOST + 1024 || got[1] < CHAN_MOST + 1024) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_set(err, RC_TEMP,
			"net.core.wmem_max is too small for our channels: %d bytes",
			got[0]);
	}
	out[0] = fds[0];
	out[1] = fds[1];
	return RC_OK;
}

/* RC_OK: try now; RC_NONE: until_ms came first. */
static enum rc
wait_for(int fd, short events, uint64_t until_ms, struct err *err)
{
	struct pollfd p = { .fd = fd, .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		uint64_t left = until_ms > now ? until_ms - now : 0;
		int n = poll(&p, 1,
			until_ms == UINT64_MAX ? -1
			: left > INT_MAX       ? INT_MAX
					       : (int)left);

		if (n > 0)
			return RC_OK;
		if (n < 0 && errno != EINTR)
			return err_errno(err, "poll");
		if (n == 0 && left <= INT_MAX)
			return RC_NONE;
	}
}

static enum rc
send_failed(int error, struct err *err)
{
	if (error == EPIPE || error == ECONNRESET || error == ENOTCONN)
		return err_set(err, RC_PERM, "the other process is gone");
	return err_set(err, RC_TEMP, "sendmsg: %s", strerror(error));
}

enum rc
chan_send(int fd, const struct chan_msg *m, uint64_t until_ms, struct err *err)
{
	unsigned char head[CHAN_HEADER];
	union control control = { 0 };
	struct iovec iov[2] = { { head, sizeof(head) }, { 0 } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };

	assert(m->type != 0 && m->nfds <= CHAN_FDS);
	if (m->body.len > CHAN_MOST)
		return err_set(err, RC_LIMIT, "%zu bytes in one frame", m->body.len);
	chan_pack_header(m, head);
	iov[1].iov_base = (void *)(uintptr_t)m->body.ptr; /* sendmsg only reads it */
	iov[1].iov_len = m->body.len;
	if (m->nfds > 0) {
		size_t len = m->nfds * sizeof(int);

		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(len);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(&control.align), m->fds, len);
	}
	for (;;) {
		if (sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0)
			return RC_OK;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return send_failed(errno, err);
		enum rc rc = wait_for(fd, POLLOUT, until_ms, err);
		if (rc == RC_NONE)
			return err_set(err, RC_TEMP, "the other process does not read");
		if (rc != RC_OK)
			return rc;
	}
}

/* Takes over every descriptor that came, also of a message to be refused. */
static bool
take_fds(struct msghdr *msg, struct chan_msg *m)
{
	bool good = (msg->msg_flags & (MSG_CTRUNC | MSG_TRUNC)) == 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c != NULL; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
			good = false;
			continue;
		}
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		const unsigned char *data = CMSG_DATA(c);
		for (size_t i = 0; i < n && m->nfds < CHAN_FDS; i++)
			memcpy(&m->fds[m->nfds++], data + i * sizeof(int), sizeof(int));
	}
	return good;
}

static enum rc
recv_failed(int error, struct err *err)
{
	if (error == ECONNRESET || error == ENOTCONN)
		return err_set(err, RC_PERM, "the other process is gone");
	return err_set(err, RC_TEMP, "recvmsg: %s", strerror(error));
}

enum rc
chan_recv(int fd, char *buf, size_t size, struct chan_msg *m, uint64_t until_ms,
	struct err *err)
{
	unsigned char head[CHAN_HEADER];
	union control control;
	struct iovec iov[2] = { { head, sizeof(head) }, { buf, size } };
	struct msghdr msg = { .msg_iov = iov, .msg_iovlen = 2 };
	struct chan_msg got = { 0 };
	ssize_t n;

	for (;;) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = sizeof(control.bytes);
		n = recvmsg(fd, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n >= 0)
			break;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return recv_failed(errno, err);
		enum rc rc = wait_for(fd, POLLIN, until_ms, err);
		if (rc != RC_OK)
			return rc;
	}
	bool whole = take_fds(&msg, &got);
	size_t len = (size_t)n;
	if (len == 0 && got.nfds == 0)
		return err_set(err, RC_PERM, "the other process is gone");
	if (!whole || len < CHAN_HEADER ||
		unpack_header(head, len - CHAN_HEADER, &got) != RC_OK) {
		chan_close_fds(&got);
		return err_set(
			err, RC_BAD, "%zu bytes that are not a frame of ours", len);
	}
	got.body = (str){ buf, len - CHAN_HEADER };
	*m = got;
	return RC_OK;
}

void
chan_close_fds(struct chan_msg *m)
{
	for (unsigned i = 0; i < m->nfds; i++)
		(void)close(m->fds[i]);
	m->nfds = 0;
}
