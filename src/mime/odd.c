/* SPDX-License-Identifier: ISC */
#include "mime/odd.h"

#include <assert.h>

_Static_assert(MIME_ODD_BITS <= 64, "odd bits do not fit");

enum { NAME_MOST = 32 };

#define ODD(name, hides, doc) \
	_Static_assert(sizeof(#name) <= NAME_MOST, "a longer name than NAME_MOST");
MIME_ODDITIES(ODD)
#undef ODD

static const struct {
	str name, doc;
} rows[] = {
#define ODD(name, hides, doc) { STR_INIT(#name), STR_INIT(doc) },
	MIME_ODDITIES(ODD)
#undef ODD
};

static char lower[MIME_ODD_BITS][NAME_MOST];

/* Before any thread is there. */
__attribute__((constructor)) static void
make_lower(void)
{
	for (size_t i = 0; i < MIME_ODD_BITS; i++)
		for (size_t k = 0; k < rows[i].name.len; k++) {
			char c = rows[i].name.ptr[k];

			lower[i][k] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
		}
}

str
mime_odd_name(enum mime_odd_bit bit)
{
	assert(bit < MIME_ODD_BITS);
	return (str){ lower[bit], rows[bit].name.len };
}

str
mime_odd_doc(enum mime_odd_bit bit)
{
	assert(bit < MIME_ODD_BITS);
	return rows[bit].doc;
}
