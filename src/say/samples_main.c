/* SPDX-License-Identifier: ISC */
/* say_samples FOLDER: every page and letter in every language, to be looked at; ui/ beside them.
 * python3 -m http.server --directory FOLDER shows them. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say/samples.h"

static int
put_file(int dir, const char *name, str text)
{
	int fd = openat(dir, name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
	bool ok = fd >= 0 && write(fd, text.ptr, text.len) == (ssize_t)text.len;

	if (fd >= 0)
		(void)close(fd);
	return ok ? 0 : 1;
}

static int
put_samples(int dir, const struct sentences *s, const struct templates *t)
{
	str tags[SENTENCES_LANGUAGES];
	size_t n = sentences_tags(s, tags);
	struct err err = { 0 };
	char name[80];

	for (const struct sample *p = samples; p->name != NULL; p++) {
		for (unsigned l = 0; l < n; l++) {
			BUF_AUTO out = BUF(1024 * 1024);

			if (sample_put(p, s, t, l, &out, &err) != RC_OK) {
				(void)fprintf(stderr, "%s: %s\n", p->name, err.text);
				return 1;
			}
			(void)snprintf(name, sizeof(name), "%s-" STR_FMT "%s", p->name,
				STR_ARG(tags[l]), strrchr(p->file, '.'));
			if (put_file(dir, name, buf_str(&out)) != 0)
				return 1;
		}
	}
	return 0;
}

static int
put_assets(int dir)
{
	(void)mkdirat(dir, "ui", 0755);
	for (const struct ui_asset *a = ui_assets; a->name != NULL; a++)
		if (put_file(dir, a->url + 1, a->data) != 0)
			return 1;
	return 0;
}

int
main(int argc, char **argv)
{
	int dir = argc == 2 ? open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	struct sentences *s = NULL;
	struct templates *t = NULL;
	struct err err = { 0 };

	if (dir < 0) {
		(void)fprintf(stderr, "say_samples FOLDER\n");
		return 2;
	}
	if (sentences_new(ui_texts, ui_ntexts, &s, &err) != RC_OK ||
		templates_new(ui_pages, ui_npages, s, &t, &err) != RC_OK) {
		(void)fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	return put_samples(dir, s, t) != 0 || put_assets(dir) != 0;
}
