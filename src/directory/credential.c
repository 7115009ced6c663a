/* SPDX-License-Identifier: ISC */
/* Typed rows that say who somebody is; passwords themselves are never kept. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/ids.h"
#include "crypto/digest.h"
#include "crypto/password.h"
#include "directory/login_int.h"

struct credentials {
	char yescrypt[PASSWORD_TEXT];
	struct scram scram;
};

enum { APP_NAME_MOST = 100 };

enum rc
credentials_make(str password, struct credentials **out, struct err *err)
{
	struct credentials *c = calloc(1, sizeof(*c));
	enum rc rc;

	if (c == NULL)
		abort();
	rc = password_hash(password, c->yescrypt, err);
	if (rc == RC_OK)
		rc = scram_make(password, &c->scram, err);
	if (rc != RC_OK) {
		credentials_free(&c);
		return rc;
	}
	*out = c;
	return RC_OK;
}

void
credentials_free(struct credentials **cp)
{
	if (*cp == NULL)
		return;
	wipe(*cp, sizeof(**cp));
	free(*cp);
	*cp = NULL;
}

struct row {
	str kind, name, secret, salt;
	uint32_t iterations;
	unsigned doors; /* 0: all */
};

static enum rc
put_row(struct directory *d, uint64_t account, const struct row *r, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"INSERT INTO credential "
		"(account, kind, name, secret, salt, iterations, created_ms, doors) "
		"VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, account);
	db_bind_str(q, 2, r->kind);
	db_bind_str(q, 3, r->name);
	db_bind_blob(q, 4, r->secret);
	if (r->iterations == 0) {
		db_bind_null(q, 5);
		db_bind_null(q, 6);
	} else {
		db_bind_blob(q, 5, r->salt);
		db_bind_u64(q, 6, r->iterations);
	}
	db_bind_u64(q, 7, clock_wall_ms());
	db_bind_u64(q, 8, r->doors == 0 ? DOOR_ALL : r->doors);
	return db_run(q, err);
}

enum rc
credentials_store(struct directory *d, uint64_t account, const struct credentials *c,
	struct err *err)
{
	char keys[2 * SCRAM_KEY];
	struct row yescrypt = { .kind = STR("yescrypt"), .secret = str_of(c->yescrypt) };
	struct row scram = {
		.kind = STR("scram-sha-256"),
		.secret = { keys, sizeof(keys) },
		.salt = { (const char *)c->scram.salt, sizeof(c->scram.salt) },
		.iterations = c->scram.iterations,
	};
	struct db_stmt *q = db_prepare(
		d->db, "DELETE FROM credential WHERE account = ? AND kind <> 'app'", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, account);
	if ((rc = db_run(q, err)) != RC_OK)
		return rc;
	d->shutting_out = account;
	memcpy(keys, c->scram.stored_key, SCRAM_KEY);
	memcpy(keys + SCRAM_KEY, c->scram.server_key, SCRAM_KEY);
	if ((rc = put_row(d, account, &yescrypt, err)) == RC_OK)
		rc = put_row(d, account, &scram, err);
	wipe(keys, sizeof(keys));
	return rc;
}

enum rc
account_password(struct directory *d, str address, str password, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct credentials *c;
	uint64_t id;
	str name;
	enum rc rc = credentials_make(password, &c, err);

	if (rc != RC_OK)
		return rc;
	if ((rc = change_begin(d, err)) == RC_OK) {
		rc = sql_account(d, address, mem, &name, &id, err);
		if (rc == RC_OK)
			rc = credentials_store(d, id, c, err);
		rc = change_end(d, rc, err);
	}
	credentials_free(&c);
	return rc;
}

static enum rc
must_be_a_name(str name, struct err *err)
{
	if (str_empty(name) || name.len > APP_NAME_MOST)
		return err_set(err, RC_BAD,
			"an app password needs a name of 1 to %d bytes, "
			"for example `phone`",
			APP_NAME_MOST);
	for (size_t i = 0; i < name.len; i++)
		if ((unsigned char)name.ptr[i] < ' ' || name.ptr[i] == 0x7f)
			return err_set(err, RC_BAD, "the name holds a control character");
	return RC_OK;
}

static enum rc
must_have_room(struct directory *d, uint64_t account, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"SELECT count(*) FROM credential WHERE account = ? AND kind = 'app'",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, account);
	if ((rc = db_step(q, err)) == RC_OK && db_u64(q, 0) >= LOGIN_APPS)
		rc = err_set(err, RC_LIMIT,
			"an account has at most %d app passwords; revoke one that is not used",
			LOGIN_APPS);
	db_reset(q);
	return rc;
}

enum rc
app_password_add(struct directory *d, str address, str name, unsigned doors,
	char secret[32], struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint8_t digest[32];
	struct row app = { .kind = STR("app"),
		.name = name,
		.secret = { (const char *)digest, sizeof(digest) },
		.doors = doors };
	uint64_t id;
	str account;
	enum rc rc = must_be_a_name(name, err);

	if (rc != RC_OK || (rc = change_begin(d, err)) != RC_OK)
		return rc;
	app_secret_make(secret, digest);
	rc = sql_account(d, address, mem, &account, &id, err);
	if (rc == RC_OK)
		rc = must_have_room(d, id, err);
	if (rc == RC_OK && (rc = put_row(d, id, &app, err)) == RC_BAD)
		rc = err_set(err, RC_BAD,
			STR_FMT " has an app password \"" STR_FMT
				"\" already; revoke it first, or take another name",
			STR_ARG(account), STR_ARG(name));
	rc = change_end(d, rc, err);
	if (rc != RC_OK)
		wipe(secret, APP_SECRET);
	return rc;
}

enum rc
app_password_list(
	struct directory *d, str address, app_password_fn *fn, void *arg, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct db_stmt *q;
	uint64_t id;
	str account;
	enum rc rc = sql_account(d, address, mem, &account, &id, err);

	if (rc != RC_OK)
		return rc;
	q = db_prepare(d->db,
		"SELECT name, doors, created_ms FROM credential "
		"WHERE account = ? AND kind = 'app' ORDER BY name",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, id);
	while ((rc = db_step(q, err)) == RC_OK)
		if ((rc = fn(db_str(q, 0), (unsigned)db_u64(q, 1), db_u64(q, 2), arg,
			     err)) != RC_OK)
			break;
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
app_password_revoke(struct directory *d, str address, str name, struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	struct db_stmt *q;
	uint64_t id;
	str account;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_account(d, address, mem, &account, &id, err);
	if (rc == RC_OK) {
		q = db_prepare(d->db,
			"DELETE FROM credential WHERE account = ? AND kind = 'app' "
			"AND name = ?",
			err);
		if (q == NULL)
			return change_end(d, RC_TEMP, err);
		db_bind_u64(q, 1, id);
		db_bind_str(q, 2, name);
		d->shutting_out = id;
		rc = db_run(q, err);
		if (rc == RC_OK && db_changes(d->db) == 0)
			rc = err_set(err, RC_NONE,
				STR_FMT " has no app password \"" STR_FMT "\"",
				STR_ARG(account), STR_ARG(name));
	}
	return change_end(d, rc, err);
}

/* ---- what logins ask ---- */

static void
as_written(str user, struct arena *mem, str *out)
{
	user = str_first(user, LOGIN_NAME);
	char *p = arena_alloc(mem, user.len + 1);

	for (size_t i = 0; p != NULL && i < user.len; i++)
		p[i] = user.ptr[i] >= 'A' && user.ptr[i] <= 'Z' ? (char)(user.ptr[i] + 32)
								: user.ptr[i];
	*out = (str){ p, p == NULL ? 0 : user.len };
}

static void
take_credential(struct db_stmt *q, struct login_row *out)
{
	str kind = db_str(q, 0), secret = db_str(q, 1), salt = db_str(q, 2);

	if (str_eq(kind, STR("yescrypt"))) {
		(void)str_z(secret, out->hash, sizeof(out->hash));
	} else if (str_eq(kind, STR("app"))) {
		if (secret.len != 32 || out->napps == LOGIN_APPS)
			return;
		memcpy(out->apps[out->napps].digest, secret.ptr, 32);
		out->apps[out->napps++].doors = (unsigned)db_u64(q, 4);
	} else if (str_eq(kind, STR("scram-sha-256")) && secret.len == 2 * SCRAM_KEY &&
		   salt.len == SCRAM_SALT) {
		out->has_scram = true;
		out->scram.iterations = (uint32_t)db_u64(q, 3);
		memcpy(out->scram.salt, salt.ptr, SCRAM_SALT);
		memcpy(out->scram.stored_key, secret.ptr, SCRAM_KEY);
		memcpy(out->scram.server_key, secret.ptr + SCRAM_KEY, SCRAM_KEY);
	}
}

static enum rc
read_credentials(struct directory *d, struct login_row *out, struct err *err)
{
	struct db_stmt *q = db_prepare(d->db,
		"SELECT kind, secret, salt, iterations, doors FROM credential "
		"WHERE account = ?",
		err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, out->account);
	while ((rc = db_step(q, err)) == RC_OK)
		take_credential(q, out);
	db_reset(q);
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
login_row_read(struct directory *d, str user, struct arena *mem, struct login_row *out,
	struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	struct login_row row = { 0 };
	struct db_stmt *q;
	enum rc rc = user.len > LOGIN_NAME
			     ? RC_BAD
			     : sql_local(d, user, mem, &row.name, NULL, err);

	if (rc == RC_BAD || rc == RC_LIMIT)
		as_written(user, mem, &row.name);
	else if (rc != RC_OK)
		return rc;
	q = db_prepare(d->db,
		"SELECT a.id, a.disabled FROM name n JOIN account a ON a.id = n.account "
		"WHERE n.address = ?",
		err);
	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, row.name);
	rc = db_step(q, err);
	if (rc == RC_OK) {
		row.account = db_u64(q, 0);
		row.disabled = db_u64(q, 1) != 0;
	}
	db_reset(q);
	if (rc == RC_OK || rc == RC_NONE) /* the same questions for all */
		rc = read_credentials(d, &row, err);
	if (rc == RC_OK)
		*out = row;
	wipe(&row, sizeof(row));
	return rc;
}

enum rc
login_row_again(
	struct directory *d, uint64_t account, struct login_row *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&d->lock);
	struct login_row row = { .account = account };
	struct db_stmt *q = db_prepare(
		d->db, "SELECT disabled FROM account WHERE id = ?", err);
	enum rc rc;

	if (q == NULL)
		return RC_TEMP;
	db_bind_u64(q, 1, account);
	if ((rc = db_step(q, err)) == RC_OK)
		row.disabled = db_u64(q, 0) != 0;
	db_reset(q);
	if (rc == RC_OK)
		rc = read_credentials(d, &row, err);
	if (rc == RC_OK)
		*out = row;
	wipe(&row, sizeof(row));
	return rc;
}

static enum rc
put_secret(struct directory *d, const char *name, const uint8_t value[LOGIN_SECRET],
	struct err *err)
{
	struct db_stmt *q = db_prepare(
		d->db, "INSERT INTO secret (name, value) VALUES (?, ?)", err);

	if (q == NULL)
		return RC_TEMP;
	db_bind_str(q, 1, str_of(name));
	db_bind_blob(q, 2, (str){ (const char *)value, LOGIN_SECRET });
	return db_run(q, err);
}

enum rc
directory_secret(
	struct directory *d, const char *name, uint8_t out[LOGIN_SECRET], struct err *err)
{
	ARENA_AUTO mem = arena_new(WORK_BYTES);
	uint8_t secret[LOGIN_SECRET];
	str value;
	enum rc rc = change_begin(d, err);

	if (rc != RC_OK)
		return rc;
	rc = sql_text(d, "SELECT value FROM secret WHERE name = ?", str_of(name), mem,
		&value, err);
	if (rc == RC_NONE) {
		ids_random(secret, sizeof(secret));
		rc = put_secret(d, name, secret, err);
	} else if (rc == RC_OK && value.len == sizeof(secret)) {
		memcpy(secret, value.ptr, sizeof(secret));
	} else if (rc == RC_OK) {
		rc = err_set(err, RC_TEMP, "the secret \"%s\" is not one", name);
	}
	if ((rc = change_end(d, rc, err)) == RC_OK)
		memcpy(out, secret, sizeof(secret));
	wipe(secret, sizeof(secret));
	return rc;
}
