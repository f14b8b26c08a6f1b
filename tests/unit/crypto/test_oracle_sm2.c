/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM2 against libcrypto on N_CASES random cases (signatures, shared values and ciphertexts, each
 * both ways) and where the scalars and points are extreme: 1, 2, n - 2, n - 1; G and -G.
 */
/* uses: libcrypto */
#include "test.h"

#include "base/attr.h"
#include "crypto/module.h"
#include "crypto/sm2.h"
#include "sm2_oracle.h"

#ifndef N_CASES
#define N_CASES 1000
#endif
#ifndef ORACLE_CPU
#define ORACLE_CPU 0 /* the C reference */
#endif

enum {
	TEXT_MAX = 200,
	ID_MAX = 60,
	DER_ROOM = TEXT_MAX + 256,
};

static struct test_rng state_of_rng;
static struct hf_rng rng;
static EC_GROUP *group;
static BN_CTX *ctx;

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20262);
	group = EC_GROUP_new_by_curve_name(NID_sm2);
	ctx = BN_CTX_new();
	if (group == NULL || ctx == NULL)
		return -1;
	return hf_module_start(ORACLE_CPU) == HF_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	return 0;
}

static size_t below(size_t n)
{
	return (size_t)test_rng_below(&state_of_rng, n);
}

struct one {
	struct hf_sm2_key key;
	EVP_PKEY *pkey;
	uint8_t id[ID_MAX];
	size_t id_len;
	uint8_t m[TEXT_MAX];
	size_t m_len;
};

/* A case about this key, with a random ID and text. */
static void one_init(struct one *o, const struct hf_sm2_key *key)
{
	o->key = *key;
	o->pkey = oracle_key(key);
	assert_non_null(o->pkey);
	o->id_len = 1 + below(ID_MAX);
	o->m_len = below(TEXT_MAX + 1);
	assert_ok(hf_rng_fill(&rng, o->id, sizeof(o->id)));
	assert_ok(hf_rng_fill(&rng, o->m, sizeof(o->m)));
}

static void one_clear(struct one *o)
{
	EVP_PKEY_free(o->pkey);
}

/* --- signatures ------------------------------------------------------------------------------ */

/* A context that signs or verifies with the ID of the case. */
static EVP_MD_CTX *oracle_md(const struct one *o, EVP_PKEY_CTX **c)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	*c = EVP_PKEY_CTX_new(o->pkey, NULL);
	EVP_MD_CTX_set_pkey_ctx(md, *c);
	assert_true(EVP_PKEY_CTX_set1_id(*c, o->id, (int)o->id_len) > 0);
	return md;
}

static bool oracle_verifies(const struct one *o, const struct hf_sm2_sig *sig)
{
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = hf_sm2_sig_emit_der(der, sig);
	EVP_PKEY_CTX *c;
	EVP_MD_CTX *md = oracle_md(o, &c);
	int ok;

	assert_int_equal(EVP_DigestVerifyInit(md, NULL, EVP_sm3(), NULL, o->pkey), 1);
	ok = EVP_DigestVerify(md, der, der_len, o->m, o->m_len);
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(c);
	return ok == 1;
}

static void oracle_signs(const struct one *o, struct hf_sm2_sig *sig)
{
	uint8_t der[128];
	size_t der_len = sizeof(der);
	EVP_PKEY_CTX *c;
	EVP_MD_CTX *md = oracle_md(o, &c);

	assert_int_equal(EVP_DigestSignInit(md, NULL, EVP_sm3(), NULL, o->pkey), 1);
	assert_int_equal(EVP_DigestSign(md, der, &der_len, o->m, o->m_len), 1);
	assert_ok(hf_sm2_sig_parse_der(sig, der, der_len));
	EVP_MD_CTX_free(md);
	EVP_PKEY_CTX_free(c);
}

static hf_err we_verify(const struct one *o, const struct hf_sm2_sig *sig)
{
	return hf_sm2_verify(&o->key.pub, o->id, o->id_len, o->m, o->m_len, sig);
}

/* One bit of message, ID, signature or key changed: neither side may accept. */
static void check_altered(struct one *o, struct hf_sm2_sig sig)
{
	uint8_t bit = (uint8_t)(1 << below(8));

	switch (below(o->m_len > 0 ? 3 : 2)) {
	case 0: sig.s[below(32)] ^= bit; break;
	case 1: o->id[below(o->id_len)] ^= bit; break;
	default: o->m[below(o->m_len)] ^= bit; break;
	}
	assert_err(we_verify(o, &sig), HF_ERR_AUTH);
	assert_false(oracle_verifies(o, &sig));
}

static void check_signatures(struct one *o, const struct hf_rng *nonces)
{
	struct hf_sm2_sig sig;

	oracle_signs(o, &sig);
	assert_ok(we_verify(o, &sig));
	assert_ok(hf_sm2_sign(&sig, &o->key, o->id, o->id_len, o->m, o->m_len, nonces));
	assert_ok(we_verify(o, &sig));
	assert_true(oracle_verifies(o, &sig));
	check_altered(o, sig);
}

static void signatures_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		struct hf_sm2_key key;
		struct one o;

		assert_ok(hf_sm2_key_new(&key, &rng));
		one_init(&o, &key);
		check_signatures(&o, &rng);
		one_clear(&o);
	}
}

/* --- shared values --------------------------------------------------------------------------- */

/* x of [d]P by libcrypto. */
static void oracle_ecdh(
	uint8_t x[HF_SM2_LEN], const uint8_t d[HF_SM2_LEN], const struct hf_sm2_pub *pub)
{
	EC_POINT *p = EC_POINT_new(group);
	BIGNUM *k = BN_bin2bn(d, HF_SM2_LEN, NULL);
	uint8_t point[HF_SM2_POINT_LEN];

	hf_sm2_pub_emit(point, pub);
	assert_true(EC_POINT_oct2point(group, p, point, sizeof(point), ctx));
	assert_true(EC_POINT_mul(group, p, NULL, p, k, ctx));
	assert_int_equal(EC_POINT_point2oct(group, p, POINT_CONVERSION_UNCOMPRESSED, point,
				 sizeof(point), ctx),
		sizeof(point));
	memcpy(x, point + 1, HF_SM2_LEN);
	BN_free(k);
	EC_POINT_free(p);
}

static void check_shared(const struct hf_sm2_key *a, const struct hf_sm2_key *b)
{
	uint8_t want[HF_SM2_LEN];
	uint8_t got[HF_SM2_LEN];

	oracle_ecdh(want, a->d, &b->pub);
	assert_ok(hf_sm2_ecdh(got, a, &b->pub));
	assert_memory_equal(got, want, sizeof(got));
	assert_ok(hf_sm2_ecdh(got, b, &a->pub));
	assert_memory_equal(got, want, sizeof(got));
}

static void shared_values_agree(void **state)
{
	struct hf_sm2_key last;

	(void)state;
	assert_ok(hf_sm2_key_new(&last, &rng));
	for (size_t i = 0; i < N_CASES; i++) {
		struct hf_sm2_key key;

		assert_ok(hf_sm2_key_new(&key, &rng));
		check_shared(&key, &last);
		last = key;
	}
}

/* --- encryption ------------------------------------------------------------------------------ */

static bool oracle_decrypts(const struct one *o, const uint8_t *raw, size_t raw_len)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(o->pkey, NULL);
	uint8_t der[DER_ROOM];
	uint8_t text[DER_ROOM];
	size_t der_len = sizeof(der);
	size_t text_len = sizeof(text);
	bool ok;

	assert_ok(hf_sm2_cipher_emit_der(der, &der_len, raw, raw_len));
	assert_int_equal(EVP_PKEY_decrypt_init(c), 1);
	ok = EVP_PKEY_decrypt(c, text, &text_len, der, der_len) == 1;
	EVP_PKEY_CTX_free(c);
	return ok && text_len == o->m_len && memcmp(text, o->m, text_len) == 0;
}

static void oracle_encrypts(const struct one *o, uint8_t *raw, size_t *raw_len)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(o->pkey, NULL);
	uint8_t der[DER_ROOM];
	size_t der_len = sizeof(der);

	assert_int_equal(EVP_PKEY_encrypt_init(c), 1);
	assert_int_equal(EVP_PKEY_encrypt(c, der, &der_len, o->m, o->m_len), 1);
	assert_ok(hf_sm2_cipher_parse_der(raw, raw_len, der, der_len));
	EVP_PKEY_CTX_free(c);
}

static void check_encryption(struct one *o, const struct hf_rng *nonces)
{
	uint8_t raw[HF_SM2_CIPHER_OVERHEAD + TEXT_MAX];
	uint8_t text[TEXT_MAX];
	size_t raw_len;

	if (o->m_len == 0)
		o->m_len = 1; /* an empty text is refused by the standard's own rule */
	raw_len = HF_SM2_CIPHER_OVERHEAD + o->m_len;
	assert_ok(hf_sm2_encrypt(raw, &o->key.pub, o->m, o->m_len, nonces));
	assert_ok(hf_sm2_decrypt(text, &o->key, raw, raw_len));
	assert_memory_equal(text, o->m, o->m_len);
	assert_true(oracle_decrypts(o, raw, raw_len));

	/* Old libcrypto sends texts of a byte or two under a mask of zeros, which we refuse. */
	if (o->m_len > 8) {
		oracle_encrypts(o, raw, &raw_len);
		assert_int_equal(raw_len, HF_SM2_CIPHER_OVERHEAD + o->m_len);
		assert_ok(hf_sm2_decrypt(text, &o->key, raw, raw_len));
		assert_memory_equal(text, o->m, o->m_len);
	}

	raw[below(raw_len)] ^= (uint8_t)(1 << below(8));
	assert_err(hf_sm2_decrypt(text, &o->key, raw, raw_len), HF_ERR_AUTH);
	assert_false(oracle_decrypts(o, raw, raw_len));
}

static void ciphertexts_agree(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_CASES; i++) {
		struct hf_sm2_key key;
		struct one o;

		assert_ok(hf_sm2_key_new(&key, &rng));
		one_init(&o, &key);
		check_encryption(&o, &rng);
		one_clear(&o);
	}
}

/* --- extremes -------------------------------------------------------------------------------- */

/* 1, 2, 3, n - 3, n - 2, n - 1, in this order. */
enum { N_EXTREMES = 6, N_MINUS_1 = 5 };

static void extreme(uint8_t out[HF_SM2_LEN], size_t i)
{
	BIGNUM *k = BN_new();

	if (i < 3) {
		assert_true(BN_set_word(k, i + 1));
	} else {
		assert_non_null(BN_copy(k, EC_GROUP_get0_order(group)));
		assert_true(BN_sub_word(k, 6 - i));
	}
	assert_int_equal(BN_bn2binpad(k, out, HF_SM2_LEN), HF_SM2_LEN);
	BN_free(k);
}

/* A generator that gives one nonce, once, and the usual bytes afterwards. */
struct first {
	uint8_t b[HF_SM2_LEN];
	bool is_used;
};

static hf_err first_fill(void *p, uint8_t *out, size_t len)
{
	struct first *f = p;

	if (f->is_used)
		return hf_rng_fill(&rng, out, len);
	assert_int_equal(len, sizeof(f->b));
	memcpy(out, f->b, len);
	f->is_used = true;
	return HF_OK;
}

static void extreme_private_keys_agree_and_n_minus_1_is_none(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXTREMES; i++) {
		struct hf_sm2_key other;
		struct hf_sm2_key key;
		uint8_t d[HF_SM2_LEN];
		struct one o;

		extreme(d, i);
		if (i == N_MINUS_1) {
			/* GB/T 32918.2 6.1: 1 + d would have no inverse. */
			assert_err(hf_sm2_key_from_private(&key, d), HF_ERR_FORMAT);
			continue;
		}
		assert_ok(hf_sm2_key_from_private(&key, d));
		for (size_t k = 0; k < 20; k++) {
			one_init(&o, &key);
			check_signatures(&o, &rng);
			check_encryption(&o, &rng);
			one_clear(&o);
			assert_ok(hf_sm2_key_new(&other, &rng));
			check_shared(&key, &other);
		}
	}
}

static void extreme_nonces_give_what_libcrypto_accepts(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXTREMES; i++) {
		for (size_t k = 0; k < 20; k++) {
			struct first f = { .is_used = false };
			struct hf_rng nonces = { first_fill, &f };
			struct hf_sm2_key key;
			struct one o;

			extreme(f.b, i);
			assert_ok(hf_sm2_key_new(&key, &rng));
			one_init(&o, &key);
			check_signatures(&o, &nonces);
			assert_true(f.is_used);
			f.is_used = false;
			check_encryption(&o, &nonces);
			assert_true(f.is_used);
			one_clear(&o);
		}
	}
}

static void g_and_its_negative_are_keys_like_others(void **state)
{
	struct hf_sm2_pub g[2];
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t want[HF_SM2_LEN];
	uint8_t got[HF_SM2_LEN];
	EC_POINT *p = EC_POINT_new(group);

	(void)state;
	assert_true(EC_POINT_copy(p, EC_GROUP_get0_generator(group)));
	for (size_t i = 0; i < 2; i++) {
		(void)EC_POINT_point2oct(
			group, p, POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), ctx);
		assert_ok(hf_sm2_pub_parse(&g[i], point, sizeof(point)));
		assert_true(EC_POINT_invert(group, p, ctx));
	}
	assert_memory_equal(g[0].x, g[1].x, HF_SM2_LEN);
	assert_memory_not_equal(g[0].y, g[1].y, HF_SM2_LEN);
	for (size_t i = 0; i < 2 * N_EXTREMES + 100; i++) {
		const struct hf_sm2_pub *pub = &g[i % 2];
		struct hf_sm2_key key;
		uint8_t d[HF_SM2_LEN];

		if (i / 2 < N_EXTREMES)
			extreme(d, i / 2);
		if (i / 2 >= N_EXTREMES)
			assert_ok(hf_sm2_key_new(&key, &rng));
		else if (hf_sm2_key_from_private(&key, d) != HF_OK)
			continue;
		oracle_ecdh(want, key.d, pub);
		assert_ok(hf_sm2_ecdh(got, &key, pub));
		assert_memory_equal(got, want, sizeof(got));
		/* [d]G and [d](-G) have the same x: that of the key itself. */
		assert_memory_equal(got, key.pub.x, sizeof(got));
	}
	EC_POINT_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signatures_agree),
		cmocka_unit_test(shared_values_agree),
		cmocka_unit_test(ciphertexts_agree),
		cmocka_unit_test(extreme_private_keys_agree_and_n_minus_1_is_none),
		cmocka_unit_test(extreme_nonces_give_what_libcrypto_accepts),
		cmocka_unit_test(g_and_its_negative_are_keys_like_others),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
