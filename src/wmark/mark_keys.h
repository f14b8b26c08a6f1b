/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the mark key of a lineage decides: for each tensor, by its content, where its sites lie,
 * which way each weight of a site goes and how often a recipient gets a one (its class); for each
 * recipient the code word. So an unchanged tensor keeps its marks and its part of every code word
 * from release to release, and a changed one gets fresh ones.
 *
 * The code is Tardos', with the five biases of a Gauss-Legendre rule: symbol j of a recipient is 1
 * if byte j of his stream lies below the threshold of class j. A recipient is the legal holder: who
 * gets two words is a coalition of two.
 */
#ifndef HF_WMARK_MARK_KEYS_H
#define HF_WMARK_MARK_KEYS_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/hmac.h"
#include "crypto/sm4.h"

enum {
	HF_MARK_KEY_LEN = 32,        /* bytes of a lineage's mark key */
	HF_MARK_CLASSES = 5,         /* biases */
	HF_MARK_SITES_MAX = 1 << 16, /* sites of one tensor, and of one model */
	HF_MARK_ID_MAX = 1024,       /* bytes of a recipient's name */
	HF_MARK_NONCE_LEN = 12,
};

/* Thresholds of the classes: a symbol is 1 with probability threshold / 256. */
extern const uint8_t hf_mark_threshold[HF_MARK_CLASSES];

struct hf_mark_keys {
	struct hf_hmac tensor; /* keyed; copied for each message */
	struct hf_hmac word;
};

/* End it with hf_mark_keys_clear(). HF_ERR_SELF_TEST: the module gives no service. */
HF_MUST_USE hf_err hf_mark_keys_init(struct hf_mark_keys *k, const uint8_t key[HF_MARK_KEY_LEN]);
void hf_mark_keys_clear(struct hf_mark_keys *k);

/* What a tensor is to the key. */
struct hf_mark_content {
	uint8_t type;      /* enum hf_mark_type (mark_sites.h) */
	uint64_t rows;     /* first axis */
	uint64_t cols;     /* product of the others */
	uint32_t n_before; /* how many tensors before it in the file are equal in all of these:
			      symbols of two sites must not be the same ones */
	uint8_t digest[HF_SM3_LEN]; /* tree-SM3 of its bytes (crypto/tree.h) */
};

enum hf_mark_stream {
	HF_MARK_SITE, /* 4 bytes that round the number of sites, then 4 a site (mark_sites.h) */
	HF_MARK_CHIP, /* 1 bit a weight, lowest bit of a byte first */
	HF_MARK_BIAS, /* 2 bytes a site */
	HF_MARK_STREAMS,
};

struct hf_mark_tensor_keys {
	struct hf_sm4_key stream[HF_MARK_STREAMS];
	uint8_t nonce[HF_MARK_NONCE_LEN]; /* where its symbols lie in a recipient's stream */
};

/* End it with hf_mark_tensor_keys_clear(). HF_ERR_SELF_TEST: the module gives no service. */
HF_MUST_USE hf_err hf_mark_tensor_keys_init(struct hf_mark_tensor_keys *t,
	const struct hf_mark_keys *k, const struct hf_mark_content *content);
void hf_mark_tensor_keys_clear(struct hf_mark_tensor_keys *t);

/* len bytes of a stream from its start. HF_ERR_SELF_TEST only; then out is zero. */
HF_MUST_USE hf_err hf_mark_stream(
	uint8_t *out, size_t len, const struct hf_mark_tensor_keys *t, enum hf_mark_stream which);

/* Classes of n sites from 2 n bytes. */
void hf_mark_classes(uint8_t *cls, const uint8_t *bytes, size_t n);

/* A recipient's key. HF_ERR_ARG: an empty name or one above HF_MARK_ID_MAX. End with
 * hf_sm4_clear(). */
HF_MUST_USE hf_err hf_mark_word_key(
	struct hf_sm4_key *key, const struct hf_mark_keys *k, struct hf_bytes recipient);

/*
 * The symbols of a recipient in the n sites of a tensor, one bit each, into word from bit at on
 * (bit j & 7 of byte j >> 3); the other bits stay. HF_ERR_SELF_TEST: nothing was written.
 */
HF_MUST_USE hf_err hf_mark_word_put(uint8_t *word, size_t at, const struct hf_sm4_key *recipient,
	const struct hf_mark_tensor_keys *t, const uint8_t *cls, size_t n);

/* The same from n bytes of a stream: what hf_mark_word_put() does once it has them. */
void hf_mark_word_pack(
	uint8_t *word, size_t at, const uint8_t *bytes, const uint8_t *cls, size_t n);

#endif
