/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every input of the HMAC starts with a label of 16 bytes. A tensor's label and content give its
 * tag; label and tag give the keys of its streams (SM4-CTR from 0) and the nonce in front of the
 * counter of every recipient's stream, so that a recipient has one key however many tensors there
 * are. Nonces are of 96 bits: those of two tensors do not meet.
 */
#include "wmark/mark_keys.h"

#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/module.h"

enum {
	LABEL_LEN = 16,
	PIECE = 1024, /* symbols made at a time */
};

/* Padded by their terminators to 16 bytes. */
#define LABEL_TENSOR "hufu-mk-tensor\0"
#define LABEL_WORD   "hufu-mk-word\0\0\0"
#define LABEL_NONCE  "hufu-mk-nonce\0\0"

static const char stream_label[HF_MARK_STREAMS][LABEL_LEN] = {
	[HF_MARK_SITE] = "hufu-mk-site",
	[HF_MARK_CHIP] = "hufu-mk-chip",
	[HF_MARK_BIAS] = "hufu-mk-bias",
};

const uint8_t hf_mark_threshold[HF_MARK_CLASSES] = { 12, 59, 128, 197, 244 };

hf_err hf_mark_keys_init(struct hf_mark_keys *k, const uint8_t key[HF_MARK_KEY_LEN])
{
	uint8_t sub[HF_SM3_LEN];
	struct hf_hmac master;

	HF_TRY(hf_module_check());
	hf_hmac_init(&master, key, HF_MARK_KEY_LEN);
	k->tensor = master;
	hf_hmac_feed(&k->tensor, LABEL_TENSOR, LABEL_LEN);
	hf_hmac_done(&k->tensor, sub);
	hf_hmac_init(&k->tensor, sub, sizeof(sub));
	hf_hmac_feed(&master, LABEL_WORD, LABEL_LEN);
	hf_hmac_done(&master, sub);
	hf_hmac_init(&k->word, sub, sizeof(sub));
	hf_wipe(sub, sizeof(sub));
	if (hf_module_check() != HF_OK)
		hf_mark_keys_clear(k);
	return hf_module_check();
}

void hf_mark_keys_clear(struct hf_mark_keys *k)
{
	hf_wipe(k, sizeof(*k));
}

static void labelled(uint8_t out[HF_SM3_LEN], const struct hf_mark_keys *k, const char *label,
	const uint8_t *in, size_t len)
{
	struct hf_hmac mac = k->tensor;

	hf_hmac_feed(&mac, label, LABEL_LEN);
	hf_hmac_feed(&mac, in, len);
	hf_hmac_done(&mac, out);
}

hf_err hf_mark_tensor_keys_init(struct hf_mark_tensor_keys *t, const struct hf_mark_keys *k,
	const struct hf_mark_content *content)
{
	uint8_t in[1 + 8 + 8 + 4 + HF_SM3_LEN];
	uint8_t tag[HF_SM3_LEN];
	uint8_t sub[HF_SM3_LEN];
	struct hf_writer w = { .p = in, .cap = sizeof(in) };
	hf_err e;

	hf_wr_u8(&w, content->type);
	hf_wr_u64(&w, content->rows);
	hf_wr_u64(&w, content->cols);
	hf_wr_u32(&w, content->n_before);
	hf_wr_put(&w, content->digest, HF_SM3_LEN);
	HF_TRY(hf_wr_done(&w));
	labelled(tag, k, LABEL_TENSOR, in, w.len);
	for (size_t i = 0; i < HF_MARK_STREAMS; i++) {
		labelled(sub, k, stream_label[i], tag, sizeof(tag));
		hf_sm4_init(&t->stream[i], sub);
	}
	labelled(sub, k, LABEL_NONCE, tag, sizeof(tag));
	memcpy(t->nonce, sub, sizeof(t->nonce));
	hf_wipe(sub, sizeof(sub));
	hf_wipe(tag, sizeof(tag));
	e = hf_module_check(); /* where there is no service, digests are zeros */
	if (e != HF_OK)
		hf_mark_tensor_keys_clear(t);
	return e;
}

void hf_mark_tensor_keys_clear(struct hf_mark_tensor_keys *t)
{
	hf_wipe(t, sizeof(*t));
}

hf_err hf_mark_stream(
	uint8_t *out, size_t len, const struct hf_mark_tensor_keys *t, enum hf_mark_stream which)
{
	uint8_t counter[HF_SM4_BLOCK_LEN] = { 0 };

	if (len > 0)
		memset(out, 0, len);
	return hf_sm4_ctr(&t->stream[which], counter, out, out, len);
}

void hf_mark_classes(uint8_t *cls, const uint8_t *bytes, size_t n)
{
	for (size_t j = 0; j < n; j++)
		cls[j] = (uint8_t)((uint32_t)hf_get_be16(bytes + 2 * j) * HF_MARK_CLASSES >> 16);
}

hf_err hf_mark_word_key(
	struct hf_sm4_key *key, const struct hf_mark_keys *k, struct hf_bytes recipient)
{
	struct hf_hmac mac = k->word;
	uint8_t len[4];
	uint8_t sub[HF_SM3_LEN];
	hf_err e;

	if (recipient.len == 0 || recipient.len > HF_MARK_ID_MAX)
		return HF_ERR_ARG;
	hf_put_be32(len, (uint32_t)recipient.len);
	hf_hmac_feed(&mac, len, sizeof(len));
	hf_hmac_feed(&mac, recipient.p, recipient.len);
	hf_hmac_done(&mac, sub);
	e = hf_module_check_out(sub, sizeof(sub));
	if (e == HF_OK)
		hf_sm4_init(key, sub);
	hf_wipe(sub, sizeof(sub));
	return e;
}

void hf_mark_word_pack(uint8_t *word, size_t at, const uint8_t *bytes, const uint8_t *cls, size_t n)
{
	for (size_t j = 0; j < n; j++) {
		/* 1 if below, without a branch: the difference of two bytes as an unsigned number
		 */
		unsigned bit = ((unsigned)bytes[j] - hf_mark_threshold[cls[j]]) >> 31;
		unsigned shift = (at + j) & 7;
		uint8_t *b = &word[(at + j) >> 3];

		*b = (uint8_t)((*b & ~(1u << shift)) | bit << shift);
	}
}

hf_err hf_mark_word_put(uint8_t *word, size_t at, const struct hf_sm4_key *recipient,
	const struct hf_mark_tensor_keys *t, const uint8_t *cls, size_t n)
{
	uint8_t counter[HF_SM4_BLOCK_LEN] = { 0 };
	uint8_t bytes[PIECE];
	hf_err e = HF_OK;

	memcpy(counter, t->nonce, sizeof(t->nonce));
	for (size_t done = 0; done < n && e == HF_OK; done += PIECE) {
		size_t len = n - done < PIECE ? n - done : PIECE;

		memset(bytes, 0, len);
		e = hf_sm4_ctr(recipient, counter, bytes, bytes, len);
		if (e == HF_OK)
			hf_mark_word_pack(word, at + done, bytes, cls + done, len);
	}
	hf_wipe(bytes, sizeof(bytes));
	return e;
}
