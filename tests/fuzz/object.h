/* SPDX-License-Identifier: Apache-2.0 */
/* What the targets of the signed objects share. */
#ifndef HF_FUZZ_OBJECT_H
#define HF_FUZZ_OBJECT_H

#include "test.h"

#include "base/buf.h"
#include "crypto/module.h"
#include "pkg/object.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Ends the program unless what must hold does. */
static inline void must(bool holds)
{
	if (!holds)
		abort();
}

/* The content of a signed object, or, where the input is none, the input as content. */
static inline struct hf_bytes content_of(enum hf_object kind, const uint8_t *data, size_t len)
{
	struct hf_bytes in = { data, len };
	struct hf_bytes content;

	must(hf_module_start(0) == HF_OK);
	return hf_object_peek(&content, kind, in, NULL) == HF_OK ? content : in;
}

/* One value has one encoding: what was written again from what was read is what was read. */
static inline void must_equal(struct hf_buf *again, struct hf_bytes content)
{
	must(again->len == content.len && memcmp(again->p, content.p, content.len) == 0);
	hf_buf_clear(again);
}

#endif
