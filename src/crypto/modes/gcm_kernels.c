/* SPDX-License-Identifier: Apache-2.0 */
/* The table of GCM kernels and the choice among them; as sm4_kernels.c. */
#include "crypto/modes/gcm_kernel.h"

#include <string.h>

#include "base/attr.h"
#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"

static const struct hf_gcm_kernel *const gcm_kernels[] = {
/* best first */
#if HF_X86
	&hf_gcm_kernel_gfni_vpclmul_avx512,
#endif
	&hf_gcm_kernel_parts, /* any two kernels in turn, always last */
};

enum {
	TEST_LEN = 2213, /* more than any kernel has in flight, twice, and an odd rest */
	TEST_AAD = 33,
};

const struct hf_gcm_kernel *hf_gcm_kernel_at(size_t i)
{
	return i < HF_COUNT(gcm_kernels) ? gcm_kernels[i] : NULL;
}

static void ghash_padded(const struct hf_gcm_key *k, uint8_t y[16], const uint8_t *in, size_t len)
{
	uint8_t last[16] = { 0 };

	hf_ghash_kernel_c.blocks(k, y, in, len / 16);
	if (len % 16 == 0)
		return;
	memcpy(last, in + (len - len % 16), len % 16);
	hf_ghash_kernel_c.blocks(k, y, last, 1);
}

/* SP 800-38D 7.1 by the C references; k->h is the C reference's. */
static void seal_slowly(const struct hf_gcm_key *k, const struct hf_aead *a, uint8_t tag[16])
{
	uint8_t counter[16] = { [15] = 1 };
	uint8_t mask[16] = { 0 };
	uint8_t last[16] = { 0 };
	uint8_t lengths[16];
	size_t whole = a->in_len - a->in_len % 16;

	memcpy(counter, a->nonce, HF_GCM_NONCE_LEN);
	hf_sm4_kernel_c.ctr32(k->sm4.rk, counter, mask, mask, 1);
	hf_sm4_kernel_c.ctr32(k->sm4.rk, counter, a->out, a->in, whole / 16);
	memcpy(last, a->in + whole, a->in_len - whole);
	hf_sm4_kernel_c.ctr32(k->sm4.rk, counter, last, last, 1);
	memcpy(a->out + whole, last, a->in_len - whole);

	memset(tag, 0, 16);
	ghash_padded(k, tag, a->aad, a->aad_len);
	ghash_padded(k, tag, a->out, a->in_len);
	hf_put_be64(lengths, (uint64_t)a->aad_len * 8);
	hf_put_be64(lengths + 8, (uint64_t)a->in_len * 8);
	hf_ghash_kernel_c.blocks(k, tag, lengths, 1);
	for (size_t i = 0; i < 16; i++)
		tag[i] ^= mask[i];
}

/* One message sealed by both and opened; and the same blocks within a message. */
static bool agrees(const struct hf_gcm_kernel *kernel, const struct hf_gcm_key *k,
	const struct hf_gcm_key *ref, size_t aad_len, size_t len)
{
	uint8_t in[TEST_LEN];
	uint8_t got[TEST_LEN];
	uint8_t want[TEST_LEN];
	uint8_t tag[2][16];
	uint8_t counter[2][16] = { { 1, [15] = 0xfe }, { 1, [15] = 0xfe } };
	struct hf_aead a = { in + 7, HF_GCM_NONCE_LEN, in + 20, aad_len, in, len, got, NULL, 16 };
	bool ok;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 73 + (i >> 8) * 151 + 29);
	kernel->message(k, &a, tag[0], true);
	a.out = want;
	seal_slowly(ref, &a, tag[1]);
	ok = hf_ct_eq(got, want, len) && hf_ct_eq(tag[0], tag[1], 16);
	a.in = want;
	a.out = got;
	kernel->message(k, &a, tag[0], false);
	ok &= hf_ct_eq(got, in, len) && hf_ct_eq(tag[0], tag[1], 16);

	kernel->blocks(k, counter[0], tag[0], got, in, len / 16, true);
	hf_sm4_kernel_c.ctr32(ref->sm4.rk, counter[1], want, in, len / 16);
	hf_ghash_kernel_c.blocks(ref, tag[1], want, len / 16);
	ok &= hf_ct_eq(got, want, len / 16 * 16) && hf_ct_eq(tag[0], tag[1], 16);
	kernel->blocks(k, counter[0], tag[0], got, want, len / 16, false);
	hf_ghash_kernel_c.blocks(ref, tag[1], want, len / 16);
	hf_sm4_kernel_c.ctr32(ref->sm4.rk, counter[1], want, want, len / 16);
	HF_FAULT("gcm kernel", tag[0][0]);
	return ok && hf_ct_eq(got, want, len / 16 * 16) && hf_ct_eq(tag[0], tag[1], 16) &&
	       hf_ct_eq(counter[0], counter[1], 16);
}

static bool agrees_with_reference(
	const struct hf_gcm_kernel *kernel, const struct hf_ghash_kernel *ghash)
{
	static const size_t lens[] = { 0, 1, 16, 223, 240, 500, 1000, 1008, 1024, TEST_LEN };
	static const uint8_t key[HF_SM4_KEY_LEN] = { 5, 4, 3, 2, 1 };
	struct hf_gcm_key k;
	struct hf_gcm_key ref;
	uint8_t h[16] = { 0 };
	bool ok = true;

	hf_sm4_init(&k.sm4, key);
	ref.sm4 = k.sm4;
	hf_sm4_kernel_c.ecb(k.sm4.rk, h, h, 1);
	ghash->init(&k, h);
	hf_ghash_kernel_c.init(&ref, h);
	kernel->init(&k);
	for (size_t i = 0; i < HF_COUNT(lens); i++)
		ok &= agrees(kernel, &k, &ref, i * 17 % (TEST_AAD + 1), lens[i]);
	return ok;
}

const struct hf_gcm_kernel *hf_gcm_choose(
	uint32_t cpu, const struct hf_sm4_kernel *sm4, const struct hf_ghash_kernel *ghash)
{
	for (size_t i = 0; i < HF_COUNT(gcm_kernels); i++) {
		const struct hf_gcm_kernel *k = gcm_kernels[i];

		if ((k->needs & ~cpu) == 0 && (k->sm4 == NULL || k->sm4 == sm4) &&
			(k->ghash == NULL || k->ghash == ghash) && agrees_with_reference(k, ghash))
			return k;
	}
	return NULL;
}
