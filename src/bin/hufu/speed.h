/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast the module is here: rows, one an algorithm and length, and a stop-watch for them. A file
 * speed_<family>.c has the rows of a family. hufu bench crypto prints them all;
 * bench/bench_crypto.c sets what others do beside them.
 */
#ifndef HF_BIN_HUFU_SPEED_H
#define HF_BIN_HUFU_SPEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "crypto/sm4.h"
#include "crypto/xts.h"

enum {
	HUFU_SPEED_TEXT = 16384,     /* bytes of a long message */
	HUFU_SPEED_DATA = 1 << 20,   /* bytes that a row may read: a chunk of a package */
	HUFU_SPEED_OUT = 16 * 16384, /* bytes that a row may write */
	HUFU_SPEED_SM3_N = 64,       /* messages of a batch, at most */
	HUFU_SPEED_SM2_N = 64,       /* keys and signatures at hand for batches */
};

/* Keys and bytes that rows work on. About 1.3 MiB. */
struct hufu_speed {
	uint8_t in[HUFU_SPEED_DATA];
	uint8_t out[HUFU_SPEED_OUT];
	uint8_t tag[16][HF_GCM_TAG_LEN];
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[HF_SM4_BLOCK_LEN]; /* the first bytes are the nonce of AEADs */
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;
	struct hf_xts_key xts; /* its keys: key, and the bytes of in from 64 on */
	struct hf_hmac hmac;   /* keyed with key */
	struct hf_drbg drbg;
	struct hf_rng rng;
	struct hf_sm2_key sm2[HUFU_SPEED_SM2_N];
	struct hf_sm2_sig
		sig[HUFU_SPEED_SM2_N]; /* of the digest at in, by the key of that number */
	uint8_t sm2_cipher[HF_SM2_CIPHER_OVERHEAD + 32];
	void *beside; /* what a bench program keeps for the rows of others */
};

struct hufu_speed_row;

/* Does the work of a row once. false: it failed. */
typedef bool hufu_speed_fn(struct hufu_speed *s, const struct hufu_speed_row *row);

struct hufu_speed_row {
	const char *name; /* with len and n the only one */
	size_t len;       /* bytes of a message; 0: operations are counted */
	size_t n;         /* messages or operations of one call */
	hufu_speed_fn *run;
};

/* The rows of all families, in order; NULL from the count on. */
const struct hufu_speed_row *hufu_speed_row_at(size_t i);

/* Makes keys and data. The module has been started. End it with hufu_speed_clear(). */
HF_MUST_USE hf_err hufu_speed_init(struct hufu_speed *s);
void hufu_speed_clear(struct hufu_speed *s);

/* Messages or operations a second of processor time, n being those of one call; 0: it failed. */
double hufu_speed_sample(
	hufu_speed_fn *run, struct hufu_speed *s, const struct hufu_speed_row *row, size_t n);

/* What a row is counted in, "GB/s" or "k/s", and how many of these rate is. */
const char *hufu_speed_unit(const struct hufu_speed_row *row);
double hufu_speed_value(const struct hufu_speed_row *row, double rate);

/* "16 KiB", "4 KiB x 16", "x 64", or nothing. */
void hufu_speed_size_text(char *text, size_t cap, const struct hufu_speed_row *row);

/* One a family, for the functions above. */
const struct hufu_speed_row *hufu_speed_sm3(size_t *n);
const struct hufu_speed_row *hufu_speed_sm4(size_t *n);
const struct hufu_speed_row *hufu_speed_sm2(size_t *n);

#endif
