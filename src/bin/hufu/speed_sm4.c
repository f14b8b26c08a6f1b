/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of SM4. */
#include <string.h>

#include "base/attr.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto/sm4.h"
#include "speed.h"

enum {
	N_MAX = 16, /* messages at once */
};

static struct hf_aead message(struct hufu_speed *s, const struct hufu_speed_row *row, size_t i)
{
	return (struct hf_aead){ .nonce = s->iv,
		.nonce_len = HF_GCM_NONCE_LEN,
		.in = s->in + i * row->len,
		.in_len = row->len,
		.out = s->out + i * row->len,
		.tag = s->tag[i],
		.tag_len = sizeof(s->tag[i]) };
}

static bool gcm(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_aead a = message(s, row, 0);

	return hf_gcm_seal(&s->gcm, &a) == HF_OK;
}

static bool gcm_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_gcm_job jobs[N_MAX];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_gcm_job){ .key = &s->gcm, .a = message(s, row, i) };
	return hf_gcm_seal_batch(jobs, row->n) == HF_OK;
}

static bool ccm(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_aead a = message(s, row, 0);

	return hf_ccm_seal(&s->sm4, &a) == HF_OK;
}

static bool ccm_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_ccm_job jobs[N_MAX];

	for (size_t i = 0; i < row->n; i++)
		jobs[i] = (struct hf_ccm_job){ .key = &s->sm4, .a = message(s, row, i) };
	return hf_ccm_seal_batch(jobs, row->n) == HF_OK;
}

static bool ctr(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	uint8_t counter[HF_SM4_BLOCK_LEN];

	memcpy(counter, s->iv, sizeof(counter));
	return hf_sm4_ctr(&s->sm4, counter, s->out, s->in, row->len) == HF_OK;
}

static bool xts(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	return hf_xts_encrypt(&s->xts, s->iv, s->out, s->in, row->len) == HF_OK;
}

static bool cbc(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	uint8_t iv[HF_SM4_BLOCK_LEN];

	memcpy(iv, s->iv, sizeof(iv));
	return hf_sm4_cbc_encrypt(&s->sm4, iv, s->out, s->in, row->len / HF_SM4_BLOCK_LEN) == HF_OK;
}

static bool cbc_decrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	uint8_t iv[HF_SM4_BLOCK_LEN];

	memcpy(iv, s->iv, sizeof(iv));
	return hf_sm4_cbc_decrypt(&s->sm4, iv, s->out, s->in, row->len / HF_SM4_BLOCK_LEN) == HF_OK;
}

static bool cbc_batch(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	struct hf_sm4_cbc_job jobs[N_MAX];
	uint8_t ivs[N_MAX][HF_SM4_BLOCK_LEN];

	for (size_t i = 0; i < row->n; i++) {
		memcpy(ivs[i], s->iv, sizeof(ivs[i]));
		jobs[i] = (struct hf_sm4_cbc_job){ .key = &s->sm4,
			.iv = ivs[i],
			.out = s->out + i * row->len,
			.in = s->in + i * row->len,
			.n_blocks = row->len / HF_SM4_BLOCK_LEN };
	}
	return hf_sm4_cbc_encrypt_batch(jobs, row->n) == HF_OK;
}

static const struct hufu_speed_row rows[] = {
	{ "SM4-GCM", 16384, 1, gcm },
	{ "SM4-GCM", 1024, 1, gcm },
	{ "SM4-GCM", 16, 1, gcm },
	{ "SM4-GCM", 16, 16, gcm_batch },
	{ "SM4-CTR", 16384, 1, ctr },
	{ "SM4-CBC decrypt", 16384, 1, cbc_decrypt },
	{ "SM4-XTS", 16384, 1, xts },
	{ "SM4-CBC encrypt", 16384, 1, cbc },
	{ "SM4-CBC encrypt", 16384, 16, cbc_batch },
	{ "SM4-CCM", 16384, 1, ccm },
	{ "SM4-CCM", 16384, 16, ccm_batch },
};

const struct hufu_speed_row *hufu_speed_sm4(size_t *n)
{
	*n = HF_COUNT(rows);
	return rows;
}
