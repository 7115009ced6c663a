/* SPDX-License-Identifier: ISC */
/* Which certificate is wanted, and whether the one there is will do. */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "daemon/acme_int.h"
#include "daemon/pair.h"

enum { MOST_PEM = 256 * 1024, MOST_HOST = 253 };

void
acme_look_clear(struct acme_look *l)
{
	buf_free(&l->names);
}

/* No wildcards: HTTP-01 cannot show them (RFC 8555 8.3). */
static bool
is_host(str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if ((c < '0' || c > '9') && (c < 'a' || c > 'z') &&
			(c < 'A' || c > 'Z') && c != '-' && c != '.')
			return false;
	}
	return s.len > 0 && s.len <= MOST_HOST && s.ptr[0] != '-' && s.ptr[0] != '.' &&
	       s.ptr[s.len - 1] != '.' && str_find(s, STR("..")) == s.len;
}

static bool
has_name(str names, str name)
{
	str one;

	while (str_cut(&names, ' ', &one))
		if (str_ieq(one, name))
			return true;
	return false;
}

static void
add_name(struct buf *names, str name)
{
	if (str_empty(name) || has_name(buf_str(names), name))
		return;
	if (names->len > 0)
		buf_addc(names, ' ');
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		buf_addc(names, c >= 'A' && c <= 'Z' ? (char)(c + 32) : c);
	}
}

static enum rc
take_names(const struct conf *conf, struct acme_look *l, struct err *err)
{
	str list = conf->acme.names, one, rest;
	unsigned n = 0;

	while (str_cut(&list, ' ', &one))
		add_name(&l->names, one);
	if (l->names.len == 0) {
		add_name(&l->names, conf->server.hostname);
		add_name(&l->names, conf->server.link_host);
	}
	rest = buf_str(&l->names);
	while (str_cut(&rest, ' ', &one)) {
		if (!is_host(one))
			return err_set(err, RC_BAD,
				"[acme] names: \"" STR_FMT "\" is no host name",
				STR_ARG(str_first(one, 80)));
		n++;
	}
	if (!buf_ok(&l->names) || n > ACME_NAMES_MOST)
		return err_set(
			err, RC_BAD, "[acme] names: more than %d", (int)ACME_NAMES_MOST);
	/* keys/tls/HOSTNAME serves whoever asks for no name */
	rest = buf_str(&l->names);
	one = str_first(rest, str_find(rest, STR(" ")));
	if (has_name(rest, conf->server.hostname))
		one = conf->server.hostname;
	if (!str_z(one, l->file, sizeof(l->file)))
		return err_set(err, RC_BAD, "[acme] names: the first is too long");
	return RC_OK;
}

PRINTF(2, 3)
static void
due(struct acme_look *l, const char *fmt, ...)
{
	va_list ap;

	if (l->due)
		return;
	l->due = true;
	va_start(ap, fmt);
	(void)vsnprintf(l->why, sizeof(l->why), fmt, ap);
	va_end(ap);
}

/* A certificate of a short life is renewed when half of it is over, however long
 * before its end renew_before is. */
static uint64_t
renew_at(const struct cert_facts *f, uint64_t before_ms)
{
	uint64_t life = f->until_ms > f->from_ms ? f->until_ms - f->from_ms : 0;
	uint64_t most = life / 2;

	return f->until_ms - (before_ms < most ? before_ms : most);
}

static void
look_at(const struct pair *p, str ca, const struct conf *conf, struct acme_look *l)
{
	str names = buf_str(&l->names), one;
	struct err why = { 0 };
	struct cert_facts f = { 0 };
	uint64_t now = clock_wall_ms();
	char host[MOST_HOST + 1];

	while (str_cut(&names, ' ', &one) && str_z(one, host, sizeof(host))) {
		if (cert_look(pair_cert(p), pair_key(p), ca, host, &f, &why) != RC_OK) {
			due(l, "keys/tls/%s: %s", l->file, why.text);
			return;
		}
		if (f.own)
			due(l, "the certificate is of our own CA");
		if (!f.names_host)
			due(l, "the certificate does not name %s", host);
	}
	l->next_ms = renew_at(&f, conf->acme.renew_before);
	if (l->next_ms <= now)
		due(l, "the certificate %s",
			f.until_ms <= now ? "has expired" : "ends soon");
	if (l->last.got[0] != '\0' && !str_eq(str_of(l->last.got), conf->acme.directory))
		due(l, "[acme] directory is another than the certificate is from");
}

/* NULL: the instance has no CA of its own. */
static char *
read_ca(int keys)
{
	char *pem = NULL;
	size_t len;

	if (fs_read_all(keys, "ca.crt", MOST_PEM, &pem, &len, NULL) != RC_OK)
		return NULL;
	return pem;
}

static void
look(int keys, int tls, const struct conf *conf, struct acme_look *l)
{
	BUF_AUTO about = BUF(ACME_ABOUT);
	char *ca = read_ca(keys);
	struct pair p = { 0 };

	acme_about(conf, buf_str(&l->names), &about);
	acme_state_read(keys, buf_str(&about), &l->last);
	if (pair_read(tls, l->file, &p, NULL) == RC_OK)
		look_at(&p, str_of(ca), conf, l);
	else
		due(l, "there is no keys/tls/%s.crt with its key", l->file);
	pair_clear(&p);
	free(ca);
	/* other settings deserve a try at once; the same ones wait their time */
	if (l->due)
		l->next_ms = l->last.same ? l->last.next_ms : 0;
}

enum rc
acme_look(const struct instance *in, struct acme_look *out, struct err *err)
{
	struct acme_look l = { .names = BUF(ACME_NAMES) };
	FD_AUTO keys = -1;
	FD_AUTO tls = -1;
	enum rc rc;

	if (str_empty(in->conf->acme.directory))
		return RC_NONE;
	if (!str_starts(in->conf->acme.directory, STR("https://")) ||
		str_find(in->conf->acme.directory, STR(" ")) <
			in->conf->acme.directory.len)
		return err_set(err, RC_BAD, "[acme] directory is no https:// address");
	rc = take_names(in->conf, &l, err);
	if (rc == RC_OK && (rc = fs_open_dir(in->dir, in->conf->server.keys.ptr, &keys,
				    err)) == RC_OK)
		rc = fs_open_dir(keys, "tls", &tls, err);
	if (rc == RC_OK) {
		look(keys, tls, in->conf, &l);
		*out = l;
	} else {
		acme_look_clear(&l);
		rc = rc == RC_NONE ? RC_TEMP : rc; /* RC_NONE is another answer */
	}
	return rc;
}
