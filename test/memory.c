/* SPDX-License-Identifier: ISC */
#include "test/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "test/test.h"

enum { MASK = 0xa5, PIECE = 1 << 20, LARGEST = 256 << 20 };

struct secret
secret_new(void)
{
	struct secret s = { .len = SECRET_CHARS };

	assert_int_equal(getrandom(s.hidden, s.len, 0), (ssize_t)s.len);
	for (size_t i = 0; i < s.len; i++)
		s.hidden[i] = (unsigned char)(('a' + s.hidden[i] % 26) ^ MASK);
	return s;
}

struct secret
secret_base64(const struct secret *s, const char *before, size_t nbefore)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	struct secret out = { 0 };
	size_t all = nbefore + s->len;

	for (size_t i = 0; i < all; i += 3) {
		unsigned bits = 0;

		for (size_t k = i; k < i + 3; k++)
			bits = bits << 8 |
			       (k >= all ? 0U
					 : (unsigned char)(k < nbefore
								   ? before[k]
								   : s->hidden[k -
									       nbefore] ^
									     MASK));
		for (int k = 0; k < 4; k++)
			out.hidden[out.len++] =
				(unsigned char)((i + (size_t)k <= all
								? alphabet[bits >> (18 - 6 * k) &
									   63]
								: '=') ^
						MASK);
	}
	return out;
}

void
secret_show(const struct secret *s, char *out)
{
	for (size_t i = 0; i < s->len; i++)
		out[i] = (char)(s->hidden[i] ^ MASK);
}

void
secret_wiped(char *out, size_t len)
{
	explicit_bzero(out, len);
}

/* s: what is looked for, all of it. */
static bool
piece_has(const unsigned char *piece, size_t n, const struct secret *s)
{
	const unsigned char *at = piece, *end = piece + n;
	int first = s->hidden[0] ^ MASK;

	while (at + s->len <= end &&
		(at = memchr(at, first, (size_t)(end - at) - s->len + 1)) != NULL) {
		size_t k = 1;

		while (k < s->len && (at[k] ^ MASK) == s->hidden[k])
			k++;
		if (k == s->len)
			return true;
		at++;
	}
	return false;
}

static bool
region_has(int mem, unsigned long from, unsigned long to, unsigned char *piece,
	const struct secret *s)
{
	bool found = false;

	for (unsigned long at = from; at < to && !found;
		at += PIECE - sizeof(s->hidden)) {
		size_t want = to - at < PIECE ? to - at : PIECE;
		ssize_t got = pread(mem, piece, want, (off_t)at);

		found = got > 0 && piece_has(piece, (size_t)got, s);
	}
	return found;
}

bool
secret_in_memory(const struct secret *whole)
{
	struct secret half = { .len = whole->len - whole->len / 2 }, *s = &half;

	unsigned char *piece = mmap(
		NULL, PIECE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned long from, to, own = (unsigned long)piece;
	char line[512], rights[5];
	bool found = false;

	memcpy(half.hidden, whole->hidden + whole->len / 2, half.len);
	assert_true(piece != MAP_FAILED && mem >= 0 && maps != NULL);
	while (!found && fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) != 3 ||
			rights[1] != 'w' || to - from > LARGEST)
			continue;
		if (own >= from && own < to) /* neighbours may share its line */
			found = region_has(mem, from, own, piece, s) ||
				region_has(mem, own + PIECE, to, piece, s);
		else
			found = region_has(mem, from, to, piece, s);
	}
	(void)fclose(maps);
	(void)close(mem);
	explicit_bzero(piece, PIECE);
	(void)munmap(piece, PIECE);
	return found;
}
