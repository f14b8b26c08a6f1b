/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Batches of SM2 on the chosen kernel against libcrypto, whose points and big numbers compute every
 * key, signature and shared value anew, and whose verification of SM2 judges some of them.
 */
/* label: slow */
/* uses: libcrypto */
#include "test.h"

#include <openssl/bn.h>

#include "crypto/module.h"
#include "kernels.h"
#include "sm2_oracle.h"

enum {
	JOBS = 10240, /* of each kind */
	BATCH = 80,
	LEN = HF_SM2_LEN,
};

/* libcrypto's view of the curve. */
struct oracle {
	EC_GROUP *group;
	EC_POINT *point;
	BIGNUM *order;
	BIGNUM *a;
	BIGNUM *b;
	BIGNUM *c;
	BN_CTX *ctx;
};

static int set_up(void **state)
{
	struct oracle *o = malloc(sizeof(*o));

	assert_non_null(o);
	assert_ok(hf_module_start(test_cpu()));
	o->group = EC_GROUP_new_by_curve_name(NID_sm2);
	o->point = EC_POINT_new(o->group);
	o->order = BN_dup(EC_GROUP_get0_order(o->group));
	o->a = BN_new();
	o->b = BN_new();
	o->c = BN_new();
	o->ctx = BN_CTX_new();
	*state = o;
	return 0;
}

static int tear_down(void **state)
{
	struct oracle *o = *state;

	EC_POINT_free(o->point);
	EC_GROUP_free(o->group);
	BN_free(o->order);
	BN_free(o->a);
	BN_free(o->b);
	BN_free(o->c);
	BN_CTX_free(o->ctx);
	free(o);
	return 0;
}

/* pub = [k] G + [m] (*other); other may be NULL. */
static void multiply(const struct oracle *o, struct hf_sm2_pub *pub, const BIGNUM *k,
	const struct hf_sm2_pub *other, const BIGNUM *m)
{
	EC_POINT *p = NULL;
	uint8_t bytes[HF_SM2_POINT_LEN];

	if (other != NULL) {
		p = EC_POINT_new(o->group);
		hf_sm2_pub_emit(bytes, other);
		assert_int_equal(EC_POINT_oct2point(o->group, p, bytes, sizeof(bytes), o->ctx), 1);
	}
	assert_int_equal(EC_POINT_mul(o->group, o->point, k, p, m, o->ctx), 1);
	assert_int_equal(EC_POINT_point2oct(o->group, o->point, POINT_CONVERSION_UNCOMPRESSED,
				 bytes, sizeof(bytes), o->ctx),
		sizeof(bytes));
	memcpy(pub->x, bytes + 1, LEN);
	memcpy(pub->y, bytes + 1 + LEN, LEN);
	EC_POINT_free(p);
}

static void check_key(const struct oracle *o, const struct hf_sm2_key *key)
{
	struct hf_sm2_pub pub;

	BN_bin2bn(key->d, LEN, o->a);
	multiply(o, &pub, o->a, NULL, NULL);
	assert_memory_equal(&pub, &key->pub, sizeof(pub));
}

static void check_shared(const struct oracle *o, const struct hf_sm2_ecdh_job *job)
{
	struct hf_sm2_pub pub;

	BN_bin2bn(job->key->d, LEN, o->a);
	multiply(o, &pub, NULL, job->peer, o->a);
	assert_memory_equal(pub.x, job->x, LEN);
}

/* r and s from the nonce: r = e + x1, s = (k - r d) / (1 + d). */
static void check_signature(
	const struct oracle *o, const struct hf_sm2_sign_job *job, const uint8_t k[LEN])
{
	struct hf_sm2_pub pub;
	struct hf_sm2_sig want;

	BN_bin2bn(k, LEN, o->a);
	multiply(o, &pub, o->a, NULL, NULL);
	BN_bin2bn(pub.x, LEN, o->b);
	BN_bin2bn(job->e, LEN, o->c);
	assert_int_equal(BN_mod_add(o->b, o->b, o->c, o->order, o->ctx), 1); /* r */
	assert_int_equal(BN_bn2binpad(o->b, want.r, LEN), LEN);
	BN_bin2bn(job->key->d, LEN, o->c);
	assert_int_equal(BN_mod_mul(o->b, o->b, o->c, o->order, o->ctx), 1);
	assert_int_equal(BN_mod_sub(o->a, o->a, o->b, o->order, o->ctx), 1);
	assert_int_equal(BN_add_word(o->c, 1), 1);
	assert_non_null(BN_mod_inverse(o->c, o->c, o->order, o->ctx));
	assert_int_equal(BN_mod_mul(o->a, o->a, o->c, o->order, o->ctx), 1);
	assert_int_equal(BN_bn2binpad(o->a, want.s, LEN), LEN);
	assert_memory_equal(&want, job->sig, sizeof(want));
}

/* What libcrypto's own verification says. */
static bool holds(const struct hf_sm2_key *key, const struct hf_sm2_verify_job *job)
{
	EVP_PKEY *pkey = oracle_key(key);
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new(pkey, NULL);
	uint8_t der[HF_SM2_SIG_DER_MAX];
	size_t der_len = hf_sm2_sig_emit_der(der, job->sig);
	int ok;

	assert_int_equal(EVP_PKEY_verify_init(c), 1);
	ok = EVP_PKEY_verify(c, der, der_len, job->e, LEN);
	EVP_PKEY_CTX_free(c);
	EVP_PKEY_free(pkey);
	return ok == 1;
}

static hf_err play(void *ctx, uint8_t *out, size_t len)
{
	const uint8_t **next = ctx;

	assert_int_equal(len, LEN);
	memcpy(out, *next, LEN);
	*next += LEN;
	return HF_OK;
}

/* One batch of each kind; every third signature is altered before the verification. */
static void check_batch(const struct oracle *o, const struct hf_rng *rng)
{
	struct hf_sm2_key keys[BATCH];
	struct hf_sm2_sig sigs[BATCH];
	struct hf_sm2_key_job make[BATCH];
	struct hf_sm2_sign_job sign[BATCH];
	struct hf_sm2_verify_job verify[BATCH];
	struct hf_sm2_ecdh_job ecdh[BATCH];
	uint8_t bytes[4][BATCH][LEN]; /* digests, nonces, shared values, what to alter */
	const uint8_t *next = bytes[1][0];
	struct hf_rng nonces = { play, &next };

	assert_ok(hf_rng_fill(rng, bytes[0][0], sizeof(bytes)));
	for (size_t i = 0; i < BATCH; i++) {
		bytes[1][i][0] &= 0x7f; /* a nonce below n */
		make[i] = (struct hf_sm2_key_job){ &keys[i], HF_OK };
		sign[i] = (struct hf_sm2_sign_job){ &keys[i], bytes[0][i], &sigs[i], HF_OK };
		verify[i] =
			(struct hf_sm2_verify_job){ &keys[i].pub, bytes[0][i], &sigs[i], HF_OK };
		ecdh[i] = (struct hf_sm2_ecdh_job){ &keys[i], &keys[(i + 7) % BATCH].pub,
			bytes[2][i], HF_OK };
	}
	assert_ok(hf_sm2_key_new_batch(make, BATCH, rng));
	assert_ok(hf_sm2_sign_batch(sign, BATCH, &nonces));
	assert_ok(hf_sm2_ecdh_batch(ecdh, BATCH));
	for (size_t i = 0; i < BATCH; i++) {
		check_key(o, &keys[i]);
		check_shared(o, &ecdh[i]);
		check_signature(o, &sign[i], bytes[1][i]);
		if (i % 3 == 1)
			sigs[i].s[bytes[3][i][0] % LEN] ^= (uint8_t)(1u << bytes[3][i][1] % 8);
	}
	assert_err(hf_sm2_verify_batch(verify, BATCH), HF_ERR_AUTH);
	for (size_t i = 0; i < BATCH; i++)
		assert_int_equal(verify[i].result == HF_OK, holds(&keys[i], &verify[i]));
}

static void random_jobs_give_what_libcrypto_gives(void **state)
{
	struct test_rng rs;
	struct hf_rng rng = test_rng(&rs, 12);

	for (size_t done = 0; done < JOBS; done += BATCH)
		check_batch(*state, &rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_jobs_give_what_libcrypto_gives),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
