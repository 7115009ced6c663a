/* SPDX-License-Identifier: ISC */
/* rights: what the one program that is not ours may read (rights.c). */
#pragma once

#include "daemon/cage.h"

extern const struct cage_path uacme_reads[];
