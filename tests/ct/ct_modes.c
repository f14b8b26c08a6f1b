/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other modes and the MACs of SM4, with keys and texts that memcheck takes for
 * undefined. Of padding only whether it was right, and how much text there is, may become known.
 */
#include "crypto/ctr_drbg.h"
#include "crypto/hctr.h"
#include "crypto/sm4_mac.h"
#include "crypto/sm4_modes.h"
#include "ct.h"

enum { TEXT_LEN = 112 };

static int run_modes(const struct hf_sm4_key *k, const uint8_t *text)
{
	uint8_t iv[HF_SM4_BLOCK_LEN] = { 0 };
	uint8_t out[TEXT_LEN + HF_SM4_BLOCK_LEN];

	for (int mode = 0; mode < HF_SM4_N_MODES; mode++) {
		enum hf_sm4_mode m = (enum hf_sm4_mode)mode;
		size_t n = sizeof(out);

		CT_EXPECT(hf_sm4_crypt(k, m, HF_SM4_ENCRYPT, iv, out, &n,
				  (struct hf_bytes){ text, TEXT_LEN }),
			HF_OK);
		CT_EXPECT(hf_sm4_crypt(k, m, HF_SM4_DECRYPT, iv, out, &n,
				  (struct hf_bytes){ text, TEXT_LEN }),
			HF_OK);
	}
	return 0;
}

/* Right padding and wrong: what is decrypted is secret, the answer is not. */
static int run_padding(const struct hf_sm4_key *k, uint8_t *text)
{
	uint8_t iv[HF_SM4_BLOCK_LEN] = { 0 };
	uint8_t out[TEXT_LEN + HF_SM4_BLOCK_LEN];
	size_t n = sizeof(out);

	CT_EXPECT(hf_sm4_crypt(k, HF_SM4_CBC, HF_SM4_PADDED, iv, out, &n,
			  (struct hf_bytes){ text, TEXT_LEN - 5 }),
		HF_OK);
	CT_EXPECT(hf_sm4_crypt(k, HF_SM4_CBC, HF_SM4_DECRYPT | HF_SM4_PADDED, iv, out, &n,
			  (struct hf_bytes){ out, n }),
		HF_OK);
	n = sizeof(out);
	text[TEXT_LEN - 1] = 17;
	ct_secret(text, TEXT_LEN);
	CT_EXPECT(hf_sm4_crypt(k, HF_SM4_CBC, HF_SM4_ENCRYPT, iv, out, &n,
			  (struct hf_bytes){ text, TEXT_LEN }),
		HF_OK);
	CT_EXPECT(hf_sm4_crypt(k, HF_SM4_CBC, HF_SM4_DECRYPT | HF_SM4_PADDED, iv, out, &n,
			  (struct hf_bytes){ out, n }),
		HF_ERR_AUTH);
	return 0;
}

static int run_macs(const uint8_t key[HF_SM4_MAC_KEY_MAX], const uint8_t *text)
{
	struct hf_sm4_mac_key k;
	uint8_t tag[HF_SM4_MAC_LEN];
	struct hf_sm4_mac m;

	for (int i = HF_SM4_CBC_MAC; i <= HF_SM4_CBCR; i++) {
		enum hf_sm4_mac_kind kind = (enum hf_sm4_mac_kind)i;
		size_t tag_len = kind == HF_SM4_TRCBC ? 8 : 16;
		bool own = kind == HF_SM4_CMAC || kind == HF_SM4_TRCBC || kind == HF_SM4_CBCR;

		CT_EXPECT(hf_sm4_mac_key_init(&k, kind, own ? HF_SM4_PAD_OWN : HF_SM4_PAD_BIT, key,
				  hf_sm4_mac_key_len(kind)),
			HF_OK);
		CT_EXPECT(hf_sm4_mac(&k, tag, tag_len, (struct hf_bytes){ text, 100 }), HF_OK);
		CT_EXPECT(hf_sm4_mac_start(&m, &k, 100), HF_OK);
		CT_EXPECT(hf_sm4_mac_feed(&m, text, 100), HF_OK);
		CT_EXPECT(hf_sm4_mac_verify(&m, tag, tag_len), HF_OK);
		CT_EXPECT(hf_sm4_mac_start(&m, &k, 100), HF_OK);
		CT_EXPECT(hf_sm4_mac_feed(&m, text, 100), HF_OK);
		CT_EXPECT(hf_sm4_mac_done(&m, tag, tag_len), HF_OK);
		hf_sm4_mac_end(&m);
		hf_sm4_mac_key_clear(&k);
	}
	return 0;
}

static int run_wide(const uint8_t key[HF_SM4_MAC_KEY_MAX], const uint8_t *text)
{
	struct hf_hctr_key h;
	struct hf_ctr_drbg d;
	uint8_t out[TEXT_LEN];

	CT_EXPECT(hf_hctr_init(&h, key, key + HF_SM4_KEY_LEN), HF_OK);
	CT_EXPECT(hf_hctr_encrypt(&h, text, out, text, TEXT_LEN - 3), HF_OK);
	CT_EXPECT(hf_hctr_decrypt(&h, text, out, out, TEXT_LEN - 3), HF_OK);
	CT_EXPECT(hf_ctr_drbg_instantiate(&d, (struct hf_bytes){ key, 32 },
			  (struct hf_bytes){ text, 16 }, (struct hf_bytes){ text, 7 }),
		HF_OK);
	CT_EXPECT(
		hf_ctr_drbg_reseed(&d, (struct hf_bytes){ key, 32 }, (struct hf_bytes){ text, 7 }),
		HF_OK);
	CT_EXPECT(hf_ctr_drbg_generate(&d, out, 16, (struct hf_bytes){ text, 7 }), HF_OK);
	hf_ctr_drbg_clear(&d);
	hf_hctr_clear(&h);
	return 0;
}

/* In pieces, and GMAC, which hashes under the key alone. */
static int run_pieces(const struct hf_sm4_key *k, const uint8_t *key, const uint8_t *text)
{
	uint8_t iv[HF_SM4_BLOCK_LEN] = { 0 };
	uint8_t out[TEXT_LEN + HF_SM4_BLOCK_LEN];
	uint8_t tag[HF_GCM_TAG_LEN];
	struct hf_sm4_stream s;
	struct hf_gcm_key g;
	size_t n = sizeof(out);

	CT_EXPECT(hf_sm4_stream_start(&s, k, HF_SM4_CBC, HF_SM4_PADDED, iv), HF_OK);
	CT_EXPECT(hf_sm4_stream_feed(&s, out, &n, text, 61), HF_OK);
	n = sizeof(out);
	CT_EXPECT(hf_sm4_stream_done(&s, out, &n), HF_OK);
	hf_sm4_stream_end(&s);
	CT_EXPECT(hf_gcm_init(&g, key), HF_OK);
	CT_EXPECT(hf_sm4_gmac(&g, (struct hf_bytes){ iv, 12 }, tag, sizeof(tag),
			  (struct hf_bytes){ text, TEXT_LEN }),
		HF_OK);
	hf_gcm_clear(&g);
	return 0;
}

int main(void)
{
	uint64_t seed = ct_seed(6);
	uint8_t key[HF_SM4_MAC_KEY_MAX];
	uint8_t text[TEXT_LEN];
	struct hf_sm4_key k;

	CT_NEEDS_VALGRIND();
	CT_EXPECT(ct_start(), HF_OK);
	(void)ct_fill(&seed, key, sizeof(key));
	(void)ct_fill(&seed, text, sizeof(text));
	hf_sm4_init(&k, key);
	if (run_modes(&k, text) != 0 || run_macs(key, text) != 0 || run_wide(key, text) != 0 ||
		run_pieces(&k, key, text) != 0)
		return 1;
	return run_padding(&k, text);
}
