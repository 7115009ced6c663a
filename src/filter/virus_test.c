/* SPDX-License-Identifier: ISC */
/* What clamd is asked about a message, and what its answers come to. */
#include <stdio.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "base/fs.h"
#include "filter/checks/checks.h"
#include "filter/clamd_fake.h"
#include "filter/filter.h"
#include "test/test.h"

/* A message of three parts, its jobs, and a clamd that looks. */
struct mail {
	struct fake *fake;
	struct clamd *clamd;
	const struct conf *conf;
	struct arena *mem;
	struct facts facts;
	struct content content;
	struct content_leaf leaves[4];
	struct fact_part parts[4];
	int jobs[4];
	struct evidence e;
	struct findings f;
	char text[400];
	struct err err;
};

static int
file_of(str bytes)
{
	int fd = memfd_create("file", 0);

	assert_int_equal(fs_pwrite(fd, bytes, 0, NULL), RC_OK);
	return fd;
}

/* Each part is "H n\n", an empty line and its body. */
static void
write_parts(struct mail *m, const char *const bodies[3])
{
	size_t n = (size_t)snprintf(m->text, sizeof(m->text), "From: a@x.test\n\n");

	m->parts[0] = (struct fact_part){ .kind = FACT_MULTIPART,
		.body_at = (uint32_t)n,
		.type = STR("multipart"),
		.subtype = STR("mixed") };
	for (unsigned i = 0; i < 3; i++) {
		struct fact_part *p = &m->parts[1 + i];

		*p = (struct fact_part){ .kind = FACT_LEAF,
			.up = 1,
			.header_at = (uint32_t)n,
			.type = STR("text"),
			.subtype = STR("plain") };
		n += (size_t)snprintf(m->text + n, sizeof(m->text) - n, "H: %u\n\n", i);
		p->body_at = (uint32_t)n;
		n += (size_t)snprintf(m->text + n, sizeof(m->text) - n, "%s", bodies[i]);
		p->end = (uint32_t)n;
	}
	m->parts[0].end = (uint32_t)n;
	m->facts = (struct facts){ .structure = { 4, m->parts } };
	m->e.fd = file_of((str){ m->text, n });
	m->e.size = n;
}

static struct mail *
mail_with(const char *a, const char *b, const char *c)
{
	struct mail *m = test_calloc(1, sizeof(*m));
	char text[300];

	m->fake = fake_new(listen_local, PLAY_LOOK, STR(""));
	(void)snprintf(text, sizeof(text),
		"hostname = mx.test\n[clamav]\nsocket = %s\n"
		"families = Sanesecurity.*=2.5 Heuristics.*=1.5 Dull.*=ignore",
		m->fake->socket);
	assert_int_equal(conf_parse(str_of(text), "test", &m->conf, NULL), RC_OK);
	m->clamd = clamd_new(m->conf);
	m->mem = arena_new(64 * 1024);
	m->f.mem = m->mem;
	m->content.leaves = m->leaves;
	m->e = (struct evidence){ .conf = m->conf,
		.facts = &m->facts,
		.content = &m->content,
		.jobs = m->jobs,
		.clamd = m->clamd,
		.until_ms = clock_ms() + LONG_MS };
	write_parts(m, (const char *const[]){ a, b, c });
	return m;
}

static void
add_job(struct mail *m, const char *bytes, unsigned leaf)
{
	size_t n = m->content.njobs++;

	m->jobs[n] = file_of(str_of(bytes));
	m->content.jobs[n].leaf = (uint16_t)leaf;
	m->e.njobs = (unsigned)m->content.njobs;
}

static void
mail_free(struct mail *m)
{
	clamd_free(&m->clamd);
	fake_free(m->fake);
	conf_drop(&m->conf);
	arena_free(&m->mem);
	fs_close(&m->e.fd);
	for (size_t i = 0; i < m->e.njobs; i++)
		fs_close(&m->jobs[i]);
	test_free(m);
}

/* Looks, and says the findings. */
static const char *
look(struct mail *m, struct buf *b)
{
	enum rc rc = filter_look(&m->e, &m->f, &m->err);

	buf_clear(b);
	if (rc == RC_OK)
		filter_list(&m->f, b);
	else
		buf_addf(b, "rc %d", (int)rc);
	return buf_z(b);
}

#define VIRUS_FOUND "VIRUS=1000.000(Win.Test.Evil)"
#define JUNK_FOUND  "SIGNATURE=2.500(Sanesecurity.Junk.1.UNOFFICIAL)"

TEST(every_job_is_shown_to_clamd_and_the_first_virus_ends_it)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("one", "two", "three");

	add_job(m, "clean", 0);
	add_job(m, "EVIL", 0);
	add_job(m, "HANG", 0);
	assert_string_equal(look(m, &b), VIRUS_FOUND);
	assert_int_equal(m->fake->commands, 3);
	mail_free(m);
}

TEST(what_clamd_could_not_be_asked_about_is_never_delivered)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("one", "two", "three");

	add_job(m, "clean", 0);
	add_job(m, "HANG", 0);
	m->e.until_ms = clock_ms() + 4 * SHORT_MS;
	assert_string_equal(look(m, &b), "rc 4");
	mail_free(m);
	m = mail_with("one", "two", "three");
	add_job(m, "clean", 0);
	m->e.njobs = 0; /* a scanner that kept a descriptor back */
	assert_string_equal(look(m, &b), "rc 4");
	m->e.njobs = 1;
	mail_free(m);
}

TEST(a_pattern_that_scores_hides_no_virus_in_another_part)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("JUNK", "two", "EVIL");

	assert_string_equal(look(m, &b), JUNK_FOUND " " VIRUS_FOUND);
	mail_free(m);
	m = mail_with("DULL", "JUNK", "EVIL");
	assert_string_equal(look(m, &b), JUNK_FOUND " " VIRUS_FOUND);
	mail_free(m);
	m = mail_with("JUNK", "JUNK", "three");
	assert_string_equal(look(m, &b), JUNK_FOUND);
	assert_int_equal(m->fake->commands, 4);
	mail_free(m);
	m = mail_with("one", "two", "three");
	m->content.nleaves = 2;
	add_job(m, "JUNK", 1);
	add_job(m, "EVIL", 2);
	assert_string_equal(look(m, &b), JUNK_FOUND " " VIRUS_FOUND);
	mail_free(m);
}

TEST(a_suspicion_is_said_after_everything_was_seen_unless_clamd_is_hasty)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("ODD", "two", "three");

	assert_string_equal(look(m, &b), "SIGNATURE=1.500(Heuristics.Odd)");
	assert_int_equal(m->fake->commands, 1);
	clamd_set_limits(m->clamd, &(struct clamd_limits){ .hasty = true });
	m->f.n = 0;
	(void)look(m, &b);
	assert_int_equal(m->fake->commands, 1 + 4);
	mail_free(m);
}

TEST(what_may_stand_behind_a_pattern_in_an_archive_is_unseen)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("one", "JUNK", "three");
	static const char unseen[] = JUNK_FOUND " VIRUS_UNSEEN=1000.000(archive)";

	m->leaves[0] = (struct content_leaf){
		.at = m->parts[2].body_at, .length = 4, .flags = LEAF_ARCHIVE
	};
	m->content.nleaves = 1;
	m->parts[2].type = STR("application");
	assert_string_equal(look(m, &b), unseen);
	m->leaves[0].flags = 0;
	m->f.n = 0;
	assert_string_equal(look(m, &b), JUNK_FOUND);
	m->content.nleaves = 0; /* not known: it may be one */
	m->f.n = 0;
	assert_string_equal(look(m, &b), unseen);
	m->facts.structure.n = 0;
	m->f.n = 0;
	assert_string_equal(look(m, &b), JUNK_FOUND " VIRUS_UNSEEN=1000.000(parts)");
	mail_free(m);
}

TEST(what_may_stand_behind_a_pattern_among_several_things_is_unseen)
{
	BUF_AUTO b = BUF(4096);
	static const char unseen[] = JUNK_FOUND " VIRUS_UNSEEN=1000.000(archive)";
	struct mail *m = mail_with("one", "two", "three");

	add_job(m, "JUNK", 0); /* many small parts in one file */
	assert_string_equal(look(m, &b), unseen);
	mail_free(m);
	m = mail_with("one", "two", "three");
	add_job(m, "JUNK", 1); /* a message, and what is attached to it */
	m->content.nleaves = 2;
	m->leaves[1].parent = 1;
	assert_string_equal(look(m, &b), unseen);
	m->leaves[1].flags = LEAF_EMBEDDED; /* which is a job of its own */
	m->f.n = 0;
	assert_string_equal(look(m, &b), JUNK_FOUND);
	mail_free(m);
	m = mail_with("one", "JUNK", "three");
	m->content.nleaves = 2; /* the same bytes, read in two ways */
	for (unsigned i = 0; i < 2; i++)
		m->leaves[i] = (struct content_leaf){ .at = m->parts[2].body_at,
			.length = 4 };
	m->leaves[1].flags = LEAF_ARCHIVE | LEAF_ALTERNATE;
	assert_string_equal(look(m, &b), unseen);
	mail_free(m);
}

TEST(what_clamd_would_leave_out_is_refused_without_asking)
{
	BUF_AUTO b = BUF(4096);
	struct mail *m = mail_with("one", "two", "three");

	m->content.member_most = 5000;
	clamd_set_limits(m->clamd, &(struct clamd_limits){ .file = 4999 });
	assert_string_equal(look(m, &b), "VIRUS_UNSEEN=1000.000(MaxFileSize)");
	assert_int_equal(m->fake->commands, 0);
	mail_free(m);
}

/* ---- samples ---- */

/* The second part is an attached message. */
static struct mail *
report(const char *a, const char *b, const char *c)
{
	struct mail *m = mail_with(a, b, c);

	m->parts[2].kind = FACT_MESSAGE;
	m->leaves[0] = (struct content_leaf){ .flags = LEAF_IN_MESSAGE };
	m->content.nleaves = 1;
	return m;
}

static enum rc
sample(struct mail *m)
{
	assert_int_equal(filter_look(&m->e, &m->f, &m->err), RC_OK);
	return filter_sample(&m->e, &m->f, &m->err);
}

TEST(a_virus_within_an_attached_message_is_a_sample)
{
	struct mail *m = report("see below", "EVIL", "--");

	add_job(m, "EVIL", 1);
	assert_int_equal(sample(m), RC_OK);
	assert_int_equal(m->f.n, 0);
	mail_free(m);
	/* base64: a leaf of that type */
	m = report("see below", "EVIL", "--");
	m->parts[2].kind = FACT_LEAF;
	m->parts[2].type = STR("Message");
	m->parts[2].subtype = STR("RFC822");
	assert_int_equal(sample(m), RC_OK);
	mail_free(m);
}

TEST(a_virus_anywhere_else_makes_it_none)
{
	struct mail *m = report("EVIL", "EVIL", "--");

	assert_int_equal(sample(m), RC_NONE);
	assert_int_equal(m->f.n, 1);
	mail_free(m);
	m = report("see below", "EVIL", "EVIL");
	assert_int_equal(sample(m), RC_NONE);
	mail_free(m);
	m = report("see below", "fine", "--");
	add_job(m, "fine", 1);
	add_job(m, "EVIL", 0); /* a preamble */
	assert_int_equal(sample(m), RC_NONE);
	mail_free(m);
	m = report("see below", "fine", "--");
	m->content.nleaves = 2;
	add_job(m, "EVIL", 2); /* a leaf that does not lie within it */
	assert_int_equal(sample(m), RC_NONE);
	mail_free(m);
	m = mail_with("EVIL", "nothing", "attached");
	assert_int_equal(sample(m), RC_NONE);
	mail_free(m);
	m = report("nothing", "is", "infected");
	assert_int_equal(sample(m), RC_NONE);
	mail_free(m);
}

/* Another reader may have it beside the message in which this one has it. */
TEST(a_virus_that_lies_within_the_message_in_one_reading_only_makes_it_none)
{
	for (unsigned i = 0; i < 6; i++) {
		struct mail *m = report("see below", "fine", "--");
		const struct fact_part *inside = &m->parts[2], *outside = &m->parts[3];
		const struct fact_part *p = i % 2 == 0 ? inside : outside;

		m->leaves[0].flags = LEAF_ALTERNATE | LEAF_IN_MESSAGE;
		m->leaves[0].at = p->body_at;
		m->leaves[0].length = p->end - p->body_at + (i == 4 ? 1 : 0);
		m->leaves[1] = (struct content_leaf){ .parent = 1,
			.flags = LEAF_ALTERNATE | LEAF_IN_MESSAGE };
		m->content.nleaves = 2;
		add_job(m, "EVIL", i < 2 ? 1 : 2);
		if (i == 5)
			m->leaves[1].parent = 0;
		assert_int_equal(sample(m), i == 0 || i == 2 ? RC_OK : RC_NONE);
		mail_free(m);
	}
}

TEST(a_virus_both_within_the_message_and_beside_it_makes_it_none)
{
	for (unsigned i = 0; i < 2; i++) {
		struct mail *m = report("see below", "fine", "--");

		m->leaves[0].size = m->leaves[1].size = 4;
		m->leaves[1].flags = i == 0 ? LEAF_IN_MESSAGE : 0;
		m->content.nleaves = 2;
		add_job(m, "EVIL", 1); /* both */
		assert_int_equal(sample(m), i == 0 ? RC_OK : RC_NONE);
		mail_free(m);
	}
}

TEST(what_else_speaks_against_a_sample_stays)
{
	struct mail *m = report("see below", "EVIL", "--");

	m->facts.flags = FACT_NO_DATE;
	m->leaves[0].name = STR("evil.exe");
	assert_int_equal(sample(m), RC_OK);
	assert_int_equal(m->f.n, 1);
	assert_true(str_eq(m->f.at[0].check->name, STR("NO_DATE")));
	mail_free(m);
	m = report("see below", "EVIL", "--");
	assert_int_equal(filter_look(&m->e, &m->f, &m->err), RC_OK);
	finding_add(&m->f, &check_virus_unseen, STR(""));
	assert_int_equal(filter_sample(&m->e, &m->f, &m->err), RC_NONE);
	mail_free(m);
	m = report("HANG", "EVIL", "--");
	finding_add(&m->f, &check_virus, STR(""));
	m->e.until_ms = clock_ms() + SHORT_MS;
	assert_int_equal(filter_sample(&m->e, &m->f, &m->err), RC_TEMP);
	mail_free(m);
}
