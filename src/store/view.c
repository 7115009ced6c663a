/* SPDX-License-Identifier: ISC */
/* The table of views: found by name, kept while there is room, told of changes. */
#include "store/view.h"

#include <assert.h>
#include <stdlib.h>

#include "store/view_int.h"

struct views {
	pthread_mutex_t lock;
	struct view *table;
	struct view *newest, *oldest; /* those nobody holds */
	size_t kept; /* bytes of them */
	/* whose many watchers are to be woken */
	struct view *waking, **last_waking;
	pthread_cond_t work;
	bool running, stop;
	pthread_t waker;
};

struct views *
views_new(void)
{
	struct views *t = calloc(1, sizeof(*t));

	if (t == NULL)
		abort();
	(void)pthread_mutex_init(&t->lock, NULL);
	cond_init(&t->work);
	t->last_waking = &t->waking;
	return t;
}

static void
destroy(struct view *v)
{
	view_clear(v);
	(void)pthread_mutex_destroy(&v->lock);
	(void)pthread_cond_destroy(&v->loaded);
	free(v);
}

/* --- with the table's lock --- */

static void
leave_idle(struct views *t, struct view *v)
{
	*(v->newer == NULL ? &t->newest : &v->newer->older) = v->older;
	*(v->older == NULL ? &t->oldest : &v->older->newer) = v->newer;
	v->newer = v->older = NULL;
	v->idle = false;
	t->kept -= v->counted;
}

static void
enter_idle(struct views *t, struct view *v)
{
	v->older = t->newest;
	*(t->newest == NULL ? &t->oldest : &t->newest->newer) = v;
	t->newest = v;
	v->idle = true;
	v->counted = atomic_load(&v->bytes);
	t->kept += v->counted;
}

static void
unname(struct views *t, struct view *v)
{
	if (v->named)
		HASH_DEL(t->table, v);
	v->named = false;
}

/* Nobody may be looking at it any more: it is kept, or goes. */
static void
let_go(struct views *t, struct view *v)
{
	if (v->held > 0 || v->pinned > 0)
		return;
	if (v->named)
		return;
	if (v->idle)
		leave_idle(t, v);
	destroy(v);
}

static void
evict(struct views *t)
{
	struct view *v = t->oldest, *next;

	for (; v != NULL && t->kept > VIEWS_KEPT; v = next) {
		next = v->newer;
		if (v->pinned > 0)
			continue;
		unname(t, v);
		let_go(t, v);
	}
}

static struct view *
find(struct views *t, struct view_name name)
{
	struct view *v;

	HASH_FIND(hh, t->table, &name, sizeof(name), v);
	return v;
}

/* --- without --- */

static void
stop_waker(struct views *t)
{
	{
		LOCK_AUTO held = lock_take(&t->lock);

		t->stop = true;
		(void)pthread_cond_signal(&t->work);
	}
	if (t->running)
		(void)pthread_join(t->waker, NULL);
	(void)pthread_cond_destroy(&t->work);
}

void
views_free(struct views **tp)
{
	struct views *t = *tp;

	if (t == NULL)
		return;
	stop_waker(t);
	while (t->oldest != NULL) {
		struct view *v = t->oldest;

		assert(v->held == 0 && v->pinned == 0);
		unname(t, v);
		let_go(t, v);
	}
	assert(t->table == NULL);
	(void)pthread_mutex_destroy(&t->lock);
	free(t);
	*tp = NULL;
}

static struct view *
view_new(struct store *s, struct view_name name)
{
	struct view *v = calloc(1, sizeof(*v));

	if (v == NULL)
		abort();
	v->s = s;
	v->sh = shard_of(s, name.account);
	v->name = name;
	v->held = 1;
	(void)pthread_mutex_init(&v->lock, NULL);
	cond_init(&v->loaded);
	return v;
}

/* The view of that name, held; a new one is to be loaded by who made it. */
static struct view *
hold(struct store *s, struct view_name name, bool *fresh)
{
	struct views *t = s->views;
	LOCK_AUTO held = lock_take(&t->lock);
	struct view *v = find(t, name);

	*fresh = v == NULL;
	if (v == NULL) {
		v = view_new(s, name);
		HASH_ADD(hh, t->table, name, sizeof(v->name), v);
		v->named = true;
		return v;
	}
	if (v->idle)
		leave_idle(t, v);
	v->held++;
	return v;
}

/* Whoever opens it next gets another. */
static void
forget(struct view *v)
{
	struct views *t = v->s->views;
	LOCK_AUTO held = lock_take(&t->lock);

	unname(t, v);
}

static void
load(struct view *v)
{
	struct err why = { 0 };

	if (view_load(v, &why) != RC_OK)
		forget(v);
	LOCK_AUTO held = lock_take(&v->lock);
	if (why.rc != RC_OK) {
		v->state = VIEW_FAILED;
		v->why = why;
	}
	(void)pthread_cond_broadcast(&v->loaded);
}

static enum rc
wait_loaded(struct view *v, struct err *err)
{
	LOCK_AUTO held = lock_take(&v->lock);

	while (v->state == VIEW_LOADING)
		(void)pthread_cond_wait(&v->loaded, &v->lock);
	return v->state == VIEW_READY ? RC_OK
				      : err_set(err, v->why.rc, "%s", v->why.text);
}

enum rc
view_open(struct store *s, uint64_t account, uint64_t mailbox, struct view **out,
	struct err *err)
{
	struct view *v;
	bool fresh;
	enum rc rc;

	if (account > INT64_MAX || mailbox > INT64_MAX)
		return err_set(err, RC_NONE, "no such mailbox");
	v = hold(s, (struct view_name){ account, mailbox }, &fresh);
	if (fresh)
		load(v);
	if ((rc = wait_loaded(v, err)) != RC_OK)
		view_close(&v);
	else
		*out = v;
	return rc;
}

void
view_close(struct view **vp)
{
	struct view *v = *vp;

	*vp = NULL;
	if (v == NULL)
		return;
	struct views *t = v->s->views;
	LOCK_AUTO held = lock_take(&t->lock);
	assert(v->held > 0);
	if (--v->held > 0)
		return;
	if (v->named)
		enter_idle(t, v);
	let_go(t, v);
	evict(t);
}

uint64_t
view_account(const struct view *v)
{
	return v->name.account;
}

uint64_t
view_mailbox(const struct view *v)
{
	return v->name.mailbox;
}

enum rc
view_settle(struct view *v, uint64_t modseq, struct err *err)
{
	uint64_t commit, upto;
	enum rc rc;

	(void)pthread_mutex_lock(&v->lock);
	commit = v->commit;
	upto = v->modseq;
	bool done = v->settled >= modseq;
	(void)pthread_mutex_unlock(&v->lock);
	if (done)
		return RC_OK;
	if ((rc = shard_settle(v->sh, commit, err)) != RC_OK)
		return rc;
	LOCK_AUTO held = lock_take(&v->lock);
	if (v->settled < upto)
		v->settled = upto;
	return RC_OK;
}

/* --- being told --- */

static struct view *
pin(struct views *t, struct view_name name)
{
	LOCK_AUTO held = lock_take(&t->lock);
	struct view *v = find(t, name);

	if (v != NULL)
		v->pinned++;
	return v;
}

static void
unpin(struct view *v, bool ended)
{
	struct views *t = v->s->views;
	LOCK_AUTO held = lock_take(&t->lock);

	v->pinned--;
	if (ended)
		unname(t, v);
	if (v->idle) {
		t->kept -= v->counted;
		v->counted = atomic_load(&v->bytes);
		t->kept += v->counted;
	}
	let_go(t, v);
	evict(t);
}

static void
wake_list(struct store *s, const uint64_t *numbers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		s->wake(numbers[i], s->arg);
}

/* The next whose watchers are to be woken; NULL: it is time to end.  Pinned. */
static struct view *
next_to_wake(struct views *t)
{
	LOCK_AUTO held = lock_take(&t->lock);

	while (t->waking == NULL && !t->stop)
		(void)pthread_cond_wait(&t->work, &t->lock);
	struct view *v = t->waking;
	if (v == NULL)
		return NULL;
	if ((t->waking = v->next_waking) == NULL)
		t->last_waking = &t->waking;
	v->waking = false;
	return v;
}

/* Without any lock, on a list as it was. */
static void
wake_many(struct view *v)
{
	uint64_t *list = NULL;
	size_t n;
	{
		LOCK_AUTO held = lock_take(&v->lock);

		if ((n = v->nwatchers) > 0) {
			if ((list = malloc(n * sizeof(*list))) == NULL)
				abort();
			memcpy(list, v->watchers, n * sizeof(*list));
		}
	}
	wake_list(v->s, list, n);
	free(list);
}

static void *
waker(void *arg)
{
	struct views *t = arg;
	struct view *v;

	while ((v = next_to_wake(t)) != NULL) {
		wake_many(v);
		unpin(v, false);
	}
	return NULL;
}

static void
wake_later(struct view *v)
{
	struct views *t = v->s->views;
	LOCK_AUTO held = lock_take(&t->lock);

	if (v->waking)
		return;
	v->waking = true;
	v->pinned++;
	v->next_waking = NULL;
	*t->last_waking = v;
	t->last_waking = &v->next_waking;
	if (!t->running)
		t->waker = thread_start("waker", waker, t);
	t->running = true;
	(void)pthread_cond_signal(&t->work);
}

/* Whoever commits waits for few at most: to wake ten thousand takes a quarter of a second,
 * and he has an answer to give. */
static void
wake_all(struct view *v)
{
	atomic_fetch_add(&v->tick, 1);
	if (v->s->wake == NULL)
		return;
	if (v->nwatchers <= WAKE_HERE)
		wake_list(v->s, v->watchers, v->nwatchers);
	else
		wake_later(v);
}

/* Whether it has come to its end. */
static bool
patch(struct view *v, uint64_t commit, struct note *const *notes, size_t n)
{
	LOCK_AUTO held = lock_take(&v->lock);
	bool news = false;

	if (atomic_load(&v->sh->sync.synced) >= v->commit)
		v->settled = v->modseq; /* what was before needs no sync for this one */
	for (size_t i = 0; i < n; i++) {
		view_patch(v, notes[i]);
		news |= notes[i]->kind != NOTE_FACTS;
	}
	v->commit = commit;
	v->gone |= v->word_waste > VIEW_WORDS;
	view_weigh(v);
	if (news)
		wake_all(v);
	return v->gone;
}

void
views_patch(struct store *s, uint64_t account, uint64_t mailbox, uint64_t commit,
	struct note *const *notes, size_t n)
{
	struct view *v = pin(s->views, (struct view_name){ account, mailbox });

	if (v != NULL)
		unpin(v, patch(v, commit, notes, n));
}

static struct view *
pin_of_account(struct views *t, uint64_t account)
{
	LOCK_AUTO held = lock_take(&t->lock);

	for (struct view *v = t->table; v != NULL; v = v->hh.next)
		if (v->name.account == account) {
			v->pinned++;
			return v;
		}
	return NULL;
}

void
views_end(struct store *s, uint64_t account)
{
	struct note gone = { .kind = NOTE_MAILBOX, .deleted = true }, *one = &gone;
	uint64_t commit = atomic_load(&shard_of(s, account)->sync.made);
	struct view *v;

	while ((v = pin_of_account(s->views, account)) != NULL)
		unpin(v, patch(v, commit, &one, 1));
}
