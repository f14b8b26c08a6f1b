/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/* Parses any bytes as a request. What was read and proves possession is exactly the input. */
#include <stdlib.h>

#include "crypto/module.h"
#include "pki/csr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_csr r;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_csr_parse(&r, data, len, NULL) != HF_OK)
		return 0;
	if (r.der.len != len || r.info.len >= len || !hf_name_is_valid(r.subject))
		abort();
	if (hf_csr_verify(&r, NULL) == HF_OK && hf_sm2_pub_check(&r.key) != HF_OK)
		abort();
	return 0;
}
