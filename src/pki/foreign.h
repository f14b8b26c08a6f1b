/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two foreign algorithms that key files of OpenSSL are encrypted with: PBKDF2-HMAC-SHA256 and
 * AES-CBC. Used for reading such files (pki/pkcs8.c) and for nothing else; Hufu writes neither.
 */
#ifndef HF_PKI_FOREIGN_H
#define HF_PKI_FOREIGN_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum {
	HF_FOREIGN_AES_BLOCK = 16,
	HF_FOREIGN_KEY_MAX = 32, /* bytes of an AES-256 key */
};

/* One block of output is enough: out_len is at most 32. HF_ERR_ARG otherwise, or iterations 0. */
HF_MUST_USE hf_err hf_foreign_pbkdf2_sha256(uint8_t *out, size_t out_len, const void *password,
	size_t password_len, const void *salt, size_t salt_len, uint32_t iterations);

/* CBC over whole blocks, no padding removed; key_len 16 or 32. out may be exactly in. */
HF_MUST_USE hf_err hf_foreign_aes_cbc_decrypt(uint8_t *out, const uint8_t *in, size_t n_blocks,
	const uint8_t *key, size_t key_len, const uint8_t iv[HF_FOREIGN_AES_BLOCK]);

#endif
