/* SPDX-License-Identifier: ISC */
/*
 * Who is in, and whether they may stay.  A pass's mark is made of the very verifier that was
 * right, so that it is another when the password is another, and the same when anything
 * else of the account changes.
 */
#include "base/log.h"
#include "crypto/digest.h"
#include "directory/login_int.h"

uint64_t
login_mark(const struct logins *l, const struct login_row *row, const uint8_t *app)
{
	BUF_AUTO text = BUF(sizeof(row->hash) + sizeof(row->scram));
	uint8_t digest[32];
	uint64_t mark;

	if (app != NULL) {
		buf_add(&text, (str){ (const char *)app, sizeof(row->apps[0].digest) });
	} else {
		buf_addz(&text, row->hash);
		buf_add(&text, (str){ (const char *)row->scram.stored_key, SCRAM_KEY });
	}
	hmac_sha256((str){ (const char *)l->key, LOGIN_SECRET }, buf_str(&text), digest);
	memcpy(&mark, digest, sizeof(mark));
	return mark;
}

static struct pass **
row_of(struct logins *l, uint64_t account)
{
	return &l->passes[account % PASS_ROWS];
}

void
pass_enter(struct pass *p, const struct session_io *io, struct logins *l,
	const struct login_answer *a)
{
	struct pass **row = row_of(l, a->account);

	*p = (struct pass){ .logins = l,
		.account = a->account,
		.round = a->round,
		.mark = a->mark,
		.service = io->service,
		.number = io->number };
	LOCK_AUTO held = lock_take(&l->passes_lock);
	p->next = *row;
	p->at = row;
	if (p->next != NULL)
		p->next->at = &p->next;
	*row = p;
}

void
pass_return(struct pass *p)
{
	if (p->logins == NULL)
		return;
	LOCK_AUTO held = lock_take(&p->logins->passes_lock);
	*p->at = p->next;
	if (p->next != NULL)
		p->next->at = p->at;
	p->logins = NULL;
}

void
logins_shut_out(struct logins *l, uint64_t account)
{
	LOCK_AUTO held = lock_take(&l->passes_lock);

	for (const struct pass *p = *row_of(l, account); p != NULL; p = p->next)
		if (p->account == account)
			service_wake(p->service, p->number);
}

static bool
still_right(const struct pass *p, const struct login_row *row)
{
	bool found = login_mark(p->logins, row, NULL) == p->mark;

	for (size_t i = 0; i < row->napps && !found; i++)
		found = login_mark(p->logins, row, row->apps[i].digest) == p->mark;
	return found && !row->disabled;
}

bool
pass_valid(struct pass *p)
{
	struct login_row row = { 0 };
	struct err err = { 0 };
	bool valid = true;

	if (p->logins == NULL)
		return true;
	uint64_t round = logins_round(p->logins); /* before it is read */
	if (round == p->round)
		return true;
	switch (login_row_again(p->logins->directory, p->account, &row, &err)) {
	case RC_OK:
		valid = still_right(p, &row);
		p->round = round;
		break;
	case RC_NONE:
		valid = false;
		break;
	case RC_BAD:
	case RC_LIMIT:
	case RC_TEMP:
	case RC_PERM: /* it is asked again */
		log_warn("msg=\"the directory could not be asked\" why=\"%s\"", err.text);
		break;
	}
	wipe(&row, sizeof(row));
	return valid;
}
