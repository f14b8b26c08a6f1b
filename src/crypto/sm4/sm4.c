/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4 key expansion and the plain modes on top of the chosen kernel. Kernels do the blocks; here
 * are chaining, part blocks and the carry of a 128-bit counter.
 */
#include "crypto/sm4.h"

#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4/sm4_kernel.h"
#include "crypto/sm4/sm4_word.h"

enum {
	CBC_GROUP = 64, /* blocks that CBC decryption has in hand at once */
};

static const struct hf_sm4_kernel *kernel(void)
{
	return hf_module()->sm4;
}

static void expand(uint32_t rk[HF_SM4_ROUNDS], const uint8_t key[HF_SM4_KEY_LEN])
{
	/* GB/T 32907-2016 7.3 b): the system parameter FK. */
	static const uint32_t fk[4] = { 0xa3b1bac6, 0x56aa3350, 0x677d9197, 0xb27022dc };
	uint32_t x[4];

	for (size_t i = 0; i < 4; i++)
		x[i] = hf_get_be32(key + 4 * i) ^ fk[i];
	for (uint32_t i = 0; i < HF_SM4_ROUNDS; i++) {
		uint32_t ck = 0;

		/* 7.3 c): byte j of CK_i is (4i + j) * 7 mod 256. */
		for (uint32_t j = 0; j < 4; j++)
			ck = ck << 8 | ((4 * i + j) * 7 & 0xff);
		x[i % 4] ^=
			hf_sm4_word_t_key(x[(i + 1) % 4] ^ x[(i + 2) % 4] ^ x[(i + 3) % 4] ^ ck);
		rk[i] = x[i % 4];
	}
	hf_wipe(x, sizeof(x));
}

/* Kernels are compared with the reference before one is chosen: then there is none. */
void hf_sm4_init(struct hf_sm4_key *k, const uint8_t key[HF_SM4_KEY_LEN])
{
	if (kernel() != NULL && kernel()->expand != NULL)
		kernel()->expand(k->rk, key);
	else
		expand(k->rk, key);
}

void hf_sm4_clear(struct hf_sm4_key *k)
{
	hf_wipe(k, sizeof(*k));
}

void hf_sm4_keys_backwards(uint32_t rk[HF_SM4_ROUNDS], const struct hf_sm4_key *k)
{
	for (size_t i = 0; i < HF_SM4_ROUNDS; i++)
		rk[i] = k->rk[HF_SM4_ROUNDS - 1 - i];
	HF_FAULT("sm4", rk[0]);
}

hf_err hf_sm4_ecb_encrypt(
	const struct hf_sm4_key *k, uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	HF_TRY(hf_module_check());
	kernel()->ecb(k->rk, out, in, n_blocks);
	return HF_OK;
}

hf_err hf_sm4_ecb_decrypt(
	const struct hf_sm4_key *k, uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	uint32_t rk[HF_SM4_ROUNDS];

	HF_TRY(hf_module_check());
	hf_sm4_keys_backwards(rk, k);
	kernel()->ecb(rk, out, in, n_blocks);
	hf_wipe(rk, sizeof(rk));
	return HF_OK;
}

hf_err hf_sm4_cbc_encrypt(const struct hf_sm4_key *k, uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	HF_TRY(hf_module_check());
	kernel()->cbc(k->rk, iv, out, in, n_blocks);
	return HF_OK;
}

/* out = plain ^ (iv, in[0 .. n-2]), iv = in[n-1]; from the end, so that out may be in. */
static void cbc_unchain(uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out, const uint8_t *in,
	const uint8_t *plain, size_t n_blocks)
{
	size_t last = (n_blocks - 1) * HF_SM4_BLOCK_LEN;
	uint8_t next[HF_SM4_BLOCK_LEN];

	memcpy(next, in + last, sizeof(next));
	for (size_t i = last + HF_SM4_BLOCK_LEN; i-- > HF_SM4_BLOCK_LEN;)
		out[i] = (uint8_t)(plain[i] ^ in[i - HF_SM4_BLOCK_LEN]);
	for (size_t i = 0; i < HF_SM4_BLOCK_LEN; i++)
		out[i] = (uint8_t)(plain[i] ^ iv[i]);
	memcpy(iv, next, sizeof(next));
}

void hf_sm4_cbc_decrypt_of_ecb(const struct hf_sm4_kernel *kernel, const uint32_t rk[HF_SM4_ROUNDS],
	uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out, const uint8_t *in, size_t n_blocks)
{
	uint8_t plain[CBC_GROUP * HF_SM4_BLOCK_LEN];

	while (n_blocks > 0) {
		size_t n = n_blocks < CBC_GROUP ? n_blocks : CBC_GROUP;

		kernel->ecb(rk, plain, in, n);
		cbc_unchain(iv, out, in, plain, n);
		in += n * HF_SM4_BLOCK_LEN;
		out += n * HF_SM4_BLOCK_LEN;
		n_blocks -= n;
	}
	hf_wipe(plain, sizeof(plain));
}

hf_err hf_sm4_cbc_decrypt(const struct hf_sm4_key *k, uint8_t iv[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	uint32_t rk[HF_SM4_ROUNDS];

	HF_TRY(hf_module_check());
	hf_sm4_keys_backwards(rk, k);
	if (kernel()->cbc_decrypt != NULL)
		kernel()->cbc_decrypt(rk, iv, out, in, n_blocks);
	else
		hf_sm4_cbc_decrypt_of_ecb(kernel(), rk, iv, out, in, n_blocks);
	hf_wipe(rk, sizeof(rk));
	return HF_OK;
}

/* Adds 1 to the upper 96 bits, big-endian. The counter is public. */
static void carry96(uint8_t counter[HF_SM4_BLOCK_LEN])
{
	for (size_t i = 12; i-- > 0;)
		if (++counter[i] != 0)
			return;
}

static void ctr_blocks(const struct hf_sm4_key *k, uint8_t counter[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t n_blocks)
{
	while (n_blocks > 0) {
		uint64_t to_wrap = (UINT64_C(1) << 32) - hf_get_be32(counter + 12);
		size_t n = n_blocks < to_wrap ? n_blocks : (size_t)to_wrap;

		kernel()->ctr32(k->rk, counter, out, in, n);
		if (n == to_wrap)
			carry96(counter);
		in += n * HF_SM4_BLOCK_LEN;
		out += n * HF_SM4_BLOCK_LEN;
		n_blocks -= n;
	}
}

void hf_sm4_ctr_raw(const struct hf_sm4_key *k, uint8_t counter[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t len)
{
	size_t whole = len - len % HF_SM4_BLOCK_LEN;
	uint8_t last[HF_SM4_BLOCK_LEN] = { 0 };

	ctr_blocks(k, counter, out, in, whole / HF_SM4_BLOCK_LEN);
	if (whole < len) {
		memcpy(last, in + whole, len - whole);
		ctr_blocks(k, counter, last, last, 1);
		memcpy(out + whole, last, len - whole);
		hf_wipe(last, sizeof(last));
	}
}

hf_err hf_sm4_ctr(const struct hf_sm4_key *k, uint8_t counter[HF_SM4_BLOCK_LEN], uint8_t *out,
	const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	hf_sm4_ctr_raw(k, counter, out, in, len);
	return HF_OK;
}

/* Runs all lanes as far as the shortest reaches, then drops those that are done. */
static size_t run_lanes(struct hf_sm4_lane *lanes, size_t *left, size_t n)
{
	size_t shortest = left[0];
	size_t kept = 0;

	for (size_t i = 1; i < n; i++)
		if (left[i] < shortest)
			shortest = left[i];
	kernel()->cbc_lanes(lanes, n, shortest);
	for (size_t i = 0; i < n; i++) {
		if (left[i] == shortest)
			continue;
		lanes[kept] = lanes[i];
		lanes[kept].in += shortest * HF_SM4_BLOCK_LEN;
		lanes[kept].out += shortest * HF_SM4_BLOCK_LEN;
		left[kept] = left[i] - shortest;
		kept++;
	}
	return kept;
}

hf_err hf_sm4_cbc_encrypt_batch(const struct hf_sm4_cbc_job *jobs, size_t n)
{
	struct hf_sm4_lane lanes[HF_SM4_LANES];
	size_t left[HF_SM4_LANES];
	size_t busy = 0;
	size_t next = 0;

	HF_TRY(hf_module_check());
	while (next < n || busy > 0) {
		for (; busy < HF_SM4_LANES && next < n; next++) {
			const struct hf_sm4_cbc_job *j = &jobs[next];

			if (j->n_blocks == 0)
				continue;
			lanes[busy] = (struct hf_sm4_lane){ j->key->rk, j->iv, j->out, j->in };
			left[busy] = j->n_blocks;
			busy++;
		}
		if (busy > 0)
			busy = run_lanes(lanes, left, busy);
	}
	return HF_OK;
}

/* GB/T 32907-2016 A.1, and the same block decrypted. */
bool hf_sm4_selftest(void)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	static const uint8_t want[HF_SM4_BLOCK_LEN] = { 0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96,
		0x5e, 0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46 };
	struct hf_sm4_key k;
	uint32_t rk[HF_SM4_ROUNDS];
	uint8_t b[HF_SM4_BLOCK_LEN];
	bool ok;

	hf_sm4_init(&k, key);
	kernel()->ecb(k.rk, b, key, 1);
	ok = hf_ct_eq(b, want, sizeof(want));
	hf_sm4_keys_backwards(rk, &k);
	kernel()->ecb(rk, b, b, 1);
	return ok && hf_ct_eq(b, key, sizeof(key));
}
