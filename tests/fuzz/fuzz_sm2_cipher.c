/* SPDX-License-Identifier: Apache-2.0 */
/* layer: crypto */
/* Ciphertexts: DER comes back byte for byte, and decryption survives whatever the parser passes. */
#include <stdlib.h>
#include <string.h>

#include "crypto/module.h"
#include "crypto/sm2.h"

enum { RAW_MAX = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* The private value 1: every point of the curve is a valid C1. */
static void decrypt(const uint8_t *raw, size_t raw_len)
{
	static const uint8_t one[HF_SM2_LEN] = { [HF_SM2_LEN - 1] = 1 };
	struct hf_sm2_key key;
	uint8_t *out;

	if (raw_len <= HF_SM2_CIPHER_OVERHEAD)
		return;
	out = malloc(raw_len - HF_SM2_CIPHER_OVERHEAD);
	if (out == NULL || hf_sm2_key_from_private(&key, one) != HF_OK)
		abort();
	(void)!hf_sm2_decrypt(out, &key, raw, raw_len);
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t raw[RAW_MAX];
	uint8_t der[RAW_MAX + 64];
	size_t raw_len = sizeof(raw);
	size_t der_len = sizeof(der);

	if (hf_module_start(0) != HF_OK)
		abort();
	if (len <= RAW_MAX)
		decrypt(data, len);
	if (hf_sm2_cipher_parse_der(raw, &raw_len, data, len) != HF_OK)
		return 0;
	if (hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len) != HF_OK)
		abort();
	if (der_len != len || memcmp(der, data, len) != 0)
		abort();
	decrypt(raw, raw_len);
	return 0;
}
