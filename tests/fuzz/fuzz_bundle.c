/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/*
 * Bundles: members lie inside the file, one behind the other, and are no longer than their kind.
 * The sums of tar headers are made right first, or hardly any input would pass them.
 */
#include "object.h"

#include <stdio.h>

#include "pkg/bundle.h"

static hf_err read_at(void *ctx, uint8_t *out, size_t len, uint64_t offset)
{
	const struct hf_bytes *all = ctx;

	if (offset > all->len || len > all->len - offset)
		return HF_ERR_TRUNCATED;
	memcpy(out, all->p + offset, len);
	return HF_OK;
}

enum { SUM_AT = 148, SUM_LEN = 8, MAGIC_AT = 257 };

static void fix_sums(uint8_t *tar, size_t len)
{
	for (size_t at = 0; at + HF_TAR_BLOCK_LEN <= len; at += HF_TAR_BLOCK_LEN) {
		uint8_t *block = tar + at;
		unsigned sum = 0;

		if (memcmp(block + MAGIC_AT, "ustar", 5) != 0)
			continue;
		memset(block + SUM_AT, ' ', SUM_LEN);
		for (size_t i = 0; i < HF_TAR_BLOCK_LEN; i++)
			sum += block[i];
		(void)snprintf((char *)block + SUM_AT, SUM_LEN - 1, "%06o", sum);
	}
}

static void walk(const uint8_t *data, size_t len)
{
	struct hf_bytes all = { data, len };
	struct hf_bundle_source source = { read_at, &all, len };
	struct hf_bundle_member m;
	struct hf_bundle b;
	uint64_t at = 0;
	hf_err e;

	hf_bundle_init(&b, &source);
	while ((e = hf_bundle_next(&b, &m, NULL)) == HF_OK) {
		must(m.offset >= at && m.offset <= len && m.len <= len - m.offset);
		must(m.len <= hf_object_max(m.kind) && hf_object_kind(m.kind) != NULL);
		at = m.offset + m.len;
	}
	must(e == HF_ERR_NOT_FOUND || e == HF_ERR_TRUNCATED || e == HF_ERR_FORMAT ||
		e == HF_ERR_LIMIT || e == HF_ERR_UNSUPPORTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	must(copy != NULL);
	memcpy(copy, data, len);
	walk(copy, len);
	fix_sums(copy, len);
	walk(copy, len);
	free(copy);
	return 0;
}
