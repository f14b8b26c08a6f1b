/* SPDX-License-Identifier: Apache-2.0 */
/* layer: codec */
/* Reads any text as PEM; what was decoded comes back when written and read again. */
#include <stdlib.h>
#include <string.h>

#include "codec/pem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void again(const struct hf_pem_block *b, const uint8_t *bytes, size_t len)
{
	uint8_t text[2048];
	uint8_t back[512];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	size_t back_len = 0;

	hf_pem_emit(&w, b->label, bytes, len);
	if (hf_wr_done(&w) != HF_OK || w.len != hf_pem_len(b->label, len))
		abort();
	if (hf_pem_parse(back, sizeof(back), &back_len, b->label,
		    (struct hf_bytes){ text, w.len }) != HF_OK)
		abort();
	if (back_len != len || memcmp(back, bytes, len) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes text = { data, len };
	struct hf_pem_block b;

	while (hf_pem_next(&b, &text) == HF_OK) {
		uint8_t out[512];
		size_t n = 0;

		if (hf_pem_decode(out, sizeof(out), &n, &b) == HF_OK)
			again(&b, out, n);
	}
	return 0;
}
