/* SPDX-License-Identifier: ISC */
#include <fcntl.h>

#include "base/fs.h"
#include "crypto/password.h"
#include "directory/directory_int.h"
#include "test/test.h"

struct fixture {
	int data;
	unsigned changes;
	const struct conf *conf;
	struct directory *d;
	struct arena *mem;
	struct err err;
	uint64_t usage[64]; /* by account id */
};

static void
count_change(void *arg)
{
	((struct fixture *)arg)->changes++;
}

static enum rc
usage(uint64_t account, uint64_t *bytes, void *arg)
{
	const struct fixture *f = arg;

	*bytes = account < 64 ? f->usage[account] : 0;
	return RC_OK;
}

static void
set_up(struct fixture *f)
{
	*f = (struct fixture){ .data = -1 };
	assert_int_equal(fs_open_dir(AT_FDCWD, test_folder(), &f->data, NULL), RC_OK);
	assert_int_equal(
		conf_parse(STR("hostname = mx.example.test\n"), "test", &f->conf, NULL),
		RC_OK);
	f->mem = arena_new(16 << 20);
	struct directory_want w = {
		.data = f->data, .conf = f->conf, .changed = count_change, .arg = f
	};
	assert_int_equal(directory_open(&w, &f->d, &f->err), RC_OK);
}

static void
no_damage(const char *sentence, void *arg)
{
	(void)arg;
	fail_msg("%s", sentence);
}

static void
tear_down(struct fixture *f)
{
	assert_int_equal(directory_check(f->d, no_damage, NULL, NULL), RC_OK);
	directory_close(&f->d);
	conf_drop(&f->conf);
	arena_free(&f->mem);
	fs_close(&f->data);
}

#define FIXTURE __attribute__((cleanup(tear_down))) struct fixture

#define ok(call)                                                         \
	do {                                                             \
		enum rc ok_rc = (call);                                  \
		if (ok_rc != RC_OK)                                      \
			fail_msg("%s: %d %s", #call, ok_rc, f.err.text); \
	} while (0)

static void
account(struct fixture *f, const char *address)
{
	struct account_new a = { .address = str_of(address) };

	if (account_add(f->d, &a, NULL, &f->err) != RC_OK)
		fail_msg("%s: %s", address, f->err.text);
}

static uint64_t
id_of(struct fixture *f, const char *address)
{
	struct account a;

	assert_int_equal(account_find(f->d, str_of(address), f->mem, &a, NULL), RC_OK);
	return a.id;
}

static struct ask_answer
ask(struct fixture *f, const char *address)
{
	struct ask_answer a;

	assert_int_equal(
		directory_resolve(f->d, str_of(address), usage, f, f->mem, &a, &f->err),
		RC_OK);
	return a;
}

static void
leads_to(struct fixture *f, const char *address, const char *target)
{
	struct ask_answer a = ask(f, address);

	assert_int_equal(a.status, ASK_LOCAL);
	assert_int_equal(a.ntargets, 1);
	assert_int_equal(a.targets[0], id_of(f, target));
}

TEST(a_domain_has_its_postmaster_and_abuse_from_the_beginning)
{
	FIXTURE f;

	set_up(&f);
	assert_int_equal(ask(&f, "postmaster").status, ASK_RELAY);
	ok(domain_add(f.d, STR("Example.TEST"), &f.err));
	ok(domain_add(f.d, STR("b.test"), &f.err));
	leads_to(&f, "Postmaster@example.test", "postmaster@example.test");
	leads_to(&f, "abuse@example.test", "postmaster@example.test");
	leads_to(&f, "abuse@b.test", "postmaster@b.test");
	leads_to(&f, "PostMaster", "postmaster@example.test");
	assert_int_equal(
		account_remove(f.d, STR("postmaster@b.test"), NULL, &f.err), RC_BAD);
	assert_int_equal(
		account_disable(f.d, STR("postmaster@b.test"), true, &f.err), RC_BAD);
	assert_int_equal(alias_remove(f.d, STR("abuse@b.test"), NULL, 0, &f.err), RC_BAD);
	assert_int_equal(domain_add(f.d, STR("example.test"), &f.err), RC_BAD);
	assert_non_null(strstr(f.err.text, "already"));
}

TEST(abuse_can_be_sent_elsewhere_but_never_nowhere)
{
	FIXTURE f;
	const str alice = STR_INIT("alice@a.test"),
		  postmaster = STR_INIT("postmaster@a.test");

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	assert_int_equal(
		alias_remove(f.d, STR("abuse@a.test"), &postmaster, 1, &f.err), RC_BAD);
	ok(alias_add(f.d, STR("abuse@a.test"), &alice, 1, &f.err));
	ok(alias_remove(f.d, STR("abuse@a.test"), &postmaster, 1, &f.err));
	leads_to(&f, "abuse@a.test", "alice@a.test");
	assert_int_equal(account_remove(f.d, alice, NULL, &f.err), RC_BAD);
	assert_non_null(strstr(f.err.text, "abuse@a.test"));
}

TEST(mail_goes_by_name_then_tag_then_domain_alias_then_catch_all)
{
	FIXTURE f;
	const str alice = STR_INIT("alice@a.test"), bob = STR_INIT("bob@a.test");

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	ok(domain_alias(f.d, STR("www.a.test"), STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	account(&f, "bob@a.test");
	ok(alias_add(f.d, STR("alice+bills@a.test"), &bob, 1, &f.err));
	leads_to(&f, "ALICE@A.test", "alice@a.test");
	leads_to(&f, "alice+news@a.test", "alice@a.test");
	leads_to(&f, "alice+bills@a.test", "bob@a.test");
	leads_to(&f, "alice+x@www.a.test", "alice@a.test");
	assert_true(
		str_eq(ask(&f, "Alice+x@WWW.a.test").address, STR("alice@www.a.test")));
	assert_int_equal(ask(&f, "nobody@a.test").status, ASK_UNKNOWN);
	assert_int_equal(ask(&f, "nobody@www.a.test").status, ASK_UNKNOWN);
	assert_int_equal(ask(&f, "alice@c.test").status, ASK_RELAY);
	assert_int_equal(ask(&f, "alice@[127.0.0.1]").status, ASK_RELAY);
	ok(domain_catchall(f.d, STR("a.test"), alice, &f.err));
	leads_to(&f, "nobody@www.a.test", "alice@a.test");
	assert_int_equal(account_remove(f.d, alice, NULL, &f.err), RC_BAD);
	ok(domain_catchall(f.d, STR("a.test"), STR(""), &f.err));
	assert_int_equal(ask(&f, "nobody@a.test").status, ASK_UNKNOWN);
}

TEST(an_alias_of_aliases_reaches_each_account_once)
{
	FIXTURE f;
	const str ab[] = { STR_INIT("alice@a.test"), STR_INIT("bob@a.test") };
	const str all[] = { STR_INIT("sales@a.test"), STR_INIT("alice@a.test"),
		STR_INIT("postmaster@a.test") };

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	account(&f, "bob@a.test");
	ok(alias_add(f.d, STR("sales@a.test"), ab, 2, &f.err));
	ok(alias_add(f.d, STR("all@a.test"), all, 3, &f.err));
	struct ask_answer a = ask(&f, "all@a.test");
	assert_int_equal(a.ntargets, 3);
	assert_true(a.targets[0] != a.targets[1] && a.targets[1] != a.targets[2]);

	ok(account_remove(f.d, ab[1], NULL, &f.err));
	assert_int_equal(ask(&f, "all@a.test").ntargets, 2);
}

TEST(a_circle_of_aliases_cannot_be_made)
{
	FIXTURE f;
	const str alice = STR_INIT("alice@a.test"), one = STR_INIT("one@a.test"),
		  two = STR_INIT("two@a.test"), three = STR_INIT("three@a.test");
	unsigned before;

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(alias_add(f.d, three, &alice, 1, &f.err));
	ok(alias_add(f.d, two, &three, 1, &f.err));
	ok(alias_add(f.d, one, &two, 1, &f.err));
	before = f.changes;
	assert_int_equal(alias_add(f.d, three, &one, 1, &f.err), RC_BAD);
	assert_non_null(strstr(f.err.text, "circle"));
	assert_int_equal(alias_add(f.d, one, &one, 1, &f.err), RC_BAD);
	assert_int_equal(f.changes, before);
	leads_to(&f, "one@a.test", "alice@a.test");
}

TEST(aliases_nest_ten_deep_and_no_deeper_from_whichever_end_they_grow)
{
	FIXTURE f;
	char name[32], below[32] = "alice@a.test";
	str target;

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	for (int i = 0; i < 10; i++) {
		(void)snprintf(name, sizeof(name), "n%d@a.test", i);
		target = str_of(below);
		ok(alias_add(f.d, str_of(name), &target, 1, &f.err));
		memcpy(below, name, sizeof(below));
	}
	target = str_of(below);
	assert_int_equal(alias_add(f.d, STR("top@a.test"), &target, 1, &f.err), RC_BAD);
	/* and below: n0 would lead to one more */
	target = STR("alice@a.test");
	ok(alias_add(f.d, STR("low@a.test"), &target, 1, &f.err));
	target = STR("low@a.test");
	assert_int_equal(alias_add(f.d, STR("n0@a.test"), &target, 1, &f.err), RC_BAD);
	leads_to(&f, "n9@a.test", "alice@a.test");
}

TEST(remote_and_missing_targets_are_refused_with_a_reason)
{
	FIXTURE f;
	const str remote = STR_INIT("x@gmail.example"),
		  missing = STR_INIT("nobody@a.test");

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	assert_int_equal(alias_add(f.d, STR("x@a.test"), &remote, 1, &f.err), RC_BAD);
	assert_non_null(strstr(f.err.text, "not on this server"));
	assert_int_equal(alias_add(f.d, STR("x@a.test"), &missing, 1, &f.err), RC_NONE);
	assert_int_equal(ask(&f, "x@a.test").status, ASK_UNKNOWN);
}

TEST(an_account_and_an_alias_never_share_a_name)
{
	FIXTURE f;
	struct account_new sales = { .address = STR("SALES@a.test") };
	const str alice = STR_INIT("alice@a.test");

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(alias_add(f.d, STR("sales@a.test"), &alice, 1, &f.err));
	assert_int_equal(account_add(f.d, &sales, NULL, &f.err), RC_BAD);
	assert_int_equal(alias_add(f.d, alice, &alice, 1, &f.err), RC_BAD);
	sales.address = STR("x@other.test");
	assert_int_equal(account_add(f.d, &sales, NULL, &f.err), RC_BAD);
	sales.address = STR("a..b@a.test");
	assert_int_equal(account_add(f.d, &sales, NULL, &f.err), RC_BAD);
}

TEST(a_full_mailbox_puts_mail_off_and_a_disabled_one_is_left_out)
{
	FIXTURE f;
	const str ab[] = { STR_INIT("alice@a.test"), STR_INIT("bob@a.test") };

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	account(&f, "bob@a.test");
	ok(alias_add(f.d, STR("both@a.test"), ab, 2, &f.err));
	ok(account_quota(f.d, ab[0], true, 1000, &f.err));
	f.usage[id_of(&f, "alice@a.test")] = 999;
	assert_int_equal(ask(&f, "alice@a.test").status, ASK_LOCAL);
	f.usage[id_of(&f, "alice@a.test")] = 1000;
	assert_int_equal(ask(&f, "alice@a.test").status, ASK_FULL);
	assert_int_equal(ask(&f, "both@a.test").status, ASK_FULL);
	ok(account_disable(f.d, ab[0], true, &f.err));
	assert_int_equal(ask(&f, "alice@a.test").status, ASK_DISABLED);
	leads_to(&f, "both@a.test", "bob@a.test");
	ok(account_disable(f.d, ab[1], true, &f.err));
	assert_int_equal(ask(&f, "both@a.test").status, ASK_DISABLED);
}

TEST(a_policy_is_inherited_by_account_domain_and_all)
{
	FIXTURE f;
	const str alice = STR_INIT("alice@a.test");
	struct policy p = { .has_threshold = true, .threshold = 7000 };

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(alias_add(f.d, STR("sales@a.test"), &alice, 1, &f.err));
	assert_int_equal(ask(&f, "alice@a.test").threshold, 5000);
	ok(policy_set(f.d, STR("all"), &p, &f.err));
	assert_int_equal(ask(&f, "alice@a.test").threshold, 7000);
	ok(policy_set(f.d, STR("a.test"),
		&(struct policy){ .has_filter = true, .observe = true }, &f.err));
	p.threshold = 3500;
	ok(policy_set(f.d, alice, &p, &f.err));
	assert_int_equal(ask(&f, "alice+x@a.test").threshold, 3500);
	assert_true(ask(&f, "alice@a.test").observe);
	/* the name in RCPT counts, not the one it leads to */
	assert_int_equal(ask(&f, "sales@a.test").threshold, 7000);
	p.threshold = 9000;
	ok(policy_set(f.d, STR("sales@a.test"), &p, &f.err));
	assert_int_equal(ask(&f, "sales@a.test").threshold, 9000);
	ok(policy_set(f.d, alice, &(struct policy){ 0 }, &f.err));
	assert_int_equal(ask(&f, "alice@a.test").threshold, 7000);
	assert_int_equal(policy_set(f.d, STR("nobody@a.test"), &p, &f.err), RC_NONE);
}

TEST(who_hears_of_refusals_is_a_policy_too)
{
	FIXTURE f;
	struct policy p = { .has_appeals = true, .recipient_appeals = true }, now;

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(policy_for(f.d, STR("alice@a.test"), &now, &f.err));
	assert_false(now.recipient_appeals || now.daily);
	ok(policy_set(f.d, STR("a.test"), &p, &f.err));
	p = (struct policy){ .has_refused_mail = true, .daily = true };
	ok(policy_set(f.d, STR("alice@a.test"), &p, &f.err));
	ok(policy_for(f.d, STR("alice+x@a.test"), &now, &f.err));
	assert_true(now.recipient_appeals && now.daily);
	ok(policy_for(f.d, STR("postmaster@a.test"), &now, &f.err));
	assert_true(now.recipient_appeals && !now.daily);
	p.daily = false;
	ok(policy_set(f.d, STR("alice@a.test"), &p, &f.err));
	ok(policy_for(f.d, STR("alice@a.test"), &now, &f.err));
	assert_false(now.daily);
	assert_int_equal(policy_for(f.d, STR("who@b.test"), &now, &f.err), RC_NONE);
}

TEST(many_accounts_come_in_at_once_or_not_at_all)
{
	FIXTURE f;
	enum { MANY = 20000 };
	struct account_new *list = calloc(MANY, sizeof(*list));
	char(*names)[32] = calloc(MANY, sizeof(*names));
	struct account *out;
	size_t n;

	set_up(&f);
	assert_non_null(list);
	assert_non_null(names);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "user%zu@a.test", i);
		list[i].address = str_of(names[i]);
	}
	list[MANY - 1].address = STR("USER0@a.test");
	assert_int_equal(account_add_many(f.d, list, MANY, &f.err), RC_BAD);
	assert_int_equal(ask(&f, "user1@a.test").status, ASK_UNKNOWN);
	ok(account_add_many(f.d, list, MANY - 1, &f.err));
	ok(account_list(f.d, STR("a.test"), f.mem, &out, &n, &f.err));
	assert_int_equal(n, MANY); /* postmaster too */
	leads_to(&f, "user777@a.test", "user777@a.test");
	free(list);
	free(names);
}

TEST(a_domain_goes_only_when_nothing_leads_there)
{
	FIXTURE f;
	const str alice = STR_INIT("alice@a.test"), post = STR_INIT("postmaster@a.test");

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	ok(domain_add(f.d, STR("b.test"), &f.err));
	ok(domain_alias(f.d, STR("c.test"), STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(alias_add(f.d, STR("x@b.test"), &post, 1, &f.err));
	assert_int_equal(domain_remove(f.d, STR("a.test"), &f.err), RC_BAD);
	ok(domain_remove(f.d, STR("c.test"), &f.err));
	assert_int_equal(domain_remove(f.d, STR("a.test"), &f.err), RC_BAD);
	ok(account_remove(f.d, alice, NULL, &f.err));
	assert_int_equal(domain_remove(f.d, STR("a.test"), &f.err), RC_BAD);
	ok(alias_remove(f.d, STR("x@b.test"), NULL, 0, &f.err));
	ok(domain_remove(f.d, STR("a.test"), &f.err));
	assert_int_equal(ask(&f, "alice@a.test").status, ASK_RELAY);
	leads_to(&f, "postmaster", "postmaster@b.test");
}

TEST(what_was_accepted_for_one_who_is_gone_goes_to_his_postmaster)
{
	FIXTURE f;
	uint64_t id, heir;

	set_up(&f);
	assert_int_equal(account_heir(f.d, STR("x@a.test"), &heir, &f.err), RC_NONE);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	ok(domain_add(f.d, STR("b.test"), &f.err));
	account(&f, "bob@b.test");
	ok(account_remove(f.d, STR("bob@b.test"), &id, &f.err));
	ok(account_heir(f.d, STR("bob@b.test"), &heir, &f.err));
	assert_int_equal(heir, id_of(&f, "postmaster@b.test"));
	ok(domain_remove(f.d, STR("b.test"), &f.err));
	ok(account_heir(f.d, STR("bob@b.test"), &heir, &f.err));
	assert_int_equal(heir, id_of(&f, "postmaster@a.test"));
	/* numbers name mail that is under way: never used again */
	account(&f, "bob@a.test");
	assert_true(id_of(&f, "bob@a.test") > id);
}

TEST(credentials_are_kept_as_hashes_of_each_kind)
{
	FIXTURE f;
	char secret[32];
	str kinds, hash;

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	account(&f, "alice@a.test");
	ok(account_password(f.d, STR("alice@a.test"), STR("open sesame"), &f.err));
	ok(account_password(f.d, STR("alice@a.test"), STR("open barley"), &f.err));
	ok(app_password_add(f.d, STR("alice@a.test"), STR("phone"), 15, secret, &f.err));
	assert_int_equal(app_password_add(f.d, STR("alice@a.test"), STR("phone"), 15,
				 secret, &f.err),
		RC_BAD);
	ok(sql_text(f.d,
		"SELECT group_concat(kind) FROM (SELECT kind FROM credential "
		"WHERE ? = '' ORDER BY kind)",
		STR(""), f.mem, &kinds, &f.err));
	assert_true(str_eq(kinds, STR("app,scram-sha-256,yescrypt")));
	ok(sql_text(f.d, "SELECT secret FROM credential WHERE kind = ?", STR("yescrypt"),
		f.mem, &hash, &f.err));
	assert_true(password_matches(STR("open barley"), hash));
	assert_false(password_matches(STR("open sesame"), hash));
	ok(app_password_revoke(f.d, STR("alice@a.test"), STR("phone"), &f.err));
	assert_int_equal(
		app_password_revoke(f.d, STR("alice@a.test"), STR("phone"), &f.err),
		RC_NONE);
}

static void
keep_first(const char *sentence, void *arg)
{
	char *out = arg;

	if (out[0] == '\0')
		(void)str_z(str_of(sentence), out, 240);
}

TEST(damage_of_the_directory_is_named)
{
	FIXTURE f;
	char sentence[240] = "";

	set_up(&f);
	ok(domain_add(f.d, STR("a.test"), &f.err));
	ok(db_exec(f.d->db, "DELETE FROM alias_target", &f.err));
	ok(directory_check(f.d, keep_first, sentence, &f.err));
	assert_non_null(strstr(sentence, "abuse@a.test"));
	ok(db_exec(f.d->db,
		"INSERT INTO alias_target VALUES "
		"('abuse@a.test', 'postmaster@a.test')",
		&f.err));
}
