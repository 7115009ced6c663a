/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/ids.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "directory/login_int.h"

static struct guard_limits
limits_of(const struct conf *conf)
{
	return (struct guard_limits){
		.slow_after = conf->login.slow_after,
		.block_after = conf->login.block_after,
		.block_ms = conf->login.block_time,
	};
}

static void
make_nobody(struct logins *l)
{
	char random[2 * LOGIN_SECRET + 1];
	uint8_t bytes[LOGIN_SECRET];

	ids_random(bytes, sizeof(bytes));
	ids_hex(bytes, sizeof(bytes), random);
	if (password_hash(str_of(random), l->nobody, NULL) != RC_OK)
		abort(); /* it has no input that could be wrong */
	wipe(random, sizeof(random));
}

struct logins *
logins_new(struct directory *d, const struct conf *conf)
{
	struct guard_limits limits = limits_of(conf);
	struct logins *l = calloc(1, sizeof(*l));

	if (l == NULL)
		abort();
	logins_set_up(l);
	l->directory = d;
	l->conf = conf_keep(conf);
	l->guard = guard_new(&limits);
	ids_random(l->key, sizeof(l->key));
	make_nobody(l);
	(void)sem_init(&l->hashes, 0, LOGIN_HASHES);
	(void)pthread_mutex_init(&l->lock, NULL);
	(void)pthread_mutex_init(&l->passes_lock, NULL);
	return l;
}

void
logins_free(struct logins **lp)
{
	struct logins *l = *lp;

	if (l == NULL)
		return;
	*lp = NULL;
	gsasl_done(l->gsasl);
	guard_free(&l->guard);
	conf_drop(&l->conf);
	(void)sem_destroy(&l->hashes);
	(void)pthread_mutex_destroy(&l->lock);
	(void)pthread_mutex_destroy(&l->passes_lock);
	wipe(l, sizeof(*l));
	free(l);
}

void
logins_reload(struct logins *l, const struct conf *conf)
{
	struct guard_limits limits = limits_of(conf);
	const struct conf *old;

	{
		LOCK_AUTO held = lock_take(&l->lock);

		old = l->conf;
		l->conf = conf_keep(conf);
		guard_change(l->guard, &limits);
		l->round++;
	}
	conf_drop(&old);
}

void
logins_forget(struct logins *l)
{
	LOCK_AUTO held = lock_take(&l->lock);

	l->round++;
}

uint64_t
logins_round(struct logins *l)
{
	LOCK_AUTO held = lock_take(&l->lock);

	return l->round;
}

/* ---- doors and the log ---- */

static const struct {
	enum login_door door;
	const char *name;
} doors[] = {
	{ DOOR_IMAP, "imap" },
	{ DOOR_POP3, "pop3" },
	{ DOOR_SMTP, "smtp" },
	{ DOOR_WEB, "web" },
};

enum { DOORS = sizeof(doors) / sizeof(doors[0]) };

static const char *
door_name(enum login_door door)
{
	for (size_t i = 0; i < DOORS; i++)
		if (doors[i].door == door)
			return doors[i].name;
	abort();
}

bool
login_doors_parse(str text, unsigned *out)
{
	unsigned found = 0;
	str word;

	if (str_eq(text, STR("all"))) {
		*out = DOOR_ALL;
		return true;
	}
	while (str_cut(&text, ',', &word)) {
		unsigned before = found;

		for (size_t i = 0; i < DOORS; i++)
			if (str_eq(str_trim(word), str_of(doors[i].name)))
				found |= doors[i].door;
		if (found == before)
			return false; /* no such door, or said twice */
	}
	if (found != 0)
		*out = found;
	return found != 0;
}

void
login_doors_text(unsigned which, char out[LOGIN_DOORS_TEXT])
{
	BUF_AUTO text = BUF(LOGIN_DOORS_TEXT - 1);

	for (size_t i = 0; i < DOORS && which != DOOR_ALL; i++)
		if ((which & doors[i].door) != 0)
			buf_addf(&text, "%s%s", text.len == 0 ? "" : ",", doors[i].name);
	(void)str_z(
		which == DOOR_ALL ? STR("all") : buf_str(&text), out, LOGIN_DOORS_TEXT);
}

/* Nothing in it ends the line or the quotes, or works a terminal. */
static void
shown_user(str user, char out[LOGIN_SHOWN])
{
	size_t n = 0;

	for (size_t i = 0; i < user.len && n < LOGIN_SHOWN - 1; i++) {
		unsigned char c = (unsigned char)user.ptr[i];

		out[n++] = c < ' ' || c >= 0x7f || c == '"' || c == '\\' ? '?' : (char)c;
	}
	out[n] = '\0';
}

static const char *
why(const struct attempt *t, enum login_says says, const char *sentence)
{
	switch (says) {
	case LOGIN_WRONG:
		return t->row == NULL || t->row->account == 0 ? "no such account"
							      : "wrong password";
	case LOGIN_BAD:
		return "not the mechanism's language";
	case LOGIN_BLOCKED:
		return "too many failures";
	case LOGIN_DISABLED:
		return sentence;
	case LOGIN_MORE:
	case LOGIN_OK:
	case LOGIN_LATER:
		break;
	}
	return "";
}

static void
log_outcome(const struct attempt *t, enum login_says says, const char *sentence)
{
	char client[IP_TEXT], user[LOGIN_SHOWN];
	const char *door = door_name(t->want->door);

	ip_text(&t->want->peer, client);
	shown_user(t->user, user);
	if (says == LOGIN_OK)
		log_info("msg=\"login\" door=%s client=%s user=\"%s\" how=%s", door,
			client, user, t->how);
	else if (says == LOGIN_LATER) /* nobody's fault: nothing for fail2ban */
		log_warn("msg=\"login put off\" door=%s client=%s user=\"%s\" how=%s",
			door, client, user, t->how);
	else
		log_info("msg=\"login failed\" door=%s client=%s user=\"%s\" how=%s "
			 "why=\"%s\"",
			door, client, user, t->how, why(t, says, sentence));
}

/* ---- attempts ---- */

static struct guard_try
as_try(const struct attempt *t)
{
	struct guard_try try = { .peer = t->want->peer, .name = t->row->name };

	/* a proxy of ours that speaks for nobody is not to be shut out */
	if (ip_in_list(&try.peer, t->logins->conf->server.trusted_proxies))
		try.peer = (struct ip){ 0 };
	return try;
}

static void
say_blocked(uint64_t ms, struct login_answer *a)
{
	uint64_t minutes = ms == 0 ? 1 : (ms + 59999) / 60000;

	(void)snprintf(a->sentence, sizeof(a->sentence),
		"too many failed logins; try again in %" PRIu64 " minute%s", minutes,
		minutes == 1 ? "" : "s");
}

bool
attempt_blocked(struct attempt *t, struct login_answer *a)
{
	uint64_t now = clock_ms();
	struct guard_says says;

	{
		LOCK_AUTO held = lock_take(&t->logins->lock);
		struct guard_try try = as_try(t);

		says = guard_ask(t->logins->guard, &try, now);
	}
	if (!says.blocked) {
		t->delay_ms = says.delay_ms;
		return false;
	}
	t->delay_ms = 0;
	attempt_end(t, LOGIN_BLOCKED, NULL, a);
	say_blocked(says.until_ms - now, a);
	return true;
}

bool
attempt_begin(struct attempt *t, struct login_answer *a)
{
	struct logins *l = t->logins;
	struct err err = { 0 };

	t->began_ms = clock_ms();
	t->row = arena_new_of(t->mem, struct login_row);
	{
		LOCK_AUTO held = lock_take(&l->lock);

		t->round = l->round; /* before the directory is read */
	}
	if (t->row == NULL ||
		login_row_read(l->directory, t->user, t->mem, t->row, &err) != RC_OK) {
		log_error(
			"msg=\"the directory could not be asked\" why=\"%s\"", err.text);
		attempt_end(t, LOGIN_LATER, NULL, a);
		return false;
	}
	return !attempt_blocked(t, a);
}

static void
tell_guard(struct attempt *t, enum login_says says)
{
	LOCK_AUTO held = lock_take(&t->logins->lock);
	struct guard_try try;

	if (says != LOGIN_OK && says != LOGIN_WRONG)
		return;
	try = as_try(t);
	if (says == LOGIN_OK)
		guard_passed(t->logins->guard, &try, clock_ms());
	else
		guard_failed(t->logins->guard, &try, clock_ms());
}

void
attempt_end(struct attempt *t, enum login_says says, const char *sentence,
	struct login_answer *a)
{
	*a = (struct login_answer){ .says = says };
	if (t->delay_ms != 0)
		a->answer_ms = t->began_ms + t->delay_ms;
	if (sentence != NULL)
		(void)str_z(str_of(sentence), a->sentence, sizeof(a->sentence));
	if (says == LOGIN_OK) {
		a->account = t->row->account;
		a->round = t->round;
		a->mark = login_mark(t->logins, t->row, t->app);
		(void)str_z(t->row->name, a->address, sizeof(a->address));
	}
	tell_guard(t, says);
	log_outcome(t, says, sentence);
}
