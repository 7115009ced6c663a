/* SPDX-License-Identifier: ISC */
#include "daemon/pair.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "crypto/digest.h"

enum { MOST_PEM = 256 * 1024, MOST_PATH = 300, READS = 3 };

void
pair_clear(struct pair *p)
{
	if (p->key != NULL)
		wipe(p->key, p->key_len);
	free(p->key);
	free(p->cert);
	*p = (struct pair){ 0 };
}

static enum rc
read_part(int folder, const char *name, const char *ending, char **data, size_t *len,
	struct err *err)
{
	char path[MOST_PATH];

	(void)snprintf(path, sizeof(path), "%.255s%s", name, ending);
	return fs_read_all(folder, path, MOST_PEM, data, len, err);
}

/* The key that was written before its certificate took its place. */
static bool
take_next(int folder, const char *name, struct pair *p)
{
	char *key = NULL;
	size_t len = 0;

	if (read_part(folder, name, ".key.next", &key, &len, NULL) != RC_OK)
		return false;
	if (!cert_fits(pair_cert(p), (str){ key, len })) {
		wipe(key, len);
		free(key);
		return false;
	}
	wipe(p->key, p->key_len);
	free(p->key);
	p->key = key;
	p->key_len = len;
	return true;
}

static enum rc
read_once(int folder, const char *name, struct pair *out, bool *fits, struct err *err)
{
	struct pair p = { 0 };
	enum rc rc = read_part(folder, name, ".crt", &p.cert, &p.cert_len, err);

	if (rc == RC_OK)
		rc = read_part(folder, name, ".key", &p.key, &p.key_len, err);
	if (rc == RC_OK) {
		*fits = cert_fits(pair_cert(&p), pair_key(&p)) ||
			take_next(folder, name, &p);
		*out = p;
	} else {
		pair_clear(&p);
	}
	return rc;
}

enum rc
pair_read(int folder, const char *name, struct pair *out, struct err *err)
{
	struct pair p = { 0 };
	bool fits = false;
	enum rc rc = RC_OK;

	/* again where somebody writes one meanwhile */
	for (int i = 0; i < READS && !fits && rc == RC_OK; i++) {
		pair_clear(&p);
		rc = read_once(folder, name, &p, &fits, err);
	}
	if (rc == RC_OK)
		*out = p;
	return rc;
}

static enum rc
next_is_key(int folder, const char *name, struct err *err)
{
	char from[MOST_PATH], to[MOST_PATH];
	enum rc rc;

	(void)snprintf(from, sizeof(from), "%.255s.key.next", name);
	(void)snprintf(to, sizeof(to), "%.255s.key", name);
	rc = fs_rename(folder, from, to, err);
	return rc == RC_OK ? fs_sync_dir(folder, err) : rc;
}

/* Ends what a power cut interrupted, and keeps what served. */
static enum rc
keep_previous(int folder, const char *name, struct err *err)
{
	struct pair p = { 0 };
	char path[MOST_PATH], *key = NULL;
	size_t len = 0;
	BUF_AUTO both = BUF(2 * MOST_PEM + 1);
	bool fits;
	enum rc rc = read_once(folder, name, &p, &fits, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if (fits && read_part(folder, name, ".key", &key, &len, err) == RC_OK &&
		!cert_fits(pair_cert(&p), (str){ key, len }))
		rc = next_is_key(folder, name, err);
	buf_add(&both, pair_cert(&p));
	buf_add(&both, pair_key(&p));
	(void)snprintf(path, sizeof(path), "%.255s.previous", name);
	if (rc == RC_OK && fits)
		rc = fs_replace(folder, path, 0600, buf_str(&both), err);
	if (both.data != NULL)
		wipe(both.data, both.len);
	if (key != NULL)
		wipe(key, len);
	free(key);
	pair_clear(&p);
	return rc;
}

enum rc
pair_write(int folder, const char *name, str cert, str key, struct err *err)
{
	char path[MOST_PATH];
	enum rc rc = keep_previous(folder, name, err);

	(void)snprintf(path, sizeof(path), "%.255s.key.next", name);
	if (rc == RC_OK)
		rc = fs_replace(folder, path, 0600, key, err);
	(void)snprintf(path, sizeof(path), "%.255s.crt", name);
	if (rc == RC_OK)
		rc = fs_replace(folder, path, 0644, cert, err);
	return rc == RC_OK ? next_is_key(folder, name, err) : rc;
}
