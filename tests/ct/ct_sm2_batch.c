/* SPDX-License-Identifier: Apache-2.0 */
/* tables: sm2 sm2-batch */
/* SM2, many at once: more than any kernel has lanes, and a rest. */
#include "crypto/sm2.h"
#include "ct.h"

enum { JOBS = 9 };

static struct hf_sm2_key keys[JOBS];
static struct hf_sm2_sig sigs[JOBS];
static uint8_t shared[JOBS][HF_SM2_LEN];
static uint8_t e[JOBS][HF_SM3_LEN];

int main(void)
{
	uint64_t seed = ct_seed(9);
	struct hf_rng rng = { ct_fill, &seed };
	struct hf_sm2_key_job make[JOBS];
	struct hf_sm2_sign_job sign[JOBS];
	struct hf_sm2_ecdh_job ecdh[JOBS];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	for (size_t i = 0; i < JOBS; i++)
		make[i] = (struct hf_sm2_key_job){ &keys[i], HF_OK };
	CT_EXPECT(hf_sm2_key_new_batch(make, JOBS, &rng), HF_OK);
	for (size_t i = 0; i < JOBS; i++) {
		sign[i] = (struct hf_sm2_sign_job){ &keys[i], e[i], &sigs[i], HF_OK };
		ecdh[i] = (struct hf_sm2_ecdh_job){ &keys[i], &keys[JOBS - 1 - i].pub, shared[i],
			HF_OK };
	}
	CT_EXPECT(hf_sm2_sign_batch(sign, JOBS, &rng), HF_OK);
	CT_EXPECT(hf_sm2_ecdh_batch(ecdh, JOBS), HF_OK);
	for (size_t i = 0; i < JOBS; i++)
		hf_sm2_key_clear(&keys[i]);
	return 0;
}
