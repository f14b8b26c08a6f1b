/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/integrity.h"

#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/hmac.h"
#include "crypto/module.h"
#include "crypto/sm3/sm3_kernel.h"

/* Not secret, and no protection against anybody who reads it here (integrity.h). */
static const uint8_t integrity_key[HF_SM3_LEN] = "Hufu module integrity, key no. 1";

void hf_integrity_head_tag(uint8_t tag[HF_SM3_LEN], const struct hf_integrity *record)
{
	hf_hmac_sm3(tag, integrity_key, sizeof(integrity_key), record,
		offsetof(struct hf_integrity, head_tag));
}

/* Feeds the digests of the pieces of one span. */
static void feed_span(struct hf_hmac *m, struct hf_bytes span)
{
	uint8_t digests[HF_SM3_LANES_MAX * HF_SM3_LEN];
	const uint8_t *in[HF_SM3_LANES_MAX];

	while (span.len > 0) {
		size_t piece_len =
			span.len < HF_INTEGRITY_PIECE_LEN ? span.len : HF_INTEGRITY_PIECE_LEN;
		size_t n = span.len / piece_len;

		if (n > HF_SM3_LANES_MAX)
			n = HF_SM3_LANES_MAX;
		for (size_t i = 0; i < n; i++)
			in[i] = span.p + i * piece_len;
		hf_sm3_lanes(digests, NULL, 0, in, piece_len, n);
		hf_hmac_feed(m, digests, n * HF_SM3_LEN);
		span.p += n * piece_len;
		span.len -= n * piece_len;
	}
}

void hf_integrity_tag(uint8_t tag[HF_SM3_LEN], const struct hf_integrity *record,
	const struct hf_bytes spans[HF_INTEGRITY_SPANS])
{
	struct hf_hmac m;

	hf_hmac_init(&m, integrity_key, sizeof(integrity_key));
	hf_hmac_feed(&m, record->head_tag, sizeof(record->head_tag));
	for (size_t i = 0; i < HF_INTEGRITY_SPANS; i++)
		feed_span(&m, spans[i]);
	hf_hmac_done(&m, tag);
	HF_FAULT("integrity", tag[0]);
}

enum hf_integrity_kind hf_integrity_kind_get(const struct hf_integrity *record)
{
	for (size_t i = 1; i < sizeof(record->kind); i++)
		if (record->kind[i] != record->kind[0])
			return HF_INTEGRITY_BROKEN;
	switch (record->kind[0]) {
	case HF_INTEGRITY_MUST:
	case HF_INTEGRITY_LATER:
	case HF_INTEGRITY_NONE: return (enum hf_integrity_kind)record->kind[0];
	default: return HF_INTEGRITY_BROKEN;
	}
}

static bool is_tested(const struct hf_integrity *record)
{
	static const uint8_t zeros[HF_SM3_LEN];
	enum hf_integrity_kind kind = hf_integrity_kind_get(record);

	if (kind == HF_INTEGRITY_LATER)
		return !hf_ct_eq(record->head_tag, zeros, sizeof(zeros));
	return kind != HF_INTEGRITY_NONE;
}

static bool is_inside(struct hf_bytes span, uintptr_t at)
{
	return at - (uintptr_t)span.p < span.len;
}

bool hf_integrity_is_good(const struct hf_integrity *record)
{
	struct hf_bytes spans[HF_INTEGRITY_SPANS];
	uint8_t tag[HF_SM3_LEN];
	bool is_good;

	if (!is_tested(record))
		return true;
	if (hf_integrity_kind_get(record) == HF_INTEGRITY_BROKEN)
		return false;
	hf_integrity_head_tag(tag, record);
	if (!hf_ct_eq(tag, record->head_tag, sizeof(tag)))
		return false;
	for (size_t i = 0; i < HF_INTEGRITY_SPANS; i++) {
		uintptr_t at = (uintptr_t)record + (uintptr_t)hf_get_be64(record->spans[i].at);

		spans[i].p = (const uint8_t *)at;
		spans[i].len = (size_t)hf_get_be64(record->spans[i].len);
		if (spans[i].len > HF_INTEGRITY_SPAN_MAX)
			return false;
	}
	/* What is tested must be what runs. */
	if (!is_inside(spans[0], (uintptr_t)&hf_module_start) ||
		!is_inside(spans[1], (uintptr_t)hf_sm3_t))
		return false;
	hf_integrity_tag(tag, record, spans);
	is_good = hf_ct_eq(tag, record->tag, sizeof(tag));
	hf_wipe(tag, sizeof(tag)); /* 7.5: intermediate values are erased */
	return is_good;
}

/* The record is written after the compiler has seen it: it must not know what is in it. */
static const struct hf_integrity *own_record(void)
{
	const struct hf_integrity *const volatile record = &hf_integrity_record;

	return record;
}

bool hf_integrity_is_tested(void)
{
	return is_tested(own_record());
}

bool hf_integrity_selftest(void)
{
	return hf_integrity_is_good(own_record());
}
