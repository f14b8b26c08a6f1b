/* SPDX-License-Identifier: Apache-2.0 */
/* Signers and decrypters. */
#include "pki/signer.h"

hf_err hf_signer_sign(struct hf_sm2_sig *sig, const struct hf_signer *signer, const void *id,
	size_t id_len, const void *message, size_t message_len)
{
	uint8_t e[HF_SM3_LEN];

	HF_TRY(hf_sm2_digest(e, &signer->pub, id, id_len, message, message_len));
	return signer->sign_digest(signer->ctx, e, sig);
}

static hf_err local_sign(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig)
{
	const struct hf_local_key *local = ctx;

	return hf_sm2_sign_digest(sig, local->key, e, local->rng);
}

static hf_err local_decrypt(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len)
{
	const struct hf_local_key *local = ctx;

	return hf_sm2_decrypt(out, local->key, raw, raw_len);
}

struct hf_signer hf_signer_local(struct hf_local_key *local)
{
	return (struct hf_signer){ local_sign, local, local->key->pub, local };
}

struct hf_decrypter hf_decrypter_local(struct hf_local_key *local)
{
	return (struct hf_decrypter){ local_decrypt, local, local->key->pub };
}
