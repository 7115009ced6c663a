/* SPDX-License-Identifier: ISC */
#include "deliver/appeal.h"
enum rc
appeal_make(const struct appeal_house *h, const struct refusal *f, const struct appeal *a,
	enum appeal_end *end, struct err *err)
{
	(void)h;
	(void)f;
	(void)a;
	(void)err;
	*end = APPEAL_TAKEN;
	return RC_OK;
}
enum rc
appeal_decide(const struct appeal_house *h, str token, bool uphold, struct arena *mem,
	struct refusal *f, struct err *err)
{
	(void)h;
	(void)token;
	(void)uphold;
	(void)mem;
	(void)f;
	return err_set(err, RC_BAD, "no");
}
enum rc
appeals_get(struct refusals *r, const struct refusal *f, struct arena *mem,
	struct appeal *out, struct err *err)
{
	(void)r;
	(void)f;
	(void)mem;
	(void)out;
	(void)err;
	return RC_NONE;
}
enum rc
deciders_find(struct refusals *r, str token, struct arena *mem, struct decider *out,
	struct refusal *f, struct err *err)
{
	(void)r;
	(void)token;
	(void)mem;
	(void)out;
	(void)f;
	(void)err;
	return RC_NONE;
}
