/* SPDX-License-Identifier: ISC */
#include "wire/ask.h"

#include "wire/pack.h"

void
ask_put_question(struct buf *b, const struct ask_question *q)
{
	pack_put_str(b, q->address);
}

enum rc
ask_get_question(str body, struct ask_question *q)
{
	struct pack p = { .left = body };
	str address = pack_str(&p, ASK_ADDRESS);

	if (!pack_done(&p) || str_empty(address))
		return RC_BAD;
	q->address = address;
	return RC_OK;
}

void
ask_put_answer(struct buf *b, const struct ask_answer *a)
{
	buf_le(b, a->status, 1);
	buf_le(b, a->observe, 1);
	buf_le(b, (uint32_t)a->threshold, 4);
	pack_put_str(b, a->address);
	buf_le(b, a->ntargets, 4);
	for (size_t i = 0; i < a->ntargets; i++)
		buf_le(b, a->targets[i], 8);
}

enum rc
ask_get_answer(str body, struct arena *mem, struct ask_answer *a)
{
	struct pack p = { .left = body };
	struct ask_answer got = { .status = (enum ask_status)pack_le(&p, 1) };

	got.observe = pack_le(&p, 1) != 0;
	got.threshold = (int32_t)(uint32_t)pack_le(&p, 4);
	str address = pack_str(&p, ASK_ADDRESS);
	got.ntargets = (size_t)pack_le(&p, 4);
	if (!pack_ok(&p) || got.status < ASK_LOCAL || got.status > ASK_LATER ||
		got.ntargets > ASK_TARGETS || p.left.len != got.ntargets * 8 ||
		(got.status == ASK_LOCAL && got.ntargets == 0))
		return RC_BAD;
	got.targets = arena_array(mem, got.ntargets, 8);
	if (got.targets == NULL || arena_copy(mem, address, &got.address) != RC_OK)
		return RC_LIMIT;
	for (size_t i = 0; i < got.ntargets; i++)
		got.targets[i] = pack_le(&p, 8);
	*a = got;
	return RC_OK;
}

void
ask_put_seq(struct buf *b, uint64_t seq)
{
	buf_le(b, seq, 8);
}

enum rc
ask_get_seq(str body, uint64_t *seq)
{
	struct pack p = { .left = body };
	uint64_t got = pack_le(&p, 8);

	if (!pack_done(&p))
		return RC_BAD;
	*seq = got;
	return RC_OK;
}
