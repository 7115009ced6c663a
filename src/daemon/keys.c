/* SPDX-License-Identifier: ISC */
/* The certificates and keys of an instance: keys/tls/NAME.crt with NAME.key. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "daemon/instance.h"
#include "daemon/pair.h"
#include "daemon/setup.h"

enum { MOST_PEM = 256 * 1024, MOST_NAME = 250 };

static const uint64_t RENEW_MS = 30ull * 24 * 3600 * 1000;

struct names {
	char *at[SETUP_PAIRS];
	size_t n;
	bool over;
};

static bool
take_name(const char *name, void *arg)
{
	struct names *names = arg;
	size_t len = strlen(name);

	if (len < 5 || len > MOST_NAME || strcmp(name + len - 4, ".crt") != 0)
		return true;
	if (names->n == SETUP_PAIRS) {
		names->over = true;
		return false;
	}
	char *copy = strndup(name, len - 4);
	if (copy == NULL)
		abort();
	names->at[names->n++] = copy;
	return true;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum rc
one_pair(int folder, const char *name, instance_pair_fn *fn, void *arg, struct err *err)
{
	char what[MOST_NAME + 16];
	struct pair p = { 0 };
	enum rc rc = pair_read(folder, name, &p, err);

	if (rc == RC_OK)
		rc = fn(name, pair_cert(&p), pair_key(&p), arg, err);
	pair_clear(&p);
	if (rc != RC_OK && err != NULL) {
		(void)snprintf(what, sizeof(what), "keys/tls/%.200s", name);
		rc = err_wrap(err, what);
	}
	return rc;
}

static enum rc
open_tls(const struct instance *in, int *fd, struct err *err)
{
	FD_AUTO keys = openat(
		in->dir, in->conf->server.keys.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (keys >= 0)
		*fd = openat(keys, "tls", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (keys < 0 || *fd < 0)
		return err_set(err, RC_BAD,
			"the folder of keys (%s/tls) cannot be read: %s",
			in->conf->server.keys.ptr, strerror(errno));
	return RC_OK;
}

enum rc
instance_each_pair(
	const struct instance *in, instance_pair_fn *fn, void *arg, struct err *err)
{
	struct names names = { 0 };
	FD_AUTO tls = -1;
	enum rc rc = open_tls(in, &tls, err);

	if (rc == RC_OK)
		rc = fs_each(tls, ".", take_name, &names, err);
	if (rc == RC_OK && names.over)
		rc = err_set(err, RC_BAD, "keys/tls holds more than %d certificates",
			SETUP_PAIRS);
	if (rc == RC_OK && names.n == 0)
		rc = err_set(err, RC_BAD,
			"keys/tls holds no certificate (NAME.crt, NAME.key)");
	qsort(names.at, names.n, sizeof(names.at[0]), by_name);
	for (size_t i = 0; i < names.n; i++) {
		if (rc == RC_OK)
			rc = one_pair(tls, names.at[i], fn, arg, err);
		free(names.at[i]);
	}
	return rc;
}

/* --- renewal of what `init` has made --- */

struct own_pair {
	const char *host, *link_host;
	str ca;
	bool own, soon; /* hostname's is of our own CA, and ends soon */
	bool has_host, has_links; /* which names it has */
	bool links_elsewhere; /* a pair that is not of our own CA has link_host */
};

static enum rc
look_at(const char *name, str cert, str key, void *arg, struct err *err)
{
	struct own_pair *o = arg;
	struct cert_facts f, link;

	if (cert_look(cert, key, o->ca, o->host, &f, err) != RC_OK ||
		cert_look(cert, key, o->ca, o->link_host, &link, err) != RC_OK)
		return RC_OK;
	o->links_elsewhere = o->links_elsewhere || (link.names_host && !f.own);
	if (strcasecmp(name, o->host) == 0) {
		o->own = f.own;
		o->soon = f.until_ms < clock_wall_ms() + RENEW_MS;
		o->has_host = f.names_host;
		o->has_links = link.names_host;
	}
	return RC_OK;
}

/* It names link_host while nobody better does: of two that name it a client might be
 * shown ours. */
static bool
wants_links(const struct own_pair *o)
{
	return strcasecmp(o->host, o->link_host) != 0 && !o->links_elsewhere;
}

static bool
is_due(const struct own_pair *o)
{
	bool other = strcasecmp(o->host, o->link_host) != 0 &&
		     o->has_links != wants_links(o);

	return o->own && (o->soon || !o->has_host || other);
}

static const char *
link_host(const struct conf *conf)
{
	const struct conf_server *s = &conf->server;

	return str_empty(s->link_host) ? s->hostname.ptr : s->link_host.ptr;
}

static enum rc
renew(const struct instance *in, int keys, const struct cert_pem *ca,
	const struct own_pair *o, struct err *err)
{
	str host = in->conf->server.hostname;
	BUF_AUTO hosts = BUF(2 * (MOST_NAME + 8));
	struct cert_pem fresh = { 0 };
	FD_AUTO tls = -1;
	enum rc rc;

	buf_add(&hosts, host);
	if (wants_links(o))
		buf_addf(&hosts, " %s", o->link_host);
	rc = cert_make_server(ca, buf_str(&hosts), clock_wall_ms(), &fresh, err);
	if (rc == RC_OK)
		rc = fs_open_dir(keys, "tls", &tls, err);
	if (rc == RC_OK)
		rc = pair_write(
			tls, host.ptr, str_of(fresh.cert), str_of(fresh.key), err);
	cert_pem_clear(&fresh);
	return rc;
}

enum rc
instance_renew_cert(const struct instance *in, struct err *err)
{
	struct cert_pem ca = { 0 };
	struct own_pair own = { .host = in->conf->server.hostname.ptr,
		.link_host = link_host(in->conf) };
	FD_AUTO keys = openat(
		in->dir, in->conf->server.keys.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t len;

	if (keys < 0 ||
		fs_read_all(keys, "ca.crt", MOST_PEM, &ca.cert, &len, NULL) != RC_OK)
		return RC_NONE;
	own.ca = (str){ ca.cert, len };
	enum rc rc = instance_each_pair(in, look_at, &own, err);
	if (rc == RC_OK && !is_due(&own))
		rc = RC_NONE;
	if (rc == RC_OK)
		rc = fs_read_all(keys, "ca.key", MOST_PEM, &ca.key, &len, err);
	if (rc == RC_OK)
		rc = renew(in, keys, &ca, &own, err);
	cert_pem_clear(&ca);
	return rc;
}

struct packing {
	const struct conf *conf;
	str ca; /* our own; "" */
	const char *link_host;
	struct buf pairs;
	unsigned n;
	bool host_first; /* this turn takes the host's own pair, the other the rest */
	bool trusted; /* links have a certificate that is not of our own CA */
};

static enum rc
pack_pair(const char *name, str cert, str key, void *arg, struct err *err)
{
	struct packing *p = arg;
	struct cert_facts facts;
	enum rc rc;

	if (str_ieq(str_of(name), p->conf->server.hostname) != p->host_first)
		return RC_OK;
	rc = cert_look(cert, key, p->ca, p->link_host, &facts, err);
	if (rc != RC_OK)
		return rc;
	p->trusted = p->trusted || (facts.names_host && !facts.own);
	if (facts.until_ms < clock_wall_ms())
		log_warn("keys/tls/%s.crt has expired; clients that verify it will not "
			 "talk TLS",
			name);
	setup_put_pair(&p->pairs, str_of(name), cert, key);
	p->n++;
	return RC_OK;
}

/* NULL: it has none. */
static char *
read_ca(const struct instance *in)
{
	FD_AUTO keys = openat(
		in->dir, in->conf->server.keys.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *pem = NULL;
	size_t len;

	if (keys >= 0 && fs_read_all(keys, "ca.crt", MOST_PEM, &pem, &len, NULL) != RC_OK)
		return NULL;
	return pem;
}

enum rc
instance_pack_keys(const struct instance *in, struct buf *out, struct err *err)
{
	char *ca = read_ca(in);
	struct packing p = { .conf = in->conf,
		.ca = str_of(ca),
		.link_host = link_host(in->conf),
		.pairs = BUF(SETUP_KEYS),
		.host_first = true };
	enum rc rc = instance_each_pair(in, pack_pair, &p, err);

	/* the first one serves whoever asks for no name or an unknown one */
	p.host_first = false;
	if (rc == RC_OK)
		rc = instance_each_pair(in, pack_pair, &p, err);
	setup_put_ca(&p.pairs, &(struct setup_ca){ .serves = !p.trusted, .pem = p.ca });
	free(ca);
	if (rc == RC_OK && !buf_ok(&p.pairs))
		rc = err_set(err, RC_BAD, "the certificates are too large");
	if (rc == RC_OK) {
		buf_le(out, p.n, 4);
		buf_add(out, buf_str(&p.pairs));
	}
	if (p.pairs.data != NULL)
		wipe(p.pairs.data, p.pairs.len);
	buf_free(&p.pairs);
	return rc;
}
