/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of SM4 kernels and the choice among them. A kernel is taken when the CPU has what it
 * needs and it gives what the C reference gives, which itself must give the standard's example.
 */
#include "crypto/sm4/sm4_kernel.h"

#include <string.h>

#include "base/attr.h"
#include "base/ct.h"
#include "base/wipe.h"
#include "crypto/fault.h"

static const struct hf_sm4_kernel *const sm4_kernels[] = {
/* best first */
#if HF_X86
	&hf_sm4_kernel_gfni_avx512, &hf_sm4_kernel_gfni_avx2, &hf_sm4_kernel_vaes_avx2,
	&hf_sm4_kernel_aesni_avx2, &hf_sm4_kernel_aesni_sse41,
#elif HF_A64
	&hf_sm4_kernel_arm_sm4, &hf_sm4_kernel_neon,
#endif
	&hf_sm4_kernel_c, /* reference, always last */
};

enum {
	TEST_BLOCKS = 83, /* more than any kernel has in flight, and an odd rest */
	TEST_LEN = TEST_BLOCKS * HF_SM4_BLOCK_LEN,
	OUTPUTS = 7, /* one a function and way */
};

const struct hf_sm4_kernel *hf_sm4_kernel_at(size_t i)
{
	return i < HF_COUNT(sm4_kernels) ? sm4_kernels[i] : NULL;
}

/* GB/T 32907-2016 A.1. */
static bool reference_is_right(void)
{
	static const uint8_t key[HF_SM4_KEY_LEN] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
		0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
	static const uint8_t want[HF_SM4_BLOCK_LEN] = { 0x68, 0x1e, 0xdf, 0x34, 0xd2, 0x06, 0x96,
		0x5e, 0x86, 0xb3, 0xe9, 0x4f, 0x53, 0x6e, 0x42, 0x46 };
	struct hf_sm4_key k;
	uint8_t b[2 * HF_SM4_BLOCK_LEN];

	/* One block takes the path of words, two that of planes. */
	hf_sm4_init(&k, key);
	hf_sm4_kernel_c.ecb(k.rk, b, key, 1);
	if (!hf_ct_eq(b, want, sizeof(want)))
		return false;
	memcpy(b, key, sizeof(key));
	memcpy(b + sizeof(key), key, sizeof(key));
	hf_sm4_kernel_c.ecb(k.rk, b, b, 2);
	return hf_ct_eq(b, want, sizeof(want)) && hf_ct_eq(b + 16, want, sizeof(want));
}

/*
 * The same job for the kernel under test and the reference; the counter passes 2^32. What a kernel
 * may leave out the reference does from its ecb.
 */
static void run_all(const struct hf_sm4_kernel *kernel, const struct hf_sm4_key *k,
	uint8_t out[OUTPUTS][TEST_LEN], const uint8_t in[TEST_LEN])
{
	uint8_t back_iv[HF_SM4_BLOCK_LEN] = { 7 };
	uint8_t tweak[HF_SM4_BLOCK_LEN] = { 9 };
	uint8_t counter[HF_SM4_BLOCK_LEN];
	uint8_t ivs[HF_SM4_LANES][HF_SM4_BLOCK_LEN] = { { 0 } };
	struct hf_sm4_lane lanes[HF_SM4_LANES];

	memset(counter, 0xff, sizeof(counter));
	counter[15] = 0xe0;
	kernel->ecb(k->rk, out[0], in, TEST_BLOCKS);
	kernel->ctr32(k->rk, counter, out[1], in, TEST_BLOCKS);
	kernel->cbc(k->rk, counter, out[2], in, TEST_BLOCKS);
	for (size_t i = 0; i < HF_SM4_LANES; i++)
		lanes[i] = (struct hf_sm4_lane){ k->rk, ivs[i], out[3] + 80 * i, in + 80 * i };
	kernel->cbc_lanes(lanes, HF_SM4_LANES, 5);
	if (kernel->cbc_decrypt != NULL)
		kernel->cbc_decrypt(k->rk, back_iv, out[4], in, TEST_BLOCKS);
	else
		hf_sm4_cbc_decrypt_of_ecb(kernel, k->rk, back_iv, out[4], in, TEST_BLOCKS);
	for (size_t i = 0; i < 2; i++) {
		enum hf_xts_order order = i == 0 ? HF_XTS_GB : HF_XTS_IEEE;

		if (kernel->xts != NULL)
			kernel->xts(k->rk, tweak, out[5 + i], in, TEST_BLOCKS, order);
		else
			hf_xts_blocks_of_ecb(
				kernel, k->rk, tweak, out[5 + i], in, TEST_BLOCKS, order);
	}
}

/* want: what the reference made of key. */
static bool expands(const struct hf_sm4_kernel *kernel, const uint8_t key[HF_SM4_KEY_LEN],
	const struct hf_sm4_key *want)
{
	struct hf_sm4_key got;

	if (kernel->expand == NULL)
		return true;
	kernel->expand(got.rk, key);
	return hf_ct_eq(&got, want, sizeof(got));
}

static bool agrees_with_reference(const struct hf_sm4_kernel *kernel)
{
	uint8_t in[TEST_LEN];
	uint8_t got[OUTPUTS][TEST_LEN] = { { 0 } };
	uint8_t want[OUTPUTS][TEST_LEN] = { { 0 } };
	struct hf_sm4_key k;

	for (size_t i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)(i * 73 + (i >> 8) * 151 + 29);
	hf_sm4_init(&k, in + 5);
	run_all(kernel, &k, got, in);
	run_all(&hf_sm4_kernel_c, &k, want, in);
	HF_FAULT("sm4 kernel", got[0][0]);
	return hf_ct_eq(got, want, sizeof(want)) && expands(kernel, in + 5, &k);
}

const struct hf_sm4_kernel *hf_sm4_choose(uint32_t cpu)
{
	if (!reference_is_right())
		return NULL;
	for (size_t i = 0; i < HF_COUNT(sm4_kernels); i++)
		if ((sm4_kernels[i]->needs & ~cpu) == 0 && agrees_with_reference(sm4_kernels[i]))
			return sm4_kernels[i];
	return NULL;
}
