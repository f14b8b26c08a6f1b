/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages of any length in the modes of GB/T 17964-2021, at once or in pieces. None of them
 * authenticates: whoever can alter a ciphertext alters what comes out. Use GCM (gcm.h) unless a
 * format demands one of these.
 *
 * A key schedule (sm4.h) is read-only and may be shared by threads; a stream belongs to one. An IV
 * is 16 bytes and must not repeat under a key: in CBC, CFB and BC it must be unpredictable too.
 */
#ifndef HF_CRYPTO_SM4_MODES_H
#define HF_CRYPTO_SM4_MODES_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "crypto/sm4.h"

enum hf_sm4_mode {
	/* Of whole blocks: a message is a multiple of 16 bytes, or padded. */
	HF_SM4_ECB,
	HF_SM4_CBC,
	HF_SM4_BC,     /* block chaining: each block with the sum of all ciphertext before it */
	HF_SM4_OFBNLF, /* output feedback whose output is the key of each block */
	/* Of any number of bytes. */
	HF_SM4_CFB,  /* feedback of 128 bits */
	HF_SM4_CFB8, /* of 8 bits: one encryption a byte */
	HF_SM4_CFB1, /* of 1 bit, the highest of a byte first: one encryption a bit */
	HF_SM4_OFB,
	HF_SM4_CTR, /* the counter block is a 128-bit big-endian number */
	HF_SM4_N_MODES,
};

enum hf_sm4_how {
	HF_SM4_ENCRYPT = 0,
	HF_SM4_DECRYPT = 1 << 0,
	HF_SM4_PADDED = 1 << 1, /* PKCS#7 (RFC 5652 6.3): ECB, CBC, BC and OFBNLF only */
};

/*
 * A whole message. *out_len: in: room, out: bytes. out may be exactly in; iv is not changed and may
 * be NULL for ECB. There must be room for as many bytes as go in, and encrypting with padding needs
 * room for the 1 to 16 bytes that this adds.
 * HF_ERR_ARG: padding in a mode that has none. HF_ERR_LIMIT: too little room. HF_ERR_FORMAT: not
 * whole blocks, where they are needed. HF_ERR_AUTH: the padding is wrong; the plaintext has been
 * zeroed and *out_len is 0. The padding is checked in the same time whatever it is, but that it was
 * wrong is told: a caller that lets a stranger see the difference gives him the plaintext, block by
 * block. So authenticate the ciphertext before it is decrypted.
 */
HF_MUST_USE hf_err hf_sm4_crypt(const struct hf_sm4_key *k, enum hf_sm4_mode mode, unsigned how,
	const uint8_t *iv, uint8_t *out, size_t *out_len, struct hf_bytes in);

/* A message in pieces. End it with hf_sm4_stream_end(). */
struct hf_sm4_stream {
	const struct hf_sm4_key *key; /* borrowed; NULL: over, or never started */
	enum hf_sm4_mode mode;
	unsigned how;
	uint8_t chain[HF_SM4_BLOCK_LEN]; /* chaining value: what the next block depends on */
	uint8_t part[HF_SM4_BLOCK_LEN];  /* input of a part block; without blocks: key stream */
	size_t fill;                     /* bytes of part that are there, or used up */
};

/* Errors as hf_sm4_crypt(). */
HF_MUST_USE hf_err hf_sm4_stream_start(struct hf_sm4_stream *s, const struct hf_sm4_key *k,
	enum hf_sm4_mode mode, unsigned how, const uint8_t *iv);

/*
 * The next piece, of any length. *out_len: in: room, out: bytes, at most in_len + 15. In the modes
 * without blocks out may be in; in the others they must not overlap.
 * HF_ERR_LIMIT: room for fewer bytes than come out; nothing was done.
 */
HF_MUST_USE hf_err hf_sm4_stream_feed(
	struct hf_sm4_stream *s, uint8_t *out, size_t *out_len, const uint8_t *in, size_t in_len);

/*
 * What is left, at most 16 bytes; afterwards the stream is over. HF_ERR_FORMAT: the message was not
 * of whole blocks. HF_ERR_AUTH: the padding is wrong; see hf_sm4_crypt().
 */
HF_MUST_USE hf_err hf_sm4_stream_done(
	struct hf_sm4_stream *s, uint8_t out[HF_SM4_BLOCK_LEN], size_t *out_len);
void hf_sm4_stream_end(struct hf_sm4_stream *s); /* wipes */

#endif
