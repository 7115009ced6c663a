/* SPDX-License-Identifier: ISC */
#include "daemon/setup.h"

#include "test/test.h"

static const struct setup_head full = { .slot = 3,
	.parts = 0x1f,
	.switching = true,
	.uid = 101,
	.gid = 102,
	.abi = 7,
	.wall_ms = 1795400000000,
	.nlisten = 2,
	.ports = { 25, 465 },
	.conf_path = STR_INIT("/etc/gatepost/gatepost.conf") };

TEST(a_child_is_told_what_the_manager_meant)
{
	BUF_AUTO b = BUF(4096);
	struct setup_head got;

	setup_put_head(&b, &full);
	assert_int_equal(setup_get_head(buf_str(&b), &got), RC_OK);
	assert_int_equal(got.slot, 3);
	assert_int_equal(got.parts, 0x1f);
	assert_true(got.switching);
	assert_int_equal(got.uid, 101);
	assert_int_equal(got.gid, 102);
	assert_int_equal(got.abi, 7);
	assert_int_equal(got.wall_ms, 1795400000000);
	assert_int_equal(got.nlisten, 2);
	assert_int_equal(got.ports[1], 465);
	assert_true(str_eq(got.conf_path, full.conf_path));
}

TEST(a_setup_that_is_cut_off_anywhere_is_refused)
{
	BUF_AUTO b = BUF(4096);
	struct setup_head got;

	setup_put_head(&b, &full);
	for (size_t n = 0; n < b.len; n++)
		assert_int_equal(setup_get_head(str_first(buf_str(&b), n), &got), RC_BAD);
	buf_addc(&b, 'x');
	assert_int_equal(setup_get_head(buf_str(&b), &got), RC_BAD);
}

TEST(more_listeners_than_fit_are_refused)
{
	BUF_AUTO b = BUF(4096);
	struct setup_head got;

	setup_put_head(&b, &full);
	b.data[29] = (char)0xff; /* nlisten */
	assert_int_equal(setup_get_head(buf_str(&b), &got), RC_BAD);
}

TEST(keys_arrive_whole)
{
	BUF_AUTO b = BUF(4096);
	struct tls_pair pairs[SETUP_PAIRS];
	struct setup_ca ca = { .serves = true, .pem = STR("our ca") };
	size_t n = 0;

	buf_le(&b, 2, 4);
	setup_put_pair(&b, STR("a.test"), STR("cert a"), STR("key a"));
	setup_put_pair(&b, STR("b.test"), STR("cert b"), STR("key b"));
	setup_put_ca(&b, &ca);
	ca = (struct setup_ca){ 0 };
	assert_int_equal(setup_get_pairs(buf_str(&b), pairs, &n, &ca), RC_OK);
	assert_true(ca.serves && str_eq(ca.pem, STR("our ca")));
	assert_int_equal(n, 2);
	assert_true(str_eq(pairs[1].key_pem, STR("key b")));
	assert_int_equal(
		setup_get_pairs(str_first(buf_str(&b), b.len - 1), pairs, &n, &ca),
		RC_BAD);
	b.data[0] = 3;
	assert_int_equal(setup_get_pairs(buf_str(&b), pairs, &n, &ca), RC_BAD);
}
