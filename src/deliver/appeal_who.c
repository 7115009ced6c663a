/* SPDX-License-Identifier: ISC */
/* Who may decide now, whatever he was when he was asked, and whom he may see. */
#include "deliver/appeal.h"

#include "filter/said.h"

enum { WORK_MEM = 4 * 1024 * 1024 };

/* ---- what the policies leave to recipients ---- */

/* RC_OK: *out says so of one address. */
static enum rc
is_left(struct directory *d, str rcpt, bool *out, struct err *err)
{
	struct policy p = { 0 };
	enum rc rc = policy_for(d, rcpt, &p, err);

	*out = rc == RC_OK && (p.recipient_appeals || p.daily);
	return rc == RC_NONE ? RC_OK : rc;
}

static bool
domain_has_one(const struct refusal *f, const bool left[], size_t at)
{
	for (size_t i = 0; i < f->nrcpts; i++)
		if (left[i] &&
			str_ieq(said_domain(f->rcpts[i]), said_domain(f->rcpts[at])))
			return true;
	return false;
}

/* One answer was for all of them, and a release is to all: a domain that leaves nothing to
 * recipients is not decided for by those of another. */
enum rc
appeal_left_to_recipients(
	struct directory *d, const struct refusal *f, bool *out, struct err *err)
{
	bool left[APPEAL_LOOK] = { false };
	size_t n = 0;
	enum rc rc = RC_OK;

	*out = f->nrcpts <= APPEAL_LOOK;
	for (; n < f->nrcpts && *out && rc == RC_OK; n++)
		rc = is_left(d, f->rcpts[n], &left[n], err);
	for (size_t i = 0; i < f->nrcpts && *out && rc == RC_OK; i++)
		*out = domain_has_one(f, left, i);
	return rc;
}

/* ---- one decider ---- */

/* Does mail to the address go to the account, and is it left to recipients, or is the account its postmaster's? */
static enum rc
is_his(struct directory *d, const struct account *who, enum decider_role role, str rcpt,
	bool *out, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_MEM);
	struct ask_answer a = { .ntargets = 0 };
	uint64_t heir = 0;
	enum rc rc;

	*out = false;
	if (role == DECIDER_POSTMASTER) {
		rc = account_heir(d, rcpt, &heir, err);
		*out = rc == RC_OK && heir == who->id;
		return rc == RC_NONE ? RC_OK : rc;
	}
	rc = directory_resolve(d, rcpt, NULL, NULL, mem, &a, err);
	for (size_t i = 0; i < a.ntargets && rc == RC_OK; i++)
		*out = *out || a.targets[i] == who->id;
	return rc == RC_OK && *out ? is_left(d, rcpt, out, err) : rc;
}

static enum rc
not_his(const struct refusal *f, str who, struct err *err)
{
	return err_set(err, RC_BAD, "%s.%u is not for " STR_FMT " to decide", f->id.text,
		f->n, STR_ARG(str_first(who, REFUSAL_WHO)));
}

enum rc
appeal_may_decide(struct directory *d, const struct decider *who, const struct refusal *f,
	bool uphold, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_MEM);
	struct account a;
	bool his = false, left = true;
	enum rc rc;

	if (uphold && f->virus && who->role != DECIDER_POSTMASTER)
		return err_set(err, RC_BAD,
			"%s.%u was refused for a virus: only the postmaster can release it",
			f->id.text, f->n);
	rc = account_find(d, who->address, mem, &a, err);
	if (rc == RC_NONE || (rc == RC_OK && a.disabled))
		return not_his(f, who->address, err);
	for (size_t i = 0; i < f->nrcpts && i < APPEAL_LOOK && rc == RC_OK && !his; i++)
		rc = is_his(d, &a, who->role, f->rcpts[i], &his, err);
	if (rc == RC_OK && who->role != DECIDER_POSTMASTER)
		rc = appeal_left_to_recipients(d, f, &left, err);
	if (rc != RC_OK)
		return rc;
	return his && left ? RC_OK : not_his(f, who->address, err);
}

enum rc
appeal_sees(struct directory *d, const struct decider *who, const struct refusal *f,
	struct arena *mem, str **out, size_t *n, struct err *err)
{
	size_t most = f->nrcpts < APPEAL_LOOK ? f->nrcpts : APPEAL_LOOK, seen = 0;
	str *at = arena_array(mem, most + 1, sizeof(*at));
	struct account a;
	enum rc rc;

	if (at == NULL)
		return err_set(err, RC_LIMIT, "too many recipients");
	*out = at;
	*n = 0;
	if (who->role != DECIDER_POSTMASTER) {
		at[(*n)++] = who->address;
		return RC_OK;
	}
	rc = account_find(d, who->address, mem, &a, err);
	for (size_t i = 0; i < most && rc == RC_OK; i++) {
		bool his = false;

		rc = is_his(d, &a, who->role, f->rcpts[i], &his, err);
		if (his)
			at[seen++] = f->rcpts[i];
	}
	*n = seen;
	return rc == RC_NONE ? RC_OK : rc;
}
