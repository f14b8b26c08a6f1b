/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM4-CCM: GB/T 36624-2018 mechanism 3, NIST SP 800-38C, RFC 8998. Nonces of 7..13 bytes, tags of
 * 4, 6 .. 16 bytes, messages up to 2^(8 * (15 - nonce length)) - 1 bytes.
 */
#ifndef HF_CRYPTO_CCM_H
#define HF_CRYPTO_CCM_H

#include "crypto/gcm.h"

/* HF_ERR_ARG: a length that the mode does not have. HF_ERR_LIMIT: message too long. */
HF_MUST_USE hf_err hf_ccm_seal(const struct hf_sm4_key *k, const struct hf_aead *a);

/* HF_ERR_AUTH: wrong tag; out has been zeroed. Other errors as hf_ccm_seal. */
HF_MUST_USE hf_err hf_ccm_open(const struct hf_sm4_key *k, const struct hf_aead *a);

#endif
