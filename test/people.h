/* SPDX-License-Identifier: ISC */
/*
 * people: a directory with anna@x.test and berta@x.test, password "secret", and logins that hear
 * of its changes, as in house.
 */
#pragma once

#include "directory/entry.h"

struct people {
	struct directory *directory;
	struct logins *logins;
	uint64_t anna, berta;
};

void people_open(struct people *p, int data, const struct conf *conf);
void people_close(struct people *p);	/* when no session is left */
