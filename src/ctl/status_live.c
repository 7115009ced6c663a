/* SPDX-License-Identifier: ISC */
/* What the running processes say about themselves (daemon/metrics.h). */
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/ctl_int.h"
#include "daemon/metrics.h"

static void
show_processes(struct verb_io *io, json_t *list)
{
	struct metric_process p;

	for (unsigned i = 0; metric_process_get(i, &p); i++) {
		char since[CLOCK_TEXT];
		json_t *row = json_object();

		clock_text(p.since_ms, since);
		(void)json_object_set_new(row, "name", json_string(p.name));
		(void)json_object_set_new(row, "pid", json_integer(p.pid));
		(void)json_object_set_new(
			row, "starts", json_integer((json_int_t)p.starts));
		(void)json_object_set_new(row, "since", json_string(since));
		(void)json_array_append_new(list, row);
		if (!io->json)
			verb_printf(io, "%12d  %s, started %" PRIu64 " time%s, last %s\n",
				(int)p.pid, p.name, p.starts, p.starts == 1 ? "" : "s",
				since);
	}
}

void
status_live(struct verb_io *io, json_t *all)
{
	json_t *list = json_array();

	if (metrics_there()) {
		for (unsigned i = 0; i < METRICS; i++) {
			const struct metric_row *row = &metric_rows[i];
			uint64_t value = metric_get((enum metric)i);

			(void)json_object_set_new(
				all, row->name, json_integer((json_int_t)value));
			if (!io->json)
				verb_printf(io, "%12" PRIu64 "  %s\n", value, row->doc);
		}
		show_processes(io, list);
	}
	(void)json_object_set_new(all, "processes", list);
}
