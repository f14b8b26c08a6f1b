/* SPDX-License-Identifier: Apache-2.0 */
/* That the module serves nobody: every kind of service is called once. For tests of its states. */
#ifndef HF_TEST_REFUSALS_H
#define HF_TEST_REFUSALS_H

#include <stdbool.h>
#include <string.h>

#include "base/attr.h"
#include "crypto/ccm.h"
#include "crypto/ctr_drbg.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/hctr.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/seq.h"
#include "crypto/sm2.h"
#include "crypto/sm4.h"
#include "crypto/sm4_mac.h"
#include "crypto/sm4_modes.h"
#include "crypto/tree.h"
#include "crypto/xts.h"

static inline hf_err test_no_rng(void *ctx, uint8_t *out, size_t len)
{
	(void)ctx;
	memset(out, 0x5a, len);
	return HF_OK;
}

/* Services that can fail and did not say that the module is out of order. */
static inline unsigned test_services_of_sm2(void)
{
	const struct hf_rng rng = { test_no_rng, NULL };
	uint8_t b[HF_SM2_CIPHER_OVERHEAD + 16] = { 0 };
	uint8_t m[HF_SM2_CIPHER_OVERHEAD + 16] = { 0 };
	struct hf_sm2_key k = { { 1 }, { { 0 }, { 0 } } };
	struct hf_sm2_sig s = { { 0 }, { 0 } };
	struct hf_sm2_kex x = { true, &k, &k, "x", 1, &k.pub, &k.pub, "x", 1 };
	struct hf_sm2_verify_job v = { &k.pub, b, &s, HF_OK };
	struct hf_sm2_sign_job j = { &k, b, &s, HF_OK };
	struct hf_sm2_ecdh_job e = { &k, &k.pub, b, HF_OK };
	struct hf_sm2_key_job p = { &k, HF_OK };
	const hf_err got[] = {
		hf_sm2_key_new(&k, &rng),
		hf_sm2_key_from_private(&k, b),
		hf_sm2_pub_parse(&k.pub, b, 64),
		hf_sm2_pub_check(&k.pub),
		hf_sm2_z(b, &k.pub, "x", 1),
		hf_sm2_digest(b, &k.pub, "x", 1, "y", 1),
		hf_sm2_sign_digest(&s, &k, b, &rng),
		hf_sm2_verify_digest(&k.pub, b, &s),
		hf_sm2_sign(&s, &k, "x", 1, "y", 1, &rng),
		hf_sm2_verify(&k.pub, "x", 1, "y", 1, &s),
		hf_sm2_ecdh(b, &k, &k.pub),
		hf_sm2_kex_key(b, 16, NULL, NULL, &x),
		hf_sm2_encrypt(m, &k.pub, b, 16, &rng),
		hf_sm2_decrypt(b, &k, m, sizeof(m)),
		hf_sm2_verify_batch(&v, 1),
		hf_sm2_sign_batch(&j, 1, &rng),
		hf_sm2_ecdh_batch(&e, 1),
		hf_sm2_key_new_batch(&p, 1, &rng),
	};
	unsigned n = 0;

	for (size_t i = 0; i < HF_COUNT(got); i++)
		n += got[i] != HF_ERR_SELF_TEST;
	return n;
}

static inline unsigned test_services_of_sm4(void)
{
	static const uint8_t key[HF_XTS_KEY_LEN] = { 0 };
	uint8_t b[64] = { 0 };
	struct hf_sm4_key k;
	struct hf_gcm_key g = { .sm4 = { { 0 } } };
	struct hf_gcm stream = { .key = &g };
	struct hf_xts_key x;
	struct hf_aead a = { key, 12, NULL, 0, b, 16, b, b + 16, 16 };
	struct hf_gcm_job gcm = { &g, a, HF_OK };
	struct hf_sm4_cbc_job cbc = { &k, b, b, b, 1 };
	struct hf_gcm_seq gs = { .count = { .limit = 9 } };
	struct hf_ccm_seq cs = { .count = { .limit = 9 } };
	const struct hf_aead numbered = { NULL, 0, NULL, 0, b, 16, b, b + 16, 16 };
	hf_err got[28];
	unsigned n_got = 0;
	unsigned n = 0;

	hf_sm4_init(&k, key);
	hf_xts_init(&x, key, HF_XTS_GB);
	got[n_got++] = hf_sm4_ecb_encrypt(&k, b, b, 1);
	got[n_got++] = hf_sm4_ecb_decrypt(&k, b, b, 1);
	got[n_got++] = hf_sm4_cbc_encrypt(&k, b, b + 16, b + 16, 1);
	got[n_got++] = hf_sm4_cbc_decrypt(&k, b, b + 16, b + 16, 1);
	got[n_got++] = hf_sm4_cbc_encrypt_batch(&cbc, 1);
	got[n_got++] = hf_sm4_ctr(&k, b, b + 16, b + 16, 16);
	got[n_got++] = hf_xts_encrypt(&x, b, b + 16, b + 16, 16);
	got[n_got++] = hf_xts_decrypt(&x, b, b + 16, b + 16, 16);
	got[n_got++] = hf_ccm_seal(&k, &a);
	got[n_got++] = hf_ccm_open(&k, &a);
	got[n_got++] = hf_gcm_init(&g, key);
	got[n_got++] = hf_gcm_seal(&g, &a);
	got[n_got++] = hf_gcm_open(&g, &a);
	got[n_got++] = hf_gcm_start(&stream, &g, key, 12);
	got[n_got++] = hf_gcm_aad(&stream, key, 1);
	got[n_got++] = hf_gcm_encrypt(&stream, b, b, 16);
	got[n_got++] = hf_gcm_decrypt(&stream, b, b, 16);
	got[n_got++] = hf_gcm_tag(&stream, b, 16);
	got[n_got++] = hf_gcm_verify(&stream, b, 16);
	got[n_got++] = hf_gcm_seq_seal(&gs, &numbered);
	got[n_got++] = hf_gcm_seq_open(&gs, &numbered);
	got[n_got++] = hf_gcm_seq_init(&gs, key, key, 9);
	got[n_got++] = hf_ccm_seq_seal(&cs, &numbered);
	got[n_got++] = hf_ccm_seq_open(&cs, &numbered);
	got[n_got++] = hf_ccm_seq_init(&cs, key, key, 9);
	for (unsigned i = 0; i < n_got; i++)
		n += got[i] != HF_ERR_SELF_TEST;
	n += hf_gcm_seal_batch(&gcm, 1) == HF_OK;
	n += hf_gcm_open_batch(&gcm, 1) == HF_OK;
	for (size_t i = 0; i < sizeof(b); i++)
		n += b[i] != 0;
	return n;
}

static inline unsigned test_services_of_modes(void)
{
	const uint8_t key[HF_SM4_KEY_LEN] = { 0 };
	uint8_t b[64] = { 0 };
	size_t len = 16;
	const struct hf_bytes in = { b, 48 };
	struct hf_sm4_key k;
	struct hf_gcm_key g = { .sm4 = { { 0 } } };
	struct hf_hctr_key h = { .k = { .sm4 = { { 0 } } } };
	struct hf_sm4_mac_key mk = { .kind = HF_SM4_CMAC };
	struct hf_sm4_mac m = { .key = &mk };
	struct hf_sm4_stream s = { .key = &k };
	struct hf_ctr_drbg d = { .n_requests = 1 };
	hf_err got[16];
	unsigned n_got = 0;
	unsigned n = 0;

	hf_sm4_init(&k, key);
	got[n_got++] = hf_sm4_crypt(&k, HF_SM4_ECB, HF_SM4_ENCRYPT, NULL, b, &len, in);
	got[n_got++] = hf_sm4_stream_feed(&s, b, &len, b, 16);
	got[n_got++] = hf_sm4_stream_done(&s, b, &len);
	got[n_got++] = hf_sm4_stream_start(&s, &k, HF_SM4_ECB, HF_SM4_ENCRYPT, NULL);
	got[n_got++] = hf_hctr_encrypt(&h, b, b + 16, b + 16, 32);
	got[n_got++] = hf_hctr_decrypt(&h, b, b + 16, b + 16, 32);
	got[n_got++] = hf_hctr_init(&h, key, key);
	got[n_got++] = hf_sm4_mac_feed(&m, b, 16);
	got[n_got++] = hf_sm4_mac_done(&m, b, 16);
	got[n_got++] = hf_sm4_mac_verify(&m, b, 16);
	got[n_got++] = hf_sm4_mac_start(&m, &mk, 0);
	got[n_got++] = hf_sm4_mac(&mk, b, 16, in);
	got[n_got++] = hf_sm4_gmac(&g, (struct hf_bytes){ key, 12 }, b, 16, in);
	got[n_got++] = hf_ctr_drbg_generate(&d, b, 16, (struct hf_bytes){ NULL, 0 });
	got[n_got++] = hf_ctr_drbg_reseed(&d, in, in);
	got[n_got++] = hf_ctr_drbg_instantiate(&d, in, in, in);
	for (unsigned i = 0; i < n_got; i++)
		n += got[i] != HF_ERR_SELF_TEST;
	for (size_t i = 0; i < sizeof(b); i++)
		n += b[i] != 0;
	return n;
}

/* And those that cannot fail, which must have given zeros. */
static inline unsigned test_services_of_sm3(void)
{
	static const uint8_t zeros[HF_SM3_LEN] = { 0 };
	const struct hf_rng rng = { test_no_rng, NULL };
	const uint8_t *const in[1] = { zeros };
	struct hf_drbg d = { .n_requests = 1 };
	uint8_t b[8][HF_SM3_LEN];
	unsigned n = 0;
	struct hf_hmac keyed = { .inner = { .len = 0 } };
	const struct hf_pbkdf2_job pb = {
		.out = b[0], .out_len = 32, .password = "x", .password_len = 1
	};
	const struct hf_hkdf_job hk = { .out = b[0], .out_len = 32, .prk = &keyed };
	const struct hf_sm3_job sm3 = { .out = b[6], .in = "abc", .len = 3 };
	const struct hf_hmac_job hmac = { .tag = b[7], .keyed = &keyed, .in = "abc", .len = 3 };

	memset(b, 7, sizeof(b));
	hf_sm3_batch(&sm3, 1);
	hf_hmac_batch(&hmac, 1);
	n += hf_hkdf(b[0], 32, NULL, 0, "x", 1, NULL, 0) != HF_ERR_SELF_TEST;
	n += hf_hkdf_expand_label(b[0], 32, zeros, "x", NULL, 0) != HF_ERR_SELF_TEST;
	n += hf_sm2_kdf(b[0], 32, "x", 1) != HF_ERR_SELF_TEST;
	n += hf_pbkdf2_batch(&pb, 1, 1) != HF_ERR_SELF_TEST;
	n += hf_hkdf_expand_batch(&hk, 1) != HF_ERR_SELF_TEST;
	n += hf_pbkdf2(b[0], 32, "x", 1, "y", 1, 1) != HF_ERR_SELF_TEST;
	n += hf_drbg_generate(&d, b[0], 32, NULL, 0) != HF_ERR_SELF_TEST;
	n += hf_drbg_reseed(&d, b[0], 32, NULL, 0) != HF_ERR_SELF_TEST;
	n += hf_drbg_instantiate(&d, b[0], 32, b[0], 16, NULL, 0) != HF_ERR_SELF_TEST;
	n += hf_drbg_init(&d, &rng, NULL, NULL, NULL, 0) != HF_ERR_SELF_TEST;
	hf_sm3(b[0], "abc", 3);
	hf_hmac_sm3(b[1], "key", 3, "abc", 3);
	hf_tree_sm3(b[2], "abc", 3);
	hf_sm3_lanes(b[3], NULL, 0, in, 32, 1);
	hf_hkdf_extract(b[4], NULL, 0, "abc", 3);
	hf_tlcp_prf(b[5], 32, "x", 1, "y", "z", 1);
	for (size_t i = 0; i < HF_COUNT(b); i++)
		n += memcmp(b[i], zeros, sizeof(zeros)) != 0;
	return n;
}

/* True if no service is given. */
static inline bool test_all_refuse(void)
{
	return hf_module_check() == HF_ERR_SELF_TEST && test_services_of_sm2() == 0 &&
	       test_services_of_sm3() == 0 && test_services_of_sm4() == 0 &&
	       test_services_of_modes() == 0;
}

#endif
