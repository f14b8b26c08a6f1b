/* SPDX-License-Identifier: Apache-2.0 */
/* SM4 of others. openssl 3.0 has neither GCM nor CCM nor XTS of it. */
#include <gcrypt.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "crypto.h"

struct sm4 {
	gcry_cipher_hd_t gcm;
	gcry_cipher_hd_t ccm;
	gcry_cipher_hd_t ctr;
	gcry_cipher_hd_t cbc;
	gcry_cipher_hd_t xts;
	EVP_CIPHER_CTX *evp_ctr;
	EVP_CIPHER_CTX *evp_cbc;
	EVP_CIPHER_CTX *evp_cbc_open;
};

static gcry_cipher_hd_t open_gcrypt(const struct hufu_speed *s, int mode)
{
	gcry_cipher_hd_t h = NULL;

	bench_need(gcry_cipher_open(&h, GCRY_CIPHER_SM4, mode, 0) == 0 &&
			   gcry_cipher_setkey(h, s->key, sizeof(s->key)) == 0,
		"libgcrypt's SM4");
	return h;
}

static EVP_CIPHER_CTX *open_openssl(const struct hufu_speed *s, const EVP_CIPHER *mode, int enc)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	bench_need(c != NULL && EVP_CipherInit_ex(c, mode, NULL, s->key, s->iv, enc) == 1 &&
			   EVP_CIPHER_CTX_set_padding(c, 0) == 1,
		"openssl's SM4");
	return c;
}

static void *start(struct hufu_speed *s)
{
	struct sm4 *p = calloc(1, sizeof(*p));
	uint8_t xts[HF_XTS_KEY_LEN];

	bench_need(p != NULL, "memory");
	p->gcm = open_gcrypt(s, GCRY_CIPHER_MODE_GCM);
	p->ccm = open_gcrypt(s, GCRY_CIPHER_MODE_CCM);
	p->ctr = open_gcrypt(s, GCRY_CIPHER_MODE_CTR);
	p->cbc = open_gcrypt(s, GCRY_CIPHER_MODE_CBC);
	bench_need(gcry_cipher_open(&p->xts, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_XTS, 0) == 0,
		"libgcrypt's XTS");
	memcpy(xts, s->key, sizeof(s->key));
	memcpy(xts + sizeof(s->key), s->in + 64, sizeof(s->key));
	bench_need(gcry_cipher_setkey(p->xts, xts, sizeof(xts)) == 0, "libgcrypt's XTS");
	p->evp_ctr = open_openssl(s, EVP_sm4_ctr(), 1);
	p->evp_cbc = open_openssl(s, EVP_sm4_cbc(), 1);
	p->evp_cbc_open = open_openssl(s, EVP_sm4_cbc(), 0);
	return p;
}

static bool gcm_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;

	return gcry_cipher_reset(p->gcm) == 0 &&
	       gcry_cipher_setiv(p->gcm, s->iv, HF_GCM_NONCE_LEN) == 0 &&
	       gcry_cipher_encrypt(p->gcm, s->out, row->len, s->in, row->len) == 0 &&
	       gcry_cipher_gettag(p->gcm, s->tag[0], sizeof(s->tag[0])) == 0;
}

static bool ccm_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;
	uint64_t lengths[3] = { row->len, 0, sizeof(s->tag[0]) };

	return gcry_cipher_reset(p->ccm) == 0 &&
	       gcry_cipher_setiv(p->ccm, s->iv, HF_GCM_NONCE_LEN) == 0 &&
	       gcry_cipher_ctl(p->ccm, GCRYCTL_SET_CCM_LENGTHS, lengths, sizeof(lengths)) == 0 &&
	       gcry_cipher_encrypt(p->ccm, s->out, row->len, s->in, row->len) == 0 &&
	       gcry_cipher_gettag(p->ccm, s->tag[0], sizeof(s->tag[0])) == 0;
}

static bool ctr_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;

	return gcry_cipher_setctr(p->ctr, s->iv, sizeof(s->iv)) == 0 &&
	       gcry_cipher_encrypt(p->ctr, s->out, row->len, s->in, row->len) == 0;
}

static bool xts_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;

	return gcry_cipher_setiv(p->xts, s->iv, sizeof(s->iv)) == 0 &&
	       gcry_cipher_encrypt(p->xts, s->out, row->len, s->in, row->len) == 0;
}

static bool cbc_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;

	return gcry_cipher_setiv(p->cbc, s->iv, sizeof(s->iv)) == 0 &&
	       gcry_cipher_encrypt(p->cbc, s->out, row->len, s->in, row->len) == 0;
}

static bool cbc_open_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm4 *p = s->beside;

	return gcry_cipher_setiv(p->cbc, s->iv, sizeof(s->iv)) == 0 &&
	       gcry_cipher_decrypt(p->cbc, s->out, row->len, s->in, row->len) == 0;
}

static bool openssl(EVP_CIPHER_CTX *c, struct hufu_speed *s, size_t len)
{
	int n = 0;

	return EVP_CipherInit_ex(c, NULL, NULL, NULL, s->iv, -1) == 1 &&
	       EVP_CipherUpdate(c, s->out, &n, s->in, (int)len) == 1;
}

static bool ctr_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	return openssl(((struct sm4 *)s->beside)->evp_ctr, s, row->len);
}

static bool cbc_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	return openssl(((struct sm4 *)s->beside)->evp_cbc, s, row->len);
}

static bool cbc_open_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	return openssl(((struct sm4 *)s->beside)->evp_cbc_open, s, row->len);
}

static const struct crypto_peer peers[] = {
	{ "SM4-GCM", 0, CRYPTO_TEXT, { gcm_gcrypt } },
	{ "SM4-CTR", 0, CRYPTO_TEXT, { ctr_gcrypt, ctr_openssl } },
	{ "SM4-CBC decrypt", 0, CRYPTO_TEXT, { cbc_open_gcrypt, cbc_open_openssl } },
	{ "SM4-XTS", 0, CRYPTO_TEXT, { xts_gcrypt } },
	{ "SM4-CBC encrypt", 0, CRYPTO_TEXT, { cbc_gcrypt, cbc_openssl } },
	{ "SM4-CCM", 0, CRYPTO_TEXT, { ccm_gcrypt } },
};

static const struct crypto_figure figures[] = {
	{ "SM4-GCM", 16384, 1, CRYPTO_AVX512, 4.0, CRYPTO_GCRYPT, 0.69 },
	{ "SM4-GCM", 1024, 1, CRYPTO_AVX512, 2.5, CRYPTO_GCRYPT, 0.61 },
	{ "SM4-GCM", 16, 1, CRYPTO_AVX512, 0.15, CRYPTO_GCRYPT, 0.037 },
	{ "SM4-CTR", 16384, 1, CRYPTO_AVX512, 4.7, CRYPTO_GCRYPT, 0.75 },
	{ "SM4-CBC decrypt", 16384, 1, CRYPTO_AVX512, 4.5, CRYPTO_GCRYPT, 0.75 },
	{ "SM4-XTS", 16384, 1, CRYPTO_AVX512, 4.0, CRYPTO_GCRYPT, 0.09 },
	{ "SM4-CBC encrypt", 16384, 1, CRYPTO_AVX512, 0.20, CRYPTO_OPENSSL, 0.117 },
	{ "SM4-CBC encrypt", 16384, 16, CRYPTO_AVX512, 1.1, CRYPTO_OPENSSL, 0.117 },
	{ "SM4-CCM", 16384, 1, CRYPTO_AVX512, 0.17, CRYPTO_GCRYPT, 0.078 },
	{ "SM4-CCM", 16384, 16, CRYPTO_AVX512, 1.0, CRYPTO_GCRYPT, 0.078 },
	{ "SM4-GCM", 16384, 1, CRYPTO_GFNI, 2.0, CRYPTO_GCRYPT, 0.69 },
	{ "SM4-GCM", 16384, 1, CRYPTO_AVX2, 1.2, CRYPTO_GCRYPT, 0.69 },
	/* Not slower than C. */
	{ "SM4-CTR", 16384, 1, CRYPTO_SSE, 0.117, CRYPTO_OPENSSL, 0.117 },
	{ "SM4-CTR", 16384, 1, CRYPTO_C, 0.117, CRYPTO_OPENSSL, 0.117 },
};

const struct crypto_family crypto_sm4 = {
	.start = start,
	.peers = peers,
	.n_peers = HF_COUNT(peers),
	.figures = figures,
	.n_figures = HF_COUNT(figures),
};
