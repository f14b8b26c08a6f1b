/* SPDX-License-Identifier: Apache-2.0 */
/* layer: keys */
/* A key slots file from outside. */
#include <stddef.h>
#include <stdint.h>

#include "keys/slots.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_slots s = { 0 };

	(void)!hf_slots_parse(&s, data, len);
	return 0;
}
