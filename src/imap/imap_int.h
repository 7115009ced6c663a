/* SPDX-License-Identifier: ISC */
/*
 * imap_int: what the files of this folder offer each other; what a session is, is in
 * imap_state.h.
 */
#pragma once

#include "imap/imap_state.h"

/* Sets s->reply; always IMAP_DONE, so that a command can return it. */
enum imap_did imap_ok(struct imap_session *s, const char *code, const char *text);
enum imap_did imap_no(struct imap_session *s, const char *code, const char *text);
enum imap_did imap_bad(struct imap_session *s);	/* with what x->why wanted */
enum imap_did imap_badz(struct imap_session *s, const char *text);
/* What a lower level said: RC_LIMIT: NO [LIMIT] or [OVERQUOTA]…, RC_TEMP: NO [UNAVAILABLE] and one line in the log. */
enum imap_did imap_failed(struct imap_session *s, enum rc rc, const struct err *err);

static inline bool imap_utf8(const struct imap_session *s)
{
	return (s->enabled & (ENABLED_REV2 | ENABLED_UTF8)) != 0;
}
static inline bool imap_rev2(const struct imap_session *s)
{
	return (s->enabled & ENABLED_REV2) != 0;
}

/* True when enough has gathered: return IMAP_MORE. */
bool imap_full(struct imap_session *s);

/* ---- imap_sync.c: telling what has changed ---- */
/* EXISTS, RECENT, FETCH (FLAGS), EXPUNGE or VANISHED, if `still` without the last; with
 * box.telling not all of it yet. */
enum rc imap_sync(struct imap_session *s, bool still, struct err *err);
/* The client knows what it did itself: changes of this modseq to these UIDs have been told, or need
 * not be (.SILENT). */
void imap_told(struct imap_session *s, uint64_t modseq);
bool imap_is_own(const struct imap_box *b, uint64_t modseq);
/* One "* n FETCH (UID … FLAGS … MODSEQ …)". */
void imap_put_row(struct imap_session *s, size_t seq, const struct view_row *r, bool uid);
void imap_unselect(struct imap_session *s);
/* Once a client has used CONDSTORE in any way (RFC 7162 3.1). */
enum rc imap_enable_condstore(struct imap_session *s, struct err *err);

/* ---- sets ---- */
/* A resolved set of the command (UIDs, or numbers of the client's list) becomes UIDs that are in the
 * list, ascending, in cmd.mem.  RC_BAD: a number past the list's end (not for UIDs). */
enum rc imap_uids(struct imap_session *s, struct imap_set *set, bool uid, uint32_t **out,
	size_t *n, struct err *err) MUST_CHECK;

/* ---- imap_copy.c: removes those of the UIDs (NULL: of all) that are marked \Deleted, in turns of
 * the command; RC_NONE: there are no more.  *modseq of the last change, 0: there was none ---- */
enum rc imap_expunge_begin(struct imap_session *s, const uint32_t *uids, size_t n,
	struct err *err) MUST_CHECK;
enum rc imap_expunge_some(struct imap_session *s, uint64_t *modseq, struct err *err) MUST_CHECK;

/* ---- mailbox names ---- */
/* Parses a mailbox name; false: s->reply is set. */
bool imap_mailbox_arg(struct imap_session *s, str *name);
void imap_put_mailbox(struct imap_session *s, str name);

/* ---- imap_session.c ---- */
extern const char imap_shut_out[];	/* why, when pass_valid() says no */
void imap_then_tls(struct imap_session *s);
/* The client went away, or was late, in the middle of a command. */
enum imap_did imap_lost(struct imap_session *s);
/* A line of a dialogue within a command: CONN_OK, or IMAP_READ is to be returned, or
 * the session is lost or late (CONN_CLOSED, CONN_LONG). */
enum conn_got imap_line(struct imap_session *s, str *line);

/* ---- imap_append.c: does the literal that this beginning of a command ends in hold a message?
 * Then the command begins now, and reads it itself. ---- */
bool imap_append_wants(struct imap_session *s, str command);

/* ---- capabilities (imap_capability.c) ---- */
void imap_put_capabilities(struct imap_session *s, struct buf *b);

/* ---- one function for each command; the table names them ---- */
imap_run cmd_capability, cmd_enable;			/* imap_capability.c */
imap_run cmd_login, cmd_authenticate;			/* imap_login.c */
imap_run cmd_noop, cmd_check, cmd_logout, cmd_id, cmd_starttls, cmd_compress;	/* imap_plain.c */
imap_run cmd_idle;					/* imap_idle.c */
imap_run cmd_select, cmd_examine, cmd_close, cmd_unselect;	/* imap_select.c */
imap_run cmd_create, cmd_delete, cmd_rename, cmd_subscribe, cmd_unsubscribe;	/* imap_mailbox.c */
imap_run cmd_list, cmd_lsub, cmd_status, cmd_namespace;	/* imap_list.c */
imap_run cmd_getquota, cmd_getquotaroot, cmd_setquota;	/* imap_quota.c */
imap_run cmd_fetch, cmd_store;				/* imap_fetch*.c, imap_store.c */
imap_run cmd_search, cmd_sort, cmd_thread;		/* imap_search*.c, imap_sort.c, imap_thread.c */
imap_run cmd_copy, cmd_move, cmd_expunge;		/* imap_copy.c */
imap_run cmd_append, cmd_replace;			/* imap_append.c */
