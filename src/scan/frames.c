/* SPDX-License-Identifier: ISC */
#include "scan/scan_int.h"
#include "wire/pack.h"

void
scan_put_job(struct buf *b, const struct scan_job *job)
{
	buf_le(b, job->size, 8);
	buf_le(b, job->offset, 4);
	pack_put_str(b, job->hostname);
}

enum rc
scan_get_job(str body, struct scan_job *job)
{
	struct pack p = { .left = body };
	struct scan_job got = { .fd = -1 };

	got.size = pack_le(&p, 8);
	got.offset = (uint32_t)pack_le(&p, 4);
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
