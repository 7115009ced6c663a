/* SPDX-License-Identifier: ISC */
/*
 * ctl_proto: what travels over the control socket.  A grammar: no I/O.
 *
 *	request		"GPC1", words' bytes (4), input's bytes (4), the words (a count
 *			(4), then each with its length (4) before it), the input
 *	answer		frames: tag (1), length (4), bytes.  One CTL_HELLO as soon as
 *			somebody works at it, any number of CTL_OUT and CTL_ERR, one
 *			CTL_EXIT with one byte, the status
 *
 * Numbers are little-endian.  Limits are checked here; what is past them, or
 * not of this form, is RC_BAD.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
	CTL_HEAD = 12, CTL_WORDS_BYTES = 64 * 1024, CTL_WORDS = 1024,
	CTL_INPUT_BYTES = 64 * 1024 * 1024, CTL_FRAME_HEAD = 5, CTL_FRAME_BYTES = 64 * 1024,
};

enum ctl_tag { CTL_HELLO = 1, CTL_OUT, CTL_ERR, CTL_EXIT };

struct ctl_head {
	size_t words, input;		/* bytes that follow */
};

/* head and words; the input is sent after it as it is. */
void ctl_put_request(struct buf *b, int argc, char *const argv[], size_t input);
enum rc ctl_get_head(str bytes, struct ctl_head *out);		/* CTL_HEAD bytes */
/* The words as C strings in out[CTL_WORDS + 1], ended by NULL.  The bytes are
 * changed: each word gets its NUL in place. */
enum rc ctl_get_words(char *bytes, size_t len, char *out[CTL_WORDS + 1], int *argc);

void ctl_put_frame(enum ctl_tag tag, size_t len, unsigned char out[CTL_FRAME_HEAD]);
enum rc ctl_get_frame(const unsigned char head[CTL_FRAME_HEAD], enum ctl_tag *tag, size_t *len);
