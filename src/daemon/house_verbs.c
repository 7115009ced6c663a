/* SPDX-License-Identifier: ISC */
/* Verbs that came over the control socket (ctl/ctl_proto.h), each on a thread
 * of a small pool: who waits in line has not been told "hello" yet. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/secret.h"
#include "ctl/ctl_io.h"
#include "ctl/run.h"
#include "daemon/house_int.h"
#include "daemon/metrics.h"

enum {
	REQUEST_MS = 30000,
	SEND_MS = 60000,
	OUT_BYTES = CTL_FRAME_BYTES,
	VERB_MEMORY = 256 * 1024 * 1024,
	WHO = 64,
};

struct request {
	struct work work; /* first */
	struct house *house;
	int fd;
	char *words, *input;
	size_t input_len;
	char *argv[CTL_WORDS + 1];
	int argc;
	struct buf out;
	bool gone; /* the client hung up: the verb goes on, unheard */
};

static void
request_free(struct request *r)
{
	fs_close(&r->fd);
	buf_free(&r->out);
	free(r->words);
	if (r->input != NULL) /* a password, perhaps */
		secret_wipe(r->input, r->input_len);
	free(r->input);
	free(r);
}

static void
send_on(struct request *r, enum ctl_tag tag, str bytes)
{
	if (!r->gone)
		r->gone = ctl_send_frames(
				  r->fd, tag, bytes, clock_ms() + SEND_MS, NULL) != RC_OK;
}

static void
flush(struct request *r)
{
	if (r->out.len > 0)
		send_on(r, CTL_OUT, buf_str(&r->out));
	buf_clear(&r->out);
}

static void
on_out(struct verb_io *io, str bytes)
{
	struct request *r = io->arg;

	if (r->out.len + bytes.len > OUT_BYTES)
		flush(r);
	if (bytes.len > OUT_BYTES)
		send_on(r, CTL_OUT, bytes);
	else
		buf_add(&r->out, bytes);
}

static void
on_accounts(struct verb_io *io)
{
	struct request *r = io->arg;

	answer_forget(r->house->answer);
}

static enum rc
receive(struct request *r)
{
	uint64_t until = clock_ms() + REQUEST_MS;
	char head[CTL_HEAD];
	struct ctl_head h;
	struct err err = { 0 };

	if (ctl_recv(r->fd, head, sizeof(head), until, &err) != RC_OK ||
		ctl_get_head((str){ head, sizeof(head) }, &h) != RC_OK)
		return RC_BAD;
	r->words = malloc(h.words + 1);
	r->input = malloc(h.input + 1);
	r->input_len = h.input;
	if (r->words == NULL || r->input == NULL)
		return RC_LIMIT;
	if (ctl_recv(r->fd, r->words, h.words, until, &err) != RC_OK ||
		ctl_recv(r->fd, r->input, h.input, until, &err) != RC_OK)
		return RC_BAD;
	return ctl_get_words(r->words, h.words, r->argv, &r->argc);
}

/* As the kernel says: no word of the peer's. */
static str
who_asks(int fd, char out[WHO])
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return STR("somebody over the control socket");
	(void)snprintf(out, WHO, "%s %u (control socket)",
		peer.uid == 0 ? "root, user" : "user", (unsigned)peer.uid);
	return str_of(out);
}

static enum verb_exit
run(struct request *r, const struct conf *conf, struct err *err)
{
	struct house *h = r->house;
	struct ledger *ledger = NULL;
	char who[WHO];
	struct verb_io io = { .conf = conf,
		.conf_path = h->child->conf_path,
		.data = h->child->data,
		.directory = h->directory,
		.store = h->store,
		.refusals = h->refusals,
		.apply = h->apply,
		.own = h->own,
		.who = who_asks(r->fd, who),
		.search = h->search,
		.held_key = h->child->held_private,
		.running = true,
		.input = { r->input, r->input_len },
		.out = on_out,
		.arg = r,
		.changed_accounts = on_accounts };
	const struct ledger_want want = { .data = h->child->data, .read_only = true };

	if (ledger_open(&want, &ledger, err) != RC_OK)
		return VERB_FAILED;
	io.ledger = ledger;
	io.mem = arena_new(VERB_MEMORY);
	enum verb_exit how = run_words(&io, false, r->argc, r->argv);
	*err = io.err;
	arena_free(&io.mem);
	ledger_close(&ledger);
	return how;
}

static void
serve(struct work *w)
{
	struct request *r = (struct request *)w;
	struct err err = { 0 };
	const struct conf *conf;

	if (receive(r) != RC_OK) {
		request_free(r);
		return;
	}
	send_on(r, CTL_HELLO, STR(""));
	metric_add(METRIC_verbs, 1);
	metric_set(METRIC_applied, apply_position(r->house->apply));
	{
		LOCK_AUTO held = lock_take(&r->house->lock);

		conf = conf_keep(r->house->conf);
	}
	char status = (char)run(r, conf, &err);
	conf_drop(&conf);
	flush(r);
	if (err.text[0] != '\0')
		send_on(r, CTL_ERR, str_of(err.text));
	send_on(r, CTL_EXIT, (str){ &status, 1 });
	request_free(r);
}

void
house_verb(struct house *h, int fd)
{
	struct request *r = calloc(1, sizeof(*r));

	if (r == NULL)
		abort();
	r->work.run = serve;
	r->house = h;
	r->fd = fd;
	r->out = BUF(OUT_BYTES);
	if (!pool_give(h->verbs, &r->work)) {
		log_warn("too many commands wait for the control socket");
		request_free(r);
	}
}
