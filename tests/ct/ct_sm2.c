/* SPDX-License-Identifier: Apache-2.0 */
/* tables: sm2 sm2-batch */
/* SM2, one by one, with private keys, nonces, shared values and plaintexts that are secret. */
#include "crypto/sm2.h"
#include "ct.h"

static const char id[] = HF_SM2_ID_DEFAULT;
static struct hf_sm2_key a;
static struct hf_sm2_key b;
static uint8_t m[100];

static int run_keys(const struct hf_rng *rng)
{
	struct hf_sm2_key c;
	struct hf_sm2_key d;
	struct hf_sm2_key_job jobs[2] = { { &c, HF_OK }, { &d, HF_OK } };

	CT_EXPECT(hf_sm2_key_new(&a, rng), HF_OK);
	CT_EXPECT(hf_sm2_key_new(&b, rng), HF_OK);
	ct_secret(a.d, sizeof(a.d));
	CT_EXPECT(hf_sm2_key_from_private(&c, a.d), HF_OK);
	CT_EXPECT(hf_sm2_key_new_batch(jobs, 2, rng), HF_OK);
	return 0;
}

static int run_signatures(const struct hf_rng *rng)
{
	struct hf_sm2_sig sigs[3];
	struct hf_sm2_sign_job jobs[3];
	uint8_t e[HF_SM3_LEN];

	CT_EXPECT(hf_sm2_sign(&sigs[0], &a, id, 16, m, sizeof(m), rng), HF_OK);
	ct_public(sigs, sizeof(sigs[0]));
	CT_EXPECT(hf_sm2_verify(&a.pub, id, 16, m, sizeof(m), &sigs[0]), HF_OK);

	CT_EXPECT(hf_sm2_digest(e, &a.pub, id, 16, m, sizeof(m)), HF_OK);
	CT_EXPECT(hf_sm2_sign_digest(&sigs[1], &a, e, rng), HF_OK);
	for (size_t i = 0; i < 3; i++)
		jobs[i] = (struct hf_sm2_sign_job){ &a, e, &sigs[i], HF_OK };
	CT_EXPECT(hf_sm2_sign_batch(jobs, 3, rng), HF_OK);
	ct_public(sigs, sizeof(sigs));
	CT_EXPECT(hf_sm2_verify_digest(&a.pub, e, &sigs[2]), HF_OK);
	return 0;
}

static int run_exchange(void)
{
	const struct hf_sm2_kex x = { true, &a, &b, id, 16, &b.pub, &a.pub, id, 16 };
	uint8_t shared[2][HF_SM2_LEN];
	struct hf_sm2_ecdh_job jobs[2] = { { &a, &b.pub, shared[0], HF_OK },
		{ &b, &a.pub, shared[1], HF_OK } };
	uint8_t key[48];
	uint8_t s1[HF_SM3_LEN];
	uint8_t s2[HF_SM3_LEN];

	CT_EXPECT(hf_sm2_ecdh(shared[0], &a, &b.pub), HF_OK);
	CT_EXPECT(hf_sm2_ecdh_batch(jobs, 2), HF_OK);
	CT_EXPECT(hf_sm2_kex_key(key, sizeof(key), s1, s2, &x), HF_OK);
	return 0;
}

static int run_encryption(const struct hf_rng *rng)
{
	uint8_t cipher[HF_SM2_CIPHER_OVERHEAD + sizeof(m)];
	uint8_t out[sizeof(m)];

	ct_secret(m, sizeof(m));
	CT_EXPECT(hf_sm2_encrypt(cipher, &a.pub, m, sizeof(m), rng), HF_OK);
	ct_public(cipher, sizeof(cipher));
	CT_EXPECT(hf_sm2_decrypt(out, &a, cipher, sizeof(cipher)), HF_OK);
	cipher[70] ^= 1;
	CT_EXPECT(hf_sm2_decrypt(out, &a, cipher, sizeof(cipher)), HF_ERR_AUTH);
	return 0;
}

int main(void)
{
	uint64_t seed = ct_seed(1);
	struct hf_rng rng = { ct_fill, &seed };

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	return run_keys(&rng) != 0 || run_signatures(&rng) != 0 || run_exchange() != 0 ||
	       run_encryption(&rng) != 0;
}
