/* SPDX-License-Identifier: ISC */
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "crypto/cert_int.h"

static bool
add_names(X509_REQ *r, str hosts)
{
	STACK_OF(X509_EXTENSION) *all = NULL;
	GENERAL_NAMES *names = cert_alt_names(hosts);
	bool ok = X509V3_add1_i2d(&all, NID_subject_alt_name, names, 0, 0) == 1 &&
		  X509_REQ_add_extensions(r, all) == 1;

	sk_X509_EXTENSION_pop_free(all, X509_EXTENSION_free);
	GENERAL_NAMES_free(names);
	return ok;
}

/* The subject is empty: CAs take the names alone (RFC 8555 7.4). */
enum rc
cert_make_request(str hosts, struct cert_request *out, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509_REQ *r = X509_REQ_new();
	BIO *secret = cert_text_out(), *request = cert_text_out();
	enum rc rc = RC_OK;

	if (key == NULL || r == NULL)
		abort();
	if (X509_REQ_set_version(r, X509_REQ_VERSION_1) != 1 ||
		X509_REQ_set_pubkey(r, key) != 1 || !add_names(r, hosts) ||
		X509_REQ_sign(r, key, EVP_sha256()) <= 0 ||
		PEM_write_bio_X509_REQ(request, r) != 1 ||
		PEM_write_bio_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) != 1)
		rc = cert_broken(err, "making a request for a certificate");
	struct cert_request made = { cert_take_text(secret), cert_take_text(request) };
	if (rc == RC_OK)
		*out = made;
	else
		cert_request_clear(&made);
	X509_REQ_free(r);
	EVP_PKEY_free(key);
	return rc;
}

void
cert_request_clear(struct cert_request *r)
{
	if (r->key != NULL)
		OPENSSL_cleanse(r->key, strlen(r->key));
	free(r->key);
	free(r->csr);
	*r = (struct cert_request){ 0 };
}
