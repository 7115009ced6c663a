/* SPDX-License-Identifier: ISC */
#include "crypto/digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>

struct sha256 {
	EVP_MD_CTX *ctx;
};

static EVP_MD *md; /* fetched once: EVP_sha256() looks it up each time */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	md = EVP_MD_fetch(NULL, "SHA256", NULL);
	if (md == NULL)
		abort();
}

static void
start(EVP_MD_CTX *ctx)
{
	(void)pthread_once(&once, fetch);
	if (EVP_DigestInit_ex2(ctx, md, NULL) != 1)
		abort();
}

struct sha256 *
sha256_new(void)
{
	struct sha256 *d = calloc(1, sizeof(*d));

	if (d == NULL || (d->ctx = EVP_MD_CTX_new()) == NULL)
		abort();
	start(d->ctx);
	return d;
}

void
sha256_add(struct sha256 *d, str bytes)
{
	if (bytes.len > 0 && EVP_DigestUpdate(d->ctx, bytes.ptr, bytes.len) != 1)
		abort();
}

void
sha256_done(struct sha256 *d, uint8_t out[SHA256_BYTES])
{
	unsigned len = SHA256_BYTES;

	if (EVP_DigestFinal_ex(d->ctx, out, &len) != 1)
		abort();
	start(d->ctx);
}

void
sha256_free(struct sha256 **dp)
{
	if (*dp == NULL)
		return;
	EVP_MD_CTX_free((*dp)->ctx);
	free(*dp);
	*dp = NULL;
}

void
sha256(str bytes, uint8_t out[SHA256_BYTES])
{
	unsigned len = SHA256_BYTES;

	(void)pthread_once(&once, fetch);
	if (EVP_Digest(bytes.ptr, bytes.len, out, &len, md, NULL) != 1)
		abort();
}

void
hmac_sha256(str key, str bytes, uint8_t out[SHA256_BYTES])
{
	unsigned len = SHA256_BYTES;

	if (key.len > 1024 ||
		HMAC(EVP_sha256(), key.ptr, (int)key.len,
			(const unsigned char *)bytes.ptr, bytes.len, out, &len) == NULL)
		abort();
}

bool
same_secret(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

void
wipe(void *p, size_t len)
{
	OPENSSL_cleanse(p, len);
}
