/* SPDX-License-Identifier: Apache-2.0 */
/* layer: keys */
/* Enrolment tokens from outside. */
#include <stddef.h>
#include <stdint.h>

#include "keys/token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_token t = { 0 };

	(void)!hf_token_parse(&t, (const char *)data, len);
	return 0;
}
