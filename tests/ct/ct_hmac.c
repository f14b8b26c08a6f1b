/* SPDX-License-Identifier: Apache-2.0 */
/* HMAC-SM3 and HKDF with keys and messages that memcheck takes for undefined. */
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "ct.h"

int main(void)
{
	uint64_t seed = ct_seed(2);
	uint8_t key[80];
	uint8_t m[200];
	uint8_t tag[HF_SM3_LEN];
	uint8_t out[100];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	(void)ct_fill(&seed, m, sizeof(m));
	hf_hmac_sm3(tag, key, 32, m, sizeof(m));
	hf_hmac_sm3(tag, key, sizeof(key), m, 0);
	CT_EXPECT(hf_hkdf(out, sizeof(out), key, 32, m, sizeof(m), "info", 4), HF_OK);
	CT_EXPECT(hf_sm2_kdf(out, sizeof(out), m, sizeof(m)), HF_OK);
	return 0;
}
