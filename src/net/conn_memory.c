/* SPDX-License-Identifier: ISC */
/*
 * conn_memory: the input buffer, which is there only while it holds something.  Where secrets
 * may be said it is wiped before it moves, shrinks or goes.
 */
#include <stdlib.h>

#include "base/secret.h"
#include "net/net_int.h"

enum { IN_FIRST = 4096 };

static void
resize(struct conn *c, size_t cap)
{
	char *in = c->secret ? malloc(cap) : realloc(c->in, cap);

	if (in == NULL)
		abort();
	if (c->secret && c->in != NULL) {
		memcpy(in, c->in, c->end);
		secret_wipe(c->in, c->cap);
		free(c->in);
	}
	c->in = in;
	c->cap = cap;
}

static void
pull_up(struct conn *c)
{
	size_t was = c->end;

	if (c->at == 0)
		return;
	memmove(c->in, c->in + c->at, c->end - c->at);
	c->end -= c->at;
	c->at = 0;
	if (c->secret)
		secret_wipe(c->in + c->end, was - c->end);
}

/* The buffer grows while the peer fills it. */
void
conn_make_room(struct conn *c)
{
	if (c->at == c->end) {
		if (c->secret)
			secret_wipe(c->in, c->end);
		c->at = c->end = c->scanned = 0;
	}
	if (c->cap - c->end >= IN_FIRST / 4 && !c->eager)
		return;
	pull_up(c);
	if (c->cap == CONN_IN_MOST || (c->cap - c->end >= IN_FIRST / 2 && !c->eager))
		return;
	size_t cap = c->cap < IN_FIRST ? IN_FIRST : c->cap * 4;
	resize(c, cap < CONN_IN_MOST ? cap : CONN_IN_MOST);
}

void
conn_rest(struct conn *c)
{
	size_t n = conn_buffered(c);

	if (c->secret)
		secret_wipe(c->in, n == 0 ? c->cap : c->at);
	if (n == 0) {
		free(c->in);
		c->in = NULL;
		c->at = c->end = c->cap = c->scanned = 0;
		c->eager = false;
	} else if (n < c->cap / 2) {
		pull_up(c);
		resize(c, n);
	}
	if (c->out.len == 0)
		buf_free(&c->out);
	if (c->ssl != NULL && !c->shaking_hands)
		(void)SSL_free_buffers(c->ssl);
}

void
conn_secret(struct conn *c, bool on)
{
	if (c->secret) {
		secret_wipe(c->in, conn_buffered(c) == 0 ? c->cap : c->at);
		secret_wipe(c->first, sizeof(c->first));
	}
	c->secret = on;
	conn_tls_secret(c);
}
