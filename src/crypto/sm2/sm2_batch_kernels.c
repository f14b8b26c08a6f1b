/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of kernels for batches of SM2 and the choice among them. A kernel is taken when the CPU
 * has what it needs and it gives what the C reference gives; the reference stands on the functions
 * of single operations, whose known answers are in sm2_selftest.c.
 */
#include <stdbool.h>

#include "base/attr.h"
#include "base/ct.h"
#include "crypto/fault.h"
#include "crypto/sm2/sm2_batch.h"
#include "crypto/sm2/sm2_fn.h"

static const struct hf_sm2_batch_kernel *const batch_kernels[] = {
/* best first */
#if HF_X86
	&hf_sm2_batch_kernel_ifma_avx512,
#endif
	&hf_sm2_batch_kernel_c, /* reference, always last */
};

enum {
	TESTS = 4, /* lanes of the self-test; fewer may be none of a kernel's */
	ALL = (1 << TESTS) - 1,
	ALTERED = 1, /* the lane whose signature is altered */
};

/* Everything a kernel gives for the scalars of the test. */
struct answers {
	struct hf_sm2_key_lane keys[TESTS];
	struct hf_sm2_sign_lane sign[TESTS];
	struct hf_sm2_ecdh_lane ecdh[TESTS];
};

const struct hf_sm2_batch_kernel *hf_sm2_batch_kernel_at(size_t i)
{
	return i < HF_COUNT(batch_kernels) ? batch_kernels[i] : NULL;
}

/* The smallest, the largest, and two that look random. */
static void scalars(uint64_t d[TESTS][4])
{
	for (size_t i = 0; i < 4; i++) {
		d[0][i] = i == 0;
		d[1][i] = hf_fn_n[i] - (i == 0 ? 2 : 0);
		d[2][i] = UINT64_C(0x9e3779b97f4a7c15) * (i + 1) >> 1;
		d[3][i] = UINT64_C(0xbf58476d1ce4e5b9) * (i + 1) >> 1;
	}
}

/* The signatures hold for the public keys, and an altered one does not. */
static bool verifies(const struct hf_sm2_batch_kernel *kernel, const struct answers *a,
	const struct hf_sm2_pub pubs[TESTS])
{
	struct hf_sm2_verify_job jobs[TESTS];
	struct hf_sm2_sig sigs[TESTS];
	uint8_t e[TESTS][HF_SM3_LEN];

	for (size_t i = 0; i < TESTS; i++) {
		hf_w256_put(sigs[i].r, a->sign[i].r);
		hf_w256_put(sigs[i].s, a->sign[i].s);
		hf_w256_put(e[i], a->sign[i].e);
		jobs[i] = (struct hf_sm2_verify_job){ &pubs[i], e[i], &sigs[i], HF_OK };
	}
	if (kernel->verify(jobs, TESTS) != ALL)
		return false;
	sigs[ALTERED].s[HF_SM2_LEN - 1] ^= 1;
	return kernel->verify(jobs, TESTS) == (ALL & ~(1 << ALTERED));
}

/* Keys, signatures and shared points. False: a lane was refused that must not be. */
static bool answer(
	const struct hf_sm2_batch_kernel *kernel, struct answers *a, struct hf_sm2_pub pubs[TESTS])
{
	uint64_t d[TESTS][4];

	scalars(d);
	for (size_t i = 0; i < TESTS; i++) {
		for (size_t j = 0; j < 4; j++) {
			a->keys[i].d[j] = d[i][j];
			a->sign[i].d[j] = d[i][j];
			a->sign[i].k[j] = d[TESTS - 1 - i][j];
			a->sign[i].e[j] = ~d[i][j];
			a->ecdh[i].d[j] = d[i][j];
		}
	}
	kernel->keys(a->keys, TESTS);
	for (size_t i = 0; i < TESTS; i++) {
		hf_w256_put(pubs[i].x, a->keys[i].x);
		hf_w256_put(pubs[i].y, a->keys[i].y);
		a->ecdh[i].peer = &pubs[TESTS - 1];
	}
	return kernel->sign(a->sign, TESTS) == ALL && kernel->ecdh(a->ecdh, TESTS) == ALL;
}

static bool agrees_with_reference(const struct hf_sm2_batch_kernel *kernel)
{
	struct answers got = { 0 };
	struct answers want = { 0 };
	struct hf_sm2_pub pubs[TESTS];
	struct hf_sm2_pub want_pubs[TESTS];
	bool same = true;

	HF_FAULT("sm2-batch kernel", same);
	if (!same || kernel == &hf_sm2_batch_kernel_c)
		return same; /* with itself it agrees; its known answers are in sm2_selftest.c */
	if (!answer(kernel, &got, pubs) || !answer(&hf_sm2_batch_kernel_c, &want, want_pubs))
		return false;
	for (size_t i = 0; i < TESTS; i++)
		same = same && hf_ct_eq(&got.keys[i], &want.keys[i], sizeof(want.keys[i])) &&
		       hf_ct_eq(&got.sign[i], &want.sign[i], sizeof(want.sign[i])) &&
		       hf_ct_eq(got.ecdh[i].x, want.ecdh[i].x, sizeof(want.ecdh[i].x));
	/* What a kernel says of right answers needs no reference beside it. */
	return same && kernel->pairs(got.keys, TESTS) == ALL && verifies(kernel, &got, pubs);
}

const struct hf_sm2_batch_kernel *hf_sm2_batch_choose(uint32_t cpu)
{
	for (size_t i = 0; i < HF_COUNT(batch_kernels); i++)
		if ((batch_kernels[i]->needs & ~cpu) == 0 &&
			agrees_with_reference(batch_kernels[i]))
			return batch_kernels[i];
	return NULL;
}
