/* SPDX-License-Identifier: ISC */
#include "daemon/metrics.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"

struct page {
	_Atomic uint64_t values[METRICS];
	/* odd while the manager writes: readers try again (a seqlock) */
	_Atomic uint64_t turn;
	struct metric_process processes[METRIC_PROCESSES];
};

static struct page *page;

#define METRIC(name_, kind_, doc_) \
	{ .name = #name_, .doc = doc_, .gauge = sizeof(#kind_) == sizeof("gauge") },
const struct metric_row metric_rows[METRICS] = {
#include "daemon/metrics.def"
};
#undef METRIC

enum rc
metrics_map(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(struct page))
		return err_set(err, RC_BAD, "the page of figures has the wrong size");
	void *p = mmap(
		NULL, sizeof(struct page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return err_errno(err, "mapping the page of figures");
	page = p;
	return RC_OK;
}

enum rc
metrics_make(int *fd, struct err *err)
{
	FD_AUTO made = memfd_create("metrics", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	enum rc rc;

	if (made < 0 || ftruncate(made, sizeof(struct page)) != 0 ||
		fcntl(made, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) != 0)
		return err_errno(err, "making the page of figures");
	if ((rc = metrics_map(made, err)) != RC_OK)
		return rc;
	*fd = made;
	made = -1;
	return RC_OK;
}

bool
metrics_there(void)
{
	return page != NULL;
}

void
metric_add(enum metric m, uint64_t n)
{
	if (page != NULL)
		(void)atomic_fetch_add_explicit(
			&page->values[m], n, memory_order_relaxed);
}

void
metric_set(enum metric m, uint64_t v)
{
	if (page != NULL)
		atomic_store_explicit(&page->values[m], v, memory_order_relaxed);
}

uint64_t
metric_get(enum metric m)
{
	return page == NULL
		       ? 0
		       : atomic_load_explicit(&page->values[m], memory_order_relaxed);
}

void
metric_process_set(unsigned slot, const struct metric_process *p)
{
	if (page == NULL || slot >= METRIC_PROCESSES)
		return;
	(void)atomic_fetch_add(&page->turn, 1);
	page->processes[slot] = *p;
	(void)atomic_fetch_add(&page->turn, 1);
}

bool
metric_process_get(unsigned slot, struct metric_process *p)
{
	if (page == NULL || slot >= METRIC_PROCESSES)
		return false;
	for (int tries = 0; tries < 1000; tries++) {
		uint64_t before = atomic_load(&page->turn);

		*p = page->processes[slot];
		if (before % 2 == 0 && atomic_load(&page->turn) == before)
			break;
	}
	p->name[sizeof(p->name) - 1] = '\0';
	return p->name[0] != '\0';
}
