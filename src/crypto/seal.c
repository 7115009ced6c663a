/* SPDX-License-Identifier: ISC */
#include "crypto/seal.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/ids.h"
#include "crypto/digest.h"

/*
 *	shared  = X25519(ephemeral private, public) = X25519(private, ephemeral public)
 *	wrap    = HKDF-SHA256(shared, salt: ephemeral public + public, info: "gatepost seal 1")
 *	wrapped = ephemeral public + AES-256-GCM(wrap, nonce: zeros, aad: about, file key)
 *	piece   = AES-256-GCM(file key, nonce: zeros (7), number (4, big endian), last (1))
 *
 * Both keys are used for one file only, so nonces that count from zero never meet
 * again.  STREAM: Hoang, Reyhanitabar, Rogaway, Vizár 2015.
 */
enum { KEY = 32, NONCE = 12, NUMBER_AT = 7, LAST_AT = 11 };

struct seal {
	EVP_CIPHER_CTX *ctx;
	uint32_t number;
	bool ended;
};

static EVP_CIPHER *gcm; /* fetched once, as in digest.c */
static EVP_KDF *hkdf;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
fetch(void)
{
	gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	hkdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	if (gcm == NULL || hkdf == NULL)
		abort();
}

/* ---- X25519 ---- */

/* Each of these computes the public half: 30 µs. */
static EVP_PKEY *
private_of(const uint8_t bytes[SEAL_PRIVATE])
{
	EVP_PKEY *key = EVP_PKEY_new_raw_private_key(
		EVP_PKEY_X25519, NULL, bytes, SEAL_PRIVATE);

	if (key == NULL)
		abort();
	return key;
}

/* RFC 7748 6.1: any 32 bytes are a private key. */
static EVP_PKEY *
random_key(void)
{
	uint8_t bytes[SEAL_PRIVATE];

	ids_random(bytes, sizeof(bytes));
	EVP_PKEY *key = private_of(bytes);
	wipe(bytes, sizeof(bytes));
	return key;
}

static void
public_half(const EVP_PKEY *key, uint8_t public_key[SEAL_PUBLIC])
{
	size_t len = SEAL_PUBLIC;

	if (EVP_PKEY_get_raw_public_key(key, public_key, &len) != 1 || len != SEAL_PUBLIC)
		abort();
}

void
seal_public_of(const uint8_t private_key[SEAL_PRIVATE], uint8_t public_key[SEAL_PUBLIC])
{
	EVP_PKEY *key = private_of(private_key);

	public_half(key, public_key);
	EVP_PKEY_free(key);
}

void
seal_make_keys(uint8_t public_key[SEAL_PUBLIC], uint8_t private_key[SEAL_PRIVATE])
{
	ids_random(private_key, SEAL_PRIVATE);
	seal_public_of(private_key, public_key);
}

/* False for a public key whose secret anybody knows (RFC 7748 6.1: all zeros). */
static bool
share(EVP_PKEY *own, const uint8_t public_key[SEAL_PUBLIC], uint8_t shared[KEY])
{
	EVP_PKEY *peer = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_X25519, NULL, public_key, SEAL_PUBLIC);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL);
	size_t len = KEY;

	if (peer == NULL || ctx == NULL || EVP_PKEY_derive_init(ctx) != 1)
		abort();
	bool done = EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
		    EVP_PKEY_derive(ctx, shared, &len) == 1 && len == KEY;
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
	return done;
}

/* RFC 5869; wipes what was shared. */
static void
wrap_key_of(uint8_t shared[KEY], const uint8_t ephemeral[SEAL_PUBLIC],
	const uint8_t public_key[SEAL_PUBLIC], uint8_t wrap[KEY])
{
	static char digest[] = "SHA256", info[] = "gatepost seal 1";
	uint8_t salt[2 * SEAL_PUBLIC];
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(hkdf);

	memcpy(salt, ephemeral, SEAL_PUBLIC);
	memcpy(salt + SEAL_PUBLIC, public_key, SEAL_PUBLIC);
	OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(
					OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, shared, KEY),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_SALT, salt, sizeof(salt)),
		OSSL_PARAM_construct_octet_string(
			OSSL_KDF_PARAM_INFO, info, sizeof(info) - 1),
		OSSL_PARAM_construct_end() };
	if (ctx == NULL || EVP_KDF_derive(ctx, wrap, KEY, params) != 1)
		abort();
	EVP_KDF_CTX_free(ctx); /* which wipes its own copies */
	wipe(shared, KEY);
}

/* ---- AES-256-GCM ---- */

static EVP_CIPHER_CTX *
cipher_new(const uint8_t key[KEY], bool sealing)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

	if (ctx == NULL ||
		EVP_CipherInit_ex2(ctx, gcm, key, NULL, sealing ? 1 : 0, NULL) != 1)
		abort();
	return ctx;
}

static void
add(EVP_CIPHER_CTX *ctx, str in, char *out)
{
	int n = 0;

	if (in.len > 0 && (EVP_CipherUpdate(ctx, (unsigned char *)out, &n,
				   (const unsigned char *)in.ptr, (int)in.len) != 1 ||
				  (size_t)n != in.len))
		abort();
}

static void
begin(EVP_CIPHER_CTX *ctx, const uint8_t nonce[NONCE], str about)
{
	int n = 0;

	if (EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL) != 1 ||
		(about.len > 0 &&
			EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)about.ptr,
				(int)about.len) != 1))
		abort();
}

static void
gcm_seal(EVP_CIPHER_CTX *ctx, const uint8_t nonce[NONCE], str about, str plain, char *out)
{
	unsigned char none[16];
	int n = 0;

	begin(ctx, nonce, about);
	add(ctx, plain, out);
	if (EVP_CipherFinal_ex(ctx, none, &n) != 1 || n != 0 ||
		EVP_CIPHER_CTX_ctrl(
			ctx, EVP_CTRL_AEAD_GET_TAG, SEAL_TAG, out + plain.len) != 1)
		abort();
}

/* False: not as it was sealed, and out holds nothing. */
static bool
gcm_open(
	EVP_CIPHER_CTX *ctx, const uint8_t nonce[NONCE], str about, str sealed, char *out)
{
	str secret = str_first(sealed, sealed.len - SEAL_TAG);
	unsigned char tag[SEAL_TAG], none[16];
	int n = 0;

	memcpy(tag, sealed.ptr + secret.len, SEAL_TAG);
	begin(ctx, nonce, about);
	add(ctx, secret, out);
	if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, SEAL_TAG, tag) != 1)
		abort();
	if (EVP_CipherFinal_ex(ctx, none, &n) == 1)
		return true;
	wipe(out, secret.len);
	return false;
}

/* ---- a file ---- */

static struct seal *
seal_of(uint8_t file_key[KEY], bool sealing)
{
	struct seal *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->ctx = cipher_new(file_key, sealing);
	wipe(file_key, KEY);
	return s;
}

static const uint8_t zeros[NONCE];

struct seal *
seal_new(const uint8_t public_key[SEAL_PUBLIC], str about, uint8_t wrapped[SEAL_WRAPPED])
{
	uint8_t shared[KEY], wrap[KEY], file_key[KEY];

	(void)pthread_once(&once, fetch);
	EVP_PKEY *ephemeral = random_key();
	public_half(ephemeral, wrapped);
	/* the operator's own key: of small order only when he made it so */
	if (!share(ephemeral, public_key, shared))
		abort();
	EVP_PKEY_free(ephemeral); /* wipes it */
	wrap_key_of(shared, wrapped, public_key, wrap);
	ids_random(file_key, sizeof(file_key));
	EVP_CIPHER_CTX *ctx = cipher_new(wrap, true);
	gcm_seal(ctx, zeros, about, (str){ (const char *)file_key, KEY },
		(char *)wrapped + SEAL_PUBLIC);
	EVP_CIPHER_CTX_free(ctx);
	wipe(wrap, sizeof(wrap));
	return seal_of(file_key, true);
}

enum rc
seal_open(const uint8_t private_key[SEAL_PRIVATE], str about,
	const uint8_t wrapped[SEAL_WRAPPED], struct seal **out, struct err *err)
{
	uint8_t shared[KEY], wrap[KEY], own[SEAL_PUBLIC], file_key[KEY];
	str sealed = { (const char *)wrapped + SEAL_PUBLIC, KEY + SEAL_TAG };

	(void)pthread_once(&once, fetch);
	EVP_PKEY *key = private_of(private_key);
	bool shares = share(key, wrapped, shared);
	public_half(key, own);
	EVP_PKEY_free(key);
	if (!shares)
		return err_set(err, RC_BAD, "sealed with a key that is none");
	wrap_key_of(shared, wrapped, own, wrap);
	EVP_CIPHER_CTX *ctx = cipher_new(wrap, false);
	bool good = gcm_open(ctx, zeros, about, sealed, (char *)file_key);
	EVP_CIPHER_CTX_free(ctx);
	wipe(wrap, sizeof(wrap));
	if (!good)
		return err_set(err, RC_BAD, "sealed for another key, or damaged");
	*out = seal_of(file_key, false);
	return RC_OK;
}

/* Nothing comes after the last piece, and 2^32 pieces are 256 TiB. */
static void
next_nonce(struct seal *s, bool last, uint8_t nonce[NONCE])
{
	if (s->ended || s->number == UINT32_MAX)
		abort();
	memset(nonce, 0, NONCE);
	for (unsigned i = 0; i < 4; i++)
		nonce[NUMBER_AT + i] = (uint8_t)(s->number >> (24 - 8 * i));
	nonce[LAST_AT] = last;
	s->number++;
	s->ended = last;
}

void
seal_piece(struct seal *s, str plain, bool last, char *out)
{
	uint8_t nonce[NONCE];

	if (plain.len > SEAL_PIECE || (!last && plain.len != SEAL_PIECE))
		abort();
	next_nonce(s, last, nonce);
	gcm_seal(s->ctx, nonce, STR(""), plain, out);
}

enum rc
seal_unpiece(struct seal *s, str sealed, bool last, char *out, struct err *err)
{
	uint8_t nonce[NONCE];

	if (sealed.len < SEAL_TAG || sealed.len > SEAL_PIECE + SEAL_TAG ||
		(!last && sealed.len != SEAL_PIECE + SEAL_TAG))
		return err_set(err, RC_BAD, "a sealed piece of a wrong length");
	next_nonce(s, last, nonce);
	if (!gcm_open(s->ctx, nonce, STR(""), sealed, out))
		return err_set(err, RC_BAD, "a sealed piece is damaged");
	return RC_OK;
}

void
seal_free(struct seal **sp)
{
	if (*sp == NULL)
		return;
	EVP_CIPHER_CTX_free((*sp)->ctx); /* wipes its key */
	free(*sp);
	*sp = NULL;
}
