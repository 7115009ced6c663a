/* SPDX-License-Identifier: ISC */
/* refusal: what was refused with a link, and what people decide about it. */
#include <inttypes.h>

#include "base/clock.h"
#include "ctl/ctl_int.h"
#include "deliver/letters.h"
#include "deliver/release.h"

enum { PIECE = 64 * 1024, ADDRESS = 640 };

static const char risk[] =
	"it was refused for a virus: whoever opens the copy does so at your risk";

static struct release_want
want_of(struct verb_io *io)
{
	return (struct release_want){ .data = io->data,
		.hostname = io->conf->server.hostname,
		.directory = io->directory,
		.refusals = io->refusals,
		.private_key = io->held_key };
}

/* --- showing --- */

static json_t *
json_time(uint64_t ms)
{
	char when[CLOCK_TEXT];

	if (ms == 0)
		return json_null();
	clock_text(ms, when);
	return json_string(when);
}

static json_t *
json_or_null(str s)
{
	return str_empty(s) ? json_null() : verb_json_str(s);
}

static json_t *
refusal_json(const struct refusal *f)
{
	json_t *to = json_array(), *all;
	char name[REFUSAL_NAME];

	refusal_name(f, name);
	for (size_t i = 0; i < f->nrcpts; i++)
		(void)json_array_append_new(to, verb_json_str(f->rcpts[i]));
	all = json_pack("{s:s, s:s, s:I, s:s, s:o, s:o, s:b, s:b, s:o}", "refusal", name,
		"id", f->id.text, "n", (json_int_t)f->n, "state",
		refusal_state_name(f->state), "time", json_time(f->time_ms), "expires",
		json_time(f->expires_ms), "held", f->held, "virus", f->virus,
		"held_until", f->held ? json_time(f->held_until_ms) : json_null());
	(void)json_object_update_new(all,
		json_pack("{s:o, s:o, s:o, s:o, s:I, s:f, s:o, s:o}", "client",
			verb_json_str(f->client), "helo", verb_json_str(f->helo), "from",
			verb_json_str(f->sender), "to", to, "size", (json_int_t)f->size,
			"score", f->score / 1000.0, "reason", verb_json_str(f->reason),
			"findings", verb_json_str(f->findings)));
	(void)json_object_update_new(
		all, json_pack("{s:o, s:o, s:o}", "decided", json_time(f->decided_ms),
			     "decided_by", json_or_null(f->decided_by), "copy",
			     f->state == REFUSAL_RELEASED
				     ? verb_json_str(msg_id_str(&f->release_id))
				     : json_null()));
	return all;
}

static void
print_state(struct verb_io *io, const struct refusal *f)
{
	char when[CLOCK_TEXT];

	verb_printf(io, "%s", refusal_state_name(f->state));
	if (f->decided_ms != 0) {
		clock_text(f->decided_ms, when);
		verb_printf(io, " on %s by " STR_FMT, when, STR_ARG(f->decided_by));
	}
	clock_text(f->held_until_ms, when);
	if (f->held)
		verb_printf(io, ", held until %s", when);
	else
		verb_printf(io, ", not held");
	verb_printf(io, "%s\n", f->virus ? ", VIRUS" : "");
}

static void
print_refusal(struct verb_io *io, const struct refusal *f)
{
	char when[CLOCK_TEXT], name[REFUSAL_NAME], size[VERB_SIZE_TEXT];

	refusal_name(f, name);
	clock_text(f->time_ms, when);
	verb_size_text(f->size, size);
	verb_printf(io, "%s  %s  ", when, name);
	print_state(io, f);
	verb_printf(io, "  client " STR_FMT " (" STR_FMT "), from <" STR_FMT ">, %s\n",
		STR_ARG(f->client), STR_ARG(f->helo), STR_ARG(f->sender), size);
	for (size_t i = 0; i < f->nrcpts; i++)
		verb_printf(io, "%s<" STR_FMT ">%s", i == 0 ? "  to " : "",
			STR_ARG(f->rcpts[i]), i + 1 < f->nrcpts ? ", " : "\n");
	verb_printf(io, "  " STR_FMT "\n", STR_ARG(f->reason));
}

/* --- list --- */

struct listing {
	struct verb_io *io;
	uint64_t since_ms;
	str from, to;
	json_t *rows;
};

static bool
is_for(const struct refusal *f, str to)
{
	for (size_t i = 0; i < f->nrcpts; i++)
		if (str_ieq(f->rcpts[i], to))
			return true;
	return false;
}

static enum rc
on_refusal(const struct refusal *f, void *arg, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	if (f->time_ms < l->since_ms || f->expires_ms <= clock_wall_ms() ||
		(!str_empty(l->from) && !str_ieq(f->sender, l->from)) ||
		(!str_empty(l->to) && !is_for(f, l->to)))
		return RC_OK;
	if (l->io->json)
		(void)json_array_append_new(l->rows, refusal_json(f));
	else
		print_refusal(l->io, f);
	return RC_OK;
}

static bool
read_state(struct verb_io *io, const char *word, enum refusal_state *out)
{
	*out = 0;
	if (word == NULL)
		return true;
	for (enum refusal_state s = REFUSAL_OPEN; s <= REFUSAL_DISMISSED; s++)
		if (strcmp(word, refusal_state_name(s)) == 0)
			*out = s;
	if (*out == 0)
		(void)err_set(&io->err, RC_BAD,
			"\"%.40s\" is not a state; there are open, appealed, released and "
			"dismissed",
			word);
	return *out != 0;
}

enum verb_exit
verb_refusal_list(struct verb_io *io, int argc, char **argv)
{
	const char *word = verb_option(&argc, argv, "--state");
	const char *since = verb_option(&argc, argv, "--since");
	struct listing l = {
		.io = io,
		.from = str_of(verb_option(&argc, argv, "--from")),
		.to = str_of(verb_option(&argc, argv, "--to")),
	};
	enum refusal_state state;
	enum rc rc;

	if (!verb_words(io, "refusal list", argc, argv, 0, 0) ||
		!read_state(io, word, &state))
		return VERB_USAGE;
	if (since != NULL && clock_parse(str_of(since), &l.since_ms, &io->err) != RC_OK)
		return VERB_USAGE;
	l.rows = json_array();
	rc = refusals_each(io->refusals, state, on_refusal, &l, &io->err);
	if (rc == RC_OK && io->json)
		verb_json(io, l.rows);
	else
		json_decref(l.rows);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

/* --- show --- */

static enum rc
on_opened(uint64_t time_ms, str who, str why, void *arg, struct err *err)
{
	struct listing *l = arg;
	char when[CLOCK_TEXT];

	(void)err;
	clock_text(time_ms, when);
	if (l->io->json)
		(void)json_array_append_new(
			l->rows, json_pack("{s:s, s:o, s:o}", "time", when, "who",
					 verb_json_str(who), "why", verb_json_str(why)));
	else
		verb_printf(l->io, "  opened %s by " STR_FMT " (" STR_FMT ")\n", when,
			STR_ARG(who), STR_ARG(why));
	return RC_OK;
}

static json_t *
appeal_json(const struct appeal *a)
{
	char client[IP_TEXT];

	ip_text(&a->client, client);
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s}", "time", json_time(a->time_ms),
		"note", verb_json_str(a->note), "contact", json_or_null(a->contact),
		"subject", json_or_null(a->subject), "language",
		json_or_null(a->language), "client", client);
}

/* A stranger's line on somebody's terminal. */
static void
print_line(struct verb_io *io, const char *lead, str line)
{
	BUF_AUTO b = BUF(4 * APPEAL_NOTE);

	letters_defang(line, &b);
	verb_printf(io, "  %s" STR_FMT "\n", lead, STR_ARG(buf_str(&b)));
}

static void
print_appeal(struct verb_io *io, const struct appeal *a)
{
	char when[CLOCK_TEXT], client[IP_TEXT];
	str left = a->note, line;

	clock_text(a->time_ms, when);
	ip_text(&a->client, client);
	verb_printf(io, "  appealed %s from %s%s\n", when, client,
		str_empty(a->note) ? ", without a word" : ":");
	while (!str_empty(a->note) && str_cut(&left, '\n', &line))
		print_line(io, "  > ", line);
	if (!str_empty(a->contact))
		print_line(io, "contact ", a->contact);
	if (!str_empty(a->subject))
		print_line(io, "subject ", a->subject);
}

static enum rc
show(struct verb_io *io, const struct refusal *f)
{
	struct appeal a = { .time_ms = 0 };
	enum rc said = appeals_get(io->refusals, f, io->mem, &a, &io->err);
	struct listing l = { .io = io, .rows = json_array() };
	char when[CLOCK_TEXT];
	enum rc rc = said == RC_NONE ? RC_OK : said;

	if (rc != RC_OK) {
		json_decref(l.rows);
		return rc;
	}
	if (!io->json) {
		print_refusal(io, f);
		verb_printf(io, "  score %s%d.%03d, findings " STR_FMT "\n",
			f->score < 0 ? "-" : "", abs(f->score / 1000),
			abs(f->score % 1000), STR_ARG(f->findings));
		clock_text(f->expires_ms, when);
		verb_printf(io, "  its link is good until %s\n", when);
		if (f->state == REFUSAL_RELEASED)
			verb_printf(io, "  its copy is message %s\n", f->release_id.text);
		if (f->virus)
			verb_printf(io, "  %s\n", risk);
		if (said == RC_OK)
			print_appeal(io, &a);
	}
	rc = refusals_openings(io->refusals, f, on_opened, &l, &io->err);
	if (rc == RC_OK && io->json) {
		json_t *all = refusal_json(f);

		(void)json_object_set(all, "opened", l.rows);
		(void)json_object_set_new(
			all, "appeal", said == RC_OK ? appeal_json(&a) : json_null());
		verb_json(io, all);
	}
	json_decref(l.rows);
	return rc;
}

static enum rc
pour(struct verb_io *io, int fd)
{
	char *piece = arena_alloc(io->mem, PIECE);
	uint64_t at = 0;
	size_t got = 0;
	enum rc rc;

	if (piece == NULL)
		return err_set(&io->err, RC_LIMIT, "no memory for the original");
	do {
		rc = fs_pread(fd, piece, PIECE, at, &got, &io->err);
		if (rc == RC_OK && got > 0)
			io->out(io, (str){ piece, got });
		at += got;
	} while (rc == RC_OK && got > 0);
	return rc;
}

/* Decrypted into a file without a name. */
static enum rc
show_original(struct verb_io *io, const struct refusal *f)
{
	const struct release_want want = want_of(io);
	struct fs_spool file = { .fd = -1 };
	FD_AUTO dir = -1;
	char *facts = NULL;
	size_t len;
	enum rc rc = fs_open_dir(io->data, "incoming", &dir, &io->err);

	if (rc == RC_OK)
		rc = fs_spool_open(dir, 0600, &file, &io->err);
	if (rc == RC_OK)
		rc = release_open(&want, f, io->who, STR("show --original"), file.fd,
			&facts, &len, &io->err);
	if (rc == RC_OK) {
		free(facts);
		rc = pour(io, file.fd);
	}
	fs_spool_drop(dir, &file);
	return rc;
}

enum verb_exit
verb_refusal_show(struct verb_io *io, int argc, char **argv)
{
	bool original = verb_switch(&argc, argv, "--original");
	const struct release_want want = want_of(io);
	struct refusal f;
	enum rc rc;

	if (!verb_words(io, "refusal show", argc, argv, 1, 1))
		return VERB_USAGE;
	if (original && io->json) {
		(void)err_set(&io->err, RC_BAD,
			"--original gives the message as it is, not as JSON");
		return VERB_USAGE;
	}
	rc = release_find(&want, str_of(argv[0]), io->mem, &f, &io->err);
	if (rc == RC_OK)
		rc = original ? show_original(io, &f) : show(io, &f);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

/* --- deciding --- */

/* Without a server the command has house's journal for itself. */
static enum rc
open_own(struct verb_io *io, struct own **out)
{
	const struct own_want want = {
		.apply = { .data = io->data,
			.directory = io->directory,
			.store = io->store,
			.ledger = io->ledger,
			.refusals = io->refusals,
			.checkpoint_ms = io->conf->store.checkpoint,
			.ledger_keep_ms = io->conf->server.ledger_keep },
		.journal_keep_ms = io->conf->server.journal_keep
	};

	return own_open(&want, out, &io->err);
}

static void
tell_released(struct verb_io *io, const struct refusal *f)
{
	char name[REFUSAL_NAME];

	if (io->json) {
		verb_json(io, refusal_json(f));
		return;
	}
	refusal_name(f, name);
	verb_printf(io, "%s was released to ", name);
	for (size_t i = 0; i < f->nrcpts; i++)
		verb_printf(io, "<" STR_FMT ">%s", STR_ARG(f->rcpts[i]),
			i + 1 < f->nrcpts ? ", " : "");
	verb_printf(io, " as message %s%s\n", f->release_id.text,
		f->state == REFUSAL_RELEASED
			? ""
			: ", which is on its way into the mailboxes");
	if (f->virus)
		verb_printf(io, "Mind: %s\n", risk);
}

enum verb_exit
verb_refusal_release(struct verb_io *io, int argc, char **argv)
{
	const struct release_want want = want_of(io);
	struct own *own = io->own;
	struct refusal f;
	enum rc rc = RC_OK;

	if (!verb_words(io, "refusal release", argc, argv, 1, 1))
		return VERB_USAGE;
	if (own == NULL)
		rc = open_own(io, &own);
	if (rc == RC_OK)
		rc = release_run(
			&want, own, str_of(argv[0]), io->who, io->mem, &f, &io->err);
	if (rc == RC_OK)
		tell_released(io, &f);
	if (own != io->own)
		own_close(&own);
	if (rc == RC_OK)
		verb_changed(io); /* somebody may be full now */
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_refusal_dismiss(struct verb_io *io, int argc, char **argv)
{
	const struct release_want want = want_of(io);
	struct own *own = io->own;
	struct refusal f;
	enum rc rc = RC_OK;

	if (!verb_words(io, "refusal dismiss", argc, argv, 1, 1))
		return VERB_USAGE;
	if (own == NULL)
		rc = open_own(io, &own);
	if (rc == RC_OK)
		rc = release_dismiss(
			&want, own, str_of(argv[0]), io->who, io->mem, &f, &io->err);
	if (own != io->own)
		own_close(&own);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json)
		verb_json(io, refusal_json(&f));
	else
		verb_printf(io,
			"%s.%u is dismissed; its original goes when its time is "
			"over\n",
			f.id.text, f.n);
	return verb_done(io);
}
