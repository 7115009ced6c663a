/* SPDX-License-Identifier: ISC */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>

#include "crypto/cert_int.h"

enum { MOST_CHAIN = 16 };

bool
cert_fits(str cert_pem, str key_pem)
{
	X509 *x = cert_read(cert_pem);
	EVP_PKEY *key = cert_read_key(key_pem);
	bool fits = x != NULL && key != NULL && X509_check_private_key(x, key) == 1;

	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	return fits;
}

static void
add_names(X509 *x, struct buf *out)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);

	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(all, i);

		if (name->type != GEN_DNS)
			continue;
		if (out->len > 0)
			buf_addc(out, ' ');
		buf_add(out, (str){ (const char *)ASN1_STRING_get0_data(name->d.dNSName),
				     (size_t)ASN1_STRING_length(name->d.dNSName) });
	}
	GENERAL_NAMES_free(all);
}

enum rc
cert_words(str cert_pem, struct buf *names, struct buf *issuer, struct err *err)
{
	X509 *x = cert_read(cert_pem);
	BIO *text = cert_text_out();

	if (x == NULL) {
		BIO_free(text);
		return cert_broken(err, "the certificate cannot be read");
	}
	add_names(x, names);
	(void)X509_NAME_print_ex(text, X509_get_issuer_name(x), 0,
		(XN_FLAG_ONELINE | ASN1_STRFLGS_ESC_CTRL) &
			~(unsigned long)ASN1_STRFLGS_ESC_MSB);
	char *line = cert_take_text(text);
	buf_addz(issuer, line);
	free(line);
	X509_free(x);
	ERR_clear_error();
	return RC_OK;
}

/* What stands behind the first. */
static STACK_OF(X509) * read_rest(str pem)
{
	BIO *b = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	STACK_OF(X509) *rest = sk_X509_new_null();
	X509 *x;

	if (b == NULL || rest == NULL)
		abort();
	X509_free(PEM_read_bio_X509(b, NULL, NULL, NULL));
	while (sk_X509_num(rest) < MOST_CHAIN &&
		(x = PEM_read_bio_X509(b, NULL, NULL, NULL)) != NULL)
		if (sk_X509_push(rest, x) <= 0)
			abort();
	BIO_free(b);
	ERR_clear_error();
	return rest;
}

static enum rc
verify(X509_STORE_CTX *ctx, const char *host, uint64_t wall_ms, struct err *err)
{
	X509_VERIFY_PARAM *p = X509_STORE_CTX_get0_param(ctx);
	int why;

	X509_VERIFY_PARAM_set_time(p, (time_t)(wall_ms / 1000));
	X509_VERIFY_PARAM_set_hostflags(p, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (X509_STORE_CTX_set_default(ctx, "ssl_server") != 1 ||
		X509_VERIFY_PARAM_set1_host(p, host, 0) != 1)
		return cert_broken(err, "checking the certificate");
	if (X509_verify_cert(ctx) == 1)
		return RC_OK;
	why = X509_STORE_CTX_get_error(ctx);
	if (why == X509_V_ERR_HOSTNAME_MISMATCH)
		return err_set(err, RC_BAD, "it does not name %s", host);
	if (why == X509_V_ERR_CERT_HAS_EXPIRED)
		return err_set(err, RC_BAD, "it, or one of its chain, has expired");
	if (why == X509_V_ERR_CERT_NOT_YET_VALID)
		return err_set(err, RC_BAD, "it, or one of its chain, is not valid yet");
	return err_set(err, RC_BAD,
		"its chain does not lead to a CA that this system trusts (%s)",
		X509_verify_cert_error_string(why));
}

enum rc
cert_public(str chain_pem, const char *host, uint64_t wall_ms, struct err *err)
{
	X509 *x = cert_read(chain_pem);
	STACK_OF(X509) *rest = read_rest(chain_pem);
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	enum rc rc;

	if (store == NULL || ctx == NULL)
		abort();
	if (x == NULL)
		rc = cert_broken(err, "the certificate cannot be read");
	/* a system without a trust store trusts nobody: that is said of the chain */
	else if (X509_STORE_set_default_paths(store) != 1 ||
		 X509_STORE_CTX_init(ctx, store, x, rest) != 1)
		rc = cert_broken(err, "the system's trust store");
	else
		rc = verify(ctx, host, wall_ms, err);
	ERR_clear_error();
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	sk_X509_pop_free(rest, X509_free);
	X509_free(x);
	return rc;
}
