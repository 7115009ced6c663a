/* SPDX-License-Identifier: ISC */
/*
 * conf: settings, one .def file a section, one row a setting.
 *
 * A row is CONF(name, type, default, min, max, doc[, words…]).  The struct, the
 * parser, the defaults, conf_dump() and gatepost.conf(5) are made from the rows.
 *
 *	type   C type      written as
 *	str    str         text to the end of the line; NUL-terminated
 *	num    uint64_t    decimal number
 *	size   uint64_t    bytes; suffix K M G T (1024)
 *	secs   uint64_t    MILLISECONDS in the struct; suffix ms s m h d w; of the
 *	                   row's bounds min is milliseconds, max seconds
 *	fix    int32_t     thousandths; written with a point: 5.0
 *	flag   bool        yes | no
 *	word   unsigned    index into the words of the row
 *
 * Lines: `key = value`, `[section]`, `#` comment; UTF-8, at most 4,096 bytes
 * a line, 1 MiB a file.  Unknown keys and sections, and a key given twice, are
 * errors that name the line.
 *
 * A struct conf never changes once loaded.  It is counted: whoever keeps it
 * beyond a call takes a reference (conf_keep) and drops it (conf_drop); a
 * reload makes a new one, sessions go on with what they began with.  Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

typedef str conf_str;
typedef uint64_t conf_num, conf_size, conf_secs;
typedef int32_t conf_fix;
typedef bool conf_flag;
typedef unsigned conf_word;

#define CONF(name, type, ...)	conf_##type name;
struct conf_server {
#include "conf/server.def"
};
struct conf_smtp {
#include "conf/smtp.def"
};
struct conf_limits {
#include "conf/limits.def"
};
struct conf_tls {
#include "conf/tls.def"
};
struct conf_clamav {
#include "conf/clamav.def"
};

struct conf_filter {
#include "conf/filter.def"
};
struct conf_held {
#include "conf/held.def"
};
struct conf_sandbox {
#include "conf/sandbox.def"
};
struct conf_store {
#include "conf/store.def"
};
struct conf_imap {
#include "conf/imap.def"
};
struct conf_login {
#include "conf/login.def"
};
struct conf_web {
#include "conf/web.def"
};
struct conf_acme {
#include "conf/acme.def"
};
struct conf_dns {
#include "conf/dns.def"
};
struct conf_test {
#include "conf/test.def"
};
#undef CONF

enum { CONF_ENFORCE, CONF_OBSERVE };			/* server.filter */
enum { CONF_NEWLINE_REFUSE, CONF_NEWLINE_NORMALIZE };	/* smtp.bare_newline */
enum { CONF_TLS_1_2, CONF_TLS_1_3 };			/* tls.minimum */
enum { CONF_SANDBOX_REQUIRED, CONF_SANDBOX_BEST };	/* sandbox.mode */

struct conf {
	struct conf_server server;	/* rows before the first [section] */
	struct conf_smtp smtp;
	struct conf_limits limits;
	struct conf_tls tls;
	struct conf_clamav clamav;
	struct conf_filter filter;
	struct conf_held held;
	struct conf_sandbox sandbox;
	struct conf_store store;
	struct conf_imap imap;
	struct conf_login login;
	struct conf_web web;
	struct conf_acme acme;
	struct conf_dns dns;
	struct conf_test test;
};

/* Reads settings text; *out has one reference.  RC_BAD names file and line. */
enum rc conf_parse(str text, const char *file, const struct conf **out, struct err *err)
	MUST_CHECK;
enum rc conf_load(const char *path, const struct conf **out, struct err *err) MUST_CHECK;
const struct conf *conf_keep(const struct conf *c);
void conf_drop(const struct conf **cp);		/* sets *cp to NULL */

void conf_dump(const struct conf *c, struct buf *out);	/* every setting, as it is */
/* The settings part of gatepost.conf(5), in mdoc(7). */
void conf_manual(struct buf *out);

/* A settings file for `init`: every setting with its words as a comment, and
 * those of `set` (of the part before the first section; ended by name NULL)
 * really set. */
struct conf_given {
	const char *name, *value;
};

void conf_template(const struct conf_given *set, struct buf *out);

/* Scanner processes: [limits] scanners, or one for each core. */
unsigned conf_scanners(const struct conf *c);
/* The port for a standard one: port + port_offset. */
unsigned conf_port(const struct conf *c, unsigned standard);
/* "https://HOST[:PORT]/r/", what a refusal's token is added to. */
void conf_link_base(const struct conf *c, char out[320]);
