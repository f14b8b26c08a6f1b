/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One chunk: the unit of encryption, hashing, fetching and retry (docs/formats/package.md).
 *
 *	pid = HMAC-SM3(KDF(K_dom, "id"), suite, coding, base, lengths, tree-SM3(encoded))
 *	key || nonce = KDF(K_dom, "ck" || pid [|| package salt])
 *	ct  = SM4-GCM(key, nonce, AAD = suite, domain, coding, lengths; encoded) || tag
 *	cid = tree-SM3(ct)
 *
 * The key depends on every byte that it encrypts and on how they were encoded: one (key, nonce)
 * never meets two messages. All functions work on their own arguments only; threads may seal and
 * open side by side, each with its own struct hf_codec.
 */
#ifndef HF_PKG_CHUNK_H
#define HF_PKG_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "crypto/hmac.h"
#include "crypto/sm3.h"
#include "crypto/sm4.h"
#include "pkg/body.h"
#include "pkg/codec.h"

enum {
	HF_CHUNK_NONCE_LEN = 12,
};

/* Tensor of a chunk that no map describes; file of a base chunk. */
#define HF_CHUNK_NO_TENSOR UINT32_MAX
#define HF_CHUNK_NO_FILE   UINT32_MAX

/* What the sealed index says about a chunk. Secret: wipe it. */
struct hf_chunk {
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t nonce[HF_CHUNK_NONCE_LEN];
	uint32_t plain_len;
	uint32_t encoded_len; /* sealed length - 16 */
	struct hf_coding coding;
	uint16_t n_sites;    /* marked sites; 0 in this version */
	uint32_t base;       /* 1: XORed with base_chunk; 0: with none */
	uint64_t base_chunk; /* number among the base chunks of the package, its last ones */
	uint32_t file;       /* number of the file, or HF_CHUNK_NO_FILE */
	uint32_t tensor;     /* first tensor in it, or HF_CHUNK_NO_TENSOR */
	uint64_t offset;     /* of its plaintext in the file */
};

/* What the public table says about a chunk. */
struct hf_place {
	uint8_t cid[HF_SM3_LEN];
	uint8_t pack_id[HF_SM3_LEN];
	uint32_t pack;     /* number of the pack, unique in the package */
	uint32_t pack_len; /* bytes of that pack */
	uint32_t offset;   /* in the pack */
	uint32_t len;      /* sealed bytes */
};

/* The sealer's side of K_dom. Read-only after init; may be shared by threads. Secret. */
struct hf_chunk_keys {
	struct hf_hmac id;       /* keyed with KDF(K_dom, "id") */
	uint8_t prk[HF_SM3_LEN]; /* extracted from K_dom */
	uint8_t domain_id[HF_SM3_LEN];
	uint16_t suite;
	bool has_salt;
	uint8_t salt[HF_PKG_SALT_LEN];
};

/* salt: NULL, or the 32 bytes of a package that shall share no chunk with any other. */
HF_MUST_USE hf_err hf_chunk_keys_init(struct hf_chunk_keys *k, const uint8_t k_dom[HF_KDOM_LEN],
	const struct hf_pkg_scope *scope, const uint8_t *salt);
void hf_chunk_keys_clear(struct hf_chunk_keys *k);

/* A chunk of an earlier release, as long as the one that may be written as what differs from it. */
struct hf_chunk_base {
	const uint8_t *plain;
	uint8_t cid[HF_SM3_LEN]; /* of its sealed bytes: the base id of the format */
	uint64_t chunk;          /* what base_chunk becomes */
};

/* A chunk on its way out. The caller sets ct, ct_cap, base, and in chunk: file, tensor, offset. */
struct hf_sealed {
	struct hf_chunk chunk;
	uint8_t cid[HF_SM3_LEN];
	uint8_t *ct; /* caller's storage, plain_len + 16 bytes are always enough */
	size_t ct_cap;
	size_t ct_len;                    /* written */
	const struct hf_chunk_base *base; /* NULL: none; what came of it is in chunk.base */
};

/*
 * Encodes, derives and seals one chunk. plain must not overlap s->ct. HF_ERR_LIMIT: empty, or
 * longer than HF_CHUNK_PLAIN_MAX or than the codec was made for, or no room.
 */
HF_MUST_USE hf_err hf_chunk_seal(struct hf_sealed *s, const struct hf_chunk_keys *k,
	struct hf_codec *codec, const uint8_t *plain, size_t plain_len);

/*
 * The public check that everybody can make who has the table. HF_ERR_AUTH: not this chunk.
 */
HF_MUST_USE hf_err hf_chunk_check(const struct hf_place *place, const uint8_t *ct, size_t ct_len);

/* A chunk on its way in. */
struct hf_opening {
	const struct hf_pkg_scope *scope;
	const struct hf_place *place;
	const struct hf_chunk *chunk;
	const uint8_t *ct;
	size_t ct_len;
	const uint8_t *base; /* chunk->plain_len bytes, if chunk->base is not 0 */
	uint8_t *out;
	size_t out_cap; /* at least chunk->plain_len */
};

/*
 * Length bound, cid, AEAD, bounded decoding, in this order; then chunk->plain_len bytes are in out.
 * HF_ERR_AUTH: not the chunk that was signed. HF_ERR_FORMAT: sealed bytes that do not decode (a
 * publisher's fault). HF_ERR_UNSUPPORTED: a codec of a later version. HF_ERR_LIMIT: no room.
 * HF_ERR_ARG: no base, the codec decodes nothing. On failure out has been zeroed. ct must not
 * overlap out.
 */
HF_MUST_USE hf_err hf_chunk_open(const struct hf_opening *o, struct hf_codec *codec);

#endif
