/* SPDX-License-Identifier: ISC */
#include "daemon/acme.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "daemon/acme_int.h"
#include "daemon/pair.h"

enum { MOST_PEM = 256 * 1024, MOST_HOST = 254, SAID_MOST = 64 * 1024 };

static const uint64_t MINUTE_MS = 60000, DAY_MS = 86400000;

struct folders {
	int keys, tls, own, challenges, lock;
};

/* --- folders --- */

static enum rc
make_folder(int at, const char *path, mode_t mode, uid_t owner, const struct owners *o,
	int *fd, struct err *err)
{
	enum rc rc = fs_mkdirs(at, path, 0700, err);

	if (rc == RC_OK)
		rc = fs_open_dir(at, path, fd, err);
	if (rc != RC_OK)
		return rc;
	if (o->switching && fchown(*fd, owner, o->group) != 0)
		return err_errno(err, path);
	/* the mode after the owner, who takes the group's bit away */
	return fchmod(*fd, mode) == 0 ? RC_OK : err_errno(err, path);
}

enum rc
acme_challenges(const struct instance *in, int *fd, struct err *err)
{
	return make_folder(
		in->data, "acme", 02750, in->owners.acme, &in->owners, fd, err);
}

/* Of a try that was killed. */
static bool
remove_challenge(const char *name, void *arg)
{
	(void)!fs_unlink(*(int *)arg, name, NULL);
	return true;
}

static enum rc
open_folders(const struct instance *in, struct folders *f, struct err *err)
{
	const struct owners *o = &in->owners;
	enum rc rc;

	if (o->switching && o->acme == 0)
		return err_set(err, RC_BAD,
			"there is no user \"%s\" ([sandbox] user_acme); make it: useradd "
			"--system --gid %s --home-dir /nonexistent --shell /usr/sbin/nologin %s",
			in->conf->sandbox.user_acme.ptr, in->conf->sandbox.group.ptr,
			in->conf->sandbox.user_acme.ptr);
	if ((rc = fs_open_dir(in->dir, in->conf->server.keys.ptr, &f->keys, err)) ==
			RC_OK &&
		(rc = fs_open_dir(f->keys, "tls", &f->tls, err)) == RC_OK &&
		(rc = fs_mkdirs(f->keys, "acme", 0700, err)) == RC_OK)
		rc = fs_open(f->keys, "acme/lock", O_RDWR | O_CREAT | O_NOFOLLOW, 0600,
			&f->lock, err);
	if (rc == RC_OK && flock(f->lock, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK
			     ? err_set(err, RC_LIMIT, "another process is at it just now")
			     : err_errno(err, "keys/acme/lock");
	if (rc == RC_OK && (rc = make_folder(f->keys, "acme/uacme", 0700, o->acme, o,
				    &f->own, err)) == RC_OK)
		rc = acme_challenges(in, &f->challenges, err);
	if (rc == RC_OK)
		rc = fs_each(f->challenges, ".", remove_challenge, &f->challenges, err);
	return rc == RC_NONE ? RC_TEMP : rc;
}

static void
close_folders(struct folders *f)
{
	fs_close(&f->lock);
	fs_close(&f->challenges);
	fs_close(&f->own);
	fs_close(&f->tls);
	fs_close(&f->keys);
}

/* --- asking the CA --- */

/* It is there for each try: a CA that forgot us, or another one, gets to know us. */
static enum rc
make_account(const struct acme_run *run, const struct conf_acme *c, struct err *err)
{
	const char *const argv[] = { ACME_UACME, "-c", ".", "-t", "EC", "-a",
		c->directory.ptr, "-y", "new", str_empty(c->email) ? NULL : c->email.ptr,
		NULL };
	BUF_AUTO sentence = BUF(400);
	int status = 0;
	enum rc rc;

	if (c->email.len > 0 && c->email.ptr[0] == '-')
		return err_set(err, RC_BAD, "[acme] email is no address");
	if ((rc = acme_run(run, argv, &status, err)) != RC_OK || status == 0)
		return rc;
	if (str_find(buf_str(run->said), STR("Account already exists")) <
		run->said->len) {
		buf_clear(run->said);
		return RC_OK;
	}
	acme_sentence(buf_str(run->said), &sentence);
	return err_set(err, RC_TEMP, "%s", buf_z(&sentence));
}

static enum rc
ask(const struct acme_run *run, const struct conf_acme *c, char **cert, size_t *len,
	struct err *err)
{
	const char *const argv[] = { ACME_UACME, "-c", ".", "-a", c->directory.ptr, "-h",
		"./" ACME_HOOK, "issue", "request.csr", NULL };
	BUF_AUTO sentence = BUF(400);
	FD_AUTO fd = -1;
	int status = 0;
	enum rc rc;

	if (faccessat(AT_FDCWD, ACME_UACME, X_OK, 0) != 0)
		return err_set(err, RC_TEMP,
			"%s is missing; it is in Debian's package uacme", ACME_UACME);
	(void)!fs_unlink(run->own, "request-cert.pem", NULL);
	if ((rc = make_account(run, c, err)) != RC_OK ||
		(rc = acme_run(run, argv, &status, err)) != RC_OK)
		return rc;
	if (status != 0) {
		acme_sentence(buf_str(run->said), &sentence);
		return err_set(err, RC_TEMP, "%s", buf_z(&sentence));
	}
	/* the folder is uacme's: what lies there may be a link to what it may not read */
	rc = fs_open(run->own, "request-cert.pem", O_RDONLY | O_NOFOLLOW | O_NONBLOCK, 0,
		&fd, err);
	if (rc == RC_OK) {
		char *pem = calloc(1, MOST_PEM);
		struct stat st;

		if (pem == NULL)
			abort();
		if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1)
			rc = err_set(err, RC_BAD, "uacme left no certificate");
		else
			rc = fs_pread(fd, pem, MOST_PEM - 1, 0, len, err);
		if (rc == RC_OK)
			*cert = pem;
		else
			free(pem);
	}
	return rc == RC_NONE ? RC_TEMP : rc;
}

/* Before it serves: what a client would object to. */
static enum rc
check(str cert, str key, str names, struct err *err)
{
	uint64_t now = clock_wall_ms();
	char host[MOST_HOST];
	struct cert_facts f;
	str one;

	while (str_cut(&names, ' ', &one)) {
		if (!str_z(one, host, sizeof(host)))
			return err_set(err, RC_BAD, "a name is too long");
		if (cert_look(cert, key, STR(""), host, &f, err) != RC_OK)
			return err_wrap(err, "the CA's answer is of no use");
		if (!f.names_host)
			return err_set(err, RC_BAD,
				"the CA's certificate does not name %s", host);
		if (f.until_ms <= now || f.from_ms > now)
			return err_set(err, RC_BAD,
				"the CA's certificate is not valid at this time; is "
				"the clock right?");
	}
	return RC_OK;
}

static enum rc
get(const struct instance *in, const struct folders *f, const struct acme_look *l,
	struct buf *said, struct err *err)
{
	struct cert_request request = { 0 };
	struct acme_run run = { .in = in,
		.own = f->own,
		.challenges = f->challenges,
		.until_ms = clock_ms() + ACME_MINUTES * MINUTE_MS,
		.said = said };
	char *cert = NULL;
	size_t len = 0;
	enum rc rc = cert_make_request(buf_str(&l->names), &request, err);

	run.csr = str_of(request.csr);
	if (rc == RC_OK)
		rc = ask(&run, &in->conf->acme, &cert, &len, err);
	str pem = { cert, len }, key = str_of(request.key);
	if (rc == RC_OK)
		rc = check(pem, key, buf_str(&l->names), err);
	if (rc == RC_OK)
		rc = pair_write(f->tls, l->file, pem, key, err);
	(void)!fs_each(f->challenges, ".", remove_challenge, &run.challenges, NULL);
	cert_request_clear(&request);
	free(cert);
	return rc;
}

/* The state says "interrupted" while it is tried: also a machine that reboots in each
 * try does not ask a CA more often than it may. */
static enum rc
try_it(const struct instance *in, const struct folders *f, const struct acme_look *l,
	struct buf *said, struct err *err)
{
	BUF_AUTO about = BUF(ACME_ABOUT);
	struct acme_state s = l->last;
	uint64_t now = clock_wall_ms();
	enum rc rc, written;

	acme_about(in->conf, buf_str(&l->names), &about);
	s.failures = s.same ? s.failures + 1 : 1;
	s.tried_ms = now;
	s.next_ms = now + acme_delay_ms(s.failures);
	(void)snprintf(s.said, sizeof(s.said), "it was interrupted");
	if ((rc = acme_state_write(f->keys, buf_str(&about), &s, err)) != RC_OK)
		return rc;
	rc = get(in, f, l, said, err);
	rc = rc == RC_NONE || rc == RC_LIMIT ? RC_TEMP : rc; /* they have a meaning */
	(void)snprintf(s.said, sizeof(s.said), "%.200s", rc == RC_OK ? "" : err->text);
	if (rc == RC_OK) {
		s.failures = 0;
		/* one that is due at once again (its CA makes short ones) waits a day */
		s.next_ms = now + DAY_MS;
		(void)snprintf(s.got, sizeof(s.got), "%s", in->conf->acme.directory.ptr);
	}
	written = acme_state_write(
		f->keys, buf_str(&about), &s, rc == RC_OK ? err : NULL);
	return rc == RC_OK ? written : rc;
}

enum rc
acme_get(const struct instance *in, bool force, struct buf *said, struct err *err)
{
	struct folders f = { -1, -1, -1, -1, -1 };
	struct acme_look l;
	enum rc rc = acme_look(in, &l, err);

	if (rc == RC_NONE)
		return err_set(err, RC_BAD,
			"[acme] directory is empty: which CA is to be asked?");
	if (rc != RC_OK)
		return rc;
	if ((rc = open_folders(in, &f, err)) == RC_OK) {
		/* again, under the lock */
		acme_look_clear(&l);
		rc = acme_look(in, &l, err);
		if (rc == RC_OK && !l.due && !force)
			rc = RC_NONE;
		else if (rc == RC_OK)
			rc = try_it(in, &f, &l, said, err);
	}
	acme_look_clear(&l);
	close_folders(&f);
	return rc;
}

int
acme_main(const char *conf_path)
{
	struct instance in = INSTANCE_NONE;
	struct err err = { 0 };
	BUF_AUTO said = BUF(SAID_MOST);

	log_name("acme");
	enum rc rc = instance_open(conf_path, &in, &err);
	if (rc == RC_OK) {
		log_least((enum log_level)in.conf->server.log_level);
		rc = acme_get(&in, false, &said, &err);
	}
	if (rc == RC_OK)
		log_info("a certificate of %s was got", in.conf->acme.directory.ptr);
	else if (rc != RC_NONE && rc != RC_LIMIT)
		log_error("no certificate could be got: %s", err.text);
	instance_close(&in);
	return rc == RC_OK ? 0 : rc == RC_NONE || rc == RC_LIMIT ? 3 : 1;
}
