/* SPDX-License-Identifier: ISC */
/*
 * Is this password right?  What takes time takes it for everybody: there is exactly one
 * hash for each password that is neither remembered nor an app password, whether the account is
 * there, has a password, is disabled or not.
 */
#include <errno.h>

#include "base/clock.h"
#include "crypto/digest.h"
#include "directory/login_int.h"

/* ---- what was right lately ---- */

static void
digest_of(const struct attempt *t, str password, uint8_t out[32])
{
	char text[16 + PASSWORD_MOST];
	uint64_t head[2] = { t->row->account, t->want->door };

	password = str_first(password, PASSWORD_MOST); /* longer ones are never right */
	memcpy(text, head, sizeof(head));
	memcpy(text + sizeof(head), password.ptr, password.len);
	hmac_sha256((str){ (const char *)t->logins->key, LOGIN_SECRET },
		(str){ text, sizeof(head) + password.len }, out);
	wipe(text, sizeof(text));
}

static struct remembered *
row_of(struct logins *l, const uint8_t digest[32])
{
	return l->remembered[(digest[0] | (unsigned)digest[1] << 8) % REMEMBER_ROWS];
}

static bool
remembered(const struct attempt *t, const uint8_t digest[32])
{
	struct logins *l = t->logins;
	LOCK_AUTO held = lock_take(&l->lock);
	const struct remembered *row = row_of(l, digest);
	uint64_t now = clock_ms();
	bool found = false;

	for (size_t i = 0; i < REMEMBER_ROW; i++)
		if (row[i].round == t->round && row[i].until_ms > now &&
			same_secret(row[i].digest, digest, 32))
			found = true;
	return found;
}

static void
remember(const struct attempt *t, const uint8_t digest[32])
{
	struct logins *l = t->logins;
	LOCK_AUTO held = lock_take(&l->lock);
	struct remembered *row = row_of(l, digest), *oldest = &row[0];

	if (t->round != l->round)
		return; /* it may have been changed while we looked */
	for (size_t i = 0; i < REMEMBER_ROW; i++) {
		if (row[i].round != l->round)
			row[i].until_ms = 0;
		if (row[i].until_ms < oldest->until_ms)
			oldest = &row[i];
	}
	memcpy(oldest->digest, digest, 32);
	oldest->until_ms = clock_ms() + l->conf->login.remember;
	oldest->round = l->round;
}

/* ---- what is known of the account ---- */

/* All are looked at.  False: it is none of them; *doors: what it opens. */
static bool
app_password(struct attempt *t, str password, unsigned *doors)
{
	bool found = false;

	for (size_t i = 0; i < t->row->napps; i++)
		if (app_secret_matches(password, t->row->apps[i].digest)) {
			*doors = t->row->apps[i].doors;
			t->app = t->row->apps[i].digest;
			found = true;
		}
	return found;
}

/* False: what else is in *a. */
static bool
hash_matches(struct attempt *t, str password, bool *right, struct login_answer *a)
{
	struct logins *l = t->logins;
	const char *hash = t->row->hash;

	if (!str_starts(str_of(hash), STR("$y$")))
		hash = l->nobody;
	while (sem_wait(&l->hashes) != 0 && errno == EINTR)
		continue;
	/* who tries many at once is not better off for it */
	bool go = !attempt_blocked(t, a);
	if (go) {
		atomic_fetch_add(&l->hashed, 1);
		*right = password_matches(password, str_of(hash)) && hash != l->nobody;
	}
	(void)sem_post(&l->hashes);
	return go;
}

static void
say_right(struct attempt *t, bool door, struct login_answer *a)
{
	if (t->row->disabled)
		attempt_end(t, LOGIN_DISABLED, "this account is disabled", a);
	else if (!door)
		attempt_end(t, LOGIN_DISABLED,
			"this app password is not for this service", a);
	else
		attempt_end(t, LOGIN_OK, NULL, a);
}

static void
check(struct attempt *t, str password, bool for_another, struct login_answer *a)
{
	uint8_t digest[32];
	unsigned doors = 0;
	bool right = false;

	digest_of(t, password, digest);
	if (!for_another && remembered(t, digest)) {
		say_right(t, true, a);
		return;
	}
	if (!for_another && app_password(t, password, &doors)) {
		say_right(t, (doors & t->want->door) != 0, a);
		return;
	}
	if (!hash_matches(t, password, &right, a))
		return;
	if (!right || for_another) {
		attempt_end(t, LOGIN_WRONG, NULL, a);
		return;
	}
	remember(t, digest);
	say_right(t, true, a);
}

bool
login_same_name(str a, str b)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	str x, y;

	if (str_empty(a))
		return true;
	return address_canonical(a, mem, &x, NULL, NULL) == RC_OK &&
	       address_canonical(b, mem, &y, NULL, NULL) == RC_OK && str_eq(x, y);
}

void
login_try(struct logins *l, const struct login_want *w, const char *how, str other,
	str user, str password, struct login_answer *a)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct attempt t = {
		.logins = l, .want = w, .how = how, .user = user, .mem = mem
	};

	if (attempt_begin(&t, a))
		check(&t, password, !login_same_name(other, user), a);
	if (t.row != NULL)
		wipe(t.row, sizeof(*t.row));
}

void
login_plain(struct logins *l, const struct login_want *w, str user, str password,
	struct login_answer *a)
{
	login_try(l, w, "PASSWORD", (str){ 0 }, user, password, a);
}
