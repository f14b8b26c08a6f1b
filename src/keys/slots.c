/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Key slots, file form, all integers big-endian:
 *   'HFSL'  u8 version 1  key id (16)  u32 seed version  kcv (8)  u8 n
 *   n times: u8 kind  set (8)  salt (32)  u32 iterations  u16 length  HFKB
 * Each blob's context names the slot kind and the seed, so a blob cannot move between files.
 */
#include "keys/slots.h"

#include <string.h>

#include "base/ct.h"
#include "base/hex.h"
#include "base/rd.h"
#include "base/wipe.h"
#include "base/wr.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"

enum {
	SLOTS_VERSION = 1,
	SLOT_CONTEXT_MAX = 128,
	ITERATIONS_MAX = 10000000,
};

static const uint8_t slots_magic[4] = { 'H', 'F', 'S', 'L' };

static void kcv_of(uint8_t kcv[HF_KCV_LEN], const uint8_t seed[HF_KEY_SEED_LEN])
{
	uint8_t tag[HF_SM3_LEN];

	hf_hmac_sm3(tag, seed, HF_KEY_SEED_LEN, "hufu/kcv", 8);
	memcpy(kcv, tag, HF_KCV_LEN);
}

hf_err hf_slots_init(
	struct hf_slots *s, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng)
{
	memset(s, 0, sizeof(*s));
	s->version = 1;
	kcv_of(s->kcv, seed);
	return hf_rng_fill(rng, s->key_id, sizeof(s->key_id));
}

static void slot_context(
	char text[SLOT_CONTEXT_MAX], const struct hf_slots *s, enum hf_slot_kind kind)
{
	struct hf_writer w = { .p = (uint8_t *)text, .cap = SLOT_CONTEXT_MAX };
	char id[2 * HF_KEY_ID_LEN + 1];

	hf_hex_emit(id, s->key_id, HF_KEY_ID_LEN);
	hf_wr_str(&w, "key=");
	hf_wr_str(&w, id);
	hf_wr_str(&w, kind == HF_SLOT_SHAMIR ? "\nslot=shamir\n" : "\nslot=passphrase\n");
	hf_wr_u8(&w, 0);
}

/* Wraps the seed under a slot key and counts the slot in. */
static hf_err slot_fill(struct hf_slots *s, struct hf_slot *slot, const uint8_t *slot_key,
	const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng)
{
	char context[SLOT_CONTEXT_MAX];
	struct hf_blob_info info = {
		.key_version = s->version,
		.tier = 1,
		.level = 3,
		.usage = HF_KEY_DERIVE,
		.not_after = UINT64_MAX,
		.context = context,
	};

	slot_context(context, s, slot->kind);
	info.context_len = strlen(context);
	memcpy(info.key_id, s->key_id, HF_KEY_ID_LEN);
	slot->blob_len = sizeof(slot->blob);
	HF_TRY(hf_blob_wrap(
		slot->blob, &slot->blob_len, &info, slot_key, seed, HF_KEY_SEED_LEN, rng));
	s->slot[s->n_slots++] = *slot;
	return HF_OK;
}

hf_err hf_slots_add_shamir(struct hf_slots *s, struct hf_share *shares, uint8_t threshold,
	uint8_t n, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng)
{
	struct hf_slot slot = { .kind = HF_SLOT_SHAMIR };
	uint8_t slot_key[HF_KEY_SEED_LEN] = { 0 };
	hf_err e;

	if (s->n_slots == HF_SLOTS_MAX)
		return HF_ERR_LIMIT;
	e = hf_rng_fill(rng, slot_key, sizeof(slot_key));
	if (e != HF_OK)
		goto out;
	e = hf_shamir_split(shares, threshold, n, slot_key, rng);
	if (e != HF_OK)
		goto out;
	memcpy(slot.set, shares[0].set, sizeof(slot.set));
	e = slot_fill(s, &slot, slot_key, seed, rng);
out:
	hf_wipe(slot_key, sizeof(slot_key));
	return e;
}

hf_err hf_slots_add_passphrase(struct hf_slots *s, const void *passphrase, size_t passphrase_len,
	const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_rng *rng)
{
	struct hf_slot slot = { .kind = HF_SLOT_PASSPHRASE, .iterations = HF_SLOT_ITERATIONS };
	uint8_t slot_key[HF_KEY_SEED_LEN] = { 0 };
	hf_err e;

	if (passphrase_len < HF_PASSPHRASE_MIN)
		return HF_ERR_ARG;
	if (s->n_slots == HF_SLOTS_MAX)
		return HF_ERR_LIMIT;
	e = hf_rng_fill(rng, slot.salt, sizeof(slot.salt));
	if (e != HF_OK)
		goto out;
	e = hf_pbkdf2(slot_key, sizeof(slot_key), passphrase, passphrase_len, slot.salt,
		sizeof(slot.salt), slot.iterations);
	if (e != HF_OK)
		goto out;
	e = slot_fill(s, &slot, slot_key, seed, rng);
out:
	hf_wipe(slot_key, sizeof(slot_key));
	return e;
}

/* Opens one slot; the check value of the seed has the last word. */
static hf_err slot_open(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *s,
	const struct hf_slot *slot, const uint8_t *slot_key)
{
	char context[SLOT_CONTEXT_MAX];
	uint8_t out[HF_KEY_SEED_LEN] = { 0 };
	uint8_t kcv[HF_KCV_LEN];
	size_t len = sizeof(out);
	hf_err e;

	slot_context(context, s, slot->kind);
	e = hf_blob_unwrap(out, &len, slot_key, context, slot->blob, slot->blob_len);
	kcv_of(kcv, out);
	if (e == HF_OK && (len != sizeof(out) || !hf_ct_eq(kcv, s->kcv, sizeof(kcv))))
		e = HF_ERR_AUTH;
	if (e == HF_OK)
		memcpy(seed, out, sizeof(out));
	hf_wipe(out, sizeof(out));
	return e;
}

hf_err hf_slots_open_shares(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *s,
	const struct hf_share *shares, size_t n_shares, struct hf_errinfo *ei)
{
	uint8_t slot_key[HF_KEY_SEED_LEN] = { 0 };
	hf_err e = hf_shamir_join(slot_key, shares, n_shares, ei);
	hf_err opened = HF_ERR_AUTH;

	for (size_t i = 0; e == HF_OK && opened != HF_OK && i < s->n_slots; i++)
		if (s->slot[i].kind == HF_SLOT_SHAMIR &&
			memcmp(s->slot[i].set, shares[0].set, HF_SHARE_SET_LEN) == 0)
			opened = slot_open(seed, s, &s->slot[i], slot_key);
	hf_wipe(slot_key, sizeof(slot_key));
	if (e != HF_OK)
		return e;
	if (opened != HF_OK)
		return hf_fail(ei, opened, "key slots: these shares open no slot of this file");
	return HF_OK;
}

hf_err hf_slots_open_passphrase(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *s,
	const void *passphrase, size_t passphrase_len, struct hf_errinfo *ei)
{
	uint8_t slot_key[HF_KEY_SEED_LEN] = { 0 };
	hf_err e = HF_ERR_AUTH;

	for (size_t i = 0; e != HF_OK && i < s->n_slots; i++) {
		const struct hf_slot *slot = &s->slot[i];

		if (slot->kind != HF_SLOT_PASSPHRASE)
			continue;
		e = hf_pbkdf2(slot_key, sizeof(slot_key), passphrase, passphrase_len, slot->salt,
			sizeof(slot->salt), slot->iterations);
		if (e == HF_OK)
			e = slot_open(seed, s, slot, slot_key);
	}
	hf_wipe(slot_key, sizeof(slot_key));
	if (e != HF_OK)
		return hf_fail(ei, e, "key slots: the passphrase opens no slot of this file");
	return HF_OK;
}

hf_err hf_slots_emit(uint8_t *out, size_t *out_len, const struct hf_slots *s)
{
	struct hf_writer w = { .p = out, .cap = *out_len };

	hf_wr_put(&w, slots_magic, sizeof(slots_magic));
	hf_wr_u8(&w, SLOTS_VERSION);
	hf_wr_put(&w, s->key_id, HF_KEY_ID_LEN);
	hf_wr_u32(&w, s->version);
	hf_wr_put(&w, s->kcv, HF_KCV_LEN);
	hf_wr_u8(&w, (uint8_t)s->n_slots);
	for (size_t i = 0; i < s->n_slots; i++) {
		const struct hf_slot *slot = &s->slot[i];

		hf_wr_u8(&w, (uint8_t)slot->kind);
		hf_wr_put(&w, slot->set, sizeof(slot->set));
		hf_wr_put(&w, slot->salt, sizeof(slot->salt));
		hf_wr_u32(&w, slot->iterations);
		hf_wr_u16(&w, (uint16_t)slot->blob_len);
		hf_wr_put(&w, slot->blob, slot->blob_len);
	}
	HF_TRY(hf_wr_done(&w));
	*out_len = w.len;
	return HF_OK;
}

/* Reads one slot; kinds and sizes are judged by the caller once all bytes are there. */
static void slot_read(struct hf_slot *slot, struct hf_reader *r)
{
	slot->kind = (enum hf_slot_kind)hf_rd_u8(r);
	hf_rd_copy(r, slot->set, sizeof(slot->set));
	hf_rd_copy(r, slot->salt, sizeof(slot->salt));
	slot->iterations = hf_rd_u32(r);
	slot->blob_len = hf_rd_u16(r);
	if (slot->blob_len > sizeof(slot->blob))
		r->is_short = true;
	else
		hf_rd_copy(r, slot->blob, slot->blob_len);
}

hf_err hf_slots_parse(struct hf_slots *s, const uint8_t *in, size_t in_len)
{
	struct hf_reader r = { .p = in, .left = in_len };
	struct hf_slots out = { 0 };
	const uint8_t *magic = hf_rd_take(&r, sizeof(slots_magic));
	uint8_t version = hf_rd_u8(&r);

	hf_rd_copy(&r, out.key_id, HF_KEY_ID_LEN);
	out.version = hf_rd_u32(&r);
	hf_rd_copy(&r, out.kcv, HF_KCV_LEN);
	out.n_slots = hf_rd_u8(&r);
	if (out.n_slots > HF_SLOTS_MAX)
		return HF_ERR_LIMIT;
	for (size_t i = 0; i < out.n_slots; i++)
		slot_read(&out.slot[i], &r);
	HF_TRY(hf_rd_done(&r));
	if (memcmp(magic, slots_magic, sizeof(slots_magic)) != 0)
		return HF_ERR_FORMAT;
	if (version != SLOTS_VERSION)
		return HF_ERR_UNSUPPORTED;
	for (size_t i = 0; i < out.n_slots; i++) {
		const struct hf_slot *slot = &out.slot[i];

		if (slot->kind != HF_SLOT_SHAMIR && slot->kind != HF_SLOT_PASSPHRASE)
			return HF_ERR_UNSUPPORTED;
		if (slot->iterations > ITERATIONS_MAX)
			return HF_ERR_LIMIT;
	}
	*s = out;
	return HF_OK;
}

static hf_err derive(uint8_t out[HF_KEY_SEED_LEN], const uint8_t *ikm, size_t ikm_len,
	const char *label, const char *purpose)
{
	uint8_t info[64];
	struct hf_writer w = { .p = info, .cap = sizeof(info) };

	hf_wr_str(&w, label);
	hf_wr_str(&w, purpose);
	HF_TRY(hf_wr_done(&w));
	return hf_hkdf(out, HF_KEY_SEED_LEN, NULL, 0, ikm, ikm_len, info, w.len);
}

hf_err hf_root_derive(
	uint8_t out[HF_KEY_SEED_LEN], const uint8_t seed[HF_KEY_SEED_LEN], const char *purpose)
{
	return derive(out, seed, HF_KEY_SEED_LEN, "hufu/root/1/", purpose);
}

hf_err hf_device_kek(uint8_t out[HF_KEY_SEED_LEN], const uint8_t install_secret[HF_KEY_SEED_LEN],
	const void *fingerprint, size_t fingerprint_len)
{
	uint8_t ikm[HF_KEY_SEED_LEN + HF_SM3_LEN];
	hf_err e;

	memcpy(ikm, install_secret, HF_KEY_SEED_LEN);
	hf_sm3(ikm + HF_KEY_SEED_LEN, fingerprint, fingerprint_len);
	e = derive(out, ikm, sizeof(ikm), "hufu/device/1/", "kek");
	hf_wipe(ikm, sizeof(ikm));
	return e;
}
