/* SPDX-License-Identifier: ISC */
#include "daemon/pair.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"
#include "crypto/cert.h"
#include "test/test.h"

static const uint64_t now_ms = 1795400000000;
static struct cert_pem ca;
static unsigned events_left;

static struct cert_pem
a_pair(void)
{
	struct cert_pem p;

	if (ca.cert == NULL)
		assert_int_equal(cert_make_ca(STR("mx.test"), now_ms, &ca, NULL), RC_OK);
	assert_int_equal(cert_make_server(&ca, STR("mx.test"), now_ms, &p, NULL), RC_OK);
	return p;
}

static int
a_folder(const struct cert_pem *p)
{
	int fd = open(test_folder(), O_RDONLY | O_DIRECTORY);

	assert_true(fd >= 0);
	if (p != NULL)
		assert_int_equal(
			pair_write(fd, "mx.test", str_of(p->cert), str_of(p->key), NULL),
			RC_OK);
	return fd;
}

/* What serves is one of the two, whole. */
static bool
serves(int fd, const struct cert_pem *p)
{
	struct pair got;

	assert_int_equal(pair_read(fd, "mx.test", &got, NULL), RC_OK);
	assert_true(cert_fits(pair_cert(&got), pair_key(&got)));
	bool same = str_eq(pair_cert(&got), str_of(p->cert));
	assert_true(!same || str_eq(pair_key(&got), str_of(p->key)));
	pair_clear(&got);
	return same;
}

static void
power_cut(const struct fs_event *e)
{
	(void)e;
	if (--events_left == 0)
		_exit(1);
}

/* Writes and loses power after n events; false: it was done before. */
static bool
interrupted(int fd, const struct cert_pem *p, unsigned n)
{
	int how;
	pid_t pid = fork();

	if (pid == 0) {
		events_left = n;
		fs_observe(power_cut);
		_exit(pair_write(fd, "mx.test", str_of(p->cert), str_of(p->key), NULL) ==
					RC_OK
				? 0
				: 2);
	}
	assert_true(waitpid(pid, &how, 0) == pid && WIFEXITED(how));
	assert_true(WEXITSTATUS(how) < 2);
	return WEXITSTATUS(how) == 1;
}

TEST(whenever_the_power_goes_the_certificate_that_serves_has_its_key)
{
	struct cert_pem old = a_pair(), fresh = a_pair(), next = a_pair();
	unsigned n = 0, before = 0, after = 0;
	bool cut;

	do {
		int fd = a_folder(&old);

		cut = interrupted(fd, &fresh, ++n);
		if (serves(fd, &fresh))
			after++;
		else if (serves(fd, &old))
			before++;
		/* and the next one is written whatever was left behind, or is cut too */
		(void)interrupted(fd, &next, n);
		assert_true(serves(fd, &fresh) || serves(fd, &old) || serves(fd, &next));
		assert_int_equal(pair_write(fd, "mx.test", str_of(next.cert),
					 str_of(next.key), NULL),
			RC_OK);
		assert_true(serves(fd, &next));
		fs_close(&fd);
	} while (cut);
	assert_int_equal(before + after, n);
	assert_true(before > 5 && after > 2);
	cert_pem_clear(&old);
	cert_pem_clear(&fresh);
	cert_pem_clear(&next);
}

TEST(the_pair_before_can_be_taken_back)
{
	struct cert_pem old = a_pair(), fresh = a_pair();
	int fd = a_folder(&old);
	char *text;
	size_t len;

	assert_int_equal(
		pair_write(fd, "mx.test", str_of(fresh.cert), str_of(fresh.key), NULL),
		RC_OK);
	assert_int_equal(
		fs_read_all(fd, "mx.test.previous", 1 << 20, &text, &len, NULL), RC_OK);
	/* one file is both: readers of PEM take what they look for */
	assert_true(cert_fits((str){ text, len }, (str){ text, len }));
	assert_true(str_starts((str){ text, len }, str_of(old.cert)));
	free(text);
	fs_close(&fd);
	cert_pem_clear(&old);
	cert_pem_clear(&fresh);
}

TEST(a_key_that_was_left_behind_is_not_taken_for_another_certificate)
{
	struct cert_pem old = a_pair(), fresh = a_pair();
	int fd = a_folder(&old);

	assert_int_equal(
		fs_replace(fd, "mx.test.key.next", 0600, str_of(fresh.key), NULL), RC_OK);
	assert_true(serves(fd, &old));
	/* an administrator's own pair, key first, then certificate, is as good */
	assert_int_equal(
		fs_replace(fd, "mx.test.key", 0600, str_of(fresh.key), NULL), RC_OK);
	assert_int_equal(
		fs_replace(fd, "mx.test.crt", 0644, str_of(fresh.cert), NULL), RC_OK);
	assert_true(serves(fd, &fresh));
	fs_close(&fd);
	cert_pem_clear(&old);
	cert_pem_clear(&fresh);
}
