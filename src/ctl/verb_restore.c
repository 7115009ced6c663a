/* SPDX-License-Identifier: ISC */
/* restore: an empty instance from a backup; doc/backup.md. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "ctl/backup_copy.h"
#include "ctl/ctl_int.h"
#include "ctl/restore_account.h"
#include "daemon/instance.h"
#include "journal/journal.h"

static bool
is_database(const char *name, void *arg)
{
	(void)arg;
	return strncmp(name, "directory.db", 12) == 0 ||
	       strncmp(name, "refusals.db", 11) == 0;
}

/* The data folder may be what was lost. */
static enum rc
make_data_folder(struct verb_io *io, const struct conf *conf)
{
	BUF_AUTO path = BUF(4096);
	FD_AUTO dir = -1;
	enum rc rc;

	buf_addz(&path, io->conf_path);
	(void)buf_z(&path);
	if (path.data == NULL || !buf_ok(&path))
		return err_set(&io->err, RC_BAD, "the path of the settings is too long");
	dir = open(dirname(path.data), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		return err_errno(&io->err, "the settings file's folder");
	rc = fs_mkdirs(dir, conf->server.data.ptr, 0750, &io->err);
	return rc == RC_OK ? fs_mkdirs(dir, conf->server.run.ptr, 0750, &io->err) : rc;
}

static bool
count_name(const char *name, void *arg)
{
	(void)name;
	*(size_t *)arg += 1;
	return true;
}

static enum rc
not_empty(struct verb_io *io, const char *what)
{
	return err_set(&io->err, RC_BAD,
		"this instance is not empty: it has %s. Restore into a new "
		"one (`gatepost init`), or give an account back its mail with --account",
		what);
}

static enum rc
must_be_empty(struct verb_io *io, const struct instance *in)
{
	static const char *const journals[] = { "journal/gate", "journal/house" };
	const struct directory_want want = { .data = in->data, .conf = in->conf };
	struct directory *d = NULL;
	struct domain *list;
	size_t n = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2; i++) {
		FD_AUTO dir = -1;
		uint64_t first = 0, last = 0;

		if (fs_open_dir(in->data, journals[i], &dir, NULL) == RC_OK &&
			(journal_bounds(dir, &first, &last, &io->err) != RC_OK ||
				last != 0))
			return not_empty(io, "a journal");
	}
	if (fs_each(in->data, "accounts", count_name, &n, NULL) == RC_OK && n > 0)
		return not_empty(io, "mail");
	if (!copy_there(in->data, "directory.db"))
		return RC_OK;
	rc = directory_open(&want, &d, &io->err);
	if (rc == RC_OK)
		rc = domain_list(d, io->mem, &list, &n, &io->err);
	directory_close(&d);
	if (rc == RC_OK && n > 0)
		return not_empty(io, "domains");
	return rc;
}

static enum rc
clear(struct verb_io *io, const struct instance *in)
{
	/* full text would take what is restored for what it has already */
	static const char *const folders[] = { "index", "ledger", "search",
		"journal/gate", "journal/house" };
	enum rc rc = remove_files(in->data, ".", is_database, NULL, &io->err);

	for (size_t i = 0; rc == RC_OK && i < sizeof(folders) / sizeof(folders[0]); i++)
		rc = remove_files(in->data, folders[i], NULL, NULL, &io->err);
	return rc;
}

/* Files that never change may share their inode with the backup; databases and
 * journals go on changing. */
static enum rc
fill(struct verb_io *io, const struct instance *in, int src)
{
	static const struct {
		const char *path;
		bool link;
	} folders[] = {
		{ "accounts", true },
		{ "incoming", true },
		{ "held", true },
		{ "queue", false },
		{ "index", false },
		{ "ledger", false },
		{ "journal", false },
	};
	/* root gives what it copies to others; the backup stays its owner's */
	bool may_link = !in->owners.switching;
	enum rc rc = copy_file(src, in->data, "directory.db", false, &io->err);

	if (rc == RC_OK && (rc = copy_file(src, in->data, "refusals.db", false,
				    &io->err)) == RC_NONE) /* of a version before */
		rc = RC_OK;
	for (size_t i = 0; rc == RC_OK && i < sizeof(folders) / sizeof(folders[0]); i++)
		rc = copy_tree(src, in->data, folders[i].path,
			folders[i].link && may_link, &io->err);
	return rc;
}

static enum rc
give_to_owners(struct verb_io *io, const struct instance *in)
{
	const struct owners *o = &in->owners;
	enum rc rc;

	if (o->switching) {
		if ((rc = own_tree(in->data, ".", o->house, o->group, &io->err)) != RC_OK)
			return rc;
		if ((rc = own_tree(in->data, "journal/gate", o->gate, o->group,
			     &io->err)) != RC_OK)
			return rc;
		if ((rc = own_tree(in->data, "incoming", o->gate, o->group, &io->err)) !=
			RC_OK)
			return rc;
	}
	return instance_make_folders(in->data, o, &io->err);
}

/* UIDs that were given after the backup are not given again. */
static enum rc
renew(struct verb_io *io, const struct instance *in)
{
	const struct store_want want = { .data = in->data,
		.cache_bytes = (size_t)in->conf->store.cache };
	struct store *s;
	enum rc rc = store_open(&want, &s, &io->err);

	if (rc != RC_OK)
		return rc;
	rc = store_renew(s, &io->err);
	store_close(&s);
	return rc;
}

static enum rc
restore_all(struct verb_io *io, const struct instance *in, int src)
{
	enum rc rc = must_be_empty(io, in);

	if (rc == RC_OK)
		rc = instance_make_folders(in->data, &in->owners, &io->err);
	if (rc == RC_OK)
		rc = clear(io, in);
	if (rc == RC_OK)
		rc = fill(io, in, src);
	if (rc == RC_OK)
		rc = renew(io, in);
	if (rc == RC_OK)
		rc = give_to_owners(io, in);
	if (rc == RC_OK)
		rc = fs_sync_all(in->data, &io->err);
	if (rc == RC_OK)
		verb_printf(io,
			"restored; the settings stay as they are here, and keys are not "
			"part of a backup (without the old keys/held.key, held originals stay "
			"sealed). Next: `gatepost verify`\n");
	return rc;
}

static enum rc
open_source(struct verb_io *io, const char *path, int *data)
{
	FD_AUTO src = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (src < 0)
		return err_errno(&io->err, path);
	if (!copy_there(src, "data/directory.db") ||
		!copy_there(src, "data/journal/gate"))
		return err_set(&io->err, RC_BAD,
			"%.150s is not a backup: `gatepost backup` makes "
			"one",
			path);
	return fs_open_dir(src, "data", data, &io->err);
}

enum verb_exit
verb_restore(struct verb_io *io, int argc, char **argv)
{
	const char *account = verb_option(&argc, argv, "--account");
	struct instance in = INSTANCE_NONE;
	const struct conf *conf = NULL;
	FD_AUTO src = -1;
	enum rc rc;

	if (!verb_words(io, "restore", argc, argv, 1, 1))
		return VERB_USAGE;
	rc = open_source(io, argv[0], &src);
	if (rc == RC_OK)
		rc = conf_load(io->conf_path, &conf, &io->err);
	if (rc == RC_OK)
		rc = make_data_folder(io, conf);
	if (conf != NULL)
		conf_drop(&conf);
	if (rc == RC_OK)
		rc = instance_open(io->conf_path, &in, &io->err);
	if (rc == RC_OK && (rc = instance_lock(&in, &io->err)) == RC_LIMIT)
		rc = err_set(&io->err, rc,
			"a server, or another command, works on this instance; "
			"stop it first");
	if (rc == RC_OK)
		rc = account == NULL ? restore_all(io, &in, src)
				     : restore_account(io, &in, src, account);
	instance_close(&in);
	return rc == RC_OK ? verb_done(io) : verb_fail(io, rc);
}
