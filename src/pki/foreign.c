/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-256 (FIPS 180-4) with HMAC and PBKDF2, and AES decryption (FIPS 197), small rather than fast.
 * The AES S-box is computed in GF(2^8), so no address depends on a secret.
 */
#include "pki/foreign.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"

enum { SHA_LEN = 32, SHA_BLOCK = 64, AES_WORDS_MAX = 60 };

struct sha256 {
	uint32_t h[8];
	uint64_t len;
	uint8_t block[SHA_BLOCK];
};

/* A keyed state: the two pads are hashed once and copied for each message. */
struct hmac256 {
	struct sha256 inner;
	struct sha256 outer;
};

/* clang-format off */
static const uint32_t sha_k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static const uint32_t sha_start[8] = {
	0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
};
/* clang-format on */

static uint32_t ror(uint32_t x, unsigned n)
{
	return x >> n | x << (32 - n);
}

/* FIPS 180-4 6.2.2 step 1. */
static void sha_schedule(uint32_t w[64], const uint8_t block[SHA_BLOCK])
{
	for (unsigned i = 0; i < 16; i++)
		w[i] = hf_get_be32(block + 4 * i);
	for (unsigned i = 16; i < 64; i++) {
		uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
		uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

		w[i] = s1 + w[i - 7] + s0 + w[i - 16];
	}
}

static void sha_block(struct sha256 *s)
{
	uint32_t w[64];
	uint32_t v[8];

	sha_schedule(w, s->block);
	memcpy(v, s->h, sizeof(v));
	for (unsigned i = 0; i < 64; i++) {
		uint32_t s1 = ror(v[4], 6) ^ ror(v[4], 11) ^ ror(v[4], 25);
		uint32_t s0 = ror(v[0], 2) ^ ror(v[0], 13) ^ ror(v[0], 22);
		uint32_t t1 = v[7] + s1 + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];
		uint32_t t2 = s0 + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));

		memmove(v + 1, v, 7 * sizeof(v[0]));
		v[4] += t1;
		v[0] = t1 + t2;
	}
	for (unsigned i = 0; i < 8; i++)
		s->h[i] += v[i];
	hf_wipe(w, sizeof(w));
	hf_wipe(v, sizeof(v));
}

static void sha_init(struct sha256 *s)
{
	*s = (struct sha256){ 0 };
	memcpy(s->h, sha_start, sizeof(s->h));
}

static void sha_feed(struct sha256 *s, const void *in, size_t len)
{
	const uint8_t *p = in;

	for (size_t i = 0; i < len; i++) {
		s->block[s->len++ % SHA_BLOCK] = p[i];
		if (s->len % SHA_BLOCK == 0)
			sha_block(s);
	}
}

static void sha_done(struct sha256 *s, uint8_t out[SHA_LEN])
{
	static const uint8_t one = 0x80;
	static const uint8_t zero = 0;
	uint8_t bits[8];

	hf_put_be64(bits, s->len * 8);
	sha_feed(s, &one, 1);
	while (s->len % SHA_BLOCK != SHA_BLOCK - sizeof(bits))
		sha_feed(s, &zero, 1);
	sha_feed(s, bits, sizeof(bits));
	for (unsigned i = 0; i < 8; i++)
		hf_put_be32(out + 4 * i, s->h[i]);
	hf_wipe(s, sizeof(*s));
}

static void hmac_init(struct hmac256 *m, const void *key, size_t key_len)
{
	uint8_t pad[SHA_BLOCK] = { 0 };

	if (key_len > SHA_BLOCK) {
		sha_init(&m->inner);
		sha_feed(&m->inner, key, key_len);
		sha_done(&m->inner, pad);
	} else if (key_len > 0) {
		memcpy(pad, key, key_len);
	}
	for (unsigned i = 0; i < SHA_BLOCK; i++)
		pad[i] ^= 0x36;
	sha_init(&m->inner);
	sha_feed(&m->inner, pad, sizeof(pad));
	for (unsigned i = 0; i < SHA_BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5c;
	sha_init(&m->outer);
	sha_feed(&m->outer, pad, sizeof(pad));
	hf_wipe(pad, sizeof(pad));
}

static void hmac_done(struct hmac256 *m, uint8_t out[SHA_LEN])
{
	sha_done(&m->inner, out);
	sha_feed(&m->outer, out, SHA_LEN);
	sha_done(&m->outer, out);
}

hf_err hf_foreign_pbkdf2_sha256(uint8_t *out, size_t out_len, const void *password,
	size_t password_len, const void *salt, size_t salt_len, uint32_t iterations)
{
	static const uint8_t block_number[4] = { 0, 0, 0, 1 };
	struct hmac256 keyed;
	struct hmac256 m;
	uint8_t u[SHA_LEN];
	uint8_t t[SHA_LEN];

	if (out_len > SHA_LEN || iterations == 0)
		return HF_ERR_ARG;
	hmac_init(&keyed, password, password_len);
	m = keyed;
	sha_feed(&m.inner, salt, salt_len);
	sha_feed(&m.inner, block_number, sizeof(block_number));
	hmac_done(&m, u);
	memcpy(t, u, sizeof(t));
	for (uint32_t i = 1; i < iterations; i++) {
		m = keyed;
		sha_feed(&m.inner, u, sizeof(u));
		hmac_done(&m, u);
		for (unsigned k = 0; k < SHA_LEN; k++)
			t[k] ^= u[k];
	}
	memcpy(out, t, out_len);
	hf_wipe(&keyed, sizeof(keyed));
	hf_wipe(&m, sizeof(m));
	hf_wipe(u, sizeof(u));
	hf_wipe(t, sizeof(t));
	return HF_OK;
}

/* Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1, FIPS 197 4.2. */
static uint8_t gf_mul(uint8_t a, uint8_t b)
{
	unsigned x = a;
	unsigned r = 0;

	for (unsigned i = 0; i < 8; i++) {
		r ^= x & (0u - (b >> i & 1u));
		x = x << 1 ^ (0x11bu & (0u - (x >> 7 & 1u)));
	}
	return (uint8_t)r;
}

/* x^254: the inverse, and 0 for 0. */
static uint8_t gf_inverse(uint8_t x)
{
	uint8_t r = 1;

	for (unsigned i = 0; i < 7; i++) {
		x = gf_mul(x, x);
		r = gf_mul(r, x);
	}
	return r;
}

static uint8_t rol8(uint8_t x, unsigned n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

static uint8_t sub(uint8_t x)
{
	uint8_t b = gf_inverse(x);

	return (uint8_t)(b ^ rol8(b, 1) ^ rol8(b, 2) ^ rol8(b, 3) ^ rol8(b, 4) ^ 0x63);
}

static uint8_t unsub(uint8_t x)
{
	return gf_inverse((uint8_t)(rol8(x, 1) ^ rol8(x, 3) ^ rol8(x, 6) ^ 0x05));
}

/* FIPS 197 5.2. Returns the number of rounds. */
static unsigned aes_schedule(uint8_t w[AES_WORDS_MAX][4], const uint8_t *key, size_t key_len)
{
	unsigned nk = (unsigned)key_len / 4;
	unsigned rounds = nk + 6;
	uint8_t round_constant = 1;

	memcpy(w, key, key_len);
	for (unsigned i = nk; i < 4 * (rounds + 1); i++) {
		uint8_t t[4];

		memcpy(t, w[i - 1], 4);
		if (i % nk == 0) {
			uint8_t first = t[0];

			t[0] = (uint8_t)(sub(t[1]) ^ round_constant);
			t[1] = sub(t[2]);
			t[2] = sub(t[3]);
			t[3] = sub(first);
			round_constant = gf_mul(round_constant, 2);
		} else if (nk > 6 && i % nk == 4) {
			for (unsigned k = 0; k < 4; k++)
				t[k] = sub(t[k]);
		}
		for (unsigned k = 0; k < 4; k++)
			w[i][k] = w[i - nk][k] ^ t[k];
	}
	return rounds;
}

static void add_round_key(uint8_t s[16], uint8_t w[AES_WORDS_MAX][4], unsigned round)
{
	for (unsigned i = 0; i < 16; i++)
		s[i] ^= w[4 * round + i / 4][i % 4];
}

/* Inverse ShiftRows and SubBytes together: byte i of the state is row i % 4 of column i / 4. */
static void unshift_unsub(uint8_t s[16])
{
	uint8_t t[16];

	for (unsigned i = 0; i < 16; i++)
		t[(i + 4 * (i % 4)) % 16] = unsub(s[i]);
	memcpy(s, t, sizeof(t));
}

static void unmix_columns(uint8_t s[16])
{
	static const uint8_t m[4] = { 14, 11, 13, 9 };

	for (unsigned c = 0; c < 16; c += 4) {
		uint8_t t[4] = { 0 };

		for (unsigned i = 0; i < 16; i++)
			t[i / 4] ^= gf_mul(s[c + i % 4], m[(i % 4 + 4 - i / 4) % 4]);
		memcpy(s + c, t, sizeof(t));
	}
}

/* FIPS 197 5.3. */
static void aes_decrypt(uint8_t s[16], uint8_t w[AES_WORDS_MAX][4], unsigned rounds)
{
	add_round_key(s, w, rounds);
	for (unsigned r = rounds - 1; r > 0; r--) {
		unshift_unsub(s);
		add_round_key(s, w, r);
		unmix_columns(s);
	}
	unshift_unsub(s);
	add_round_key(s, w, 0);
}

hf_err hf_foreign_aes_cbc_decrypt(uint8_t *out, const uint8_t *in, size_t n_blocks,
	const uint8_t *key, size_t key_len, const uint8_t iv[HF_FOREIGN_AES_BLOCK])
{
	uint8_t w[AES_WORDS_MAX][4];
	uint8_t before[HF_FOREIGN_AES_BLOCK];
	uint8_t s[HF_FOREIGN_AES_BLOCK];
	unsigned rounds;

	if (key_len != 16 && key_len != 32)
		return HF_ERR_ARG;
	rounds = aes_schedule(w, key, key_len);
	memcpy(before, iv, sizeof(before));
	for (size_t b = 0; b < n_blocks; b++) {
		uint8_t cipher[HF_FOREIGN_AES_BLOCK];

		memcpy(cipher, in + 16 * b, sizeof(cipher));
		memcpy(s, cipher, sizeof(s));
		aes_decrypt(s, w, rounds);
		for (unsigned i = 0; i < 16; i++)
			out[16 * b + i] = s[i] ^ before[i];
		memcpy(before, cipher, sizeof(before));
	}
	hf_wipe(w, sizeof(w));
	hf_wipe(s, sizeof(s));
	return HF_OK;
}
