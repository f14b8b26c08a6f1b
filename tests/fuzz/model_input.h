/* SPDX-License-Identifier: Apache-2.0 */
/* What every format of models is held to. */
#ifndef HF_FUZZ_MODEL_INPUT_H
#define HF_FUZZ_MODEL_INPUT_H

#include "test.h"

#include "model/model_map.h"

struct model_input {
	const uint8_t *p;
	size_t len;
};

static inline hf_err model_input_read(void *ctx, uint8_t *out, size_t len, uint64_t at)
{
	const struct model_input *in = ctx;

	if (at > in->len || len > in->len - at)
		abort();
	memcpy(out, in->p + at, len);
	return HF_OK;
}

/* In whatever is accepted no tensor leaves the file or lies on another, twins of TFLite apart. */
static inline int model_input_try(const uint8_t *data, size_t len)
{
	struct model_input in = { data, len };
	const struct hf_model_source src = { model_input_read, &in, len };
	struct hf_model_map map = { 0 };
	const struct hf_tensor *last = NULL;
	uint64_t at = 0;

	if (hf_model_map_read(&map, &src, 1 << 20, &test_mem, NULL) != HF_OK)
		return 0;
	for (size_t i = 0; i < map.n_tensors; i++) {
		const struct hf_tensor *t = &map.tensors[i];

		bool is_twin = map.format == HF_MODEL_TFLITE && last != NULL &&
			       t->offset == last->offset && t->len == last->len;

		if ((t->offset < at && !is_twin && t->len > 0) || t->offset > len ||
			t->len > len - t->offset || strlen(t->name) > HF_MODEL_NAME_MAX)
			abort();
		if (t->len > 0) {
			at = t->offset + t->len;
			last = t;
		}
	}
	hf_model_map_clear(&map);
	return 0;
}

#endif
