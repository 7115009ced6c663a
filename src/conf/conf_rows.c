/* SPDX-License-Identifier: ISC */
#include "conf/conf_int.h"

#define CONF(name_, type_, standard_, min_, max_, doc_, ...)    \
	{ .section = TITLE,                                     \
		.name = #name_,                                 \
		.type = TYPE_##type_,                           \
		.offset = offsetof(struct conf, SECTION.name_), \
		.standard = standard_,                          \
		.min = min_,                                    \
		.max = max_,                                    \
		.doc = doc_,                                    \
		.words = { __VA_ARGS__ } },

const struct conf_row conf_rows[] = {
#define TITLE   ""
#define SECTION server
#include "conf/server.def"
#undef TITLE
#undef SECTION
#define TITLE   "smtp"
#define SECTION smtp
#include "conf/smtp.def"
#undef TITLE
#undef SECTION
#define TITLE   "limits"
#define SECTION limits
#include "conf/limits.def"
#undef TITLE
#undef SECTION
#define TITLE   "tls"
#define SECTION tls
#include "conf/tls.def"
#undef TITLE
#undef SECTION
#define TITLE   "clamav"
#define SECTION clamav
#include "conf/clamav.def"
#undef TITLE
#undef SECTION
#define TITLE   "filter"
#define SECTION filter
#include "conf/filter.def"
#undef TITLE
#undef SECTION
#define TITLE   "held"
#define SECTION held
#include "conf/held.def"
#undef TITLE
#undef SECTION
#define TITLE   "sandbox"
#define SECTION sandbox
#include "conf/sandbox.def"
#undef TITLE
#undef SECTION
#define TITLE   "store"
#define SECTION store
#include "conf/store.def"
#undef TITLE
#undef SECTION
#define TITLE   "imap"
#define SECTION imap
#include "conf/imap.def"
#undef TITLE
#undef SECTION
#define TITLE   "login"
#define SECTION login
#include "conf/login.def"
#undef TITLE
#undef SECTION
#define TITLE   "web"
#define SECTION web
#include "conf/web.def"
#undef TITLE
#undef SECTION
#define TITLE   "acme"
#define SECTION acme
#include "conf/acme.def"
#undef TITLE
#undef SECTION
#define TITLE   "dns"
#define SECTION dns
#include "conf/dns.def"
#undef TITLE
#undef SECTION
#define TITLE   "test"
#define SECTION test
#include "conf/test.def"
	{ .name = NULL },
};
