/* SPDX-License-Identifier: ISC */
#include "ctl/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "ctl/ctl_io.h"
#include "ctl/shown.h"

enum {
	SEND_MS = 60000,
	HELLO_MS = 15000, /* somebody works at it */
	SILENCE_MS = 3600 * 1000, /* a long audit says nothing for long */
};

enum rc
client_connect(int run, int *fd, struct err *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	FD_AUTO made = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(at.sun_path, sizeof(at.sun_path), "/proc/self/fd/%d/control", run);
	if (made < 0)
		return err_errno(err, "socket");
	if (connect(made, (struct sockaddr *)&at, sizeof(at)) != 0) {
		if (errno == ENOENT || errno == ECONNREFUSED)
			return err_set(err, RC_NONE, "no server is running");
		return err_errno(err, "the control socket");
	}
	*fd = made;
	made = -1;
	return RC_OK;
}

static enum rc
read_frame(int fd, uint64_t wait_ms, enum ctl_tag *tag, struct buf *body, struct err *err)
{
	unsigned char head[CTL_FRAME_HEAD];
	uint64_t until = clock_ms() + wait_ms;
	char part[4096];
	size_t len;
	enum rc rc = ctl_recv(fd, head, sizeof(head), until, err);

	if (rc != RC_OK)
		return rc;
	if (ctl_get_frame(head, tag, &len) != RC_OK)
		return err_set(err, RC_BAD,
			"the server does not speak our protocol; is it another "
			"version?");
	buf_clear(body);
	while (len > 0 && rc == RC_OK) {
		size_t n = len < sizeof(part) ? len : sizeof(part);

		rc = ctl_recv(fd, part, n, until, err);
		if (rc == RC_OK)
			buf_add(body, (str){ part, n });
		len -= n;
	}
	return rc;
}

static enum rc
take_answer(int fd, enum verb_exit *how, struct err *err)
{
	BUF_AUTO body = BUF(CTL_FRAME_BYTES);
	enum ctl_tag tag;
	enum rc rc;

	for (;;) {
		rc = read_frame(fd, SILENCE_MS, &tag, &body, err);
		if (rc == RC_PERM)
			return err_set(err, RC_TEMP,
				"the server ended before the command was done");
		if (rc != RC_OK)
			return rc;
		if (tag == CTL_OUT && !shown_write(buf_str(&body)))
			return err_set(err, RC_TEMP, "standard output cannot be written");
		if (tag == CTL_ERR)
			(void)err_set(err, RC_BAD, "%s", buf_z(&body));
		if (tag == CTL_EXIT) {
			*how = (enum verb_exit)(unsigned char)body.data[0];
			return RC_OK;
		}
	}
}

enum rc
client_run(int fd, int argc, char *const argv[], str input, enum verb_exit *how,
	struct err *err)
{
	BUF_AUTO head = BUF(CTL_HEAD + CTL_WORDS_BYTES), body = BUF(CTL_FRAME_BYTES);
	enum ctl_tag tag;
	enum rc rc;

	ctl_put_request(&head, argc, argv, input.len);
	if (!buf_ok(&head))
		return err_set(err, RC_BAD, "the command is too long");
	rc = ctl_send(fd, buf_str(&head), clock_ms() + SEND_MS, err);
	if (rc == RC_OK)
		rc = ctl_send(fd, input, clock_ms() + SEND_MS, err);
	if (rc == RC_OK)
		rc = read_frame(fd, HELLO_MS, &tag, &body, err);
	if (rc == RC_PERM)
		return err_set(err, RC_LIMIT,
			"the server closed the connection (its log says why)");
	if (rc == RC_TEMP)
		return err_set(err, RC_TEMP,
			"the server does not answer: it is overloaded, or "
			"hangs");
	if (rc == RC_OK && tag != CTL_HELLO)
		return err_set(err, RC_BAD, "the server does not speak our protocol");
	return rc == RC_OK ? take_answer(fd, how, err) : rc;
}
