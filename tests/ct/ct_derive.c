/* SPDX-License-Identifier: Apache-2.0 */
/* tables: sm3 */
/* What keys are derived from and random bits made of: every KDF, and the generator's whole life. */
#include "crypto/drbg.h"
#include "crypto/kdf.h"
#include "ct.h"

static hf_err entropy(void *ctx, uint8_t *out, size_t len)
{
	return ct_fill(ctx, out, len);
}

static int run_generator(uint64_t *seed)
{
	const struct hf_rng source = { entropy, seed };
	struct hf_drbg d;
	struct hf_rng rng;
	uint8_t out[100];

	CT_EXPECT(hf_drbg_init(&d, &source, NULL, NULL, "who", 3), HF_OK);
	rng = hf_drbg_rng(&d);
	CT_EXPECT(hf_rng_fill(&rng, out, sizeof(out)), HF_OK);
	CT_EXPECT(hf_drbg_reseed(&d, out, 40, out, 40), HF_OK);
	CT_EXPECT(hf_drbg_generate(&d, out, HF_DRBG_OUT_MAX, out, 20), HF_OK);
	CT_EXPECT(hf_drbg_fill(&d, out, sizeof(out)), HF_OK);
	hf_drbg_clear(&d);
	CT_EXPECT(hf_drbg_instantiate(&d, out, 40, out + 40, 20, NULL, 0), HF_OK);
	hf_drbg_clear(&d);
	return 0;
}

int main(void)
{
	uint64_t seed = ct_seed(8);
	uint8_t secret[HF_SM3_LEN];
	uint8_t salt[20] = { 1 };
	uint8_t out[150];

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, secret, sizeof(secret));
	hf_hkdf_extract(out, salt, sizeof(salt), secret, sizeof(secret));
	CT_EXPECT(hf_hkdf_expand(out, sizeof(out), secret, salt, sizeof(salt)), HF_OK);
	CT_EXPECT(hf_hkdf(out, sizeof(out), secret, 32, salt, sizeof(salt), "info", 4), HF_OK);
	CT_EXPECT(hf_hkdf_expand_label(out, 48, secret, "key", salt, sizeof(salt)), HF_OK);
	CT_EXPECT(hf_sm2_kdf(out, sizeof(out), secret, sizeof(secret)), HF_OK);
	CT_EXPECT(hf_pbkdf2(out, 70, secret, sizeof(secret), salt, sizeof(salt), 3), HF_OK);
	hf_tlcp_prf(out, sizeof(out), secret, sizeof(secret), "key expansion", salt, sizeof(salt));
	return run_generator(&seed);
}
