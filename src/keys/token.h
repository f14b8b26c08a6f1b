/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolment tokens (design 5; docs/formats/token.md): a short-lived permission for one device to
 * get its certificates. It carries the SM3 of the root CA certificate, so a device that knows
 * nothing else cannot be lured to another hub. The hub binds it to the first key it sees with it.
 */
#ifndef HF_KEYS_TOKEN_H
#define HF_KEYS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "crypto/sm3.h"
#include "keys/blob.h"

enum {
	HF_TOKEN_ID_LEN = 16,
	HF_TOKEN_NAME_MAX = 64,  /* characters of a device name or a role */
	HF_TOKEN_TEXT_MAX = 512, /* characters of the printed form, with terminator */
};

struct hf_token {
	uint8_t id[HF_TOKEN_ID_LEN];
	char device[HF_TOKEN_NAME_MAX + 1]; /* [a-z0-9.-]+ */
	char role[HF_TOKEN_NAME_MAX + 1];   /* "device" or "edge" */
	uint8_t level;                      /* 1..3 */
	uint64_t not_after;                 /* seconds since 1970 */
	uint8_t root_ca[HF_SM3_LEN];        /* SM3 of the root CA certificate */
};

/* True for 1..64 characters of a-z, 0-9, '-' and '.', the first one a letter or a digit. */
bool hf_device_name_is_valid(const char *name);

/* The token as one word, authenticated with the hub's token key. HF_ERR_ARG: a bad name. */
HF_MUST_USE hf_err hf_token_emit(char text[HF_TOKEN_TEXT_MAX], const struct hf_token *t,
	const uint8_t token_key[HF_KEY_SEED_LEN]);

/* Reads a token without being able to check it: what a device does. HF_ERR_FORMAT. */
HF_MUST_USE hf_err hf_token_parse(struct hf_token *t, const char *text, size_t text_len);

/* Reads and checks: what the hub does. HF_ERR_AUTH: not one of ours. HF_ERR_EXPIRED. */
HF_MUST_USE hf_err hf_token_check(struct hf_token *t, const char *text, size_t text_len,
	const uint8_t token_key[HF_KEY_SEED_LEN], uint64_t now_s);

#endif
