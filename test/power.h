/* SPDX-License-Identifier: ISC */
/*
 * power: what is on a disk after the power was cut.
 *
 * power_record() takes an image of a folder and from then on every event of the
 * file layer (base/fs.h and SQLite's), by inode.  A world is the folder after
 * some number of those events, as a strict disk would have it: a file's bytes
 * are safe after its own sync, a name after its folder's sync (a file's sync does
 * not keep its name), everything after syncfs.  power_write() makes the folder
 * as it could be found after a cut:
 *
 *	POWER_ALL	everything arrived
 *	POWER_SYNCED	only what was synced
 *	POWER_RANDOM	of what was not synced, each write, each sector of 512
 *			bytes and each change of a name arrived or not, alone
 *
 * One recording at a time.  Problems of the test itself end it with abort().
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum power_mode { POWER_ALL, POWER_SYNCED, POWER_RANDOM };

struct world;

void power_record(const char *root);
void power_stop(void);			/* events stay until the next recording */
size_t power_events(void);		/* so far; any thread */
void power_describe(size_t n, char out[200]);	/* event n, from 0 */

struct world *world_new(void);		/* the image, no event yet */
void world_free(struct world **wp);
void world_advance(struct world *w, size_t n);	/* so that n events have happened */
void world_write(const struct world *w, enum power_mode mode, uint64_t seed, const char *path);
