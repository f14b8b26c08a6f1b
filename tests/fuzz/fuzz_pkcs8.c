/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pki */
/*
 * Parses any bytes as a plain key and as a key file. Encrypted forms are tried only when the input
 * asks for few iterations, so that a run stays short.
 */
#include <stdlib.h>
#include <string.h>

#include "crypto/module.h"
#include "pki/pkcs8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* True if an INTEGER of three bytes or more stands anywhere: perhaps a large iteration count. */
static int may_be_slow(const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i++)
		if (data[i] == 2 && data[i + 1] > 2 && data[i + 1] < 6)
			return 1;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct hf_bytes pass = { (const uint8_t *)"pass1234", 8 };
	struct hf_sm2_key zero = { 0 };
	struct hf_sm2_key key;

	if (hf_module_start(0) != HF_OK)
		abort();
	if (hf_pkcs8_parse(&key, data, len, NULL) != HF_OK && memcmp(&key, &zero, sizeof(key)) != 0)
		abort();
	if (may_be_slow(data, len))
		return 0;
	if (hf_pkcs8_read(&key, (struct hf_bytes){ data, len }, pass, NULL) != HF_OK &&
		memcmp(&key, &zero, sizeof(key)) != 0)
		abort();
	return 0;
}
