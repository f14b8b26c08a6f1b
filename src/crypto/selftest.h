/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The known-answer tests that the module runs before it serves anybody (GB/T 37092-2018 7.8). Each
 * file that has an algorithm has its test; module.c has the table of them. Private to the module.
 */
#ifndef HF_CRYPTO_SELFTEST_H
#define HF_CRYPTO_SELFTEST_H

#include <stdbool.h>

bool hf_sm3_selftest(void);
bool hf_hmac_selftest(void);
bool hf_kdf_selftest(void);
bool hf_tree_selftest(void);
bool hf_drbg_selftest(void);
bool hf_sm2_selftest(void);
bool hf_sm4_selftest(void);
bool hf_gcm_selftest(void);
bool hf_ccm_selftest(void);
bool hf_xts_selftest(void);
bool hf_sm4_modes_selftest(void);
bool hf_hctr_selftest(void);
bool hf_sm4_mac_selftest(void);
bool hf_ctr_drbg_selftest(void);

#endif
