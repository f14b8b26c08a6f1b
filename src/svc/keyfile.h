/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 key pairs and short secrets at rest: one key blob a file (docs/formats/key-blob.md), mode
 * 0600. The blob's context is the purpose and the owner, so a file cannot take another's place.
 */
#ifndef HF_SVC_KEYFILE_H
#define HF_SVC_KEYFILE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm2.h"
#include "keys/blob.h"
#include "svc/env.h"

struct hf_keyfile {
	const char *path;
	const char *purpose; /* "sign", "enc", "ca", "director", "root-role", "audit", "kdom" */
	const char *owner;   /* "hub-1", or the lineage of a K_dom */
	const uint8_t *seed; /* HF_KEY_SEED_LEN bytes that wrap it */
	uint16_t usage;      /* HF_KEY_*; for writing */
	uint8_t tier;        /* 1..3; for writing */
};

/* Replaces the file. */
HF_MUST_USE hf_err hf_keyfile_write_sm2(const struct hf_env *env, const struct hf_keyfile *f,
	const struct hf_sm2_key *key, struct hf_errinfo *ei);
HF_MUST_USE hf_err hf_keyfile_write(const struct hf_env *env, const struct hf_keyfile *f,
	const uint8_t *secret, size_t len, struct hf_errinfo *ei);

/*
 * HF_ERR_NOT_FOUND: no such file. HF_ERR_AUTH: altered, another owner or purpose, or wrapped under
 * another seed. End the key with hf_sm2_key_clear().
 */
HF_MUST_USE hf_err hf_keyfile_read_sm2(const struct hf_env *env, const struct hf_keyfile *f,
	struct hf_sm2_key *key, struct hf_errinfo *ei);

/* Exactly len bytes. */
HF_MUST_USE hf_err hf_keyfile_read(const struct hf_env *env, const struct hf_keyfile *f,
	uint8_t *secret, size_t len, struct hf_errinfo *ei);

#endif
