/* SPDX-License-Identifier: ISC */
/* A message's content: the walk, and what is gathered on it. */
#include "mime/word.h"
#include "scan/scan_int.h"
#include "scan/walk.h"

static void
walk_end(struct walk *w)
{
	jobs_clear(&w->jobs);
	texts_free(&w->texts);
	sha256_free(&w->sha);
}

static str
first_host(const struct fact_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->at[i].host.len > 0)
			return l->at[i].host;
	return (str){ 0 };
}

static enum rc
add_person(struct walk *w, const struct fact_address *a, struct buf *b)
{
	uint64_t odd = 0;
	str name;

	if (a->mailbox.len == 0)
		return RC_OK;
	if (mime_words(a->name, w->cs, FACTS_STR, w->mem, &name, &odd) != RC_OK)
		return RC_LIMIT;
	if (b->len > 0)
		buf_addc(b, '\n');
	buf_add(b, name);
	if (a->host.len > 0) {
		buf_add(b, name.len > 0 ? STR(" ") : STR(""));
		buf_add(b, a->mailbox);
		buf_addc(b, '@');
		buf_add(b, a->host);
	}
	return RC_OK;
}

/* Subject and people, decoded. */
static enum rc
header_texts(struct walk *w)
{
	const struct fact_envelope *e = &w->facts->envelope;
	const struct fact_list *lists[] = { &e->from, &e->sender, &e->reply_to, &e->to,
		&e->cc, &e->bcc };
	BUF_AUTO people = BUF(CONTENT_PEOPLE);
	uint64_t odd = 0;

	if (mime_words(e->subject, w->cs, CONTENT_SUBJECT, w->mem, &w->c->subject,
		    &odd) != RC_OK)
		return walk_limit(w, "words");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t k = 0; k < lists[i]->n && buf_ok(&people); k++)
			if (add_person(w, &lists[i]->at[k], &people) != RC_OK)
				return walk_limit(w, "addresses");
	w->c->odd |= odd;
	tokens_words(w->texts->tokens, TOKEN_SUBJECT, w->c->subject);
	tokens_whole(w->texts->tokens, TOKEN_FROM, first_host(&e->from));
	if (arena_copy(w->mem, buf_str(&people), &w->c->people) != RC_OK)
		return walk_limit(w, "addresses");
	return RC_OK;
}

static enum rc
gather(struct walk *w, struct scanned *out)
{
	struct texts *t = w->texts;
	struct content *c = w->c;

	c->tokens = arena_array(w->mem, tokens_count(t->tokens), sizeof(*c->tokens));
	if (c->tokens == NULL || jobs_done(&w->jobs, w->err) != RC_OK)
		return RC_LIMIT;
	c->ntokens = tokens_done(t->tokens, c->tokens);
	c->links = t->links;
	c->nlinks = t->nlinks;
	c->links_all = (uint32_t)t->links_all;
	c->html_flags = t->html_flags;
	c->text_bytes = (uint32_t)t->text.len;
	c->hidden_bytes = (uint32_t)t->hidden.len;
	if ((w->want & SCAN_TEXT) != 0 &&
		(arena_copy(w->mem, buf_str(&t->text), &c->text) != RC_OK ||
			arena_copy(w->mem, buf_str(&t->hidden), &c->hidden) != RC_OK))
		return walk_limit(w, "text");
	if (t->gtube)
		w->facts->flags |= FACT_GTUBE;
	c->njobs = out->njobs = w->jobs.n;
	for (unsigned i = 0; i < w->jobs.n; i++) {
		c->jobs[i].leaf = w->jobs.leaves[i];
		out->jobs[i] = w->jobs.fds[i];
	}
	w->jobs.n = 0; /* they are the caller's now */
	return RC_OK;
}

enum rc
scan_content(const struct scan_job *job, str message, const struct mime_tree *tree,
	struct charsets *cs, struct arena *mem, struct scanned *out, struct err *err)
{
	uint64_t most = job->most_unpacked > 0 ? job->most_unpacked : SCAN_UNPACKED;
	struct walk w __attribute__((cleanup(walk_end))) = { .want = job->want,
		.cs = cs,
		.mem = mem,
		.c = &out->content,
		.texts = texts_new(cs, mem, (job->want & SCAN_TOKENS) != 0),
		.jobs = { .wanted = (job->want & SCAN_JOBS) != 0 },
		.room = { most, WALK_MEMBERS },
		.sha = sha256_new(),
		.facts = &out->facts,
		.err = err };
	struct around in = { 0 };
	enum rc rc = walk_tree(&w, message, tree, true, &in);

	if (rc == RC_OK)
		rc = header_texts(&w);
	out->content.unpacked = most - w.room.left;
	return rc == RC_OK ? gather(&w, out) : rc;
}
