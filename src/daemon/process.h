/* SPDX-License-Identifier: ISC */
/*
 * process: the table of processes.  A new process is its main, a row here and
 * its rights in rights.c.
 */
#pragma once

#include "daemon/cage.h"
#include "daemon/child.h"
#include "daemon/instance.h"

struct process {
	const char *name;
	void (*run)(struct child *c);	/* returns when it is done: exit status 0 */
	void (*rights)(const struct child *c, struct cage *out);
	unsigned parts;			/* mask of 1 << enum setup_part: what it is handed */
	uint16_t doors[8];		/* standard ports that it gets the listeners of; ended by 0 */
	size_t user;			/* offset of its uid in struct owners */
};

enum { PROCESS_GATE, PROCESS_HOUSE, PROCESS_SCANNER };

extern const struct process processes[];	/* ended by name NULL; by the numbers above */

void gate_run(struct child *c);
void house_run(struct child *c);
void scanner_run(struct child *c);

/* rights.c: one screen, who may do what. */
void gate_rights(const struct child *c, struct cage *out);
void house_rights(const struct child *c, struct cage *out);
void scanner_rights(const struct child *c, struct cage *out);
