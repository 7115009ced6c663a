/* SPDX-License-Identifier: ISC */
/*
 * conn_tls: the part of conn that speaks TLS.
 *
 * OpenSSL reads and writes through a BIO of ours, because its own would raise
 * SIGPIPE when the peer is gone.
 */
#include <errno.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "net/net_int.h"
#include "net/park.h"

/* ---- the BIO ---- */

static int
bio_result(BIO *bio, ssize_t n, int again)
{
	BIO_clear_retry_flags(bio);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		BIO_set_flags(bio, again | BIO_FLAGS_SHOULD_RETRY);
	return (int)n;
}

static int
bio_write(BIO *bio, const char *data, int len)
{
	const struct conn *c = BIO_get_data(bio);

	return bio_result(bio,
		send(c->fd, data, (size_t)len, MSG_NOSIGNAL | MSG_DONTWAIT),
		BIO_FLAGS_WRITE);
}

static int
bio_read(BIO *bio, char *out, int size)
{
	const struct conn *c = BIO_get_data(bio);

	return bio_result(
		bio, recv(c->fd, out, (size_t)size, MSG_DONTWAIT), BIO_FLAGS_READ);
}

static long
bio_ctrl(BIO *bio, int command, long number, void *arg)
{
	(void)bio;
	(void)number;
	(void)arg;
	return command == BIO_CTRL_FLUSH ? 1 : 0; /* the rest: not supported */
}

static BIO_METHOD *method;

static void
make_method(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "conn");
	if (method == NULL || BIO_meth_set_write(method, bio_write) != 1 ||
		BIO_meth_set_read(method, bio_read) != 1 ||
		BIO_meth_set_ctrl(method, bio_ctrl) != 1)
		abort();
}

static void
open_session(struct conn *c)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)pthread_once(&once, make_method);
	BIO *bio = BIO_new(method);
	if (bio == NULL)
		abort();
	BIO_set_data(bio, c);
	BIO_set_init(bio, 1);
	c->ssl = tls_session(c->tls);
	SSL_set_bio(c->ssl, bio, bio);
	conn_tls_secret(c);
}

void
conn_tls_secret(struct conn *c)
{
	if (c->ssl == NULL)
		return;
	if (c->secret)
		(void)SSL_set_options(c->ssl, SSL_OP_CLEANSE_PLAINTEXT);
	else
		(void)SSL_clear_options(c->ssl, SSL_OP_CLEANSE_PLAINTEXT);
}

/* ---- results ---- */

static enum conn_got
failed(struct conn *c, const char *doing, int error, int errnum)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());

	ERR_clear_error();
	if (error == SSL_ERROR_SYSCALL)
		why = errnum == 0 ? "cut off" : strerror(errnum);
	return conn_broken(c, "%s: %s", doing, why == NULL ? "failed" : why);
}

static enum conn_got
result(struct conn *c, const char *doing, int r)
{
	int errnum = errno, error = SSL_get_error(c->ssl, r);

	if (error == SSL_ERROR_NONE)
		return CONN_OK;
	if (error == SSL_ERROR_ZERO_RETURN)
		return conn_broken(c, "closed by the peer");
	if (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)
		return failed(c, doing, error, errnum);
	c->want = error == SSL_ERROR_WANT_READ ? PARK_READ : PARK_WRITE;
	return CONN_QUIET;
}

enum conn_got
conn_tls_read(struct conn *c, char *out, size_t size, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	int r = SSL_read_ex(c->ssl, out, size, n);
	if (r != 1 && SSL_get_error(c->ssl, r) == SSL_ERROR_ZERO_RETURN)
		(void)conn_flush(c); /* close_notify is about its words, not ours */
	return result(c, "TLS", r);
}

enum conn_got
conn_tls_write(struct conn *c, str data, size_t *n)
{
	ERR_clear_error();
	errno = 0;
	return result(c, "TLS", SSL_write_ex(c->ssl, data.ptr, data.len, n));
}

/* Not after a failure, SSL_shutdown(3), and never waiting for the answer. */
void
conn_tls_end(struct conn *c)
{
	if (c->ssl == NULL || c->shaking_hands || c->closed ||
		(SSL_get_shutdown(c->ssl) & SSL_SENT_SHUTDOWN) != 0)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(c->ssl);
	ERR_clear_error();
}

void
conn_tls_free(struct conn *c)
{
	SSL_free(c->ssl);
	tls_drop(&c->tls);
}

/* ---- the handshake ---- */

/* What came in clear before the answer to STARTTLS went out: it must never be
 * taken for something said under TLS (RFC 3207 4.2). */
static void
throw_input_away(struct conn *c)
{
	char sink[4096];

	c->at = c->end = c->scanned = c->thrown = 0;
	for (int i = 0; i < 16 && c->out.len > 0; i++)
		if (recv(c->fd, sink, sizeof(sink), MSG_DONTWAIT) <= 0)
			break;
}

void
conn_start_tls(struct conn *c, struct tls *tls)
{
	if (c->tls != NULL || c->closed)
		return; /* once only; the session offers it once */
	throw_input_away(c);
	c->tls = tls_keep(tls);
	c->shaking_hands = true;
	c->quiet = false;
	(void)conn_flush(c);
}

enum conn_got
conn_handshake(struct conn *c)
{
	if (c->closed)
		return CONN_CLOSED;
	if (!c->shaking_hands)
		return CONN_OK;
	if (c->ssl == NULL) {
		enum conn_got got = conn_flush(c); /* the answer to STARTTLS, in clear */

		if (got != CONN_OK)
			return got;
		open_session(c);
	}
	ERR_clear_error();
	errno = 0;
	enum conn_got got = result(c, "TLS handshake", SSL_do_handshake(c->ssl));
	if (got == CONN_OK) {
		c->shaking_hands = false;
		c->want = PARK_READ;
	}
	return got == CONN_QUIET && c->want == PARK_WRITE ? CONN_FULL : got;
}

bool
conn_is_tls(const struct conn *c)
{
	return c->ssl != NULL && !c->shaking_hands;
}

const char *
conn_tls_version(const struct conn *c)
{
	if (!conn_is_tls(c))
		return "";
	return SSL_version(c->ssl) == TLS1_3_VERSION ? "TLS1_3" : "TLS1_2";
}

const char *
conn_tls_cipher(const struct conn *c)
{
	return conn_is_tls(c) ? SSL_get_cipher_name(c->ssl) : "";
}

/* RFC 9266 2, and 4.2: unique only with TLS 1.3 or the extended master secret. */
bool
conn_exporter(const struct conn *c, uint8_t out[32])
{
	static const char label[] = "EXPORTER-Channel-Binding";

	if (!conn_is_tls(c) || (SSL_version(c->ssl) < TLS1_3_VERSION &&
				       SSL_get_extms_support(c->ssl) != 1))
		return false;
	ERR_clear_error();
	bool made = SSL_export_keying_material(c->ssl, out, 32, label, sizeof(label) - 1,
			    (const unsigned char *)"", 0, 1) == 1;
	ERR_clear_error();
	return made;
}
