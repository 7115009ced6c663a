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
