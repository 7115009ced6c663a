/* SPDX-License-Identifier: ISC */
#include "crypto/cert_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

enum { COMMON_NAME = 64 }; /* RFC 5280 appendix A.1, ub-common-name */

enum rc
cert_broken(struct err *err, const char *what)
{
	char why[120];

	ERR_error_string_n(ERR_get_error(), why, sizeof(why));
	ERR_clear_error();
	return err_set(err, RC_BAD, "%s: %s", what, why);
}

void
cert_pem_clear(struct cert_pem *p)
{
	free(p->cert);
	if (p->key != NULL)
		OPENSSL_cleanse(p->key, strlen(p->key));
	free(p->key);
	*p = (struct cert_pem){ 0 };
}

/* What a memory BIO holds, as a malloc'd string; frees the BIO. */
char *
cert_take_text(BIO *b)
{
	char *data;
	long n = BIO_get_mem_data(b, &data);
	char *text = malloc((size_t)n + 1);

	if (text == NULL)
		abort();
	memcpy(text, data, (size_t)n);
	text[n] = '\0';
	BIO_free(b);
	return text;
}

BIO *
cert_text_out(void)
{
	BIO *b = BIO_new(BIO_s_secmem());

	if (b == NULL)
		abort();
	return b;
}

X509 *
cert_read(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	X509 *x = b == NULL ? NULL : PEM_read_bio_X509(b, NULL, NULL, NULL);

	BIO_free(b);
	return x;
}

/* A key under a passphrase is an error, not a question on the terminal. */
static int
no_passphrase(char *buf, int size, int rwflag, void *arg)
{
	(void)buf, (void)size, (void)rwflag, (void)arg;
	return -1;
}

EVP_PKEY *
cert_read_key(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	EVP_PKEY *k = b == NULL ? NULL
				: PEM_read_bio_PrivateKey(b, NULL, no_passphrase, NULL);

	BIO_free(b);
	return k;
}

static bool
set_serial(X509 *x)
{
	unsigned char bytes[16];
	BIGNUM *n;
	bool ok;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return false;
	bytes[0] = (unsigned char)((bytes[0] & 0x7f) | 0x40); /* positive, not short */
	n = BN_bin2bn(bytes, sizeof(bytes), NULL);
	ok = n != NULL && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL;
	BN_free(n);
	return ok;
}

static bool
set_times(X509 *x, uint64_t wall_ms, unsigned days)
{
	time_t now = (time_t)(wall_ms / 1000);

	/* an hour back: other machines' clocks are not ours */
	return ASN1_TIME_set(X509_getm_notBefore(x), now - 3600) != NULL &&
	       ASN1_TIME_set(X509_getm_notAfter(x), now - 3600 + (time_t)days * 86400) !=
		       NULL;
}

static bool
set_name(X509_NAME *name, const char *organisation, str common)
{
	if (organisation != NULL &&
		X509_NAME_add_entry_by_NID(name, NID_organizationName, MBSTRING_UTF8,
			(const unsigned char *)organisation, -1, -1, 0) != 1)
		return false;
	return common.len > COMMON_NAME ||
	       X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		       (const unsigned char *)common.ptr, (int)common.len, -1, 0) == 1;
}

static bool
add_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	bool ok;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	ok = e != NULL && X509_add_ext(x, e, -1) == 1;
	X509_EXTENSION_free(e);
	return ok;
}

GENERAL_NAMES *
cert_alt_names(str hosts)
{
	GENERAL_NAMES *names = GENERAL_NAMES_new();
	str host;

	while (str_cut(&hosts, ' ', &host)) {
		GENERAL_NAME *one = GENERAL_NAME_new();
		ASN1_IA5STRING *text = ASN1_IA5STRING_new();

		if (names == NULL || one == NULL || text == NULL ||
			ASN1_STRING_set(text, host.ptr, (int)host.len) != 1)
			abort();
		GENERAL_NAME_set0_value(one, GEN_DNS, text);
		if (sk_GENERAL_NAME_push(names, one) <= 0)
			abort();
	}
	return names;
}

static bool
add_hosts(X509 *x, str hosts)
{
	GENERAL_NAMES *names = cert_alt_names(hosts);
	bool ok = X509_add1_ext_i2d(x, NID_subject_alt_name, names, 0, 0) == 1;

	GENERAL_NAMES_free(names);
	return ok;
}

static void
give(X509 *x, EVP_PKEY *key, struct cert_pem *out)
{
	BIO *cert = cert_text_out(), *secret = cert_text_out();

	if (PEM_write_bio_X509(cert, x) != 1 ||
		PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1)
		abort();
	*out = (struct cert_pem){ cert_take_text(cert), cert_take_text(secret) };
}

static bool
fill_ca(X509 *x, EVP_PKEY *key, str hostname, uint64_t wall_ms)
{
	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	       set_times(x, wall_ms, CERT_CA_DAYS) &&
	       set_name(X509_get_subject_name(x), "Gatepost's own CA", hostname) &&
	       X509_set_issuer_name(x, X509_get_subject_name(x)) == 1 &&
	       X509_set_pubkey(x, key) == 1 &&
	       add_ext(x, x, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
	       add_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign") &&
	       add_ext(x, x, NID_subject_key_identifier, "hash") &&
	       X509_sign(x, key, EVP_sha256()) > 0;
}

static bool
fill_server(
	X509 *x, EVP_PKEY *key, X509 *ca, EVP_PKEY *ca_key, str hosts, uint64_t wall_ms)
{
	const str first = str_first(hosts, str_find(hosts, STR(" ")));

	return X509_set_version(x, X509_VERSION_3) == 1 && set_serial(x) &&
	       set_times(x, wall_ms, CERT_SERVER_DAYS) &&
	       set_name(X509_get_subject_name(x), NULL, first) &&
	       X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 &&
	       X509_set_pubkey(x, key) == 1 && add_hosts(x, hosts) &&
	       add_ext(x, ca, NID_basic_constraints, "critical,CA:FALSE") &&
	       add_ext(x, ca, NID_key_usage, "critical,digitalSignature") &&
	       add_ext(x, ca, NID_ext_key_usage, "serverAuth") &&
	       add_ext(x, ca, NID_subject_key_identifier, "hash") &&
	       add_ext(x, ca, NID_authority_key_identifier, "keyid:always") &&
	       X509_sign(x, ca_key, EVP_sha256()) > 0;
}

enum rc
cert_make_ca(str hostname, uint64_t wall_ms, struct cert_pem *out, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *x = X509_new();
	enum rc rc = RC_OK;

	if (key == NULL || x == NULL)
		abort();
	if (fill_ca(x, key, hostname, wall_ms))
		give(x, key, out);
	else
		rc = cert_broken(err, "making the CA");
	X509_free(x);
	EVP_PKEY_free(key);
	return rc;
}

enum rc
cert_make_server(const struct cert_pem *ca, str hosts, uint64_t wall_ms,
	struct cert_pem *out, struct err *err)
{
	X509 *ca_cert = cert_read(str_of(ca->cert)), *x = X509_new();
	EVP_PKEY *ca_key = cert_read_key(str_of(ca->key)), *key = EVP_EC_gen("P-256");
	enum rc rc = RC_OK;

	if (key == NULL || x == NULL)
		abort();
	if (ca_cert != NULL && ca_key != NULL &&
		fill_server(x, key, ca_cert, ca_key, hosts, wall_ms))
		give(x, key, out);
	else
		rc = cert_broken(err, "making the server's certificate");
	X509_free(ca_cert);
	X509_free(x);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return rc;
}

static uint64_t
time_of(const ASN1_TIME *t)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (uint64_t)timegm(&tm) * 1000;
}

static bool
signed_by(X509 *x, str ca_pem)
{
	X509 *ca = str_empty(ca_pem) ? NULL : cert_read(ca_pem);
	EVP_PKEY *key = ca == NULL ? NULL : X509_get0_pubkey(ca);
	bool yes = key != NULL && X509_verify(x, key) == 1;

	ERR_clear_error();
	X509_free(ca);
	return yes;
}

enum rc
cert_look(str cert_pem, str key_pem, str ca_pem, const char *hostname,
	struct cert_facts *out, struct err *err)
{
	X509 *x = cert_read(cert_pem);
	EVP_PKEY *key;
	enum rc rc = RC_OK;

	if (x == NULL)
		return cert_broken(err, "the certificate cannot be read");
	if ((key = cert_read_key(key_pem)) == NULL)
		rc = cert_broken(err, "the key cannot be read");
	else if (X509_check_private_key(x, key) != 1)
		rc = err_set(err, RC_BAD, "the key does not belong to the certificate");
	ERR_clear_error();
	if (rc == RC_OK)
		*out = (struct cert_facts){
			.from_ms = time_of(X509_get0_notBefore(x)),
			.until_ms = time_of(X509_get0_notAfter(x)),
			.names_host = X509_check_host(x, hostname, 0, 0, NULL) == 1,
			.own = signed_by(x, ca_pem),
		};
	EVP_PKEY_free(key);
	X509_free(x);
	return rc;
}

enum rc
cert_der(str cert_pem, struct buf *der, uint64_t *until_ms, struct err *err)
{
	X509 *x = cert_read(cert_pem);
	unsigned char *bytes = NULL;
	int n = x == NULL ? -1 : i2d_X509(x, &bytes);

	ERR_clear_error();
	if (n > 0) {
		buf_add(der, (str){ (const char *)bytes, (size_t)n });
		*until_ms = time_of(X509_get0_notAfter(x));
	}
	OPENSSL_free(bytes);
	X509_free(x);
	if (n <= 0)
		return err_set(err, RC_BAD, "the certificate cannot be read");
	return buf_ok(der) ? RC_OK : err_set(err, RC_BAD, "the certificate is too large");
}
