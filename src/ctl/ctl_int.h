/* SPDX-License-Identifier: ISC */
/*
 * The folder's own: the verbs' functions, for the table in verbs.c, and what
 * several of them share.
 */
#pragma once

#include "ctl/verb.h"

typedef enum verb_exit verb_fn(struct verb_io *io, int argc, char **argv);

/* verb_local.c: those that are about the instance and its server, not its data */
verb_fn verb_init, verb_serve, verb_check, verb_mime, verb_scan;

verb_fn verb_tls_show, verb_tls_ca, verb_tls_acme, verb_tls_acme_hook;

verb_fn verb_domain_add, verb_domain_list, verb_domain_remove, verb_domain_alias,
	verb_domain_catchall;
verb_fn verb_account_add, verb_account_list, verb_account_show, verb_account_disable,
	verb_account_enable, verb_account_remove, verb_account_password, verb_account_quota;
verb_fn verb_app_password_add, verb_app_password_list, verb_app_password_revoke;
verb_fn verb_alias_add, verb_alias_list, verb_alias_remove;
verb_fn verb_policy_show, verb_policy_set;
verb_fn verb_explain;
verb_fn verb_mailbox_list, verb_mailbox_read, verb_mailbox_search, verb_mailbox_restore;
verb_fn verb_ledger;
verb_fn verb_refusal_list, verb_refusal_show, verb_refusal_release, verb_refusal_dismiss;
verb_fn verb_audit, verb_verify;
verb_fn verb_status;
verb_fn verb_backup, verb_restore;

enum { VERB_ARGS = 64 };

/* The words left are from least to most; otherwise the usage is in io->err.  A
 * word that begins with "--" is an option that nobody took. */
bool verb_words(struct verb_io *io, const char *verb, int argc, char **argv, int least, int most);
/* VERB_DONE, and no sentence is left of what was looked for and not needed. */
enum verb_exit verb_done(struct verb_io *io);
/* The first line of the input, without its end. RC_BAD: there is none. */
enum rc verb_password(struct verb_io *io, str *out, struct err *err) MUST_CHECK;
/* "5.0" as thousandths; "10M" as bytes (K M G T, 1024). */
bool verb_fix(const char *text, int32_t *out);
bool verb_size(const char *text, uint64_t *out);
/* "12.3 MiB", for people. */
enum { VERB_SIZE_TEXT = 32 };
void verb_size_text(uint64_t bytes, char out[VERB_SIZE_TEXT]);
/* JSON text of a view; bytes that are no UTF-8 become '?'. */
json_t *verb_json_str(str s);
/* Of house, or of the command itself: told to whoever caches. */
void verb_changed(struct verb_io *io);
/* verb_search.c: what full text finds, to be freed; how many messages are not in it yet
 * (at least so many). */
struct verb_hits;
enum rc verb_search(struct verb_io *io, uint64_t account, int n, char **words,
	struct verb_hits **out) MUST_CHECK;
void verb_hits_free(struct verb_hits **hp);
enum rc verb_is_hit(const struct verb_hits *h, const struct msg_id *id, bool *hit, bool *sure,
	struct err *err) MUST_CHECK;
uint64_t verb_hits_account(const struct verb_hits *h);
uint64_t verb_hits_waiting(const struct verb_hits *h);
/* Everything of an account that is gone: messages, index, full text. */
enum rc verb_remove_mail(struct verb_io *io, uint64_t account) MUST_CHECK;
/* How full an account is, for directory_resolve(); arg is the verb_io. */
enum rc verb_usage_of(uint64_t account, uint64_t *bytes, void *arg);
/* Figures and processes of the running server, printed and put into `all`. */
void status_live(struct verb_io *io, json_t *all);
