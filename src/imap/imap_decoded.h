/* SPDX-License-Identifier: ISC */
/*
 * imap_decoded: how much of this process's memory decoded parts take.
 *
 * A part that a scanner has decoded is a memfd until its client has read it, which may be slow.
 * All sessions together hold a limited number of bytes, and an account no more than half of them.
 * Any thread.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False: there is no room now. */
bool decoded_take(uint64_t account, uint64_t bytes, uint64_t most);
void decoded_give(uint64_t account, uint64_t bytes);
