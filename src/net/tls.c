/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <assert.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/clock.h"
#include "net/net_int.h"
#include "net/tls_names.h"
#include "net/tls_ticket.h"

/* RFC 9325 4.2, and ECDHE with CBC for old senders: their next choice would be
 * no encryption at all. */
static const char ciphers[] = "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES:!aNULL:!eNULL";

/* The certificates that serve a name, one of a kind; a context for each set. */
struct choice {
	const struct tls_cert *certs[TLS_KINDS];
	SSL_CTX *ctx;
};

struct name {
	char text[TLS_NAME];
	SSL_CTX *ctx;
};

struct tls {
	atomic_uint refs;
	bool only_1_3;
	uint64_t rotation_ms;
	struct tickets *tickets;
	struct choice *choices; /* [0] serves who asks for no name of ours */
	size_t nchoices;
	struct name *names; /* sorted */
	size_t nnames;
};

/* ---- while a client says hello ---- */

static int
by_text(const void *a, const void *b)
{
	const struct name *x = a, *y = b;

	return strcmp(x->text, y->text);
}

static SSL_CTX *
find(const struct tls *t, const char *asked)
{
	struct name key = { .ctx = NULL };
	const struct name *hit;

	if (!tls_name(str_of(asked), key.text))
		return NULL;
	hit = bsearch(&key, t->names, t->nnames, sizeof(key), by_text);
	if (hit == NULL) {
		/* RFC 6125 6.4.3: a wildcard stands for one label, the first */
		char *dot = strchr(key.text, '.');

		if (dot == NULL || dot == key.text)
			return NULL;
		key.text[0] = '*';
		memmove(key.text + 1, dot, strlen(dot) + 1);
		hit = bsearch(&key, t->names, t->nnames, sizeof(key), by_text);
	}
	return hit == NULL ? NULL : hit->ctx;
}

static int
on_name(SSL *ssl, int *alert, void *arg)
{
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct tls *t = arg;
	SSL_CTX *ctx = asked == NULL || t->nnames == 0 ? NULL : find(t, asked);

	(void)alert;
	if (ctx == NULL)
		return SSL_TLSEXT_ERR_NOACK;
	return SSL_set_SSL_CTX(ssl, ctx) == NULL ? SSL_TLSEXT_ERR_ALERT_FATAL
						 : SSL_TLSEXT_ERR_OK;
}

static bool
use_key(const struct ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, bool seal)
{
	char digest[] = "SHA256";
	unsigned char secret[TICKET_KEY];
	OSSL_PARAM params[3];

	memcpy(secret, k->mac, sizeof(secret));
	params[0] = OSSL_PARAM_construct_octet_string(
		OSSL_MAC_PARAM_KEY, secret, sizeof(secret));
	params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
	params[2] = OSSL_PARAM_construct_end();
	bool good = EVP_CipherInit_ex(
			    cipher, EVP_aes_256_cbc(), NULL, k->cipher, iv, seal) &&
		    EVP_MAC_CTX_set_params(mac, params);
	OPENSSL_cleanse(secret, sizeof(secret));
	return good;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 2 asks for a new ticket */
static int
on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
	EVP_MAC_CTX *mac, int seal)
{
	struct tls *t = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	struct ticket_key k;
	bool old = false;

	if (seal) {
		tickets_seal(t->tickets, clock_ms(), &k);
		memcpy(name, k.name, sizeof(k.name));
		if (RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) != 1)
			return -1;
	} else if (!tickets_open(t->tickets, clock_ms(), name, &k, &old)) {
		return 0;
	}
	bool good = use_key(&k, iv, cipher, mac, seal != 0);
	OPENSSL_cleanse(&k, sizeof(k));
	return !good ? -1 : old ? 2 : 1;
}

/* ---- making one ---- */

static void
settle(struct tls *t, SSL_CTX *ctx)
{
	static const unsigned char id[] = "gatepost";
	uint64_t lifetime = t->rotation_ms / 1000;

	(void)SSL_CTX_set_app_data(ctx, t);
	(void)SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
					       SSL_OP_CIPHER_SERVER_PREFERENCE |
					       SSL_OP_PRIORITIZE_CHACHA |
					       SSL_OP_SINGLE_ECDH_USE);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
					    SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	(void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	(void)SSL_CTX_set_session_id_context(ctx, id, sizeof(id) - 1);
	(void)SSL_CTX_set_timeout(ctx, lifetime > INT_MAX ? INT_MAX : (long)lifetime);
	(void)SSL_CTX_set_num_tickets(ctx, 1);
	SSL_CTX_set_read_ahead(ctx, 1);
	(void)SSL_CTX_set_tlsext_servername_callback(ctx, on_name);
	(void)SSL_CTX_set_tlsext_servername_arg(ctx, t);
	(void)SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
}

static bool
use_cert(SSL_CTX *ctx, const struct tls_cert *c)
{
	if (SSL_CTX_use_certificate(ctx, c->leaf) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, c->key) != 1)
		return false;
	return SSL_CTX_set1_chain(ctx, c->chain) == 1; /* of the leaf just set */
}

static enum rc
make_ctx(struct tls *t, struct choice *c, struct err *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	char groups[] = "X25519:P-256"; /* OpenSSL's macro takes a const away */
	bool good;

	if (ctx == NULL)
		return err_set(err, RC_TEMP, "OpenSSL makes no context");
	settle(t, ctx);
	good = SSL_CTX_set_min_proto_version(
		       ctx, t->only_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
	       SSL_CTX_set_cipher_list(ctx, ciphers) == 1 &&
	       SSL_CTX_set1_groups_list(ctx, groups) == 1;
	for (size_t i = 0; i < TLS_KINDS && good; i++)
		good = c->certs[i] == NULL || use_cert(ctx, c->certs[i]);
	if (!good) {
		const char *why = ERR_reason_error_string(ERR_peek_last_error());
		enum rc rc = err_set(err, RC_BAD,
			"OpenSSL does not take the certificate: %s",
			why == NULL ? "?" : why);

		ERR_clear_error();
		SSL_CTX_free(ctx);
		return rc;
	}
	c->ctx = ctx;
	return RC_OK;
}

static bool
has_name(const struct tls_cert *c, const char *name)
{
	for (size_t i = 0; i < c->nnames; i++)
		if (strcmp(c->names[i], name) == 0)
			return true;
	return false;
}

/* The context of a set of certificates, made when it is the first of its kind.
 * t->choices has room. */
static enum rc
choose(struct tls *t, const struct choice *want, SSL_CTX **out, struct err *err)
{
	struct choice *c = t->choices;

	for (; c < t->choices + t->nchoices; c++)
		if (memcmp(c->certs, want->certs, sizeof(c->certs)) == 0) {
			*out = c->ctx;
			return RC_OK;
		}
	*c = *want;
	enum rc rc = make_ctx(t, c, err);
	if (rc != RC_OK)
		return rc;
	t->nchoices++;
	*out = c->ctx;
	return RC_OK;
}

static void
gather(const struct tls_cert *certs, size_t n, const char *name, struct choice *out)
{
	*out = (struct choice){ .ctx = NULL };
	for (size_t i = 0; i < n; i++)
		if (out->certs[certs[i].kind] == NULL && has_name(&certs[i], name))
			out->certs[certs[i].kind] = &certs[i];
}

static enum rc
add_names(struct tls *t, const struct tls_cert *certs, size_t n,
	const struct tls_cert *of, struct err *err)
{
	for (size_t i = 0; i < of->nnames; i++) {
		struct name *name = &t->names[t->nnames];
		struct choice want;
		bool known = false;

		for (const struct tls_cert *c = certs; c < of && !known; c++)
			known = has_name(c, of->names[i]);
		if (known)
			continue;
		gather(certs, n, of->names[i], &want);
		memcpy(name->text, of->names[i], sizeof(name->text));
		enum rc rc = choose(t, &want, &name->ctx, err);
		if (rc != RC_OK)
			return rc;
		t->nnames++;
	}
	return RC_OK;
}

static enum rc
build(struct tls *t, const struct tls_cert *certs, size_t n, struct err *err)
{
	struct choice first = { .ctx = NULL };
	size_t names = 0;
	enum rc rc;

	for (size_t i = 0; i < n; i++)
		names += certs[i].nnames;
	t->names = calloc(names + 1, sizeof(t->names[0]));
	t->choices = calloc(names + 1, sizeof(t->choices[0]));
	if (t->names == NULL || t->choices == NULL)
		abort();
	first.certs[certs[0].kind] = &certs[0];
	if (certs[0].nnames > 0)
		gather(certs, n, certs[0].names[0], &first);
	SSL_CTX *unused;
	rc = choose(t, &first, &unused, err);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = add_names(t, certs, n, &certs[i], err);
	qsort(t->names, t->nnames, sizeof(t->names[0]), by_text);
	return rc;
}

enum rc
tls_new(const struct tls_pair *pairs, size_t n, bool only_1_3,
	uint64_t ticket_rotation_ms, struct tls **out, struct err *err)
{
	struct tls_cert *certs = calloc(n + 1, sizeof(*certs));
	struct tls *t = calloc(1, sizeof(*t));
	enum rc rc = n == 0 ? err_set(err, RC_BAD, "there is no certificate") : RC_OK;

	if (certs == NULL || t == NULL)
		abort();
	atomic_init(&t->refs, 1);
	t->only_1_3 = only_1_3;
	t->rotation_ms = ticket_rotation_ms;
	t->tickets = tickets_new(ticket_rotation_ms);
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = tls_cert_read(&pairs[i], &certs[i], err);
	if (rc == RC_OK)
		rc = build(t, certs, n, err);
	for (size_t i = 0; i < n; i++)
		tls_cert_clear(&certs[i]); /* the contexts have their own references */
	free(certs);
	if (rc != RC_OK)
		tls_drop(&t);
	else
		*out = t;
	return rc;
}

struct tls *
tls_keep(struct tls *t)
{
	if (t != NULL)
		(void)atomic_fetch_add(&t->refs, 1);
	return t;
}

void
tls_drop(struct tls **tp)
{
	struct tls *t = *tp;

	*tp = NULL;
	if (t == NULL || atomic_fetch_sub(&t->refs, 1) != 1)
		return;
	for (size_t i = 0; i < t->nchoices; i++)
		SSL_CTX_free(t->choices[i].ctx);
	tickets_free(&t->tickets);
	free(t->choices);
	free(t->names);
	free(t);
}

SSL *
tls_session(struct tls *t)
{
	SSL *ssl = SSL_new(t->choices[0].ctx);

	if (ssl == NULL)
		abort();
	SSL_set_accept_state(ssl);
	return ssl;
}
