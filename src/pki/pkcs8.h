/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files with SM2 private keys: PKCS#8 (RFC 5208, 5958), the bare ECPrivateKey of RFC 5915, and
 * PBES2-encrypted PKCS#8 (RFC 8018). Written with national ciphers only; read also in the flavours
 * of OpenSSL (HMAC-SHA256, AES-CBC) and GmSSL, because those files exist.
 */
#ifndef HF_PKI_PKCS8_H
#define HF_PKI_PKCS8_H

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/rng.h"
#include "base/wr.h"
#include "crypto/sm2.h"

enum {
	HF_PKCS8_PLAIN_MAX = 512,           /* longest plain form that is read */
	HF_PKCS8_SEALED_MAX = 1024,         /* longest encrypted form that is read */
	HF_PKCS8_EMIT_MAX = 320,            /* room for what hf_pkcs8_emit() and _seal() write */
	HF_PKCS8_ITERATIONS = 200000,       /* what callers write unless they have a reason */
	HF_PKCS8_ITERATIONS_MIN = 1024,     /* GM/T 0091-2020; fewer are read, not written */
	HF_PKCS8_ITERATIONS_MAX = 10000000, /* more are refused: a file must not stop the reader */
};

/*
 * Plain PKCS#8 v0/v1 or ECPrivateKey. If a public key is written in it, it must be that of the
 * private key. PEM labels "PRIVATE KEY", "EC PRIVATE KEY". HF_ERR_FORMAT, HF_ERR_TRUNCATED,
 * HF_ERR_UNSUPPORTED: another kind of key. On failure *key is zero.
 */
HF_MUST_USE hf_err hf_pkcs8_parse(
	struct hf_sm2_key *key, const uint8_t *in, size_t in_len, struct hf_errinfo *ei);

/* Writes plain PKCS#8. The writer's bytes are secret: wipe them. */
void hf_pkcs8_emit(struct hf_writer *w, const struct hf_sm2_key *key);

/*
 * EncryptedPrivateKeyInfo. PEM label "ENCRYPTED PRIVATE KEY". HF_ERR_AUTH: wrong passphrase, or
 * altered. HF_ERR_UNSUPPORTED: another scheme. HF_ERR_LIMIT: too many iterations.
 * Not guaranteed: CBC does not authenticate, but a wrong key never passes as a valid pair.
 */
HF_MUST_USE hf_err hf_pkcs8_open(struct hf_sm2_key *key, const uint8_t *in, size_t in_len,
	struct hf_bytes passphrase, struct hf_errinfo *ei);

enum hf_pkcs8_flavour {
	HF_PKCS8_STANDARD, /* hmacWithSM3 1.2.156.10197.1.401.3.1: OpenSSL 4, Tongsuo, ours */
	HF_PKCS8_GMSSL,    /* HMAC-SM3 1.2.156.10197.1.401.2: GmSSL */
};

/* PBES2 with PBKDF2-HMAC-SM3 and SM4-CBC. HF_ERR_ARG: iterations outside MIN..MAX. */
HF_MUST_USE hf_err hf_pkcs8_seal(struct hf_writer *w, const struct hf_sm2_key *key,
	struct hf_bytes passphrase, uint32_t iterations, enum hf_pkcs8_flavour flavour,
	const struct hf_rng *rng);

/*
 * Whatever a key file holds: PEM or DER, plain or encrypted. HF_ERR_AUTH also when the file is
 * encrypted and passphrase is empty (ei says so). HF_ERR_NOT_FOUND: PEM text without a private key.
 */
HF_MUST_USE hf_err hf_pkcs8_read(struct hf_sm2_key *key, struct hf_bytes file,
	struct hf_bytes passphrase, struct hf_errinfo *ei);

#endif
