/* SPDX-License-Identifier: ISC */
#include "test/test.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST = 512, FOLDERS = 4096 };

static struct CMUnitTest tests[MOST];
static size_t count;
static char *folders[FOLDERS];
static size_t nfolders;

void
test_register(const char *name, void (*fn)(void **state))
{
	if (count == MOST)
		abort();
	tests[count++] = (struct CMUnitTest){ .name = name, .test_func = fn };
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

const char *
test_folder(void)
{
	const char *tmp = getenv("TMPDIR");
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/gatepost-test-XXXXXX", tmp ? tmp : "/tmp");
	if (nfolders == FOLDERS || mkdtemp(path) == NULL)
		abort();
	folders[nfolders] = strdup(path);
	if (folders[nfolders] == NULL)
		abort();
	return folders[nfolders++];
}

int
main(int argc, char **argv)
{
	int failed;

	if (argc > 1) {
		size_t kept = 0;

		for (size_t i = 0; i < count; i++)
			if (strstr(tests[i].name, argv[1]) != NULL)
				tests[kept++] = tests[i];
		count = kept;
	}
	failed = _cmocka_run_group_tests("gatepost", tests, count, NULL, NULL);
	for (size_t i = 0; i < nfolders; i++) {
		(void)nftw(folders[i], remove_one, 16, FTW_DEPTH | FTW_PHYS);
		free(folders[i]);
	}
	return failed == 0 ? 0 : 1;
}
