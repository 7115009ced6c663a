/* SPDX-License-Identifier: ISC */
/* How far each shard has applied each journal. */
#include <assert.h>

#include "store/store_int.h"

static struct position *
position_of(struct store *s, const char *journal)
{
	struct position *p = s->positions;

	for (size_t i = 0; i < s->npositions; i++, p++)
		if (strcmp(p->journal, journal) == 0)
			return p;
	assert(s->npositions < JOURNALS);
	*p = (struct position){ 0 };
	bool fits = str_z(str_of(journal), p->journal, sizeof(p->journal));
	assert(fits);
	s->npositions++;
	return p;
}

uint64_t
position_get(struct store *s, const char *journal, unsigned shard)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);

	return position_of(s, journal)->seq[shard];
}

void
position_set(struct store *s, const char *journal, unsigned shard, uint64_t seq)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);
	struct position *p = position_of(s, journal);

	if (p->seq[shard] < seq)
		p->seq[shard] = seq;
}

enum rc
store_applied(struct store *s, const char *journal, uint64_t *seq, struct err *err)
{
	LOCK_AUTO held = lock_take(&s->positions_lock);
	const struct position *p = position_of(s, journal);
	uint64_t least = UINT64_MAX;

	(void)err;
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		if (p->seq[i] < least)
			least = p->seq[i];
	*seq = least;
	return RC_OK;
}
