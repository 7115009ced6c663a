/* SPDX-License-Identifier: ISC */
/*
 * proxy2: the PROXY protocol's version 2 header (HAProxy's proxy-protocol.txt,
 * 2.2).  A grammar: no I/O.  TCP over IPv4 and IPv6; LOCAL and other families
 * keep the connection's own addresses; TLVs are skipped.
 */
#pragma once

#include "base/ip.h"

enum { PROXY2_MOST = 16 + 1024 };	/* longest header accepted */

/* RC_OK: *used bytes were the header; *from and *to are set unless it was
 * LOCAL or not IP.  RC_NONE: not all there yet.  RC_BAD: not a header. */
enum rc proxy2_parse(str bytes, size_t *used, struct ip *from, struct ip *to);
