/* SPDX-License-Identifier: ISC */
#include "net/tls_names.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

/* A key under a password is an error, not a question on the terminal. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	(void)buf;
	(void)size;
	(void)writing;
	(void)arg;
	return 0;
}

bool
tls_name(str name, char out[TLS_NAME])
{
	if (name.len > 0 && name.ptr[name.len - 1] == '.')
		name.len--;
	if (name.len == 0 || !str_z(name, out, TLS_NAME))
		return false;
	for (char *p = out; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return true;
}

static BIO *
memory(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, pem.len > INT_MAX ? 0 : (int)pem.len);

	if (b == NULL)
		abort();
	return b;
}

static bool
read_chain(str pem, struct tls_cert *c)
{
	BIO *b = memory(pem);
	X509 *x;

	c->leaf = PEM_read_bio_X509_AUX(b, NULL, no_password, NULL);
	c->chain = sk_X509_new_null();
	while (c->leaf != NULL && c->chain != NULL && sk_X509_num(c->chain) < TLS_CHAIN &&
		(x = PEM_read_bio_X509(b, NULL, no_password, NULL)) != NULL)
		if (sk_X509_push(c->chain, x) == 0)
			abort();
	BIO_free(b);
	ERR_clear_error(); /* the end of the file is one */
	return c->leaf != NULL && c->chain != NULL;
}

static bool
read_key(str pem, struct tls_cert *c)
{
	BIO *b = memory(pem);

	c->key = PEM_read_bio_PrivateKey(b, NULL, no_password, NULL);
	BIO_free(b);
	ERR_clear_error();
	if (c->key == NULL)
		return false;
	int id = EVP_PKEY_get_base_id(c->key);
	c->kind = id == EVP_PKEY_EC    ? TLS_ECDSA
		  : id == EVP_PKEY_RSA ? TLS_RSA
				       : TLS_OTHER;
	return true;
}

static void
read_names(struct tls_cert *c)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(c->leaf, NID_subject_alt_name, NULL, NULL);
	int n = all == NULL ? 0 : sk_GENERAL_NAME_num(all);

	n = n > TLS_SANS ? TLS_SANS : n;
	c->names = n <= 0 ? NULL : calloc((size_t)n, sizeof(c->names[0]));
	if (n > 0 && c->names == NULL)
		abort();
	for (int i = 0; i < n; i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);

		if (g->type != GEN_DNS)
			continue;
		str name = { (const char *)ASN1_STRING_get0_data(g->d.dNSName),
			(size_t)ASN1_STRING_length(g->d.dNSName) };
		if (tls_name(name, c->names[c->nnames]))
			c->nnames++;
	}
	GENERAL_NAMES_free(all);
}

enum rc
tls_cert_read(const struct tls_pair *pair, struct tls_cert *out, struct err *err)
{
	struct tls_cert c = { 0 };
	const char *wrong = NULL;

	if (!read_chain(pair->cert_pem, &c))
		wrong = "no certificate in PEM";
	else if (!read_key(pair->key_pem, &c))
		wrong = "no private key in PEM (without a password)";
	else if (X509_check_private_key(c.leaf, c.key) != 1)
		wrong = "the key is not the certificate's";
	if (wrong != NULL) {
		tls_cert_clear(&c);
		ERR_clear_error();
		return err_set(err, RC_BAD, STR_FMT ": %s", STR_ARG(pair->name), wrong);
	}
	read_names(&c);
	*out = c;
	return RC_OK;
}

void
tls_cert_clear(struct tls_cert *c)
{
	X509_free(c->leaf);
	sk_X509_pop_free(c->chain, X509_free);
	EVP_PKEY_free(c->key);
	free(c->names);
	*c = (struct tls_cert){ 0 };
}
