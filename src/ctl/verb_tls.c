/* SPDX-License-Identifier: ISC */
/* tls: certificates, whose they are, and getting one that strangers trust. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "ctl/client.h"
#include "ctl/ctl_int.h"
#include "ctl/tls_rows.h"
#include "daemon/acme.h"

enum {
	DER_MOST = 16 * 1024,
	SAID_MOST = 64 * 1024,
	MOST_PEM = 64 * 1024,
	DAY_MS = 86400000,
	FINGERPRINT = 3 * SHA256_BYTES
};

static json_t *
words_json(str words)
{
	json_t *list = json_array();
	str one;

	while (str_cut(&words, ' ', &one))
		(void)json_array_append_new(list, verb_json_str(one));
	return list;
}

static json_t *
time_json(uint64_t wall_ms)
{
	char text[CLOCK_TEXT];

	clock_text(wall_ms, text);
	return json_string(text);
}

/* --- show --- */

struct show {
	struct verb_io *io;
	const struct instance *in;
	const struct tls_rows *rows;
	json_t *list; /* with --json */
};

static void
show_json(struct show *s, const struct tls_row *r, bool public, const char *why)
{
	const char *host = s->in->conf->server.hostname.ptr;
	json_t *row = json_object(), *serves = json_array();

	if (tls_rows_serving(s->rows, host) == r)
		(void)json_array_append_new(serves, json_string("hostname"));
	if (tls_rows_serving(s->rows, tls_link_host(s->in->conf)) == r)
		(void)json_array_append_new(serves, json_string("link_host"));
	(void)json_object_set_new(row, "file", verb_json_str(str_of(r->file)));
	(void)json_object_set_new(row, "names", words_json(buf_str(&r->names)));
	(void)json_object_set_new(row, "issuer", verb_json_str(buf_str(&r->issuer)));
	(void)json_object_set_new(row, "from", time_json(r->from_ms));
	(void)json_object_set_new(row, "until", time_json(r->until_ms));
	(void)json_object_set_new(row, "own", json_boolean(r->own));
	(void)json_object_set_new(row, "public", json_boolean(public));
	(void)json_object_set_new(row, "why", verb_json_str(str_of(why)));
	(void)json_object_set_new(row, "serves", serves);
	(void)json_array_append_new(s->list, row);
}

static void
show_text(struct show *s, const struct tls_row *r, bool public, const char *why)
{
	const char *host = s->in->conf->server.hostname.ptr;
	const char *links = tls_link_host(s->in->conf);
	uint64_t now = clock_wall_ms();
	char from[CLOCK_TEXT], until[CLOCK_TEXT];

	clock_text(r->from_ms, from);
	clock_text(r->until_ms, until);
	verb_printf(s->io, "keys/tls/%s.crt\n", r->file);
	verb_printf(s->io, "  names    " STR_FMT "\n", STR_ARG(buf_str(&r->names)));
	verb_printf(s->io, "  issuer   " STR_FMT "\n", STR_ARG(buf_str(&r->issuer)));
	verb_printf(s->io, "  valid    %s to %s, %" PRIu64 " days left\n", from, until,
		r->until_ms > now ? (r->until_ms - now) / DAY_MS : 0);
	if (public)
		verb_printf(s->io, "  trusted  by everybody\n");
	else
		verb_printf(s->io, "  trusted  not by strangers: %s\n", why);
	if (tls_rows_serving(s->rows, host) == r)
		verb_printf(s->io, "  serves   %s (hostname), and who asks for no name\n",
			host);
	if (tls_rows_serving(s->rows, links) == r)
		verb_printf(s->io, "  serves   %s (links)\n", links);
}

static void
show_row(struct show *s, const struct tls_row *r)
{
	str names = buf_str(&r->names), one = { 0 };
	struct err why = { 0 };
	char host[256];

	/* for the name that it has; which one it is to serve is told below */
	(void)str_cut(&names, ' ', &one);
	if (!str_z(one, host, sizeof(host)) || one.len == 0)
		(void)snprintf(host, sizeof(host), "%s", r->file);
	bool public = tls_row_public(r, host[0] == '*' ? host + 2 : host, &why) == RC_OK;
	if (s->list != NULL)
		show_json(s, r, public, why.text);
	else
		show_text(s, r, public, why.text);
}

enum verb_exit
verb_tls_show(struct verb_io *io, int argc, char **argv)
{
	struct instance in = INSTANCE_NONE;
	struct tls_rows rows = { 0 };
	struct show s = { .io = io, .in = &in, .rows = &rows };
	enum rc rc;

	if (!verb_words(io, "tls show", argc, argv, 0, 0))
		return VERB_USAGE;
	if ((rc = instance_open(io->conf_path, &in, &io->err)) == RC_OK)
		rc = tls_rows_read(&in, &rows, &io->err);
	s.list = io->json ? json_array() : NULL;
	for (size_t i = 0; i < rows.n; i++)
		show_row(&s, &rows.at[i]);
	if (s.list != NULL && rc == RC_OK)
		verb_json(io, s.list);
	tls_rows_free(&rows);
	instance_close(&in);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

/* --- ca --- */

static enum rc
show_ca(struct verb_io *io, str pem)
{
	BUF_AUTO der = BUF(DER_MOST);
	uint8_t digest[SHA256_BYTES];
	char fingerprint[FINGERPRINT + 1];
	uint64_t until = 0;
	enum rc rc = cert_der(pem, &der, &until, &io->err);

	if (rc != RC_OK)
		return rc;
	sha256(buf_str(&der), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(fingerprint + 3 * i, sizeof(fingerprint) - 3 * i, "%02X%s",
			digest[i], i + 1 < sizeof(digest) ? ":" : "");
	if (io->json) {
		json_t *all = json_object();

		(void)json_object_set_new(all, "sha256", json_string(fingerprint));
		(void)json_object_set_new(all, "until", time_json(until));
		(void)json_object_set_new(all, "pem", verb_json_str(pem));
		verb_json(io, all);
		return RC_OK;
	}
	/* programs that read PEM take no notice of what stands before */
	verb_printf(io, "SHA-256 fingerprint: %s\n" STR_FMT, fingerprint, STR_ARG(pem));
	return RC_OK;
}

enum verb_exit
verb_tls_ca(struct verb_io *io, int argc, char **argv)
{
	struct instance in = INSTANCE_NONE;
	FD_AUTO keys = -1;
	char *pem = NULL;
	size_t len = 0;
	enum rc rc;

	if (!verb_words(io, "tls ca", argc, argv, 0, 0))
		return VERB_USAGE;
	if ((rc = instance_open(io->conf_path, &in, &io->err)) == RC_OK &&
		(rc = fs_open_dir(in.dir, in.conf->server.keys.ptr, &keys, &io->err)) ==
			RC_OK)
		rc = fs_read_all(keys, "ca.crt", MOST_PEM, &pem, &len, &io->err);
	if (rc == RC_OK)
		rc = show_ca(io, (str){ pem, len });
	free(pem);
	instance_close(&in);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

/* --- acme --- */

/* The manager made the socket that we are connected to.  0: no server runs. */
static pid_t
manager_of(const struct instance *in)
{
	FD_AUTO fd = -1;
	struct ucred who = { 0 };
	socklen_t len = sizeof(who);

	if (client_connect(in->run, &fd, NULL) != RC_OK ||
		getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
		return 0;
	return who.pid;
}

static void
tell(struct verb_io *io, const struct instance *in, bool got)
{
	char next[CLOCK_TEXT];
	struct acme_look l;

	if (acme_look(in, &l, NULL) != RC_OK)
		return;
	clock_text(l.next_ms, next);
	if (io->json) {
		json_t *all = json_object();

		(void)json_object_set_new(all, "got", json_boolean(got));
		(void)json_object_set_new(all, "file", verb_json_str(str_of(l.file)));
		(void)json_object_set_new(all, "names", words_json(buf_str(&l.names)));
		(void)json_object_set_new(all, "next", time_json(l.next_ms));
		verb_json(io, all);
	} else if (got) {
		verb_printf(io,
			"Got it: keys/tls/%s.crt. The server takes it into use now; open "
			"sessions go on. The one before is keys/tls/%s.previous.\n",
			l.file, l.file);
	} else {
		verb_printf(io,
			"There is nothing to do: keys/tls/%s.crt is good, and a new one is "
			"asked for at %s. `gatepost tls acme --force` asks now.\n",
			l.file, next);
	}
	acme_look_clear(&l);
}

static enum rc
get(struct verb_io *io, const struct instance *in, pid_t manager, bool force)
{
	BUF_AUTO said = BUF(SAID_MOST);
	enum rc rc = acme_get(in, force, &said, &io->err);

	if (rc == RC_OK || rc == RC_NONE) {
		if (rc == RC_OK)
			(void)kill(manager, SIGHUP);
		tell(io, in, rc == RC_OK);
		return RC_OK;
	}
	if (!io->json && said.len > 0)
		verb_printf(io, "uacme said:\n" STR_FMT "\n", STR_ARG(buf_str(&said)));
	return rc;
}

static enum rc
ask(struct verb_io *io, const struct instance *in, bool force)
{
	struct acme_look l;
	enum rc rc = acme_look(in, &l, &io->err);
	pid_t manager;

	if (rc == RC_NONE)
		return err_set(&io->err, RC_BAD,
			"[acme] directory is empty; set it in gatepost.conf, "
			"\"https://acme-v02.api.letsencrypt.org/directory\" for Let's Encrypt");
	if (rc != RC_OK)
		return rc;
	if (!l.due && !force) {
		tell(io, in, false);
	} else if ((manager = manager_of(in)) == 0) {
		rc = err_set(&io->err, RC_TEMP,
			"no server is running, and it is the server that answers what the CA "
			"asks on port 80; start it first");
	} else {
		if (!io->json)
			verb_printf(io, "Asking %s for a certificate for " STR_FMT ".\n",
				in->conf->acme.directory.ptr, STR_ARG(buf_str(&l.names)));
		rc = get(io, in, manager, force);
	}
	acme_look_clear(&l);
	return rc;
}

enum verb_exit
verb_tls_acme(struct verb_io *io, int argc, char **argv)
{
	struct instance in = INSTANCE_NONE;
	bool force = verb_switch(&argc, argv, "--force");
	enum rc rc;

	if (!verb_words(io, "tls acme", argc, argv, 0, 0))
		return VERB_USAGE;
	if ((rc = instance_open(io->conf_path, &in, &io->err)) == RC_OK)
		rc = ask(io, &in, force);
	instance_close(&in);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_tls_acme_hook(struct verb_io *io, int argc, char **argv)
{
	struct instance in = INSTANCE_NONE;
	FD_AUTO folder = -1;
	enum rc rc;

	if (!verb_words(io, "tls acme-hook", argc, argv, 5, 5))
		return VERB_USAGE;
	if ((rc = instance_open(io->conf_path, &in, &io->err)) == RC_OK &&
		(rc = acme_challenges(&in, &folder, &io->err)) == RC_OK)
		rc = acme_hook(folder, argc, argv, &io->err);
	instance_close(&in);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
