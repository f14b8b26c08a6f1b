/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 of others, and ECDSA and ECDH on P-256 of openssl, which is the curve that most care is spent
 * on. Neither has batches. libgcrypt's private operations are not constant in time for SM2.
 */
#include <gcrypt.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "bench.h"
#include "crypto.h"

enum {
	LEN = HF_SM2_LEN,
	CIPHER_MAX = 256,
};

/* One curve of openssl. */
struct curve {
	EVP_PKEY_CTX *sign;
	EVP_PKEY_CTX *verify;
	EVP_PKEY_CTX *make;
	EVP_PKEY_CTX *derive;
	uint8_t sig[HF_SM2_SIG_DER_MAX];
	size_t sig_len;
};

struct sm2 {
	struct curve sm2;
	struct curve p256;
	EVP_PKEY_CTX *encrypt;
	EVP_PKEY_CTX *decrypt;
	uint8_t cipher[CIPHER_MAX];
	size_t cipher_len;
	EC_GROUP *group; /* ECDH is not offered for keys of type SM2: the point is multiplied */
	EC_POINT *peer;
	EC_POINT *shared;
	BIGNUM *d;
	BN_CTX *bn;
	gcry_sexp_t private;
	gcry_sexp_t public;
	gcry_sexp_t digest;
	gcry_sexp_t sig;
	gcry_sexp_t make;
};

/* Our key of number 0 as one of openssl. */
static EVP_PKEY *import(const struct hufu_speed *s)
{
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	BIGNUM *d = BN_bin2bn(s->sm2[0].d, LEN, NULL);
	uint8_t point[HF_SM2_POINT_LEN];
	OSSL_PARAM *params;
	EVP_PKEY *key = NULL;

	hf_sm2_pub_emit(point, &s->sm2[0].pub);
	bench_need(b != NULL && c != NULL && d != NULL &&
			   OSSL_PARAM_BLD_push_utf8_string(
				   b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0) == 1 &&
			   OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d) == 1 &&
			   OSSL_PARAM_BLD_push_octet_string(
				   b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) == 1,
		"openssl's SM2 key");
	params = OSSL_PARAM_BLD_to_param(b);
	bench_need(EVP_PKEY_fromdata_init(c) == 1 &&
			   EVP_PKEY_fromdata(c, &key, EVP_PKEY_KEYPAIR, params) == 1,
		"openssl's SM2 key");
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(b);
	EVP_PKEY_CTX_free(c);
	BN_clear_free(d);
	return key;
}

/* Keys stay with the contexts. */
static void open_curve(struct curve *c, EVP_PKEY *key, const char *type, const uint8_t *e)
{
	c->sign = EVP_PKEY_CTX_new(key, NULL);
	c->verify = EVP_PKEY_CTX_new(key, NULL);
	c->make = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	c->sig_len = sizeof(c->sig);
	bench_need(EVP_PKEY_sign_init(c->sign) == 1 && EVP_PKEY_verify_init(c->verify) == 1 &&
			   EVP_PKEY_sign(c->sign, c->sig, &c->sig_len, e, HF_SM3_LEN) == 1 &&
			   EVP_PKEY_keygen_init(c->make) == 1,
		"openssl's key");
}

static void open_p256(struct sm2 *p, const struct hufu_speed *s)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	EVP_PKEY *peer = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");

	open_curve(&p->p256, key, "EC", s->in);
	p->p256.derive = EVP_PKEY_CTX_new(key, NULL);
	bench_need(EVP_PKEY_CTX_set_group_name(p->p256.make, "P-256") == 1 &&
			   EVP_PKEY_derive_init(p->p256.derive) == 1 &&
			   EVP_PKEY_derive_set_peer(p->p256.derive, peer) == 1,
		"openssl's P-256");
}

static void open_openssl(struct sm2 *p, const struct hufu_speed *s)
{
	EVP_PKEY *key = import(s);
	uint8_t point[HF_SM2_POINT_LEN];

	open_curve(&p->sm2, key, "SM2", s->in);
	p->encrypt = EVP_PKEY_CTX_new(key, NULL);
	p->decrypt = EVP_PKEY_CTX_new(key, NULL);
	p->cipher_len = sizeof(p->cipher);
	bench_need(EVP_PKEY_encrypt_init(p->encrypt) == 1 &&
			   EVP_PKEY_decrypt_init(p->decrypt) == 1 &&
			   EVP_PKEY_encrypt(p->encrypt, p->cipher, &p->cipher_len, s->in, LEN) == 1,
		"openssl's SM2 encryption");
	p->group = EC_GROUP_new_by_curve_name(NID_sm2);
	p->peer = EC_POINT_new(p->group);
	p->shared = EC_POINT_new(p->group);
	p->d = BN_bin2bn(s->sm2[0].d, LEN, NULL);
	p->bn = BN_CTX_new();
	hf_sm2_pub_emit(point, &s->sm2[1].pub);
	bench_need(EC_POINT_oct2point(p->group, p->peer, point, sizeof(point), p->bn) == 1,
		"openssl's SM2 point");
	EVP_PKEY_free(key);
}

static void open_gcrypt(struct sm2 *p, const struct hufu_speed *s)
{
	uint8_t point[HF_SM2_POINT_LEN];
	const int n = LEN;
	const int point_len = HF_SM2_POINT_LEN;

	hf_sm2_pub_emit(point, &s->sm2[0].pub);
	bench_need(gcry_sexp_build(&p->private, NULL,
			   "(private-key (ecc (curve sm2p256v1) (q %b) (d %b)))", point_len, point,
			   n, s->sm2[0].d) == 0 &&
			   gcry_sexp_build(&p->public, NULL,
				   "(public-key (ecc (curve sm2p256v1) (q %b)))", point_len,
				   point) == 0 &&
			   gcry_sexp_build(&p->digest, NULL, "(data (flags sm2) (hash sm3 %b))", n,
				   s->in) == 0 &&
			   gcry_sexp_build(&p->sig, NULL, "(sig-val (sm2 (r %b) (s %b)))", n,
				   s->sig[0].r, n, s->sig[0].s) == 0 &&
			   gcry_sexp_build(&p->make, NULL, "(genkey (ecc (curve sm2p256v1)))") == 0,
		"libgcrypt's SM2 key");
}

static void *start(struct hufu_speed *s)
{
	struct sm2 *p = calloc(1, sizeof(*p));

	bench_need(p != NULL, "memory");
	open_openssl(p, s);
	open_p256(p, s);
	open_gcrypt(p, s);
	return p;
}

static bool sign_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	gcry_sexp_t sig = NULL;
	bool ok = gcry_pk_sign(&sig, p->digest, p->private) == 0;

	(void)row;
	gcry_sexp_release(sig);
	return ok;
}

static bool sign_with(const struct curve *c, const uint8_t *e)
{
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = sizeof(der);

	return EVP_PKEY_sign(c->sign, der, &der_len, e, HF_SM3_LEN) == 1;
}

static bool sign_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return sign_with(&((struct sm2 *)s->beside)->sm2, s->in);
}

static bool sign_p256(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return sign_with(&((struct sm2 *)s->beside)->p256, s->in);
}

/* Ours is what it verifies. */
static bool verify_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;

	(void)row;
	return gcry_pk_verify(p->sig, p->digest, p->public) == 0;
}

static bool verify_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = hf_sm2_sig_emit_der(der, &s->sig[0]);

	(void)row;
	return EVP_PKEY_verify(p->sm2.verify, der, der_len, s->in, HF_SM3_LEN) == 1;
}

static bool verify_p256(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct curve *c = &((struct sm2 *)s->beside)->p256;

	(void)row;
	return EVP_PKEY_verify(c->verify, c->sig, c->sig_len, s->in, HF_SM3_LEN) == 1;
}

static bool ecdh_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	uint8_t point[HF_SM2_POINT_LEN];

	(void)row;
	if (EC_POINT_mul(p->group, p->shared, NULL, p->peer, p->d, p->bn) != 1 ||
		EC_POINT_point2oct(p->group, p->shared, POINT_CONVERSION_UNCOMPRESSED, point,
			sizeof(point), p->bn) != sizeof(point))
		return false;
	memcpy(s->out, point + 1, LEN);
	return true;
}

/* Another curve: another result, which is not kept. */
static bool ecdh_p256(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct curve *c = &((struct sm2 *)s->beside)->p256;
	uint8_t x[LEN];
	size_t len = sizeof(x);

	(void)row;
	return EVP_PKEY_derive(c->derive, x, &len) == 1;
}

static bool make_gcrypt(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	gcry_sexp_t key = NULL;
	bool ok = gcry_pk_genkey(&key, p->make) == 0;

	(void)row;
	gcry_sexp_release(key);
	return ok;
}

static bool make_with(const struct curve *c)
{
	EVP_PKEY *key = NULL;
	bool ok = EVP_PKEY_generate(c->make, &key) == 1;

	EVP_PKEY_free(key);
	return ok;
}

static bool make_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return make_with(&((struct sm2 *)s->beside)->sm2);
}

static bool make_p256(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	(void)row;
	return make_with(&((struct sm2 *)s->beside)->p256);
}

static bool encrypt_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	uint8_t out[CIPHER_MAX];
	size_t len = sizeof(out);

	(void)row;
	return EVP_PKEY_encrypt(p->encrypt, out, &len, s->in, LEN) == 1;
}

static bool decrypt_openssl(struct hufu_speed *s, const struct hufu_speed_row *row)
{
	const struct sm2 *p = s->beside;
	size_t len = sizeof(s->out);

	(void)row;
	return EVP_PKEY_decrypt(p->decrypt, s->out, &len, p->cipher, p->cipher_len) == 1;
}

static const struct crypto_peer peers[] = {
	{ "SM2 sign", 0, 0, { sign_gcrypt, sign_openssl, sign_p256 } },
	{ "SM2 verify", 0, 0, { verify_gcrypt, verify_openssl, verify_p256 } },
	{ "SM2 ECDH", 0, 0, { NULL, ecdh_openssl, ecdh_p256 } },
	{ "SM2 key pair", 0, 0, { make_gcrypt, make_openssl, make_p256 } },
	{ "SM2 key, tested", 0, 0, { make_gcrypt, make_openssl, make_p256 } },
	{ "SM2 encrypt 32 B", 0, 0, { NULL, encrypt_openssl } },
	{ "SM2 decrypt 32 B", 0, LEN, { NULL, decrypt_openssl } },
};

static const struct crypto_figure figures[] = {
	{ "SM2 sign", 0, 1, CRYPTO_AVX512, 70, CRYPTO_P256, 50 },
	{ "SM2 sign", 0, 64, CRYPTO_AVX512, 210, CRYPTO_P256, 50 },
	{ "SM2 verify", 0, 1, CRYPTO_AVX512, 24, CRYPTO_P256, 15.6 },
	{ "SM2 verify", 0, 64, CRYPTO_AVX512, 75, CRYPTO_P256, 15.6 },
	{ "SM2 ECDH", 0, 1, CRYPTO_AVX512, 24, CRYPTO_P256, 20 },
	{ "SM2 ECDH", 0, 64, CRYPTO_AVX512, 90, CRYPTO_P256, 20 },
	{ "SM2 key pair", 0, 1, CRYPTO_AVX512, 110, CRYPTO_P256, 97 },
	{ "SM2 key, tested", 0, 64, CRYPTO_AVX512, 310, CRYPTO_P256, 97 },
	{ "SM2 encrypt 32 B", 0, 1, CRYPTO_AVX512, 20, CRYPTO_OPENSSL, 2 },
	{ "SM2 decrypt 32 B", 0, 1, CRYPTO_AVX512, 22, CRYPTO_OPENSSL, 3.9 },
	/* Not slower than C. */
	{ "SM2 sign", 0, 1, CRYPTO_C, 3.8, CRYPTO_OPENSSL, 3.8 },
	{ "SM2 verify", 0, 1, CRYPTO_C, 3.9, CRYPTO_OPENSSL, 3.9 },
};

const struct crypto_family crypto_sm2 = {
	.start = start,
	.peers = peers,
	.n_peers = HF_COUNT(peers),
	.figures = figures,
	.n_figures = HF_COUNT(figures),
};
