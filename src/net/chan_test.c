/* SPDX-License-Identifier: ISC */
#include "net/chan.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "test/test.h"

static int
count_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

TEST(the_largest_frame_with_most_descriptors_arrives_whole)
{
	char *out = malloc(CHAN_MOST), *in = malloc(CHAN_MOST);
	struct chan_msg m = { .type = 7, .id = 0x1122334455667788, .nfds = CHAN_FDS },
			got;
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	for (size_t i = 0; i < CHAN_MOST; i++)
		out[i] = (char)(i * 7);
	m.body = (str){ out, CHAN_MOST };
	for (int i = 0; i < CHAN_FDS; i++)
		m.fds[i] = STDERR_FILENO;
	int before = count_fds();
	assert_int_equal(chan_send(pair[0], &m, 0, NULL), RC_OK);
	assert_int_equal(chan_recv(pair[1], in, CHAN_MOST, &got, 0, NULL), RC_OK);
	assert_int_equal(got.type, 7);
	assert_true(got.id == m.id);
	assert_int_equal(got.body.len, CHAN_MOST);
	assert_memory_equal(got.body.ptr, out, CHAN_MOST);
	assert_int_equal(got.nfds, CHAN_FDS);
	assert_int_equal(fcntl(got.fds[0], F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	chan_close_fds(&got);
	assert_int_equal(count_fds(), before);
	m.body.len++;
	assert_int_equal(chan_send(pair[0], &m, 0, NULL), RC_LIMIT);
	(void)close(pair[0]);
	(void)close(pair[1]);
	free(out);
	free(in);
}

TEST(nothing_there_a_full_channel_and_a_dead_process_are_told_apart)
{
	static char body[CHAN_MOST], in[CHAN_MOST];
	struct chan_msg m = { .type = 1, .body = { body, sizeof(body) } }, got;
	struct err err;
	enum rc rc;
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	assert_int_equal(chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_NONE);
	assert_int_equal(
		chan_recv(pair[1], in, sizeof(in), &got, clock_ms() + 2, NULL), RC_NONE);
	for (int i = 0; i < 100 && (rc = chan_send(pair[0], &m, 0, &err)) == RC_OK; i++)
		continue;
	assert_int_equal(rc, RC_TEMP);
	assert_int_equal(chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_OK);
	(void)close(pair[0]);
	while ((rc = chan_recv(pair[1], in, sizeof(in), &got, UINT64_MAX, &err)) == RC_OK)
		continue;
	assert_int_equal(rc, RC_PERM);
	assert_int_equal(chan_send(pair[1], &m, 0, &err), RC_PERM);
	(void)close(pair[1]);
}

static void
send_raw(int fd, const void *data, size_t len, int nfds)
{
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int) * 100)];
	} control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (nfds > 0) {
		msg.msg_control = control.bytes;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * (size_t)nfds);
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(sizeof(int) * (size_t)nfds);
		for (int i = 0; i < nfds; i++)
			memcpy(CMSG_DATA(&control.align) + (size_t)i * sizeof(int), &fd,
				sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &msg, 0), (ssize_t)len);
}

TEST(a_process_that_was_taken_over_sends_no_frame_and_leaves_no_descriptor)
{
	struct chan_msg m = { .type = 1, .id = 2, .body = STR("abc") }, got;
	unsigned char good[CHAN_HEADER + 3], bad[CHAN_HEADER + 3];
	char in[16];
	int pair[2];

	assert_int_equal(chan_pair(pair, NULL), RC_OK);
	chan_pack_header(&m, good);
	memcpy(good + CHAN_HEADER, "abc", 3);
	int before = count_fds();
	static const struct {
		size_t at;
		unsigned char is;
	} wrong[] = {
		{ 0, 'g' },
		{ 4, 2 },
		{ 5, 1 },
		{ 6, 0 },
		{ 16, 2 },
		{ 16, 4 },
		{ 19, 0x80 },
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		memcpy(bad, good, sizeof(bad));
		bad[wrong[i].at] = wrong[i].is;
		send_raw(pair[0], bad, sizeof(bad), 1);
		assert_int_equal(
			chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_BAD);
	}
	send_raw(pair[0], good, 5, 2); /* half a header */
	assert_int_equal(chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_BAD);
	send_raw(pair[0], good, sizeof(good), CHAN_FDS + 1); /* one too many */
	assert_int_equal(chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_BAD);
	send_raw(pair[0], good, sizeof(good), 1); /* longer than the buffer */
	assert_int_equal(chan_recv(pair[1], in, 2, &got, 0, NULL), RC_BAD);
	assert_int_equal(count_fds(), before);
	send_raw(pair[0], good, sizeof(good), 0);
	assert_int_equal(chan_recv(pair[1], in, sizeof(in), &got, 0, NULL), RC_OK);
	assert_int_equal(got.nfds, 0);
	(void)close(pair[0]);
	(void)close(pair[1]);
}

TEST(only_sealed_bytes_are_read)
{
	char *out;
	size_t len;
	int fd;

	assert_int_equal(chan_memfd("test", STR("some\0bytes"), &fd, NULL), RC_OK);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(chan_memfd_read(fd, 10, &out, &len, NULL), RC_OK);
	assert_int_equal(len, 10);
	assert_memory_equal(out, "some\0bytes", 11);
	free(out);
	assert_int_equal(chan_memfd_read(fd, 9, &out, &len, NULL), RC_BAD);
	(void)close(fd);
	fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(chan_memfd_read(fd, 10, &out, &len, NULL), RC_BAD);
	(void)close(fd);
	assert_int_equal(chan_memfd_read(STDERR_FILENO, 10, &out, &len, NULL), RC_BAD);
}
