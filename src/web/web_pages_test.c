/* SPDX-License-Identifier: ISC */
/* The pages behind links: what they say, and who may change something by them. */
#include <stdio.h>

#include "base/clock.h"
#include "test/test.h"
#include "web/web_world.h"

TEST(who_was_refused_reads_why)
{
	struct world w;
	char request[200];

	world_open(&w, "");
	struct msg_id token = world_refuse(&w);
	struct client c = client_https(&w);
	(void)snprintf(
		request, sizeof(request), "GET /r/%s HTTP/1.1~Host: x~~", token.text);
	struct reply r = client_ask(&c, request);
	assert_int_equal(r.status, 200);
	assert_true(reply_has(&r, "y.test"));
	assert_true(reply_has(&r, "x.test"));
	assert_false(reply_has(&r, "a0@"));
	assert_false(reply_has(&r, "GTUBE"));
	client_close(&c);
	world_close(&w);
}
