/* SPDX-License-Identifier: ISC */
/* What uacme calls for each challenge.  TOKEN and AUTH come from the CA. */
#include <stdio.h>

#include "base/fs.h"
#include "daemon/acme_int.h"

enum { CHALLENGES = 3 };

/* RFC 8555 8.1: base64url; an AUTH is two of them and a dot between.  So a TOKEN
 * names a file in the folder and nothing else. */
static bool
is_base64url(const char *text, size_t most, bool dots)
{
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i++) {
		char c = text[i];

		if ((c < '0' || c > '9') && (c < 'A' || c > 'Z') &&
			(c < 'a' || c > 'z') && c != '-' && c != '_' &&
			!(dots && c == '.'))
			return false;
	}
	return n > 0 && n <= most;
}

enum rc
acme_hook(int folder, int argc, char **argv, struct err *err)
{
	enum { METHOD, TYPE, IDENT, TOKEN, AUTH, WORDS };

	if (argc != WORDS)
		return err_set(err, RC_BAD, "METHOD TYPE IDENT TOKEN AUTH are wanted");
	/* uacme goes on to the next kind of challenge that the CA offers */
	if (strcmp(argv[TYPE], "http-01") != 0)
		return err_set(err, RC_BAD, "only http-01 is done here");
	if (!is_base64url(argv[TOKEN], ACME_TOKEN, false) ||
		!is_base64url(argv[AUTH], ACME_AUTH, true))
		return err_set(err, RC_BAD, "that is no token of a challenge");
	if (strcmp(argv[METHOD], "begin") == 0)
		return fs_replace(folder, argv[TOKEN], 0640, str_of(argv[AUTH]), err);
	if (strcmp(argv[METHOD], "done") != 0 && strcmp(argv[METHOD], "failed") != 0)
		return err_set(err, RC_BAD, "begin, done or failed is wanted");
	return fs_unlink(folder, argv[TOKEN], err);
}

int
acme_hook_main(int argc, char **argv)
{
	struct err err = { 0 };

	if (acme_hook(CHALLENGES, argc - 1, argv + 1, &err) == RC_OK)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", ACME_HOOK, err.text);
	return 1;
}
