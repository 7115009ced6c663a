/* SPDX-License-Identifier: ISC */
/*
 * backup_copy: copying parts of a data folder, for backup and restore.
 *
 * Paths are relative to folders' descriptors.  What vanishes meanwhile is left
 * out; the caller finds out whether it was needed (doc/backup.md).
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/ids.h"

/* A folder with all below it.  Files that are there already stay.  `link`: by
 * hard link where both are on one file system (for files that never change);
 * otherwise, and elsewhere, by copying bytes and mode.  A missing folder is an
 * empty one. */
enum rc copy_tree(int from, int to, const char *path, bool link, struct err *err) MUST_CHECK;
/* One file, as copy_tree() does.  RC_NONE: it is not there. */
enum rc copy_file(int from, int to, const char *path, bool link, struct err *err) MUST_CHECK;
/* The bytes of one open file into another, empty one. */
enum rc copy_open_file(int in, int out, struct err *err) MUST_CHECK;
/* A folder of journal files that grow meanwhile: the copy is a beginning of
 * each, so at most its end is torn. */
enum rc copy_journal(int from, int to, const char *path, struct err *err) MUST_CHECK;
/* Removes the plain files of a folder (not below it) for which `which` is true;
 * NULL: all. */
enum rc remove_files(int dir, const char *path, bool (*which)(const char *name, void *arg),
	void *arg, struct err *err) MUST_CHECK;
/* Everything below a folder, and it, belongs to uid and gid. */
enum rc own_tree(int dir, const char *path, uid_t uid, gid_t gid, struct err *err) MUST_CHECK;

enum { COPY_PATH = 512 };
/* accounts/ID/YYYYMM/MSGID (store.h) */
void copy_blob_path(uint64_t account, const struct msg_id *id, char out[COPY_PATH]);
bool copy_there(int dir, const char *path);
