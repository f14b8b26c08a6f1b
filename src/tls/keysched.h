/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The key schedule of RFC 8446 7.1 with SM3:
 *
 *	0 or PSK -> early --derived--> handshake (ECDHE) --derived--> master (0)
 *	            binder             c hs, s hs traffic             c ap, s ap traffic, exp
 *master, res master
 *
 * All secrets are 32 bytes.
 */
#ifndef HF_TLS_KEYSCHED_H
#define HF_TLS_KEYSCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm3.h"

/* HKDF-Expand-Label; out may be secret. Errors as hf_hkdf_expand_label(). */
HF_MUST_USE hf_err hf_tls_label(uint8_t *out, size_t out_len, const uint8_t secret[HF_SM3_LEN],
	const char *label, const void *context, size_t context_len);

/* Derive-Secret with a transcript hash that is already made. */
HF_MUST_USE hf_err hf_tls_derive(uint8_t out[HF_SM3_LEN], const uint8_t secret[HF_SM3_LEN],
	const char *label, const uint8_t hash[HF_SM3_LEN]);

/* The early secret, of a pre-shared key (any length) or without one. */
void hf_tls_early_psk(uint8_t secret[HF_SM3_LEN], const uint8_t *psk, size_t psk_len);
void hf_tls_early(uint8_t secret[HF_SM3_LEN]);

/* binder_key from the early secret of a key of the one kind or the other (RFC 8446 7.1). */
HF_MUST_USE hf_err hf_tls_binder_key(
	uint8_t out[HF_SM3_LEN], const uint8_t early[HF_SM3_LEN], bool is_external);

/* The key that goes with a ticket (RFC 8446 4.6.1). nonce_len <= 255. */
HF_MUST_USE hf_err hf_tls_ticket_psk(uint8_t out[HF_SM3_LEN], const uint8_t res[HF_SM3_LEN],
	const uint8_t *nonce, size_t nonce_len);

/* From one secret to the next: "derived", then extract. ikm NULL: 32 zero bytes. */
HF_MUST_USE hf_err hf_tls_advance(uint8_t secret[HF_SM3_LEN], const uint8_t *ikm, size_t ikm_len);

/* verify_data of Finished (RFC 8446 4.4.4) under a handshake traffic secret. */
HF_MUST_USE hf_err hf_tls_finished(
	uint8_t out[HF_SM3_LEN], const uint8_t traffic[HF_SM3_LEN], const uint8_t hash[HF_SM3_LEN]);

#endif
