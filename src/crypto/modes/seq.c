/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences. Invariant: a number is taken from the count before anything is sealed under it, and
 * the count never goes back; so each pair of key and nonce seals once, failures included.
 */
#include "crypto/seq.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/module.h"

static hf_err begin(struct hf_aead_count *c, const uint8_t iv[HF_GCM_NONCE_LEN], uint64_t limit,
	uint64_t limit_max)
{
	if (limit == 0 || limit > limit_max)
		return HF_ERR_ARG;
	memcpy(c->iv, iv, sizeof(c->iv));
	c->n = 0;
	c->limit = limit;
	return HF_OK;
}

/* A copy of a with the nonce of the next number, which must be below stop. */
static hf_err number(struct hf_aead *with, uint8_t nonce[HF_GCM_NONCE_LEN],
	const struct hf_aead_count *c, const struct hf_aead *a, uint64_t stop)
{
	uint8_t *last = nonce + HF_GCM_NONCE_LEN - sizeof(c->n);

	if (a->nonce != NULL || a->nonce_len != 0)
		return HF_ERR_ARG;
	if (c->limit == 0)
		return HF_ERR_STATE;
	if (c->n >= stop)
		return HF_ERR_LIMIT;
	memcpy(nonce, c->iv, HF_GCM_NONCE_LEN);
	hf_put_be64(last, hf_get_be64(last) ^ c->n);
	*with = *a;
	with->nonce = nonce;
	with->nonce_len = HF_GCM_NONCE_LEN;
	return HF_OK;
}

hf_err hf_gcm_seq_init(struct hf_gcm_seq *s, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t iv[HF_GCM_NONCE_LEN], uint64_t limit)
{
	memset(s, 0, sizeof(*s));
	HF_TRY(hf_gcm_init(&s->key, key));
	return begin(&s->count, iv, limit, UINT64_MAX);
}

hf_err hf_ccm_seq_init(struct hf_ccm_seq *s, const uint8_t key[HF_SM4_KEY_LEN],
	const uint8_t iv[HF_GCM_NONCE_LEN], uint64_t limit)
{
	memset(s, 0, sizeof(*s));
	HF_TRY(hf_module_check());
	hf_sm4_init(&s->key, key);
	return begin(&s->count, iv, limit, HF_CCM_SEQ_MAX);
}

void hf_gcm_seq_clear(struct hf_gcm_seq *s)
{
	hf_wipe(s, sizeof(*s));
}

void hf_ccm_seq_clear(struct hf_ccm_seq *s)
{
	hf_wipe(s, sizeof(*s));
}

hf_err hf_gcm_seq_seal(struct hf_gcm_seq *s, const struct hf_aead *a)
{
	uint8_t nonce[HF_GCM_NONCE_LEN];
	struct hf_aead with;

	HF_TRY(hf_module_check());
	HF_TRY(number(&with, nonce, &s->count, a, s->count.limit));
	s->count.n++;
	return hf_gcm_seal(&s->key, &with);
}

hf_err hf_ccm_seq_seal(struct hf_ccm_seq *s, const struct hf_aead *a)
{
	uint8_t nonce[HF_GCM_NONCE_LEN];
	struct hf_aead with;

	HF_TRY(hf_module_check());
	HF_TRY(number(&with, nonce, &s->count, a, s->count.limit));
	s->count.n++;
	return hf_ccm_seal(&s->key, &with);
}

hf_err hf_gcm_seq_open(struct hf_gcm_seq *s, const struct hf_aead *a)
{
	uint8_t nonce[HF_GCM_NONCE_LEN];
	struct hf_aead with;

	HF_TRY(hf_module_check());
	HF_TRY(number(&with, nonce, &s->count, a, UINT64_MAX));
	HF_TRY(hf_gcm_open(&s->key, &with));
	s->count.n++;
	return HF_OK;
}

hf_err hf_ccm_seq_open(struct hf_ccm_seq *s, const struct hf_aead *a)
{
	uint8_t nonce[HF_GCM_NONCE_LEN];
	struct hf_aead with;

	HF_TRY(hf_module_check());
	HF_TRY(number(&with, nonce, &s->count, a, UINT64_MAX));
	HF_TRY(hf_ccm_open(&s->key, &with));
	s->count.n++;
	return HF_OK;
}
