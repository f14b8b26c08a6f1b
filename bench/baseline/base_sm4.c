/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 as GB/T 32907-2016 6 and 7 write it, with a table for the S-box, and GCM as SP 800-38D does,
 * with a table of the sixteen multiples of H that four bits can make.
 */
#include "base.h"

#include <string.h>

static const uint8_t sbox[256] = { 0xd6, 0x90, 0xe9, 0xfe, 0xcc, 0xe1, 0x3d, 0xb7, 0x16, 0xb6, 0x14,
	0xc2, 0x28, 0xfb, 0x2c, 0x05, 0x2b, 0x67, 0x9a, 0x76, 0x2a, 0xbe, 0x04, 0xc3, 0xaa, 0x44,
	0x13, 0x26, 0x49, 0x86, 0x06, 0x99, 0x9c, 0x42, 0x50, 0xf4, 0x91, 0xef, 0x98, 0x7a, 0x33,
	0x54, 0x0b, 0x43, 0xed, 0xcf, 0xac, 0x62, 0xe4, 0xb3, 0x1c, 0xa9, 0xc9, 0x08, 0xe8, 0x95,
	0x80, 0xdf, 0x94, 0xfa, 0x75, 0x8f, 0x3f, 0xa6, 0x47, 0x07, 0xa7, 0xfc, 0xf3, 0x73, 0x17,
	0xba, 0x83, 0x59, 0x3c, 0x19, 0xe6, 0x85, 0x4f, 0xa8, 0x68, 0x6b, 0x81, 0xb2, 0x71, 0x64,
	0xda, 0x8b, 0xf8, 0xeb, 0x0f, 0x4b, 0x70, 0x56, 0x9d, 0x35, 0x1e, 0x24, 0x0e, 0x5e, 0x63,
	0x58, 0xd1, 0xa2, 0x25, 0x22, 0x7c, 0x3b, 0x01, 0x21, 0x78, 0x87, 0xd4, 0x00, 0x46, 0x57,
	0x9f, 0xd3, 0x27, 0x52, 0x4c, 0x36, 0x02, 0xe7, 0xa0, 0xc4, 0xc8, 0x9e, 0xea, 0xbf, 0x8a,
	0xd2, 0x40, 0xc7, 0x38, 0xb5, 0xa3, 0xf7, 0xf2, 0xce, 0xf9, 0x61, 0x15, 0xa1, 0xe0, 0xae,
	0x5d, 0xa4, 0x9b, 0x34, 0x1a, 0x55, 0xad, 0x93, 0x32, 0x30, 0xf5, 0x8c, 0xb1, 0xe3, 0x1d,
	0xf6, 0xe2, 0x2e, 0x82, 0x66, 0xca, 0x60, 0xc0, 0x29, 0x23, 0xab, 0x0d, 0x53, 0x4e, 0x6f,
	0xd5, 0xdb, 0x37, 0x45, 0xde, 0xfd, 0x8e, 0x2f, 0x03, 0xff, 0x6a, 0x72, 0x6d, 0x6c, 0x5b,
	0x51, 0x8d, 0x1b, 0xaf, 0x92, 0xbb, 0xdd, 0xbc, 0x7f, 0x11, 0xd9, 0x5c, 0x41, 0x1f, 0x10,
	0x5a, 0xd8, 0x0a, 0xc1, 0x31, 0x88, 0xa5, 0xcd, 0x7b, 0xbd, 0x2d, 0x74, 0xd0, 0x12, 0xb8,
	0xe5, 0xb4, 0xb0, 0x89, 0x69, 0x97, 0x4a, 0x0c, 0x96, 0x77, 0x7e, 0x65, 0xb9, 0xf1, 0x09,
	0xc5, 0x6e, 0xc6, 0x84, 0x18, 0xf0, 0x7d, 0xec, 0x3a, 0xdc, 0x4d, 0x20, 0x79, 0xee, 0x5f,
	0x3e, 0xd7, 0xcb, 0x39, 0x48 };

static uint32_t rotl(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t get(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put(uint8_t *p, uint32_t x)
{
	p[0] = (uint8_t)(x >> 24);
	p[1] = (uint8_t)(x >> 16);
	p[2] = (uint8_t)(x >> 8);
	p[3] = (uint8_t)x;
}

static uint32_t tau(uint32_t x)
{
	return (uint32_t)sbox[x >> 24] << 24 | (uint32_t)sbox[x >> 16 & 0xff] << 16 |
	       (uint32_t)sbox[x >> 8 & 0xff] << 8 | sbox[x & 0xff];
}

void base_sm4_init(struct base_sm4 *k, const uint8_t key[16])
{
	uint32_t x[36] = { get(key) ^ 0xa3b1bac6, get(key + 4) ^ 0x56aa3350,
		get(key + 8) ^ 0x677d9197, get(key + 12) ^ 0xb27022dc };

	for (uint32_t i = 0; i < 32; i++) {
		uint32_t ck = 0;
		uint32_t b;

		for (uint32_t j = 0; j < 4; j++)
			ck = ck << 8 | ((4 * i + j) * 7 & 0xff);
		b = tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ ck);
		k->rk[i] = x[i + 4] = x[i] ^ b ^ rotl(b, 13) ^ rotl(b, 23);
	}
}

void base_sm4_block(const struct base_sm4 *k, uint8_t out[16], const uint8_t in[16])
{
	uint32_t x[36] = { get(in), get(in + 4), get(in + 8), get(in + 12) };

	for (unsigned i = 0; i < 32; i++) {
		uint32_t b = tau(x[i + 1] ^ x[i + 2] ^ x[i + 3] ^ k->rk[i]);

		x[i + 4] = x[i] ^ b ^ rotl(b, 2) ^ rotl(b, 10) ^ rotl(b, 18) ^ rotl(b, 24);
	}
	for (unsigned i = 0; i < 4; i++)
		put(out + 4 * i, x[35 - i]);
}

/* An element of GF(2^128); the top bit of high is the coefficient of x^0. */
struct element {
	uint64_t high;
	uint64_t low;
};

static struct element get_element(const uint8_t p[16])
{
	return (struct element){ (uint64_t)get(p) << 32 | get(p + 4),
		(uint64_t)get(p + 8) << 32 | get(p + 12) };
}

/* Times x. */
static struct element times_x(struct element v)
{
	struct element r = { v.high >> 1, v.high << 63 | v.low >> 1 };

	if ((v.low & 1) != 0)
		r.high ^= UINT64_C(0xe1) << 56;
	return r;
}

/* table[i]: H times the polynomial of four bits i, its top bit the coefficient of x^0. */
static void make_table(struct element table[16], const uint8_t h[16])
{
	struct element v = get_element(h);

	table[0] = (struct element){ 0, 0 };
	for (unsigned bit = 8; bit > 0; bit /= 2) {
		table[bit] = v;
		v = times_x(v);
	}
	for (unsigned i = 2; i < 16; i *= 2)
		for (unsigned j = 1; j < i; j++)
			table[i + j] = (struct element){ table[i].high ^ table[j].high,
				table[i].low ^ table[j].low };
}

/* What four bits that leave at the bottom become at the top, shifted by 48. */
static const uint16_t fold[16] = { 0x0000, 0x1c20, 0x3840, 0x2460, 0x7080, 0x6ca0, 0x48c0, 0x54e0,
	0xe100, 0xfd20, 0xd940, 0xc560, 0x9180, 0x8da0, 0xa9c0, 0xb5e0 };

/* y = (y ^ block) * H, from the last four bits to the first. */
static void ghash_block(const struct element table[16], uint8_t y[16], const uint8_t block[16])
{
	struct element z = { 0, 0 };

	for (unsigned i = 0; i < 16; i++)
		y[i] ^= block[i];
	for (unsigned i = 32; i-- > 0;) {
		unsigned nibble = y[i / 2] >> (i % 2 == 0 ? 4 : 0) & 0xf;
		unsigned out = (unsigned)(z.low & 0xf);

		z.low = z.high << 60 | z.low >> 4;
		z.high = z.high >> 4 ^ (uint64_t)fold[out] << 48;
		z.high ^= table[nibble].high;
		z.low ^= table[nibble].low;
	}
	put(y, (uint32_t)(z.high >> 32));
	put(y + 4, (uint32_t)z.high);
	put(y + 8, (uint32_t)(z.low >> 32));
	put(y + 12, (uint32_t)z.low);
}

void base_gcm_seal(const uint8_t key[16], const uint8_t nonce[12], uint8_t *out, uint8_t tag[16],
	const uint8_t *in, size_t len)
{
	struct element table[16];
	struct base_sm4 k;
	uint8_t h[16] = { 0 };
	uint8_t y[16] = { 0 };
	uint8_t counter[16] = { 0 };
	uint8_t mask[16];
	uint8_t block[16] = { 0 };
	uint64_t bits = (uint64_t)len * 8;

	base_sm4_init(&k, key);
	base_sm4_block(&k, h, h);
	make_table(table, h);
	memcpy(counter, nonce, 12);
	put(counter + 12, 1);
	base_sm4_block(&k, mask, counter);
	for (uint32_t c = 2; len > 0; c++) {
		size_t n = len < 16 ? len : 16;
		uint8_t stream[16];

		put(counter + 12, c);
		base_sm4_block(&k, stream, counter);
		memset(block, 0, sizeof(block));
		for (size_t i = 0; i < n; i++)
			block[i] = out[i] = in[i] ^ stream[i];
		ghash_block(table, y, block);
		in += n;
		out += n;
		len -= n;
	}
	memset(block, 0, sizeof(block));
	put(block + 8, (uint32_t)(bits >> 32));
	put(block + 12, (uint32_t)bits);
	ghash_block(table, y, block);
	for (unsigned i = 0; i < 16; i++)
		tag[i] = y[i] ^ mask[i];
}
