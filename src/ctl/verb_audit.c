/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "ctl/ctl_int.h"
#include "deliver/audit.h"

struct telling {
	struct verb_io *io;
	json_t *breaches;
};

static void
on_breach(const char *sentence, void *arg)
{
	struct telling *t = arg;

	if (t->io->json)
		(void)json_array_append_new(t->breaches, verb_json_str(str_of(sentence)));
	else
		verb_printf(t->io, "%s\n", sentence);
}

typedef enum rc audit_fn(
	const struct audit_want *w, struct audit_sum *out, struct err *err);

static enum verb_exit
run(struct verb_io *io, audit_fn *fn, const char *clean)
{
	struct telling t = { .io = io, .breaches = json_array() };
	const struct audit_want want = {
		.data = io->data,
		.directory = io->directory,
		.store = io->store,
		.ledger = io->ledger,
		.refusals = io->refusals,
		.apply = io->apply,
		.held_key = io->held_key,
		.breach = on_breach,
		.arg = &t,
	};
	struct audit_sum sum = { 0 };
	enum rc rc = fn(&want, &sum, &io->err);

	if (rc != RC_OK) {
		json_decref(t.breaches);
		return verb_fail(io, rc);
	}
	if (io->json) {
		verb_json(
			io, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "records",
				    (json_int_t)sum.records, "rows", (json_int_t)sum.rows,
				    "recipients", (json_int_t)sum.recipients, "messages",
				    (json_int_t)sum.messages, "refusals",
				    (json_int_t)sum.refusals, "held",
				    (json_int_t)sum.held, "breaches", t.breaches));
	} else {
		json_decref(t.breaches);
		verb_printf(io,
			"%" PRIu64 " journal records, %" PRIu64 " ledger rows, %" PRIu64
			" recipients, %" PRIu64 " messages, %" PRIu64
			" refusals, %" PRIu64 " held originals: %s\n",
			sum.records, sum.rows, sum.recipients, sum.messages, sum.refusals,
			sum.held, sum.breaches == 0 ? clean : "not sound");
	}
	if (sum.breaches == 0)
		return verb_done(io);
	(void)err_set(&io->err, RC_PERM,
		"%" PRIu64 " breaches; each is a sentence above. A backup "
		"may have what is missing: see doc/backup.md",
		sum.breaches);
	return VERB_FAILED;
}

enum verb_exit
verb_audit(struct verb_io *io, int argc, char **argv)
{
	if (!verb_words(io, "audit", argc, argv, 0, 0))
		return VERB_USAGE;
	return run(io, audit_run, "every promise is kept");
}

enum verb_exit
verb_verify(struct verb_io *io, int argc, char **argv)
{
	if (!verb_words(io, "verify", argc, argv, 0, 0))
		return VERB_USAGE;
	return run(io, verify_run, "every file and database is sound");
}
