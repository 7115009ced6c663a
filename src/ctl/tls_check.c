/* SPDX-License-Identifier: ISC */
/* What `check` says of links that strangers follow, and of the CA that is asked. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/tls_rows.h"
#include "daemon/acme.h"

struct checking {
	const struct instance *in;
	bool running;
	tls_say_fn *say;
	void *arg;
};

PRINTF(3, 4)
static void
sayf(const struct checking *c, bool wrong, const char *fmt, ...)
{
	char text[1000];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	c->say(wrong, text, c->arg);
}

/* What to do about it; l NULL: no CA is asked. */
static const char *
advice(const struct acme_look *l)
{
	if (l == NULL)
		return "set [acme] directory in gatepost.conf and let the CA reach port 80, or "
		       "put the whole chain of a public CA's certificate with its key into "
		       "keys/tls";
	if (l->due)
		return "while the server runs it asks the CA of [acme] directory for another, "
		       "which has to reach port 80 under all names";
	return "the CA of [acme] directory is not one that everybody trusts "
	       "(\"https://acme-v02.api.letsencrypt.org/directory\" is)";
}

/* Whoever was refused follows a link; a browser's warning there says that we are not
 * to be trusted. */
static void
check_links(const struct checking *c, const struct acme_look *l)
{
	const char *host = tls_link_host(c->in->conf);
	struct tls_rows rows = { 0 };
	struct err err = { 0 };
	char base[320];

	conf_link_base(c->in->conf, base);
	/* that it cannot be read is said elsewhere */
	if (tls_rows_read(c->in, &rows, &err) != RC_OK)
		return;
	const struct tls_row *row = tls_rows_serving(&rows, host);
	if (row == NULL || tls_row_public(row, host, &err) != RC_OK)
		sayf(c, true,
			"the links in refusals (%s…) open with a warning in strangers' browsers, "
			"because of the certificate keys/tls/%s.crt: %s; %s",
			base, row == NULL ? host : row->file, err.text, advice(l));
	else
		sayf(c, false, "the links in refusals (%s…) are valid for everybody",
			base);
	tls_rows_free(&rows);
}

static void
check_tries(const struct checking *c, const struct acme_look *l)
{
	const char *directory = c->in->conf->acme.directory.ptr;
	char when[CLOCK_TEXT], next[CLOCK_TEXT];

	clock_text(l->last.tried_ms, when);
	clock_text(l->next_ms, next);
	if (!l->due)
		sayf(c, false, "a new certificate is asked for at %s (%s)", next,
			directory);
	else if (l->last.same && l->last.said[0] != '\0')
		sayf(c, true,
			"the last try to get a certificate from %s, at %s, failed: %s; the "
			"next is made at %s%s, or now by `gatepost tls acme`",
			directory, when, l->last.said, next,
			c->running ? "" : " if the server runs");
	else
		sayf(c, false, "note: a certificate is asked for %s, because %s (%s)",
			c->running ? "just now" : "when the server runs", l->why,
			directory);
}

void
tls_check(const struct instance *in, bool running, tls_say_fn *say, void *arg)
{
	const struct checking c = {
		.in = in, .running = running, .say = say, .arg = arg
	};
	struct acme_look l;
	struct err err = { 0 };
	enum rc rc = acme_look(in, &l, &err);

	check_links(&c, rc == RC_OK ? &l : NULL);
	if (rc == RC_NONE)
		return;
	if (access(ACME_UACME, X_OK) != 0)
		sayf(&c, true,
			"[acme] directory is set, but %s is missing; it is in Debian's "
			"package uacme",
			ACME_UACME);
	if (in->owners.switching && in->owners.acme == 0)
		sayf(&c, true, "[acme] directory is set, but there is no user \"%s\"",
			in->conf->sandbox.user_acme.ptr);
	if (rc != RC_OK) {
		sayf(&c, true, "%s", err.text);
		return;
	}
	check_tries(&c, &l);
	acme_look_clear(&l);
}
