/* SPDX-License-Identifier: Apache-2.0 */
/* SM3 as GB/T 32905-2016 5.3 writes it. */
#include "base.h"

#include <string.h>

static uint32_t rotl(uint32_t x, unsigned n)
{
	n %= 32;
	return n == 0 ? x : x << n | x >> (32 - n);
}

static uint32_t p0(uint32_t x)
{
	return x ^ rotl(x, 9) ^ rotl(x, 17);
}

static uint32_t p1(uint32_t x)
{
	return x ^ rotl(x, 15) ^ rotl(x, 23);
}

static uint32_t ff(unsigned j, uint32_t x, uint32_t y, uint32_t z)
{
	return j < 16 ? x ^ y ^ z : (x & y) | (x & z) | (y & z);
}

static uint32_t gg(unsigned j, uint32_t x, uint32_t y, uint32_t z)
{
	return j < 16 ? x ^ y ^ z : (x & y) | (~x & z);
}

static void compress(uint32_t v[8], const uint8_t *block)
{
	uint32_t w[68];
	uint32_t w1[64];
	uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];

	for (unsigned j = 0; j < 16; j++)
		w[j] = (uint32_t)block[4 * j] << 24 | (uint32_t)block[4 * j + 1] << 16 |
		       (uint32_t)block[4 * j + 2] << 8 | block[4 * j + 3];
	for (unsigned j = 16; j < 68; j++)
		w[j] = p1(w[j - 16] ^ w[j - 9] ^ rotl(w[j - 3], 15)) ^ rotl(w[j - 13], 7) ^
		       w[j - 6];
	for (unsigned j = 0; j < 64; j++)
		w1[j] = w[j] ^ w[j + 4];
	for (unsigned j = 0; j < 64; j++) {
		uint32_t t = j < 16 ? 0x79cc4519 : 0x7a879d8a;
		uint32_t ss1 = rotl(rotl(a, 12) + e + rotl(t, j), 7);
		uint32_t ss2 = ss1 ^ rotl(a, 12);
		uint32_t tt1 = ff(j, a, b, c) + d + ss2 + w1[j];
		uint32_t tt2 = gg(j, e, f, g) + h + ss1 + w[j];

		d = c;
		c = rotl(b, 9);
		b = a;
		a = tt1;
		h = g;
		g = rotl(f, 19);
		f = e;
		e = p0(tt2);
	}
	v[0] ^= a, v[1] ^= b, v[2] ^= c, v[3] ^= d;
	v[4] ^= e, v[5] ^= f, v[6] ^= g, v[7] ^= h;
}

void base_sm3(uint8_t out[32], const uint8_t *in, size_t len)
{
	uint32_t v[8] = { 0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa,
		0xe38dee4d, 0xb0fb0e4e };
	uint64_t bits = (uint64_t)len * 8;
	uint8_t last[128] = { 0 };
	size_t rest;

	for (; len >= 64; len -= 64, in += 64)
		compress(v, in);
	memcpy(last, in, len);
	last[len] = 0x80;
	rest = len < 56 ? 64 : 128;
	for (unsigned i = 0; i < 8; i++)
		last[rest - 1 - i] = (uint8_t)(bits >> 8 * i);
	for (size_t at = 0; at < rest; at += 64)
		compress(v, last + at);
	for (unsigned i = 0; i < 32; i++)
		out[i] = (uint8_t)(v[i / 4] >> (24 - 8 * (i % 4)));
}
