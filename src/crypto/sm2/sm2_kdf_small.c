/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The KDF of SM2 for small ends, GB/T 32918.4-2016 5.4.3: stands in for sm2_kdf.c where HUFU_SMALL
 * is set. One block after another.
 */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/kdf.h"
#include "crypto/module.h"

hf_err hf_sm2_kdf(uint8_t *out, size_t out_len, const void *z, size_t z_len)
{
	struct hf_sm3 fed;
	uint8_t block[HF_SM3_LEN];
	uint32_t counter = 1; /* ct from 00000001 */

	HF_TRY(hf_module_check());
	if (out_len / HF_SM3_LEN >= UINT32_MAX)
		return HF_ERR_ARG;
	hf_sm3_init(&fed);
	hf_sm3_feed(&fed, z, z_len);
	for (size_t at = 0; at < out_len; at += HF_SM3_LEN) {
		struct hf_sm3 s = fed;
		size_t n = out_len - at < HF_SM3_LEN ? out_len - at : HF_SM3_LEN;
		uint8_t ct[4];

		hf_put_be32(ct, counter++);
		hf_sm3_feed(&s, ct, sizeof(ct));
		hf_sm3_done(&s, block);
		memcpy(out + at, block, n);
	}
	HF_FAULT("sm2-kdf", out[0]);
	hf_wipe(&fed, sizeof(fed));
	hf_wipe(block, sizeof(block));
	return hf_module_check_out(out, out_len);
}
