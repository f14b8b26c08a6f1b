/* SPDX-License-Identifier: Apache-2.0 */
/* Records of TLCP: their head, their numbers, and the GCM suites. */
#include "tls/tlcp_record.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"

enum { NONCE_LEN = 8, GCM_OVERHEAD = NONCE_LEN + HF_GCM_TAG_LEN };

void hf_tlcp_aad(uint8_t out[HF_TLCP_AAD_LEN], uint64_t n, uint8_t type, size_t len)
{
	hf_put_be64(out, n);
	out[8] = type;
	hf_put_be16(out + 9, HF_TLCP_VERSION);
	hf_put_be16(out + 11, (uint16_t)len);
}

static size_t gcm_sealed_len(size_t len)
{
	return len + GCM_OVERHEAD;
}

static hf_err gcm_set(struct hf_tlcp_dir *d, const struct hf_tlcp_keys *k)
{
	memcpy(d->k.gcm.fixed, k->iv, sizeof(d->k.gcm.fixed));
	return hf_gcm_init(&d->k.gcm.key, k->key);
}

/* The nonce: from the key block, then what stands in the record. */
static void gcm_nonce(
	uint8_t nonce[HF_GCM_NONCE_LEN], const struct hf_tlcp_dir *d, const uint8_t *explicit)
{
	memcpy(nonce, d->k.gcm.fixed, HF_TLCP_FIXED_LEN);
	memcpy(nonce + HF_TLCP_FIXED_LEN, explicit, NONCE_LEN);
}

static hf_err gcm_seal(
	const struct hf_tlcp_dir *d, const struct hf_tlcp_record *r, const struct hf_rng *rng)
{
	uint8_t *text = r->out + NONCE_LEN;
	uint8_t aad[HF_TLCP_AAD_LEN];
	uint8_t nonce[HF_GCM_NONCE_LEN];

	(void)rng;
	hf_put_be64(r->out, r->n); /* the record number: no two nonces are the same */
	gcm_nonce(nonce, d, r->out);
	hf_tlcp_aad(aad, r->n, r->type, r->len);
	if (r->len > 0)
		memcpy(text, r->in, r->len);
	return hf_gcm_seal(&d->k.gcm.key, &(struct hf_aead){
						  .nonce = nonce,
						  .nonce_len = sizeof(nonce),
						  .aad = aad,
						  .aad_len = sizeof(aad),
						  .in = text,
						  .in_len = r->len,
						  .out = text,
						  .tag = text + r->len,
						  .tag_len = HF_GCM_TAG_LEN,
					  });
}

/* A peer's nonce may be anything: that a record is new, its number in the AAD says. */
static hf_err gcm_open(const struct hf_tlcp_dir *d, size_t *len, const struct hf_tlcp_record *r)
{
	uint8_t aad[HF_TLCP_AAD_LEN];
	uint8_t nonce[HF_GCM_NONCE_LEN];
	uint8_t tag[HF_GCM_TAG_LEN];
	size_t n;

	if (r->len < GCM_OVERHEAD)
		return HF_ERR_AUTH;
	n = r->len - GCM_OVERHEAD;
	gcm_nonce(nonce, d, r->in);
	memcpy(tag, r->in + NONCE_LEN + n, sizeof(tag));
	hf_tlcp_aad(aad, r->n, r->type, n);
	HF_TRY(hf_gcm_open(&d->k.gcm.key, &(struct hf_aead){
						  .nonce = nonce,
						  .nonce_len = sizeof(nonce),
						  .aad = aad,
						  .aad_len = sizeof(aad),
						  .in = r->in + NONCE_LEN,
						  .in_len = n,
						  .out = r->out,
						  .tag = tag,
						  .tag_len = sizeof(tag),
					  }));
	*len = n;
	return HF_OK;
}

const struct hf_tlcp_cipher hf_tlcp_gcm = {
	.mac_len = 0,
	.key_len = HF_SM4_KEY_LEN,
	.iv_len = HF_TLCP_FIXED_LEN,
	.sealed_len = gcm_sealed_len,
	.set = gcm_set,
	.seal = gcm_seal,
	.open = gcm_open,
};

hf_err hf_tlcp_dir_set(struct hf_tlcp_dir *d, const struct hf_tlcp_cipher *c,
	const struct hf_tlcp_keys *k, uint64_t now_ms)
{
	hf_err e;

	*d = (struct hf_tlcp_dir){ .cipher = c, .since_ms = now_ms };
	e = c->set(d, k);
	if (e != HF_OK)
		hf_wipe(d, sizeof(*d));
	return e;
}

size_t hf_tlcp_sealed_len(const struct hf_tlcp_dir *d, size_t len)
{
	return HF_TLS_HEAD_LEN + (d->cipher == NULL ? len : d->cipher->sealed_len(len));
}

hf_err hf_tlcp_seal(struct hf_tlcp_dir *d, uint8_t *out, enum hf_tls_type type, const uint8_t *in,
	size_t len, const struct hf_rng *rng)
{
	size_t size = hf_tlcp_sealed_len(d, len);
	struct hf_tlcp_record r = { d->n, (uint8_t)type, in, len, out + HF_TLS_HEAD_LEN };
	hf_err e = HF_ERR_LIMIT;

	out[0] = (uint8_t)type;
	hf_put_be16(out + 1, HF_TLCP_VERSION);
	hf_put_be16(out + 3, (uint16_t)(size - HF_TLS_HEAD_LEN));
	if (d->cipher == NULL) {
		memcpy(r.out, in, len);
		return HF_OK;
	}
	if (d->n < HF_TLCP_RECORDS_MAX)
		e = d->cipher->seal(d, &r, rng);
	d->n++; /* used up, whatever came of it */
	if (e != HF_OK) {
		hf_wipe(out, size);
		return e;
	}
	d->n_bytes += len;
	return HF_OK;
}

hf_err hf_tlcp_open(struct hf_tlcp_dir *d, uint8_t *out, size_t *len, const uint8_t *record)
{
	struct hf_tls_head h = hf_tls_head_get(record);
	struct hf_tlcp_record r = { d->n, h.type, record + HF_TLS_HEAD_LEN, h.len, out };
	size_t n = 0;

	if (d->n >= HF_TLCP_RECORDS_MAX)
		return HF_ERR_LIMIT;
	HF_TRY(d->cipher->open(d, &n, &r));
	d->n++;
	d->n_bytes += n;
	*len = n;
	return HF_OK;
}
