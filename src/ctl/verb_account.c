/* SPDX-License-Identifier: ISC */
#include <inttypes.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "ctl/ctl_int.h"
#include "directory/login.h"

enum { MOST_FROM_FILE = 1000000 };

static enum rc
bad_size(struct verb_io *io, const char *text)
{
	return err_set(
		&io->err, RC_BAD, "\"%.40s\" is not a size; write 500M or 10G", text);
}

/* One line: ADDRESS, then a space or tab and the password, to the line's end. */
static bool
take_line(str line, struct account_new *out)
{
	size_t end = 0;

	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	line = str_trim(line);
	if (str_empty(line) || line.ptr[0] == '#')
		return false;
	while (end < line.len && line.ptr[end] != ' ' && line.ptr[end] != '\t')
		end++;
	*out = (struct account_new){ .address = str_first(line, end),
		.password = str_trim(str_skip(line, end)) };
	return true;
}

static enum verb_exit
add_from_file(struct verb_io *io, bool has_quota, uint64_t quota)
{
	size_t lines = 1, n = 0;
	struct account_new *list;
	str rest = io->input, line;
	enum rc rc;

	for (size_t i = 0; i < io->input.len; i++)
		lines += io->input.ptr[i] == '\n';
	if (lines > MOST_FROM_FILE || (list = calloc(lines, sizeof(*list))) == NULL) {
		rc = err_set(&io->err, RC_LIMIT, "at most %d accounts at once",
			MOST_FROM_FILE);
		return verb_fail(io, rc);
	}
	while (str_cut(&rest, '\n', &line))
		if (take_line(line, &list[n])) {
			list[n].has_quota = has_quota;
			list[n++].quota = quota;
		}
	rc = account_add_many(io->directory, list, n, &io->err);
	free(list);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json)
		verb_json(io, json_pack("{s:I}", "added", (json_int_t)n));
	else
		verb_printf(io, "%zu accounts added\n", n);
	return verb_done(io);
}

enum verb_exit
verb_account_add(struct verb_io *io, int argc, char **argv)
{
	const char *file = verb_option(&argc, argv, "--from-file");
	const char *size = verb_option(&argc, argv, "--quota");
	bool from_stdin = verb_switch(&argc, argv, "--password-stdin");
	struct account_new a = { .has_quota = size != NULL };
	enum rc rc = RC_OK;

	if (!verb_words(io, "account add", argc, argv, file == NULL, file == NULL))
		return VERB_USAGE;
	if (size != NULL && !verb_size(size, &a.quota)) {
		(void)bad_size(io, size);
		return VERB_USAGE;
	}
	if (file != NULL)
		return add_from_file(io, a.has_quota, a.quota);
	a.address = str_of(argv[0]);
	if (from_stdin)
		rc = verb_password(io, &a.password, &io->err);
	if (rc == RC_OK)
		rc = account_add(io->directory, &a, NULL, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

static json_t *
account_json(const struct account *a)
{
	char created[CLOCK_TEXT];

	clock_text(a->created_ms, created);
	return json_pack("{s:I, s:o, s:b, s:I, s:s}", "id", (json_int_t)a->id, "address",
		verb_json_str(a->address), "disabled", a->disabled, "quota",
		(json_int_t)a->quota, "created", created);
}

enum verb_exit
verb_account_list(struct verb_io *io, int argc, char **argv)
{
	struct account *list;
	size_t n;
	enum rc rc;

	if (!verb_words(io, "account list", argc, argv, 0, 1))
		return VERB_USAGE;
	rc = account_list(io->directory, argc > 0 ? str_of(argv[0]) : (str){ 0 }, io->mem,
		&list, &n, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json) {
		json_t *all = json_array();

		for (size_t i = 0; i < n; i++)
			(void)json_array_append_new(all, account_json(&list[i]));
		verb_json(io, all);
		return verb_done(io);
	}
	for (size_t i = 0; i < n; i++) {
		char quota[VERB_SIZE_TEXT] = "no quota";

		if (list[i].quota != 0)
			verb_size_text(list[i].quota, quota);
		verb_printf(io, STR_FMT "\t%s%s\n", STR_ARG(list[i].address), quota,
			list[i].disabled ? "\tdisabled" : "");
	}
	return verb_done(io);
}

static enum rc
add_app_name(str name, unsigned doors, uint64_t created_ms, void *arg, struct err *err)
{
	char created[CLOCK_TEXT], text[LOGIN_DOORS_TEXT];

	(void)err;
	clock_text(created_ms, created);
	login_doors_text(doors, text);
	(void)json_array_append_new(
		arg, json_pack("{s:o, s:s, s:s}", "name", verb_json_str(name), "for",
			     text, "created", created));
	return RC_OK;
}

static void
print_account(struct verb_io *io, const struct account *a, const struct store_usage *u,
	const json_t *apps)
{
	char bytes[VERB_SIZE_TEXT], quota[VERB_SIZE_TEXT] = "none", created[CLOCK_TEXT];

	verb_size_text(u->bytes, bytes);
	if (a->quota != 0)
		verb_size_text(a->quota, quota);
	clock_text(a->created_ms, created);
	verb_printf(io,
		"address\t" STR_FMT "\nnumber\t%" PRIu64 "\nstate\t%s\nquota\t%s\n"
		"used\t%s in %" PRIu64 " messages\ncreated\t%s\n",
		STR_ARG(a->address), a->id, a->disabled ? "disabled" : "enabled", quota,
		bytes, u->messages, created);
	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i);

		verb_printf(io, "app password\t%s, for %s, made %s\n",
			json_string_value(json_object_get(app, "name")),
			json_string_value(json_object_get(app, "for")),
			json_string_value(json_object_get(app, "created")));
	}
}

enum verb_exit
verb_account_show(struct verb_io *io, int argc, char **argv)
{
	struct store_usage usage = { 0 };
	struct account a;
	json_t *apps;
	enum rc rc;

	if (!verb_words(io, "account show", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = account_find(io->directory, str_of(argv[0]), io->mem, &a, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	rc = store_usage(io->store, a.id, &usage, &io->err);
	if (rc != RC_OK && rc != RC_NONE)
		return verb_fail(io, rc);
	apps = json_array();
	rc = app_password_list(io->directory, a.address, add_app_name, apps, &io->err);
	if (rc == RC_OK && io->json) {
		json_t *all = account_json(&a);

		(void)json_object_set_new(
			all, "bytes", json_integer((json_int_t)usage.bytes));
		(void)json_object_set_new(
			all, "messages", json_integer((json_int_t)usage.messages));
		(void)json_object_set(all, "app_passwords", apps);
		verb_json(io, all);
	} else if (rc == RC_OK) {
		print_account(io, &a, &usage, apps);
	}
	json_decref(apps);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

static enum verb_exit
disable(struct verb_io *io, const char *verb, int argc, char **argv, bool disabled)
{
	enum rc rc;

	if (!verb_words(io, verb, argc, argv, 1, 1))
		return VERB_USAGE;
	rc = account_disable(io->directory, str_of(argv[0]), disabled, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_account_disable(struct verb_io *io, int argc, char **argv)
{
	return disable(io, "account disable", argc, argv, true);
}

enum verb_exit
verb_account_enable(struct verb_io *io, int argc, char **argv)
{
	return disable(io, "account enable", argc, argv, false);
}

/* The directory first: what is accepted from then on has another way. */
enum verb_exit
verb_account_remove(struct verb_io *io, int argc, char **argv)
{
	uint64_t id;
	enum rc rc;

	if (!verb_words(io, "account remove", argc, argv, 1, 1))
		return VERB_USAGE;
	if (io->apply != NULL)
		apply_hold(io->apply);
	rc = account_remove(io->directory, str_of(argv[0]), &id, &io->err);
	bool gone = rc == RC_OK;
	if (gone)
		rc = verb_remove_mail(io, id);
	if (io->apply != NULL)
		apply_release(io->apply);
	if (!gone)
		return verb_fail(io, rc);
	verb_changed(io);
	return rc == RC_OK || rc == RC_NONE ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_account_password(struct verb_io *io, int argc, char **argv)
{
	str password;
	enum rc rc;

	if (!verb_switch(&argc, argv, "--password-stdin")) {
		(void)err_set(&io->err, RC_BAD,
			"give --password-stdin, and the password as the "
			"first line of standard input: what stands on the command line can be seen "
			"by others");
		return VERB_USAGE;
	}
	if (!verb_words(io, "account password", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = verb_password(io, &password, &io->err);
	if (rc == RC_OK)
		rc = account_password(io->directory, str_of(argv[0]), password, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_account_quota(struct verb_io *io, int argc, char **argv)
{
	uint64_t quota = 0;
	bool own;
	enum rc rc;

	if (!verb_words(io, "account quota", argc, argv, 2, 2))
		return VERB_USAGE;
	own = strcmp(argv[1], "default") != 0;
	if (own && strcmp(argv[1], "none") != 0 && !verb_size(argv[1], &quota)) {
		(void)bad_size(io, argv[1]);
		return VERB_USAGE;
	}
	rc = account_quota(io->directory, str_of(argv[0]), own, quota, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_app_password_add(struct verb_io *io, int argc, char **argv)
{
	const char *which = verb_option(&argc, argv, "--for");
	unsigned doors = DOOR_ALL;
	char secret[32];
	enum rc rc;

	if (!verb_words(io, "account app-password add", argc, argv, 2, 2))
		return VERB_USAGE;
	if (which != NULL && !login_doors_parse(str_of(which), &doors)) {
		(void)err_set(&io->err, RC_BAD,
			"--for takes some of imap,pop3,smtp,web, or all");
		return VERB_USAGE;
	}
	rc = app_password_add(
		io->directory, str_of(argv[0]), str_of(argv[1]), doors, secret, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json)
		verb_json(io, json_pack("{s:s}", "password", secret));
	else
		verb_printf(io, "%s\n", secret);
	wipe(secret, sizeof(secret));
	return verb_done(io);
}

enum verb_exit
verb_app_password_list(struct verb_io *io, int argc, char **argv)
{
	json_t *apps;
	enum rc rc;

	if (!verb_words(io, "account app-password list", argc, argv, 1, 1))
		return VERB_USAGE;
	apps = json_array();
	rc = app_password_list(
		io->directory, str_of(argv[0]), add_app_name, apps, &io->err);
	for (size_t i = 0; rc == RC_OK && !io->json && i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i);

		verb_printf(io, "%s\t%s\t%s\n",
			json_string_value(json_object_get(app, "name")),
			json_string_value(json_object_get(app, "for")),
			json_string_value(json_object_get(app, "created")));
	}
	if (rc == RC_OK && io->json)
		verb_json(io, apps);
	else
		json_decref(apps);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_app_password_revoke(struct verb_io *io, int argc, char **argv)
{
	enum rc rc;

	if (!verb_words(io, "account app-password revoke", argc, argv, 2, 2))
		return VERB_USAGE;
	rc = app_password_revoke(
		io->directory, str_of(argv[0]), str_of(argv[1]), &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
