/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/*
 * Encoded chunks: any bytes under any codec decode to exactly the length asked for or not at all,
 * and what was encoded decodes to itself. The input is codec, length (three bytes), data.
 */
#include "object.h"

#include "pkg/codec.h"

enum { PLAIN_MAX = 1 << 18, HEAD = 4 };

static void round_trip(const uint8_t *data, size_t len)
{
	static struct hf_codec enc;
	static struct hf_codec dec;
	enum hf_codec_id id;
	const uint8_t *out;
	uint8_t *back;
	size_t out_len;

	if (enc.mem == NULL) {
		must(hf_codec_init(&enc, &test_mem, HF_CODEC_ENCODE, PLAIN_MAX) == HF_OK);
		must(hf_codec_init(&dec, &test_mem, HF_CODEC_DECODE, PLAIN_MAX) == HF_OK);
	}
	if (len == 0 || len > PLAIN_MAX)
		return;
	back = malloc(len);
	must(back != NULL);
	must(hf_codec_encode(&enc, &out, &out_len, &id, data, len) == HF_OK);
	must(out_len <= len);
	must(hf_codec_decode(&dec, id, back, len, out, out_len) == HF_OK);
	must(memcmp(back, data, len) == 0);
	free(back);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct hf_codec dec;
	uint8_t *plain;
	size_t plain_len;

	if (len < HEAD)
		return 0;
	if (dec.mem == NULL)
		must(hf_codec_init(&dec, &test_mem, HF_CODEC_DECODE, PLAIN_MAX) == HF_OK);
	plain_len = 1 + ((size_t)data[1] << 16 | (size_t)data[2] << 8 | data[3]) % PLAIN_MAX;
	plain = malloc(plain_len); /* exactly as long as promised */
	must(plain != NULL);
	if (hf_codec_decode(&dec, (enum hf_codec_id)data[0], plain, plain_len, data + HEAD,
		    len - HEAD) == HF_OK)
		must(data[0] == HF_CODEC_NONE || data[0] == HF_CODEC_ZSTD);
	free(plain);
	round_trip(data + HEAD, len - HEAD);
	return 0;
}
