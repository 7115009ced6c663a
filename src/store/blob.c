/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fs.h"
#include "store/store_int.h"

void
blob_folder(uint64_t account, char out[BLOB_PATH])
{
	(void)snprintf(out, BLOB_PATH, "accounts/%" PRIu64, account);
}

/* The month is the id's own, so that the name alone says where the file is. */
static void
month_folder(uint64_t account, const char *msgid, char out[BLOB_PATH])
{
	time_t t = (time_t)(ids_time_ms(str_of(msgid)) / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	(void)snprintf(out, BLOB_PATH, "accounts/%" PRIu64 "/%04u%02u", account,
		(unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u);
}

void
blob_path(uint64_t account, const char *msgid, char out[BLOB_PATH])
{
	char folder[BLOB_PATH];

	month_folder(account, msgid, folder);
	(void)snprintf(out, BLOB_PATH, "%.42s/%.20s", folder, msgid);
}

enum rc
blob_link(int data, uint64_t account, const struct msg_id *id, struct err *err)
{
	char from[48], to[BLOB_PATH], folder[BLOB_PATH];
	struct err why;
	enum rc rc;

	(void)snprintf(from, sizeof(from), "incoming/%s", id->text);
	blob_path(account, id->text, to);
	rc = fs_link(data, from, data, to, &why);
	if (rc == RC_NONE) { /* the month's folder, mostly */
		month_folder(account, id->text, folder);
		if ((rc = fs_mkdirs(data, folder, 0700, err)) != RC_OK)
			return rc;
		rc = fs_link(data, from, data, to, &why);
	}
	if (rc == RC_OK || rc == RC_BAD)
		return RC_OK;
	if (rc != RC_NONE)
		return err_set(err, rc, "%s", why.text);
	/* applied before, and the checkpoint has cleared incoming/ */
	if (faccessat(data, to, F_OK, 0) == 0)
		return RC_OK;
	return err_set(err, RC_PERM,
		"message %s for account %" PRIu64 " is lost: neither %s nor %s is there",
		id->text, account, from, to);
}

struct emptied {
	int data;
	const char *folder;
	struct err *err;
	enum rc rc;
};

static bool
remove_file(const char *name, void *arg)
{
	struct emptied *e = arg;
	char path[360];

	(void)snprintf(path, sizeof(path), "%s/%s", e->folder, name);
	e->rc = fs_unlink(e->data, path, e->err);
	if (e->rc == RC_NONE)
		e->rc = RC_OK;
	return e->rc == RC_OK;
}

static bool
remove_month(const char *name, void *arg)
{
	struct emptied *e = arg;
	char path[360];

	(void)snprintf(path, sizeof(path), "%s/%s", e->folder, name);
	struct emptied inner = { .data = e->data, .folder = path, .err = e->err };
	e->rc = fs_each(e->data, path, remove_file, &inner, e->err);
	if (e->rc == RC_OK)
		e->rc = inner.rc;
	/* A folder that comes back after a power cut does no harm. */
	if (e->rc == RC_OK && unlinkat(e->data, path, AT_REMOVEDIR) != 0 &&
		errno != ENOENT)
		e->rc = err_errno(e->err, path);
	return e->rc == RC_OK;
}

enum rc
blob_remove_all(int data, uint64_t account, struct err *err)
{
	char folder[BLOB_PATH];
	struct emptied e = { .data = data, .folder = folder, .err = err };

	blob_folder(account, folder);
	enum rc rc = fs_each(data, folder, remove_month, &e, err);
	if (rc == RC_NONE)
		return RC_OK;
	if (rc == RC_OK)
		rc = e.rc;
	if (rc == RC_OK && unlinkat(data, folder, AT_REMOVEDIR) != 0 && errno != ENOENT)
		rc = err_errno(err, folder);
	return rc;
}
