/* SPDX-License-Identifier: ISC */
#include "base/clock.h"

#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

static _Atomic int64_t wall_shift_ms;

static uint64_t
read_clock(clockid_t id)
{
	struct timespec t;

	(void)clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
clock_ms(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

uint64_t
clock_wall_ms(void)
{
	return read_clock(CLOCK_REALTIME) + (uint64_t)atomic_load(&wall_shift_ms);
}

void
clock_set_wall(uint64_t ms)
{
	int64_t shift = ms == 0 ? 0 : (int64_t)ms - (int64_t)read_clock(CLOCK_REALTIME);

	atomic_store(&wall_shift_ms, shift);
}

static struct tm
utc(uint64_t wall_ms)
{
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	return tm;
}

void
clock_text(uint64_t wall_ms, char out[CLOCK_TEXT])
{
	struct tm tm = utc(wall_ms);

	(void)snprintf(out, CLOCK_TEXT, "%04u-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)(tm.tm_mon + 1) % 100u,
		(unsigned)tm.tm_mday % 100u, (unsigned)tm.tm_hour % 100u,
		(unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u,
		(unsigned)(wall_ms % 1000));
}

void
clock_mail_date(uint64_t wall_ms, char out[CLOCK_TEXT + 8])
{
	static const char days[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
		"Sat" };
	static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	struct tm tm = utc(wall_ms);

	(void)snprintf(out, CLOCK_TEXT + 8, "%s, %u %s %04u %02u:%02u:%02u +0000",
		days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100u, months[tm.tm_mon % 12],
		(unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
		(unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

enum rc
clock_parse(str s, uint64_t *wall_ms, struct err *err)
{
	char text[40];
	struct tm tm = { 0 };
	uint64_t seconds;
	const char *end;

	if (str_u64(s, 1ull << 40, &seconds)) {
		*wall_ms = seconds * 1000;
		return RC_OK;
	}
	if (!str_z(s, text, sizeof(text)))
		return err_set(err, RC_BAD, "not a time");
	end = strptime(text, "%Y-%m-%d", &tm);
	if (end != NULL && *end != '\0')
		end = strptime(end, "T%H:%M:%S", &tm);
	if (end == NULL || (*end != '\0' && strcmp(end, "Z") != 0))
		return err_set(err, RC_BAD,
			"\"%s\" is not a time; write 2026-11-23T01:48:00Z", text);
	*wall_ms = (uint64_t)timegm(&tm) * 1000;
	return RC_OK;
}
