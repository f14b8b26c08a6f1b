/* SPDX-License-Identifier: Apache-2.0 */
/* The multiples of G that small ends keep; made by tools/gen-sm2-table.py. */
#ifndef HF_CRYPTO_SM2_SM2_COMB_SMALL_H
#define HF_CRYPTO_SM2_SM2_COMB_SMALL_H

#include "crypto/sm2/sm2_point.h"

enum {
	HF_COMB_TEETH = 4,                            /* bits of a scalar that one look-up takes */
	HF_COMB_APART = 256 / HF_COMB_TEETH,          /* places from tooth to tooth */
	HF_COMB_ROWS = 4,                             /* tables, each with its teeth further up */
	HF_COMB_STEPS = HF_COMB_APART / HF_COMB_ROWS, /* doublings */
	HF_COMB_ENTRIES = (1 << HF_COMB_TEETH) - 1,
};

/* Entry j - 1 of row t: the sum of 2^(64 b + 16 t) G over the bits b of j. 3840 bytes. */
extern const struct hf_pt_affine hf_g_comb[HF_COMB_ROWS][HF_COMB_ENTRIES];

#endif
