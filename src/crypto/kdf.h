/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key derivation with SM3: HKDF (RFC 5869), TLS 1.3 Expand-Label (RFC 8446 7.1), the KDF of
 * GB/T 32918.4-2016 5.4.3, PBKDF2 (RFC 8018 5.2), and the PRF of GB/T 38636-2020 6.5 (TLCP).
 */
#ifndef HF_CRYPTO_KDF_H
#define HF_CRYPTO_KDF_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/hmac.h"
#include "crypto/sm3.h"

/* prk = HMAC(salt, ikm). An empty salt counts as 32 zero bytes. prk may overlap ikm. */
void hf_hkdf_extract(uint8_t prk[HF_SM3_LEN], const void *salt, size_t salt_len, const void *ikm,
	size_t ikm_len);

/* HF_ERR_ARG: more than 255 * 32 bytes asked for. out must not overlap prk or info. */
HF_MUST_USE hf_err hf_hkdf_expand(uint8_t *out, size_t out_len, const uint8_t prk[HF_SM3_LEN],
	const void *info, size_t info_len);

/* One of many expansions (batch interface): chunk keys, above all. */
struct hf_hkdf_job {
	const struct hf_hmac *prk; /* as hf_hmac_init() made it of the 32 bytes; unchanged */
	const void *info;
	size_t info_len;
	uint8_t *out; /* written; may overlap nothing of any job */
	size_t out_len;
};

/* n expansions; kernels with lanes work on many at once. HF_ERR_ARG: as hf_hkdf_expand, for any. */
HF_MUST_USE hf_err hf_hkdf_expand_batch(const struct hf_hkdf_job *jobs, size_t n);

/* Extract and expand in one. Errors as hf_hkdf_expand. */
HF_MUST_USE hf_err hf_hkdf(uint8_t *out, size_t out_len, const void *salt, size_t salt_len,
	const void *ikm, size_t ikm_len, const void *info, size_t info_len);

/*
 * HKDF-Expand-Label of TLS 1.3; label without the "tls13 " prefix, at most 249 bytes; context at
 * most 255 bytes. out may be secret itself.
 */
HF_MUST_USE hf_err hf_hkdf_expand_label(uint8_t *out, size_t out_len,
	const uint8_t secret[HF_SM3_LEN], const char *label, const void *context,
	size_t context_len);

/* GB/T 32918.4-2016 5.4.3, counter from 1. HF_ERR_ARG: out_len over 2^32 - 1 blocks. */
HF_MUST_USE hf_err hf_sm2_kdf(uint8_t *out, size_t out_len, const void *z, size_t z_len);

/* HF_ERR_ARG: iterations 0, or out_len over 2^32 - 1 blocks. */
HF_MUST_USE hf_err hf_pbkdf2(uint8_t *out, size_t out_len, const void *password,
	size_t password_len, const void *salt, size_t salt_len, uint32_t iterations);

/* One of many passwords (batch interface). */
struct hf_pbkdf2_job {
	const void *password;
	size_t password_len;
	const void *salt;
	size_t salt_len;
	uint8_t *out; /* written; may overlap nothing of any job */
	size_t out_len;
};

/* PBKDF2 of n passwords with the same number of iterations. Errors as hf_pbkdf2, for any job. */
HF_MUST_USE hf_err hf_pbkdf2_batch(const struct hf_pbkdf2_job *jobs, size_t n, uint32_t iterations);

/* P_SM3(secret, label + seed), GB/T 38636-2020 6.5. */
void hf_tlcp_prf(uint8_t *out, size_t out_len, const void *secret, size_t secret_len,
	const char *label, const void *seed, size_t seed_len);

#endif
