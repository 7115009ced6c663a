/* SPDX-License-Identifier: ISC */
/* Against the real clamd(8), where it is installed: an own instance with a
 * one-signature database, everything of it in a folder under /tmp. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/fs.h"
#include "filter/clamd_int.h"
#include "filter/filter.h"
#include "test/test.h"

#define CLAMD "/usr/sbin/clamd"

enum { LONG_MS = 30 * 1000, LIMIT = 1 << 20 };

struct real {
	pid_t pid;
	const char *folder;
	char socket[160];
	struct clamd *clamd;
};

static void
put(const char *folder, const char *name, str text)
{
	FD_AUTO dir = -1;

	assert_int_equal(fs_open_dir(AT_FDCWD, folder, &dir, NULL), RC_OK);
	assert_int_equal(fs_replace(dir, name, 0644, text, NULL), RC_OK);
}

/* In two parts, for this file would be found otherwise. */
static str
eicar(char out[80])
{
	int n = snprintf(out, 80, "%s%s", "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-",
		"ANTIVIRUS-TEST-FILE!$H+H*");

	return (str){ out, (size_t)n };
}

static void
write_settings(struct real *r)
{
	BUF_AUTO b = BUF(4096);
	char text[80], hex[160];
	str bytes = eicar(text);

	for (size_t i = 0; i < bytes.len; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", (unsigned char)bytes.ptr[i]);
	buf_addf(&b, "Gatepost.Test.EICAR:0:*:%s\n", hex);
	put(r->folder, "eicar.ndb", buf_str(&b));
	buf_clear(&b);
	buf_addf(&b,
		"LocalSocket %s\nDatabaseDirectory %s\nTemporaryDirectory %s\n"
		"Foreground yes\nSelfCheck 0\nConcurrentDatabaseReload no\n"
		"MaxFileSize 1M\nMaxScanSize 4M\nStreamMaxLength 1M\n",
		r->socket, r->folder, r->folder);
	if (geteuid() == 0)
		buf_add(&b, STR("User root\n"));
	put(r->folder, "clamd.conf", buf_str(&b));
}

static struct clamd *
client(const char *socket)
{
	char text[512];
	const struct conf *conf = NULL;
	struct clamd_limits l = { .stream = LIMIT, .file = LIMIT, .scan = 4 * LIMIT };
	int n = snprintf(text, sizeof(text),
		"hostname = mx.test\n[clamav]\nsocket = %s\n", socket);

	assert_int_equal(
		conf_parse((str){ text, (size_t)n }, "test", &conf, NULL), RC_OK);
	struct clamd *c = clamd_new(conf);
	clamd_set_limits(c, &l);
	conf_drop(&conf);
	return c;
}

static void
start(struct real *r)
{
	char settings[160];
	struct clamd_peer peer;
	uint64_t until = clock_ms() + LONG_MS;

	r->folder = test_folder();
	(void)snprintf(r->socket, sizeof(r->socket), "%s/socket", r->folder);
	(void)snprintf(settings, sizeof(settings), "%s/clamd.conf", r->folder);
	write_settings(r);
	r->pid = fork();
	assert_true(r->pid >= 0);
	if (r->pid == 0) {
		(void)!freopen("/dev/null", "w", stdout);
		(void)!freopen("/dev/null", "w", stderr);
		(void)execl(CLAMD, CLAMD, "-c", settings, (char *)NULL);
		_exit(127);
	}
	clamd_peer_read(str_of(r->socket), &peer);
	while (clamd_ping(&peer, until, NULL) != RC_OK) {
		assert_true(clock_ms() < until);
		(void)nanosleep(&(struct timespec){ .tv_nsec = 20 * 1000 * 1000 }, NULL);
	}
	r->clamd = client(r->socket);
}

static void
stop(struct real *r)
{
	clamd_free(&r->clamd);
	(void)kill(r->pid, SIGKILL);
	(void)waitpid(r->pid, NULL, 0);
}

static struct verdict
judge(struct real *r, str bytes, enum rc *rc)
{
	FD_AUTO fd = memfd_create("message", 0);
	FD_AUTO reader = -1;
	ARENA_AUTO mem = arena_new(64 * 1024);
	struct facts facts = { 0 };
	struct findings f = { .mem = mem };
	struct policy_of lenient = { INT32_MAX, true };
	struct err err = { 0 };

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	assert_int_equal(fs_reopen_read(fd, &reader, NULL), RC_OK);
	struct evidence e = { .fd = reader,
		.size = bytes.len,
		.facts = &facts,
		.clamd = r->clamd,
		.until_ms = clock_ms() + LONG_MS };
	*rc = filter_look(&e, &f, &err);
	return filter_judge(&f, &lenient);
}

/* EICAR in an archive made by zip(1), as base64 of one MIME part. */
static const char zipped_head[] =
	"From: a@x.test\r\nMIME-Version: 1.0\r\n"
	"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
	"Content-Type: text/plain\r\n\r\nhello\r\n--b\r\n"
	"Content-Type: application/zip; name=a.zip\r\n"
	"Content-Transfer-Encoding: base64\r\n\r\n";

static void
le(struct buf *b, uint64_t v, unsigned n)
{
	buf_le(b, v, n);
}

/* One stored file, as APPNOTE.TXT 4.3 says; nobody checks the CRC of a header. */
static void
zip_of(struct buf *b, str file, uint32_t crc)
{
	le(b, 0x04034b50, 4);
	le(b, 10, 2), le(b, 0, 2), le(b, 0, 2), le(b, 0, 4), le(b, crc, 4);
	le(b, file.len, 4), le(b, file.len, 4), le(b, 1, 2), le(b, 0, 2);
	buf_addc(b, 'a');
	buf_add(b, file);
	size_t at = b->len;
	le(b, 0x02014b50, 4);
	le(b, 10, 2), le(b, 10, 2), le(b, 0, 2), le(b, 0, 2), le(b, 0, 4), le(b, crc, 4);
	le(b, file.len, 4), le(b, file.len, 4), le(b, 1, 2), le(b, 0, 4), le(b, 0, 4);
	le(b, 0, 4), le(b, 0, 4);
	buf_addc(b, 'a');
	size_t size = b->len - at;
	le(b, 0x06054b50, 4);
	le(b, 0, 4), le(b, 1, 2), le(b, 1, 2), le(b, size, 4), le(b, at, 4), le(b, 0, 2);
}

static void
base64(struct buf *b, str s)
{
	static const char set[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		unsigned v = 0, n = 0;

		for (; n < 3 && i + n < s.len; n++)
			v |= (unsigned)(unsigned char)s.ptr[i + n] << (16 - 8 * n);
		for (unsigned k = 0; k < 4; k++)
			buf_addc(b, k <= n ? set[(v >> (18 - 6 * k)) & 63] : '=');
		if (i % 57 == 54)
			buf_add(b, STR("\r\n"));
	}
}

static void
attached(struct buf *b, bool zip)
{
	BUF_AUTO file = BUF(4096);
	char text[80];

	if (zip)
		zip_of(&file, eicar(text), 0x6851cf3c);
	else
		buf_add(&file, eicar(text));
	buf_add(b, str_of(zipped_head));
	base64(b, buf_str(&file));
	buf_add(b, STR("\r\n--b--\r\n"));
}

static void
check_messages(struct real *r)
{
	BUF_AUTO b = BUF(2 * LIMIT);
	struct verdict v;
	enum rc rc;

	v = judge(r, STR("From: a@x.test\r\n\r\nhello\r\n"), &rc);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(v.what, VERDICT_DELIVER);
	for (int zip = 0; zip < 2; zip++) {
		buf_clear(&b);
		attached(&b, zip == 1);
		v = judge(r, buf_str(&b), &rc);
		assert_int_equal(rc, RC_OK);
		assert_int_equal(v.what, VERDICT_REFUSE);
		assert_true(str_eq(
			v.reason, STR("this message contains a virus or other malware")));
	}
	while (b.len <= LIMIT)
		buf_add(&b, STR("a line that is there to make the message larger\r\n"));
	v = judge(r, buf_str(&b), &rc);
	assert_int_equal(rc, RC_OK);
	assert_true(str_eq(v.reason,
		STR("this message has something in it that cannot be checked for viruses")));
}

TEST(the_real_clamd_finds_eicar_attached_and_zipped_and_its_limits_hold)
{
	static const char zeros[LIMIT + 1];
	struct verdict v;
	struct clamd_limits believed = { .stream = 2 * LIMIT, .file = 2 * LIMIT };
	struct real r = { 0 };
	struct err err = { 0 };
	enum rc rc;

	if (access(CLAMD, X_OK) != 0) {
		print_message("SKIPPED: there is no " CLAMD "\n");
		skip();
	}
	start(&r);
	check_messages(&r);
	rc = clamd_probe(r.clamd, clock_ms() + LONG_MS, &err);
	if (rc != RC_OK)
		print_message("%s\n", err.text);
	assert_int_equal(rc, RC_OK);
	clamd_set_limits(r.clamd, &believed);
	assert_int_equal(clamd_probe(r.clamd, clock_ms() + LONG_MS, &err), RC_BAD);
	assert_non_null(strstr(err.text, "does not scan"));
	v = judge(&r, (str){ zeros, sizeof(zeros) }, &rc);
	assert_int_equal(rc, RC_OK);
	assert_int_equal(v.what, VERDICT_REFUSE);
	believed = (struct clamd_limits){ .stream = LIMIT / 2, .file = LIMIT };
	clamd_set_limits(r.clamd, &believed);
	assert_int_equal(clamd_probe(r.clamd, clock_ms() + LONG_MS, &err), RC_BAD);
	assert_non_null(strstr(err.text, "settings file"));
	(void)kill(r.pid, SIGSTOP);
	FD_AUTO fd = memfd_create("message", 0);
	char virus[CLAMD_NAME];
	assert_int_equal(
		clamd_scan(r.clamd, fd, 0, clock_ms() + 100, virus, &err), RC_TEMP);
	stop(&r);
}
