/* SPDX-License-Identifier: ISC */
/* Records of the journals, as rows of the register. */
#include <ctype.h>
#include <stdlib.h>

#include "crypto/digest.h"
#include "held/refusals_int.h"

enum { DAY_MS = 24 * 3600 * 1000 };

static const char teaches[] = "ham";

/* "NAME=…" among findings (filter_list()); what stands in brackets is others' words. */
static bool
has_finding(const struct jrec_message *m, str name)
{
	bool inside = false, begins = true;

	for (size_t i = 0; i < m->findings.len; i++) {
		str rest = str_skip(m->findings, i);

		if (begins && !inside && str_starts(rest, name) &&
			str_starts(str_skip(rest, name.len), STR("=")))
			return true;
		begins = rest.ptr[0] == ' ';
		inside = rest.ptr[0] == '(' || (inside && rest.ptr[0] != ')');
	}
	return false;
}

static bool
was_given(const struct jrec_rcpt *c)
{
	return c->answer == JREC_REFUSED && c->has_token;
}

bool
refusals_concern(const struct jrec_message *m)
{
	if ((m->flags & (JREC_RELEASED | JREC_NOTICE)) != 0)
		return true;
	for (size_t i = 0; i < m->nrcpts; i++)
		if (was_given(&m->rcpts[i]))
			return true;
	return false;
}

/* As stable as the refusal's own id: a register that is made anew, in the middle of a
 * release, still gives one copy. */
void
refusals_make_release_id(const struct msg_id *id, uint32_t n, struct msg_id *out)
{
	enum { TIME = 9, RANDOM = MSG_ID_LEN - TIME };
	uint8_t digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES];
	BUF_AUTO name = BUF(64);

	buf_addf(&name, "release %s.%u", id->text, n);
	sha256(buf_str(&name), digest);
	ids_base32(digest, sizeof(digest), text);
	memcpy(out->text, id->text, TIME);
	for (size_t i = 0; i < RANDOM; i++)
		out->text[TIME + i] = (char)toupper((unsigned char)text[i]);
	out->text[MSG_ID_LEN] = '\0';
}

static enum rc
first_free(struct refusals *r, const struct msg_id *id, uint32_t *n, struct err *err)
{
	PREPARE(q, r->db, "SELECT COALESCE(MAX(n), 0) FROM refusal WHERE id = ?", err);
	db_bind_str(q, 1, msg_id_str(id));
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		*n = (uint32_t)db_u64(q, 0) + 1;
	db_reset(q);
	return rc;
}

static void
bind_envelope(struct db_stmt *q, const struct jrec_message *m, const struct jrec_rcpt *c)
{
	char client[IP_TEXT];

	ip_text(&m->client, client);
	db_bind_str(q, 7, str_of(client));
	db_bind_str(q, 8, m->helo);
	db_bind_str(q, 9, m->from);
	db_bind_str(q, 10, m->findings);
	db_bind_str(q, 11, c->reason);
	db_bind_i64(q, 12, c->score);
	db_bind_u64(q, 13, m->size);
}

static enum rc
put_refusal(struct refusals *r, const struct jrec_message *m, const struct jrec_rcpt *c,
	uint32_t n, struct err *err)
{
	uint64_t keep = r->want.keep_ms, row = keep > DAY_MS ? keep : DAY_MS;

	PREPARE(q, r->db,
		"INSERT INTO refusal (id, n, token, time_ms, expires_ms, held_until_ms, client, "
		"helo, sender, findings, reason, score, size, virus, held_as, state, decided_ms, "
		"decided_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, '')",
		err);
	db_bind_str(q, 1, msg_id_str(&m->id));
	db_bind_u64(q, 2, n);
	db_bind_blob(q, 3, (str){ (const char *)c->token, sizeof(c->token) });
	db_bind_u64(q, 4, m->time_ms);
	db_bind_u64(q, 5, m->time_ms + row);
	db_bind_u64(q, 6, m->time_ms + keep);
	bind_envelope(q, m, c);
	db_bind_u64(q, 14, has_finding(m, STR("VIRUS")));
	db_bind_str(q, 15, msg_id_str(&m->held));
	db_bind_u64(q, 16, REFUSAL_OPEN);
	return db_run(q, err);
}

static enum rc
put_rcpt(struct refusals *r, const struct msg_id *id, uint32_t n, size_t k, str address,
	struct err *err)
{
	PREPARE(q, r->db, "INSERT INTO rcpt (id, n, k, address) VALUES (?, ?, ?, ?)",
		err);
	db_bind_str(q, 1, msg_id_str(id));
	db_bind_u64(q, 2, n);
	db_bind_u64(q, 3, k);
	db_bind_str(q, 4, address);
	return db_run(q, err);
}

/* Which earlier recipient got the same link; i itself when none did. */
static size_t
shares_with(const struct jrec_message *m, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (was_given(&m->rcpts[j]) &&
			memcmp(m->rcpts[j].token, m->rcpts[i].token,
				sizeof(m->rcpts[i].token)) == 0)
			return j;
	return i;
}

static enum rc
put_refused(struct refusals *r, const struct jrec_message *m, uint32_t *first,
	struct err *err)
{
	uint32_t *numbers = arena_array(r->mem, m->nrcpts, sizeof(*numbers)), next = 0;
	enum rc rc = first_free(r, &m->id, &next, err);

	if (numbers == NULL)
		return err_set(err, RC_LIMIT, "a record has too many recipients");
	*first = next;
	for (size_t i = 0; i < m->nrcpts && rc == RC_OK; i++) {
		if (!was_given(&m->rcpts[i]))
			continue;
		size_t same = shares_with(m, i);

		numbers[i] = same == i ? next++ : numbers[same];
		if (same == i)
			rc = put_refusal(r, m, &m->rcpts[i], numbers[i], err);
		if (rc == RC_OK)
			rc = put_rcpt(r, &m->id, numbers[i], i, m->rcpts[i].address, err);
	}
	return rc;
}

static enum rc
put_about(struct refusals *r, const struct jrec_message *m, uint32_t n, struct err *err)
{
	char client[IP_TEXT];

	PREPARE(q, r->db,
		"INSERT INTO notice_about (id, n, time_ms, client, sender, held_as, notice) "
		"VALUES (?, ?, ?, ?, ?, ?, '')",
		err);
	ip_text(&m->client, client);
	db_bind_str(q, 1, msg_id_str(&m->id));
	db_bind_u64(q, 2, n);
	db_bind_u64(q, 3, m->time_ms);
	db_bind_str(q, 4, str_of(client));
	db_bind_str(q, 5, m->from);
	db_bind_str(q, 6, msg_id_str(&m->held));
	r->notices = true;
	return db_run(q, err);
}

/* The row is there, but for a register that is made anew from the journals. */
static enum rc
mark_released(struct refusals *r, const struct jrec_message *m, struct err *err)
{
	static const char *const how[] = {
		"UPDATE released SET done_ms = ?, release_id = ? WHERE id = ? AND n = ?",
		"INSERT INTO released (done_ms, release_id, id, n, who, asked_ms) "
		"VALUES (?, ?, ?, ?, '', 0)",
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2; i++) {
		PREPARE(q, r->db, how[i], err);
		db_bind_u64(q, 1, m->time_ms > 0 ? m->time_ms : 1);
		db_bind_str(q, 2, msg_id_str(&m->id));
		db_bind_str(q, 3, msg_id_str(&m->released));
		db_bind_u64(q, 4, m->released_n);
		if ((rc = db_run(q, err)) != RC_OK || db_changes(r->db) > 0)
			break;
	}
	return rc;
}

static enum rc
teach(struct refusals *r, const struct jrec_message *m, struct err *err)
{
	static const char *const how[] = {
		"UPDATE training SET time_ms = ?, kind = ?, held_as = ? WHERE id = ? AND n = ?",
		"INSERT INTO training (time_ms, kind, held_as, id, n) VALUES (?, ?, ?, ?, ?)",
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 2; i++) {
		PREPARE(q, r->db, how[i], err);
		db_bind_u64(q, 1, m->time_ms);
		db_bind_str(q, 2, str_of(teaches));
		db_bind_str(q, 3, msg_id_str(&m->held));
		db_bind_str(q, 4, msg_id_str(&m->released));
		db_bind_u64(q, 5, m->released_n);
		if ((rc = db_run(q, err)) != RC_OK || db_changes(r->db) > 0)
			break;
	}
	return rc;
}

static enum rc
mark_notice(struct refusals *r, const struct jrec_message *m, struct err *err)
{
	static const char *const how[] = {
		"UPDATE notice SET done = 1 WHERE message = ?",
		"UPDATE letter SET done = 1 WHERE message = ?",
		"INSERT INTO notice (message, made_ms, done) VALUES (?, ?, 1)",
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < 3; i++) {
		PREPARE(q, r->db, how[i], err);
		db_bind_str(q, 1, msg_id_str(&m->id));
		if (i == 2)
			db_bind_u64(q, 2, m->time_ms);
		if ((rc = db_run(q, err)) != RC_OK || db_changes(r->db) > 0)
			break;
	}
	return rc;
}

enum rc
refusals_put(struct refusals *r, const struct jrec_message *m, struct err *err)
{
	uint32_t first = 0;
	enum rc rc;

	if ((m->flags & JREC_NOTICE) != 0)
		return mark_notice(r, m, err);
	if ((m->flags & JREC_RELEASED) != 0) {
		rc = mark_released(r, m, err);
		return rc == RC_OK ? teach(r, m, err) : rc;
	}
	rc = put_refused(r, m, &first, err);
	if (rc == RC_OK && has_finding(m, STR("SCANNER_LOST")))
		rc = put_about(r, m, first, err);
	return rc;
}
