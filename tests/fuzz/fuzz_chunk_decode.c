/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/*
 * Encoded chunks: any bytes under any codec decode to exactly the length asked for or not at all,
 * and what was encoded decodes to itself, with a base and without. The input is codec, length
 * (three bytes, the width in the upper four bits), data.
 */
#include "object.h"

#include "pkg/codec.h"

enum { PLAIN_MAX = 1 << 18, HEAD = 4 };

static struct hf_codec enc;
static struct hf_codec dec;

static void start(void)
{
	if (enc.mem != NULL)
		return;
	must(hf_codec_init(&enc, &test_mem, HF_CODEC_ENCODE, PLAIN_MAX) == HF_OK);
	must(hf_codec_init(&dec, &test_mem, HF_CODEC_DECODE, PLAIN_MAX) == HF_OK);
}

static void round_trip(const uint8_t *data, size_t len, const uint8_t *base)
{
	struct hf_encoded out;
	struct hf_decoding d = { .plain_len = len, .base = base };

	if (len == 0 || len > PLAIN_MAX)
		return;
	d.plain = malloc(len);
	must(d.plain != NULL);
	must(hf_codec_encode(&enc, &out, data, len, base) == HF_OK);
	must(out.len <= len && hf_coding_is_valid(out.how));
	d.how = out.how;
	d.in = out.p;
	d.in_len = out.len;
	must(hf_codec_decode(&dec, &d) == HF_OK);
	must(memcmp(d.plain, data, len) == 0);
	free(d.plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_decoding d = { .in = data + HEAD, .in_len = len - HEAD };
	uint8_t *base;

	if (len < HEAD)
		return 0;
	start();
	d.how = (struct hf_coding){ data[0], data[1] >> 4 };
	d.plain_len =
		1 + (((size_t)data[1] & 15) << 16 | (size_t)data[2] << 8 | data[3]) % PLAIN_MAX;
	d.plain = malloc(d.plain_len); /* exactly as long as promised */
	base = malloc(d.plain_len);
	must(d.plain != NULL && base != NULL);
	memset(base, 0x5a, d.plain_len);
	d.base = base;
	if (hf_codec_decode(&dec, &d) == HF_OK)
		must(hf_coding_is_valid(d.how));
	free(d.plain);
	free(base);
	round_trip(d.in, d.in_len, NULL);
	/* The second half against the first. */
	round_trip(d.in + d.in_len / 2, d.in_len / 2, d.in);
	return 0;
}
