/* SPDX-License-Identifier: ISC */
/*
 * How a message is put together.  What makes readers disagree about what it says costs
 * much; what clumsy but honest programs do costs little, because clamd sees all readings
 * anyway (content.jobs).
 */
#include "filter/checks/checks.h"
#include "mime/odd.h"

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	const struct oddity *o = (const struct oddity *)c;

	(void)err;
	if (e->content != NULL && (e->content->odd & o->bits) != 0)
		finding_add(f, c, STR(""));
	return RC_OK;
}

#define O(name) MIME_ODD(name)
#define ROW(name, bits, score, doc)                                                     \
	{                                                                               \
		{ STR_INIT(name), GROUP_STRUCTURE, CHECK_CHEAP, score, doc, run }, bits \
	}

const struct oddity odd_checks[ODDITIES] = {
	ROW("MIME_TWICE", O(DUP_TYPE) | O(DUP_ENCODING) | O(DUP_BOUNDARY), 1500,
		"A part with two types, encodings or boundaries."),
	ROW("MIME_SMUGGLED", O(HIDDEN_FIELD) | O(NUL_BYTE) | O(BARE_LINE_END), 2000,
		"MIME fields or boundaries in a form that only some readers take for one."),
	ROW("BOUNDARY_TRICK", O(LOOSE_BOUNDARY) | O(SAME_BOUNDARY) | O(BAD_BOUNDARY),
		1500, "Boundaries that readers take differently."),
	ROW("ANOTHER_READING", O(ALTERNATE), 500,
		"A part that is only there if the message is read in another way."),
	ROW("ENCODING_TRICK", O(BAD_ENCODING) | O(ENCODED_COMPOSITE), 500,
		"An unknown encoding, or one where none may be."),
	ROW("PARAMETER_CONFLICT", O(PARAM_CONFLICT) | O(DUP_DISPOSITION), 500,
		"Two values for a parameter of a part."),
	ROW("CHARSET_TRICK", O(WIDE_CHARSET) | O(CHARSET_CONFLICT), 300,
		"Text in a charset of which readers disagree what it says."),
	ROW("PIECE", O(PARTIAL) | O(EXTERNAL), 2500,
		"A piece of a message, or one whose content is elsewhere (message/partial, "
		"message/external-body)."),
	ROW("FOREIGN_ARCHIVE", O(ARCHIVE_FOREIGN), 1500,
		"An archive of a kind that virus scanners do not open."),
	ROW("CLUMSY",
		O(NO_MIME_VERSION) | O(BAD_TYPE) | O(BAD_FIELD) | O(HEADER_CUT) |
			O(NO_BOUNDARY) | O(NO_PARTS) | O(UNCLOSED) | O(BAD_BASE64) |
			O(BAD_EMBEDDED) | O(BAD_CHARSET),
		200, "Put together against the rules, as honest programs do too."),
};
