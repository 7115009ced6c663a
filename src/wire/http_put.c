/* SPDX-License-Identifier: ISC */
#include "wire/http_put.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include "wire/http.h"

/* RFC 9110 5.6.7 */
static void
put_date(struct buf *b, uint64_t wall_ms)
{
	static const char days[] = "SunMonTueWedThuFriSat",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)(wall_ms / 1000);
	struct tm tm = { 0 };

	(void)gmtime_r(&t, &tm);
	buf_addf(b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
		days + 3 * tm.tm_wday, tm.tm_mday, months + 3 * tm.tm_mon,
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

void
http_put_status(struct buf *b, unsigned status, uint64_t wall_ms)
{
	buf_addf(b, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
	put_date(b, wall_ms);
}

void
http_put_field(struct buf *b, const char *name, str value)
{
	if (str_printable(value) != value.len)
		abort();
	buf_addz(b, name);
	buf_addz(b, ": ");
	buf_add(b, value);
	buf_addz(b, "\r\n");
}

void
http_put_number(struct buf *b, const char *name, uint64_t value)
{
	buf_addf(b, "%s: %" PRIu64 "\r\n", name, value);
}

/* RFC 3986 2.3 */
static bool
stays(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || (c != 0 && strchr("-._~/", c) != NULL);
}

void
http_put_path(struct buf *b, str path)
{
	for (size_t i = 0; i < path.len; i++) {
		unsigned char c = (unsigned char)path.ptr[i];

		if (stays(c))
			buf_addc(b, (char)c);
		else
			buf_addf(b, "%%%02X", c);
	}
}

void
http_put_end(struct buf *b)
{
	buf_addz(b, "\r\n");
}
