/* SPDX-License-Identifier: ISC */
#include "crypto/cert.h"

#include "test/test.h"

enum { NOW = 1795400000 }; /* 2026-11-23 */

static const uint64_t now_ms = (uint64_t)NOW * 1000ull;

TEST(an_instance_speaks_tls_with_a_certificate_of_its_own_ca)
{
	struct cert_pem ca, server;
	struct cert_facts f;
	struct err err = { 0 };

	assert_int_equal(cert_make_ca(STR("mx.test"), now_ms, &ca, &err), RC_OK);
	assert_int_equal(
		cert_make_server(&ca, STR("mx.test"), now_ms, &server, &err), RC_OK);
	assert_int_equal(cert_look(str_of(server.cert), str_of(server.key),
				 str_of(ca.cert), "mx.test", &f, &err),
		RC_OK);
	assert_true(f.own);
	assert_true(f.names_host);
	assert_true(f.from_ms < now_ms);
	assert_true(f.until_ms > now_ms + 396ull * 86400000);
	assert_true(f.until_ms < now_ms + 398ull * 86400000);
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
}

TEST(a_key_that_is_not_the_certificates_is_found_before_a_client_finds_it)
{
	struct cert_pem ca, server;
	struct cert_facts f;
	struct err err = { 0 };

	assert_int_equal(cert_make_ca(STR("a.test"), now_ms, &ca, &err), RC_OK);
	assert_int_equal(
		cert_make_server(&ca, STR("a.test"), now_ms, &server, &err), RC_OK);
	assert_int_equal(cert_look(str_of(server.cert), str_of(ca.key), STR(""), "a.test",
				 &f, &err),
		RC_BAD);
	assert_string_equal(err.text, "the key does not belong to the certificate");
	assert_int_equal(
		cert_look(STR("nonsense"), str_of(ca.key), STR(""), "a.test", &f, &err),
		RC_BAD);
	assert_int_equal(
		cert_look(str_of(server.cert), STR(""), STR(""), "a.test", &f, &err),
		RC_BAD);
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
}

TEST(another_host_and_another_ca_are_told_apart)
{
	struct cert_pem ca, other, server;
	struct cert_facts f;
	struct err err = { 0 };
	static const char label[] = "averyveryveryveryveryveryveryveryverylonglabel.";
	char host[160];

	(void)snprintf(host, sizeof(host), "%s%sexample.test", label, label);
	assert_int_equal(cert_make_ca(str_of(host), now_ms, &ca, &err), RC_OK);
	assert_int_equal(cert_make_ca(str_of(host), now_ms, &other, &err), RC_OK);
	assert_int_equal(
		cert_make_server(&ca, str_of(host), now_ms, &server, &err), RC_OK);
	assert_int_equal(cert_look(str_of(server.cert), str_of(server.key),
				 str_of(other.cert), "b.test", &f, &err),
		RC_OK);
	assert_false(f.own);
	assert_false(f.names_host);
	assert_int_equal(cert_look(str_of(server.cert), str_of(server.key),
				 str_of(ca.cert), host, &f, &err),
		RC_OK);
	assert_true(f.own);
	assert_true(f.names_host);
	cert_pem_clear(&ca);
	cert_pem_clear(&other);
	cert_pem_clear(&server);
}

/* What a public CA would give for a request: here our own plays it. */
TEST(a_request_names_all_hosts_and_its_key_fits_nothing_else)
{
	struct cert_request r = { 0 }, other = { 0 };
	struct cert_pem ca, server;
	BUF_AUTO names = BUF(1000);
	BUF_AUTO issuer = BUF(1000);
	struct err err = { 0 };

	assert_int_equal(cert_make_request(STR("mx.test links.test"), &r, &err), RC_OK);
	assert_int_equal(
		cert_make_request(STR("mx.test links.test"), &other, &err), RC_OK);
	assert_true(
		str_starts(str_of(r.csr), STR("-----BEGIN CERTIFICATE REQUEST-----")));
	assert_false(str_eq(str_of(r.key), str_of(other.key)));
	assert_int_equal(cert_make_ca(STR("mx.test"), now_ms, &ca, &err), RC_OK);
	assert_int_equal(
		cert_make_server(&ca, STR("mx.test links.test"), now_ms, &server, &err),
		RC_OK);
	assert_true(cert_fits(str_of(server.cert), str_of(server.key)));
	assert_false(cert_fits(str_of(server.cert), str_of(r.key)));
	assert_false(cert_fits(str_of(server.cert), STR("")));
	assert_false(cert_fits(STR("nonsense"), str_of(server.key)));
	assert_int_equal(cert_words(str_of(server.cert), &names, &issuer, &err), RC_OK);
	assert_string_equal(buf_z(&names), "mx.test links.test");
	assert_non_null(strstr(buf_z(&issuer), "Gatepost's own CA"));
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
	cert_request_clear(&r);
	cert_request_clear(&other);
}

static enum rc
seen(const struct cert_pem *p, const char *host, uint64_t at_ms, const char *why)
{
	struct err err = { 0 };
	enum rc rc = cert_public(str_of(p->cert), host, at_ms, &err);

	if (rc != RC_OK)
		assert_non_null(strstr(err.text, why));
	return rc;
}

TEST(strangers_trust_what_the_systems_cas_have_signed_for_the_name_and_the_day)
{
	const uint64_t year_ms = 366ull * 86400000;
	struct cert_pem ca, server;
	struct err err = { 0 };
	char path[300];

	assert_int_equal(cert_make_ca(STR("mx.test"), now_ms, &ca, &err), RC_OK);
	assert_int_equal(
		cert_make_server(&ca, STR("mx.test links.test"), now_ms, &server, &err),
		RC_OK);
	assert_int_equal(setenv("SSL_CERT_DIR", "/nonexistent", 1), 0);
	assert_int_equal(setenv("SSL_CERT_FILE", "/nonexistent", 1), 0);
	assert_int_equal(
		seen(&server, "mx.test", now_ms, "does not lead to a CA"), RC_BAD);
	(void)snprintf(path, sizeof(path), "%s/ca.pem", test_folder());
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(ca.cert, f) >= 0 && fclose(f) == 0);
	assert_int_equal(setenv("SSL_CERT_FILE", path, 1), 0);
	assert_int_equal(seen(&server, "mx.test", now_ms, ""), RC_OK);
	assert_int_equal(seen(&server, "links.test", now_ms, ""), RC_OK);
	assert_int_equal(
		seen(&server, "other.test", now_ms, "does not name other.test"), RC_BAD);
	assert_int_equal(
		seen(&server, "mx.test", now_ms + 2 * year_ms, "has expired"), RC_BAD);
	assert_int_equal(
		seen(&server, "mx.test", now_ms - year_ms, "is not valid yet"), RC_BAD);
	assert_int_equal(seen(&(struct cert_pem){ .cert = ca.key }, "mx.test", now_ms,
				 "cannot be read"),
		RC_BAD);
	assert_int_equal(unsetenv("SSL_CERT_FILE"), 0);
	assert_int_equal(unsetenv("SSL_CERT_DIR"), 0);
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
}
