/* SPDX-License-Identifier: ISC */
/*
 * clamd's word about the whole file and about each thing that a strict reader of the
 * message would have missed (content.jobs).  Without all of them there is no verdict.
 *
 * clamd names what it finds first and stops there, so a name that only scores may stand
 * in front of a virus: what it was found in is then asked about part by part.  Mere
 * suspicions (Heuristics.*, PUA.*) it keeps until it has seen everything, unless it is
 * set otherwise.  doc/virus.md.
 */
#include "base/clock.h"
#include "base/fs.h"
#include "filter/checks/checks.h"
#include "filter/clamd.h"
#include "filter/excerpt.h"
#include "filter/filter_int.h"

struct looking {
	const struct evidence *e;
	struct findings *f;
	uint64_t until_ms;
	bool stop; /* decided */
	struct err *err;
};

static void
unseen(struct looking *l, str detail)
{
	finding_add(l->f, &check_virus_unseen, detail);
	l->stop = true;
}

static void
add_signature(struct looking *l, str name, int32_t score)
{
	for (size_t i = 0; i < l->f->n; i++)
		if (l->f->at[i].check == &check_signature &&
			str_eq(l->f->at[i].detail, name))
			return;
	finding_add_score(l->f, &check_signature, score, name);
}

/* *hides: it was no virus, but one may stand behind it. */
static enum rc
ask(struct looking *l, int fd, uint64_t size, bool *hides)
{
	char name[CLAMD_NAME] = "";
	str virus;
	int32_t score;
	enum rc rc = clamd_scan(l->e->clamd, fd, size, l->until_ms, name, l->err);

	*hides = false;
	if (rc == RC_PERM) {
		unseen(l, STR(""));
		return RC_OK;
	}
	if (rc != RC_OK || name[0] == '\0')
		return rc;
	virus = str_of(name);
	switch (family_of(family_settings(l->e), virus, &score)) {
	case SETTING_NONE:
	case SETTING_REFUSE:
		finding_add(l->f, &check_virus, virus);
		l->stop = true;
		return RC_OK;
	case SETTING_SCORE:
		add_signature(l, virus, score);
		break;
	case SETTING_OFF:
		break;
	}
	bool suspicion = str_istarts(virus, STR("Heuristics.")) ||
			 str_istarts(virus, STR("PUA."));
	*hides = !suspicion || !clamd_is_thorough(l->e->clamd);
	return RC_OK;
}

/* An archive, or a message of its own: clamd looks at several things in it.  What is
 * written into a text was given to it by itself. */
static bool
holds_files(const struct content *c, size_t leaf)
{
	if ((c->leaves[leaf].flags & (LEAF_ARCHIVE | LEAF_UNOPENED)) != 0)
		return true;
	for (size_t i = leaf + 1; i < c->nleaves; i++)
		if (c->leaves[i].parent == leaf + 1 &&
			(c->leaves[i].flags & LEAF_EMBEDDED) == 0)
			return true;
	return false;
}

/* A part in which files may stand behind one another: we know it for an archive, or do
 * not know it, and it is no text. */
static bool
is_archive(const struct evidence *e, const struct fact_part *p)
{
	const struct content *c = e->content;
	bool known = false;

	/* several, where it can be decoded in several ways */
	for (size_t i = 0; c != NULL && i < c->nleaves; i++) {
		if (c->leaves[i].length == 0 || c->leaves[i].at != p->body_at ||
			(c->leaves[i].flags & LEAF_MEMBER) != 0)
			continue;
		known = true;
		if (holds_files(c, i))
			return true;
	}
	return !known && !str_ieq(p->type, STR("text"));
}

static enum rc
ask_part(struct looking *l, const struct fact_part *p)
{
	FD_AUTO fd = -1;
	uint64_t size;
	bool hides = false;
	enum rc rc = excerpt_part(l->e, p, &fd, &size, l->err);

	if (rc == RC_OK)
		rc = ask(l, fd, size, &hides);
	if (rc == RC_OK && hides && !l->stop && is_archive(l->e, p))
		unseen(l, STR("archive"));
	return rc;
}

static enum rc
look_behind(struct looking *l)
{
	const struct fact_structure *s = &l->e->facts->structure;
	size_t leaves = 0;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < s->n; i++)
		leaves += s->parts[i].kind == FACT_LEAF;
	if (leaves == 0 || leaves > CONTENT_JOBS) {
		unseen(l, STR("parts"));
		return RC_OK;
	}
	for (size_t i = 0; i < s->n && rc == RC_OK && !l->stop; i++)
		if (s->parts[i].kind == FACT_LEAF)
			rc = ask_part(l, &s->parts[i]);
	return rc;
}

static enum rc
ask_job(struct looking *l, size_t n)
{
	const struct content *c = l->e->content;
	uint16_t leaf = c->jobs[n].leaf;
	uint64_t size;
	bool hides = false;
	enum rc rc = fs_size(l->e->jobs[n], &size, l->err);

	if (rc == RC_OK)
		rc = ask(l, l->e->jobs[n], size, &hides);
	/* of no leaf: what stands between parts, or many small ones in a tar file */
	if (rc == RC_OK && hides && !l->stop &&
		(leaf == 0 || leaf > c->nleaves || holds_files(c, leaf - 1u)))
		unseen(l, STR("archive"));
	return rc;
}

static enum rc
run(const struct check *c, const struct evidence *e, struct findings *f, struct err *err)
{
	struct looking l = { .e = e, .f = f, .err = err };
	const char *limit = "";
	bool hides = false;

	(void)c;
	if (e->clamd == NULL)
		return RC_OK;
	uint64_t begin = clock_ms();
	l.until_ms = clamd_deadline(e->clamd, e->until_ms);
	if (e->content != NULL && e->njobs < e->content->njobs)
		return err_set(
			err, RC_TEMP, "the scanner kept back what clamd is to see");
	if (e->content != NULL &&
		clamd_sees(e->clamd, e->content, e->size, &limit, err) != RC_OK) {
		unseen(&l, str_of(limit));
		return RC_OK;
	}
	enum rc rc = ask(&l, e->fd, e->size, &hides);
	if (rc == RC_OK && hides && !l.stop)
		rc = look_behind(&l);
	for (size_t i = 0;
		e->content != NULL && i < e->content->njobs && rc == RC_OK && !l.stop;
		i++)
		rc = ask_job(&l, i);
	/* who came late to clamd did not have its whole time */
	if (rc == RC_BAD && l.until_ms - begin < e->conf->clamav.timeout)
		rc = RC_TEMP;
	return rc;
}

const struct check check_virus = { STR_INIT("VIRUS"), GROUP_VIRUS, CHECK_DEAR,
	CHECK_DECISIVE,
	"clamd found a virus or other malware in it, by the families that are refused.",
	run };

const struct check check_signature = { STR_INIT("SIGNATURE"), GROUP_PATTERN, CHECK_DEAR,
	0, "clamd found something of a family that scores; its score is the family's.",
	NULL };
