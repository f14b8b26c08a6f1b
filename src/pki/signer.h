/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private-key operations behind a callback, so that a key may live in another process, a TPM or a
 * card. Everything in pki that signs or decrypts takes one of these.
 */
#ifndef HF_PKI_SIGNER_H
#define HF_PKI_SIGNER_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "crypto/sm2.h"

struct hf_local_key;

struct hf_signer {
	/* Signs e = SM3(Z || message) with the key of pub. */
	hf_err (*sign_digest)(void *ctx, const uint8_t e[HF_SM3_LEN], struct hf_sm2_sig *sig);
	void *ctx;
	struct hf_sm2_pub pub;
	/* What sign_digest() does is hf_sm2_sign_digest() with this key, which others may do for
	 * it; NULL: only it can. */
	const struct hf_local_key *local;
};

/* Signs a message: Z from id and the signer's public key, then e, then the callback. */
HF_MUST_USE hf_err hf_signer_sign(struct hf_sm2_sig *sig, const struct hf_signer *signer,
	const void *id, size_t id_len, const void *message, size_t message_len);

struct hf_decrypter {
	/* Raw C1C3C2 without 04 (hf_sm2_decrypt): out is raw_len - 96 bytes. */
	hf_err (*decrypt)(void *ctx, uint8_t *out, const uint8_t *raw, size_t raw_len);
	void *ctx;
	struct hf_sm2_pub pub;
};

/* A key in this process's memory. The caller keeps it, key and rng as long as the signer is used.
 */
struct hf_local_key {
	const struct hf_sm2_key *key;
	const struct hf_rng *rng; /* may be NULL for decryption */
};

struct hf_signer hf_signer_local(struct hf_local_key *local);
struct hf_decrypter hf_decrypter_local(struct hf_local_key *local);

#endif
