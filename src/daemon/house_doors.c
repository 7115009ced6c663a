/* SPDX-License-Identifier: ISC */
/* The doors of house: what its sessions need, and their end. */
#include "base/clock.h"
#include "base/log.h"
#include "daemon/doors.h"
#include "daemon/house_int.h"
#include "daemon/metrics.h"

enum { HASHES_WAITING = 1000, ERRANDS_WAITING = 10000 };

void
house_doors_limits(struct house *h)
{
	service_per_address(
		h->service, h->conf->imap.per_address, h->conf->imap.per_address_rate);
}

void
house_doors_open(struct house *h)
{
	const struct conf *conf = h->conf;

	house_doors_limits(h);
	h->hashes = pool_new("login", LOGIN_HASHES, HASHES_WAITING);
	h->errands = pool_new("errand", (unsigned)conf->imap.errands, ERRANDS_WAITING);
	h->imap = (struct imap_house){ .store = h->store,
		.search = conf->store.full_text ? h->search : NULL,
		.fulltext = h->fulltext,
		.directory = h->directory,
		.logins = h->logins,
		.own = h->own,
		.scanners = h->readers,
		.hashes = h->hashes,
		.errands = h->errands };
	h->pop3 = (struct pop3_house){ .store = h->store,
		.logins = h->logins,
		.hashes = h->hashes,
		.locks = pop3_locks_new() };
	house_web_open(h);
	const struct door doors[] = {
		{ 80, &http_kind, &h->web },
		{ 143, &imap_kind, &h->imap },
		{ 443, &https_kind, &h->web },
		{ 993, &imaps_kind, &h->imap },
		{ 110, &pop3_kind, &h->pop3 },
		{ 995, &pop3s_kind, &h->pop3 },
	};
	doors_open(h->child, h->service, doors, sizeof(doors) / sizeof(doors[0]));
}

void
house_wake(uint64_t number, void *arg)
{
	struct house *h = arg;

	if (h->service != NULL)
		service_wake(h->service, number);
}

bool
house_doors_close(struct house *h, uint64_t until_ms)
{
	/* who waits for a scanner waits no more */
	scanners_stop(h->readers);
	if (!service_drain(h->service, until_ms)) {
		log_warn("%zu sessions of readers were cut off",
			service_sessions(h->service));
		return false;
	}
	house_web_close(h);
	pool_free(&h->errands);
	pool_free(&h->hashes);
	return true;
}
