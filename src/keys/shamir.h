/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Splitting a 32-byte secret among custodians (Shamir, GF(2^8), polynomial x^8+x^4+x^3+x+1), any
 * `threshold` of whom bring it back, and fewer learn nothing. No table, no branch on a share.
 */
#ifndef HF_KEYS_SHAMIR_H
#define HF_KEYS_SHAMIR_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rng.h"

enum {
	HF_SHARE_SECRET_LEN = 32,
	HF_SHARE_SET_LEN = 8, /* random name of a set: shares of two sets never mix */
	HF_SHARES_MAX = 15,
	HF_SHARE_TEXT_MAX = 160, /* characters of the printed form, with terminator */
};

struct hf_share {
	uint8_t set[HF_SHARE_SET_LEN];
	uint8_t index;     /* 1 .. n */
	uint8_t threshold; /* 2 .. n */
	uint8_t n;
	uint8_t y[HF_SHARE_SECRET_LEN]; /* secret */
};

/*
 * Writes n shares. HF_ERR_ARG: not 2 <= threshold <= n <= HF_SHARES_MAX.
 * The caller wipes shares[] after handing them out.
 */
HF_MUST_USE hf_err hf_shamir_split(struct hf_share *shares, uint8_t threshold, uint8_t n,
	const uint8_t secret[HF_SHARE_SECRET_LEN], const struct hf_rng *rng);

/*
 * Brings the secret back from n_shares shares; the first `threshold` are used.
 * HF_ERR_STATE: fewer than the threshold. HF_ERR_FORMAT: of different sets, or one twice.
 * Whether it is the right secret only its check value can tell: compare that afterwards.
 */
HF_MUST_USE hf_err hf_shamir_join(uint8_t secret[HF_SHARE_SECRET_LEN],
	const struct hf_share *shares, size_t n_shares, struct hf_errinfo *ei);

/* The share as one line of text with a checksum, to be printed or typed. */
void hf_share_emit(char text[HF_SHARE_TEXT_MAX], const struct hf_share *s);

/* Reads that line; blanks are skipped. HF_ERR_FORMAT: mistyped (the checksum tells). */
HF_MUST_USE hf_err hf_share_parse(
	struct hf_share *s, const char *text, size_t text_len, struct hf_errinfo *ei);

#endif
