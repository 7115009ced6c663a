/* SPDX-License-Identifier: ISC */
#include "mime/odd.h"

#include "test/test.h"

TEST(oddities_have_names_that_json_and_manual_can_use)
{
	assert_true(str_eq(mime_odd_name(MIME_ODD_BIT_DUP_TYPE), STR("dup_type")));
	assert_true(str_eq(mime_odd_name(MIME_ODD_BIT_ALTERNATE), STR("alternate")));
	for (unsigned i = 0; i < MIME_ODD_BITS; i++) {
		str name = mime_odd_name(i);

		assert_true(name.len > 0 && mime_odd_doc(i).len > 0);
		for (size_t k = 0; k < name.len; k++)
			assert_true(name.ptr[k] == '_' ||
				    (name.ptr[k] >= 'a' && name.ptr[k] <= 'z') ||
				    (name.ptr[k] >= '0' && name.ptr[k] <= '9'));
		for (unsigned k = 0; k < i; k++)
			assert_false(str_eq(name, mime_odd_name(k)));
	}
	assert_true((MIME_ODD_HIDES & MIME_ODD(DUP_TYPE)) != 0);
	assert_true((MIME_ODD_HIDES & MIME_ODD(TNEF)) == 0);
}
