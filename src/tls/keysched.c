/* SPDX-License-Identifier: Apache-2.0 */
/* The key schedule: a few lines over HKDF-SM3. Everything here is secret and wiped where it ends.
 */
#include "tls/keysched.h"

#include "base/wipe.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"

static const uint8_t zeros[HF_SM3_LEN];

hf_err hf_tls_label(uint8_t *out, size_t out_len, const uint8_t secret[HF_SM3_LEN],
	const char *label, const void *context, size_t context_len)
{
	return hf_hkdf_expand_label(out, out_len, secret, label, context, context_len);
}

hf_err hf_tls_derive(uint8_t out[HF_SM3_LEN], const uint8_t secret[HF_SM3_LEN], const char *label,
	const uint8_t hash[HF_SM3_LEN])
{
	return hf_tls_label(out, HF_SM3_LEN, secret, label, hash, HF_SM3_LEN);
}

void hf_tls_early_psk(uint8_t secret[HF_SM3_LEN], const uint8_t *psk, size_t psk_len)
{
	hf_hkdf_extract(secret, NULL, 0, psk, psk_len);
}

void hf_tls_early(uint8_t secret[HF_SM3_LEN])
{
	hf_tls_early_psk(secret, zeros, sizeof(zeros));
}

hf_err hf_tls_binder_key(uint8_t out[HF_SM3_LEN], const uint8_t early[HF_SM3_LEN], bool is_external)
{
	uint8_t empty[HF_SM3_LEN];

	hf_sm3(empty, NULL, 0);
	return hf_tls_derive(out, early, is_external ? "ext binder" : "res binder", empty);
}

hf_err hf_tls_ticket_psk(uint8_t out[HF_SM3_LEN], const uint8_t res[HF_SM3_LEN],
	const uint8_t *nonce, size_t nonce_len)
{
	return hf_tls_label(out, HF_SM3_LEN, res, "resumption", nonce, nonce_len);
}

hf_err hf_tls_advance(uint8_t secret[HF_SM3_LEN], const uint8_t *ikm, size_t ikm_len)
{
	uint8_t empty[HF_SM3_LEN];
	uint8_t salt[HF_SM3_LEN];
	hf_err e;

	if (ikm == NULL) {
		ikm = zeros;
		ikm_len = sizeof(zeros);
	}
	hf_sm3(empty, NULL, 0);
	e = hf_tls_derive(salt, secret, "derived", empty);
	if (e == HF_OK)
		hf_hkdf_extract(secret, salt, sizeof(salt), ikm, ikm_len);
	hf_wipe(salt, sizeof(salt));
	return e;
}

hf_err hf_tls_finished(
	uint8_t out[HF_SM3_LEN], const uint8_t traffic[HF_SM3_LEN], const uint8_t hash[HF_SM3_LEN])
{
	uint8_t key[HF_SM3_LEN];

	HF_TRY(hf_tls_label(key, sizeof(key), traffic, "finished", NULL, 0));
	hf_hmac_sm3(out, key, sizeof(key), hash, HF_SM3_LEN);
	hf_wipe(key, sizeof(key));
	return HF_OK;
}
