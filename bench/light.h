/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The three sides of bench_light.c: the product, libgcrypt without the processor's special
 * instructions, and bench/baseline. All do the same work on the same keys and must agree.
 */
#ifndef HF_BENCH_LIGHT_H
#define HF_BENCH_LIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sm2.h"

enum {
	LIGHT_TEXT = 1 << 20, /* bytes that SM3 and SM4-GCM work on */
	LIGHT_SECRET = 32,    /* bytes that SM2 decrypts */
};

struct light {
	uint8_t *in;  /* LIGHT_TEXT bytes */
	uint8_t *out; /* likewise */
	uint8_t tag[16];
	uint8_t key[16];
	uint8_t nonce[12];
	uint8_t digest[32];
	uint8_t k[32]; /* the number that a baseline signature is made with */
	struct hf_rng rng;
	struct hf_sm2_key sm2;
	struct hf_sm2_sig sig;
	uint8_t secret[LIGHT_SECRET];
	uint8_t cipher[HF_SM2_CIPHER_OVERHEAD + LIGHT_SECRET]; /* of secret */
};

/* One operation; false: it failed. */
typedef bool light_fn(struct light *l);

struct light_side {
	const char *name;
	light_fn *sign;    /* of digest; sets sig */
	light_fn *verify;  /* of sig */
	light_fn *decrypt; /* of cipher; sets secret */
	light_fn *gcm;     /* of in, with key and nonce; sets out and tag */
	light_fn *sm3;     /* of in; sets digest */
	light_fn *tree; /* the digest that packages are made of; the plain sides have SM3 alone */

	/*
	 * Seals a file into another and signs it. The product goes from chunk to chunk; the others
	 * are plain: the file is read, encrypted, hashed and written as a whole.
	 */
	bool (*seal)(struct light *l, const char *to, const char *from);
};

extern const struct light_side light_ours;
extern const struct light_side light_gcrypt;
extern const struct light_side light_base;

/* Before anything else of libgcrypt: takes its hardware features away. Returns its version. */
const char *light_gcrypt_start(void);
void light_gcrypt_keys(const struct light *l);

/* A whole file into memory, which the caller frees; NULL: it cannot be read. And back. */
uint8_t *light_read(size_t *len, const char *path);
bool light_write(const char *path, const uint8_t *data, size_t len, const uint8_t tag[16],
	const struct hf_sm2_sig *sig);

#endif
