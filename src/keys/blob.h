/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HFKB, the one format of a wrapped key (docs/formats/key-blob.md). A wrapping seed of 32 bytes
 * never encrypts twice with one key: every blob derives a single-use key from its own salt and
 * header. A commitment makes a blob open under one seed only, and is checked before anything is
 * decrypted. The context binds the blob to its place: where it is read, the same one is expected.
 */
#ifndef HF_KEYS_BLOB_H
#define HF_KEYS_BLOB_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "base/secret.h"

enum {
	HF_KEY_ID_LEN = 16,
	HF_KEY_SEED_LEN = 32,
	HF_BLOB_CONTEXT_MAX = 1024, /* bytes */
	HF_BLOB_PLAIN_MAX = 4096,   /* bytes of a wrapped key */
	HF_BLOB_OVERHEAD = 70 + 32 + 32 + 2 + 16,
	HF_BLOB_MAX = HF_BLOB_OVERHEAD + HF_BLOB_CONTEXT_MAX + HF_BLOB_PLAIN_MAX,
};

/* What a key may be used for (bits). */
enum {
	HF_KEY_SIGN = 1 << 0,
	HF_KEY_DECRYPT = 1 << 1,
	HF_KEY_WRAP = 1 << 2,
	HF_KEY_DERIVE = 1 << 3,
	HF_KEY_ISSUE = 1 << 4, /* certificates */
};

struct hf_blob_info {
	uint16_t flags; /* none in this version: 0 */
	uint8_t wrap_key_id[HF_KEY_ID_LEN];
	uint32_t wrap_key_version;
	uint8_t key_id[HF_KEY_ID_LEN];
	uint32_t key_version;
	uint8_t tier;  /* 1..3 */
	uint8_t level; /* 1..3 */
	uint16_t usage;
	uint64_t not_before; /* seconds since 1970 */
	uint64_t not_after;
	const char *context; /* sorted "name=value\n" lines, UTF-8; borrowed */
	size_t context_len;
};

/*
 * Wraps plain under seed. *out_len: in: room, out: bytes (HF_BLOB_OVERHEAD + context + plain).
 * HF_ERR_LIMIT: something is longer than the format allows, or no room.
 */
HF_MUST_USE hf_err hf_blob_wrap(uint8_t *out, size_t *out_len, const struct hf_blob_info *info,
	const uint8_t seed[HF_KEY_SEED_LEN], const uint8_t *plain, size_t plain_len,
	const struct hf_rng *rng);

/*
 * Reads the public part of a blob. info->context points into in. HF_ERR_FORMAT, HF_ERR_TRUNCATED:
 * none. HF_ERR_UNSUPPORTED: of another version, or with flags. HF_ERR_LIMIT: something is too long.
 */
HF_MUST_USE hf_err hf_blob_parse(struct hf_blob_info *info, const uint8_t *in, size_t in_len);

/*
 * Opens a blob. *plain_len: in: room, out: bytes.
 * HF_ERR_AUTH: altered, other seed, or other context; do not retry. HF_ERR_LIMIT: no room.
 * On failure plain is zero.
 */
HF_MUST_USE hf_err hf_blob_unwrap(uint8_t *plain, size_t *plain_len,
	const uint8_t seed[HF_KEY_SEED_LEN], const char *context, const uint8_t *in, size_t in_len);

#endif
