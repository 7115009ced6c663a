/* SPDX-License-Identifier: ISC */
#include "scan/scan_int.h"
#include "wire/pack.h"

void
scan_put_job(struct buf *b, const struct scan_job *job)
{
	buf_le(b, job->size, 8);
	buf_le(b, job->offset, 4);
	buf_le(b, job->most_unpacked, 8);
	buf_le(b, job->want, 1);
	pack_put_str(b, job->hostname);
}

enum rc
scan_take_job(struct pack *p, struct scan_job *job)
{
	struct scan_job got = { .fd = -1 };

	got.size = pack_le(p, 8);
	got.offset = (uint32_t)pack_le(p, 4);
	got.most_unpacked = pack_le(p, 8);
	got.want = (unsigned)pack_le(p, 1);
	got.hostname = pack_str(p, SCAN_HOSTNAME);
	if (!pack_ok(p) || got.offset > got.size || got.size > INT64_MAX)
		return RC_BAD;
	*job = got;
	return RC_OK;
}

enum rc
scan_get_job(str body, struct scan_job *job)
{
	struct pack p = { .left = body };
	struct scan_job got;
	enum rc rc = scan_take_job(&p, &got);

	if (rc != RC_OK || !pack_done(&p))
		return RC_BAD;
	*job = got;
	return RC_OK;
}

void
scan_put_part(struct buf *b, const struct scan_part_of *part)
{
	buf_le(b, part->at, 8);
	buf_le(b, part->end, 8);
	pack_put_str(b, part->encoding);
}

enum rc
scan_get_part(struct pack *p, struct scan_part_of *part)
{
	part->at = pack_le(p, 8);
	part->end = pack_le(p, 8);
	part->encoding = pack_str(p, FACTS_STR);
	return pack_done(p) && part->at <= part->end ? RC_OK : RC_BAD;
}

void
scan_put_convert(struct buf *b, str charset, str bytes)
{
	pack_put_str(b, charset);
	pack_put_str(b, bytes);
}

enum rc
scan_get_convert(str body, str *charset, str *bytes)
{
	struct pack p = { .left = body };

	*charset = pack_str(&p, SCAN_CHARSET);
	*bytes = pack_str(&p, SCAN_CONVERT);
	return pack_done(&p) ? RC_OK : RC_BAD;
}

/* Texts are looked at with LF alone (scan/hunt.h). */
static void
put_lines(struct buf *b, str s)
{
	BUF_AUTO lines = BUF(s.len);

	while (s.len > 0) {
		size_t n = str_find(s, STR("\r\n"));

		buf_add(&lines, str_first(s, n));
		s = str_skip(s, n < s.len ? n + 1 : n);
	}
	pack_put_str(b, buf_str(&lines));
}

void
scan_put_keys(struct buf *b, const struct scan_key *keys, size_t n)
{
	buf_le(b, n, 1);
	for (size_t i = 0; i < n; i++) {
		buf_le(b, (keys[i].head ? 1u : 0u) | (keys[i].text ? 2u : 0u), 1);
		pack_put_str(b, keys[i].field);
		put_lines(b, keys[i].what);
	}
}

enum rc
scan_get_keys(struct pack *p, struct scan_key keys[SCAN_KEYS], size_t *n)
{
	*n = (size_t)pack_le(p, 1);
	if (!pack_ok(p) || *n > SCAN_KEYS)
		return RC_BAD;
	for (size_t i = 0; i < *n; i++) {
		unsigned where = (unsigned)pack_le(p, 1);

		keys[i] = (struct scan_key){ (where & 1) != 0, (where & 2) != 0,
			pack_str(p, SCAN_QUESTION), { 0 } };
		keys[i].what = pack_str(p, SCAN_QUESTION);
	}
	return pack_done(p) ? RC_OK : RC_BAD;
}

bool
scan_get_answer(str body, unsigned *how, str *rest)
{
	if (body.len == 0 || (unsigned char)body.ptr[0] > SCAN_ANSWER)
		return false;
	*how = (unsigned char)body.ptr[0];
	*rest = str_skip(body, 1);
	return true;
}

void
scan_put_records(struct buf *b, str facts, str content)
{
	pack_put_str(b, facts);
	pack_put_str(b, content);
}

bool
scan_get_records(str body, str *facts, str *content)
{
	struct pack p = { .left = body };

	*facts = pack_str(&p, FACTS_MOST);
	*content = pack_str(&p, CONTENT_MOST);
	return pack_done(&p);
}
