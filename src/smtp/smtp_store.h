/* SPDX-License-Identifier: ISC */
/*
 * smtp_store: making a verdict true: trace block, forged fields, the file's
 * name, its sync, the journal's record (doc/commit-order.md).
 *
 * Blocking; verdict pool only.  RC_OK, RC_LIMIT (disk full) or RC_TEMP with
 * v->err; then nothing is left of what was begun.
 */
#pragma once

#include "smtp/smtp_verdict.h"

/* The spooled file as it is to be kept: trace block written, forged fields renamed.
 * Once; further calls find it done. */
enum rc smtp_finish_file(struct smtp_verdict *v) MUST_CHECK;
/* Somebody takes it: file and record are on disk, or the same message was
 * committed before and `again` and `answered` say so. */
enum rc smtp_store(struct smtp_verdict *v) MUST_CHECK;
/* Nobody takes it: the record alone.  Who cannot help a failure may ignore it. */
enum rc smtp_record(struct smtp_verdict *v);
