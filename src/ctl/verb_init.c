/* SPDX-License-Identifier: ISC */
/* init: makes an instance.  The settings file is written last: a folder without
 * one is no instance. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "ctl/ctl_int.h"
#include "daemon/instance.h"

struct init {
	struct verb_io *io;
	const char *path;
	const struct conf *conf;
	struct buf text; /* of the settings file */
	struct owners owners;
	int dir;
};

static enum rc
run_program(char *const argv[], struct err *err)
{
	static char *const environment[] = { NULL };
	int how;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execve(argv[0], argv, environment);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &how, 0) != pid)
		return err_errno(err, argv[0]);
	if (!WIFEXITED(how) || WEXITSTATUS(how) != 0)
		return err_set(err, RC_TEMP, "%s failed", argv[0]);
	return RC_OK;
}

static char *
word(const char *literal)
{
	return (char *)(uintptr_t)literal; /* execve's type is older than const */
}

static enum rc
make_user(struct verb_io *io, str user, str group)
{
	if (getpwnam(user.ptr) != NULL)
		return RC_OK;
	verb_printf(io, "Making the user %s.\n", user.ptr);
	return run_program(
		(char *[]){ word("/usr/sbin/useradd"), word("--system"), word("--gid"),
			word(group.ptr), word("--no-create-home"), word("--home-dir"),
			word("/nonexistent"), word("--shell"), word("/usr/sbin/nologin"),
			word(user.ptr), NULL },
		&io->err);
}

/* Run by root, each process is to have a user of its own. */
static enum rc
make_users(struct verb_io *io, const struct conf_sandbox *s)
{
	enum rc rc = RC_OK;

	if (geteuid() != 0)
		return RC_OK;
	if (getgrnam(s->group.ptr) == NULL) {
		verb_printf(io, "Making the group %s.\n", s->group.ptr);
		rc = run_program((char *[]){ word("/usr/sbin/groupadd"), word("--system"),
					 word(s->group.ptr), NULL },
			&io->err);
	}
	if (rc == RC_OK)
		rc = make_user(io, s->user_gate, s->group);
	if (rc == RC_OK)
		rc = make_user(io, s->user_house, s->group);
	if (rc == RC_OK)
		rc = make_user(io, s->user_scanner, s->group);
	if (rc == RC_OK)
		rc = make_user(io, s->user_acme, s->group);
	return rc;
}

static enum rc
refuse_existing(struct init *i)
{
	static const char *const ours[] = { "gatepost.conf", "data", "keys", "run",
		NULL };

	for (const char *const *name = ours; *name != NULL; name++)
		if (faccessat(i->dir, *name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			return err_set(&i->io->err, RC_BAD,
				"%.120s holds a %s already; an existing "
				"instance is not touched",
				i->path, *name);
	return RC_OK;
}

static enum rc
write_pair(int keys, const char *name, const struct cert_pem *pem, struct err *err)
{
	char path[300];
	enum rc rc;

	(void)snprintf(path, sizeof(path), "%s.key", name);
	if ((rc = fs_replace(keys, path, 0600, str_of(pem->key), err)) != RC_OK)
		return rc;
	(void)snprintf(path, sizeof(path), "%s.crt", name);
	return fs_replace(keys, path, 0644, str_of(pem->cert), err);
}

static enum rc
make_keys(struct init *i)
{
	struct cert_pem ca = { 0 }, server = { 0 };
	str host = i->conf->server.hostname;
	struct err *err = &i->io->err;
	uint64_t now = clock_wall_ms();
	FD_AUTO keys = -1;
	char name[270];
	enum rc rc;

	(void)snprintf(name, sizeof(name), "tls/%s", host.ptr);
	if ((rc = fs_mkdirs(i->dir, "keys", 0700, err)) != RC_OK ||
		(rc = fs_open_dir(i->dir, "keys", &keys, err)) != RC_OK ||
		(rc = fs_mkdirs(keys, "tls", 0700, err)) != RC_OK)
		return rc;
	rc = cert_make_ca(host, now, &ca, err);
	if (rc == RC_OK)
		rc = cert_make_server(&ca, host, now, &server, err);
	if (rc == RC_OK)
		rc = write_pair(keys, "ca", &ca, err);
	if (rc == RC_OK)
		rc = write_pair(keys, name, &server, err);
	if (rc == RC_OK)
		rc = held_keys_make(keys, err);
	cert_pem_clear(&ca);
	cert_pem_clear(&server);
	return rc;
}

static enum rc
make_all(struct init *i)
{
	struct err *err = &i->io->err;
	FD_AUTO data = -1;
	enum rc rc;

	(void)umask(0022);
	if ((rc = make_users(i->io, &i->conf->sandbox)) != RC_OK ||
		(rc = owners_find(i->conf, &i->owners, err)) != RC_OK ||
		(rc = make_keys(i)) != RC_OK ||
		(rc = fs_mkdirs(i->dir, "data", 0700, err)) != RC_OK ||
		(rc = fs_open_dir(i->dir, "data", &data, err)) != RC_OK ||
		(rc = instance_make_folders(data, &i->owners, err)) != RC_OK ||
		(rc = fs_mkdirs(i->dir, "run", 0700, err)) != RC_OK)
		return rc;
	return fs_replace(i->dir, "gatepost.conf", 0640, buf_str(&i->text), err);
}

static enum rc
make_text(struct init *i, const char *hostname, const char *offset, const char *listen)
{
	struct conf_given given[4] = { { "hostname", hostname } };
	unsigned n = 1;

	if (offset != NULL)
		given[n++] = (struct conf_given){ "port_offset", offset };
	if (listen != NULL)
		given[n++] = (struct conf_given){ "listen", listen };
	conf_template(given, &i->text);
	return conf_parse(buf_str(&i->text), "init", &i->conf, &i->io->err);
}

static enum verb_exit
init(struct init *i)
{
	struct err *err = &i->io->err;
	enum rc rc;

	if ((rc = fs_mkdirs(AT_FDCWD, i->path, 0755, err)) != RC_OK ||
		(rc = fs_open_dir(AT_FDCWD, i->path, &i->dir, err)) != RC_OK ||
		(rc = refuse_existing(i)) != RC_OK || (rc = make_all(i)) != RC_OK)
		return verb_fail(i->io, rc);
	verb_printf(i->io, "%s is an instance now, %s its settings.\n", i->path,
		"gatepost.conf in it");
	verb_printf(i->io,
		"Its certificate is of its own CA (keys/ca.crt); the links of refusals want "
		"one of a public CA: set [acme] directory, or put one into keys/tls/.\n");
	verb_printf(i->io,
		"Next:\n  gatepost -c %s/gatepost.conf serve\n"
		"  gatepost -c %s/gatepost.conf domain add NAME\n",
		i->path, i->path);
	return VERB_DONE;
}

enum verb_exit
verb_init(struct verb_io *io, int argc, char **argv)
{
	const char *hostname = verb_option(&argc, argv, "--hostname");
	const char *offset = verb_option(&argc, argv, "--port-offset");
	const char *listen = verb_option(&argc, argv, "--listen");
	struct init i = { .io = io, .text = BUF(1 << 20), .dir = -1 };
	enum verb_exit how = VERB_USAGE;

	if (!verb_words(io, "init", argc, argv, 1, 1))
		return VERB_USAGE;
	i.path = argv[0];
	if (hostname == NULL)
		(void)err_set(&io->err, RC_BAD,
			"init: --hostname NAME is needed, the name that "
			"this server is reached under");
	else if (make_text(&i, hostname, offset, listen) == RC_OK)
		how = init(&i);
	fs_close(&i.dir);
	if (i.conf != NULL)
		conf_drop(&i.conf);
	buf_free(&i.text);
	return how;
}
