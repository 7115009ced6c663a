/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/ctl_int.h"
#include "journal/journal.h"
#include "base/fs.h"

enum { DAY_MS = 24 * 3600 * 1000 };

struct figure {
	const char *name, *doc;
	uint64_t value;
};

static enum rc
count(struct verb_io *io, struct figure *domains, struct figure *accounts)
{
	struct domain *d;
	struct account *a;
	size_t nd, na;
	enum rc rc = domain_list(io->directory, io->mem, &d, &nd, &io->err);

	if (rc == RC_OK)
		rc = account_list(io->directory, (str){ 0 }, io->mem, &a, &na, &io->err);
	if (rc == RC_OK) {
		domains->value = nd;
		accounts->value = na;
	}
	return rc;
}

/* Records that are in gate's journal and not in every mailbox yet. */
static enum rc
waiting(struct verb_io *io, struct figure *records, struct figure *behind)
{
	FD_AUTO dir = -1;
	uint64_t first = 0, last = 0, applied = 0;
	enum rc rc = fs_open_dir(io->data, "journal/gate", &dir, &io->err);

	if (rc == RC_OK)
		rc = journal_bounds(dir, &first, &last, &io->err);
	if (rc == RC_OK)
		rc = store_applied(io->store, "gate", &applied, &io->err);
	if (rc == RC_OK) {
		records->value = last;
		behind->value = last > applied ? last - applied : 0;
	}
	return rc == RC_NONE ? RC_OK : rc;
}

enum verb_exit
verb_status(struct verb_io *io, int argc, char **argv)
{
	struct figure domains = { "domains", "domains", 0 };
	struct figure accounts = { "accounts", "accounts", 0 };
	struct figure records = { "journal", "records in the gate's journal", 0 };
	struct figure behind = { "behind", "records not applied yet", 0 };
	struct figure free_bytes = { "free", "bytes free on the disk", 0 };
	struct ledger_figures f = { 0 };
	uint64_t now = clock_wall_ms();
	enum rc rc;

	if (!verb_words(io, "status", argc, argv, 0, 0))
		return VERB_USAGE;
	rc = count(io, &domains, &accounts);
	if (rc == RC_OK)
		rc = waiting(io, &records, &behind);
	if (rc == RC_OK)
		rc = ledger_figures(
			io->ledger, now > DAY_MS ? now - DAY_MS : 0, &f, &io->err);
	if (rc == RC_OK)
		rc = fs_free_bytes(io->data, &free_bytes.value, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	const struct figure figures[] = { domains, accounts, records, behind, free_bytes,
		{ "messages", "messages in the last day", f.messages },
		{ "delivered", "recipients delivered to", f.delivered },
		{ "refused", "recipients refused at DATA", f.refused },
		{ "not_now", "recipients put off", f.not_now },
		{ "unknown", "unknown recipients refused at RCPT", f.unknown },
		{ "relay", "relay attempts refused at RCPT", f.relay },
		{ "full", "recipients whose mailbox was full at RCPT", f.full },
		{ "other", "recipients refused at RCPT for other reasons", f.other } };
	json_t *all = json_object();
	(void)json_object_set_new(all, "running", json_boolean(io->running));
	if (!io->json)
		verb_printf(io, "the server is %s\n",
			io->running ? "running" : "not running");
	for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++) {
		(void)json_object_set_new(
			all, figures[i].name, json_integer((json_int_t)figures[i].value));
		if (!io->json)
			verb_printf(io, "%12" PRIu64 "  %s\n", figures[i].value,
				figures[i].doc);
	}
	status_live(io, all);
	if (io->json)
		verb_json(io, all);
	else
		json_decref(all);
	return verb_done(io);
}
