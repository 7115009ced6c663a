/* SPDX-License-Identifier: ISC */
#include "daemon/setup.h"

#include "wire/pack.h"

enum { MOST_PATH = 4096 };

void
setup_put_head(struct buf *b, const struct setup_head *h)
{
	buf_le(b, h->slot, 4);
	buf_le(b, h->parts, 4);
	buf_le(b, h->switching, 1);
	buf_le(b, h->uid, 4);
	buf_le(b, h->gid, 4);
	buf_le(b, h->abi, 4);
	buf_le(b, h->wall_ms, 8);
	buf_le(b, h->nlisten, 4);
	for (uint32_t i = 0; i < h->nlisten; i++)
		buf_le(b, h->ports[i], 2);
	pack_put_str(b, h->conf_path);
}

enum rc
setup_get_head(str body, struct setup_head *h)
{
	struct pack p = { .left = body };
	struct setup_head got = { .slot = (uint32_t)pack_le(&p, 4),
		.parts = (uint32_t)pack_le(&p, 4) };

	got.switching = pack_le(&p, 1) != 0;
	got.uid = (uint32_t)pack_le(&p, 4);
	got.gid = (uint32_t)pack_le(&p, 4);
	got.abi = (uint32_t)pack_le(&p, 4);
	got.wall_ms = pack_le(&p, 8);
	got.nlisten = (uint32_t)pack_le(&p, 4);
	if (!pack_ok(&p) || got.nlisten > SETUP_LISTENERS || got.parts >= 1u << PARTS)
		return RC_BAD;
	for (uint32_t i = 0; i < got.nlisten; i++)
		got.ports[i] = (uint16_t)pack_le(&p, 2);
	got.conf_path = pack_str(&p, MOST_PATH);
	if (!pack_done(&p))
		return RC_BAD;
	*h = got;
	return RC_OK;
}

void
setup_put_pair(struct buf *b, str name, str cert_pem, str key_pem)
{
	pack_put_str(b, name);
	pack_put_str(b, cert_pem);
	pack_put_str(b, key_pem);
}

void
setup_put_ca(struct buf *b, const struct setup_ca *ca)
{
	buf_le(b, ca->serves, 1);
	pack_put_str(b, ca->pem);
}

enum rc
setup_get_pairs(
	str body, struct tls_pair pairs[SETUP_PAIRS], size_t *n, struct setup_ca *ca)
{
	struct pack p = { .left = body };
	size_t count = (size_t)pack_le(&p, 4);

	if (!pack_ok(&p) || count > SETUP_PAIRS)
		return RC_BAD;
	for (size_t i = 0; i < count; i++) {
		pairs[i].name = pack_str(&p, SETUP_KEYS);
		pairs[i].cert_pem = pack_str(&p, SETUP_KEYS);
		pairs[i].key_pem = pack_str(&p, SETUP_KEYS);
	}
	struct setup_ca got = { .serves = pack_le(&p, 1) != 0 };
	got.pem = pack_str(&p, SETUP_KEYS);
	if (!pack_done(&p))
		return RC_BAD;
	*n = count;
	*ca = got;
	return RC_OK;
}
