/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Record protection. Record numbers and their nonces (RFC 8446 5.3) are those of a sequence of the
 * module (crypto/seq.h): each is used once per key, and a key that has used all it may refuses.
 */
#include "tls/record.h"

#include <string.h>

#include "base/attr.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "tls/keysched.h"

static hf_err gcm_init(struct hf_tls_dir *d, const uint8_t *key, const uint8_t *iv)
{
	return hf_gcm_seq_init(&d->gcm, key, iv, HF_TLS_KEY_RECORDS_MAX);
}

static hf_err gcm_seal(struct hf_tls_dir *d, const struct hf_aead *a)
{
	return hf_gcm_seq_seal(&d->gcm, a);
}

static hf_err gcm_open(struct hf_tls_dir *d, const struct hf_aead *a)
{
	return hf_gcm_seq_open(&d->gcm, a);
}

static uint64_t gcm_records(const struct hf_tls_dir *d)
{
	return d->gcm.count.n;
}

/* RFC 8998 3.4.2: nonce of 12 bytes, tag of 16. */
static hf_err ccm_init(struct hf_tls_dir *d, const uint8_t *key, const uint8_t *iv)
{
	return hf_ccm_seq_init(&d->ccm, key, iv, HF_TLS_CCM_RECORDS_MAX);
}

static hf_err ccm_seal(struct hf_tls_dir *d, const struct hf_aead *a)
{
	return hf_ccm_seq_seal(&d->ccm, a);
}

static hf_err ccm_open(struct hf_tls_dir *d, const struct hf_aead *a)
{
	return hf_ccm_seq_open(&d->ccm, a);
}

static uint64_t ccm_records(const struct hf_tls_dir *d)
{
	return d->ccm.count.n;
}

/* Best first: what a client offers, and what a server chooses, is in this order. */
static const struct hf_tls_suite suites[] = {
	{ HF_TLS_SUITE_GCM, 0x00c6, UINT64_C(1) << 24, gcm_init, gcm_seal, gcm_open, gcm_records },
	{ HF_TLS_SUITE_CCM, 0x00c7, UINT64_C(1) << 21, ccm_init, ccm_seal, ccm_open, ccm_records },
};

const struct hf_tls_suite *hf_tls_suite_at(size_t i)
{
	return i < HF_COUNT(suites) ? &suites[i] : NULL;
}

const struct hf_tls_suite *hf_tls_suite_best(unsigned set)
{
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		if ((suites[i].bit & set) != 0)
			return &suites[i];
	}
	return NULL;
}

const struct hf_tls_suite *hf_tls_suite_of(uint16_t number)
{
	for (size_t i = 0; i < HF_COUNT(suites); i++) {
		if (suites[i].number == number)
			return &suites[i];
	}
	return NULL;
}

struct hf_tls_head hf_tls_head_get(const uint8_t in[HF_TLS_HEAD_LEN])
{
	return (struct hf_tls_head){
		.type = in[0],
		.version = hf_get_be16(in + 1),
		.len = hf_get_be16(in + 3),
	};
}

hf_err hf_tls_dir_set(struct hf_tls_dir *d, const struct hf_tls_suite *suite,
	const uint8_t secret[HF_SM3_LEN], uint64_t now_ms)
{
	struct hf_tls_dir n = { .suite = suite, .is_on = true, .since_ms = now_ms };
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[HF_GCM_NONCE_LEN];
	hf_err e;

	memcpy(n.secret, secret, sizeof(n.secret));
	e = hf_tls_label(key, sizeof(key), secret, "key", NULL, 0);
	if (e != HF_OK)
		goto out;
	e = hf_tls_label(iv, sizeof(iv), secret, "iv", NULL, 0);
	if (e != HF_OK)
		goto out;
	e = suite->init(&n, key, iv);
	if (e != HF_OK)
		goto out;

	*d = n;
out:
	hf_wipe(key, sizeof(key));
	hf_wipe(iv, sizeof(iv));
	hf_wipe(&n, sizeof(n));
	return e;
}

hf_err hf_tls_dir_next(struct hf_tls_dir *d, uint64_t now_ms)
{
	uint8_t secret[HF_SM3_LEN];
	hf_err e;

	/* RFC 8446 7.2: application_traffic_secret_N+1 */
	e = hf_tls_label(secret, sizeof(secret), d->secret, "traffic upd", NULL, 0);
	if (e == HF_OK)
		e = hf_tls_dir_set(d, d->suite, secret, now_ms);
	hf_wipe(secret, sizeof(secret));
	return e;
}

uint64_t hf_tls_dir_records(const struct hf_tls_dir *d)
{
	return d->is_on ? d->suite->n_records(d) : 0;
}

void hf_tls_dir_clear(struct hf_tls_dir *d)
{
	hf_wipe(d, sizeof(*d));
}

static void put_head(uint8_t *out, uint8_t type, size_t len)
{
	out[0] = type;
	hf_put_be16(out + 1, 0x0303); /* legacy_record_version, RFC 8446 5.1 */
	hf_put_be16(out + 3, (uint16_t)len);
}

hf_err hf_tls_seal(struct hf_tls_dir *d, uint8_t *out, enum hf_tls_type type, const uint8_t *in,
	size_t len, size_t pad)
{
	uint8_t *body = out + HF_TLS_HEAD_LEN;
	size_t inner_len = len + 1 + pad;
	hf_err e;

	if (!d->is_on) {
		put_head(out, (uint8_t)type, len);
		memcpy(body, in, len);
		return HF_OK;
	}

	/* RFC 8446 5.2: TLSInnerPlaintext = content || type || zeros; the head is the AAD. */
	put_head(out, HF_TLS_DATA, inner_len + HF_GCM_TAG_LEN);
	if (len > 0)
		memcpy(body, in, len);
	body[len] = (uint8_t)type;
	memset(body + len + 1, 0, pad);
	e = d->suite->seal(d, &(struct hf_aead){
				      .aad = out,
				      .aad_len = HF_TLS_HEAD_LEN,
				      .in = body,
				      .in_len = inner_len,
				      .out = body,
				      .tag = body + inner_len,
				      .tag_len = HF_GCM_TAG_LEN,
			      });
	if (e != HF_OK) { /* no plaintext stays where records are sent from */
		hf_wipe(out, HF_TLS_HEAD_LEN + inner_len + HF_GCM_TAG_LEN);
		return e;
	}
	d->n_bytes += len;
	return HF_OK;
}

hf_err hf_tls_open(
	struct hf_tls_dir *d, uint8_t *out, struct hf_tls_inner *inner, const uint8_t *record)
{
	size_t cipher_len = hf_tls_head_get(record).len;
	uint8_t tag[HF_GCM_TAG_LEN];
	size_t len;

	if (cipher_len < HF_GCM_TAG_LEN)
		return HF_ERR_AUTH;

	len = cipher_len - HF_GCM_TAG_LEN;
	memcpy(tag, record + HF_TLS_HEAD_LEN + len, sizeof(tag));
	HF_TRY(d->suite->open(d, &(struct hf_aead){
					 .aad = record,
					 .aad_len = HF_TLS_HEAD_LEN,
					 .in = record + HF_TLS_HEAD_LEN,
					 .in_len = len,
					 .out = out,
					 .tag = tag,
					 .tag_len = sizeof(tag),
				 }));

	/* RFC 8446 5.4: the type is the last byte that is not zero. */
	while (len > 0 && out[len - 1] == 0)
		len--;
	*inner = (struct hf_tls_inner){ 0 };
	if (len > 0)
		*inner = (struct hf_tls_inner){ .type = out[len - 1], .len = len - 1 };
	d->n_bytes += inner->len;
	return HF_OK;
}
