/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 on the recommended curve sm2p256v1: signature (GB/T 32918.2-2016), key exchange (.3),
 * encryption (.4), with the parameters of .5; formats of GM/T 0009-2012. All input from outside is
 * validated here; private values decide neither branch nor address.
 */
#ifndef HF_CRYPTO_SM2_H
#define HF_CRYPTO_SM2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"
#include "crypto/sm3.h"

enum {
	HF_SM2_LEN = 32,             /* bytes of a field element and of a scalar */
	HF_SM2_POINT_LEN = 65,       /* 04 || X || Y */
	HF_SM2_SIG_LEN = 64,         /* r || s */
	HF_SM2_SIG_DER_MAX = 72,     /* SEQUENCE { INTEGER r, INTEGER s } */
	HF_SM2_CIPHER_OVERHEAD = 96, /* C1 without 04 (64) and C3 (32) */
	HF_SM2_PLAIN_MAX = 65536,    /* bytes that one encryption takes */
	HF_SM2_ID_MAX = 8191,        /* bytes: ENTL is 16 bits and counts bits */
};

/* The user ID of certificates and of everything but TLS 1.3 handshakes; 16 bytes. */
#define HF_SM2_ID_DEFAULT "1234567812345678"
/* The user ID of TLS 1.3 handshake signatures, RFC 8998 3.2.1; 23 bytes. */
#define HF_SM2_ID_TLS13 "TLSv1.3+GM+Cipher+Suite"

/* A public key, always a valid point when it came out of this header. */
struct hf_sm2_pub {
	uint8_t x[HF_SM2_LEN];
	uint8_t y[HF_SM2_LEN];
};

/*
 * A key pair. End it with hf_sm2_key_clear(). Every function that takes one returns HF_ERR_ARG if d
 * is out of range, as it is after hf_sm2_key_clear().
 */
struct hf_sm2_key {
	uint8_t d[HF_SM2_LEN]; /* secret, 1 .. n - 2 */
	struct hf_sm2_pub pub;
};

struct hf_sm2_sig {
	uint8_t r[HF_SM2_LEN];
	uint8_t s[HF_SM2_LEN];
};

/*
 * A new key pair; a pairwise consistency test has passed. HF_ERR_ENTROPY: the generator failed, or
 * gave nothing usable in 64 tries. On failure *key is zero.
 */
HF_MUST_USE hf_err hf_sm2_key_new(struct hf_sm2_key *key, const struct hf_rng *rng);

/* The pair of a given private value. HF_ERR_FORMAT: d is not in 1 .. n - 2. */
HF_MUST_USE hf_err hf_sm2_key_from_private(struct hf_sm2_key *key, const uint8_t d[HF_SM2_LEN]);
void hf_sm2_key_clear(struct hf_sm2_key *key);

/*
 * Reads 04 || X || Y (65 bytes), 02/03 || X (33), or X || Y (64).
 * HF_ERR_FORMAT: other length or first byte, coordinate >= p, not on the curve, infinity.
 */
HF_MUST_USE hf_err hf_sm2_pub_parse(struct hf_sm2_pub *pub, const uint8_t *in, size_t in_len);
void hf_sm2_pub_emit(uint8_t out[HF_SM2_POINT_LEN], const struct hf_sm2_pub *pub);

/* Checks a public key that did not come from hf_sm2_pub_parse(). HF_ERR_FORMAT as there. */
HF_MUST_USE hf_err hf_sm2_pub_check(const struct hf_sm2_pub *pub);

/* Z of GB/T 32918.2 5.5: the hash of ID, curve and public key. HF_ERR_LIMIT: ID too long. */
HF_MUST_USE hf_err hf_sm2_z(
	uint8_t z[HF_SM3_LEN], const struct hf_sm2_pub *pub, const void *id, size_t id_len);

/* e = SM3(Z || message), the value that is signed. */
HF_MUST_USE hf_err hf_sm2_digest(uint8_t e[HF_SM3_LEN], const struct hf_sm2_pub *pub,
	const void *id, size_t id_len, const void *message, size_t message_len);

/* Signs e. The nonce is drawn from rng and never used again. HF_ERR_ENTROPY as key_new. */
HF_MUST_USE hf_err hf_sm2_sign_digest(struct hf_sm2_sig *sig, const struct hf_sm2_key *key,
	const uint8_t e[HF_SM3_LEN], const struct hf_rng *rng);

/* HF_ERR_AUTH: not a signature of e by this key (also: r or s out of range, r + s = n). */
HF_MUST_USE hf_err hf_sm2_verify_digest(
	const struct hf_sm2_pub *pub, const uint8_t e[HF_SM3_LEN], const struct hf_sm2_sig *sig);

/* Sign and verify a message with an ID (Z is computed here). */
HF_MUST_USE hf_err hf_sm2_sign(struct hf_sm2_sig *sig, const struct hf_sm2_key *key, const void *id,
	size_t id_len, const void *message, size_t message_len, const struct hf_rng *rng);
HF_MUST_USE hf_err hf_sm2_verify(const struct hf_sm2_pub *pub, const void *id, size_t id_len,
	const void *message, size_t message_len, const struct hf_sm2_sig *sig);

/* SEQUENCE { INTEGER r, INTEGER s }. Strict DER: HF_ERR_FORMAT for anything else, trailing too. */
HF_MUST_USE hf_err hf_sm2_sig_parse_der(struct hf_sm2_sig *sig, const uint8_t *in, size_t in_len);
size_t hf_sm2_sig_emit_der(uint8_t out[HF_SM2_SIG_DER_MAX], const struct hf_sm2_sig *sig);

/*
 * The x coordinate of [d]P, 32 bytes (RFC 8998 3.3). peer is checked again.
 * HF_ERR_FORMAT: peer is no point of the curve.
 */
HF_MUST_USE hf_err hf_sm2_ecdh(
	uint8_t x[HF_SM2_LEN], const struct hf_sm2_key *key, const struct hf_sm2_pub *peer);

/* Key exchange, GB/T 32918.3-2016 6.1. */
struct hf_sm2_kex {
	bool is_initiator;               /* A of the standard */
	const struct hf_sm2_key *self;   /* static pair */
	const struct hf_sm2_key *self_r; /* ephemeral pair */
	const void *self_id;
	size_t self_id_len;
	const struct hf_sm2_pub *peer;   /* static */
	const struct hf_sm2_pub *peer_r; /* ephemeral */
	const void *peer_id;
	size_t peer_id_len;
};

/*
 * The shared key of key_len bytes. s_self / s_peer (32 bytes each, may be NULL together) are the
 * confirmation values: this side sends s_self and compares what it gets with s_peer.
 * HF_ERR_FORMAT: a public key is no point of the curve. HF_ERR_AUTH: the shared point is infinity.
 */
HF_MUST_USE hf_err hf_sm2_kex_key(
	uint8_t *key, size_t key_len, uint8_t *s_self, uint8_t *s_peer, const struct hf_sm2_kex *x);

/*
 * Encryption, GB/T 32918.4-2016 6.1, raw C1C3C2 without the 04: out is 96 + in_len bytes.
 * HF_ERR_LIMIT: empty or longer than HF_SM2_PLAIN_MAX.
 */
HF_MUST_USE hf_err hf_sm2_encrypt(uint8_t *out, const struct hf_sm2_pub *pub, const uint8_t *in,
	size_t in_len, const struct hf_rng *rng);

/*
 * out is in_len - 96 bytes; neither here nor in hf_sm2_encrypt() may it overlap in. HF_ERR_AUTH:
 * anything wrong, in equal words; out has been zeroed.
 */
HF_MUST_USE hf_err hf_sm2_decrypt(
	uint8_t *out, const struct hf_sm2_key *key, const uint8_t *in, size_t in_len);

/*
 * SM2Cipher of GM/T 0009-2012 7.2: SEQUENCE { x INTEGER, y INTEGER, C3 OCTET STRING, C2 OCTET
 * STRING } to and from the raw form above. *out_len: in: room, out: bytes.
 * HF_ERR_LIMIT: no room. HF_ERR_FORMAT: not strict DER.
 */
HF_MUST_USE hf_err hf_sm2_cipher_emit_der(
	uint8_t *out, size_t *out_len, const uint8_t *raw, size_t raw_len);
HF_MUST_USE hf_err hf_sm2_cipher_parse_der(
	uint8_t *raw, size_t *raw_len, const uint8_t *in, size_t in_len);

/*
 * Many independent operations at once (batch interface): much faster than one after another where
 * the processor has a kernel for it, best in multiples of 32. Any n. Each job has its own result,
 * and one that fails spoils no other. All return HF_OK if every job did, else the first failure.
 */
struct hf_sm2_verify_job {
	const struct hf_sm2_pub *pub;
	const uint8_t *e; /* 32 bytes */
	const struct hf_sm2_sig *sig;
	hf_err result; /* written: as hf_sm2_verify_digest() */
};

HF_MUST_USE hf_err hf_sm2_verify_batch(struct hf_sm2_verify_job *jobs, size_t n);

struct hf_sm2_sign_job {
	const struct hf_sm2_key *key;
	const uint8_t *e;       /* 32 bytes */
	struct hf_sm2_sig *sig; /* written on success */
	hf_err result;          /* written: as hf_sm2_sign_digest() */
};

HF_MUST_USE hf_err hf_sm2_sign_batch(
	struct hf_sm2_sign_job *jobs, size_t n, const struct hf_rng *rng);

struct hf_sm2_ecdh_job {
	const struct hf_sm2_key *key;
	const struct hf_sm2_pub *peer;
	uint8_t *x;    /* 32 bytes, written on success */
	hf_err result; /* written: as hf_sm2_ecdh() */
};

HF_MUST_USE hf_err hf_sm2_ecdh_batch(struct hf_sm2_ecdh_job *jobs, size_t n);

struct hf_sm2_key_job {
	struct hf_sm2_key *key; /* written; zero on failure */
	hf_err result;          /* written: as hf_sm2_key_new() */
};

HF_MUST_USE hf_err hf_sm2_key_new_batch(
	struct hf_sm2_key_job *jobs, size_t n, const struct hf_rng *rng);

#endif
