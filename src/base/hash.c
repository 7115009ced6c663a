/* SPDX-License-Identifier: ISC */
#include "base/hash.h"

#include <pthread.h>
#include <string.h>

#include "base/ids.h"

#define ROTL(x, b) (((x) << (b)) | ((x) >> (64 - (b))))

struct sip {
	uint64_t a, b, c, d;
};

static void
sip_round(struct sip *s)
{
	s->a += s->b;
	s->b = ROTL(s->b, 13) ^ s->a;
	s->a = ROTL(s->a, 32);
	s->c += s->d;
	s->d = ROTL(s->d, 16) ^ s->c;
	s->a += s->d;
	s->d = ROTL(s->d, 21) ^ s->a;
	s->c += s->b;
	s->b = ROTL(s->b, 17) ^ s->c;
	s->c = ROTL(s->c, 32);
}

static void
sip_word(struct sip *s, uint64_t m)
{
	s->d ^= m;
	sip_round(s);
	sip_round(s);
	s->a ^= m;
}

uint64_t
hash_sip24(const uint64_t key[2], const void *data, size_t len)
{
	struct sip s = { key[0] ^ 0x736f6d6570736575ull, key[1] ^ 0x646f72616e646f6dull,
		key[0] ^ 0x6c7967656e657261ull, key[1] ^ 0x7465646279746573ull };
	const unsigned char *p = data;
	uint64_t last = (uint64_t)(len & 0xff) << 56, m;
	size_t whole = len & ~(size_t)7;

	for (size_t i = 0; i < whole; i += 8) {
		memcpy(&m, p + i, 8);
		sip_word(&s, m);
	}
	for (size_t i = whole; i < len; i++)
		last |= (uint64_t)p[i] << (8 * (i - whole));
	sip_word(&s, last);
	s.c ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(&s);
	return s.a ^ s.b ^ s.c ^ s.d;
}

static uint64_t process_key[2];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
make_key(void)
{
	ids_random(process_key, sizeof(process_key));
}

uint64_t
hash_keyed(const void *data, size_t len)
{
	(void)pthread_once(&once, make_key);
	return hash_sip24(process_key, data, len);
}
