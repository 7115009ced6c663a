/* SPDX-License-Identifier: ISC */
#include "ctl/ctl_proto.h"

#include "test/test.h"

TEST(words_arrive_as_they_were_typed)
{
	char account[] = "account", none[] = "", who[] = "alice@example.test";
	char *argv[] = { account, none, who, none, NULL };
	BUF_AUTO b = BUF(1 << 20);
	struct ctl_head head;
	char *words[CTL_WORDS + 1];
	int argc;

	ctl_put_request(&b, 4, argv, 7);
	assert_true(buf_ok(&b));
	assert_int_equal(ctl_get_head(str_first(buf_str(&b), CTL_HEAD), &head), RC_OK);
	assert_int_equal(head.input, 7);
	assert_int_equal(head.words, b.len - CTL_HEAD);
	assert_int_equal(
		ctl_get_words(b.data + CTL_HEAD, head.words, words, &argc), RC_OK);
	assert_int_equal(argc, 4);
	for (int i = 0; i < 4; i++)
		assert_string_equal(words[i], argv[i]);
	assert_null(words[4]);
}

TEST(a_request_past_the_limits_is_not_read)
{
	struct ctl_head head;

	assert_int_equal(ctl_get_head(STR("GPC1\0\0\0\0\0\0\0\0"), &head), RC_OK);
	assert_int_equal(
		ctl_get_head(STR("GPC1\xff\xff\xff\xff\0\0\0\0"), &head), RC_BAD);
	assert_int_equal(ctl_get_head(STR("GPC1\0\0\0\0\1\0\0\4"), &head), RC_BAD);
	assert_int_equal(ctl_get_head(STR("GPC2\0\0\0\0\0\0\0\0"), &head), RC_BAD);
	assert_int_equal(ctl_get_head(STR("GPC1\0\0\0"), &head), RC_BAD);
}

static enum rc
words_of(str bytes)
{
	char copy[64], *words[CTL_WORDS + 1];
	int argc;

	memcpy(copy, bytes.ptr, bytes.len);
	return ctl_get_words(copy, bytes.len, words, &argc);
}

TEST(words_that_lie_about_their_length_are_refused)
{
	assert_int_equal(words_of(STR("\1\0\0\0\2\0\0\0ab")), RC_OK);
	assert_int_equal(words_of(STR("\1\0\0\0\3\0\0\0ab")), RC_BAD);
	assert_int_equal(words_of(STR("\1\0\0\0\1\0\0\0ab")), RC_BAD);
	assert_int_equal(words_of(STR("\2\0\0\0\2\0\0\0ab")), RC_BAD);
	assert_int_equal(words_of(STR("\1\0\0\0\2\0\0\0a\0")), RC_BAD);
	assert_int_equal(words_of(STR("\xff\xff\0\0")), RC_BAD);
	assert_int_equal(words_of(STR("")), RC_BAD);
}

TEST(frames_keep_their_tag_and_length)
{
	unsigned char head[CTL_FRAME_HEAD];
	enum ctl_tag tag;
	size_t len;

	ctl_put_frame(CTL_OUT, CTL_FRAME_BYTES, head);
	assert_int_equal(ctl_get_frame(head, &tag, &len), RC_OK);
	assert_int_equal(tag, CTL_OUT);
	assert_int_equal(len, CTL_FRAME_BYTES);
	ctl_put_frame(CTL_OUT, CTL_FRAME_BYTES + 1, head);
	assert_int_equal(ctl_get_frame(head, &tag, &len), RC_BAD);
	ctl_put_frame(CTL_EXIT, 2, head);
	assert_int_equal(ctl_get_frame(head, &tag, &len), RC_BAD);
	ctl_put_frame((enum ctl_tag)9, 0, head);
	assert_int_equal(ctl_get_frame(head, &tag, &len), RC_BAD);
}
