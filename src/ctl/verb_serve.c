/* SPDX-License-Identifier: ISC */
/* serve: becomes the manager. */
#include "ctl/ctl_int.h"
#include "daemon/manager.h"

enum verb_exit
verb_serve(struct verb_io *io, int argc, char **argv)
{
	if (!verb_words(io, "serve", argc, argv, 0, 0))
		return VERB_USAGE;
	return manager_serve(io->conf_path) == 0 ? VERB_DONE : VERB_FAILED;
}
