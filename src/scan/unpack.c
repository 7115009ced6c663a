/* SPDX-License-Identifier: ISC */
#include "scan/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <assert.h>
#include <locale.h>
#include <pthread.h>

#include "scan/lump.h"

enum { PIECE = 64 * 1024, RETRIES = 16 };

static locale_t utf8;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
open_locale(void)
{
	utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
}

void
unpack_prepare(void)
{
	(void)pthread_once(&once, open_locale);
}

/* A zip is read by its directory, which is what people's programs do. */
static const struct {
	int (*format)(struct archive *);
	int filter; /* instead: one stream */
	int (*bidding)(struct archive *); /* instead: libarchive 3.6 cannot append it */
} ways[OPEN_ARCHIVES] = {
	[OPEN_ZIP] = { archive_read_support_format_zip_seekable, 0, NULL },
	[OPEN_RAR] = { archive_read_support_format_rar, 0, NULL },
	[OPEN_RAR5] = { archive_read_support_format_rar5, 0, NULL },
	[OPEN_7Z] = { archive_read_support_format_7zip, 0, NULL },
	[OPEN_TAR] = { archive_read_support_format_tar, 0, NULL },
	[OPEN_CPIO] = { archive_read_support_format_cpio, 0, NULL },
	[OPEN_CAB] = { archive_read_support_format_cab, 0, NULL },
	[OPEN_LHA] = { archive_read_support_format_lha, 0, NULL },
	[OPEN_ISO] = { archive_read_support_format_iso9660, 0, NULL },
	[OPEN_XAR] = { archive_read_support_format_xar, 0, NULL },
	[OPEN_AR] = { archive_read_support_format_ar, 0, NULL },
	[OPEN_WARC] = { archive_read_support_format_warc, 0, NULL },
	[OPEN_GZ] = { NULL, ARCHIVE_FILTER_GZIP, NULL },
	[OPEN_BZ2] = { NULL, ARCHIVE_FILTER_BZIP2, NULL },
	[OPEN_XZ] = { NULL, ARCHIVE_FILTER_XZ, NULL },
	[OPEN_LZMA] = { NULL, ARCHIVE_FILTER_LZMA, NULL },
	[OPEN_ZSTD] = { NULL, ARCHIVE_FILTER_ZSTD, NULL },
	[OPEN_LZ4] = { NULL, ARCHIVE_FILTER_LZ4, NULL },
	[OPEN_LZIP] = { NULL, ARCHIVE_FILTER_LZIP, NULL },
	[OPEN_COMPRESS] = { NULL, 0, archive_read_support_filter_compress },
};

static void
archive_end(struct archive **ap)
{
	if (*ap != NULL)
		(void)archive_read_free(*ap);
}

static void
locale_end(locale_t *was)
{
	if (*was != (locale_t)0)
		(void)uselocale(*was);
}

static struct archive *
begin(enum magic_open how, unsigned flags, str bytes)
{
	struct archive *a = archive_read_new();
	int e;

	assert(how > OPEN_NOT && how < OPEN_ARCHIVES);
	if (a == NULL)
		return NULL;
	if ((flags & UNPACK_STREAMED) != 0)
		e = archive_read_support_format_zip_streamable(a);
	else if (ways[how].format != NULL)
		e = ways[how].format(a);
	else if ((e = archive_read_support_format_raw(a)) >= ARCHIVE_WARN)
		e = ways[how].bidding != NULL
			    ? ways[how].bidding(a)
			    : archive_read_append_filter(a, ways[how].filter);
	if (how == OPEN_ZIP && (flags & UNPACK_SUMS) == 0)
		(void)archive_read_set_format_option(a, "zip", "ignorecrc32", "1");
	if (e < ARCHIVE_WARN ||
		archive_read_open_memory(a, bytes.ptr, bytes.len) < ARCHIVE_WARN) {
		(void)archive_read_free(a);
		return NULL;
	}
	return a;
}

/* RC_NONE: there is nothing more to be read from this archive at all. */
static enum rc
read_member(struct archive *a, struct lump *to, struct unpack_room *room, bool *damaged)
{
	unsigned retries = 0;

	for (;;) {
		char *at = lump_room(to, PIECE);
		ssize_t n = at == NULL ? 0 : archive_read_data(a, at, PIECE);

		if (at == NULL)
			return RC_LIMIT;
		if (n == 0)
			return RC_OK;
		if (n > 0) {
			if ((uint64_t)n > room->left)
				return RC_LIMIT;
			room->left -= (uint64_t)n;
			to->len += (size_t)n;
			continue;
		}
		/* A warning is a wrong sum: the bytes are there, and this is their end. */
		*damaged = true;
		if (n == ARCHIVE_RETRY && retries++ < RETRIES)
			continue;
		return n == ARCHIVE_FATAL ? RC_NONE : RC_OK;
	}
}

static str
name_of(struct archive_entry *e)
{
	const char *name = archive_entry_pathname_utf8(e);

	return str_of(name != NULL ? name : archive_entry_pathname(e));
}

static enum rc
one(struct archive *a, struct archive_entry *e, struct unpack_room *room, unpack_fn *each,
	void *arg, struct unpacked *out)
{
	LUMP_AUTO bytes = { 0 };
	struct unpack_member m = { .encrypted = archive_entry_is_encrypted(e) != 0 };

	if (room->members == 0)
		return RC_LIMIT;
	room->members--;
	enum rc rc = read_member(a, &bytes, room, &m.damaged);
	if (rc != RC_OK && rc != RC_NONE)
		return rc;
	bool over = rc == RC_NONE;
	m.name = name_of(e);
	m.bytes = (str){ bytes.data, bytes.len };
	out->encrypted |= m.encrypted;
	out->damaged |= m.damaged && !m.encrypted;
	if (m.bytes.len > 0 || archive_entry_filetype(e) != AE_IFDIR)
		rc = each(&m, arg);
	else
		rc = RC_OK;
	return rc == RC_OK && over ? RC_NONE : rc;
}

enum rc
unpack(enum magic_open how, unsigned flags, str bytes, struct unpack_room *room,
	unpack_fn *each, void *arg, struct unpacked *out, struct err *err)
{
	locale_t was __attribute__((cleanup(locale_end))) = (locale_t)0;
	struct archive *a __attribute__((cleanup(archive_end))) = NULL;
	struct archive_entry *e;
	unsigned retries = 0;
	enum rc rc = RC_OK;

	if (utf8 != (locale_t)0)
		was = uselocale(utf8);
	*out = (struct unpacked){ 0 };
	a = begin(how, flags, bytes);
	while (a != NULL && rc == RC_OK) {
		int got = archive_read_next_header(a, &e);

		if (got == ARCHIVE_EOF)
			break;
		if (got == ARCHIVE_OK || got == ARCHIVE_WARN) {
			rc = one(a, e, room, each, arg, out);
			continue;
		}
		out->damaged = true;
		if (got == ARCHIVE_FATAL || retries++ == RETRIES)
			break;
	}
	out->damaged |= a == NULL;
	out->encrypted |= a != NULL && archive_read_has_encrypted_entries(a) > 0;
	if (rc == RC_LIMIT && (err == NULL || err->text[0] == '\0'))
		return err_set(
			err, RC_LIMIT, "more in its archives than may be unpacked");
	return rc == RC_NONE ? RC_OK : rc;
}
