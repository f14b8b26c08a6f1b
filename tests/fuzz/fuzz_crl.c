/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/* Parses any bytes as a revocation list and asks it for serial numbers. */
#include "test.h"

#include "codec/der.h"
#include "crypto/module.h"
#include "pki/cert.h"
#include "pki/crl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Walk and index find the same. */
static void check_index(const struct hf_crl *walked, const struct hf_crl *sorted)
{
	struct hf_der d = hf_der_over(walked->entries.p, walked->entries.len);

	while (hf_der_more(&d)) {
		struct hf_der entry = hf_der_enter(&d, HF_DER_SEQUENCE);
		struct hf_bytes serial = hf_der_uint(&entry, HF_CERT_SERIAL_MAX);

		if (!hf_crl_has(walked, serial, NULL) || !hf_crl_has(sorted, serial, NULL))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_crl_entry entry;
	struct hf_crl c;
	struct hf_crl copy;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_crl_parse(&c, data, len, NULL) != HF_OK)
		return 0;
	if (hf_crl_has(&c, (struct hf_bytes){ data, 2 }, &entry) && entry.serial_len != 2)
		abort();
	if (hf_crl_has(&c, (struct hf_bytes){ data, HF_CERT_SERIAL_MAX + 1 }, NULL))
		abort();
	if (hf_crl_applies(&c, &c) || (c.is_delta && c.base >= c.number))
		abort();
	if (hf_crl_copy(&copy, &test_mem, data, len, NULL) != HF_OK)
		return 0;
	check_index(&c, &copy);
	hf_crl_clear(&copy);
	return 0;
}
