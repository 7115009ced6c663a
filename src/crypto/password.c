/* SPDX-License-Identifier: ISC */
#include "crypto/password.h"

#include <crypt.h>
#include <gsasl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>

#include "base/ids.h"
#include "crypto/digest.h"

/* libxcrypt's default for yescrypt as a number, so that a new library does not
 * change our costs unseen. */
enum { YESCRYPT_COST = 5 };

/* RFC 4013 2 leaves ASCII but for control characters as it is.  The library would make copies
 * on its way that it does not wipe. */
static bool
needs_no_preparing(const char *raw)
{
	for (; *raw != '\0'; raw++)
		if (*raw < ' ' || *raw > '~')
			return false;
	return true;
}

/* SASLprep; *out is malloc'd and to be wiped. */
static enum rc
prepared(str password, char **out, struct err *err)
{
	char raw[PASSWORD_MOST + 1];
	char *ready = NULL;
	int failed;

	if (str_empty(password))
		return err_set(err, RC_BAD, "the password is empty");
	if (!str_z(password, raw, sizeof(raw)))
		return err_set(err, RC_BAD,
			"the password is longer than %d bytes or holds a NUL",
			PASSWORD_MOST);
	if (needs_no_preparing(raw)) {
		failed = GSASL_OK;
		ready = strdup(raw);
		if (ready == NULL)
			abort();
	} else {
		failed = gsasl_saslprep(raw, GSASL_ALLOW_UNASSIGNED, &ready, NULL);
	}
	wipe(raw, sizeof(raw));
	if (failed != GSASL_OK)
		return err_set(err, RC_BAD,
			"the password holds control characters or is not "
			"UTF-8");
	if (ready[0] == '\0') {
		free(ready);
		return err_set(err, RC_BAD, "the password holds no visible character");
	}
	*out = ready;
	return RC_OK;
}

static void
forget(char *ready)
{
	wipe(ready, strlen(ready));
	free(ready);
}

/* crypt_rn with its 32 KiB of working memory, which held the password. */
static bool
hash_with(const char *ready, const char *setting, char out[PASSWORD_TEXT])
{
	struct crypt_data *work = calloc(1, sizeof(*work));
	char *text;
	bool good;

	if (work == NULL)
		abort();
	text = crypt_rn(ready, setting, work, (int)sizeof(*work));
	good = text != NULL && text[0] != '*' && str_z(str_of(text), out, PASSWORD_TEXT);
	wipe(work, sizeof(*work));
	free(work);
	return good;
}

enum rc
password_hash(str password, char out[PASSWORD_TEXT], struct err *err)
{
	char setting[CRYPT_GENSALT_OUTPUT_SIZE], random[32];
	char *ready;
	enum rc rc = prepared(password, &ready, err);

	if (rc != RC_OK)
		return rc;
	ids_random(random, sizeof(random));
	if (crypt_gensalt_rn("$y$", YESCRYPT_COST, random, (int)sizeof(random), setting,
		    (int)sizeof(setting)) == NULL ||
		!hash_with(ready, setting, out))
		rc = err_set(err, RC_TEMP, "libcrypt could not make a yescrypt hash");
	forget(ready);
	return rc;
}

bool
password_matches(str password, str hash)
{
	char setting[PASSWORD_TEXT], made[PASSWORD_TEXT] = { 0 };
	char *ready;
	bool same;

	if (!str_starts(hash, STR("$y$")) || !str_z(hash, setting, sizeof(setting)) ||
		prepared(password, &ready, NULL) != RC_OK)
		return false;
	same = hash_with(ready, setting, made) && strlen(made) == hash.len &&
	       same_secret(made, setting, hash.len);
	forget(ready);
	return same;
}

enum rc
scram_derive(
	str password, str salt, uint32_t iterations, struct scram *out, struct err *err)
{
	struct scram s = { .iterations = iterations };
	uint8_t salted[SCRAM_KEY], client[SCRAM_KEY];
	char *ready;
	enum rc rc;

	if (salt.len != sizeof(s.salt) || iterations == 0 || iterations > 10000000)
		return err_set(err, RC_BAD, "not a SCRAM salt and count");
	if ((rc = prepared(password, &ready, err)) != RC_OK)
		return rc;
	memcpy(s.salt, salt.ptr, sizeof(s.salt));
	/* RFC 5802 3: SaltedPassword, ClientKey, StoredKey, ServerKey */
	if (PKCS5_PBKDF2_HMAC(ready, (int)strlen(ready), s.salt, (int)sizeof(s.salt),
		    (int)iterations, EVP_sha256(), (int)sizeof(salted), salted) != 1)
		abort();
	str key = { (const char *)salted, sizeof(salted) };
	hmac_sha256(key, STR("Client Key"), client);
	sha256((str){ (const char *)client, sizeof(client) }, s.stored_key);
	hmac_sha256(key, STR("Server Key"), s.server_key);
	wipe(salted, sizeof(salted));
	wipe(client, sizeof(client));
	forget(ready);
	*out = s;
	return RC_OK;
}

enum rc
scram_make(str password, struct scram *out, struct err *err)
{
	char salt[SCRAM_SALT];

	ids_random(salt, sizeof(salt));
	return scram_derive(
		password, (str){ salt, sizeof(salt) }, SCRAM_ITERATIONS, out, err);
}

void
app_secret_make(char secret[APP_SECRET], uint8_t digest[32])
{
	uint8_t random[13]; /* 104 bits, of which 100 are used */
	char text[22];

	ids_random(random, sizeof(random));
	ids_base32(random, sizeof(random), text);
	(void)str_z(str_first(str_of(text), APP_SECRET - 1), secret, APP_SECRET);
	sha256(str_of(secret), digest);
	wipe(random, sizeof(random));
	wipe(text, sizeof(text));
}

bool
app_secret_matches(str secret, const uint8_t digest[32])
{
	char plain[APP_SECRET];
	uint8_t made[32];
	size_t n = 0;
	bool same;

	for (size_t i = 0; i < secret.len; i++) {
		char c = secret.ptr[i];

		if (c == ' ' || c == '-')
			continue;
		if (n == sizeof(plain) - 1)
			return false;
		plain[n++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	sha256((str){ plain, n }, made);
	same = same_secret(made, digest, sizeof(made));
	wipe(plain, sizeof(plain));
	return same;
}
