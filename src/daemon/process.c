/* SPDX-License-Identifier: ISC */
#include "daemon/process.h"

#include "daemon/setup.h"

#define BIT(part) (1u << PART_##part)

const struct process processes[] = {
	[PROCESS_GATE] = { "gate", gate_run, gate_rights,
		BIT(SETTINGS) | BIT(KEYS) | BIT(CLAMD) | BIT(METRICS) | BIT(DATA) |
			BIT(HELD_PUBLIC),
		{ 25 }, offsetof(struct owners, gate) },
	[PROCESS_HOUSE] = { "house", house_run, house_rights,
		BIT(SETTINGS) | BIT(KEYS) | BIT(METRICS) | BIT(DATA) | BIT(HELD_PRIVATE),
		{ 80, 110, 143, 443, 993, 995 }, offsetof(struct owners, house) },
	[PROCESS_SCANNER] = { "scanner", scanner_run, scanner_rights, BIT(SETTINGS),
		{ 0 }, offsetof(struct owners, scanner) },
	{ .name = NULL },
};
