/* SPDX-License-Identifier: ISC */
#include "test/people.h"

#include "test/test.h"

static void
changed(void *arg)
{
	struct people *p = arg;

	if (p->logins != NULL)
		logins_forget(p->logins);
}

static void
shut_out(uint64_t account, void *arg)
{
	struct people *p = arg;

	if (p->logins != NULL)
		logins_shut_out(p->logins, account);
}

static void
add(struct people *p, const char *address, uint64_t *id)
{
	struct account_new a = { .address = str_of(address), .password = STR("secret") };

	assert_int_equal(account_add(p->directory, &a, id, NULL), RC_OK);
}

void
people_open(struct people *p, int data, const struct conf *conf)
{
	const struct directory_want want = { .data = data,
		.conf = conf,
		.changed = changed,
		.shut_out = shut_out,
		.arg = p };

	assert_int_equal(directory_open(&want, &p->directory, NULL), RC_OK);
	assert_int_equal(domain_add(p->directory, STR("x.test"), NULL), RC_OK);
	add(p, "anna@x.test", &p->anna);
	add(p, "berta@x.test", &p->berta);
	p->logins = logins_new(p->directory, conf);
}

void
people_close(struct people *p)
{
	logins_free(&p->logins);
	directory_close(&p->directory);
}
