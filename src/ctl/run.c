/* SPDX-License-Identifier: ISC */
#include "ctl/run.h"

enum verb_exit
run_words(struct verb_io *io, bool local, int argc, char **argv)
{
	int used = 0;

	io->json = verb_switch(&argc, argv, "--json");
	const struct verb *v = verb_find(argc, argv, &used);
	if (v == NULL) {
		(void)err_set(&io->err, RC_BAD,
			"there is no such command: %s; see gatepost --help",
			argc > 0 ? argv[0] : "");
		return VERB_USAGE;
	}
	if ((v->flags & VERB_LOCAL) != 0 && !local) {
		(void)err_set(
			&io->err, RC_BAD, "%s does not run inside the server", v->words);
		return VERB_USAGE;
	}
	return v->run(io, argc - used, argv + used);
}
