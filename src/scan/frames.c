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
scan_get_job(str body, struct scan_job *job)
{
	struct pack p = { .left = body };
	struct scan_job got = { .fd = -1 };

	got.size = pack_le(&p, 8);
	got.offset = (uint32_t)pack_le(&p, 4);
	got.most_unpacked = pack_le(&p, 8);
	got.want = (unsigned)pack_le(&p, 1);
	got.hostname = pack_str(&p, SCAN_HOSTNAME);
	if (!pack_done(&p) || got.offset > got.size || got.size > INT64_MAX)
		return RC_BAD;
	*job = got;
	return RC_OK;
}

bool
scan_get_answer(str body, unsigned *how, str *rest)
{
	if (body.len == 0 || (unsigned char)body.ptr[0] > (SCAN_RETIRES | SCAN_NEVER))
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
