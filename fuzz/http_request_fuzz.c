/* SPDX-License-Identifier: ISC */
/* A head; what was taken has one length of body, one Host, and a path that stays where it is. */
#include "wire/http.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	ARENA_AUTO mem = arena_new(HTTP_HEAD_MOST);
	struct http_request q = { .mem = mem };
	str in = { (const char *)data, size }, line = STR("");
	unsigned status = 0;

	for (size_t n = 0; status == 0; n++) {
		size_t end = str_find(in, STR("\r\n"));

		line = str_first(in, end);
		if (n > 0 && line.len == 0)
			break;
		status = n == 0 ? http_begin(&q, line) : http_field(&q, line);
		in = str_skip(in, end + 2);
	}
	if (status != 0 || http_end(&q) != 0)
		return 0;
	if (q.path.ptr[0] != '/' || q.host.len == 0 || q.method == HTTP_OTHER ||
		str_find(q.path, STR("/../")) < q.path.len ||
		(q.chunked && q.has_length) || (q.method != HTTP_POST && q.length > 0))
		abort();
	(void)http_cookie(&q, STR("a"));
	return 0;
}
