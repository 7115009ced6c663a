/* SPDX-License-Identifier: ISC */
#include "daemon/doors.h"

void
doors_new(struct child *c, unsigned per_core, struct service **out)
{
	struct err err = { 0 };

	if (service_new(c->conf, c->tls, per_core, out, &err) != RC_OK)
		child_die(&err, "network");
}

static const struct door *
door_of(const struct door *doors, size_t n, unsigned standard)
{
	for (size_t i = 0; i < n; i++)
		if (doors[i].standard == standard)
			return &doors[i];
	child_die(&(struct err){ .text = "a port without sessions" }, "setup");
}

void
doors_open(struct child *c, struct service *s, const struct door *doors, size_t n)
{
	const struct session_kind *kinds[SETUP_LISTENERS];
	void *args[SETUP_LISTENERS];

	for (size_t i = 0; i < c->nlisten; i++) {
		const struct door *d = door_of(doors, n, c->head.ports[i]);

		kinds[i] = d->kind;
		args[i] = d->arg;
	}
	service_listen(s, c->nlisten, c->listeners, kinds, args);
}
