/* SPDX-License-Identifier: ISC */
#include "net/tls.h"

#include <openssl/x509v3.h>

#include "net/net_fixture.h"
#include "net/tls_ticket.h"
#include "test/test.h"

enum { HOUR = 3600 * 1000 };

static struct tls *
make(const struct fixture_cert *certs, size_t n, bool only_1_3)
{
	struct tls_pair pairs[8];
	struct tls *t = NULL;
	struct err err;

	for (size_t i = 0; i < n; i++)
		pairs[i] = fixture_pair(&certs[i]);
	assert_int_equal(tls_new(pairs, n, only_1_3, HOUR, &t, &err), RC_OK);
	return t;
}

/* Does a client that asks for `asked` get a certificate for `host`, by a key of
 * this kind?  sigalgs NULL: the client takes any. */
static void
expect(struct tls *t, const char *asked, const char *sigalgs, const char *host, int kind)
{
	struct fixture_link l = fixture_link();
	char list[64] = ""; /* OpenSSL's macro takes the const away */

	if (sigalgs != NULL) {
		assert_true(str_z(str_of(sigalgs), list, sizeof(list)));
		assert_int_equal(SSL_CTX_set1_sigalgs_list(l.ctx, list), 1);
	}
	conn_start_tls(l.conn, t);
	fixture_handshake(&l, asked);
	X509 *x = SSL_get1_peer_certificate(l.ssl);
	assert_non_null(x);
	assert_int_equal(X509_check_host(x, host, 0, 0, NULL), 1);
	assert_int_equal(EVP_PKEY_get_base_id(X509_get0_pubkey(x)), kind);
	X509_free(x);
	fixture_link_close(&l);
}

TEST(the_name_asked_for_picks_the_certificate_and_the_client_its_kind)
{
	struct fixture_cert certs[] = {
		fixture_cert("EC", "DNS:mx.example.test"),
		fixture_cert("RSA", "DNS:MX.example.test,DNS:old.example.test"),
		fixture_cert("EC", "DNS:*.example.org,DNS:example.org"),
		fixture_cert("EC", "DNS:special.example.org"),
	};
	struct tls *t = make(certs, 4, false);
	const char *rsa = "RSA+SHA256:RSA-PSS+SHA256", *any = NULL;

	expect(t, NULL, any, "mx.example.test", EVP_PKEY_EC);
	expect(t, "nobody.example.net", any, "mx.example.test", EVP_PKEY_EC);
	expect(t, "mx.example.test", any, "mx.example.test", EVP_PKEY_EC);
	expect(t, "mx.example.test", rsa, "mx.example.test", EVP_PKEY_RSA);
	expect(t, NULL, rsa, "mx.example.test", EVP_PKEY_RSA);
	expect(t, "OLD.example.test", any, "old.example.test", EVP_PKEY_RSA);
	expect(t, "a.example.org", any, "a.example.org", EVP_PKEY_EC);
	expect(t, "example.org", any, "example.org", EVP_PKEY_EC);
	expect(t, "special.example.org", any, "special.example.org", EVP_PKEY_EC);
	expect(t, "b.a.example.org", any, "mx.example.test", EVP_PKEY_EC);
	tls_drop(&t);
	for (int i = 0; i < 4; i++)
		fixture_cert_free(&certs[i]);
}

static void
expect_version(struct tls *t, int version, enum conn_got want, const char *name)
{
	struct fixture_link l = fixture_link();

	SSL_CTX_set_security_level(l.ctx, 0);
	SSL_CTX_set_min_proto_version(l.ctx, version);
	SSL_CTX_set_max_proto_version(l.ctx, version);
	conn_start_tls(l.conn, t);
	assert_int_equal(fixture_try_handshake(&l, NULL), want);
	assert_string_equal(conn_tls_version(l.conn), name);
	fixture_link_close(&l);
}

TEST(old_versions_are_not_spoken)
{
	struct fixture_cert cert = fixture_cert("EC", "DNS:mx.example.test");
	struct tls *t = make(&cert, 1, false), *strict = make(&cert, 1, true);

	expect_version(t, TLS1_1_VERSION, CONN_CLOSED, "");
	expect_version(t, TLS1_2_VERSION, CONN_OK, "TLS1_2");
	expect_version(t, TLS1_3_VERSION, CONN_OK, "TLS1_3");
	expect_version(strict, TLS1_2_VERSION, CONN_CLOSED, "");
	expect_version(strict, TLS1_3_VERSION, CONN_OK, "TLS1_3");
	tls_drop(&t);
	tls_drop(&strict);
	fixture_cert_free(&cert);
}

static SSL_SESSION *
visit(struct tls *t, int version, SSL_SESSION *with, bool *resumed)
{
	struct fixture_link l = fixture_link();
	char heard[16];

	SSL_CTX_set_max_proto_version(l.ctx, version);
	conn_start_tls(l.conn, t);
	SSL *ssl = SSL_new(l.ctx);
	SSL_set_fd(ssl, l.fd);
	if (with != NULL)
		assert_int_equal(SSL_set_session(ssl, with), 1);
	for (int i = 0; i < 10; i++) {
		bool theirs = SSL_connect(ssl) == 1;

		if (conn_handshake(l.conn) == CONN_OK && theirs)
			break;
	}
	l.ssl = ssl;
	assert_int_equal(
		fixture_hear(&l, heard, sizeof(heard)), 0); /* takes the ticket */
	*resumed = SSL_session_reused(ssl) == 1;
	SSL_SESSION *got = SSL_get1_session(ssl);
	SSL_shutdown(ssl);
	fixture_link_close(&l);
	return got;
}

TEST(a_client_that_was_here_resumes_with_its_ticket)
{
	static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
	struct fixture_cert cert = fixture_cert("EC", "DNS:mx.example.test");
	struct tls *t = make(&cert, 1, false), *other = make(&cert, 1, false);

	for (size_t i = 0; i < 2; i++) {
		bool resumed;
		SSL_SESSION *first = visit(t, versions[i], NULL, &resumed);

		assert_false(resumed);
		SSL_SESSION_free(visit(t, versions[i], first, &resumed));
		assert_true(resumed);
		SSL_SESSION_free(first);
		first = visit(t, versions[i], NULL, &resumed);
		/* keys of another set of certificates do not open it */
		SSL_SESSION_free(visit(other, versions[i], first, &resumed));
		assert_false(resumed);
		SSL_SESSION_free(first);
	}
	tls_drop(&t);
	tls_drop(&other);
	fixture_cert_free(&cert);
}

/* Both ends of a connection have the same 32 bytes, and no other connection has them. */
static bool
exported(struct tls *t, int version, bool extended, uint8_t out[32])
{
	struct fixture_link l = fixture_link();
	uint8_t theirs[32];

	SSL_CTX_set_max_proto_version(l.ctx, version);
	if (!extended)
		SSL_CTX_set_options(l.ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
	assert_false(conn_exporter(l.conn, out));
	conn_start_tls(l.conn, t);
	assert_false(conn_exporter(l.conn, out));
	fixture_handshake(&l, NULL);
	bool got = conn_exporter(l.conn, out);
	if (got) {
		assert_int_equal(SSL_export_keying_material(l.ssl, theirs, 32,
					 "EXPORTER-Channel-Binding", 24,
					 (const unsigned char *)"", 0, 1),
			1);
		assert_memory_equal(out, theirs, 32);
	}
	fixture_link_close(&l);
	return got;
}

TEST(a_login_can_be_bound_to_its_connection)
{
	struct tls *t = fixture_tls();
	uint8_t first[32], second[32];

	assert_true(exported(t, TLS1_3_VERSION, true, first));
	assert_true(exported(t, TLS1_3_VERSION, true, second));
	assert_memory_not_equal(first, second, 32);
	assert_true(exported(t, TLS1_2_VERSION, true, first));
	assert_false(exported(t, TLS1_2_VERSION, false, second));
	tls_drop(&t);
}

TEST(ticket_keys_rotate_and_the_last_two_are_accepted)
{
	struct tickets *t = tickets_new(HOUR);
	struct ticket_key a, b, c, got;
	bool old;

	tickets_seal(t, 1000, &a);
	tickets_seal(t, 1000 + HOUR - 1, &b);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_true(tickets_open(t, 1000 + HOUR - 1, a.name, &got, &old));
	assert_false(old);
	tickets_seal(t, 1000 + HOUR, &b);
	assert_memory_not_equal(a.cipher, b.cipher, sizeof(a.cipher));
	assert_true(tickets_open(t, 1000 + HOUR, a.name, &got, &old));
	assert_true(old);
	assert_memory_equal(got.cipher, a.cipher, sizeof(a.cipher));
	tickets_seal(t, 1000 + 2 * HOUR, &c);
	assert_false(tickets_open(t, 1000 + 2 * HOUR, a.name, &got, &old));
	assert_true(tickets_open(t, 1000 + 2 * HOUR, b.name, &got, &old));
	assert_false(tickets_open(t, 1000 + 9 * HOUR, c.name, &got, &old));
	tickets_free(&t);
}

TEST(what_is_wrong_with_a_certificate_is_said)
{
	struct fixture_cert a = fixture_cert("EC", "DNS:a.example"),
			    b = fixture_cert("EC", "DNS:b.example");
	struct tls_pair pair = fixture_pair(&a);
	struct tls *t = NULL;
	struct err err;

	assert_int_equal(tls_new(&pair, 0, false, HOUR, &t, &err), RC_BAD);
	pair.key_pem = str_of(b.key);
	assert_int_equal(tls_new(&pair, 1, false, HOUR, &t, &err), RC_BAD);
	assert_string_equal(err.text, "pair: the key is not the certificate's");
	pair.key_pem = STR("");
	assert_int_equal(tls_new(&pair, 1, false, HOUR, &t, &err), RC_BAD);
	pair.cert_pem = STR(
		"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
	assert_int_equal(tls_new(&pair, 1, false, HOUR, &t, &err), RC_BAD);
	assert_string_equal(err.text, "pair: no certificate in PEM");
	assert_null(t);
	fixture_cert_free(&a);
	fixture_cert_free(&b);
}
