/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_int.h"

enum verb_exit
verb_domain_add(struct verb_io *io, int argc, char **argv)
{
	enum rc rc;

	if (!verb_words(io, "domain add", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = domain_add(io->directory, str_of(argv[0]), &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

static json_t *
domain_json(const struct domain *d)
{
	return json_pack("{s:o, s:o, s:o}", "name", verb_json_str(d->name), "alias_of",
		str_empty(d->alias_of) ? json_null() : verb_json_str(d->alias_of),
		"catchall",
		str_empty(d->catchall) ? json_null() : verb_json_str(d->catchall));
}

enum verb_exit
verb_domain_list(struct verb_io *io, int argc, char **argv)
{
	struct domain *list;
	size_t n;
	enum rc rc;

	if (!verb_words(io, "domain list", argc, argv, 0, 0))
		return VERB_USAGE;
	rc = domain_list(io->directory, io->mem, &list, &n, &io->err);
	if (rc != RC_OK)
		return verb_fail(io, rc);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct domain *d = &list[i];

		(void)json_array_append_new(all, domain_json(d));
		if (io->json)
			continue;
		verb_printf(io, STR_FMT, STR_ARG(d->name));
		if (!str_empty(d->alias_of))
			verb_printf(io, "\talias of " STR_FMT, STR_ARG(d->alias_of));
		if (!str_empty(d->catchall))
			verb_printf(io, "\tcatch-all " STR_FMT, STR_ARG(d->catchall));
		verb_printf(io, "\n");
	}
	if (io->json)
		verb_json(io, all);
	else
		json_decref(all);
	return verb_done(io);
}

/* The postmaster's mail goes with the domain; nothing is delivered to it between
 * the two, which nobody could read. */
enum verb_exit
verb_domain_remove(struct verb_io *io, int argc, char **argv)
{
	struct account postmaster = { 0 };
	BUF_AUTO address = BUF(400);
	enum rc rc;

	if (!verb_words(io, "domain remove", argc, argv, 1, 1))
		return VERB_USAGE;
	buf_add(&address, STR("postmaster@"));
	buf_addz(&address, argv[0]);
	rc = account_find(
		io->directory, buf_str(&address), io->mem, &postmaster, &io->err);
	/* of an alias of a domain it is the other domain's: that one stays */
	if (rc == RC_OK && !str_ieq(postmaster.address, buf_str(&address)))
		postmaster.id = 0;
	if (io->apply != NULL)
		apply_hold(io->apply);
	rc = domain_remove(io->directory, str_of(argv[0]), &io->err);
	bool gone = rc == RC_OK;
	if (gone && postmaster.id != 0)
		rc = verb_remove_mail(io, postmaster.id);
	if (io->apply != NULL)
		apply_release(io->apply);
	if (!gone)
		return verb_fail(io, rc);
	verb_changed(io);
	return rc == RC_OK || rc == RC_NONE ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_domain_alias(struct verb_io *io, int argc, char **argv)
{
	enum rc rc;

	if (!verb_words(io, "domain alias", argc, argv, 2, 2))
		return VERB_USAGE;
	rc = domain_alias(io->directory, str_of(argv[0]), str_of(argv[1]), &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}

enum verb_exit
verb_domain_catchall(struct verb_io *io, int argc, char **argv)
{
	enum rc rc;

	if (!verb_words(io, "domain catchall", argc, argv, 2, 2))
		return VERB_USAGE;
	rc = domain_catchall(io->directory, str_of(argv[0]),
		strcmp(argv[1], "off") == 0 ? (str){ 0 } : str_of(argv[1]), &io->err);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
