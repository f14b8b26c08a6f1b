/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-CCM: GB/T 36624-2018 mechanism 3, NIST SP 800-38C, RFC 8998. Nonces of 7..13 bytes, tags of
 * 4, 6 .. 16 bytes, messages up to 2^(8 * (15 - nonce length)) - 1 bytes. Who gives nonces counts
 * them, as in gcm.h.
 */
#ifndef HF_CRYPTO_CCM_H
#define HF_CRYPTO_CCM_H

#include "crypto/gcm.h"

/* HF_ERR_ARG: a length that the mode does not have. HF_ERR_LIMIT: message too long. */
HF_MUST_USE hf_err hf_ccm_seal(const struct hf_sm4_key *k, const struct hf_aead *a);

/* HF_ERR_AUTH: wrong tag; out has been zeroed. Other errors as hf_ccm_seal. */
HF_MUST_USE hf_err hf_ccm_open(const struct hf_sm4_key *k, const struct hf_aead *a);

/* One of many independent messages (batch interface). */
struct hf_ccm_job {
	const struct hf_sm4_key *key;
	struct hf_aead a;
	hf_err result; /* written: HF_OK or why this one failed */
};

/*
 * Seals or opens n messages, whose MACs advance together: one alone waits for itself. Returns HF_OK
 * if all did; else the first failure in order.
 */
HF_MUST_USE hf_err hf_ccm_seal_batch(struct hf_ccm_job *jobs, size_t n);
HF_MUST_USE hf_err hf_ccm_open_batch(struct hf_ccm_job *jobs, size_t n);

#endif
