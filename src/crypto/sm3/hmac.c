/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hmac.h"

#include <string.h>

#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/selftest.h"

enum {
	BATCH = 64, /* messages between two batches of SM3 */
};

void hf_hmac_init(struct hf_hmac *m, const void *key, size_t key_len)
{
	uint8_t pad[HF_SM3_BLOCK_LEN] = { 0 };

	if (key_len > sizeof(pad))
		hf_sm3(pad, key, key_len);
	else if (key_len > 0)
		memcpy(pad, key, key_len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	hf_sm3_init(&m->inner);
	hf_sm3_feed(&m->inner, pad, sizeof(pad));
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	hf_sm3_init(&m->outer);
	hf_sm3_feed(&m->outer, pad, sizeof(pad));
	hf_wipe(pad, sizeof(pad));
	hf_wipe_stack();
}

void hf_hmac_feed(struct hf_hmac *m, const void *in, size_t len)
{
	hf_sm3_feed(&m->inner, in, len);
}

void hf_hmac_done(struct hf_hmac *m, uint8_t tag[HF_SM3_LEN])
{
	uint8_t inner[HF_SM3_LEN];

	hf_sm3_done(&m->inner, inner);
	hf_sm3_feed(&m->outer, inner, sizeof(inner));
	hf_sm3_done(&m->outer, tag);
	HF_FAULT("hmac-sm3", tag[0]);
	hf_wipe(inner, sizeof(inner));
	hf_wipe_stack();
}

void hf_hmac_batch(const struct hf_hmac_job *jobs, size_t n)
{
	struct hf_sm3_job inner[BATCH];
	struct hf_sm3_job outer[BATCH];

	while (n > 0) {
		size_t now = n < BATCH ? n : BATCH;

		for (size_t i = 0; i < now; i++) {
			const struct hf_hmac_job *j = &jobs[i];

			inner[i] = (struct hf_sm3_job){ &j->keyed->inner, j->in, j->len, j->tag };
			outer[i] =
				(struct hf_sm3_job){ &j->keyed->outer, j->tag, HF_SM3_LEN, j->tag };
		}
		hf_sm3_batch(inner, now);
		hf_sm3_batch(outer, now);
		jobs += now;
		n -= now;
	}
}

void hf_hmac_sm3(
	uint8_t tag[HF_SM3_LEN], const void *key, size_t key_len, const void *in, size_t len)
{
	struct hf_hmac m;

	hf_hmac_init(&m, key, key_len);
	hf_hmac_feed(&m, in, len);
	hf_hmac_done(&m, tag);
}

/* Key 00..1f, message 00..3f; the value is libgcrypt's and OpenSSL's. */
bool hf_hmac_selftest(void)
{
	static const uint8_t want[HF_SM3_LEN] = { 0x9c, 0xd9, 0x8e, 0x18, 0x27, 0xaa, 0x79, 0x50,
		0x23, 0x70, 0xfd, 0x64, 0x15, 0xa4, 0x12, 0x20, 0x2c, 0xbf, 0xdc, 0xef, 0x70, 0x7a,
		0xbb, 0x80, 0xe6, 0xd9, 0x1c, 0xb1, 0xd7, 0x0c, 0xd5, 0xb2 };
	uint8_t in[64];
	uint8_t tag[HF_SM3_LEN];

	for (unsigned i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	hf_hmac_sm3(tag, in, 32, in, sizeof(in));
	return memcmp(tag, want, sizeof(tag)) == 0;
}
