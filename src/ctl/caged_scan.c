/* SPDX-License-Identifier: ISC */
/*
 * What the child says are lines: "limit" and a sentence; or "found", the JSON, and in
 * hexadecimal the packed facts, the packed content, and each job's bytes.
 */
#include "ctl/caged_scan.h"

#include "base/fs.h"
#include "ctl/caged.h"
#include "ctl/scan_json.h"
#include "net/chan.h"

enum { MEMORY = 128 * 1024 * 1024, PIECE = 32 * 1024 };

static const str found = STR_INIT("found"), limit = STR_INIT("limit");

/* ---- the child ---- */

static void
say_hex(struct caged *c, str bytes)
{
	static const char digits[] = "0123456789abcdef";
	char text[2 * PIECE];

	for (; bytes.len > 0; bytes = str_skip(bytes, PIECE)) {
		str part = str_first(bytes, PIECE);

		for (size_t i = 0; i < part.len; i++) {
			text[2 * i] = digits[(unsigned char)part.ptr[i] >> 4];
			text[2 * i + 1] = digits[part.ptr[i] & 15];
		}
		caged_say(c, (str){ text, 2 * part.len });
	}
}

static enum rc
say_file(struct caged *c, int fd, struct err *err)
{
	char piece[PIECE];
	uint64_t size, at = 0;
	size_t got;
	enum rc rc = fs_size(fd, &size, err);

	for (; rc == RC_OK && at < size; at += got) {
		rc = fs_pread(fd, piece, sizeof(piece), at, &got, err);
		if (rc != RC_OK || got == 0)
			return rc;
		say_hex(c, (str){ piece, got });
	}
	return rc;
}

static int
dump(const char *bytes, size_t len, void *arg)
{
	caged_say(arg, (str){ bytes, len });
	return 0;
}

static void
say_json(struct caged *c, const struct scanned *got, struct arena *mem)
{
	json_t *all = json_object();

	put_json(all, "header", facts_json(&got->facts, c->charsets, mem));
	put_json(all, "content", content_json(&got->content, false));
	(void)json_dump_callback(all, dump, c, JSON_ENSURE_ASCII | JSON_COMPACT);
	json_decref(all);
}

static enum rc
say_found(struct caged *c, struct scanned *got, struct arena *mem, struct err *err)
{
	BUF_AUTO facts = BUF(FACTS_MOST);
	BUF_AUTO content = BUF(CONTENT_MOST);
	enum rc rc = RC_OK;

	facts_pack(&facts, &got->facts);
	content_pack(&content, &got->content);
	caged_say(c, found);
	caged_say(c, STR("\n"));
	say_json(c, got, mem);
	caged_say(c, STR("\n"));
	say_hex(c, buf_str(&facts));
	caged_say(c, STR("\n"));
	say_hex(c, buf_str(&content));
	caged_say(c, STR("\n"));
	for (unsigned i = 0; i < got->njobs && rc == RC_OK; i++) {
		rc = say_file(c, got->jobs[i], err);
		caged_say(c, STR("\n"));
	}
	return rc;
}

static enum rc
look(struct caged *c, struct err *err)
{
	const struct scan_job job = { .fd = c->fd,
		.size = c->bytes.len,
		.hostname = c->conf->server.hostname,
		.most_unpacked = c->conf->limits.scanner_unpacked,
		.want = SCAN_CONTENT | SCAN_TEXT | SCAN_JOBS | SCAN_TOKENS };
	ARENA_AUTO mem = arena_new(MEMORY);
	struct scanned got;
	enum rc rc = scan_message(&job, c->charsets, mem, &got, err);

	if (rc == RC_LIMIT) {
		caged_say(c, limit);
		caged_say(c, STR("\n"));
		caged_say(c, str_of(err->text));
		caged_say(c, STR("\n"));
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	rc = say_found(c, &got, mem, err);
	scanned_clear(&got);
	return rc;
}

/* ---- the command ---- */

static int
digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place. */
static enum rc
from_hex(char *text, size_t len, str *out, struct err *err)
{
	bool good = len % 2 == 0;

	for (size_t i = 0; good && i < len; i += 2) {
		int high = digit(text[i]), low = digit(text[i + 1]);

		good = high >= 0 && low >= 0;
		text[i / 2] = (char)(high << 4 | low);
	}
	if (!good)
		return err_set(err, RC_BAD, "what was found in the message is damaged");
	*out = (str){ text, len / 2 };
	return RC_OK;
}

/* The next line of hexadecimal digits as bytes. */
static enum rc
take_hex(struct buf *heard, size_t *at, str *out, struct err *err)
{
	str line = { 0 }, rest = str_skip(buf_str(heard), *at);

	if (!str_cut(&rest, '\n', &line))
		return err_set(err, RC_BAD, "what was found in the message is damaged");
	char *text = heard->data + *at;
	*at += line.len + 1;
	return from_hex(text, line.len, out, err);
}

static enum rc
take_jobs(struct buf *heard, size_t at, struct scanned *s, struct err *err)
{
	enum rc rc = RC_OK;
	str bytes;

	for (size_t i = 0; i < s->content.njobs && rc == RC_OK; i++) {
		rc = take_hex(heard, &at, &bytes, err);
		if (rc == RC_OK)
			rc = chan_memfd("job", bytes, &s->jobs[i], err);
		if (rc == RC_OK)
			s->njobs++;
	}
	if (rc != RC_OK)
		scanned_clear(s);
	return rc;
}

static enum rc
take_found(struct buf *heard, uint64_t size, struct arena *mem, struct caged_scan *out,
	struct err *err)
{
	str rest = buf_str(heard), line = { 0 }, facts, content;

	(void)str_cut(&rest, '\n', &line);
	(void)str_cut(&rest, '\n', &line);
	size_t at = heard->len - rest.len;
	enum rc rc = arena_copy(mem, line, &out->json);
	if (rc == RC_OK)
		rc = take_hex(heard, &at, &facts, err);
	if (rc == RC_OK)
		rc = take_hex(heard, &at, &content, err);
	/* what is unpacked looks into the record */
	if (rc == RC_OK)
		rc = arena_copy(mem, facts, &facts);
	if (rc == RC_OK)
		rc = arena_copy(mem, content, &content);
	if (rc == RC_OK)
		rc = facts_unpack(facts, size, mem, &out->scanned.facts);
	if (rc == RC_OK)
		rc = content_unpack(content, size, mem, &out->scanned.content);
	if (rc == RC_OK)
		return take_jobs(heard, at, &out->scanned, err);
	return err->text[0] != '\0'
		       ? rc
		       : err_set(err, RC_BAD,
				 "what was found in the message cannot be true");
}

enum rc
caged_scan(const struct conf *conf, const char *file, uint64_t size, struct arena *mem,
	struct caged_scan *out, struct err *err)
{
	BUF_AUTO heard = BUF(CAGED_MOST);
	enum rc rc = caged_run(conf, file, look, &heard, err);
	str rest, line = { 0 };

	*out = (struct caged_scan){ .unreadable = false };
	if (rc != RC_OK)
		return rc;
	rest = buf_str(&heard);
	(void)str_cut(&rest, '\n', &line);
	if (str_eq(line, found))
		return take_found(&heard, size, mem, out, err);
	if (!str_eq(line, limit))
		return err_set(err, RC_BAD, "what was found in the message is damaged");
	(void)str_cut(&rest, '\n', &line);
	(void)err_set(err, RC_PERM, STR_FMT, STR_ARG(line));
	out->unreadable = true;
	return RC_OK;
}
