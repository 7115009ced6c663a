/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_int.h"

static str *
targets(struct verb_io *io, int argc, char **argv)
{
	str *list = arena_array(io->mem, (size_t)argc + 1, sizeof(*list));

	for (int i = 0; list != NULL && i < argc; i++)
		list[i] = str_of(argv[i]);
	return list;
}

enum verb_exit
verb_alias_add(struct verb_io *io, int argc, char **argv)
{
	str *list;
	enum rc rc;

	if (!verb_words(io, "alias add", argc, argv, 2, 2000))
		return VERB_USAGE;
	if ((list = targets(io, argc, argv)) == NULL)
		return verb_fail(io, err_set(&io->err, RC_LIMIT, "too many targets"));
	rc = alias_add(io->directory, list[0], list + 1, (size_t)argc - 1, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_alias_remove(struct verb_io *io, int argc, char **argv)
{
	str *list;
	enum rc rc;

	if (!verb_words(io, "alias remove", argc, argv, 1, 2000))
		return VERB_USAGE;
	if ((list = targets(io, argc, argv)) == NULL)
		return verb_fail(io, err_set(&io->err, RC_LIMIT, "too many targets"));
	rc = alias_remove(io->directory, list[0], list + 1, (size_t)argc - 1, &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

static void
print_alias(struct verb_io *io, const struct alias *a)
{
	verb_printf(io, STR_FMT "\t", STR_ARG(a->address));
	for (size_t i = 0; i < a->ntargets; i++)
		verb_printf(io, "%s" STR_FMT, i > 0 ? " " : "", STR_ARG(a->targets[i]));
	verb_printf(io, "\n");
}

static json_t *
alias_json(const struct alias *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->ntargets; i++)
		(void)json_array_append_new(list, verb_json_str(a->targets[i]));
	return json_pack(
		"{s:o, s:o}", "address", verb_json_str(a->address), "targets", list);
}

enum verb_exit
verb_alias_list(struct verb_io *io, int argc, char **argv)
{
	struct alias *list;
	size_t n;
	enum rc rc;

	if (!verb_words(io, "alias list", argc, argv, 0, 1))
		return VERB_USAGE;
	rc = alias_list(io->directory, argc > 0 ? str_of(argv[0]) : (str){ 0 }, io->mem,
		&list, &n, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	if (io->json) {
		json_t *all = json_array();

		for (size_t i = 0; i < n; i++)
			(void)json_array_append_new(all, alias_json(&list[i]));
		verb_json(io, all);
		return verb_done(io);
	}
	for (size_t i = 0; i < n; i++)
		print_alias(io, &list[i]);
	return verb_done(io);
}
