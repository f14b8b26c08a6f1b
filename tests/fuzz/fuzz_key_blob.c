/* SPDX-License-Identifier: Apache-2.0 */
/* layer: keys */
/* Wrapped keys from outside. */
#include <stddef.h>
#include <stdint.h>

#include "keys/blob.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_blob_info info = { 0 };

	(void)!hf_blob_parse(&info, data, len);
	return 0;
}
