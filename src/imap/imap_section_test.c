/* SPDX-License-Identifier: ISC */
#include "imap/imap_section.h"

#include "test/test.h"

/*
 * The message of RFC 9051 6.4.5.1: each header takes 10 bytes, each leaf's body 10. Numbers
 * are those of the example.
 */
enum { TRACE = 1000 };

static struct fact_part parts[] = {
	{ FACT_MULTIPART, 0, 0, 10, 400, .type = STR_INIT("multipart") },
	{ FACT_LEAF, 1, 20, 30, 40, .type = STR_INIT("text") }, /* 1 */
	{ FACT_LEAF, 1, 50, 60, 70, .type = STR_INIT("application") }, /* 2 */
	{ FACT_MESSAGE, 1, 80, 90, 160, .type = STR_INIT("message") }, /* 3 */
	{ FACT_MULTIPART, 4, 90, 100, 160, .type = STR_INIT("multipart") },
	{ FACT_LEAF, 5, 105, 115, 125, .type = STR_INIT("text") }, /* 3.1 */
	{ FACT_LEAF, 5, 130, 140, 150, .type = STR_INIT("application") }, /* 3.2 */
	{ FACT_MULTIPART, 1, 170, 180, 390, .type = STR_INIT("multipart") }, /* 4 */
	{ FACT_LEAF, 8, 185, 195, 205, .type = STR_INIT("image") }, /* 4.1 */
	{ FACT_MESSAGE, 8, 210, 220, 380, .type = STR_INIT("message") }, /* 4.2 */
	{ FACT_MULTIPART, 10, 220, 230, 380, .type = STR_INIT("multipart") },
	{ FACT_LEAF, 11, 240, 250, 260, .type = STR_INIT("text") }, /* 4.2.1 */
	{ FACT_MULTIPART, 11, 270, 280, 370, .type = STR_INIT("multipart") }, /* 4.2.2 */
	{ FACT_LEAF, 13, 290, 300, 310, .type = STR_INIT("text") }, /* 4.2.2.1 */
	{ FACT_LEAF, 13, 320, 330, 340, .type = STR_INIT("text") }, /* 4.2.2.2 */
};

static const struct fact_structure example = { sizeof(parts) / sizeof(parts[0]), parts };

static const struct imap_layout layout = { TRACE + 400, TRACE, 10, &example };

struct row {
	uint32_t number[6];
	enum imap_section_kind kind;
	bool there;
	uint64_t at, end; /* behind the trace block, but for those of the message */
};

static void
check(const struct imap_layout *l, const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		uint32_t number[6];
		struct imap_section s = { .kind = r->kind, .part = number };
		struct imap_span got = { 0 };

		while (s.depth < 6 && r->number[s.depth] != 0) {
			number[s.depth] = r->number[s.depth];
			s.depth++;
		}
		if (imap_section_span(l, &s, &got) != r->there)
			fail_msg("row %zu is %sthere", i, r->there ? "not " : "");
		if (r->there && (got.at != r->at || got.end != r->end))
			fail_msg("row %zu: %llu to %llu", i, (unsigned long long)got.at,
				(unsigned long long)got.end);
	}
}

TEST(each_section_of_the_rfcs_example_is_where_it_is)
{
	static const struct row rows[] = {
		{ { 0 }, SECTION_ALL, true, 0, TRACE + 400 },
		{ { 0 }, SECTION_HEADER, true, 0, TRACE + 10 },
		{ { 0 }, SECTION_FIELDS, true, 0, TRACE + 10 },
		{ { 0 }, SECTION_TEXT, true, TRACE + 10, TRACE + 400 },
		{ { 1 }, SECTION_ALL, true, TRACE + 30, TRACE + 40 },
		{ { 1 }, SECTION_MIME, true, TRACE + 20, TRACE + 30 },
		{ { 2 }, SECTION_ALL, true, TRACE + 60, TRACE + 70 },
		{ { 3 }, SECTION_ALL, true, TRACE + 90, TRACE + 160 },
		{ { 3 }, SECTION_MIME, true, TRACE + 80, TRACE + 90 },
		{ { 3 }, SECTION_HEADER, true, TRACE + 90, TRACE + 100 },
		{ { 3 }, SECTION_FIELDS_NOT, true, TRACE + 90, TRACE + 100 },
		{ { 3 }, SECTION_TEXT, true, TRACE + 100, TRACE + 160 },
		{ { 3, 1 }, SECTION_ALL, true, TRACE + 115, TRACE + 125 },
		{ { 3, 2 }, SECTION_ALL, true, TRACE + 140, TRACE + 150 },
		{ { 4 }, SECTION_ALL, true, TRACE + 180, TRACE + 390 },
		{ { 4, 1 }, SECTION_ALL, true, TRACE + 195, TRACE + 205 },
		{ { 4, 1 }, SECTION_MIME, true, TRACE + 185, TRACE + 195 },
		{ { 4, 2 }, SECTION_HEADER, true, TRACE + 220, TRACE + 230 },
		{ { 4, 2 }, SECTION_TEXT, true, TRACE + 230, TRACE + 380 },
		{ { 4, 2, 1 }, SECTION_ALL, true, TRACE + 250, TRACE + 260 },
		{ { 4, 2, 2 }, SECTION_ALL, true, TRACE + 280, TRACE + 370 },
		{ { 4, 2, 2 }, SECTION_MIME, true, TRACE + 270, TRACE + 280 },
		{ { 4, 2, 2, 1 }, SECTION_ALL, true, TRACE + 300, TRACE + 310 },
		{ { 4, 2, 2, 2 }, SECTION_ALL, true, TRACE + 330, TRACE + 340 },
	};

	check(&layout, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(a_section_that_is_not_there_is_not_another_one)
{
	static const struct row rows[] = {
		{ .number = { 5 } },
		{ .number = { 1, 1 } },
		{ .number = { 3, 3 } },
		{ .number = { 3, 1, 1 } },
		{ .number = { 4, 2, 2, 3 } },
		{ .number = { 4, 3 } },
		{ .number = { UINT32_MAX } },
		{ .number = { 1 }, .kind = SECTION_HEADER }, /* not of a message */
		{ .number = { 4 }, .kind = SECTION_TEXT },
		{ .number = { 4 }, .kind = SECTION_FIELDS },
		{ .number = { 0 }, .kind = SECTION_MIME },
	};

	check(&layout, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(a_message_with_one_part_has_it_as_number_1)
{
	struct fact_part one = { FACT_LEAF, 0, 0, 10, 50, .text = true };
	const struct fact_structure s = { 1, &one };
	const struct imap_layout l = { TRACE + 50, TRACE, 10, &s };
	static const struct row rows[] = {
		{ { 1 }, SECTION_ALL, true, TRACE + 10, TRACE + 50 },
		{ { 1 }, SECTION_MIME, true, 0, TRACE + 10 },
		{ .number = { 1, 1 } },
		{ .number = { 2 } },
		{ .number = { 1 }, .kind = SECTION_TEXT },
	};

	check(&l, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(a_message_that_is_a_message_has_its_parts_behind_number_1)
{
	struct fact_part three[] = {
		{ FACT_MESSAGE, 0, 0, 10, 60 },
		{ FACT_MESSAGE, 1, 10, 20, 60 },
		{ FACT_LEAF, 2, 20, 30, 60 },
	};
	const struct fact_structure s = { 3, three };
	const struct imap_layout l = { 60, 0, 10, &s };
	static const struct row rows[] = {
		{ { 1 }, SECTION_ALL, true, 10, 60 },
		{ { 1 }, SECTION_HEADER, true, 10, 20 },
		{ { 1 }, SECTION_TEXT, true, 20, 60 },
		{ { 1, 1 }, SECTION_ALL, true, 20, 60 },
		{ { 1, 1 }, SECTION_MIME, true, 10, 20 },
		{ { 1, 1 }, SECTION_HEADER, true, 20, 30 },
		{ { 1, 1, 1 }, SECTION_ALL, true, 30, 60 },
		{ .number = { 1, 2 } },
		{ .number = { 1, 1, 1, 1 } },
	};

	check(&l, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(without_a_structure_only_the_message_is_known)
{
	const struct fact_structure none = { 0 };
	const struct imap_layout l = { 60, 0, 100, &none }; /* and its header too long */
	static const struct row rows[] = {
		{ { 0 }, SECTION_ALL, true, 0, 60 },
		{ { 0 }, SECTION_HEADER, true, 0, 60 },
		{ { 0 }, SECTION_TEXT, true, 60, 60 },
		{ .number = { 1 } },
	};

	check(&l, rows, sizeof(rows) / sizeof(rows[0]));
}

/* Of a damaged index: the file ends before the part does. */
TEST(nothing_is_read_past_the_end_of_the_file)
{
	const struct imap_layout l = { TRACE + 300, TRACE, 10, &example };
	static const struct row rows[] = {
		{ { 3 }, SECTION_ALL, true, TRACE + 90, TRACE + 160 },
		{ .number = { 4 } },
		{ .number = { 4, 2, 2, 2 } },
	};

	check(&l, rows, sizeof(rows) / sizeof(rows[0]));
}

TEST(partial_fetches_are_cut_where_the_text_ends)
{
	static const struct {
		bool partial;
		uint64_t first, count, bytes, from, n;
	} rows[] = {
		{ false, 7, 7, 1500, 0, 1500 },
		{ true, 0, 2048, 1500, 0, 1500 },
		{ true, 1024, 1024, 1500, 1024, 476 },
		{ true, 1500, 10, 1500, 1500, 0 },
		{ true, UINT64_MAX, UINT64_MAX, 1500, 1500, 0 },
		{ true, 3, UINT64_MAX, 1500, 3, 1497 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct imap_section s = { .partial = rows[i].partial,
			.first = rows[i].first,
			.count = rows[i].count };
		uint64_t from, n;

		imap_section_partial(&s, rows[i].bytes, &from, &n);
		assert_int_equal(from, rows[i].from);
		assert_int_equal(n, rows[i].n);
	}
}
