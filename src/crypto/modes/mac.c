/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The MACs that are made from CBC. With the padded message in blocks D_1 ... D_q and H_i = E_K1(D_i
 * ^ H_{i-1}), H_0 = 0:
 *
 *   CBC-MAC  H_q                            CMAC  H_q with D_q ^ L x, or L x^2 if it was padded;
 *   EMAC     E_K2(H_q)                            L = E_K(0) in GF(2^128)
 *   RETAIL   E_K1(D_K2(H_q))                LMAC  K1 = E_K(1), K2 = E_K(2): H_q under K2
 *   MACDES   E_K2(H_q), H_1 = E_K3(E_K1(D_1)), K3 = K2 with the high half of each byte inverted
 *   TRCBC    the left half of H_q, the right one if D_q was padded
 *   CBCR     H_0 = E_K(0); H_q = E_K(D_q ^ H_{q-1} turned right by a bit, left if D_q was padded)
 *
 * "Padded" in the last three means one bit and zeros; a message of whole blocks is not. The empty
 * message is one padded block, whose bit is missing in CBCR (so the example of GB/T 15852.1-2020
 * annex B has it). The last block is held back until it is known to be the last one.
 */
#include "crypto/sm4_mac.h"

#include <string.h>

#include "base/ct.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm4/sm4_kernel.h"

enum {
	BLOCK = HF_SM4_BLOCK_LEN,
	TRCBC_LEN = BLOCK / 2,
};

static void encrypt_block(const struct hf_sm4_key *k, uint8_t b[BLOCK])
{
	hf_module()->sm4->ecb(k->rk, b, b, 1);
}

size_t hf_sm4_mac_key_len(enum hf_sm4_mac_kind kind)
{
	if (kind < HF_SM4_CBC_MAC || kind > HF_SM4_CBCR)
		return 0;
	return kind == HF_SM4_EMAC || kind == HF_SM4_RETAIL || kind == HF_SM4_MACDES ? 32 : 16;
}

static bool has_own_padding(enum hf_sm4_mac_kind kind)
{
	return kind == HF_SM4_CMAC || kind == HF_SM4_TRCBC || kind == HF_SM4_CBCR;
}

/* b times x in GF(2^128) of SP 800-38B 6.1: R = 0^120 10000111. */
static void times_x(uint8_t out[BLOCK], const uint8_t b[BLOCK])
{
	uint64_t high = hf_get_be64(b);
	uint64_t low = hf_get_be64(b + 8);
	hf_ct_mask over = hf_ct_bit(high >> 63);

	hf_put_be64(out, high << 1 | low >> 63);
	hf_put_be64(out + 8, low << 1 ^ (over & 0x87));
}

/* K1 and K2 of LMAC: E_K of the numbers 1 and 2. */
static void lmac_keys(struct hf_sm4_mac_key *k)
{
	uint8_t one[BLOCK] = { [BLOCK - 1] = 1 };
	uint8_t two[BLOCK] = { [BLOCK - 1] = 2 };

	encrypt_block(&k->k1, one);
	encrypt_block(&k->k1, two);
	hf_sm4_init(&k->k1, one);
	hf_sm4_init(&k->k2, two);
	hf_wipe(one, sizeof(one));
	hf_wipe(two, sizeof(two));
}

static void macdes_key(struct hf_sm4_mac_key *k, const uint8_t key2[HF_SM4_KEY_LEN])
{
	uint8_t key3[HF_SM4_KEY_LEN];

	for (size_t i = 0; i < sizeof(key3); i++)
		key3[i] = key2[i] ^ 0xf0;
	hf_sm4_init(&k->k3, key3);
	hf_wipe(key3, sizeof(key3));
}

hf_err hf_sm4_mac_key_init(struct hf_sm4_mac_key *k, enum hf_sm4_mac_kind kind,
	enum hf_sm4_mac_pad pad, const uint8_t *key, size_t key_len)
{
	HF_TRY(hf_module_check());
	if (key_len == 0 || key_len != hf_sm4_mac_key_len(kind))
		return HF_ERR_ARG;
	if (has_own_padding(kind) ? pad != HF_SM4_PAD_OWN
				  : pad < HF_SM4_PAD_ZERO || pad > HF_SM4_PAD_LEN)
		return HF_ERR_ARG;
	memset(k, 0, sizeof(*k));
	k->kind = kind;
	k->pad = pad;
	hf_sm4_init(&k->k1, key);
	if (key_len > HF_SM4_KEY_LEN)
		hf_sm4_init(&k->k2, key + HF_SM4_KEY_LEN);
	if (kind == HF_SM4_MACDES)
		macdes_key(k, key + HF_SM4_KEY_LEN);
	if (kind == HF_SM4_LMAC)
		lmac_keys(k);
	if (kind == HF_SM4_CMAC || kind == HF_SM4_CBCR)
		encrypt_block(&k->k1, k->padded); /* E_K(0) */
	if (kind == HF_SM4_CMAC) {
		times_x(k->whole, k->padded);
		times_x(k->padded, k->whole);
	}
	return HF_OK;
}

void hf_sm4_mac_key_clear(struct hf_sm4_mac_key *k)
{
	hf_wipe(k, sizeof(*k));
}

/* Chains n blocks that are not the last ones. */
static void chain(struct hf_sm4_mac *m, const uint8_t *in, size_t n)
{
	const struct hf_sm4_kernel *sm4 = hf_module()->sm4;

	if (n > 0 && m->is_first && m->key->kind == HF_SM4_MACDES) {
		sm4->cbc(m->key->k1.rk, m->chain, NULL, in, 1);
		encrypt_block(&m->key->k3, m->chain);
		in += BLOCK;
		n--;
		m->is_first = false;
	}
	if (n > 0) {
		sm4->cbc(m->key->k1.rk, m->chain, NULL, in, n);
		m->is_first = false;
	}
}

static void feed(struct hf_sm4_mac *m, const uint8_t *in, size_t len)
{
	size_t n;

	if (len == 0)
		return;
	if (m->fill + len > BLOCK && m->fill > 0) {
		n = BLOCK - m->fill;
		memcpy(m->part + m->fill, in, n);
		chain(m, m->part, 1);
		m->fill = 0;
		in += n;
		len -= n;
	}
	n = (len - 1) / BLOCK; /* at least one byte stays behind */
	chain(m, in, n);
	in += n * BLOCK;
	len -= n * BLOCK;
	memcpy(m->part + m->fill, in, len);
	m->fill += len;
}

hf_err hf_sm4_mac_start(struct hf_sm4_mac *m, const struct hf_sm4_mac_key *k, uint64_t message_len)
{
	uint8_t head[BLOCK] = { 0 };

	memset(m, 0, sizeof(*m));
	HF_TRY(hf_module_check());
	if (k->pad == HF_SM4_PAD_LEN && message_len > HF_SM4_MAC_MESSAGE_MAX)
		return HF_ERR_LIMIT;
	m->key = k;
	m->told = message_len;
	m->is_first = true;
	if (k->kind == HF_SM4_CBCR)
		memcpy(m->chain, k->padded, BLOCK);
	if (k->pad == HF_SM4_PAD_LEN) {
		hf_put_be64(head + 8, 8 * message_len);
		feed(m, head, sizeof(head));
	}
	return HF_OK;
}

hf_err hf_sm4_mac_feed(struct hf_sm4_mac *m, const uint8_t *in, size_t len)
{
	HF_TRY(hf_module_check());
	if (m->key == NULL)
		return HF_ERR_STATE;
	if (len > HF_SM4_MAC_MESSAGE_MAX - m->fed)
		return HF_ERR_LIMIT;
	m->fed += len;
	feed(m, in, len);
	return HF_OK;
}

/* b turned by a bit, as one number of 128. */
static void turn(uint8_t b[BLOCK], bool left)
{
	uint64_t high = hf_get_be64(b);
	uint64_t low = hf_get_be64(b + 8);

	hf_put_be64(b, left ? high << 1 | low >> 63 : high >> 1 | low << 63);
	hf_put_be64(b + 8, left ? low << 1 | high >> 63 : low >> 1 | high << 63);
}

/* part becomes the last block; true: it was padded with a bit. */
static bool close_part(struct hf_sm4_mac *m)
{
	const struct hf_sm4_mac_key *k = m->key;
	bool wants_bit = k->pad == HF_SM4_PAD_BIT;
	bool is_padded;

	if (wants_bit && m->fill == BLOCK) {
		chain(m, m->part, 1);
		m->fill = 0;
	}
	if (k->pad == HF_SM4_PAD_LEN && m->fed == 0) {
		chain(m, m->part, 1); /* an empty message is a block of zeros behind its length */
		m->fill = 0;
	}
	is_padded = m->fill < BLOCK;
	memset(m->part + m->fill, 0, BLOCK - m->fill);
	if (is_padded && (wants_bit || k->pad == HF_SM4_PAD_OWN))
		m->part[m->fill] = k->kind == HF_SM4_CBCR && m->fed == 0 ? 0 : 0x80;
	return is_padded;
}

/* Chains the last block, in the way of the kind; true: it was padded with a bit. */
static bool last_block(struct hf_sm4_mac *m)
{
	const struct hf_sm4_mac_key *k = m->key;
	bool is_padded = close_part(m);

	switch (k->kind) {
	case HF_SM4_CMAC:
		hf_modes_xor(m->part, m->part, is_padded ? k->padded : k->whole, BLOCK);
		chain(m, m->part, 1);
		break;
	case HF_SM4_CBCR:
		hf_modes_xor(m->chain, m->chain, m->part, BLOCK);
		turn(m->chain, is_padded);
		encrypt_block(&k->k1, m->chain);
		break;
	case HF_SM4_LMAC:
		hf_modes_xor(m->chain, m->chain, m->part, BLOCK);
		encrypt_block(&k->k2, m->chain);
		break;
	default: chain(m, m->part, 1); break;
	}
	return is_padded;
}

/* E_K2, or D_K2 and E_K1, behind the last block. */
static hf_err last_step(struct hf_sm4_mac *m)
{
	const struct hf_sm4_mac_key *k = m->key;

	if (k->kind == HF_SM4_EMAC || k->kind == HF_SM4_MACDES)
		encrypt_block(&k->k2, m->chain);
	if (k->kind == HF_SM4_RETAIL) {
		HF_TRY(hf_sm4_ecb_decrypt(&k->k2, m->chain, m->chain, 1));
		encrypt_block(&k->k1, m->chain);
	}
	return HF_OK;
}

static hf_err check_done(const struct hf_sm4_mac *m, size_t tag_len)
{
	HF_TRY(hf_module_check());
	if (m->key == NULL)
		return HF_ERR_STATE;
	if (tag_len < HF_SM4_MAC_LEN_MIN ||
		tag_len > (m->key->kind == HF_SM4_TRCBC ? TRCBC_LEN : HF_SM4_MAC_LEN))
		return HF_ERR_ARG;
	return m->key->pad == HF_SM4_PAD_LEN && m->fed != m->told ? HF_ERR_STATE : HF_OK;
}

hf_err hf_sm4_mac_done(struct hf_sm4_mac *m, uint8_t *tag, size_t tag_len)
{
	bool is_padded;
	bool from_right;
	hf_err e;

	HF_TRY(check_done(m, tag_len));
	is_padded = last_block(m);
	from_right = is_padded && m->key->kind == HF_SM4_TRCBC;
	e = last_step(m);
	HF_FAULT("sm4-mac", m->chain[0]);
	if (e == HF_OK)
		memcpy(tag, from_right ? m->chain + BLOCK - tag_len : m->chain, tag_len);
	hf_sm4_mac_end(m);
	return e;
}

hf_err hf_sm4_mac_verify(struct hf_sm4_mac *m, const uint8_t *tag, size_t tag_len)
{
	uint8_t right[HF_SM4_MAC_LEN];
	bool same;

	HF_TRY(hf_sm4_mac_done(m, right, tag_len));
	same = hf_ct_eq(right, tag, tag_len);
	hf_wipe(right, sizeof(right));
	return same ? HF_OK : HF_ERR_AUTH;
}

void hf_sm4_mac_end(struct hf_sm4_mac *m)
{
	hf_wipe(m, sizeof(*m));
}

hf_err hf_sm4_mac(
	const struct hf_sm4_mac_key *k, uint8_t *tag, size_t tag_len, struct hf_bytes message)
{
	struct hf_sm4_mac m;
	hf_err e = hf_sm4_mac_start(&m, k, message.len);

	if (e == HF_OK)
		e = hf_sm4_mac_feed(&m, message.p, message.len);
	if (e == HF_OK)
		e = hf_sm4_mac_done(&m, tag, tag_len);
	hf_sm4_mac_end(&m);
	return e;
}

hf_err hf_sm4_gmac(const struct hf_gcm_key *k, struct hf_bytes nonce, uint8_t *tag, size_t tag_len,
	struct hf_bytes message)
{
	struct hf_aead a = { .nonce = nonce.p,
		.nonce_len = nonce.len,
		.aad = message.p,
		.aad_len = message.len,
		.tag = tag,
		.tag_len = tag_len };

	return hf_gcm_seal(k, &a);
}

/* GB/T 15852.1-2020 annex B, the message of 25 bytes; and refused with one bit changed. */
bool hf_sm4_mac_selftest(void)
{
	static const uint8_t key[HF_SM4_MAC_KEY_MAX] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
		0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10, 0x41, 0x49, 0xd2, 0xad, 0xed,
		0x94, 0x56, 0x68, 0x1e, 0xc8, 0xb5, 0x11, 0xd9, 0xe7, 0xee, 0x04 };
	static const uint8_t want[][HF_SM4_MAC_LEN] = {
		[HF_SM4_CBC_MAC] = { 0x42, 0x1a, 0xd1, 0x69, 0x0a, 0xa1, 0x52, 0xe2, 0x84, 0x6f,
			0xa2, 0xa5, 0xd8, 0x34, 0x45, 0xa9 },
		[HF_SM4_EMAC] = { 0xf0, 0x26, 0x25, 0xce, 0xad, 0x00, 0x8d, 0x4e, 0xfb, 0xf3, 0xf0,
			0xb2, 0xb0, 0xc2, 0xa7, 0x5b },
		[HF_SM4_RETAIL] = { 0x19, 0x72, 0x47, 0x22, 0x9c, 0xe9, 0xd7, 0xb6, 0xae, 0x40,
			0x5b, 0xf8, 0x85, 0xb2, 0x70, 0x57 },
		[HF_SM4_MACDES] = { 0x94, 0x94, 0x76, 0xd3, 0x5f, 0x17, 0x26, 0x1e, 0x1f, 0xb8,
			0xc4, 0x39, 0x6d, 0x62, 0xdc, 0x05 },
		[HF_SM4_CMAC] = { 0x47, 0x38, 0xa6, 0xc7, 0x60, 0xb2, 0x80, 0xfc, 0x0c, 0x8a, 0x8a,
			0xf3, 0x88, 0x6e, 0x9f, 0x5d },
		[HF_SM4_LMAC] = { 0x60, 0xdd, 0x95, 0x5e, 0xd0, 0xca, 0x3d, 0x7a, 0x64, 0x22, 0x71,
			0x74, 0xdd, 0x98, 0xdd, 0x81 },
		[HF_SM4_TRCBC] = { 0x84, 0x6f, 0xa2, 0xa5, 0xd8, 0x34, 0x45, 0xa9 },
		[HF_SM4_CBCR] = { 0xa9, 0x9d, 0x13, 0x01, 0x3e, 0x89, 0x2e, 0xe2, 0xc2, 0x5b, 0xe2,
			0xda, 0xaa, 0x6c, 0x82, 0xe8 },
	};
	struct hf_bytes text = hf_bytes_str("This is the test message ");
	struct hf_sm4_mac_key k = { 0 };
	struct hf_sm4_mac m;
	uint8_t tag[HF_SM4_MAC_LEN] = { 0 };
	bool ok = true;

	for (int i = HF_SM4_CBC_MAC; i <= HF_SM4_CBCR; i++) {
		enum hf_sm4_mac_kind kind = (enum hf_sm4_mac_kind)i;
		size_t len = kind == HF_SM4_TRCBC ? TRCBC_LEN : HF_SM4_MAC_LEN;

		ok &= hf_sm4_mac_key_init(&k, kind,
			      has_own_padding(kind) ? HF_SM4_PAD_OWN : HF_SM4_PAD_BIT, key,
			      hf_sm4_mac_key_len(kind)) == HF_OK;
		ok &= hf_sm4_mac(&k, tag, len, text) == HF_OK && hf_ct_eq(tag, want[i], len);
		tag[len - 1] ^= 1;
		ok &= hf_sm4_mac_start(&m, &k, text.len) == HF_OK &&
		      hf_sm4_mac_feed(&m, text.p, text.len) == HF_OK &&
		      hf_sm4_mac_verify(&m, tag, len) == HF_ERR_AUTH;
	}
	return ok;
}
