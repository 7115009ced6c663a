/* SPDX-License-Identifier: ISC */
/*
 * restore_older: the databases of a backup that an older version made.  A backup is never
 * changed, so they are copied into the data folder, where opening them brings them up to date.
 */
#pragma once

#include "base/err.h"

/* Copies directory and index of the backup; *out: the folder they are in. */
enum rc restore_older_copy(int backup, int data, int *out, struct err *err) MUST_CHECK;
/* Removes the copy; there is none is RC_OK. */
void restore_older_remove(int data);
