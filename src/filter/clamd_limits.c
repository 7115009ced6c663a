/* SPDX-License-Identifier: ISC */
/* What clamd looks at, as its settings say, and what it would silently leave out. */
#include "filter/clamd_int.h"

enum {
	LEVEL_MESSAGE = 1, /* its count of nesting begins with the message, then an
			    * attachment; each archive and message adds one */
	LEVEL_ATTACHMENT = 1,
};

const struct clamd_limits clamd_default_limits = { .stream = 100 << 20,
	.file = 100 << 20,
	.scan = 400 << 20,
	.recursion = 17,
	.files = 10000,
	.scan_ms = 120 * 1000,
	.threads = 10 };

uint64_t
clamd_least(uint64_t most, uint64_t limit)
{
	return limit != 0 && limit < most ? limit : most;
}

uint64_t
clamd_scanned_whole(const struct clamd_limits *l, bool stream)
{
	uint64_t most = clamd_least(clamd_least(CLAMD_FILE_MOST, l->file), l->scan);

	return stream ? clamd_least(most, l->stream) : most;
}

/* clamd's parser takes these for yes, in any case, and what is none of either for an
 * error that ends it. */
static bool
says_yes(str value)
{
	return str_ieq(value, STR("yes")) || str_ieq(value, STR("true")) ||
	       str_ieq(value, STR("1"));
}

struct number_row {
	str name;
	uint64_t *at;
	bool seen;
};

/* Given twice: whichever clamd takes, the smaller is safe. */
static bool
take_number(struct number_row *row, str value)
{
	uint64_t n;

	if (clamd_size(value, &n) != RC_OK)
		return false;
	if (row->seen)
		n = n == 0 ? *row->at : *row->at == 0 ? n : clamd_least(n, *row->at);
	*row->at = n;
	row->seen = true;
	return true;
}

static void
take_flag(struct clamd_limits *l, str name, str value)
{
	if (str_ieq(name, STR("AlertExceedsMax")))
		l->alerts = says_yes(value);
	else if (str_ieq(name, STR("HeuristicScanPrecedence")))
		l->hasty |= says_yes(value);
	else if (str_ieq(name, STR("ScanMail")) || str_ieq(name, STR("ScanArchive")))
		l->blind |= !says_yes(value);
}

enum rc
clamd_limits_read(str text, struct clamd_limits *out, struct err *err)
{
	struct clamd_limits got = clamd_default_limits;
	struct number_row rows[] = {
		{ STR_INIT("StreamMaxLength"), &got.stream, false },
		{ STR_INIT("MaxFileSize"), &got.file, false },
		{ STR_INIT("MaxScanSize"), &got.scan, false },
		{ STR_INIT("MaxRecursion"), &got.recursion, false },
		{ STR_INIT("MaxFiles"), &got.files, false },
		{ STR_INIT("MaxScanTime"), &got.scan_ms, false },
		{ STR_INIT("MaxThreads"), &got.threads, false },
	};
	unsigned number = 0;
	str line, name, value;

	while (str_cut(&text, '\n', &line)) {
		number++;
		clamd_setting(line, &name, &value);
		take_flag(&got, name, value);
		for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
			if (str_ieq(name, rows[i].name) &&
				(line.len > CLAMD_LINE || !take_number(&rows[i], value)))
				return err_set(err, RC_BAD,
					"clamd's settings, line %u: no size", number);
	}
	*out = got;
	return RC_OK;
}

struct measure {
	const char *what, *limit;
	uint64_t n, most; /* 0: no limit */
};

/* Archives and attached messages around the deepest file, as clamd counts them. */
static uint64_t
levels_of(const struct content *c)
{
	uint64_t levels = c->archive_depth;

	for (size_t i = 0; i < c->nleaves; i++)
		if (c->leaves[i].depth > levels)
			levels = c->leaves[i].depth;
	return levels + LEVEL_MESSAGE + LEVEL_ATTACHMENT;
}

static uint64_t
largest_of(const struct content *c)
{
	uint64_t largest = c->member_most;

	for (size_t i = 0; i < c->nleaves; i++)
		if (c->leaves[i].size > largest)
			largest = c->leaves[i].size;
	return largest;
}

enum rc
clamd_sees(struct clamd *c, const struct content *content, uint64_t size,
	const char **limit, struct err *err)
{
	LOCK_AUTO held = lock_take(&c->lock);
	const struct clamd_limits *l = &c->limits;
	uint64_t all = content->unpacked > UINT64_MAX - size ? UINT64_MAX
							     : size + content->unpacked;
	const struct measure measures[] = {
		{ "the largest file", "MaxFileSize", largest_of(content),
			clamd_least(CLAMD_FILE_MOST, l->file) },
		{ "bytes, unpacked", "MaxScanSize", all, l->scan },
		{ "files", "MaxFiles", (uint64_t)content->members + content->parts,
			l->files },
		{ "levels", "MaxRecursion", levels_of(content), l->recursion },
		/* its reader of mail goes one further down into multiparts */
		{ "parts in parts", "MaxRecursion", content->depth,
			l->recursion == 0 ? 0 : l->recursion + 1 },
	};

	for (size_t i = 0; !c->peer.none && i < sizeof(measures) / sizeof(measures[0]);
		i++) {
		const struct measure *m = &measures[i];

		if (m->most == 0 || m->n <= m->most)
			continue;
		*limit = m->limit;
		return err_set(err, RC_PERM, "%s: %llu, and clamd's %s allows %llu",
			m->what, (unsigned long long)m->n, m->limit,
			(unsigned long long)m->most);
	}
	return RC_OK;
}

bool
clamd_is_thorough(struct clamd *c)
{
	LOCK_AUTO held = lock_take(&c->lock);

	return !c->limits.hasty;
}
