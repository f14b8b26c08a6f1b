/* SPDX-License-Identifier: Apache-2.0 */
/* Key pairs of SM2 inside the module: what signing, encryption and exchange share. */
#ifndef HF_CRYPTO_SM2_SM2_KEY_H
#define HF_CRYPTO_SM2_SM2_KEY_H

#include <stdint.h>

#include "crypto/sm2.h"

/* The private value as limbs. The caller wipes it. HF_ERR_ARG: not of 1 .. n - 2. */
HF_MUST_USE hf_err hf_sm2_scalar(uint64_t d[4], const struct hf_sm2_key *key);

/* The pair of d, which is of 1 .. n - 2. Works in every state of the module. */
void hf_sm2_key_make(struct hf_sm2_key *key, const uint64_t d[4]);

#endif
