/* SPDX-License-Identifier: Apache-2.0 */
/* SM2 of libcrypto as the other side of a test. Only for tests that use libcrypto. */
#ifndef HF_TEST_SM2_ORACLE_H
#define HF_TEST_SM2_ORACLE_H

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include "crypto/sm2.h"
#include "test.h"

/* The same key in libcrypto; EVP_PKEY_free() it. */
static inline EVP_PKEY *oracle_key(const struct hf_sm2_key *key)
{
	EVP_PKEY_CTX *c = EVP_PKEY_CTX_new_from_name(NULL, "SM2", NULL);
	OSSL_PARAM_BLD *b = OSSL_PARAM_BLD_new();
	BIGNUM *d = BN_bin2bn(key->d, HF_SM2_LEN, NULL);
	uint8_t point[HF_SM2_POINT_LEN];
	EVP_PKEY *pkey = NULL;
	OSSL_PARAM *p;

	hf_sm2_pub_emit(point, &key->pub);
	assert_true(OSSL_PARAM_BLD_push_utf8_string(b, OSSL_PKEY_PARAM_GROUP_NAME, "SM2", 0));
	assert_true(OSSL_PARAM_BLD_push_BN(b, OSSL_PKEY_PARAM_PRIV_KEY, d));
	assert_true(
		OSSL_PARAM_BLD_push_octet_string(b, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)));
	p = OSSL_PARAM_BLD_to_param(b);
	assert_int_equal(EVP_PKEY_fromdata_init(c), 1);
	assert_int_equal(EVP_PKEY_fromdata(c, &pkey, EVP_PKEY_KEYPAIR, p), 1);
	OSSL_PARAM_free(p);
	OSSL_PARAM_BLD_free(b);
	BN_free(d);
	EVP_PKEY_CTX_free(c);
	return pkey;
}

#endif
