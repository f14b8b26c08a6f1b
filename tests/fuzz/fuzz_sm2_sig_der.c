/* SPDX-License-Identifier: Apache-2.0 */
/* layer: crypto */
/* What the parser of signatures accepts must be emitted again byte for byte. */
#include <stdlib.h>
#include <string.h>

#include "crypto/sm2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_sm2_sig sig;
	uint8_t der[HF_SM2_SIG_DER_MAX];

	if (hf_sm2_sig_parse_der(&sig, data, len) != HF_OK)
		return 0;
	if (hf_sm2_sig_emit_der(der, &sig) != len || memcmp(der, data, len) != 0)
		abort();
	return 0;
}
