/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record protection of TLCP in one direction (GB/T 38636-2020 6.3.3): SM4-GCM with an explicit
 * nonce, or SM4-CBC with HMAC-SM3 under the padding. Nothing here allocates.
 */
#ifndef HF_TLS_TLCP_RECORD_H
#define HF_TLS_TLCP_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/sm4.h"
#include "tls/record.h"

enum {
	HF_TLCP_VERSION = 0x0101,
	HF_TLCP_CIPHER_MAX = HF_TLS_PLAIN_MAX + 2048, /* GB/T 38636-2020 6.3.3.4 */
	HF_TLCP_AAD_LEN = 13,          /* record number, type, version, length of the content */
	HF_TLCP_FIXED_LEN = 4,         /* part of a GCM nonce that comes from the key block */
	HF_TLCP_RECORDS_MAX = 1 << 24, /* a link has one key a direction, and this is its end */
};

struct hf_tlcp_cipher;

/* One direction. All zero: records travel in the clear. */
struct hf_tlcp_dir {
	const struct hf_tlcp_cipher *cipher; /* NULL: none */
	union {
		struct {
			struct hf_gcm_key key;
			uint8_t fixed[HF_TLCP_FIXED_LEN];
		} gcm;
		struct {
			struct hf_sm4_key key;
			struct hf_hmac mac; /* keyed, nothing fed */
		} cbc;
	} k;
	uint64_t n;       /* number of the next record */
	uint64_t n_bytes; /* content so far */
	uint64_t since_ms;
};

/* The key material of one direction, pointing into the key block. */
struct hf_tlcp_keys {
	const uint8_t *mac;
	const uint8_t *key;
	const uint8_t *iv;
};

/* What a record is about: its number, type and content; head and body are those of the wire. */
struct hf_tlcp_record {
	uint64_t n;
	uint8_t type;
	const uint8_t *in;
	size_t len;
	uint8_t *out;
};

/* A way to protect records. One row per cipher; no code asks which one it is. */
struct hf_tlcp_cipher {
	size_t mac_len; /* of each in the key block */
	size_t key_len;
	size_t iv_len;
	size_t (*sealed_len)(size_t len); /* of the body */
	hf_err (*set)(struct hf_tlcp_dir *d, const struct hf_tlcp_keys *k);
	/* Writes the body. */
	hf_err (*seal)(const struct hf_tlcp_dir *d, const struct hf_tlcp_record *r,
		const struct hf_rng *rng);
	/* in is the body, out has room for as much. HF_ERR_AUTH: wrong, in equal words and time. */
	hf_err (*open)(const struct hf_tlcp_dir *d, size_t *len, const struct hf_tlcp_record *r);
};

extern const struct hf_tlcp_cipher hf_tlcp_gcm;
extern const struct hf_tlcp_cipher hf_tlcp_cbc;

/* Starts with keys; the record number becomes 0. */
HF_MUST_USE hf_err hf_tlcp_dir_set(struct hf_tlcp_dir *d, const struct hf_tlcp_cipher *c,
	const struct hf_tlcp_keys *k, uint64_t now_ms);

/* Bytes of a whole record with this much content. */
size_t hf_tlcp_sealed_len(const struct hf_tlcp_dir *d, size_t len);

/*
 * Writes one whole record. len <= HF_TLS_PLAIN_MAX. HF_ERR_LIMIT: no record number is left; out
 * holds zeros after any failure.
 */
HF_MUST_USE hf_err hf_tlcp_seal(struct hf_tlcp_dir *d, uint8_t *out, enum hf_tls_type type,
	const uint8_t *in, size_t len, const struct hf_rng *rng);

/*
 * Opens one whole protected record into out, which has room for head.len bytes; *len is how many
 * there are of content. HF_ERR_AUTH as open above; HF_ERR_LIMIT: no record number is left.
 */
HF_MUST_USE hf_err hf_tlcp_open(
	struct hf_tlcp_dir *d, uint8_t *out, size_t *len, const uint8_t *record);

/* AAD of GCM, and what CBC's MAC covers before the content. */
void hf_tlcp_aad(uint8_t out[HF_TLCP_AAD_LEN], uint64_t n, uint8_t type, size_t len);

#endif
