/* SPDX-License-Identifier: ISC */
/* keys/held.key and keys/held.pub: each its key in hexadecimal digits, and a newline. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/ids.h"
#include "crypto/digest.h"
#include "daemon/instance.h"

enum { MOST_TEXT = 1024, TEXT = 2 * SEAL_PRIVATE + 2 };

static const char private_name[] = "held.key", public_name[] = "held.pub";

static enum rc
read_key(int keys, const char *name, uint8_t key[SEAL_PRIVATE], struct err *err)
{
	char *text = NULL;
	size_t len;
	enum rc rc = fs_read_all(keys, name, MOST_TEXT, &text, &len, err);

	if (rc != RC_OK)
		return rc;
	str rest = { text, len }, line;
	(void)str_cut(&rest, '\n', &line);
	if (!ids_unhex(str_trim(line), key, SEAL_PRIVATE))
		rc = err_set(err, RC_BAD, "keys/%s is not 64 hexadecimal digits", name);
	wipe(text, len);
	free(text);
	return rc;
}

static enum rc
write_key(int keys, const char *name, mode_t mode, const uint8_t key[SEAL_PRIVATE],
	struct err *err)
{
	char text[TEXT];

	ids_hex(key, SEAL_PRIVATE, text);
	text[TEXT - 2] = '\n';
	enum rc rc = fs_replace(keys, name, mode, (str){ text, TEXT - 1 }, err);
	wipe(text, sizeof(text));
	return rc;
}

static enum rc
read_both(int keys, struct held_keys *k, struct err *err)
{
	uint8_t own[SEAL_PUBLIC];
	enum rc rc = read_key(keys, private_name, k->private_key, err);

	k->has_private = rc == RC_OK;
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	rc = read_key(keys, public_name, k->public_key, err);
	k->has_public = rc == RC_OK;
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	if (!k->has_private || !k->has_public)
		return RC_OK;
	seal_public_of(k->private_key, own);
	if (memcmp(own, k->public_key, SEAL_PUBLIC) != 0)
		return err_set(err, RC_BAD,
			"keys/held.pub does not belong to keys/held.key, so what is held "
			"could not be released; without held.pub it is made anew");
	return RC_OK;
}

static enum rc
open_keys(const struct instance *in, int *fd, struct err *err)
{
	*fd = openat(
		in->dir, in->conf->server.keys.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd >= 0 ? RC_OK : err_errno(err, "the folder of keys");
}

enum rc
instance_held_keys(const struct instance *in, struct held_keys *out, struct err *err)
{
	struct held_keys k = { 0 };
	FD_AUTO keys = -1;
	enum rc rc = open_keys(in, &keys, err);

	if (rc == RC_OK && (rc = read_both(keys, &k, err)) == RC_OK) {
		*out = k;
		if (err != NULL)
			err->text[0] = '\0'; /* of what is not there */
	}
	wipe(&k, sizeof(k));
	return rc;
}

enum rc
held_keys_make(int keys, struct err *err)
{
	struct held_keys k = { 0 };
	enum rc rc = read_both(keys, &k, err);

	/* The public one alone: somebody keeps the private one elsewhere. */
	if (rc == RC_OK && k.has_public)
		rc = RC_NONE;
	if (rc == RC_OK && !k.has_private) {
		seal_make_keys(k.public_key, k.private_key);
		rc = write_key(keys, private_name, 0600, k.private_key, err);
	} else if (rc == RC_OK) {
		seal_public_of(k.private_key, k.public_key);
	}
	if (rc == RC_OK)
		rc = write_key(keys, public_name, 0644, k.public_key, err);
	wipe(&k, sizeof(k));
	return rc;
}

enum rc
instance_make_held_keys(const struct instance *in, struct err *err)
{
	FD_AUTO keys = -1;
	enum rc rc = open_keys(in, &keys, err);

	return rc == RC_OK ? held_keys_make(keys, err) : rc;
}
