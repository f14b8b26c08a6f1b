/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The protected records of TLCP traces (GB/T 38636-2020 6.3): with GCM as in RFC 5288, with CBC the
 * MAC inside, padding behind it, and an IV of its own in front.
 */
#include <stdio.h>
#include <string.h>

#include "base/endian.h"
#include "crypto/gcm.h"
#include "crypto/hmac.h"
#include "vec_tlcp.h"

enum {
	EXPLICIT = 8, /* bytes of the nonce in front of a record of GCM */
	SALT = 4,     /* and of the nonce that is kept */
	BLOCK = HF_SM4_BLOCK_LEN,
	PSEUDO_HEAD = 13, /* number, type, version, length: what is authenticated besides */
	RECORD_MAX = (1 << 14) + 2048,
};

static const uint8_t close_notify[] = { 1, 0 };

static void pseudo_head(
	uint8_t out[PSEUDO_HEAD], uint64_t number, const uint8_t *record, size_t len)
{
	hf_put_be64(out, number);
	memcpy(out + 8, record, 3);
	hf_put_be16(out + 11, (uint16_t)len);
}

/* The length of what is in it; SIZE_MAX: it does not open. */
static size_t open_gcm(const struct tlcp_trace *t, unsigned side, uint64_t number,
	struct hf_bytes record, uint8_t *out)
{
	size_t len = record.len - TLCP_RECORD_HEAD - EXPLICIT - HF_GCM_TAG_LEN;
	const uint8_t *body = record.p + TLCP_RECORD_HEAD;
	uint8_t nonce[SALT + EXPLICIT];
	uint8_t tag[HF_GCM_TAG_LEN];
	uint8_t head[PSEUDO_HEAD];
	struct hf_aead a = { nonce, sizeof(nonce), head, sizeof(head), body + EXPLICIT, len, out,
		tag, sizeof(tag) };
	struct hf_gcm_key k;
	hf_err e;

	memcpy(nonce, tlcp_field(t, side, "WriteIv").p, SALT);
	memcpy(nonce + SALT, body, EXPLICIT);
	memcpy(tag, body + EXPLICIT + len, sizeof(tag));
	pseudo_head(head, number, record.p, len);
	e = hf_gcm_init(&k, tlcp_field(t, side, "WriteKey").p);
	if (e == HF_OK)
		e = hf_gcm_open(&k, &a);
	hf_gcm_clear(&k);
	return e == HF_OK ? len : SIZE_MAX;
}

static size_t open_cbc(const struct tlcp_trace *t, unsigned side, uint64_t number,
	struct hf_bytes record, uint8_t *out)
{
	struct hf_bytes mac_key = tlcp_field(t, side, "MacKey");
	size_t len = record.len - TLCP_RECORD_HEAD - BLOCK;
	uint8_t iv[BLOCK];
	uint8_t head[PSEUDO_HEAD];
	uint8_t tag[HF_SM3_LEN];
	struct hf_sm4_key k;
	struct hf_hmac m;
	size_t pad;

	memcpy(iv, record.p + TLCP_RECORD_HEAD, BLOCK);
	hf_sm4_init(&k, tlcp_field(t, side, "WriteKey").p);
	if (len % BLOCK != 0 || hf_sm4_cbc_decrypt(&k, iv, out, record.p + TLCP_RECORD_HEAD + BLOCK,
					len / BLOCK) != HF_OK)
		return SIZE_MAX;
	pad = (size_t)out[len - 1] + 1;
	for (size_t i = 0; i < pad; i++)
		if (pad + sizeof(tag) > len || out[len - 1 - i] != pad - 1)
			return SIZE_MAX;
	len -= pad + sizeof(tag);
	pseudo_head(head, number, record.p, len);
	hf_hmac_init(&m, mac_key.p, mac_key.len);
	hf_hmac_feed(&m, head, sizeof(head));
	hf_hmac_feed(&m, out, len);
	hf_hmac_done(&m, tag);
	return memcmp(tag, out + len, sizeof(tag)) == 0 ? len : SIZE_MAX;
}

/* Opens a record and compares what it holds with a field, or with close_notify if want is NULL. */
static void check_record(const struct tlcp_trace *t, unsigned side, uint64_t number,
	struct hf_bytes record, const char *want)
{
	bool is_cbc = tlcp_field(t, side, "MacKey").len > 0;
	size_t least = TLCP_RECORD_HEAD + (is_cbc ? 4 * BLOCK : EXPLICIT + HF_GCM_TAG_LEN);
	uint8_t *out = vec_room(t->r, RECORD_MAX);
	size_t len = SIZE_MAX;

	if (out == NULL)
		return;
	if (record.len >= least && record.len <= RECORD_MAX &&
		hf_get_be16(record.p + 3) == record.len - TLCP_RECORD_HEAD)
		len = (is_cbc ? open_cbc : open_gcm)(t, side, number, record, out);
	if (len == SIZE_MAX)
		vec_fail(t->r, "%s: protected record %u does not open", tlcp_side[side],
			(unsigned)number);
	else if (want != NULL)
		vec_expect(t->r, want, out, len);
	else
		vec_check(t->r,
			len == sizeof(close_notify) &&
				memcmp(out, close_notify, sizeof(close_notify)) == 0,
			"an alert is not close_notify");
}

/* A live trace: Finished, then data and an alert, as the records' types tell. */
static void check_live(const struct tlcp_trace *t, unsigned side)
{
	char name[VEC_NAME_MAX + 1];
	struct hf_bytes b;
	size_t n_data = 0;

	for (size_t i = t->first[side]; (b = tlcp_record(t, side, i)).len > 0; i++) {
		bool is_data = b.p[0] == TLCP_DATA;

		if (is_data)
			(void)snprintf(name, sizeof(name), "%sAppPlaintext[%zu]", tlcp_side[side],
				n_data++);
		else
			(void)snprintf(name, sizeof(name), "%sFinished", tlcp_side[side]);
		check_record(t, side, i - t->first[side], b, b.p[0] == TLCP_ALERT ? NULL : name);
	}
}

/* A computed trace: the records have names. */
static void check_named(const struct tlcp_trace *t, unsigned side)
{
	struct hf_bytes b = tlcp_field(t, side, "FinishedRecord");
	struct hf_bytes notify = vec_want(t->r, "CloseNotifyRecord");
	char name[VEC_NAME_MAX + 1];

	(void)snprintf(name, sizeof(name), "%sFinished", tlcp_side[side]);
	if (b.len > 0)
		check_record(t, side, 0, b, name);
	b = tlcp_field(t, side, "AppRecord");
	(void)snprintf(name, sizeof(name), "%sAppPlaintext", tlcp_side[side]);
	if (b.len > 0)
		check_record(t, side, 1, b, name);
	if (side == 1 && notify.len > 0)
		check_record(t, side, 2, notify, NULL);
}

void tlcp_check_records(const struct tlcp_trace *t)
{
	for (unsigned side = 0; side < 2 && vec_is_open(t->r); side++) {
		size_t iv_len = tlcp_field(t, side, "MacKey").len > 0 ? BLOCK : SALT;

		if (tlcp_field(t, side, "WriteKey").len != HF_SM4_KEY_LEN ||
			tlcp_field(t, side, "WriteIv").len != iv_len)
			vec_skip(t->r, "%s: no keys of SM4", tlcp_side[side]);
		else if (t->is_live)
			check_live(t, side);
		else
			check_named(t, side);
	}
}
