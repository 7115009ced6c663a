/* SPDX-License-Identifier: ISC */
#include "held/appeals.h"

#include "base/clock.h"
#include "crypto/digest.h"
#include "held/letters.h"
#include "held/refusals_int.h"

enum {
	DAY_MS = 24 * 3600 * 1000,
	DOMAIN_MOST = 255,
	SHARE_TEXT = DOMAIN_MOST + 1 + IP_TEXT
};

static enum rc
one_number(struct db_stmt *q, uint64_t *out, struct err *err)
{
	enum rc rc = db_step(q, err);

	if (rc == RC_OK)
		*out = db_u64(q, 0);
	db_reset(q);
	return rc;
}

/* ---- how many there are ---- */

static str
sender_domain(str sender)
{
	size_t at = sender.len;

	while (at > 0 && sender.ptr[at - 1] != '@')
		at--;
	return str_first(at > 0 ? str_skip(sender, at) : (str){ 0 }, DOMAIN_MOST);
}

/* One letter case for each, so that a sender cannot choose his share.  Anybody can write anybody's
 * domain into MAIL FROM: with the network that the mail came from, he uses up his own. */
static void
share_of(const struct refusal *f, char out[SHARE_TEXT])
{
	str domain = sender_domain(f->sender);
	char network[IP_TEXT];
	struct ip from = { 0 };

	(void)ip_parse(f->client, &from);
	from = ip_site(&from);
	ip_text(&from, network);
	for (size_t i = 0; i < domain.len; i++) {
		char c = domain.ptr[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
	}
	(void)snprintf(out + domain.len, SHARE_TEXT - domain.len, " %s", network);
}

struct counting {
	struct refusals *r;
	uint64_t since_ms;
	char network[IP_TEXT], domain[SHARE_TEXT];
};

static enum rc
count_all(const struct counting *c, uint64_t *n, struct err *err)
{
	PREPARE(q, c->r->db, "SELECT COUNT(*) FROM appeal WHERE time_ms > ?", err);
	db_bind_u64(q, 1, c->since_ms);
	return one_number(q, n, err);
}

static enum rc
count_network(const struct counting *c, uint64_t *n, struct err *err)
{
	PREPARE(q, c->r->db,
		"SELECT COUNT(*) FROM appeal WHERE network = ? AND time_ms > ?", err);
	db_bind_str(q, 1, str_of(c->network));
	db_bind_u64(q, 2, c->since_ms);
	return one_number(q, n, err);
}

static enum rc
count_domain(const struct counting *c, uint64_t *n, struct err *err)
{
	PREPARE(q, c->r->db,
		"SELECT COUNT(*) FROM appeal WHERE domain = ? AND time_ms > ?", err);
	db_bind_str(q, 1, str_of(c->domain));
	db_bind_u64(q, 2, c->since_ms);
	return one_number(q, n, err);
}

/* RC_NONE: too many.  The second half of all of them is for those who have made none: who
 * wants to use them up for others needs as many networks. */
static enum rc
within_limits(const struct counting *c, const struct appeal_limits *l, struct err *err)
{
	uint64_t all = 0, network = 0, domain = 0;
	enum rc rc = count_all(c, &all, err);
	bool scarce = all >= l->all - l->all / 2;

	if (rc == RC_OK && all >= l->all)
		return RC_NONE;
	if (rc == RC_OK)
		rc = count_network(c, &network, err);
	if (rc == RC_OK)
		rc = count_domain(c, &domain, err);
	if (rc != RC_OK)
		return rc;
	if (network >= l->network || domain >= l->domain)
		return RC_NONE;
	return scarce && (network > 0 || domain > 0) ? RC_NONE : RC_OK;
}

/* ---- entering one ---- */

struct entering {
	struct counting count;
	const struct refusal *f;
	const struct appeal *a;
	const struct decider *tell;
	size_t ntell;
};

static enum rc
put_appeal(const struct entering *e, struct err *err)
{
	char client[IP_TEXT];

	PREPARE(q, e->count.r->db,
		"INSERT INTO appeal (id, n, time_ms, note, contact, subject, language, client, "
		"network, domain) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		err);
	ip_text(&e->a->client, client);
	db_bind_str(q, 1, msg_id_str(&e->f->id));
	db_bind_u64(q, 2, e->f->n);
	db_bind_u64(q, 3, e->a->time_ms);
	db_bind_str(q, 4, str_first(e->a->note, APPEAL_NOTE));
	db_bind_str(q, 5, str_first(e->a->contact, APPEAL_CONTACT));
	db_bind_str(q, 6, str_first(e->a->subject, APPEAL_SUBJECT));
	db_bind_str(q, 7, e->a->language);
	db_bind_str(q, 8, str_of(client));
	db_bind_str(q, 9, str_of(e->count.network));
	db_bind_str(q, 10, str_of(e->count.domain));
	return db_run(q, err);
}

static enum rc
put_state(const struct entering *e, struct err *err)
{
	PREPARE(q, e->count.r->db,
		"UPDATE refusal SET state = ? WHERE id = ? AND n = ? AND state = ?", err);
	db_bind_u64(q, 1, REFUSAL_APPEALED);
	db_bind_str(q, 2, msg_id_str(&e->f->id));
	db_bind_u64(q, 3, e->f->n);
	db_bind_u64(q, 4, REFUSAL_OPEN);
	return db_run(q, err);
}

static enum rc
put_told(const struct entering *e, const struct decider *d, struct err *err)
{
	PREPARE(q, e->count.r->db,
		"INSERT INTO letter_about (kind, address, id, n, role, time_ms, letter) "
		"VALUES (?, ?, ?, ?, ?, ?, '')",
		err);
	db_bind_u64(q, 1, LETTER_APPEAL);
	db_bind_str(q, 2, d->address);
	db_bind_str(q, 3, msg_id_str(&e->f->id));
	db_bind_u64(q, 4, e->f->n);
	db_bind_u64(q, 5, d->role);
	db_bind_u64(q, 6, e->a->time_ms);
	return db_run(q, err);
}

static enum rc
put_all(const struct entering *e, struct err *err)
{
	enum rc rc = put_appeal(e, err);

	if (rc == RC_OK)
		rc = put_state(e, err);
	for (size_t i = 0; i < e->ntell && rc == RC_OK; i++)
		rc = put_told(e, &e->tell[i], err);
	return rc;
}

static enum rc
load_appeal(struct refusals *r, const struct refusal *f, struct arena *mem,
	struct appeal *out, struct err *err)
{
	struct appeal a = { .time_ms = 0 };
	str *const strings[] = { &a.note, &a.contact, &a.subject, &a.language };

	PREPARE(q, r->db,
		"SELECT time_ms, client, note, contact, subject, language FROM appeal "
		"WHERE id = ? AND n = ?",
		err);
	db_bind_str(q, 1, msg_id_str(&f->id));
	db_bind_u64(q, 2, f->n);
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		a.time_ms = db_u64(q, 0);
		(void)ip_parse(db_str(q, 1), &a.client);
		for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++)
			if (arena_copy(mem, db_str(q, 2 + (int)i), strings[i]) != RC_OK)
				rc = RC_LIMIT;
	}
	db_reset(q);
	if (rc == RC_LIMIT)
		return err_set(err, rc, "an appeal is larger than the memory for it");
	if (rc == RC_OK)
		*out = a;
	return rc;
}

/* As it is now, whatever *f says: two may come at once.  RC_NONE: it may not be. */
static enum rc
may_appeal(struct refusals *r, const struct refusal *f, uint64_t now_ms,
	enum appeal_end *end, struct err *err)
{
	PREPARE(q, r->db,
		"SELECT f.state, f.held_as <> '' AND f.held_until_ms > ? AND f.expires_ms > ?, "
		"EXISTS (SELECT 1 FROM released d WHERE d.id = f.id AND d.n = f.n "
		"AND d.done_ms > 0), "
		"EXISTS (SELECT 1 FROM appeal a WHERE a.id = f.id AND a.n = f.n) "
		"FROM refusal f WHERE f.id = ? AND f.n = ?",
		err);
	db_bind_u64(q, 1, now_ms);
	db_bind_u64(q, 2, now_ms);
	db_bind_str(q, 3, msg_id_str(&f->id));
	db_bind_u64(q, 4, f->n);
	enum rc rc = db_step(q, err);

	if (rc == RC_NONE) {
		*end = APPEAL_GONE;
	} else if (rc == RC_OK) {
		bool held = db_u64(q, 1) != 0, decided = db_u64(q, 2) != 0;

		rc = RC_NONE;
		if (decided || db_u64(q, 0) == REFUSAL_DISMISSED)
			*end = APPEAL_DECIDED;
		else if (db_u64(q, 3) != 0)
			*end = APPEAL_AGAIN;
		else if (!held)
			*end = APPEAL_GONE;
		else
			rc = RC_OK;
	}
	db_reset(q);
	return rc;
}

/* Under the lock.  RC_NONE: *end says why it is not taken. */
static enum rc
prepare(struct refusals *r, struct entering *e, const struct appeal_limits *l,
	enum appeal_end *end, struct err *err)
{
	struct ip network = ip_site(&e->a->client);
	uint64_t now_ms = e->a->time_ms;
	enum rc rc = may_appeal(r, e->f, now_ms, end, err);

	e->count.r = r;
	e->count.since_ms = now_ms > DAY_MS ? now_ms - DAY_MS : 0;
	ip_text(&network, e->count.network);
	share_of(e->f, e->count.domain);
	if (rc == RC_OK) {
		*end = APPEAL_MANY;
		rc = within_limits(&e->count, l, err);
	}
	return rc;
}

enum rc
appeals_may(struct refusals *r, const struct refusal *f, const struct appeal *a,
	const struct appeal_limits *l, enum appeal_end *end, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	struct entering e = { .f = f, .a = a };
	enum rc rc = prepare(r, &e, l, end, err);

	if (rc == RC_OK)
		*end = APPEAL_TAKEN;
	return rc == RC_NONE ? RC_OK : rc;
}

enum rc
appeals_put(struct refusals *r, const struct refusal *f, const struct appeal *a,
	const struct decider tell[], size_t ntell, const struct appeal_limits *l,
	enum appeal_end *end, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	struct entering e = { .f = f, .a = a, .tell = tell, .ntell = ntell };
	enum rc rc = prepare(r, &e, l, end, err);

	if (rc != RC_OK)
		return rc == RC_NONE ? RC_OK : rc;
	if ((rc = db_begin(r->db, err)) != RC_OK)
		return rc;
	rc = refusals_finish(r, put_all(&e, err), err);
	if (rc == RC_OK) {
		*end = APPEAL_TAKEN;
		r->letters = true;
		r->letters_ms = 0; /* it may be to somebody who waits for nothing */
	}
	return rc;
}

enum rc
appeals_get(struct refusals *r, const struct refusal *f, struct arena *mem,
	struct appeal *out, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);

	return load_appeal(r, f, mem, out, err);
}

/* ---- who decides ---- */

static enum rc
put_decider(struct refusals *r, const struct decider *d, struct err *err)
{
	PREPARE(q, r->db,
		"REPLACE INTO decider (id, n, address, role, token) VALUES (?, ?, ?, ?, ?)",
		err);
	db_bind_str(q, 1, msg_id_str(&d->id));
	db_bind_u64(q, 2, d->n);
	db_bind_str(q, 3, d->address);
	db_bind_u64(q, 4, d->role);
	db_bind_blob(q, 5, (str){ (const char *)d->token, sizeof(d->token) });
	return db_run(q, err);
}

enum rc
deciders_put(struct refusals *r, const struct decider d[], size_t n, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	enum rc rc = db_begin(r->db, err);

	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < n && rc == RC_OK; i++)
		rc = put_decider(r, &d[i], err);
	return refusals_finish(r, rc, err);
}

enum rc
deciders_find(struct refusals *r, str token, struct arena *mem, struct decider *out,
	struct refusal *f, struct err *err)
{
	LOCK_AUTO held = lock_take(&r->lock);
	uint8_t digest[SHA256_BYTES];
	struct decider d = { .n = 0 };

	sha256(token, digest);
	PREPARE(q, r->db, "SELECT id, n, role, address FROM decider WHERE token = ?",
		err);
	db_bind_blob(q, 1, (str){ (const char *)digest, sizeof(digest) });
	enum rc rc = db_step(q, err);

	if (rc == RC_OK) {
		(void)str_z(db_str(q, 0), d.id.text, sizeof(d.id.text));
		d.n = (uint32_t)db_u64(q, 1);
		d.role = (enum decider_role)db_u64(q, 2);
		if (arena_copy(mem, db_str(q, 3), &d.address) != RC_OK)
			rc = err_set(err, RC_LIMIT, "no memory for who decides");
	}
	db_reset(q);
	if (rc == RC_OK)
		rc = refusals_load(r, msg_id_str(&d.id), d.n, mem, f, err);
	if (rc == RC_OK)
		*out = d;
	return rc;
}
