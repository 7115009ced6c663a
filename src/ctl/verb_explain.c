/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_int.h"

struct telling {
	struct verb_io *io;
	json_t *steps;
};

static void
say(const char *sentence, void *arg)
{
	struct telling *t = arg;

	(void)json_array_append_new(t->steps, verb_json_str(str_of(sentence)));
	if (!t->io->json)
		verb_printf(t->io, "  %s\n", sentence);
}

/* Indexed by enum ask_status. */
static const struct outcome {
	const char *name, *sentence;
} outcomes[] = {
	[0] = { "later", "not now (451 4.3.0)" },
	[ASK_LOCAL] = { "local", "it is accepted for" },
	[ASK_UNKNOWN] = { "unknown", "refused: no such address (550 5.1.1)" },
	[ASK_RELAY] = { "relay", "refused: not an address of this server (550 5.7.1)" },
	[ASK_FULL] = { "full", "not now: a mailbox is full (452 4.2.2)" },
	[ASK_DISABLED] = { "disabled", "refused: the account is disabled (550 5.2.1)" },
	[ASK_LATER] = { "later", "not now (451 4.3.0)" },
};

static json_t *
targets_json(struct verb_io *io, const struct ask_answer *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->ntargets; i++) {
		struct account account = { .address = STR("?") };

		if (account_by_id(io->directory, a->targets[i], io->mem, &account,
			    NULL) != RC_OK)
			account.address = STR("?");
		(void)json_array_append_new(list,
			json_pack("{s:I, s:o}", "account", (json_int_t)a->targets[i],
				"address", verb_json_str(account.address)));
		if (!io->json && a->status == ASK_LOCAL)
			verb_printf(io, "  " STR_FMT " (account number %llu)\n",
				STR_ARG(account.address),
				(unsigned long long)a->targets[i]);
	}
	return list;
}

enum verb_exit
verb_explain(struct verb_io *io, int argc, char **argv)
{
	struct telling t = { .io = io };
	struct ask_answer a;
	json_t *targets;
	enum rc rc;

	if (!verb_words(io, "explain", argc, argv, 1, 1))
		return VERB_USAGE;
	if (!io->json)
		verb_printf(io, "mail to %s:\n", argv[0]);
	t.steps = json_array();
	rc = directory_explain(io->directory, str_of(argv[0]), verb_usage_of, io, say, &t,
		io->mem, &a, &io->err);
	if (rc != RC_OK) {
		json_decref(t.steps);
		return verb_fail(io, rc);
	}
	if (!io->json)
		verb_printf(io, "%s\n", outcomes[a.status].sentence);
	targets = targets_json(io, &a);
	json_t *all = json_pack("{s:s, s:o, s:o, s:f, s:s, s:o}", "status",
		outcomes[a.status].name, "address", verb_json_str(a.address), "targets",
		targets, "threshold", a.threshold / 1000.0, "filter",
		a.observe ? "observe" : "enforce", "steps", t.steps);
	if (io->json)
		verb_json(io, all);
	else
		json_decref(all);
	return verb_done(io);
}
