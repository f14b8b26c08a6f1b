/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record protection of one direction (RFC 8446 5.2, 5.3): a traffic secret, the key and the IV made
 * from it, and the record number that is both nonce and order. Nothing here allocates.
 */
#ifndef HF_TLS_RECORD_H
#define HF_TLS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/seq.h"
#include "crypto/sm3.h"

enum {
	HF_TLS_HEAD_LEN = 5,       /* type, version, length */
	HF_TLS_PLAIN_MAX = 16384,  /* bytes of content in a record */
	HF_TLS_CIPHER_MAX = 16640, /* bytes of a protected record after its head */
	HF_TLS_RECORD_MAX = HF_TLS_HEAD_LEN + HF_TLS_CIPHER_MAX,
	HF_TLS_OVERHEAD = HF_TLS_HEAD_LEN + 1 + HF_GCM_TAG_LEN, /* what sealing adds, no padding */
};

/*
 * RFC 8446 5.5: at most 2^24.5 full records under one GCM key. Rekeying begins at the configured
 * limit, far below this stop, which guards against a configuration without limits.
 */
#define HF_TLS_KEY_RECORDS_MAX UINT64_C(23726566)

/* CCM uses the cipher twice for each block: RFC 9001 B.2 comes to 2^21.5 records of this size. */
#define HF_TLS_CCM_RECORDS_MAX UINT64_C(2965820)

/* Cipher suites (RFC 8998 2) of a configuration; a set. */
enum {
	HF_TLS_SUITE_GCM = 1 << 0, /* TLS_SM4_GCM_SM3 */
	HF_TLS_SUITE_CCM = 1 << 1, /* TLS_SM4_CCM_SM3 */
	HF_TLS_SUITES = HF_TLS_SUITE_GCM | HF_TLS_SUITE_CCM,
};

enum hf_tls_type {
	HF_TLS_CCS = 20,
	HF_TLS_ALERT = 21,
	HF_TLS_HANDSHAKE = 22,
	HF_TLS_DATA = 23,
};

struct hf_tls_dir;

/* What a cipher suite does with records: a row of a constant table. Hash and curve are the same. */
struct hf_tls_suite {
	unsigned bit;         /* one of HF_TLS_SUITE_* */
	uint16_t number;      /* on the wire */
	uint64_t records_max; /* after so many, rekeying is due whatever the configuration says */
	hf_err (*init)(struct hf_tls_dir *d, const uint8_t *key, const uint8_t *iv);
	hf_err (*seal)(struct hf_tls_dir *d, const struct hf_aead *a);
	hf_err (*open)(struct hf_tls_dir *d, const struct hf_aead *a);
	uint64_t (*n_records)(const struct hf_tls_dir *d);
};

/* The best suite of a set, and the one of a number; NULL: none. */
const struct hf_tls_suite *hf_tls_suite_best(unsigned set);
const struct hf_tls_suite *hf_tls_suite_of(uint16_t number);

/* The i-th suite, best first; NULL: no more. */
const struct hf_tls_suite *hf_tls_suite_at(size_t i);

/* The keys of one direction. All zero: records travel in the clear. */
struct hf_tls_dir {
	const struct hf_tls_suite *suite;
	union {
		struct hf_gcm_seq gcm; /* the count of the one: records under this key so far */
		struct hf_ccm_seq ccm;
	};
	uint8_t secret[HF_SM3_LEN]; /* traffic secret, for the next generation */
	bool is_on;                 /* records are protected */
	uint64_t n_bytes;           /* content under this key so far */
	uint64_t since_ms;          /* when this key began */
};

struct hf_tls_head {
	uint8_t type;
	uint16_t version;
	uint16_t len; /* bytes that follow */
};

struct hf_tls_head hf_tls_head_get(const uint8_t in[HF_TLS_HEAD_LEN]);

/* Starts a generation of keys from a traffic secret; the record number becomes 0. */
HF_MUST_USE hf_err hf_tls_dir_set(struct hf_tls_dir *d, const struct hf_tls_suite *suite,
	const uint8_t secret[HF_SM3_LEN], uint64_t now_ms);

/* Records under the present key; 0 without one. */
uint64_t hf_tls_dir_records(const struct hf_tls_dir *d);

/* The next generation from the present one (RFC 8446 7.2). */
HF_MUST_USE hf_err hf_tls_dir_next(struct hf_tls_dir *d, uint64_t now_ms);
void hf_tls_dir_clear(struct hf_tls_dir *d);

/*
 * Writes one whole record to out (len + pad + HF_TLS_OVERHEAD bytes; without keys, head and content
 * only). len + pad <= HF_TLS_PLAIN_MAX. HF_ERR_LIMIT: no record number is left under this key; out
 * holds zeros after any failure.
 */
HF_MUST_USE hf_err hf_tls_seal(struct hf_tls_dir *d, uint8_t *out, enum hf_tls_type type,
	const uint8_t *in, size_t len, size_t pad);

/* What a protected record held. */
struct hf_tls_inner {
	uint8_t type; /* 0: padding only, which no sender may send */
	size_t len;   /* bytes of content */
};

/*
 * Opens one whole record (head and head.len bytes) into out, which has room for head.len - 16
 * bytes. HF_ERR_AUTH: altered, repeated, or out of order; nothing more is known.
 */
HF_MUST_USE hf_err hf_tls_open(
	struct hf_tls_dir *d, uint8_t *out, struct hf_tls_inner *inner, const uint8_t *record);

#endif
