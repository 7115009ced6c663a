/* SPDX-License-Identifier: ISC */
#include "net/net_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/test.h"

static char *
drain_pem(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	char *out = calloc(1, (size_t)n + 1);

	assert_non_null(out);
	memcpy(out, data, (size_t)n);
	BIO_free(b);
	return out;
}

static X509 *
sign(EVP_PKEY *key, const char *names)
{
	X509 *x = X509_new();
	X509_EXTENSION *san;

	assert_non_null(x);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_set_pubkey(x, key);
	san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, names);
	assert_non_null(san);
	X509_add_ext(x, san, -1);
	X509_EXTENSION_free(san);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

struct fixture_cert
fixture_cert(const char *kind, const char *names)
{
	struct fixture_cert c;
	EVP_PKEY *key = strcmp(kind, "EC") == 0 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
	BIO *b = BIO_new(BIO_s_mem());

	assert_non_null(key);
	X509 *x = sign(key, names);
	PEM_write_bio_X509(b, x);
	c.cert = drain_pem(b);
	b = BIO_new(BIO_s_mem());
	PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL);
	c.key = drain_pem(b);
	X509_free(x);
	EVP_PKEY_free(key);
	return c;
}

void
fixture_cert_free(struct fixture_cert *c)
{
	free(c->cert);
	free(c->key);
}

struct tls_pair
fixture_pair(const struct fixture_cert *c)
{
	return (struct tls_pair){ STR("pair"), str_of(c->cert), str_of(c->key) };
}

struct tls *
fixture_tls(void)
{
	struct fixture_cert c = fixture_cert("EC", "DNS:mx.example.test");
	struct tls_pair pair = fixture_pair(&c);
	struct tls *t = NULL;

	assert_int_equal(tls_new(&pair, 1, false, 12 * 3600 * 1000, &t, NULL), RC_OK);
	fixture_cert_free(&c);
	return t;
}

struct fixture_link
fixture_link(void)
{
	struct fixture_link l = { 0 };
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	l.fd = fds[0];
	l.conn = conn_new(fds[1]);
	l.ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(l.ctx);
	return l;
}

void
fixture_link_close(struct fixture_link *l)
{
	conn_free(&l->conn);
	SSL_free(l->ssl);
	SSL_CTX_free(l->ctx);
	if (l->fd >= 0)
		(void)close(l->fd);
}

void
fixture_say(struct fixture_link *l, str what)
{
	if (l->ssl != NULL)
		assert_int_equal(
			SSL_write(l->ssl, what.ptr, (int)what.len), (int)what.len);
	else
		assert_int_equal(
			send(l->fd, what.ptr, what.len, MSG_NOSIGNAL), (ssize_t)what.len);
}

size_t
fixture_hear(struct fixture_link *l, char *out, size_t size)
{
	ssize_t n = l->ssl != NULL ? SSL_read(l->ssl, out, (int)size)
				   : recv(l->fd, out, size, MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

enum conn_got
fixture_try_handshake(struct fixture_link *l, const char *name)
{
	enum conn_got got = CONN_QUIET;
	char answer[64], host[256];

	assert_true(str_z(str_of(name), host, sizeof(host)));
	l->ssl = SSL_new(l->ctx);
	SSL_set_fd(l->ssl, l->fd);
	if (name != NULL)
		(void)SSL_ctrl(l->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
			TLSEXT_NAMETYPE_host_name, host);
	assert_true(conn_handshake(l->conn) != CONN_CLOSED); /* sends what was written */
	while (recv(l->fd, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		continue;
	for (int i = 0; i < 10; i++) {
		int r = SSL_connect(l->ssl);

		got = conn_handshake(l->conn);
		if (got == CONN_CLOSED || (got == CONN_OK && r == 1))
			break;
	}
	return got;
}

void
fixture_handshake(struct fixture_link *l, const char *name)
{
	assert_int_equal(fixture_try_handshake(l, name), CONN_OK);
	assert_true(SSL_is_init_finished(l->ssl));
}
