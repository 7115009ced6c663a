/* SPDX-License-Identifier: ISC */
#include "ctl/tls_rows.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "daemon/setup.h"

enum { MOST_PEM = 256 * 1024, MOST_WORDS = 8192 };

struct reading {
	struct tls_rows rows;
	char *ca; /* NULL: none */
};

const char *
tls_link_host(const struct conf *conf)
{
	return str_empty(conf->server.link_host) ? conf->server.hostname.ptr
						 : conf->server.link_host.ptr;
}

static enum rc
add_row(const char *name, str cert, str key, void *arg, struct err *err)
{
	struct reading *r = arg;
	struct tls_row *row = &r->rows.at[r->rows.n++];
	struct cert_facts f = { 0 };
	struct err why = { 0 };

	(void)err;
	*row = (struct tls_row){ .names = BUF(MOST_WORDS), .issuer = BUF(MOST_WORDS) };
	(void)snprintf(row->file, sizeof(row->file), "%s", name);
	row->cert = strndup(cert.ptr, cert.len);
	if (row->cert == NULL)
		abort();
	if (cert_words(cert, &row->names, &row->issuer, &why) != RC_OK ||
		cert_look(cert, key, str_of(r->ca), name, &f, &why) != RC_OK)
		(void)snprintf(row->fault, sizeof(row->fault), "%s", why.text);
	row->from_ms = f.from_ms;
	row->until_ms = f.until_ms;
	row->own = f.own;
	return RC_OK;
}

static void
host_first(struct tls_rows *r, str host)
{
	for (size_t i = 1; i < r->n; i++) {
		struct tls_row row = r->at[i];

		if (!str_ieq(str_of(row.file), host))
			continue;
		memmove(r->at + 1, r->at, i * sizeof(r->at[0]));
		r->at[0] = row;
	}
}

enum rc
tls_rows_read(const struct instance *in, struct tls_rows *out, struct err *err)
{
	struct reading r = { .rows.at = calloc(SETUP_PAIRS, sizeof(struct tls_row)) };
	FD_AUTO keys = -1;
	size_t len;
	enum rc rc = fs_open_dir(in->dir, in->conf->server.keys.ptr, &keys, err);

	if (r.rows.at == NULL)
		abort();
	if (rc == RC_OK) {
		(void)!fs_read_all(keys, "ca.crt", MOST_PEM, &r.ca, &len, NULL);
		rc = instance_each_pair(in, add_row, &r, err);
	}
	free(r.ca);
	if (rc == RC_OK) {
		host_first(&r.rows, in->conf->server.hostname);
		*out = r.rows;
	} else {
		tls_rows_free(&r.rows);
	}
	return rc;
}

void
tls_rows_free(struct tls_rows *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->at[i].cert);
		buf_free(&r->at[i].names);
		buf_free(&r->at[i].issuer);
	}
	free(r->at);
	*r = (struct tls_rows){ 0 };
}

static bool
has_name(const struct tls_row *row, str wanted)
{
	str names = buf_str(&row->names), one;

	while (str_cut(&names, ' ', &one))
		if (str_ieq(one, wanted))
			return true;
	return false;
}

const struct tls_row *
tls_rows_serving(const struct tls_rows *r, const char *host)
{
	const char *dot = strchr(host, '.');
	BUF_AUTO wild = BUF(300);

	for (size_t i = 0; i < r->n; i++)
		if (has_name(&r->at[i], str_of(host)))
			return &r->at[i];
	buf_addf(&wild, "*%s", dot == NULL ? "" : dot);
	for (size_t i = 0; i < r->n; i++)
		if (dot != NULL && has_name(&r->at[i], buf_str(&wild)))
			return &r->at[i];
	return r->n > 0 ? &r->at[0] : NULL;
}

enum rc
tls_row_public(const struct tls_row *r, const char *host, struct err *err)
{
	if (r->fault[0] != '\0')
		return err_set(err, RC_BAD, "%s", r->fault);
	if (r->own)
		return err_set(err, RC_BAD, "it is of this instance's own CA");
	return cert_public(str_of(r->cert), host, clock_wall_ms(), err);
}
