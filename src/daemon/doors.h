/* SPDX-License-Identifier: ISC */
/* doors: which sessions the ports of a process bring. */
#pragma once

#include "daemon/child.h"
#include "net/service.h"

struct door {
	unsigned standard;		/* port, without the offset */
	const struct session_kind *kind;
	void *arg;
};

/* per_core: as for service_new().  A service with all listeners that the child was handed; ends the process when one of them
 * has no row. */
void doors_new(struct child *c, unsigned per_core, struct service **out);
void doors_open(struct child *c, struct service *s, const struct door *doors, size_t n);
