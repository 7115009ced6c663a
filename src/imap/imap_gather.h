/* SPDX-License-Identifier: ISC */
/*
 * imap_gather: what imap_gather.c (from bytes to a command) and imap_session.c (from the command to
 * its answer) share.  The phases: gather, at_command, at_answer, and again.
 */
#pragma once

#include "imap/imap_state.h"

session_phase imap_gather, imap_at_command, imap_at_answer;

enum session_step imap_send(struct imap_session *s);	/* STEP_GO: all of s->out has left */
/* All that was written is sent, and read as soon as there is something. */
enum session_step imap_read_on(struct imap_session *s);
enum session_step imap_bye(struct imap_session *s, const char *text);
void imap_heard(struct imap_session *s);	/* the peer did something: it has time again */
void imap_put_reply(struct imap_session *s, str tag);
void imap_forget_command(struct imap_session *s);
