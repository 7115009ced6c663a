/* SPDX-License-Identifier: ISC */
/*
 * hash: SipHash-2-4 under a key made at process start, for tables whose keys
 * strangers choose (RFC-less; Aumasson and Bernstein 2012).  base/map.h makes
 * uthash use it.  Never stored: the key is gone with the process.  Any thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint64_t hash_keyed(const void *data, size_t len);
uint64_t hash_sip24(const uint64_t key[2], const void *data, size_t len);
