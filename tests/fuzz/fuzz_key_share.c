/* SPDX-License-Identifier: Apache-2.0 */
/* layer: keys */
/* Typed shares. */
#include <stddef.h>
#include <stdint.h>

#include "keys/shamir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_share s = { 0 };

	(void)!hf_share_parse(&s, (const char *)data, len, NULL);
	return 0;
}
