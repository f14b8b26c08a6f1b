/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/* Parses any bytes as a revocation list and asks it for serial numbers. */
#include <stdlib.h>

#include "crypto/module.h"
#include "pki/cert.h"
#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_crl_entry entry;
	struct hf_crl c;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_crl_parse(&c, data, len, NULL) != HF_OK)
		return 0;
	if (hf_crl_has(&c, (struct hf_bytes){ data, 2 }, &entry) && entry.serial_len != 2)
		abort();
	if (hf_crl_has(&c, (struct hf_bytes){ data, HF_CERT_SERIAL_MAX + 1 }, NULL))
		abort();
	return 0;
}
