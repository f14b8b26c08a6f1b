/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences: a key of GCM or CCM that numbers its messages, makes their nonces of the numbers and
 * stops at a limit, so that no nonce meets two messages and no key more than it bears.
 *
 * The nonce of message i is the IV with i XORed into its last eight bytes (RFC 8446 5.3; a fixed
 * and an invocation field are SP 800-38D 8.2.1). Distinct numbers give distinct nonces, so the
 * count is bounded by the width of the number, 2^64; the bound of 2^32 in SP 800-38D 8.3 is for
 * nonces that are drawn. The limit of a sequence is what its protocol asks for.
 *
 * The calls of gcm.h and ccm.h take nonces as they come and count nothing: keys are shared there by
 * threads that only read them. Who calls them answers for the nonces, and must not seal more than
 * HF_DRAWN_NONCES_MAX messages under one key with nonces that it draws.
 */
#ifndef HF_CRYPTO_SEQ_H
#define HF_CRYPTO_SEQ_H

#include "crypto/ccm.h"
#include "crypto/gcm.h"

#define HF_DRAWN_NONCES_MAX (UINT64_C(1) << 32) /* messages a key, SP 800-38D 8.3 */

/*
 * CCM: at most 2^61 blocks go through one key (SP 800-38C 5.3). A message has at most 2^24 - 1
 * bytes with nonces of 12, two calls for each block: 2^32 of them leave room for 2^41 bytes of
 * additional data in each.
 */
#define HF_CCM_SEQ_MAX (UINT64_C(1) << 32) /* messages */

/* Numbers of messages under one key. For one thread at a time. */
struct hf_aead_count {
	uint8_t iv[HF_GCM_NONCE_LEN];
	uint64_t n;     /* the number of the next message; it never goes back */
	uint64_t limit; /* the first number under which nothing is sealed; 0: not begun */
};

struct hf_gcm_seq {
	struct hf_gcm_key key;
	struct hf_aead_count count;
};

struct hf_ccm_seq {
	struct hf_sm4_key key;
	struct hf_aead_count count;
};

/*
 * Begins a sequence of at most limit messages. The key must be new: numbers start at 0, so a key
 * that had a sequence with this IV would repeat its nonces. HF_ERR_ARG: limit is 0, or above
 * HF_CCM_SEQ_MAX.
 */
HF_MUST_USE hf_err hf_gcm_seq_init(struct hf_gcm_seq *s, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t iv[HF_GCM_NONCE_LEN], uint64_t limit);
HF_MUST_USE hf_err hf_ccm_seq_init(struct hf_ccm_seq *s, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t iv[HF_GCM_NONCE_LEN], uint64_t limit);
void hf_gcm_seq_clear(struct hf_gcm_seq *s);
void hf_ccm_seq_clear(struct hf_ccm_seq *s);

/*
 * Seals the next message; a has no nonce (NULL, 0). The number is used up, whatever the result is.
 * HF_ERR_LIMIT: no number is left, or the message is too long; HF_ERR_STATE: not begun.
 */
HF_MUST_USE hf_err hf_gcm_seq_seal(struct hf_gcm_seq *s, const struct hf_aead *a);
HF_MUST_USE hf_err hf_ccm_seq_seal(struct hf_ccm_seq *s, const struct hf_aead *a);

/*
 * Opens the next message of the peer's sequence. A message that is refused uses no number up:
 * HF_ERR_AUTH: altered, repeated or out of order. The limit binds who seals; to opening there is an
 * end with the last number: HF_ERR_LIMIT.
 */
HF_MUST_USE hf_err hf_gcm_seq_open(struct hf_gcm_seq *s, const struct hf_aead *a);
HF_MUST_USE hf_err hf_ccm_seq_open(struct hf_ccm_seq *s, const struct hf_aead *a);

#endif
