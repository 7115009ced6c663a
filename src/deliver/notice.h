/* SPDX-License-Identifier: ISC */
/*
 * notice: mail of our own to the first domain's postmaster: a message stopped the
 * scanner twice and was refused unread.  At most one an hour, each exactly once
 * (held/refusals.h says how); it names sender, client and refusal, and nothing of
 * the message.
 */
#pragma once

#include "deliver/own.h"

struct notice_want {
	str hostname;
	struct directory *directory;
	struct refusals *refusals;
	struct own *own;
};

/* Sends what is due; quick when nothing is.  Any thread that may wait. */
enum rc notice_send(const struct notice_want *w, struct err *err) MUST_CHECK;
