/* SPDX-License-Identifier: ISC */
/* check: what is wrong, or will be, in sentences. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "ctl/ctl_int.h"
#include "ctl/tls_rows.h"
#include "daemon/cage.h"
#include "daemon/instance.h"
#include "daemon/listen.h"
#include "filter/clamd.h"
#include "wire/jrec.h"
#include "net/chan.h"

enum { SOON_DAYS = 21, DAY_MS = 86400000, CLAMD_CONF = 1 << 20 };

struct check {
	struct verb_io *io;
	struct instance in;
	unsigned wrong;
	json_t *list; /* with --json */
	char *ca;
	size_t ca_len;
};

static void
say(struct check *c, bool wrong, const char *text)
{
	c->wrong += wrong;
	if (c->list != NULL) {
		json_t *row = json_object();

		(void)json_object_set_new(row, "wrong", json_boolean(wrong));
		(void)json_object_set_new(row, "text", verb_json_str(str_of(text)));
		(void)json_array_append_new(c->list, row);
		return;
	}
	verb_printf(c->io, "%s %s.\n", wrong ? "WRONG" : "ok   ", text);
}

PRINTF(3, 4)
static void
sayf(struct check *c, bool wrong, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say(c, wrong, text);
}

static void
say_wrong(const char *sentence, void *arg)
{
	say(arg, true, sentence);
}

static void
say_either(bool wrong, const char *sentence, void *arg)
{
	say(arg, wrong, sentence);
}

/* --- keys --- */

static enum rc
check_pair(const char *name, str cert, str key, void *arg, struct err *err)
{
	struct check *c = arg;
	const char *host = c->in.conf->server.hostname.ptr;
	bool hosts = str_ieq(str_of(name), str_of(host));
	struct cert_facts f;
	uint64_t now = clock_wall_ms();

	if (cert_look(cert, key, (str){ c->ca, c->ca_len }, host, &f, err) != RC_OK) {
		sayf(c, true, "keys/tls/%s: %s", name, err->text);
		return RC_OK;
	}
	uint64_t days = f.until_ms > now ? (f.until_ms - now) / DAY_MS : 0;
	if (f.until_ms <= now)
		sayf(c, true, "the certificate keys/tls/%s.crt has expired", name);
	else if (f.from_ms > now)
		sayf(c, true, "the certificate keys/tls/%s.crt is not valid yet", name);
	else
		sayf(c, days < SOON_DAYS,
			"the certificate keys/tls/%s.crt is valid for %" PRIu64 " days",
			name, days);
	if (hosts && !f.names_host)
		sayf(c, true, "the certificate keys/tls/%s.crt does not name %s", name,
			host);
	return RC_OK;
}

static void
check_keys(struct check *c)
{
	struct err err = { 0 };
	FD_AUTO keys = openat(c->in.dir, c->in.conf->server.keys.ptr,
		O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (keys >= 0)
		(void)!fs_read_all(keys, "ca.crt", 65536, &c->ca, &c->ca_len, NULL);
	if (instance_each_pair(&c->in, check_pair, c, &err) != RC_OK)
		say(c, true, err.text);
}

/* What refused originals are sealed with. */
static void
check_held_keys(struct check *c)
{
	struct held_keys k = { 0 };
	struct err err = { 0 };

	if (instance_held_keys(&c->in, &k, &err) != RC_OK)
		say(c, true, err.text);
	else if (!k.has_private && !k.has_public)
		say(c, true,
			"keys/held.key and keys/held.pub are missing: nothing that is "
			"refused is held; `gatepost serve` makes them when it starts");
	else if (!k.has_private)
		say(c, true,
			"keys/held.key is missing: originals are held, but none can be "
			"released");
	else if (!k.has_public)
		say(c, true,
			"keys/held.pub is missing: nothing that is refused is held; "
			"`gatepost serve` makes it anew when it starts");
	else
		say(c, false, "the keys of held originals belong together");
	wipe(&k, sizeof(k));
}

/* --- clamd --- */

static void
check_clamd_limits(struct check *c, struct clamd *clamd)
{
	const struct conf *conf = c->in.conf;
	struct clamd_limits l;
	struct err err = { 0 };
	char *text = NULL;
	size_t len = 0;

	if (str_empty(conf->clamav.conf) ||
		fs_read_all(AT_FDCWD, conf->clamav.conf.ptr, CLAMD_CONF, &text, &len,
			&err) != RC_OK)
		sayf(c, false,
			"note: clamd's settings (%s) cannot be read; its default limits "
			"are assumed",
			conf->clamav.conf.ptr);
	if (clamd_limits_read((str){ text, len }, &l, &err) != RC_OK) {
		sayf(c, true, "clamd's settings: %s", err.text);
	} else {
		uint64_t least = l.scan;

		clamd_set_limits(clamd, &l);
		if (least == 0 || (l.file != 0 && l.file < least))
			least = l.file;
		sayf(c, least != 0 && least < conf->smtp.max_size + TRACE_BLOCK,
			"clamd scans up to %" PRIu64
			" bytes of a message (0: all), ours may have %" PRIu64
			"; larger ones are refused",
			least, conf->smtp.max_size);
		if (l.blind)
			say(c, true,
				"clamd does not look into mail or archives (its ScanMail or "
				"ScanArchive is off)");
		if (!l.alerts)
			say(c, false,
				"note: clamd's AlertExceedsMax is off: what it leaves out "
				"within documents it does not say; with it on such messages "
				"are refused");
	}
	free(text);
}

static void
check_clamd(struct check *c)
{
	const struct conf *conf = c->in.conf;
	char virus[CLAMD_NAME];
	struct err err = { 0 };
	FD_AUTO fd = -1;
	const str mail = STR("Subject: gatepost check\r\n\r\nNothing.\r\n");

	if (str_empty(conf->clamav.socket)) {
		say(c, false,
			"note: there is no virus scanning ([clamav] socket is empty)");
		return;
	}
	struct clamd *clamd = clamd_new(conf);
	check_clamd_limits(c, clamd);
	uint64_t until = clock_ms() + conf->clamav.timeout;
	if (chan_memfd("check", mail, &fd, &err) != RC_OK ||
		clamd_scan(clamd, fd, mail.len, until, virus, &err) != RC_OK)
		sayf(c, true,
			"clamd at %s does not scan: %s; mail is answered \"not now\" until "
			"it does",
			conf->clamav.socket.ptr, err.text);
	else if (clamd_probe(clamd, until, &err) != RC_OK)
		sayf(c, true, "clamd: %s", err.text);
	else
		sayf(c, false, "clamd at %s scans what it is given",
			conf->clamav.socket.ptr);
	clamd_free(&clamd);
}

/* --- the rest --- */

static void
check_kernel(struct check *c)
{
	unsigned abi = cage_abi();
	bool required = c->in.conf->sandbox.mode == CONF_SANDBOX_REQUIRED;

	if (abi < CAGE_ABI_LEAST || !cage_has_seccomp())
		sayf(c, required,
			"this kernel cannot cage processes (Landlock ABI %u, at least %d "
			"is needed)",
			abi, CAGE_ABI_LEAST);
	else
		sayf(c, false, "this kernel can cage processes (Landlock ABI %u)", abi);
}

static void
check_ports(struct check *c, bool running)
{
	struct listeners l;
	struct err err = { 0 };

	if (running) {
		say(c, false, "a server is running");
		return;
	}
	if (listen_open(c->in.conf, &l, &err) != RC_OK) {
		say(c, true, err.text);
		return;
	}
	sayf(c, false, "no server is running, and its ports are free (SMTP: %u)",
		conf_port(c->in.conf, 25));
	listen_close(&l);
}

/* Last, because root becomes the databases' owner for it. */
static void
check_databases(struct check *c)
{
	const struct directory_want d = { .data = c->in.data, .conf = c->in.conf };
	const struct store_want s = { .data = c->in.data, .cache_bytes = 1 << 20 };
	const struct ledger_want l = { .data = c->in.data };
	struct directory *directory = NULL;
	struct store *store = NULL;
	struct ledger *ledger = NULL;
	struct err err = { 0 };
	unsigned before = c->wrong;

	if (instance_become_owner(&c->in, &err) != RC_OK ||
		directory_open(&d, &directory, &err) != RC_OK ||
		directory_check(directory, say_wrong, c, &err) != RC_OK ||
		store_open(&s, &store, &err) != RC_OK ||
		ledger_open(&l, &ledger, &err) != RC_OK)
		sayf(c, true, "the databases: %s", err.text);
	else if (c->wrong == before)
		say(c, false,
			"the databases open (`gatepost verify` reads them through)");
	if (ledger != NULL)
		ledger_close(&ledger);
	if (store != NULL)
		store_close(&store);
	if (directory != NULL)
		directory_close(&directory);
}

static void
check_all(struct check *c)
{
	struct err err = { 0 };

	if (instance_open(c->io->conf_path, &c->in, &err) != RC_OK) {
		say(c, true, err.text);
		return;
	}
	sayf(c, false, "the settings of %s can be read", c->in.conf->server.hostname.ptr);
	bool running = instance_lock(&c->in, &err) == RC_LIMIT;
	unsigned before = c->wrong;
	instance_check_folders(&c->in, say_wrong, c);
	if (c->wrong == before)
		say(c, false, "the data folders are there, with their owners");
	check_keys(c);
	tls_check(&c->in, running, say_either, c);
	check_held_keys(c);
	check_kernel(c);
	check_ports(c, running);
	sayf(c, false, "resolver: %s",
		str_empty(c->in.conf->dns.resolver) ? "the system's"
						    : c->in.conf->dns.resolver.ptr);
	check_clamd(c);
	if (!running)
		check_databases(c);
}

enum verb_exit
verb_check(struct verb_io *io, int argc, char **argv)
{
	struct check c = { .io = io, .in = INSTANCE_NONE };

	if (!verb_words(io, "check", argc, argv, 0, 0))
		return VERB_USAGE;
	if (io->json)
		c.list = json_array();
	check_all(&c);
	if (c.list != NULL)
		verb_json(io, c.list);
	free(c.ca);
	instance_close(&c.in);
	if (c.wrong == 0)
		return VERB_DONE;
	(void)err_set(&io->err, RC_BAD, "%u thing%s wrong", c.wrong,
		c.wrong == 1 ? " is" : "s are");
	return VERB_FAILED;
}
