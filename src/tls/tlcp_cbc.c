/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The CBC suites of TLCP: IV || SM4-CBC(content || HMAC-SM3 || padding). The MAC lies under the
 * padding, so whoever learns from time or words which of the two was wrong can decrypt records byte
 * by byte (Lucky Thirteen). Here
 *
 * 1. what is done depends on the length of the record alone, which everybody sees: the padding is
 *    looked at over its longest possible extent, the hash runs over as many blocks as the longest
 *    content would need, and the MAC is fetched from where it lies without an index that says
 * where;
 * 2. the one bit that leaves is the AND of padding and MAC; if it is set, the length of the content
 *    leaves too, for then the record is the peer's.
 */
#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/sm4_modes.h"
#include "tls/tlcp_record.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	MAC = HF_SM3_LEN,
	PAD_MAX = 255,           /* the last byte says how many there are before it */
	LEAST = MAC + 1,         /* bytes of a body that are not content */
	HASH = HF_SM3_BLOCK_LEN, /* of the hash's compression */
};

static size_t pad_of(size_t len)
{
	return BLOCK - 1 - (len + MAC) % BLOCK;
}

static size_t cbc_sealed_len(size_t len)
{
	return BLOCK + len + MAC + pad_of(len) + 1;
}

static hf_err cbc_set(struct hf_tlcp_dir *d, const struct hf_tlcp_keys *k)
{
	hf_hmac_init(&d->k.cbc.mac, k->mac, HF_SM3_LEN);
	hf_sm4_init(&d->k.cbc.key, k->key);
	return HF_OK;
}

static hf_err cbc_seal(
	const struct hf_tlcp_dir *d, const struct hf_tlcp_record *r, const struct hf_rng *rng)
{
	struct hf_hmac mac = d->k.cbc.mac;
	uint8_t *text = r->out + BLOCK;
	size_t pad = pad_of(r->len);
	size_t n = r->len + MAC + pad + 1;
	uint8_t aad[HF_TLCP_AAD_LEN];

	HF_TRY(hf_rng_fill(rng, r->out, BLOCK)); /* no IV may be foreseen */
	if (r->len > 0)
		memcpy(text, r->in, r->len);
	hf_tlcp_aad(aad, r->n, r->type, r->len);
	hf_hmac_feed(&mac, aad, sizeof(aad));
	hf_hmac_feed(&mac, text, r->len);
	hf_hmac_done(&mac, text + r->len);
	memset(text + r->len + MAC, (int)pad, pad + 1);
	return hf_sm4_crypt(&d->k.cbc.key, HF_SM4_CBC, HF_SM4_ENCRYPT, r->out, text, &n,
		(struct hf_bytes){ text, n });
}

/* All ones if the padding is right; *len: of the content, as if there were none if it is not. */
static hf_ct_mask check_pad(size_t *len, const uint8_t *text, size_t n)
{
	uint64_t pad = text[n - 1];
	hf_ct_mask good = ~hf_ct_less(n, pad + LEAST);
	size_t span = n < PAD_MAX + 1 ? n : PAD_MAX + 1;

	for (size_t i = 0; i < span; i++) {
		hf_ct_mask is_pad = ~hf_ct_less(pad, i);

		good &= ~is_pad | hf_ct_same(text[n - 1 - i], pad);
	}
	*len = n - LEAST - (size_t)(pad & good);
	return good;
}

/* The head and the content as one run of bytes; what lies behind them does not matter. */
struct run {
	const uint8_t *aad;
	const uint8_t *text;
	size_t n;
};

static uint8_t run_at(const struct run *r, size_t at)
{
	if (at < HF_TLCP_AAD_LEN)
		return r->aad[at];
	return at - HF_TLCP_AAD_LEN < r->n ? r->text[at - HF_TLCP_AAD_LEN] : 0;
}

/* Block i of the hash's padded message, whose content ends at the secret place end. */
static void make_block(uint8_t block[HASH], const struct run *r, size_t i, size_t end)
{
	hf_ct_mask is_last = hf_ct_same(i, (end + 8) / HASH);
	uint64_t bits = (uint64_t)(HASH + end) * 8; /* the key's block comes first */

	for (size_t j = 0; j < HASH; j++) {
		size_t at = i * HASH + j;
		uint64_t b = run_at(r, at) & hf_ct_less(at, end);

		b |= 0x80 & hf_ct_same(at, end);
		if (j >= HASH - 8)
			b |= (bits >> (8 * (HASH - 1 - j))) & 0xff & is_last;
		block[j] = (uint8_t)b;
	}
}

/* HMAC over the head and len bytes of text; len is secret, between n - LEAST - 255 and n - LEAST.
 */
static void secret_mac(uint8_t out[MAC], const struct hf_hmac *key, const struct run *r, size_t len)
{
	size_t end = HF_TLCP_AAD_LEN + len;
	size_t most = HF_TLCP_AAD_LEN + r->n - LEAST;
	size_t least = most > PAD_MAX + HF_TLCP_AAD_LEN ? most - PAD_MAX : HF_TLCP_AAD_LEN;
	size_t first = least / HASH; /* blocks before it are content whatever the length is */
	struct hf_hmac m = *key;
	uint32_t h[8] = { 0 };
	uint8_t block[HASH];

	if (first > 0) {
		hf_sm3_feed(&m.inner, r->aad, HF_TLCP_AAD_LEN);
		hf_sm3_feed(&m.inner, r->text, first * HASH - HF_TLCP_AAD_LEN);
	}
	for (size_t i = first; i <= (most + 8) / HASH; i++) {
		hf_ct_mask is_last = hf_ct_same(i, (end + 8) / HASH);

		make_block(block, r, i, end);
		hf_sm3_feed(&m.inner, block, sizeof(block));
		for (size_t k = 0; k < 8; k++)
			h[k] |= m.inner.h[k] & (uint32_t)is_last;
	}
	for (size_t k = 0; k < 8; k++)
		hf_put_be32(out + 4 * k, h[k]);
	hf_sm3_feed(&m.outer, out, MAC);
	hf_sm3_done(&m.outer, out);
	hf_wipe(&m, sizeof(m));
	hf_wipe(h, sizeof(h));
	hf_wipe(block, sizeof(block));
}

/* The MAC that lies at the secret place len: gathered turned, then turned back. */
static void fetch_mac(uint8_t out[MAC], const uint8_t *text, size_t n, size_t len)
{
	size_t from = n > PAD_MAX + LEAST ? n - PAD_MAX - LEAST : 0;
	uint64_t turn = (len - from) % MAC;
	uint8_t turned[MAC];

	memset(out, 0, MAC);
	for (size_t at = from; at < n; at++) {
		hf_ct_mask is_in = ~hf_ct_less(at, len) & hf_ct_less(at, len + MAC);

		out[(at - from) % MAC] |= text[at] & (uint8_t)is_in;
	}
	for (size_t step = 1; step < MAC; step *= 2) {
		hf_ct_mask m = hf_ct_nonzero(turn & step);

		for (size_t i = 0; i < MAC; i++)
			turned[i] = out[(i + step) % MAC];
		hf_ct_pick_bytes(m, out, turned, out, MAC);
	}
	hf_wipe(turned, sizeof(turned));
}

static hf_err cbc_open(const struct hf_tlcp_dir *d, size_t *len, const struct hf_tlcp_record *r)
{
	uint8_t aad[HF_TLCP_AAD_LEN];
	uint8_t want[MAC];
	uint8_t got[MAC];
	struct run run = { aad, r->out, 0 };
	size_t n, content;
	hf_ct_mask good;

	if (r->len < BLOCK + LEAST || r->len % BLOCK != 0)
		return HF_ERR_AUTH; /* said by the length, which is no secret */
	n = run.n = r->len - BLOCK;
	HF_TRY(hf_sm4_crypt(&d->k.cbc.key, HF_SM4_CBC, HF_SM4_DECRYPT, r->in, r->out, &n,
		(struct hf_bytes){ r->in + BLOCK, n }));

	good = check_pad(&content, r->out, n);
	hf_tlcp_aad(aad, r->n, r->type, content);
	secret_mac(want, &d->k.cbc.mac, &run, content);
	fetch_mac(got, r->out, n, content);
	good &= hf_ct_eq_mask(want, got, MAC);
	hf_wipe(want, sizeof(want));
	hf_wipe(got, sizeof(got));
	if (!hf_ct_declassify(good)) {
		hf_wipe(r->out, n);
		return HF_ERR_AUTH;
	}
	HF_PUBLISH(content);
	*len = content;
	return HF_OK;
}

const struct hf_tlcp_cipher hf_tlcp_cbc = {
	.mac_len = HF_SM3_LEN,
	.key_len = HF_SM4_KEY_LEN,
	.iv_len = BLOCK, /* in the key block, and not used: each record brings its own */
	.sealed_len = cbc_sealed_len,
	.set = cbc_set,
	.seal = cbc_seal,
	.open = cbc_open,
};
