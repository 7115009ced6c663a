/* SPDX-License-Identifier: ISC */
/* What gate knows about data/held: who is there already, and how much of it. */
#include "held/held.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/thread.h"
#include "crypto/digest.h"
#include "held/held_int.h"
#include "wire/facts.h"

enum { NETWORK = 1 + 16, BLOCK = 4096, WRITER_MS = 10000, HOUR_MS = 3600 * 1000 };

struct network {
	uint8_t key[NETWORK];
	uint64_t bytes;
	UT_hash_handle hh;
};

struct entry {
	char id[MSG_ID_LEN + 1];
	uint8_t mark[HELD_MARK];
	bool marked; /* stands in by_mark: the newest of its mark */
	bool writing; /* not there yet; whoever wants the same waits */
	unsigned seen; /* in the folder, by that minute */
	uint64_t wall_ms, bytes;
	struct network *network;
	UT_hash_handle by_id, by_mark;
};

struct held {
	int dir;
	uint8_t public_key[SEAL_PUBLIC];
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t written;
	struct held_limits limits;
	struct entry *ids, *marks;
	struct network *networks;
	uint64_t bytes;
	unsigned files, minute;
};

/* ---- the table ---- */

static void
network_key(const struct ip *net, uint8_t key[NETWORK])
{
	key[0] = net->family;
	memcpy(key + 1, net->bytes, sizeof(net->bytes));
}

/* NULL: nothing of it is held. */
static struct network *
network_find(struct held *h, const struct ip *net)
{
	uint8_t key[NETWORK];
	struct network *n;

	network_key(net, key);
	HASH_FIND(hh, h->networks, key, sizeof(key), n);
	return n;
}

static struct network *
network_get(struct held *h, const struct ip *net)
{
	struct network *n = network_find(h, net);

	if (n != NULL)
		return n;
	if ((n = calloc(1, sizeof(*n))) == NULL)
		abort();
	network_key(net, n->key);
	HASH_ADD(hh, h->networks, key, sizeof(n->key), n);
	return n;
}

static struct entry *
marked(struct held *h, const uint8_t mark[HELD_MARK])
{
	struct entry *e;

	HASH_FIND(by_mark, h->marks, mark, HELD_MARK, e);
	return e;
}

static void
unmark(struct held *h, struct entry *e)
{
	if (e->marked)
		HASH_DELETE(by_mark, h->marks, e);
	e->marked = false;
}

static void
mark_newest(struct held *h, struct entry *e)
{
	struct entry *before = marked(h, e->mark);

	if (before != NULL && before->wall_ms > e->wall_ms)
		return;
	if (before != NULL)
		unmark(h, before);
	HASH_ADD(by_mark, h->marks, mark, sizeof(e->mark), e);
	e->marked = true;
}

static uint64_t
disk_bytes(const struct held_header *header)
{
	return (held_file_bytes(header) + BLOCK - 1) / BLOCK * BLOCK;
}

static struct entry *
add(struct held *h, const struct held_header *header)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		abort();
	memcpy(e->id, header->id.text, sizeof(e->id));
	memcpy(e->mark, header->mark, sizeof(e->mark));
	e->wall_ms = header->wall_ms;
	e->bytes = disk_bytes(header);
	e->network = network_get(h, &header->network);
	e->network->bytes += e->bytes;
	e->seen = h->minute;
	h->bytes += e->bytes;
	h->files++;
	HASH_ADD(by_id, h->ids, id, MSG_ID_LEN, e);
	mark_newest(h, e);
	return e;
}

static void
forget(struct held *h, struct entry *e)
{
	struct network *n = e->network;

	unmark(h, e);
	HASH_DELETE(by_id, h->ids, e);
	h->bytes -= e->bytes;
	h->files--;
	n->bytes -= e->bytes;
	if (n->bytes == 0) {
		HASH_DELETE(hh, h->networks, n);
		free(n);
	}
	free(e);
}

/* ---- opening ---- */

struct held *
held_open(int dir, const uint8_t public_key[SEAL_PUBLIC], const struct held_limits *l)
{
	struct held *h = calloc(1, sizeof(*h));

	if (h == NULL)
		abort();
	h->dir = dir;
	h->limits = *l;
	memcpy(h->public_key, public_key, SEAL_PUBLIC);
	(void)pthread_mutex_init(&h->lock, NULL);
	cond_init(&h->written);
	return h;
}

static struct entry *
find(struct held *h, const char *id)
{
	struct entry *e;

	HASH_FIND(by_id, h->ids, id, strlen(id), e);
	return e;
}

struct loading {
	struct held *h;
	uint64_t wall_ms;
};

/* Of a writer that died, where there is no O_TMPFILE (fs_spool_open). */
static void
remove_rest(const struct loading *l, const char *name)
{
	struct stat st;

	/* others write already */
	if (fstatat(l->h->dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		(uint64_t)st.st_mtim.tv_sec * 1000 + HOUR_MS < l->wall_ms)
		(void)fs_unlink(l->h->dir, name, NULL);
}

static bool
load_name(const char *name, void *arg)
{
	const struct loading *l = arg;
	struct held *h = l->h;
	struct held_header header;
	FD_AUTO fd = -1;

	if (str_starts(str_of(name), STR(".tmp-")))
		remove_rest(l, name);
	/* what is damaged is house's to remove, in its time */
	if (held_header_read(h->dir, name, &fd, &header, NULL) != RC_OK)
		return true;
	LOCK_AUTO locked = lock_take(&h->lock);
	if (find(h, name) == NULL && header.wall_ms + h->limits.keep_ms >= l->wall_ms)
		(void)add(h, &header);
	return h->files < HELD_FILES;
}

enum rc
held_load(struct held *h, uint64_t wall_ms, struct err *err)
{
	struct loading l = { .h = h, .wall_ms = wall_ms };

	return fs_each(h->dir, ".", load_name, &l, err);
}

void
held_close(struct held **hp)
{
	struct held *h = *hp;
	struct entry *e, *next;

	if (h == NULL)
		return;
	HASH_ITER(by_id, h->ids, e, next)
	forget(h, e);
	(void)pthread_cond_destroy(&h->written);
	(void)pthread_mutex_destroy(&h->lock);
	free(h);
	*hp = NULL;
}

void
held_set_limits(struct held *h, const struct held_limits *l)
{
	LOCK_AUTO locked = lock_take(&h->lock);

	h->limits = *l;
}

struct held_sum
held_sum(struct held *h)
{
	LOCK_AUTO locked = lock_take(&h->lock);

	return (struct held_sum){ h->files, h->bytes };
}

/* ---- holding ---- */

static void
mark_of(const struct held *h, const uint8_t digest[HELD_DIGEST], uint8_t mark[HELD_MARK])
{
	static const char label[] = "gatepost held mark";
	char what[sizeof(label) + HELD_DIGEST];
	uint8_t all[SHA256_BYTES];

	memcpy(what, label, sizeof(label));
	memcpy(what + sizeof(label), digest, HELD_DIGEST);
	hmac_sha256((str){ (const char *)h->public_key, SEAL_PUBLIC },
		(str){ what, sizeof(what) }, all);
	memcpy(mark, all, HELD_MARK);
}

/* The file of e is kept at least as long as the link of a refusal that is made
 * now: rows that name it live keep_ms from now on (held/refusals.h). */
static bool
is_same(const struct held *h, const struct entry *e, uint64_t wall_ms)
{
	uint64_t most = h->limits.keep_ms / 2;

	most = most < HELD_SAME_MS ? most : HELD_SAME_MS;
	return wall_ms < e->wall_ms + most && faccessat(h->dir, e->id, F_OK, 0) == 0;
}

/* Under lock.  RC_OK: *as is the one that is there.  RC_NONE: none is. */
static enum rc
find_same(struct held *h, const struct held_header *header, struct msg_id *as,
	struct err *err)
{
	uint64_t until = clock_ms() + WRITER_MS;
	struct entry *e;

	while ((e = marked(h, header->mark)) != NULL && e->writing)
		if (!cond_until(&h->written, &h->lock, until))
			return err_set(err, RC_TEMP,
				"the same message is being held, which takes long");
	if (e == NULL || !is_same(h, e, header->wall_ms))
		return RC_NONE;
	memcpy(as->text, e->id, sizeof(as->text));
	return RC_OK;
}

static enum rc
has_room(struct held *h, const struct held_header *header, struct err *err)
{
	const struct held_limits *l = &h->limits;
	const struct network *n = network_find(h, &header->network);
	uint64_t bytes = disk_bytes(header), of_network = n == NULL ? 0 : n->bytes, left;
	char net[IP_TEXT];

	if (h->files >= HELD_FILES)
		return err_set(err, RC_NONE, "%d originals are held already", HELD_FILES);
	if (h->bytes + bytes > l->all_bytes)
		return err_set(err, RC_NONE,
			"the held originals would be larger than [held] all");
	ip_text(&header->network, net);
	if (of_network + bytes > l->network_bytes)
		return err_set(err, RC_NONE,
			"those of %s would be larger than [held] network", net);
	enum rc rc = fs_free_bytes(h->dir, &left, err);
	if (rc == RC_OK && left < l->min_free + bytes)
		rc = err_set(err, RC_NONE,
			"less than [held] min_free would be free on the disk");
	return rc;
}

/* An entry that is being written, or (RC_OK and NULL) *as, which is there. */
static enum rc
claim(struct held *h, const struct held_header *header, struct entry **out,
	struct msg_id *as, struct err *err)
{
	LOCK_AUTO locked = lock_take(&h->lock);
	enum rc rc;

	*out = NULL;
	if (h->limits.keep_ms == 0)
		return err_set(err, RC_NONE, "none are kept ([held] keep)");
	if ((rc = find_same(h, header, as, err)) != RC_NONE)
		return rc;
	if ((rc = has_room(h, header, err)) != RC_OK)
		return rc;
	*out = add(h, header);
	(*out)->writing = true;
	return RC_OK;
}

static void
claimed(struct held *h, struct entry *e, bool there)
{
	LOCK_AUTO locked = lock_take(&h->lock);

	e->writing = false;
	e->seen = h->minute;
	if (!there)
		forget(h, e);
	(void)pthread_cond_broadcast(&h->written);
}

enum rc
held_put(struct held *h, const struct held_item *what, struct msg_id *as, struct err *err)
{
	struct held_header header = { .id = what->id,
		.wall_ms = what->wall_ms,
		.size = what->size,
		.facts = (uint32_t)what->facts.len,
		.network = ip_site(&what->client) };
	struct entry *e;

	if (what->facts.len > FACTS_MOST || what->size == 0)
		abort();
	mark_of(h, what->digest, header.mark);
	enum rc rc = claim(h, &header, &e, as, err);
	if (rc != RC_OK || e == NULL)
		return rc;
	rc = held_write(h->dir, h->public_key, &header, what, err);
	claimed(h, e, rc == RC_OK);
	if (rc == RC_OK)
		*as = what->id;
	return rc;
}

/* ---- ageing ---- */

static bool
see_name(const char *name, void *arg)
{
	struct held *h = arg;
	LOCK_AUTO locked = lock_take(&h->lock);
	struct entry *e = find(h, name);

	if (e != NULL)
		e->seen = h->minute;
	return true;
}

void
held_minute(struct held *h, uint64_t wall_ms)
{
	struct entry *e, *next;

	{
		LOCK_AUTO locked = lock_take(&h->lock);

		h->minute++;
	}
	if (fs_each(h->dir, ".", see_name, h, NULL) != RC_OK)
		return;
	LOCK_AUTO locked = lock_take(&h->lock);
	HASH_ITER(by_id, h->ids, e, next)
	if (!e->writing &&
		(e->seen != h->minute || e->wall_ms + h->limits.keep_ms < wall_ms))
		forget(h, e);
}
