/* SPDX-License-Identifier: ISC */
#include "ctl/verb.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>

#include "ctl/ctl_int.h"

enum { LINE = 64 * 1024, NUMBER = 40 };

enum verb_exit
verb_usage(struct verb_io *io, const struct verb *v)
{
	(void)err_set(
		&io->err, RC_BAD, "usage: gatepost -c FILE %s %s", v->words, v->usage);
	return VERB_USAGE;
}

enum verb_exit
verb_fail(struct verb_io *io, enum rc rc)
{
	if (io->err.text[0] == '\0')
		(void)err_set(&io->err, rc,
			"it could not be done, and the reason was not told; "
			"the server's log may know");
	io->err.rc = rc;
	return VERB_FAILED;
}

enum verb_exit
verb_done(struct verb_io *io)
{
	io->err = (struct err){ 0 };
	return VERB_DONE;
}

void
verb_printf(struct verb_io *io, const char *fmt, ...)
{
	char line[1024];
	char *large = NULL;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n < sizeof(line)) {
		io->out(io, (str){ line, (size_t)n });
		return;
	}
	large = malloc((size_t)n + 1);
	if (large == NULL)
		abort();
	va_start(ap, fmt);
	(void)vsnprintf(large, (size_t)n + 1, fmt, ap);
	va_end(ap);
	io->out(io, (str){ large, (size_t)n });
	free(large);
}

static int
dump(const char *bytes, size_t len, void *arg)
{
	struct verb_io *io = arg;

	io->out(io, (str){ bytes, len });
	return 0;
}

void
verb_json(struct verb_io *io, json_t *value)
{
	(void)json_dump_callback(value, dump, io, JSON_COMPACT | JSON_ENCODE_ANY);
	io->out(io, STR("\n"));
	json_decref(value);
}

const char *
verb_option(int *argc, char **argv, const char *name)
{
	for (int i = 0; i + 1 < *argc; i++) {
		const char *value = argv[i + 1];

		if (strcmp(argv[i], name) != 0)
			continue;
		for (int j = i + 2; j < *argc; j++)
			argv[j - 2] = argv[j];
		*argc -= 2;
		return value;
	}
	return NULL;
}

bool
verb_switch(int *argc, char **argv, const char *name)
{
	for (int i = 0; i < *argc; i++) {
		if (strcmp(argv[i], name) != 0)
			continue;
		for (int j = i + 1; j < *argc; j++)
			argv[j - 1] = argv[j];
		*argc -= 1;
		return true;
	}
	return false;
}

enum rc
verb_password(struct verb_io *io, str *out, struct err *err)
{
	str rest = io->input, line;

	if (!str_cut(&rest, '\n', &line))
		line = (str){ 0 };
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (str_empty(line))
		return err_set(err, RC_BAD,
			"standard input holds no password; give it as the "
			"first line");
	*out = line;
	return RC_OK;
}

bool
verb_fix(const char *text, int32_t *out)
{
	str rest = str_of(text), whole;
	uint64_t units, thousandths = 0;

	if (!str_cut(&rest, '.', &whole) || !str_u64(whole, 1000000, &units) ||
		rest.len > 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		char c = i < rest.len ? rest.ptr[i] : '0';

		if (c < '0' || c > '9')
			return false;
		thousandths = thousandths * 10 + (uint64_t)(c - '0');
	}
	*out = (int32_t)(units * 1000 + thousandths);
	return true;
}

bool
verb_size(const char *text, uint64_t *out)
{
	static const char suffixes[] = "KMGT";
	str s = str_of(text);
	uint64_t n, factor = 1;

	if (s.len > 1 && s.ptr[s.len - 1] > '9') {
		const char *at = strchr(suffixes, s.ptr[s.len - 1] & ~0x20);

		if (at == NULL || *at == '\0')
			return false;
		for (const char *c = suffixes; c <= at; c++)
			factor *= 1024;
		s.len--;
	}
	if (!str_u64(s, (1ull << 50) / factor, &n))
		return false;
	*out = n * factor;
	return true;
}

void
verb_size_text(uint64_t bytes, char out[VERB_SIZE_TEXT])
{
	static const char units[][4] = { "KiB", "MiB", "GiB", "TiB" };
	uint64_t tenths = bytes * 10;
	size_t unit = 0;

	if (bytes < 1024) {
		(void)snprintf(out, VERB_SIZE_TEXT, "%" PRIu64 " B", bytes);
		return;
	}
	for (tenths /= 1024; tenths >= 10240 && unit < 3; unit++)
		tenths /= 1024;
	(void)snprintf(out, VERB_SIZE_TEXT, "%" PRIu64 ".%u %s", tenths / 10,
		(unsigned)(tenths % 10), units[unit]);
}

json_t *
verb_json_str(str s)
{
	json_t *value = json_stringn(s.len > 0 ? s.ptr : "", s.len);

	if (value != NULL)
		return value;
	char *copy = malloc(s.len + 1);
	if (copy == NULL)
		abort();
	for (size_t i = 0; i < s.len; i++)
		copy[i] = (unsigned char)s.ptr[i] < 0x80 ? s.ptr[i] : '?';
	value = json_stringn(copy, s.len);
	free(copy);
	return value;
}

void
verb_changed(struct verb_io *io)
{
	if (io->changed_accounts != NULL)
		io->changed_accounts(io);
}

enum rc
verb_usage_of(uint64_t account, uint64_t *bytes, void *arg)
{
	struct verb_io *io = arg;
	struct store_usage usage = { 0 };
	enum rc rc = store_usage(io->store, account, &usage, NULL);

	if (rc == RC_OK)
		*bytes = usage.bytes;
	return rc;
}
