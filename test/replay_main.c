/* SPDX-License-Identifier: ISC */
/*
 * replay_main: runs a fuzz target over every file of the folders given, so that
 * what a fuzzer once found stays found, with any compiler.  An empty input and
 * every prefix of a small file are tried as well.
 */
#include <dirent.h>
#include <stdint.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { REPLAY_MOST = 4 * 1024 * 1024, REPLAY_PREFIXES = 512 };

/* The target gets a block of exactly this size, so that ASan sees one byte too many. */
static void
try(const uint8_t *data, size_t size)
{
	uint8_t *block = malloc(size ? size : 1);

	if (!block)
		abort();
	if (size)
		memcpy(block, data, size);
	LLVMFuzzerTestOneInput(block, size);
	free(block);
}

static int
replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(REPLAY_MOST);

	if (!f || !data) {
		fprintf(stderr, "%s cannot be read\n", path);
		return 1;
	}
	size_t size = fread(data, 1, REPLAY_MOST, f);
	fclose(f);
	for (size_t n = 0; n < size && n < REPLAY_PREFIXES; n++)
		try(data, n);
	try(data, size);
	free(data);
	return 0;
}

static int
replay_folder(const char *folder)
{
	DIR *d = opendir(folder);
	int bad = 0;

	if (!d)
		return 0;
	for (struct dirent *e; (e = readdir(d));) {
		char path[4096];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
		bad |= replay_file(path);
	}
	closedir(d);
	return bad;
}

int
main(int argc, char **argv)
{
	int bad = 0;

	try((const uint8_t *)"", 0);
	for (int i = 1; i < argc; i++)
		bad |= replay_folder(argv[i]);
	return bad;
}
