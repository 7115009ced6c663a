/* SPDX-License-Identifier: ISC */
/* Other programs play uacme. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "daemon/acme_int.h"
#include "test/test.h"

/* instance.c's, which would bring the whole daemon along. */
enum rc
owners_become(uid_t uid, gid_t gid, struct err *err)
{
	(void)uid, (void)gid, (void)err;
	abort();
}

struct ran {
	enum rc rc;
	int status;
	struct buf said;
	struct err err;
};

static struct ran
run(const char *const argv[], uint64_t ms)
{
	static const struct conf conf = { .sandbox.mode = CONF_SANDBOX_BEST };
	struct instance in = INSTANCE_NONE;
	struct ran ran = { .status = -1, .said = BUF(65536) };
	FD_AUTO own = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	FD_AUTO challenges = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct acme_run r = { .in = &in,
		.own = own,
		.challenges = challenges,
		.csr = STR("a request\n"),
		.until_ms = clock_ms() + ms,
		.said = &ran.said };

	in.conf = &conf;
	ran.rc = acme_run(&r, argv, &ran.status, &ran.err);
	return ran;
}

static bool
has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
}

TEST(a_ca_that_never_answers_is_given_up)
{
	uint64_t before = clock_ms();
	struct ran r = run((const char *const[]){ "/bin/sleep", "1000", NULL }, 300);

	assert_int_equal(r.rc, RC_TEMP);
	assert_string_equal(r.err.text, "uacme did not end within 5 minutes");
	assert_true(clock_ms() - before < 100000);
	assert_false(has_children());
	buf_free(&r.said);
}

TEST(what_was_started_is_gone_when_it_ends)
{
	static const char script[] = "sleep 1000 & echo $!; exit 3";
	struct ran r = run((const char *const[]){ "/bin/sh", "-c", script, NULL }, 60000);
	uint64_t pid = 0, until = clock_ms() + 60000;
	char path[64];
	str line, rest = buf_str(&r.said);

	assert_int_equal(r.rc, RC_OK);
	assert_int_equal(r.status, 3);
	assert_true(str_cut(&rest, '\n', &line) && str_u64(line, INT32_MAX, &pid));
	(void)snprintf(path, sizeof(path), "/proc/%d/environ", (int)pid);
	/* dead, but perhaps not reaped: it is not our child */
	bool lives = true;
	while (clock_ms() < until && lives) {
		FD_AUTO fd = open(path, O_RDONLY | O_CLOEXEC);
		char byte;

		lives = fd >= 0 && read(fd, &byte, 1) == 1;
	}
	assert_false(lives);
	buf_free(&r.said);
}

TEST(a_program_that_is_not_ours_gets_two_words_and_five_descriptors)
{
	struct ran r = run((const char *const[]){ "/usr/bin/env", NULL }, 60000);

	assert_int_equal(r.status, 0);
	assert_string_equal(buf_z(&r.said), "PATH=/usr/bin:/bin\nLC_ALL=C\n");
	buf_free(&r.said);
	/* the sixth is the folder that ls has opened */
	r = run((const char *const[]){ "/bin/ls", "/proc/self/fd", NULL }, 60000);
	assert_string_equal(buf_z(&r.said), "0\n1\n2\n3\n4\n5\n");
	buf_free(&r.said);
	r = run((const char *const[]){ "/bin/cat", "request.csr", NULL }, 60000);
	assert_string_equal(buf_z(&r.said), "a request\n");
	buf_free(&r.said);
}

TEST(a_program_that_is_missing_says_so)
{
	struct ran r = run((const char *const[]){ "/nonexistent", NULL }, 60000);

	assert_int_equal(r.rc, RC_OK);
	assert_int_equal(r.status, 127);
	assert_non_null(strstr(buf_z(&r.said), "No such file"));
	buf_free(&r.said);
}
