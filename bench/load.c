/* SPDX-License-Identifier: ISC */
/*
 * load: many SMTP clients at once, and what they were answered.
 *
 *	load [-c CONNECTIONS] [-m MESSAGES-PER-SESSION] [-n MESSAGES] [-b MANY:EVERY]
 *	     [-s SEED] [-o LOG] [-k SECONDS] [-r] HOST PORT RECIPIENTS-FILE
 *
 * A thread for each connection, blocking.  Sizes are mixed, median 8 KB; every
 * message is different and has its own X-Load-Id.  -b 50:20 gives every 20th
 * message 50 recipients.  -o writes a line for each answer after the last dot:
 * "CODE ID ADDRESS...", code 0 where the connection broke before an answer, with
 * the recipients that were taken at RCPT.  -k tries the same bytes again after a
 * broken connection or a 4yz, for so long.  -r takes the recipients one after the
 * other instead of by chance.  Figures go to standard output as JSON.
 */
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BODY_MOST = 1 << 20,
	LINE_MOST = 2048,
	REPLY_SECONDS = 120,
	RCPT_MOST = 100,
};

static struct {
	unsigned connections, per_session, many, every, keep_s;
	uint64_t messages, seed;
	bool in_order;
	const char *host, *port;
	FILE *log;
	char **rcpts;
	size_t nrcpts;
} load = { .connections = 4, .per_session = 10, .messages = 1000, .seed = 1 };

static _Atomic uint64_t next_message;
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;

struct tally {
	uint64_t accepted, refused, later, unanswered, sessions;
	double *ms; /* reply after the last dot, of every answer */
	size_t nms, most_ms;
};

struct client {
	int fd;
	bool pipelines;
	unsigned sent; /* messages in this session */
	char in[LINE_MOST];
	size_t have;
	char *text; /* the message that is being sent */
	size_t size;
	const char *taken[RCPT_MOST];
	size_t ntaken;
	uint64_t random;
	struct tally tally;
	pthread_t thread;
};

static double
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static uint64_t
mix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* --- messages -------------------------------------------------------------- */

static const size_t sizes[] = { 1200, 2500, 4000, 6000, 8000, 8000, 9000, 14000, 24000,
	40000, 90000, 3000, 5000, 8200, 11000, 17000 };

static const char *const words[] = { "account", "annual", "before", "committee",
	"delivery", "envelope", "figures", "garden", "however", "invoice", "journey",
	"kitchen", "letter", "meeting", "notice", "outcome", "please", "question",
	"report", "schedule", "thanks", "under", "visitor", "weather", "yesterday",
	"zero", "of", "the", "and", "to", "in", "for" };

static size_t
put_words(char *at, size_t size, uint64_t *random, const char *before, const char *after)
{
	size_t used = 0;

	while (used + 100 < size) {
		size_t line = (size_t)snprintf(at + used, size - used, "%s", before);
		while (line < 60)
			line += (size_t)snprintf(at + used + line, size - used - line,
				"%s ",
				words[mix(random) % (sizeof words / sizeof *words)]);
		used += line;
		used += (size_t)snprintf(at + used, size - used, "%s\r\n", after);
	}
	return used;
}

static size_t
put_base64(char *at, size_t size, uint64_t *random)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789+/";
	size_t used = 0;

	while (used + 80 < size) {
		for (int i = 0; i < 76; i++)
			at[used++] = digits[mix(random) % 64];
		at[used++] = '\r';
		at[used++] = '\n';
	}
	return used;
}

/* A third is plain text, a third text and HTML, a third has an attachment. */
static size_t
put_body(char *at, size_t size, uint64_t *random)
{
	size_t used = 0;
	uint64_t kind = mix(random) % 3;

	if (kind == 0) {
		used = (size_t)snprintf(
			at, size, "Content-Type: text/plain; charset=utf-8\r\n\r\n");
		return used + put_words(at + used, size - used, random, "", "");
	}
	used = (size_t)snprintf(at, size,
		"Content-Type: multipart/%s; boundary=\"=_part\"\r\n\r\n"
		"--=_part\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n",
		kind == 1 ? "alternative" : "mixed");
	used += put_words(at + used, (size - used) / 3, random, "", "");
	if (kind == 1) {
		used += (size_t)snprintf(at + used, size - used,
			"--=_part\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>\r\n");
		used += put_words(
			at + used, size - used - 100, random, "<p class=\"x\">", "</p>");
		used += (size_t)snprintf(at + used, size - used, "</body></html>\r\n");
	} else {
		used += (size_t)snprintf(at + used, size - used,
			"--=_part\r\nContent-Type: application/octet-stream; name=\"data.bin\"\r\n"
			"Content-Transfer-Encoding: base64\r\n"
			"Content-Disposition: attachment; filename=\"data.bin\"\r\n\r\n");
		used += put_base64(at + used, size - used - 100, random);
	}
	return used + (size_t)snprintf(at + used, size - used, "--=_part--\r\n");
}

static void
make_message(struct client *c, uint64_t number, const char *id)
{
	uint64_t random = load.seed * 1000003 + number;
	size_t size = sizes[mix(&random) % (sizeof sizes / sizeof *sizes)];
	time_t t = time(NULL);
	struct tm tm;
	char date[64];

	gmtime_r(&t, &tm);
	strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S +0000", &tm);
	c->size = (size_t)snprintf(c->text, BODY_MOST,
		"From: Load <load@sender.example>\r\nTo: You <you@example.test>\r\n"
		"Subject: Load %" PRIu64
		"\r\nDate: %s\r\nMessage-ID: <%s@sender.example>\r\n"
		"X-Load-Id: %s\r\nMIME-Version: 1.0\r\n",
		number, date, id, id);
	c->size += put_body(c->text + c->size, size + 300, &random);
}

/* --- talking --------------------------------------------------------------- */

static bool
put(struct client *c, const char *bytes, size_t n)
{
	while (n) {
		ssize_t k = send(c->fd, bytes, n, MSG_NOSIGNAL);
		if (k <= 0)
			return false;
		bytes += k;
		n -= (size_t)k;
	}
	return true;
}

/* One reply, however many lines; its code, or 0 when the connection broke. */
static unsigned
reply(struct client *c)
{
	for (;;) {
		char *end = memchr(c->in, '\n', c->have);
		if (end) {
			size_t n = (size_t)(end + 1 - c->in);
			unsigned code = (unsigned)strtoul(c->in, NULL, 10);
			bool last = n > 3 && c->in[3] != '-';
			if (n > 13 && !memcmp(c->in + 4, "PIPELINING", 10))
				c->pipelines = true;
			memmove(c->in, c->in + n, c->have -= n);
			if (last)
				return code;
			continue;
		}
		if (c->have == sizeof c->in)
			return 0;
		ssize_t k = recv(c->fd, c->in + c->have, sizeof c->in - c->have, 0);
		if (k <= 0)
			return 0;
		c->have += (size_t)k;
	}
}

static void
hang_up(struct client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->have = 0;
	c->pipelines = false;
	c->sent = 0;
}

static bool
dial(struct client *c)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST },
			*a;
	struct timeval patience = { .tv_sec = REPLY_SECONDS };
	int one = 1;

	if (getaddrinfo(load.host, load.port, &hints, &a))
		return false;
	c->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	bool good = connect(c->fd, a->ai_addr, a->ai_addrlen) == 0;
	freeaddrinfo(a);
	if (!good || reply(c) != 220)
		return hang_up(c), false;
	static const char ehlo[] = "EHLO load.sender.example\r\n";
	if (!put(c, ehlo, sizeof ehlo - 1) || reply(c) != 250)
		return hang_up(c), false;
	c->tally.sessions++;
	return true;
}

static void
quit(struct client *c)
{
	if (c->fd >= 0 && put(c, "QUIT\r\n", 6))
		reply(c);
	hang_up(c);
}

/* The next command: at once where the server pipelines, else with its reply. */
static bool
command(struct client *c, unsigned *code, const char *before, const char *text,
	const char *after)
{
	char line[256];
	int n = snprintf(line, sizeof line, "%s%.100s%s\r\n", before, text, after);

	if (!put(c, line, (size_t)n))
		return false;
	*code = c->pipelines ? 0 : reply(c);
	return c->pipelines || *code;
}

static unsigned
answer(struct client *c, unsigned code)
{
	return code ? code : reply(c);
}

/* MAIL, RCPT..., DATA; fills taken[].  354, another code, or 0. */
static unsigned
envelope(struct client *c, const char *const rcpts[], size_t n)
{
	unsigned mail, rcpt[RCPT_MOST], data;

	c->ntaken = 0;
	if (!command(c, &mail, "MAIL FROM:<", "load@sender.example", ">"))
		return 0;
	for (size_t i = 0; i < n; i++) {
		if (!command(c, &rcpt[i], "RCPT TO:<", rcpts[i], ">"))
			return 0;
	}
	if (!command(c, &data, "DATA", "", ""))
		return 0;
	unsigned worst = mail = answer(c, mail);
	for (size_t i = 0; i < n; i++) {
		rcpt[i] = answer(c, rcpt[i]);
		if (rcpt[i] == 250)
			c->taken[c->ntaken++] = rcpts[i];
		else
			worst = rcpt[i];
	}
	data = answer(c, data);
	return data == 354 || !data || !worst ? data : worst;
}

/* Sends the prepared message; the code after the last dot, 0 when it broke. */
static unsigned
send_once(struct client *c, const char *const rcpts[], size_t n, bool *dotted)
{
	*dotted = false;
	if (c->fd < 0 && !dial(c))
		return 0;
	unsigned code = envelope(c, rcpts, n);
	if (code != 354)
		return code;
	if (!put(c, c->text, c->size))
		return 0;
	*dotted = true;
	double start = now_ms();
	if (!put(c, ".\r\n", 3))
		return 0;
	code = reply(c);
	if (code && c->tally.nms < c->tally.most_ms)
		c->tally.ms[c->tally.nms++] = now_ms() - start;
	return code;
}

static void
note(const struct client *c, unsigned code, const char *id)
{
	if (!load.log)
		return;
	pthread_mutex_lock(&log_lock);
	fprintf(load.log, "%u %s", code, id);
	for (size_t i = 0; i < c->ntaken; i++)
		fprintf(load.log, " %s", c->taken[i]);
	fprintf(load.log, "\n");
	fflush(load.log);
	pthread_mutex_unlock(&log_lock);
}

static void
count(struct tally *t, unsigned code)
{
	if (code / 100 == 2)
		t->accepted++;
	else if (code / 100 == 5)
		t->refused++;
	else if (code)
		t->later++;
	else
		t->unanswered++;
}

static size_t
choose(struct client *c, uint64_t number, const char *rcpts[])
{
	size_t n = load.every && number % load.every == 0 ? load.many : 1;
	size_t first = (load.in_order ? number : mix(&c->random)) % load.nrcpts;

	if (n > load.nrcpts)
		n = load.nrcpts;
	for (size_t i = 0; i < n; i++)
		rcpts[i] = load.rcpts[(first + i) % load.nrcpts];
	return n;
}

/* One message, tried again for keep_s seconds where -k asks for it. */
static void
deliver(struct client *c, uint64_t number)
{
	const char *rcpts[RCPT_MOST];
	size_t n = choose(c, number, rcpts);
	double until = now_ms() + load.keep_s * 1e3;
	char id[64];

	snprintf(id, sizeof id, "%" PRIu64 "-%" PRIu64, load.seed, number);
	make_message(c, number, id);
	for (;;) {
		bool dotted;
		unsigned code = send_once(c, rcpts, n, &dotted);
		if (code || dotted) {
			count(&c->tally, code);
			note(c, code, id);
		}
		if (!code || (code != 250 && !dotted))
			hang_up(c);
		if (code / 100 == 2 || code / 100 == 5 || now_ms() > until)
			return;
		struct timespec pause = { .tv_nsec = 50 * 1000 * 1000 };
		nanosleep(&pause, NULL);
	}
}

static void *
client_main(void *arg)
{
	struct client *c = arg;
	uint64_t number;

	while ((number = atomic_fetch_add(&next_message, 1)) < load.messages) {
		deliver(c, number + 1);
		if (++c->sent >= load.per_session)
			quit(c);
	}
	quit(c);
	return NULL;
}

/* --- the whole ------------------------------------------------------------- */

static void
read_recipients(const char *path)
{
	FILE *f = fopen(path, "r");
	char line[256];

	if (!f) {
		perror(path);
		exit(1);
	}
	while (fgets(line, sizeof line, f)) {
		line[strcspn(line, " \t\r\n")] = '\0';
		if (!*line)
			continue;
		load.rcpts = realloc(load.rcpts, (load.nrcpts + 1) * sizeof *load.rcpts);
		load.rcpts[load.nrcpts++] = strdup(line);
	}
	fclose(f);
	if (!load.nrcpts) {
		fprintf(stderr, "%s: no recipients\n", path);
		exit(1);
	}
}

static void
read_options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "c:m:n:b:s:o:k:r")) != -1) {
		unsigned long n = optarg ? strtoul(optarg, NULL, 10) : 0;
		switch (c) {
		case 'c':
			load.connections = (unsigned)n;
			break;
		case 'm':
			load.per_session = (unsigned)n;
			break;
		case 'n':
			load.messages = n;
			break;
		case 'b':
			load.many = (unsigned)n > RCPT_MOST ? RCPT_MOST : (unsigned)n;
			load.every = strchr(optarg, ':')
					     ? (unsigned)strtoul(
						       strchr(optarg, ':') + 1, NULL, 10)
					     : 1;
			break;
		case 's':
			load.seed = n;
			break;
		case 'k':
			load.keep_s = (unsigned)n;
			break;
		case 'r':
			load.in_order = true;
			break;
		case 'o':
			load.log = fopen(optarg, "a");
			break;
		default:
			exit(2);
		}
	}
	if (argc - optind != 3 || !load.connections) {
		fprintf(stderr,
			"usage: load [-c N] [-m N] [-n N] [-b MANY:EVERY] [-s SEED] [-o LOG]"
			" [-k SECONDS] [-r] HOST PORT RECIPIENTS-FILE\n");
		exit(2);
	}
	load.host = argv[optind];
	load.port = argv[optind + 1];
	read_recipients(argv[optind + 2]);
}

static int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static void
report(struct client *clients, double seconds)
{
	struct tally all = { 0 };
	size_t most = 1;

	for (unsigned i = 0; i < load.connections; i++)
		most += clients[i].tally.nms;
	all.ms = calloc(most, sizeof *all.ms);
	for (unsigned i = 0; i < load.connections; i++) {
		const struct tally *t = &clients[i].tally;
		all.accepted += t->accepted;
		all.refused += t->refused;
		all.later += t->later;
		all.unanswered += t->unanswered;
		all.sessions += t->sessions;
		memcpy(all.ms + all.nms, t->ms, t->nms * sizeof *t->ms);
		all.nms += t->nms;
	}
	qsort(all.ms, all.nms, sizeof *all.ms, by_size);
	printf("{\"accepted\": %" PRIu64 ", \"refused\": %" PRIu64 ", \"later\": %" PRIu64
	       ", \"unanswered\": %" PRIu64 ", \"sessions\": %" PRIu64
	       ", \"seconds\": %.3f, "
	       "\"rate\": %.1f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"max_ms\": %.3f}\n",
		all.accepted, all.refused, all.later, all.unanswered, all.sessions,
		seconds, (double)all.accepted / seconds, all.ms[all.nms / 2],
		all.ms[all.nms * 99 / 100], all.ms[all.nms ? all.nms - 1 : 0]);
	free(all.ms);
}

int
main(int argc, char **argv)
{
	read_options(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	struct client *clients = calloc(load.connections, sizeof *clients);
	double start = now_ms();

	for (unsigned i = 0; i < load.connections; i++) {
		struct client *c = &clients[i];
		c->fd = -1;
		c->random = load.seed + i;
		c->text = malloc(BODY_MOST);
		c->tally.most_ms = load.messages * 2;
		c->tally.ms = calloc(c->tally.most_ms, sizeof *c->tally.ms);
		if (!c->text || !c->tally.ms ||
			pthread_create(&c->thread, NULL, client_main, c))
			abort();
	}
	for (unsigned i = 0; i < load.connections; i++)
		pthread_join(clients[i].thread, NULL);
	report(clients, (now_ms() - start) / 1e3);
	return 0;
}
