/* SPDX-License-Identifier: Apache-2.0 */
/* layer: model */
/* Headers of safetensors files: whatever is accepted covers the data exactly once. */
#include "test.h"

#include "model/model_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_model_map map = { 0 };
	uint64_t head_len = 0;
	uint64_t at;

	if (hf_model_sniff(&head_len, data, len < 16 ? len : 16, len) != HF_MODEL_SAFETENSORS)
		return 0;
	if (hf_model_map_parse(&map, HF_MODEL_SAFETENSORS, data, (size_t)head_len, 1 << 20, len,
		    &test_mem, NULL) != HF_OK)
		return 0;
	at = map.data_at;
	for (size_t i = 0; i < map.n_tensors; i++) {
		if (map.tensors[i].offset != at)
			abort();
		at += map.tensors[i].len;
	}
	if (at != len)
		abort();
	hf_model_map_clear(&map);
	return 0;
}
