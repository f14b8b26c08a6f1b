/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module's algorithms beside those of Debian's libgcrypt and openssl. Before the sides of a row
 * are measured they must agree.
 */
/* uses: libgcrypt libcrypto */
#include <gcrypt.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "crypto/drbg.h"
#include "crypto/gcm.h"
#include "crypto/sm2.h"
#include "crypto/sm3.h"
#include "crypto/sm4.h"
#include "crypto/tree.h"
#include "os/entropy.h"

enum {
	TEXT_MAX = 16384,
	LANE_LEN = 4096,
	DATA_MAX = 1 << 20, /* a chunk of a package */
	POINT_LEN = HF_SM2_POINT_LEN,
};

/* Everything the rows work on. */
struct bench {
	uint8_t in[DATA_MAX];
	uint8_t out[TEXT_MAX];
	uint8_t tag[HF_GCM_TAG_LEN];
	uint8_t key[HF_SM4_KEY_LEN];
	uint8_t iv[HF_SM4_BLOCK_LEN];
	struct hf_sm4_key sm4;
	struct hf_gcm_key gcm;
	struct hf_drbg drbg;
	struct hf_rng rng;
	struct hf_sm2_key sm2;
	struct hf_sm2_sig sig;
	gcry_cipher_hd_t gcry_gcm;
	gcry_cipher_hd_t gcry_ctr;
	gcry_sexp_t gcry_private;
	gcry_sexp_t gcry_public;
	gcry_sexp_t gcry_digest;
	gcry_sexp_t gcry_sig;
	EVP_CIPHER_CTX *evp_ctr;
	EVP_MD_CTX *evp_md;
	EVP_PKEY_CTX *evp_sign;
	EVP_PKEY_CTX *evp_verify;
	uint8_t sig_der[HF_SM2_SIG_DER_MAX];
	size_t sig_der_len;
};

static bool sm3_ours(struct bench *b, size_t len)
{
	hf_sm3(b->out, b->in, len);
	return true;
}

static bool sm3_gcrypt(struct bench *b, size_t len)
{
	gcry_md_hash_buffer(GCRY_MD_SM3, b->out, b->in, len);
	return true;
}

static bool sm3_openssl(struct bench *b, size_t len)
{
	return EVP_DigestInit_ex(b->evp_md, EVP_sm3(), NULL) == 1 &&
	       EVP_DigestUpdate(b->evp_md, b->in, len) == 1 &&
	       EVP_DigestFinal_ex(b->evp_md, b->out, NULL) == 1;
}

/* The row's bytes as messages of 4 KiB, all at once. */
static bool sm3_lanes_ours(struct bench *b, size_t len)
{
	const uint8_t *in[HF_SM3_LANES_MAX];
	size_t n = len / LANE_LEN;

	for (size_t i = 0; i < n; i++)
		in[i] = b->in + i * LANE_LEN;
	hf_sm3_lanes(b->out, NULL, 0, in, LANE_LEN, n);
	return true;
}

/* The others have one stream. */
static bool tree_ours(struct bench *b, size_t len)
{
	hf_tree_sm3(b->out, b->in, len);
	return true;
}

static bool gcm_ours(struct bench *b, size_t len)
{
	struct hf_aead a = { .nonce = b->iv,
		.nonce_len = HF_GCM_NONCE_LEN,
		.in = b->in,
		.in_len = len,
		.out = b->out,
		.tag = b->tag,
		.tag_len = sizeof(b->tag) };

	return hf_gcm_seal(&b->gcm, &a) == HF_OK;
}

static bool gcm_gcrypt(struct bench *b, size_t len)
{
	return gcry_cipher_reset(b->gcry_gcm) == 0 &&
	       gcry_cipher_setiv(b->gcry_gcm, b->iv, HF_GCM_NONCE_LEN) == 0 &&
	       gcry_cipher_encrypt(b->gcry_gcm, b->out, len, b->in, len) == 0 &&
	       gcry_cipher_gettag(b->gcry_gcm, b->tag, sizeof(b->tag)) == 0;
}

static bool ctr_ours(struct bench *b, size_t len)
{
	uint8_t counter[HF_SM4_BLOCK_LEN];

	memcpy(counter, b->iv, sizeof(counter));
	return hf_sm4_ctr(&b->sm4, counter, b->out, b->in, len) == HF_OK;
}

static bool ctr_gcrypt(struct bench *b, size_t len)
{
	return gcry_cipher_setctr(b->gcry_ctr, b->iv, sizeof(b->iv)) == 0 &&
	       gcry_cipher_encrypt(b->gcry_ctr, b->out, len, b->in, len) == 0;
}

static bool ctr_openssl(struct bench *b, size_t len)
{
	int n = 0;

	return EVP_EncryptInit_ex(b->evp_ctr, NULL, NULL, NULL, b->iv) == 1 &&
	       EVP_EncryptUpdate(b->evp_ctr, b->out, &n, b->in, (int)len) == 1;
}

/* All sides sign and verify the same ready digest: the first 32 bytes of in. */
static bool sign_ours(struct bench *b, size_t len)
{
	struct hf_sm2_sig sig;

	(void)len;
	return hf_sm2_sign_digest(&sig, &b->sm2, b->in, &b->rng) == HF_OK;
}

static bool sign_gcrypt(struct bench *b, size_t len)
{
	gcry_sexp_t sig = NULL;
	bool ok = gcry_pk_sign(&sig, b->gcry_digest, b->gcry_private) == 0;

	(void)len;
	gcry_sexp_release(sig);
	return ok;
}

static bool sign_openssl(struct bench *b, size_t len)
{
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = sizeof(der);

	(void)len;
	return EVP_PKEY_sign(b->evp_sign, der, &der_len, b->in, HF_SM3_LEN) == 1;
}

static bool verify_ours(struct bench *b, size_t len)
{
	(void)len;
	return hf_sm2_verify_digest(&b->sm2.pub, b->in, &b->sig) == HF_OK;
}

static bool verify_gcrypt(struct bench *b, size_t len)
{
	(void)len;
	return gcry_pk_verify(b->gcry_sig, b->gcry_digest, b->gcry_public) == 0;
}

static bool verify_openssl(struct bench *b, size_t len)
{
	(void)len;
	return EVP_PKEY_verify(b->evp_verify, b->sig_der, b->sig_der_len, b->in, HF_SM3_LEN) == 1;
}

static const struct kind {
	const char *name;
	size_t lens[3]; /* one row each; none: calls are counted */
	size_t same;    /* bytes of out, at most len, that all sides must agree on */
	bench_fn *sides[BENCH_SIDES];
} kinds[] = {
	{ "SM3", { TEXT_MAX, 1024, 16 }, HF_SM3_LEN, { sm3_ours, sm3_gcrypt, sm3_openssl } },
	{ "SM3, 16 lanes", { 16 * LANE_LEN }, 0, { sm3_lanes_ours, sm3_gcrypt, sm3_openssl } },
	{ "SM3, 32 lanes", { 32 * LANE_LEN }, 0, { sm3_lanes_ours, sm3_gcrypt, sm3_openssl } },
	{ "tree-SM3", { DATA_MAX }, 0, { tree_ours, sm3_gcrypt, sm3_openssl } },
	{ "SM4-GCM", { TEXT_MAX, 1024, 16 }, TEXT_MAX, { gcm_ours, gcm_gcrypt, NULL } },
	{ "SM4-CTR", { TEXT_MAX, 1024, 16 }, TEXT_MAX, { ctr_ours, ctr_gcrypt, ctr_openssl } },
	{ "SM2 sign", { 0 }, 0, { sign_ours, sign_gcrypt, sign_openssl } },
	{ "SM2 verify", { 0 }, 0, { verify_ours, verify_gcrypt, verify_openssl } },
};

static void prepare_sm4(struct bench *b)
{
	hf_sm4_init(&b->sm4, b->key);
	bench_need(hf_gcm_init(&b->gcm, b->key) == HF_OK, "our key");
	bench_need(gcry_cipher_open(&b->gcry_gcm, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0) == 0 &&
			   gcry_cipher_open(
				   &b->gcry_ctr, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_CTR, 0) == 0 &&
			   gcry_cipher_setkey(b->gcry_gcm, b->key, sizeof(b->key)) == 0 &&
			   gcry_cipher_setkey(b->gcry_ctr, b->key, sizeof(b->key)) == 0,
		"libgcrypt's key");
	b->evp_md = EVP_MD_CTX_new();
	b->evp_ctr = EVP_CIPHER_CTX_new();
	bench_need(EVP_EncryptInit_ex(b->evp_ctr, EVP_sm4_ctr(), NULL, b->key, b->iv) == 1,
		"openssl's key");
}

/* openssl makes the key, since it takes one less readily than it gives one. */
static void prepare_sm2(struct bench *b)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "SM2");
	BIGNUM *d = NULL;
	uint8_t bytes[HF_SM2_LEN];
	uint8_t point[HF_SM2_POINT_LEN];
	struct hf_rng entropy = hf_os_rng();
	const int n = HF_SM2_LEN;

	bench_need(pkey != NULL && EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) == 1 &&
			   BN_bn2binpad(d, bytes, n) == n,
		"openssl's SM2 key");
	b->evp_sign = EVP_PKEY_CTX_new(pkey, NULL);
	b->evp_verify = EVP_PKEY_CTX_new(pkey, NULL);
	bench_need(EVP_PKEY_sign_init(b->evp_sign) == 1 && EVP_PKEY_verify_init(b->evp_verify) == 1,
		"openssl's SM2 key");
	EVP_PKEY_free(pkey);
	BN_clear_free(d);

	bench_need(
		hf_drbg_init(&b->drbg, &entropy, NULL, NULL, "bench", 5) == HF_OK, "our generator");
	b->rng = hf_drbg_rng(&b->drbg);
	bench_need(hf_sm2_key_from_private(&b->sm2, bytes) == HF_OK &&
			   hf_sm2_sign_digest(&b->sig, &b->sm2, b->in, &b->rng) == HF_OK,
		"our SM2 key");
	b->sig_der_len = hf_sm2_sig_emit_der(b->sig_der, &b->sig);

	hf_sm2_pub_emit(point, &b->sm2.pub);
	bench_need(gcry_sexp_build(&b->gcry_private, NULL,
			   "(private-key (ecc (curve sm2p256v1) (q %b) (d %b)))", POINT_LEN, point,
			   n, bytes) == 0 &&
			   gcry_sexp_build(&b->gcry_public, NULL,
				   "(public-key (ecc (curve sm2p256v1) (q %b)))", POINT_LEN,
				   point) == 0 &&
			   gcry_sexp_build(&b->gcry_digest, NULL,
				   "(data (flags sm2) (hash sm3 %b))", n, b->in) == 0 &&
			   gcry_sexp_build(&b->gcry_sig, NULL, "(sig-val (sm2 (r %b) (s %b)))", n,
				   b->sig.r, n, b->sig.s) == 0,
		"libgcrypt's SM2 key");
}

static void agree(struct bench *b, const struct kind *k, size_t len)
{
	uint8_t ours[TEXT_MAX];
	size_t same = k->same == TEXT_MAX ? len : k->same;

	for (size_t i = 0; i < BENCH_SIDES; i++) {
		if (k->sides[i] == NULL)
			continue;
		bench_need(k->sides[i](b, len), k->name);
		if (i == 0)
			memcpy(ours, b->out, same);
		bench_need(memcmp(ours, b->out, same) == 0, "the comparison of results");
	}
}

static void run(struct bench *b, const struct kind *k)
{
	struct bench_row r = { .name = k->name };
	size_t i = 0;

	memcpy(r.sides, k->sides, sizeof(r.sides));
	do {
		r.len = k->lens[i++];
		agree(b, k, r.len);
		bench_run(&r, b);
	} while (i < HF_COUNT(k->lens) && k->lens[i] != 0);
}

int main(void)
{
	static struct bench b;
	char gcrypt[32];
	char openssl[32];

	bench_start();
	(void)snprintf(gcrypt, sizeof(gcrypt), "libgcrypt %s", gcry_check_version(NULL));
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	(void)snprintf(
		openssl, sizeof(openssl), "openssl %s", OpenSSL_version(OPENSSL_VERSION_STRING));
	for (size_t i = 0; i < DATA_MAX; i++)
		b.in[i] = (uint8_t)(i * 7 + (i >> 8));
	memcpy(b.key, b.in + 3, sizeof(b.key));
	memcpy(b.iv, b.in + 5, sizeof(b.iv));
	prepare_sm4(&b);
	prepare_sm2(&b);
	bench_head((const char *const[]){ "hufu " HUFU_VERSION, gcrypt, openssl });
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		run(&b, &kinds[i]);
	hf_sm2_key_clear(&b.sm2);
	hf_drbg_clear(&b.drbg);
	return 0;
}
