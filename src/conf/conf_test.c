/* SPDX-License-Identifier: ISC */
#include "conf/conf.h"

#include "test/test.h"

static const struct conf *
read(const char *text)
{
	const struct conf *c = NULL;
	struct err err = { 0 };
	enum rc rc = conf_parse(str_of(text), "t.conf", &c, &err);

	if (rc != RC_OK)
		print_message("%s\n", err.text);
	assert_int_equal(rc, RC_OK);
	return c;
}

TEST(only_the_hostname_is_required)
{
	const struct conf *c = read("hostname = mx.example.test\n");

	assert_int_equal(c->smtp.max_size, 24 << 20);
	assert_int_equal(c->smtp.greet_delay, 250);
	assert_int_equal(c->smtp.command_timeout, 300000);
	assert_int_equal(c->server.threshold, 5000);
	assert_int_equal(c->server.filter, CONF_ENFORCE);
	assert_int_equal(c->server.log_level, 1);
	assert_string_equal(c->clamav.socket.ptr, "/run/clamav/clamd.ctl");
	assert_false(c->test.probe);
	conf_drop(&c);
	assert_null(c);
}

TEST(each_type_is_read_as_it_is_written)
{
	const struct conf *c = read(
		"# a comment\r\nhostname = a.test\r\n"
		"threshold = 6.25\nfilter=observe\nport_offset = 20000\nplain_loopback = yes\n"
		"[smtp]\nmax_size = 10M\ncommand_timeout = 90\n"
		"greet_delay = 1s\n");

	assert_int_equal(c->server.threshold, 6250);
	assert_int_equal(c->server.filter, CONF_OBSERVE);
	assert_int_equal(c->smtp.max_size, 10 << 20);
	assert_int_equal(c->smtp.command_timeout, 90000);
	assert_int_equal(c->smtp.greet_delay, 1000);
	assert_true(c->server.plain_loopback);
	assert_int_equal(conf_port(c, 25), 20025);
	char link[320];
	conf_link_base(c, link);
	assert_string_equal(link, "https://a.test:20443/r/");
	conf_drop(&c);
}

static const struct {
	const char *text, *says;
} wrong[] = {
	{ "", "`hostname = ...` is missing" },
	{ "hostname = a.test\nhostname = b.test\n", "t.conf:2: hostname is given twice" },
	{ "hostname = a.test\n[smtp]\nmax_sise = 5\n", "t.conf:3: there is no setting" },
	{ "hostname = a.test\n[smpt]\n", "t.conf:2: there is no section [smpt]" },
	{ "hostname = a.test\n[]\n", "there is no section" },
	{ "hostname = a.test\n[smtp]\nmax_size = 5X\n", "t.conf:3: max_size" },
	{ "hostname = a.test\n[smtp]\nmax_size = 5\n", "from 1K to" },
	{ "hostname = a.test\n[smtp]\nmax_size = 99999999999999999999\n", "max_size" },
	{ "hostname = a.test\n[smtp]\nmax_size = 9999999999999999T\n", "max_size" },
	{ "hostname = a.test\nthreshold = 1.2345\n", "threshold" },
	{ "hostname = a.test\nthreshold = -1\n", "threshold" },
	{ "hostname = a.test\nfilter = perhaps\n", "enforce | observe" },
	{ "hostname = a b\n", "is not a host name" },
	{ "hostname = a.test\nlisten = 127.0.0.1 nonsense\n",
		"\"nonsense\" is not an address" },
	{ "hostname = a.test\n[dns]\nresolver = 127.0.0.1@0\n", "is not ADDRESS@PORT" },
	{ "hostname = a.test\n[test]\nnow = tomorrow\n", "is not a time" },
	{ "hostname = a.test\nnonsense\n", "t.conf:2: neither" },
	{ "hostname = \xff.test\n", "is not UTF-8 text" },
	{ "hostname = \xed\xa0\x80\n", "is not UTF-8 text" },
	{ "hostname = a\x01.test\n", "is not UTF-8 text" },
};

TEST(a_wrong_setting_is_named_with_its_line)
{
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const struct conf *c = NULL;
		struct err err = { 0 };

		assert_int_equal(
			conf_parse(str_of(wrong[i].text), "t.conf", &c, &err), RC_BAD);
		assert_null(c);
		if (strstr(err.text, wrong[i].says) == NULL)
			fail_msg("%s: says %s", wrong[i].text, err.text);
	}
}

TEST(what_is_dumped_reads_back_as_the_same_settings)
{
	const struct conf *c = read("hostname = a.test\nthreshold = 0.5\n[smtp]\n"
				    "max_size = 12345\ngreet_delay = 250ms\n");
	BUF_AUTO first = BUF(1 << 20), second = BUF(1 << 20);

	conf_dump(c, &first);
	const struct conf *again = read(buf_z(&first));
	conf_dump(again, &second);
	assert_string_equal(buf_z(&first), buf_z(&second));
	assert_non_null(strstr(buf_z(&first), "\nmax_size = 12345\n"));
	conf_drop(&c);
	conf_drop(&again);
}

TEST(the_file_that_init_writes_means_the_defaults)
{
	static const struct conf_given set[] = { { "hostname", "mx.test" },
		{ "port_offset", "20000" }, { NULL, NULL } };
	BUF_AUTO text = BUF(1 << 20), dumped = BUF(1 << 20), plain = BUF(1 << 20);

	conf_template(set, &text);
	const struct conf *c = read(buf_z(&text));
	const struct conf *d = read("hostname = mx.test\nport_offset = 20000\n");
	conf_dump(c, &dumped);
	conf_dump(d, &plain);
	assert_string_equal(buf_z(&dumped), buf_z(&plain));
	conf_drop(&c);
	conf_drop(&d);
}

TEST(every_setting_is_in_the_manual)
{
	BUF_AUTO text = BUF(1 << 20);

	conf_manual(&text);
	assert_non_null(strstr(buf_z(&text), ".It Ic hostname\n"));
	assert_non_null(strstr(buf_z(&text), ".It Ic probe\n"));
	assert_non_null(strstr(buf_z(&text), ".Ss [clamav]\n"));
}

TEST(settings_live_as_long_as_somebody_keeps_them)
{
	const struct conf *c = read("hostname = mx.test\n");
	const struct conf *kept = conf_keep(c);

	conf_drop(&c);
	assert_string_equal(kept->server.hostname.ptr, "mx.test");
	conf_drop(&kept);
}
