/* SPDX-License-Identifier: ISC */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/ip.h"
#include "filter/clamd_int.h"

enum { CHUNK = 64 * 1024 };

struct talk {
	int fd;
	uint64_t until_ms;
	struct err *err;
};

static void
unix_peer(str path, struct clamd_peer *out)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	out->local = true;
	out->known = str_z(path, un.sun_path, sizeof(un.sun_path));
	memcpy(&out->addr, &un, sizeof(un));
	out->len = sizeof(un);
}

/* A name is looked up once, where the settings are read: not in a cage, and
 * not while a sender waits. */
static void
named_peer(str host, uint64_t port, struct clamd_peer *out)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	char name[256], service[8];

	(void)snprintf(service, sizeof(service), "%u", (unsigned)port);
	if (!str_z(host, name, sizeof(name)) ||
		getaddrinfo(name, service, &hints, &found) != 0)
		return;
	if (found->ai_addrlen <= sizeof(out->addr)) {
		memcpy(&out->addr, found->ai_addr, found->ai_addrlen);
		out->len = found->ai_addrlen;
		out->known = true;
	}
	freeaddrinfo(found);
}

void
clamd_peer_read(str setting, struct clamd_peer *out)
{
	const char *colon = setting.len == 0 ? NULL
					     : memrchr(setting.ptr, ':', setting.len);
	uint64_t port;
	struct ip ip;

	*out = (struct clamd_peer){ .none = setting.len == 0 };
	if (out->none)
		return;
	if (setting.ptr[0] == '/' || colon == NULL) {
		unix_peer(setting, out);
		return;
	}
	str host = str_first(setting, (size_t)(colon - setting.ptr));
	if (!str_u64(str_skip(setting, host.len + 1), 65535, &port))
		return;
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = str_first(str_skip(host, 1), host.len - 2);
	if (!ip_parse(str_ieq(host, STR("localhost")) ? STR("127.0.0.1") : host, &ip)) {
		named_peer(host, port, out);
		return;
	}
	ip.port = (uint16_t)port;
	out->len = ip_to_sockaddr(&ip, &out->addr);
	out->known = true;
}

static enum rc
late(struct talk *t)
{
	return err_set(t->err, RC_TEMP, "clamd did not answer in time");
}

static enum rc
failed(struct talk *t, const char *what)
{
	return err_set(t->err, RC_TEMP, "clamd: %s: %s", what, strerror(errno));
}

/* Waits for any of `events`; *got: which came. */
static enum rc
wait_for(struct talk *t, short events, short *got)
{
	struct pollfd p = { .fd = t->fd, .events = events };

	for (;;) {
		uint64_t now = clock_ms();
		uint64_t left = t->until_ms > now ? t->until_ms - now : 0;
		int n = poll(&p, 1, left > 60000 ? 60000 : (int)left);

		if (n > 0) {
			*got = p.revents;
			return RC_OK;
		}
		if (n < 0 && errno != EINTR)
			return failed(t, "poll");
		if (n == 0 && left <= 60000)
			return late(t);
	}
}

/* A unix socket cannot be waited for while its backlog is full (EAGAIN, and
 * poll says nothing), so there connect itself waits, with a time limit. */
static enum rc
connect_local(struct talk *t, const struct clamd_peer *p)
{
	uint64_t now = clock_ms();
	uint64_t left = t->until_ms > now ? t->until_ms - now : 1;
	struct timeval tv = { (time_t)(left / 1000), (suseconds_t)(left % 1000 * 1000) };

	if (setsockopt(t->fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv)) != 0)
		return failed(t, "setsockopt");
	while (connect(t->fd, (const struct sockaddr *)&p->addr, p->len) != 0) {
		if (errno == EAGAIN)
			return late(t);
		if (errno != EINTR)
			return failed(t, "connect");
	}
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK) != 0)
		return failed(t, "fcntl");
	return RC_OK;
}

static enum rc
connect_inet(struct talk *t, const struct clamd_peer *p)
{
	socklen_t len = sizeof(int);
	int error = 0;
	short got;
	enum rc rc;

	if (fcntl(t->fd, F_SETFL, O_NONBLOCK) != 0)
		return failed(t, "fcntl");
	if (connect(t->fd, (const struct sockaddr *)&p->addr, p->len) == 0)
		return RC_OK;
	if (errno != EINPROGRESS)
		return failed(t, "connect");
	rc = wait_for(t, POLLOUT, &got);
	if (rc != RC_OK)
		return rc;
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
		return RC_OK;
	errno = error;
	return failed(t, "connect");
}

static enum rc
talk_begin(struct talk *t, const struct clamd_peer *p)
{
	if (!p->known)
		return err_set(t->err, RC_TEMP, "clamd's address is not known");
	t->fd = socket(p->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (t->fd < 0)
		return failed(t, "socket");
	return p->local ? connect_local(t, p) : connect_inet(t, p);
}

/* Sends all of it.  RC_NONE: clamd has something to say before it has taken
 * everything, or has closed. */
static enum rc
send_all(struct talk *t, str data)
{
	while (data.len > 0) {
		short got;
		ssize_t n = send(t->fd, data.ptr, data.len, MSG_NOSIGNAL);

		if (n >= 0) {
			data = str_skip(data, (size_t)n);
			continue;
		}
		if (errno == EPIPE || errno == ECONNRESET)
			return RC_NONE;
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			return failed(t, "send");
		enum rc rc = wait_for(t, POLLOUT | POLLIN, &got);
		if (rc != RC_OK)
			return rc;
		if ((got & POLLOUT) == 0)
			return RC_NONE;
	}
	return RC_OK;
}

/* Reads up to the NUL that ends an answer. */
static enum rc
read_answer(struct talk *t, char line[CLAMD_ANSWER], struct clamd_answer *answer)
{
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(t->fd, line + have, CLAMD_ANSWER - have, 0);
		short got;

		if (n == 0)
			return err_set(
				t->err, RC_TEMP, "clamd closed before it had answered");
		if (n < 0 && errno == EAGAIN) {
			enum rc rc = wait_for(t, POLLIN, &got);

			if (rc != RC_OK)
				return rc;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(t, "recv");
		const char *end = memchr(line + have, '\0', (size_t)n);
		have += (size_t)n;
		if (end != NULL) {
			if (clamd_answer_read(
				    (str){ line, (size_t)(end - line) }, answer) == RC_OK)
				return RC_OK;
			return err_set(t->err, RC_TEMP, "clamd's answer cannot be read");
		}
		if (have == CLAMD_ANSWER)
			return err_set(t->err, RC_TEMP, "clamd's answer does not end");
	}
}

static enum rc
talk_end(struct talk *t, enum rc rc)
{
	fs_close(&t->fd);
	return rc == RC_NONE
		       ? err_set(t->err, RC_TEMP, "clamd closed before it had answered")
		       : rc;
}

enum rc
clamd_ping(const struct clamd_peer *p, uint64_t until_ms, struct err *err)
{
	struct talk t = { -1, until_ms, err };
	struct clamd_answer answer;
	char line[CLAMD_ANSWER];
	enum rc rc = talk_begin(&t, p);

	if (rc == RC_OK)
		rc = send_all(&t, (str){ "zPING", sizeof("zPING") });
	if (rc == RC_OK)
		rc = read_answer(&t, line, &answer);
	if (rc == RC_OK && answer.says != CLAMD_PONG)
		rc = err_set(err, RC_TEMP, "clamd did not answer a PING with PONG");
	return talk_end(&t, rc);
}

static enum rc
send_descriptor(struct talk *t, int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char byte = '\0';
	struct iovec iov = { &byte, 1 };
	struct msghdr m = { .msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	short got;

	control.head = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(int)),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &fd, sizeof(fd));
	while (sendmsg(t->fd, &m, MSG_NOSIGNAL) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return RC_NONE;
		if (errno != EAGAIN && errno != EINTR)
			return failed(t, "sendmsg");
		enum rc rc = wait_for(t, POLLOUT, &got);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

enum rc
clamd_fildes(const struct clamd_peer *p, int fd, uint64_t until_ms,
	char line[CLAMD_ANSWER], struct clamd_answer *answer, struct err *err)
{
	struct talk t = { -1, until_ms, err };
	enum rc rc = talk_begin(&t, p);

	if (rc == RC_OK)
		rc = send_all(&t, (str){ "zFILDES", sizeof("zFILDES") });
	if (rc == RC_OK)
		rc = send_descriptor(&t, fd);
	if (rc == RC_OK)
		rc = read_answer(&t, line, answer);
	return talk_end(&t, rc);
}

static enum rc
source_read(const struct clamd_source *s, uint64_t at, char *out, size_t want,
	struct err *err)
{
	size_t got = 0;

	if (s->fd < 0) {
		str text = at == 0 ? str_first(s->text, want) : (str){ 0 };

		memset(out, 0, want);
		if (text.len > 0)
			memcpy(out, text.ptr, text.len);
		return RC_OK;
	}
	enum rc rc = fs_pread(s->fd, out, want, at, &got, err);
	if (rc == RC_OK && got != want)
		return err_set(err, RC_TEMP,
			"the spooled file is shorter than it was said to be");
	return rc;
}

/* Chunks with their length before them, and an empty one at the end. */
static enum rc
send_stream(struct talk *t, const struct clamd_source *s, char *chunk)
{
	uint32_t head;

	for (uint64_t at = 0; at < s->size;) {
		size_t n = s->size - at < CHUNK ? (size_t)(s->size - at) : CHUNK;
		enum rc rc = source_read(s, at, chunk + sizeof(head), n, t->err);

		head = htobe32((uint32_t)n);
		memcpy(chunk, &head, sizeof(head));
		if (rc == RC_OK)
			rc = send_all(t, (str){ chunk, n + sizeof(head) });
		if (rc != RC_OK)
			return rc;
		at += n;
	}
	head = 0;
	memcpy(chunk, &head, sizeof(head));
	return send_all(t, (str){ chunk, sizeof(head) });
}

enum rc
clamd_instream(const struct clamd_peer *p, const struct clamd_source *s,
	uint64_t until_ms, char line[CLAMD_ANSWER], struct clamd_answer *answer,
	struct err *err)
{
	struct talk t = { -1, until_ms, err };
	enum rc rc = talk_begin(&t, p);
	char *chunk = malloc(CHUNK + sizeof(uint32_t));

	if (chunk == NULL)
		abort();
	if (rc == RC_OK)
		rc = send_all(&t, (str){ "zINSTREAM", sizeof("zINSTREAM") });
	if (rc == RC_OK)
		rc = send_stream(&t, s, chunk);
	free(chunk);
	bool early = rc == RC_NONE;
	if (rc == RC_OK || early)
		rc = read_answer(&t, line, answer);
	if (rc == RC_OK && early && answer->says == CLAMD_CLEAN)
		rc = err_set(
			err, RC_TEMP, "clamd answered before it had the whole message");
	return talk_end(&t, rc);
}
