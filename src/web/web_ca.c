/* SPDX-License-Identifier: ISC */
/* /ca, /ca.crt: our own CA, for who reads mail here before a public CA has signed for us. */
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "web/web_int.h"

enum { DER_MOST = 16 * 1024 };

enum rc
web_ca_read(str pem, struct web_ca *out, struct err *err)
{
	struct web_ca ca = { .pem = pem };
	BUF_AUTO der = BUF(DER_MOST);
	uint8_t digest[SHA256_BYTES];
	enum rc rc = cert_der(pem, &der, &ca.until_ms, err);

	if (rc != RC_OK)
		return rc;
	sha256(buf_str(&der), digest);
	for (size_t i = 0; i < sizeof(digest); i++)
		(void)snprintf(ca.fingerprint + 3 * i, sizeof(ca.fingerprint) - 3 * i,
			"%02X%s", digest[i], i + 1 < sizeof(digest) ? ":" : "");
	*out = ca;
	return RC_OK;
}

void
web_ca_get(struct web_session *s)
{
	const struct web_ca *ca = &s->house->ca;
	struct scope *scope = web_scope(s, STR("/ca"));

	scope_flag(scope, "own_ca", ca->pem.len > 0 && atomic_load(&s->house->own_ca));
	scope_set(scope, "ca_url", STR("/ca.crt"));
	scope_set(scope, "fingerprint", str_of(ca->fingerprint));
	scope_time(scope, "until", ca->until_ms);
	web_page(s, 200, "ca.html", scope);
}

void
web_ca_crt_get(struct web_session *s)
{
	if (s->house->ca.pem.len == 0) {
		web_error(s, 404, STR(""));
		return;
	}
	web_text(s, 200, s->house->ca.pem);
	s->answer.type = "application/x-x509-ca-cert";
}
