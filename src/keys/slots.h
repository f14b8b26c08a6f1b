/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root seed and what it stands behind (F1; docs/formats/key-slots.md). The seed lies in a file
 * of independent slots; any one of them opens it. A Shamir slot is always there and is the last one
 * that may go; a passphrase slot is for demonstrations and tests and is named so in every report.
 */
#ifndef HF_KEYS_SLOTS_H
#define HF_KEYS_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "keys/blob.h"
#include "keys/shamir.h"

enum {
	HF_SLOTS_MAX = 8,
	HF_SLOT_BLOB_MAX = 320, /* bytes of a slot's blob */
	HF_SLOTS_FILE_MAX = 4096,
	HF_KCV_LEN = 8,
	HF_SLOT_SALT_LEN = 32,
	HF_SLOT_ITERATIONS = 600000, /* PBKDF2-HMAC-SM3 of a passphrase slot */
	HF_PASSPHRASE_MIN = 8,       /* bytes */
};

enum hf_slot_kind {
	HF_SLOT_SHAMIR = 1,
	HF_SLOT_PASSPHRASE = 2,
};

struct hf_slot {
	enum hf_slot_kind kind;
	uint8_t set[HF_SHARE_SET_LEN];  /* Shamir: which shares open it */
	uint8_t salt[HF_SLOT_SALT_LEN]; /* passphrase */
	uint32_t iterations;            /* passphrase */
	uint8_t blob[HF_SLOT_BLOB_MAX]; /* HFKB of the root seed */
	size_t blob_len;
};

struct hf_slots {
	uint8_t key_id[HF_KEY_ID_LEN]; /* of the root seed */
	uint32_t version;              /* of the root seed */
	uint8_t kcv[HF_KCV_LEN];       /* public check value of the seed */
	struct hf_slot slot[HF_SLOTS_MAX];
	size_t n_slots;
};

/* A new, empty set of slots for a seed. */
HF_MUST_USE hf_err hf_slots_init(
	struct hf_slots *s, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng);

/* Adds a Shamir slot and writes n shares of its key. HF_ERR_LIMIT: no slot free. */
HF_MUST_USE hf_err hf_slots_add_shamir(struct hf_slots *s, struct hf_share *shares,
	uint8_t threshold, uint8_t n, const uint8_t seed[HF_KEY_SEED_LEN],
	const struct hf_rng *rng);

/* Adds a passphrase slot. HF_ERR_ARG: shorter than HF_PASSPHRASE_MIN. */
HF_MUST_USE hf_err hf_slots_add_passphrase(struct hf_slots *s, const void *passphrase,
	size_t passphrase_len, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng);

/* Opens the seed with shares. HF_ERR_AUTH: they open no slot of this file. */
HF_MUST_USE hf_err hf_slots_open_shares(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *s,
	const struct hf_share *shares, size_t n_shares, struct hf_errinfo *ei);

/* Opens the seed with a passphrase. HF_ERR_AUTH: it opens no slot of this file. */
HF_MUST_USE hf_err hf_slots_open_passphrase(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *s,
	const void *passphrase, size_t passphrase_len, struct hf_errinfo *ei);

/* The file form. *out_len: in: room, out: bytes. */
HF_MUST_USE hf_err hf_slots_emit(uint8_t *out, size_t *out_len, const struct hf_slots *s);
HF_MUST_USE hf_err hf_slots_parse(struct hf_slots *s, const uint8_t *in, size_t in_len);

/*
 * A working secret of 32 bytes derived from the root seed for one purpose: "wrap", "backup",
 * "token". The seed itself encrypts nothing.
 */
HF_MUST_USE hf_err hf_root_derive(
	uint8_t out[HF_KEY_SEED_LEN], const uint8_t seed[HF_KEY_SEED_LEN], const char *purpose);

/*
 * The storage seed of a device of hardware class D: from a secret made at installation and a
 * fingerprint of the machine. It deters copying a disk, nothing more; reports say so.
 */
HF_MUST_USE hf_err hf_device_kek(uint8_t out[HF_KEY_SEED_LEN],
	const uint8_t install_secret[HF_KEY_SEED_LEN], const void *fingerprint,
	size_t fingerprint_len);

#endif
