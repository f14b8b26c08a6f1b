/* SPDX-License-Identifier: Apache-2.0 */
/* The KDF of SM2, GB/T 32918.4-2016 5.4.3, its blocks in the lanes of SM3. */
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/kdf.h"
#include "crypto/module.h"

/* The next blocks of the KDF, at most as many as there are lanes; *at and *counter move on. */
static void sm2_kdf_blocks(
	uint8_t *out, size_t out_len, size_t *at, uint32_t *counter, const struct hf_sm3 *fed)
{
	struct hf_sm3_job jobs[HF_SM3_LANES_MAX];
	uint8_t ct[HF_SM3_LANES_MAX][4];
	uint8_t last[HF_SM3_LEN] = { 0 };
	size_t n = 0;
	size_t rest = 0;

	for (; n < HF_SM3_LANES_MAX && *at < out_len; n++) {
		bool is_whole = out_len - *at >= HF_SM3_LEN;

		hf_put_be32(ct[n], (*counter)++);
		jobs[n] = (struct hf_sm3_job){ fed, ct[n], sizeof(ct[n]),
			is_whole ? out + *at : last };
		rest = is_whole ? 0 : out_len - *at;
		*at += is_whole ? HF_SM3_LEN : rest;
	}
	hf_sm3_batch(jobs, n);
	if (rest > 0)
		memcpy(out + out_len - rest, last, rest);
	HF_FAULT("sm2-kdf", out[0]);
	hf_wipe(last, sizeof(last));
}

hf_err hf_sm2_kdf(uint8_t *out, size_t out_len, const void *z, size_t z_len)
{
	struct hf_sm3 fed;
	uint32_t counter = 1; /* GB/T 32918.4-2016 5.4.3: ct from 00000001 */

	HF_TRY(hf_module_check());
	if (out_len / HF_SM3_LEN >= UINT32_MAX)
		return HF_ERR_ARG;
	hf_sm3_init(&fed);
	hf_sm3_feed(&fed, z, z_len);
	for (size_t at = 0; at < out_len;)
		sm2_kdf_blocks(out, out_len, &at, &counter, &fed);
	hf_wipe(&fed, sizeof(fed));
	return hf_module_check_out(out, out_len);
}
