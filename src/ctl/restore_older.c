/* SPDX-License-Identifier: ISC */
#include "ctl/restore_older.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/fs.h"
#include "ctl/backup_copy.h"

static const char folder[] = "restoring";

void
restore_older_remove(int data)
{
	static const char *const below[] = { "index", "accounts" };
	FD_AUTO dir = -1;

	if (fs_open_dir(data, folder, &dir, NULL) != RC_OK)
		return;
	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++) {
		if (remove_files(dir, below[i], NULL, NULL, NULL) == RC_OK)
			(void)unlinkat(dir, below[i], AT_REMOVEDIR);
	}
	if (remove_files(dir, ".", NULL, NULL, NULL) == RC_OK)
		(void)unlinkat(data, folder, AT_REMOVEDIR);
}

enum rc
restore_older_copy(int backup, int data, int *out, struct err *err)
{
	FD_AUTO dir = -1;
	enum rc rc;

	restore_older_remove(data); /* of one that was cut off */
	if ((rc = fs_mkdirs(data, folder, 0700, err)) != RC_OK ||
		(rc = fs_open_dir(data, folder, &dir, err)) != RC_OK ||
		(rc = copy_file(backup, dir, "directory.db", false, err)) != RC_OK ||
		(rc = copy_tree(backup, dir, "index", false, err)) != RC_OK)
		return rc;
	*out = dir;
	dir = -1;
	return RC_OK;
}
