/* SPDX-License-Identifier: ISC */
#include "imap/imap_threads.h"

#include <stdlib.h>

#include "imap/imap_forest.h"
#include "imap/imap_order.h"
#include "test/test.h"

enum { MOST = 64, NODES = 1000, NONE = -1 };

/* A mailbox: id, references (0 ends them), subject ("Re: " counts), date. */
struct mail {
	uint64_t id;
	uint64_t refs[8];
	const char *subject;
	int date;
};

static void
make(const struct mail *m, size_t n, struct thread_message *out, uint64_t *dates)
{
	for (size_t i = 0; i < n; i++) {
		str s = str_of(m[i].subject);
		bool reply = str_starts(s, STR("Re: "));

		out[i] = (struct thread_message){ .subject = str_skip(s, reply ? 4 : 0),
			.id = m[i].id,
			.refs = m[i].refs,
			.reply = reply };
		while (out[i].nrefs < 8 && m[i].refs[out[i].nrefs] != 0)
			out[i].nrefs++;
		dates[i] = order_signed(m[i].date);
	}
}

typedef enum rc algorithm(const struct thread_message *m, const uint32_t *by_date,
	size_t n, struct arena *mem, struct threads *out, struct err *err);

static void
thread(algorithm *how, const struct mail *m, size_t n, size_t enough, struct buf *out)
{
	ARENA_AUTO mem = arena_new(1 << 24);
	struct thread_message messages[MOST];
	uint64_t dates[MOST];
	uint32_t by_date[MOST], numbers[MOST];
	struct order_key key = { .numbers = dates };
	struct threads t;

	make(m, n, messages, dates);
	for (uint32_t i = 0; i < n; i++)
		numbers[i] = i + 1;
	assert_int_equal(order_sort(&key, 1, n, mem, by_date, NULL), RC_OK);
	assert_int_equal(how(messages, by_date, n, mem, &t, NULL), RC_OK);
	while (!threads_put(&t, numbers, out, out->len + enough))
		;
}

static void
is(algorithm *how, const struct mail *m, const char *want)
{
	size_t n = 0;

	while (m[n].subject != NULL)
		n++;
	for (size_t enough = 1; enough < 1000; enough += 500) {
		BUF_AUTO b = BUF(1 << 16);

		buf_add(&b, STR(""));
		thread(how, m, n, enough, &b);
		assert_string_equal(buf_z(&b), want);
	}
}

#define REFERENCES(want, ...) \
	is(threads_by_references, (struct mail[]){ __VA_ARGS__, { 0 } }, want "\r\n")
#define SUBJECTS(want, ...) \
	is(threads_by_subject, (struct mail[]){ __VA_ARGS__, { 0 } }, want "\r\n")

TEST(answers_stand_below_what_they_answer)
{
	is(threads_by_references, (struct mail[]){ { 0 } }, "* THREAD\r\n");
	REFERENCES("* THREAD (1)", { 1, { 0 }, "a", 1 });
	REFERENCES("* THREAD (1 2 3)", { 1, { 0 }, "a", 1 }, { 2, { 1 }, "Re: a", 2 },
		{ 3, { 1, 2 }, "Re: a", 3 });
	/* RFC 5256 BASE.7.2.THREAD: (2)(3 6 (4 23)(44 7 96)), with other numbers */
	REFERENCES("* THREAD (1)(2 5 (3 6)(7 4 8))", { 1, { 0 }, "a", 1 },
		{ 2, { 0 }, "b", 2 }, { 3, { 2, 5 }, "Re: b", 4 },
		{ 4, { 7 }, "Re: b", 7 }, { 5, { 2 }, "Re: b", 3 },
		{ 6, { 2, 5, 3 }, "Re: b", 5 }, { 7, { 2, 5 }, "Re: b", 6 },
		{ 8, { 4 }, "Re: b", 9 });
	/* dates decide among siblings, then the place in the mailbox */
	REFERENCES("* THREAD (1 (4)(2)(3))", { 1, { 0 }, "a", 9 }, { 2, { 1 }, "b", 5 },
		{ 3, { 1 }, "c", 5 }, { 4, { 1 }, "d", 4 });
}

TEST(what_answers_the_same_missing_message_is_together)
{
	/* siblings of a parent that is not there */
	REFERENCES("* THREAD ((1)(2))", { 1, { 9 }, "a", 1 }, { 2, { 9 }, "b", 2 });
	/* an only child takes its place */
	REFERENCES("* THREAD (1)", { 1, { 8, 9 }, "a", 1 });
	REFERENCES("* THREAD (1 2)", { 1, { 8, 9 }, "a", 1 }, { 2, { 9, 1 }, "b", 2 });
	/* missing ones in the middle go, their children move up */
	REFERENCES("* THREAD (1 (2)(3))", { 1, { 0 }, "a", 1 },
		{ 2, { 1, 7, 8 }, "b", 2 }, { 3, { 1, 7 }, "c", 3 });
	REFERENCES("* THREAD ((1)(2)(3))", { 1, { 9, 7 }, "a", 1 },
		{ 2, { 9, 8 }, "b", 2 }, { 3, { 9 }, "c", 3 });
}

TEST(references_that_lie_make_no_loops_and_lose_nothing)
{
	/* themselves */
	REFERENCES("* THREAD (1)", { 1, { 1 }, "a", 1 });
	REFERENCES("* THREAD (1)", { 1, { 1, 1, 1 }, "a", 1 });
	/* each other */
	REFERENCES("* THREAD (2 1)", { 1, { 2 }, "a", 1 }, { 2, { 1 }, "b", 2 });
	/* around */
	REFERENCES("* THREAD (3 2 1)", { 1, { 2 }, "a", 1 }, { 2, { 3 }, "b", 2 },
		{ 3, { 1 }, "c", 3 });
	/* the same id twice: the first one has it */
	REFERENCES("* THREAD (1 3)(2)", { 1, { 0 }, "a", 1 }, { 1, { 0 }, "b", 2 },
		{ 3, { 1 }, "c", 3 });
	/* no ids at all */
	REFERENCES("* THREAD (1)(2)", { 0, { 0 }, "a", 1 }, { 0, { 0 }, "b", 2 });
	/* 1.B breaks a link that somebody else's list made */
	REFERENCES("* THREAD (2)(3 1)", { 1, { 2, 3 }, "a", 9 }, { 2, { 0 }, "b", 1 },
		{ 3, { 0 }, "c", 2 });
}

TEST(threads_about_the_same_are_joined)
{
	/* neither is an answer */
	REFERENCES("* THREAD ((1)(2))", { 1, { 0 }, "a", 1 }, { 2, { 0 }, "a", 2 });
	/* an answer without references */
	REFERENCES("* THREAD (1 2)", { 1, { 0 }, "a", 1 }, { 2, { 0 }, "Re: a", 2 });
	/* that came earlier */
	REFERENCES("* THREAD (2 1)", { 1, { 0 }, "Re: a", 1 }, { 2, { 0 }, "a", 2 });
	/* only answers */
	REFERENCES(
		"* THREAD ((1)(2))", { 1, { 0 }, "Re: a", 1 }, { 2, { 0 }, "Re: a", 2 });
	/* three */
	REFERENCES("* THREAD ((1)(2)(3))", { 1, { 0 }, "a", 1 }, { 2, { 0 }, "a", 2 },
		{ 3, { 0 }, "a", 3 });
	/* one and a missing parent's */
	REFERENCES("* THREAD ((1)(2)(3))", { 1, { 9 }, "a", 1 }, { 2, { 9 }, "b", 2 },
		{ 3, { 0 }, "a", 3 });
	/* two missing parents' */
	REFERENCES("* THREAD ((1)(2)(3)(4))", { 1, { 9 }, "a", 1 }, { 2, { 9 }, "b", 2 },
		{ 3, { 8 }, "a", 3 }, { 4, { 8 }, "c", 4 });
	/* without a subject nobody is joined */
	REFERENCES("* THREAD (1)(2)", { 1, { 0 }, "", 1 }, { 2, { 0 }, "Re: ", 2 });
}

TEST(poor_mans_threads_have_no_grandchildren)
{
	is(threads_by_subject, (struct mail[]){ { 0 } }, "* THREAD\r\n");
	SUBJECTS("* THREAD (2)(1 3)(4)", { 1, { 0 }, "a", 2 }, { 2, { 0 }, "b", 1 },
		{ 3, { 2 }, "Re: a", 3 }, { 4, { 0 }, "c", 9 });
	SUBJECTS("* THREAD (3 (2)(1)(4))", { 1, { 0 }, "a", 3 }, { 2, { 0 }, "a", 2 },
		{ 3, { 2 }, "Re: a", 1 }, { 4, { 0 }, "a", 9 });
}

/* ---- against the RFC's own words, slowly ---- */

struct slow {
	const struct thread_message *m;
	const uint64_t *dates;
	int n, nodes;
	uint64_t ids[NODES];
	int up[NODES];
	bool dead[NODES];
};

static int
slow_node(struct slow *s, uint64_t id)
{
	for (int i = 0; i < s->nodes; i++)
		if (s->ids[i] == id)
			return i;
	s->ids[s->nodes] = id;
	s->up[s->nodes] = NONE;
	return s->nodes++;
}

static bool
slow_above(const struct slow *s, int a, int b)
{
	for (; b != NONE; b = s->up[b])
		if (a == b)
			return true;
	return false;
}

static int
slow_children(const struct slow *s, int node)
{
	int n = 0;

	for (int i = 0; i < s->nodes; i++)
		n += !s->dead[i] && s->up[i] == node;
	return n;
}

/* Of a dummy, of its first child. */
static int
slow_first(const struct slow *s, int node)
{
	int best = NONE;

	if (node < s->n)
		return node;
	for (int i = 0; i < s->n; i++)
		if (s->up[i] == node && (best == NONE || s->dates[i] < s->dates[best]))
			best = i;
	return best;
}

static bool
slow_before(const struct slow *s, int a, int b)
{
	int x = slow_first(s, a), y = slow_first(s, b);

	return s->dates[x] != s->dates[y] ? s->dates[x] < s->dates[y] : x < y;
}

static int
slow_sorted(const struct slow *s, int parent, int out[NODES])
{
	int n = 0;

	for (int i = 0; i < s->nodes; i++) {
		if (s->dead[i] || s->up[i] != parent)
			continue;
		int j = n++;
		for (; j > 0 && slow_before(s, i, out[j - 1]); j--)
			out[j] = out[j - 1];
		out[j] = i;
	}
	return n;
}

static void
slow_link(struct slow *s)
{
	for (int i = 0; i < s->n; i++) {
		bool taken = s->m[i].id == 0;

		for (int j = 0; j < i; j++)
			taken |= s->ids[j] == s->m[i].id;
		s->ids[i] = taken ? 1000000 + (uint64_t)i : s->m[i].id;
		s->up[i] = NONE;
	}
	s->nodes = s->n;
	for (int i = 0; i < s->n; i++) {
		int before = NONE;

		for (size_t k = 0; k < s->m[i].nrefs; k++) {
			int node = slow_node(s, s->m[i].refs[k]);

			if (before != NONE && s->up[node] == NONE &&
				!slow_above(s, node, before))
				s->up[node] = before;
			before = node;
		}
		s->up[i] = NONE;
		if (before != NONE && !slow_above(s, i, before))
			s->up[i] = before;
	}
}

static void
slow_prune(struct slow *s)
{
	for (bool again = true; again;) {
		again = false;
		for (int d = s->n; d < s->nodes; d++) {
			int children = s->dead[d] ? 0 : slow_children(s, d);

			if (s->dead[d] || (children > 1 && s->up[d] == NONE))
				continue;
			for (int i = 0; i < s->nodes; i++)
				if (s->up[i] == d)
					s->up[i] = s->up[d];
			s->dead[d] = again = true;
		}
	}
}

static bool
slow_reply(const struct slow *s, int node)
{
	return node < s->n && s->m[node].reply;
}

static void
slow_merge(struct slow *s)
{
	int roots[NODES], subject[NODES], table[NODES], has[NODES], nhas = 0;
	int n = slow_sorted(s, NONE, roots);

	for (int i = 0; i < n; i++) {
		int c = roots[i], t;

		subject[i] = slow_first(s, c);
		for (t = 0; t < nhas; t++)
			if (str_eq(s->m[has[t]].subject, s->m[subject[i]].subject))
				break;
		if (s->m[subject[i]].subject.len == 0)
			continue;
		if (t == nhas) {
			has[nhas] = subject[i];
			table[nhas++] = c;
		} else if (table[t] < s->n && (c >= s->n || (slow_reply(s, table[t]) &&
								    !slow_reply(s, c)))) {
			table[t] = c;
		}
	}
	for (int i = 0; i < n; i++) {
		int c = roots[i], t;

		for (t = 0; t < nhas; t++)
			if (str_eq(s->m[has[t]].subject, s->m[subject[i]].subject))
				break;
		if (s->m[subject[i]].subject.len == 0 || table[t] == c ||
			s->up[c] != NONE)
			continue;
		if (table[t] >= s->n && c >= s->n) {
			for (int k = 0; k < s->n; k++)
				if (s->up[k] == c)
					s->up[k] = table[t];
			s->dead[c] = true;
		} else if (table[t] >= s->n ||
			   (slow_reply(s, c) && !slow_reply(s, table[t]))) {
			s->up[c] = table[t];
		} else {
			int d = s->nodes++;

			s->up[d] = NONE;
			s->up[c] = s->up[table[t]] = d;
			table[t] = d;
		}
	}
}

static void
slow_put(const struct slow *s, int node, struct buf *b)
{
	int children[NODES], n = slow_sorted(s, node, children);

	if (node < s->n)
		buf_addf(b, "%d", node + 1);
	if (node < s->n && n > 0)
		buf_addc(b, ' ');
	for (int i = 0; i < n; i++) {
		if (n > 1)
			buf_addc(b, '(');
		slow_put(s, children[i], b);
		if (n > 1)
			buf_addc(b, ')');
	}
}

static void
slowly(const struct mail *m, size_t n, struct buf *b)
{
	struct thread_message messages[MOST];
	uint64_t dates[MOST];
	struct slow s = { .m = messages, .dates = dates, .n = (int)n };
	int roots[NODES];

	make(m, n, messages, dates);
	slow_link(&s);
	slow_prune(&s);
	slow_merge(&s);
	buf_addz(b, "* THREAD");
	int nroots = slow_sorted(&s, NONE, roots);
	for (int i = 0; i < nroots; i++) {
		buf_addz(b, i == 0 ? " (" : "(");
		slow_put(&s, roots[i], b);
		buf_addc(b, ')');
	}
	buf_addz(b, "\r\n");
}

TEST(threads_are_those_of_the_rfc_whatever_messages_say)
{
	static const char *const subjects[] = { "a", "Re: a", "b", "Re: b", "",
		"Re: ", "c", "d", "e", "f", "Re: f" };
	unsigned seed = 3;

	for (int round = 0; round < 4000; round++) {
		struct mail m[MOST];
		size_t n = (size_t)(rand_r(&seed) % (round % 8 == 0 ? 60 : 12));
		int range = 3 + rand_r(&seed) % 40;
		BUF_AUTO got = BUF(1 << 16);
		BUF_AUTO want = BUF(1 << 16);

		for (size_t i = 0; i < n; i++) {
			m[i] = (struct mail){ .id = (uint64_t)(rand_r(&seed) % range),
				.subject = subjects[rand_r(&seed) % 11],
				.date = rand_r(&seed) % 20 };
			for (int k = rand_r(&seed) % 7; k > 0; k--)
				m[i].refs[k - 1] = (uint64_t)(1 + rand_r(&seed) % range);
		}
		thread(threads_by_references, m, n, 1000, &got);
		slowly(m, n, &want);
		assert_string_equal(buf_z(&got), buf_z(&want));
	}
}

/* ---- long ones ---- */

TEST(trees_are_the_same_however_loops_are_looked_for)
{
	enum { N = 300 };
	ARENA_AUTO mem = arena_new(1 << 24);
	struct forest walking, splayed;
	unsigned seed = 5;

	assert_int_equal(forest_init(&walking, N, mem, NULL), RC_OK);
	assert_int_equal(forest_init(&splayed, N, mem, NULL), RC_OK);
	splayed.walked = UINT64_MAX / 2;
	for (int i = 0; i < 60000; i++) {
		uint32_t a = (uint32_t)rand_r(&seed) % N, b = (uint32_t)rand_r(&seed) % N;

		if (walking.up[a] != FOREST_NONE && i % 3 == 0) {
			forest_cut(&walking, a);
			forest_cut(&splayed, a);
		} else if (walking.up[a] == FOREST_NONE) {
			assert_int_equal(forest_link(&walking, a, b, NULL),
				forest_link(&splayed, a, b, NULL));
		}
		walking.walked = 0;
	}
	assert_null(walking.splay);
	assert_non_null(splayed.splay);
	assert_memory_equal(walking.up, splayed.up, N * sizeof(*walking.up));
}

/* A chain of which everybody who comes later is said to be above its end. */
TEST(fifty_thousand_references_in_a_row_are_no_work)
{
	enum { N = 50000, CHAIN = N / 2 };
	ARENA_AUTO mem = arena_new(1 << 28);
	struct thread_message *m = arena_array(mem, N, sizeof(*m));
	uint64_t *refs = arena_array(mem, 2 * N, sizeof(*refs));
	uint32_t *numbers = arena_array(mem, N, sizeof(*numbers));
	struct threads t;
	BUF_AUTO b = BUF(1 << 24);

	for (uint32_t i = 0; i < N; i++) {
		numbers[i] = i;
		m[i] = (struct thread_message){ .id = i + 1, .refs = &refs[2 * i] };
		if (i > 0 && i < CHAIN) {
			refs[2 * i] = i; /* the one before */
			m[i].nrefs = 1;
		} else if (i % 2 == 0 && i >= CHAIN) {
			refs[2 * i] = CHAIN; /* the last of the chain, */
			refs[2 * i + 1] = i + 2; /* above the next, */
			m[i].nrefs = 2;
		} else if (i >= CHAIN) {
			refs[2 * i] = N + i; /* which has a child */
			refs[2 * i + 1] = i;
			m[i].nrefs = 2;
		}
	}
	assert_int_equal(threads_by_references(m, numbers, N, mem, &t, NULL), RC_OK);
	while (!threads_put(&t, numbers, &b, b.len + 1000))
		;
	size_t seen = 0;
	for (size_t i = 9; i < b.len; i++)
		seen += (b.data[i] >= '0' && b.data[i] <= '9') &&
			!(b.data[i - 1] >= '0' && b.data[i - 1] <= '9');
	assert_int_equal(seen, N);
}

TEST(what_is_too_much_to_thread_is_said_and_not_held)
{
	ARENA_AUTO mem = arena_new(4000);
	static struct thread_message m[MOST * 10];
	static uint32_t by_date[MOST * 10];
	struct threads t;
	struct err err = { 0 };

	assert_int_equal(
		threads_by_references(m, by_date, MOST * 10, mem, &t, &err), RC_LIMIT);
	assert_int_equal(
		threads_by_subject(m, by_date, MOST * 10, mem, &t, &err), RC_LIMIT);
}
