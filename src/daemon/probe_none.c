/* SPDX-License-Identifier: ISC */
/* In place of probe.c in what people run. */
#include "base/log.h"
#include "daemon/child.h"

void
probe_cage(const struct child *c)
{
	log_warn("[test] probe: this %s was built without -Dprobe=true", c->name);
}
