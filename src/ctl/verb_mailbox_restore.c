/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/ctl_int.h"
#include "store/mailbox.h"

struct listing {
	struct verb_io *io;
	json_t *rows;
};

static enum rc
on_gone(uint64_t id, str name, uint64_t deleted_ms, uint64_t messages, void *arg,
	struct err *err)
{
	struct listing *l = arg;
	char deleted[CLOCK_TEXT], until[CLOCK_TEXT];

	(void)err;
	clock_text(deleted_ms, deleted);
	clock_text(deleted_ms + MAILBOX_KEPT_MS, until);
	if (l->io->json)
		(void)json_array_append_new(
			l->rows, json_pack("{s:o, s:I, s:s, s:s, s:I}", "name",
					 verb_json_str(name), "id", (json_int_t)id,
					 "deleted", deleted, "until", until, "messages",
					 (json_int_t)messages));
	else
		verb_printf(l->io,
			STR_FMT "\t%" PRIu64 " messages\tdeleted %s\tkept until %s\n",
			STR_ARG(name), messages, deleted, until);
	return RC_OK;
}

static enum verb_exit
list_gone(struct verb_io *io, uint64_t account)
{
	struct listing l = { .io = io, .rows = json_array() };
	enum rc rc = mailbox_gone(io->store, account, on_gone, &l, &io->err);

	if (rc == RC_OK && io->json)
		verb_json(io, l.rows);
	else
		json_decref(l.rows);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_mailbox_restore(struct verb_io *io, int argc, char **argv)
{
	struct account a;
	enum rc rc;
	str as;

	if (!verb_words(io, "mailbox restore", argc, argv, 1, 2))
		return VERB_USAGE;
	rc = account_find(io->directory, str_of(argv[0]), io->mem, &a, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (argc == 1)
		return list_gone(io, a.id);
	rc = mailbox_restore(io->store, a.id, str_of(argv[1]), io->mem, &as, &io->err);
	if (rc == RC_NONE)
		rc = err_set(&io->err, rc,
			"no deleted mailbox %.80s of " STR_FMT " is kept;"
			" `gatepost mailbox restore " STR_FMT "` shows what there is",
			argv[1], STR_ARG(a.address), STR_ARG(a.address));
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json)
		verb_json(io, json_pack("{s:o}", "name", verb_json_str(as)));
	else
		verb_printf(io, "it is back as " STR_FMT "\n", STR_ARG(as));
	return verb_done(io);
}
