/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/ctl_int.h"

enum { ADDRESS = 1024 };

static const char *const answers[] = { "?", "delivered", "refused", "not now" };

static const char *
answer_name(enum jrec_answer a)
{
	return (size_t)a < sizeof(answers) / sizeof(answers[0]) ? answers[a] : answers[0];
}

/* Which refusal an address of a message got; arg: an object, by address. */
static enum rc
on_refusal(const struct refusal *f, void *arg, struct err *err)
{
	char name[REFUSAL_NAME];

	(void)err;
	refusal_name(f, name);
	for (size_t i = 0; i < f->nrcpts; i++) {
		char address[ADDRESS];

		if (str_z(f->rcpts[i], address, sizeof(address)))
			(void)json_object_set_new(arg, address, json_string(name));
	}
	return RC_OK;
}

static const char *
name_of(const json_t *names, const struct ledger_rcpt *r)
{
	char address[ADDRESS];

	if (r->answer != JREC_REFUSED || !str_z(r->address, address, sizeof(address)))
		return NULL;
	return json_string_value(json_object_get(names, address));
}

static json_t *
row_json(const struct ledger_row *row, const json_t *names)
{
	json_t *rcpts = json_array();
	char when[CLOCK_TEXT], client[IP_TEXT];

	for (size_t i = 0; i < row->nrcpts; i++) {
		const struct ledger_rcpt *r = &row->rcpts[i];
		json_t *targets = json_array();

		for (size_t k = 0; k < r->ntargets; k++)
			(void)json_array_append_new(
				targets, json_integer((json_int_t)r->targets[k]));
		(void)json_array_append_new(rcpts,
			json_pack("{s:o, s:s, s:i, s:o, s:f, s:o, s:o, s:s?}", "address",
				verb_json_str(r->address), "answer",
				answer_name(r->answer), "code", (int)r->code, "enhanced",
				verb_json_str(r->enhanced), "score", r->score / 1000.0,
				"reason", verb_json_str(r->reason), "targets", targets,
				"refusal", name_of(names, r)));
	}
	clock_text(row->time_ms, when);
	ip_text(&row->client, client);
	return json_pack(
		"{s:s, s:s, s:o, s:I, s:s, s:o, s:o, s:I, s:b, s:b, s:b, s:b, s:o, s:o}",
		"id", row->id.text, "time", when, "journal", verb_json_str(row->journal),
		"record", (json_int_t)row->seq, "client", client, "helo",
		verb_json_str(row->helo), "from", verb_json_str(row->from), "size",
		(json_int_t)row->size, "tls", (row->flags & JREC_TLS) != 0, "prdr",
		(row->flags & JREC_PRDR) != 0, "again", (row->flags & JREC_AGAIN) != 0,
		"released", (row->flags & JREC_RELEASED) != 0, "findings",
		verb_json_str(row->findings), "recipients", rcpts);
}

static void
print_row(struct verb_io *io, const struct ledger_row *row, const json_t *names)
{
	char when[CLOCK_TEXT], client[IP_TEXT];

	clock_text(row->time_ms, when);
	ip_text(&row->client, client);
	verb_printf(io, "%s  %s  %" PRIu64 " bytes%s%s\n", when, row->id.text, row->size,
		(row->flags & JREC_TLS) != 0 ? ", TLS" : "",
		(row->flags & JREC_AGAIN) != 0 ? ", came again" : "");
	verb_printf(io, "  client %s (" STR_FMT "), from <" STR_FMT ">\n", client,
		STR_ARG(row->helo), STR_ARG(row->from));
	for (size_t i = 0; i < row->nrcpts; i++) {
		const struct ledger_rcpt *r = &row->rcpts[i];

		verb_printf(io, "  to <" STR_FMT ">: %s, %u " STR_FMT "%s" STR_FMT "\n",
			STR_ARG(r->address), answer_name(r->answer), r->code,
			STR_ARG(r->enhanced), str_empty(r->reason) ? "" : ", ",
			STR_ARG(r->reason));
		if (name_of(names, r) != NULL)
			verb_printf(io, "    refusal %s\n", name_of(names, r));
	}
	if (!str_empty(row->findings))
		verb_printf(io, "  findings " STR_FMT "\n", STR_ARG(row->findings));
}

struct listing {
	struct verb_io *io;
	json_t *rows;
};

static enum rc
on_row(const struct ledger_row *row, void *arg, struct err *err)
{
	struct listing *l = arg;
	json_t *names = json_object();
	enum rc rc = RC_OK;

	if ((row->flags & LEDGER_LINK) != 0 && l->io->refusals != NULL)
		rc = refusals_of(l->io->refusals, &row->id, on_refusal, names, err);
	if (rc == RC_OK && l->io->json)
		(void)json_array_append_new(l->rows, row_json(row, names));
	else if (rc == RC_OK)
		print_row(l->io, row, names);
	json_decref(names);
	return rc;
}

enum verb_exit
verb_ledger(struct verb_io *io, int argc, char **argv)
{
	const char *since = verb_option(&argc, argv, "--since");
	const char *last = verb_option(&argc, argv, "--last");
	struct ledger_query q = {
		.from = str_of(verb_option(&argc, argv, "--from")),
		.to = str_of(verb_option(&argc, argv, "--to")),
		.id = str_of(verb_option(&argc, argv, "--id")),
	};
	struct listing l = { .io = io };
	uint64_t most = 0;
	enum rc rc;

	if (!verb_words(io, "ledger", argc, argv, 0, 0))
		return VERB_USAGE;
	if (since != NULL && clock_parse(str_of(since), &q.since_ms, &io->err) != RC_OK)
		return VERB_USAGE;
	if (last != NULL && (!str_u64(str_of(last), 1000000, &most) || most == 0)) {
		(void)err_set(
			&io->err, RC_BAD, "\"%.40s\" is not a number of messages", last);
		return VERB_USAGE;
	}
	q.most = (size_t)most;
	l.rows = json_array();
	rc = ledger_find(io->ledger, &q, on_row, &l, &io->err);
	if (rc == RC_OK && io->json)
		verb_json(io, l.rows);
	else
		json_decref(l.rows);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
