/* SPDX-License-Identifier: Apache-2.0 */
/* layer: codec */
/* Reads any input as JSON; offsets only grow, and every token lies inside the input. */
#include <stdlib.h>

#include "codec/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_json_token t = { .kind = HF_JSON_NULL };
	struct hf_json j;
	size_t before = 0;

	hf_json_init(&j, data, len, 16);
	while (hf_json_next(&j, &t) == HF_OK && t.kind != HF_JSON_END) {
		char text[32];
		uint64_t u;
		int64_t i;

		if (t.at < before || t.at >= len || t.text.len > len)
			abort();
		before = t.at;
		if (hf_json_text(text, sizeof(text), NULL, &t) == HF_OK && !hf_json_is(&t, text))
			abort();
		if (hf_json_u64(&u, &t) == HF_OK && hf_json_i64(&i, &t) == HF_OK &&
			(uint64_t)i != u)
			abort();
	}
	return 0;
}
