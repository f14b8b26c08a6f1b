/* SPDX-License-Identifier: Apache-2.0 */
/* tables: sm3 */
/* HMAC-SM3 and HKDF with keys and messages that memcheck takes for undefined. */
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "ct.h"

static int batches(const uint8_t key[32], const uint8_t m[200])
{
	uint8_t out[5][120];
	struct hf_hmac keyed;
	struct hf_hmac_job tags[5];
	struct hf_hkdf_job keys[5];
	struct hf_pbkdf2_job passwords[5];

	hf_hmac_init(&keyed, key, 32);
	for (size_t i = 0; i < 5; i++) {
		tags[i] = (struct hf_hmac_job){ &keyed, m, 50 * i, out[i] };
		keys[i] = (struct hf_hkdf_job){ &keyed, m, 20 * i, out[i], 30 * i };
		passwords[i] = (struct hf_pbkdf2_job){ key, 10 + i, m, 16, out[i], 30 * i };
	}
	hf_hmac_batch(tags, 5);
	CT_EXPECT(hf_hkdf_expand_batch(keys, 5), HF_OK);
	CT_EXPECT(hf_pbkdf2_batch(passwords, 5, 3), HF_OK);
	return 0;
}

int main(void)
{
	uint64_t seed = ct_seed(2);
	uint8_t key[80];
	uint8_t m[200];
	uint8_t tag[HF_SM3_LEN];
	struct hf_hmac h;
	uint8_t out[100];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	(void)ct_fill(&seed, m, sizeof(m));
	hf_hmac_init(&h, key, sizeof(key));
	hf_hmac_feed(&h, m, 70);
	hf_hmac_feed(&h, m + 70, sizeof(m) - 70);
	hf_hmac_done(&h, tag);
	hf_hmac_sm3(tag, key, 32, m, sizeof(m));
	hf_hmac_sm3(tag, key, sizeof(key), m, 0);
	CT_EXPECT(hf_hkdf(out, sizeof(out), key, 32, m, sizeof(m), "info", 4), HF_OK);
	CT_EXPECT(hf_sm2_kdf(out, sizeof(out), m, sizeof(m)), HF_OK);
	return batches(key, m);
}
