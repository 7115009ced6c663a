/* SPDX-License-Identifier: ISC */
/* run: finding a verb's row and running it, in house and in the command. */
#pragma once

#include "ctl/verb.h"

/* Takes --json out of the words, finds the row, runs it.  Rows with VERB_LOCAL
 * run only when `local`.  argv is changed. */
enum verb_exit run_words(struct verb_io *io, bool local, int argc, char **argv);
