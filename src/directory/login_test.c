/* SPDX-License-Identifier: ISC */
#include "directory/login.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "crypto/digest.h"
#include "directory/login_int.h"
#include "test/memory.h"
#include "test/test.h"

struct fixture {
	int data;
	const struct conf *conf;
	struct directory *d;
	struct logins *l;
	struct login_want want;
	struct err err;
};

#define ok(call)                                          \
	do {                                              \
		enum rc ok_rc = (call);                   \
		if (ok_rc != RC_OK)                       \
			fail_msg("%s: %d", #call, ok_rc); \
	} while (0)

static void
on_changed(void *arg)
{
	struct fixture *f = arg;

	if (f->l != NULL)
		logins_forget(f->l);
}

static void
open_all(struct fixture *f)
{
	struct directory_want w = {
		.data = f->data, .conf = f->conf, .changed = on_changed, .arg = f
	};

	ok(directory_open(&w, &f->d, &f->err));
	f->l = logins_new(f->d, f->conf);
}

static void
close_all(struct fixture *f)
{
	logins_free(&f->l);
	directory_close(&f->d);
}

static void
add(struct fixture *f, const char *address, const char *password)
{
	struct account_new a = { .address = str_of(address),
		.password = str_of(password) };

	ok(account_add(f->d, &a, NULL, &f->err));
}

static void
set_up(struct fixture *f, const char *settings)
{
	char text[500];

	*f = (struct fixture){ .data = -1, .want = { .door = DOOR_IMAP, .tls = true } };
	(void)snprintf(text, sizeof(text), "hostname = mx.example.test\n%s", settings);
	ok(fs_open_dir(AT_FDCWD, test_folder(), &f->data, &f->err));
	ok(conf_parse(str_of(text), "test", &f->conf, &f->err));
	assert_true(ip_parse(STR("192.0.2.1"), &f->want.peer));
	open_all(f);
	ok(domain_add(f->d, STR("a.test"), &f->err));
	add(f, "alice@a.test", "correct horse");
	add(f, "empty@a.test", "");
}

static void
tear_down(struct fixture *f)
{
	close_all(f);
	conf_drop(&f->conf);
	fs_close(&f->data);
}

#define FIXTURE __attribute__((cleanup(tear_down))) struct fixture

static struct login_answer
plain(struct fixture *f, const char *user, const char *password)
{
	struct login_answer a;

	login_plain(f->l, &f->want, str_of(user), str_of(password), &a);
	return a;
}

static enum login_says
says(struct fixture *f, const char *user, const char *password)
{
	return plain(f, user, password).says;
}

TEST(the_right_password_opens_and_no_other_does)
{
	FIXTURE f;

	set_up(&f, "");
	struct login_answer a = plain(&f, "ALICE@A.Test", "correct horse");
	assert_int_equal(a.says, LOGIN_OK);
	assert_string_equal(a.address, "alice@a.test");
	assert_true(a.account != 0);
	assert_int_equal(a.answer_ms, 0);
	f.want.peer.bytes[3] = 2;
	assert_int_equal(says(&f, "alice@a.test", "correct horsf"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice", "correct horse"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice+x@a.test", "correct horse"), LOGIN_WRONG);
	f.want.peer.bytes[3] = 3;
	assert_int_equal(says(&f, "empty@a.test", ""), LOGIN_WRONG);
	assert_int_equal(says(&f, "", ""), LOGIN_WRONG);
	assert_int_equal(says(&f, "abuse@a.test", "correct horse"), LOGIN_WRONG);
}

/* ---- exchanges, with gsasl at the other end ---- */

struct client {
	const char *mechanism, *user, *other, *password;
	const uint8_t *binding;
	char salt[64]; /* what it was told */
};

static int
on_client(Gsasl *all, Gsasl_session *s, Gsasl_property what)
{
	const struct client *c = gsasl_session_hook_get(s);
	char text[64];

	(void)all;
	switch ((int)what) {
	case GSASL_AUTHID:
		return gsasl_property_set(s, what, c->user);
	case GSASL_AUTHZID:
		return c->other == NULL ? GSASL_NO_CALLBACK
					: gsasl_property_set(s, what, c->other);
	case GSASL_PASSWORD:
		return gsasl_property_set(s, what, c->password);
	case GSASL_CB_TLS_EXPORTER:
		if (c->binding == NULL)
			return GSASL_NO_CALLBACK;
		(void)EVP_EncodeBlock((unsigned char *)text, c->binding, LOGIN_BINDING);
		return gsasl_property_set(s, what, text);
	default:
		return GSASL_NO_CALLBACK;
	}
}

/* The whole exchange; *trusts: what the client thinks of the server. */
static struct login_answer
exchange(struct fixture *f, struct client *c, bool *trusts)
{
	struct login_answer a = { .says = LOGIN_BAD };
	BUF_AUTO out = BUF(LOGIN_STEP_MOST);
	Gsasl_session *s = NULL;
	Gsasl *all = NULL;
	struct login *g;
	char *said = NULL;
	size_t len = 0;
	int r = GSASL_NEEDS_MORE;

	assert_int_equal(gsasl_init(&all), GSASL_OK);
	gsasl_callback_set(all, on_client);
	assert_int_equal(gsasl_client_start(all, c->mechanism, &s), GSASL_OK);
	gsasl_session_hook_set(s, c);
	ok(login_begin(f->l, &f->want, str_of(c->mechanism), &g, &f->err));
	login_step(g, (str){ 0 }, &out, &a);
	assert_int_equal(a.says, LOGIN_MORE);
	while (a.says == LOGIN_MORE) {
		r = gsasl_step(s, out.data, out.len, &said, &len);
		if (r != GSASL_OK && r != GSASL_NEEDS_MORE)
			fail_msg("client: %s", gsasl_strerror(r));
		buf_clear(&out);
		login_step(g, (str){ said, len }, &out, &a);
		gsasl_free(said);
		const char *salt = strstr(buf_z(&out), "s=");
		if (salt != NULL)
			(void)str_z(
				str_first(str_of(salt), 26), c->salt, sizeof(c->salt));
	}
	*trusts = r == GSASL_OK;
	gsasl_finish(s);
	gsasl_done(all);
	login_free(&g);
	return a;
}

TEST(a_login_by_any_mechanism_is_the_same_login)
{
	static const char *const names[] = { "PLAIN", "SCRAM-SHA-256",
		"SCRAM-SHA-256-PLUS" };
	FIXTURE f;

	set_up(&f, "");
	f.want.has_binding = true;
	memset(f.want.binding, 7, LOGIN_BINDING);
	for (size_t i = 0; i < 3; i++) {
		struct client c = { names[i], "Alice@A.test", NULL, "correct horse", NULL,
			"" };
		struct login_answer a;
		bool trusts;

		if (i == 2)
			c.binding = f.want.binding;
		a = exchange(&f, &c, &trusts);
		assert_int_equal(a.says, LOGIN_OK);
		assert_string_equal(a.address, "alice@a.test");
		assert_true(trusts);
		c.password = "wrong horse";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_WRONG);
		c.password = "correct horse";
		c.other = "empty@a.test";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_WRONG);
		c.other = "alice@A.TEST";
		assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_OK);
	}
}

/* ---- whom nobody can tell apart ---- */

static unsigned
hashes_for(struct fixture *f, const char *user, const char *password)
{
	unsigned before = atomic_load(&f->l->hashed);

	assert_int_equal(says(f, user, password), LOGIN_WRONG);
	return atomic_load(&f->l->hashed) - before;
}

TEST(the_time_a_failure_takes_does_not_tell_whether_the_account_is_there)
{
	FIXTURE f;
	struct credentials *c;

	set_up(&f, "[login]\nslow_after = 100\nblock_after = 1000\n");
	add(&f, "gone@a.test", "correct horse");
	add(&f, "old@a.test", "correct horse");
	struct fixture *g = &f;
#define f g
	ok(account_disable(f->d, STR("gone@a.test"), true, &f->err));
	/* as it would be imported: a hash of another kind */
	ok(db_exec(f->d->db,
		"UPDATE credential SET secret = '$6$x$y' WHERE kind = 'yescrypt' AND account = "
		"(SELECT account FROM name WHERE address = 'old@a.test')",
		&f->err));
	ok(credentials_make(STR("x"), &c, &f->err));
	credentials_free(&c);
	assert_int_equal(hashes_for(f, "alice@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "nobody@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "empty@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "gone@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "old@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "abuse@a.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "nobody@elsewhere.test", "wrong"), 1);
	assert_int_equal(hashes_for(f, "no address", "wrong"), 1);
	assert_int_equal(hashes_for(f, "alice@a.test", ""), 1);
	assert_int_equal(hashes_for(f, "nobody@a.test", ""), 1);
#undef f
}

/* What a client is told when it begins with this name. */
static void
salt_of(struct fixture *f, const char *user, char out[64])
{
	struct client c = { "SCRAM-SHA-256", user, NULL, "wrong", NULL, "" };
	bool trusts;

	assert_int_equal(exchange(f, &c, &trusts).says, LOGIN_WRONG);
	assert_int_equal(strlen(c.salt), 26);
	(void)str_z(str_of(c.salt), out, 64);
}

TEST(scram_has_a_salt_that_stays_for_those_who_are_not_there)
{
	static const char *const names[] = { "alice@a.test", "nobody@a.test",
		"empty@a.test", "abuse@a.test", "x@elsewhere.test", "no address" };
	char salts[6][64], again[64];
	FIXTURE f;

	set_up(&f, "[login]\nslow_after = 100\nblock_after = 1000\n");
	for (size_t i = 0; i < 6; i++)
		salt_of(&f, names[i], salts[i]);
	for (size_t i = 0; i < 6; i++)
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(salts[i], salts[k]);
	close_all(&f); /* the server begins anew */
	open_all(&f);
	for (size_t i = 0; i < 6; i++) {
		salt_of(&f, names[i], again);
		assert_string_equal(again, salts[i]);
	}
	salt_of(&f, "NoBody@A.test", again);
	assert_string_equal(again, salts[1]);
}

TEST(a_login_that_is_bound_to_another_connection_fails)
{
	static const uint8_t other[LOGIN_BINDING] = { 1 };
	struct client c = { "SCRAM-SHA-256-PLUS", "alice@a.test", NULL, "correct horse",
		other, "" };
	BUF_AUTO list = BUF(200);
	struct login *g = NULL;
	FIXTURE f;
	bool trusts;

	set_up(&f, "");
	login_mechanisms(&f.want, &list);
	assert_string_equal(buf_z(&list), "SCRAM-SHA-256 PLAIN");
	assert_int_equal(
		login_begin(f.l, &f.want, STR("SCRAM-SHA-256-PLUS"), &g, NULL), RC_BAD);
	assert_int_equal(login_begin(f.l, &f.want, STR("ANONYMOUS"), &g, NULL), RC_BAD);
	f.want.has_binding = true;
	memset(f.want.binding, 7, LOGIN_BINDING);
	buf_clear(&list);
	login_mechanisms(&f.want, &list);
	assert_string_equal(buf_z(&list), "SCRAM-SHA-256-PLUS SCRAM-SHA-256 PLAIN");
	assert_int_equal(exchange(&f, &c, &trusts).says, LOGIN_WRONG);
	assert_false(trusts);
}

static struct login_answer
first_words(struct fixture *f, const char *mechanism, str words)
{
	BUF_AUTO out = BUF(LOGIN_STEP_MOST);
	struct login_answer a;
	struct login *g;

	assert_int_equal(login_begin(f->l, &f->want, str_of(mechanism), &g, NULL), RC_OK);
	login_step(g, words, &out, &a);
	login_free(&g);
	return a;
}

TEST(who_takes_scrams_plus_away_on_the_way_is_noticed)
{
	FIXTURE f;

	/* RFC 5802 6: "y" means: I could, but you did not offer it */
	set_up(&f, "");
	assert_int_equal(
		first_words(&f, "SCRAM-SHA-256", STR("y,,n=alice@a.test,r=abcdef")).says,
		LOGIN_MORE);
	f.want.has_binding = true;
	assert_true(first_words(&f, "SCRAM-SHA-256", STR("y,,n=alice@a.test,r=abcdef"))
			    .says != LOGIN_MORE);
}

TEST(what_is_no_language_is_refused_and_harms_nothing)
{
	static const str words[] = { STR_INIT("n"), STR_INIT("n,,"), STR_INIT(",,,,,"),
		STR_INIT("n,,n=,r="), STR_INIT("\0"), STR_INIT("\0\0"),
		STR_INIT("\0alice@a.test"), STR_INIT("p=tls-unique,,n=alice@a.test,r=a"),
		STR_INIT("n,,m=x,n=alice@a.test,r=abc"),
		STR_INIT("\xff\xfe\0\xff\0\xff") };
	static char large[LOGIN_STEP_MOST + 1];
	FIXTURE f;

	set_up(&f, "");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		enum login_says x = first_words(&f, "SCRAM-SHA-256", words[i]).says;
		enum login_says y = first_words(&f, "PLAIN", words[i]).says;

		assert_true(x == LOGIN_BAD || x == LOGIN_WRONG);
		assert_true(y == LOGIN_BAD || y == LOGIN_WRONG);
		f.want.peer.bytes[3]++; /* another's failures are another's */
	}
	memset(large, 'a', sizeof(large));
	str much = { large, sizeof(large) };
	assert_int_equal(first_words(&f, "PLAIN", much).says, LOGIN_BAD);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
}

/* ---- what is remembered ---- */

TEST(a_password_that_was_right_is_not_hashed_again_until_something_changes)
{
	FIXTURE f;
	char secret[32];

	set_up(&f, "[login]\nslow_after = 100\n");
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_int_equal(atomic_load(&f.l->hashed), 1);
	assert_int_equal(says(&f, "alice@a.test", "correct hors"), LOGIN_WRONG);
	assert_int_equal(atomic_load(&f.l->hashed), 2);
	f.want.door = DOOR_POP3;
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_int_equal(atomic_load(&f.l->hashed), 3);
	struct err *err = &f.err;
	assert_int_equal(app_password_add(f.d, STR("empty@a.test"), STR("phone"),
				 DOOR_ALL, secret, err),
		RC_OK);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_int_equal(atomic_load(&f.l->hashed), 4);
	assert_int_equal(
		account_password(f.d, STR("alice@a.test"), STR("battery"), err), RC_OK);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice@a.test", "battery"), LOGIN_OK);
	assert_int_equal(account_disable(f.d, STR("alice@a.test"), true, err), RC_OK);
	assert_int_equal(says(&f, "alice@a.test", "battery"), LOGIN_DISABLED);
	assert_int_equal(says(&f, "alice@a.test", "batteries"), LOGIN_WRONG);
}

TEST(an_app_password_opens_what_it_is_for)
{
	char secret[32], other[32];
	struct login_answer a;
	FIXTURE f;

	set_up(&f, "");
	assert_int_equal(app_password_add(f.d, STR("alice@a.test"), STR("phone"),
				 DOOR_IMAP | DOOR_SMTP, secret, &f.err),
		RC_OK);
	assert_int_equal(app_password_add(f.d, STR("empty@a.test"), STR("phone"),
				 DOOR_POP3, other, &f.err),
		RC_OK);
	assert_int_equal(says(&f, "alice@a.test", secret), LOGIN_OK);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_int_equal(says(&f, "alice@a.test", other), LOGIN_WRONG);
	a = plain(&f, "empty@a.test", other);
	assert_int_equal(a.says, LOGIN_DISABLED);
	assert_string_equal(a.sentence, "this app password is not for this service");
	f.want.door = DOOR_POP3;
	assert_int_equal(says(&f, "empty@a.test", other), LOGIN_OK);
	assert_int_equal(says(&f, "alice@a.test", secret), LOGIN_DISABLED);
	assert_int_equal(
		app_password_revoke(f.d, STR("empty@a.test"), STR("phone"), &f.err),
		RC_OK);
	assert_int_equal(says(&f, "empty@a.test", other), LOGIN_WRONG);
}

TEST(doors_are_written_as_they_are_read)
{
	char text[LOGIN_DOORS_TEXT];
	unsigned doors = 0;

	assert_true(login_doors_parse(STR("smtp,imap"), &doors));
	assert_int_equal(doors, DOOR_IMAP | DOOR_SMTP);
	login_doors_text(doors, text);
	assert_string_equal(text, "imap,smtp");
	assert_true(login_doors_parse(STR("imap,pop3,smtp,web"), &doors));
	login_doors_text(doors, text);
	assert_string_equal(text, "all");
	assert_true(login_doors_parse(STR("all"), &doors));
	assert_false(login_doors_parse(STR(""), &doors));
	assert_false(login_doors_parse(STR("imap,,pop3"), &doors));
	assert_false(login_doors_parse(STR("ftp"), &doors));
	assert_int_equal(doors, DOOR_ALL);
}

/* ---- the guard, from outside ---- */

TEST(who_guesses_is_answered_later_then_told_until_when_he_is_not)
{
	FIXTURE f;
	struct login_answer a;

	set_up(&f, "[login]\nslow_after = 2\nblock_after = 3\nblock_time = 30m\n");
	struct ip home = f.want.peer;
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
	assert_true(ip_parse(STR("198.51.100.7"), &f.want.peer));
	assert_int_equal(plain(&f, "alice@a.test", "1").answer_ms, 0);
	assert_int_equal(plain(&f, "alice@a.test", "2").answer_ms, 0);
	/* a right one is not answered sooner, or its speed would tell */
	assert_true(plain(&f, "empty@a.test", "3").answer_ms >= clock_ms() + 500);
	a = plain(&f, "alice@a.test", "correct horse");
	assert_int_equal(a.says, LOGIN_BLOCKED);
	assert_string_equal(
		a.sentence, "too many failed logins; try again in 30 minutes");
	assert_int_equal(
		first_words(&f, "SCRAM-SHA-256", STR("n,,n=alice@a.test,r=abc")).says,
		LOGIN_BLOCKED);
	f.want.door = DOOR_POP3; /* one guard for all doors */
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_BLOCKED);
	f.want.peer = home;
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
}

TEST(a_right_password_where_many_were_wrong_is_not_answered_sooner)
{
	FIXTURE f;

	set_up(&f, "[login]\nslow_after = 1\n");
	assert_int_equal(says(&f, "empty@a.test", "1"), LOGIN_WRONG);
	struct login_answer a = plain(&f, "alice@a.test", "correct horse");
	assert_int_equal(a.says, LOGIN_OK);
	assert_true(a.answer_ms > clock_ms());
	assert_int_equal(plain(&f, "alice@a.test", "correct horse").answer_ms, 0);
}

TEST(settings_of_the_guard_change_without_a_new_beginning)
{
	const struct conf *conf = NULL;
	FIXTURE f;

	set_up(&f, "[login]\nblock_after = 2\n");
	assert_int_equal(says(&f, "alice@a.test", "1"), LOGIN_WRONG);
	assert_int_equal(
		conf_parse(STR("hostname = mx.example.test\n"), "test", &conf, NULL),
		RC_OK);
	logins_reload(f.l, conf);
	conf_drop(&conf);
	assert_int_equal(says(&f, "alice@a.test", "2"), LOGIN_WRONG);
	assert_int_equal(says(&f, "alice@a.test", "correct horse"), LOGIN_OK);
}

/* ---- many at once ---- */

struct crowd {
	struct logins *l;
	atomic_uint opened, refused;
};

static void *
log_in_again_and_again(void *arg)
{
	struct crowd *c = arg;
	const struct login_want want = { .door = DOOR_IMAP,
		.tls = true,
		.peer = { .family = 4, .bytes = { 192, 0, 2, 1 } } };
	struct login_answer a;

	for (int i = 0; i < 20; i++) {
		login_plain(c->l, &want, STR("alice@a.test"), STR("correct horse"), &a);
		atomic_fetch_add(a.says == LOGIN_OK ? &c->opened : &c->refused, 1);
		if (i % 5 == 0)
			logins_forget(c->l);
	}
	return NULL;
}

TEST(many_who_log_in_at_once_all_come_in)
{
	pthread_t threads[8];
	struct crowd c = { 0 };
	FIXTURE f;

	set_up(&f, "");
	c.l = f.l;
	log_least(LOG_ERROR_);
	for (size_t i = 0; i < 8; i++)
		threads[i] = thread_start("crowd", log_in_again_and_again, &c);
	for (size_t i = 0; i < 8; i++)
		(void)pthread_join(threads[i], NULL);
	log_least(LOG_INFO_);
	assert_int_equal(atomic_load(&c.opened), 8 * 20);
	assert_int_equal(atomic_load(&c.refused), 0);
	int free_places = 0;
	assert_int_equal(sem_getvalue(&f.l->hashes, &free_places), 0);
	assert_int_equal(free_places, LOGIN_HASHES);
}

TEST(a_password_that_was_looked_at_is_nowhere)
{
	static const char nobody[] = "\0alice@a.test"; /* and a NUL */
	struct secret s = secret_new();
	char words[sizeof(nobody) + SECRET_CHARS];
	struct login_answer a;
	struct login *login;
	FIXTURE f;

	set_up(&f, "");
	secret_show(&s, words + sizeof(nobody));
	memcpy(words, nobody, sizeof(nobody));
	login_plain(f.l, &f.want, STR("alice@a.test"),
		(str){ words + sizeof(nobody), s.len }, &a);
	assert_int_equal(a.says, LOGIN_WRONG);
	ok(login_begin(f.l, &f.want, STR("PLAIN"), &login, &f.err));
	BUF_AUTO out = BUF(1000);
	login_step(login, (str){ words, sizeof(words) }, &out, &a);
	assert_int_equal(a.says, LOGIN_WRONG);
	secret_wiped(words, sizeof(words));
	login_free(&login);
	assert_false(secret_in_memory(&s));
}
