/* SPDX-License-Identifier: ISC */
/*
 * stream: where a compressed stream ends, if something else stands behind it.  libarchive
 * gives nothing of such zstd and xz files, other programs give all of them.  Any thread.
 */
#pragma once

#include "scan/magic.h"

/* bytes.len where it is not known. */
size_t stream_end(enum magic_open how, str bytes);
