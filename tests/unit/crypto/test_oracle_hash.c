/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SM3 and everything made from it against libgcrypt and libcrypto: every length from 0 to 300, long
 * inputs, and inputs cut at random.
 */
/* uses: libgcrypt libcrypto */
#include "test.h"

#include <gcrypt.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include "base/attr.h"
#include "base/endian.h"
#include "crypto/hmac.h"
#include "crypto/kdf.h"
#include "crypto/module.h"
#include "crypto/sm3.h"
#include "crypto/tree.h"

enum {
	EVERY_LEN = 300,
	DATA_LEN = 3 << 20,
	N_LONG = 12,   /* long inputs */
	N_RANDOM = 300 /* random sets of parameters */
};

static struct test_rng state_of_rng;
static struct hf_rng rng;
static uint8_t *data; /* DATA_LEN random bytes */

static int setup(void **state)
{
	(void)state;
	rng = test_rng(&state_of_rng, 20260);
	data = malloc(DATA_LEN);
	if (data == NULL || hf_rng_fill(&rng, data, DATA_LEN) != HF_OK)
		return -1;
	return hf_module_start(0) == HF_OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	free(data);
	return 0;
}

static size_t below(size_t n)
{
	return (size_t)test_rng_below(&state_of_rng, n);
}

/* A copy of exactly len random bytes; free() it. */
static uint8_t *some(size_t len)
{
	uint8_t *p = malloc(len + (len == 0));

	assert_non_null(p);
	memcpy(p, data + below(DATA_LEN - len), len);
	return p;
}

/* --- SM3 --- */

static void sm3_in_pieces(uint8_t out[HF_SM3_LEN], const uint8_t *in, size_t len)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	while (len > 0) {
		size_t n = 1 + below(len < 5000 ? len : 5000);

		hf_sm3_feed(&s, in, n);
		in += n;
		len -= n;
	}
	hf_sm3_done(&s, out);
}

static void check_sm3(const uint8_t *in, size_t len)
{
	uint8_t a[HF_SM3_LEN];
	uint8_t b[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];

	gcry_md_hash_buffer(GCRY_MD_SM3, a, in, len);
	assert_int_equal(EVP_Digest(in, len, b, NULL, EVP_sm3(), NULL), 1);
	hf_sm3(got, in, len);
	assert_memory_equal(got, a, sizeof(got));
	assert_memory_equal(got, b, sizeof(got));
	sm3_in_pieces(got, in, len);
	assert_memory_equal(got, a, sizeof(got));
}

static void sm3_agrees_at_every_length_and_when_cut_anywhere(void **state)
{
	(void)state;
	for (size_t len = 0; len <= EVERY_LEN; len++) {
		uint8_t *in = some(len);

		check_sm3(in, len);
		free(in);
	}
	for (size_t i = 0; i < N_LONG; i++)
		check_sm3(data + i, 1 + below(DATA_LEN - N_LONG));
}

/* --- HMAC --- */

static void check_hmac(size_t key_len, size_t len)
{
	uint8_t *key = some(key_len);
	uint8_t *in = some(len);
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];
	size_t cut = below(len + 1);
	struct hf_hmac m;
	gcry_md_hd_t h;

	assert_non_null(HMAC(EVP_sm3(), key, (int)key_len, in, len, want, NULL));
	hf_hmac_sm3(got, key, key_len, in, len);
	assert_memory_equal(got, want, sizeof(got));

	hf_hmac_init(&m, key, key_len);
	hf_hmac_feed(&m, in, cut);
	hf_hmac_feed(&m, in + cut, len - cut);
	hf_hmac_done(&m, got);
	assert_memory_equal(got, want, sizeof(got));

	if (key_len > 0) {
		assert_int_equal(gcry_md_open(&h, GCRY_MD_SM3, GCRY_MD_FLAG_HMAC), 0);
		assert_int_equal(gcry_md_setkey(h, key, key_len), 0);
		gcry_md_write(h, in, len);
		assert_memory_equal(gcry_md_read(h, GCRY_MD_SM3), want, sizeof(want));
		gcry_md_close(h);
	}
	free(key);
	free(in);
}

static void hmac_agrees_at_every_length_of_key_and_message(void **state)
{
	(void)state;
	for (size_t len = 0; len <= EVERY_LEN; len++) {
		check_hmac(len, below(EVERY_LEN));
		check_hmac(below(200), len);
	}
	for (size_t i = 0; i < N_LONG; i++)
		check_hmac(below(1000), below(DATA_LEN));
}

/* --- derivations ---------------------------------------------------------------------------- */

/* What libcrypto derives with SM3 and the parameters given (ended by OSSL_PARAM_END). */
static void peer_kdf(const char *name, const OSSL_PARAM *more, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
	EVP_KDF_CTX *c = EVP_KDF_CTX_new(kdf);
	char digest[] = "SM3";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	assert_non_null(c);
	assert_int_equal(EVP_KDF_CTX_set_params(c, params), 1);
	if (EVP_KDF_derive(c, out, len, more) != 1)
		fail_msg("%s: libcrypto derives nothing", name);
	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
}

static OSSL_PARAM octets(const char *name, uint8_t *p, size_t len)
{
	return OSSL_PARAM_construct_octet_string(name, p, len);
}

static void check_hkdf(size_t salt_len, size_t ikm_len, size_t info_len, size_t len)
{
	uint8_t *salt = some(salt_len);
	uint8_t *ikm = some(ikm_len);
	uint8_t *info = some(info_len);
	uint8_t *want = malloc(len);
	uint8_t *got = malloc(len);
	uint8_t prk[HF_SM3_LEN];
	uint8_t want_prk[HF_SM3_LEN];
	int mode = EVP_KDF_HKDF_MODE_EXTRACT_ONLY;
	OSSL_PARAM params[] = {
		octets(OSSL_KDF_PARAM_KEY, ikm, ikm_len),
		octets(OSSL_KDF_PARAM_INFO, info, info_len),
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		octets(OSSL_KDF_PARAM_SALT, salt, salt_len),
		OSSL_PARAM_construct_end(),
	};

	if (salt_len == 0)
		params[3] = OSSL_PARAM_construct_end();
	peer_kdf("HKDF", params, want_prk, sizeof(want_prk));
	hf_hkdf_extract(prk, salt, salt_len, ikm, ikm_len);
	assert_memory_equal(prk, want_prk, sizeof(prk));

	mode = EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
	peer_kdf("HKDF", params, want, len);
	assert_ok(hf_hkdf_expand(got, len, prk, info, info_len));
	assert_memory_equal(got, want, len);
	memset(got, 0, len);
	assert_ok(hf_hkdf(got, len, salt, salt_len, ikm, ikm_len, info, info_len));
	assert_memory_equal(got, want, len);
	free(salt);
	free(ikm);
	free(info);
	free(want);
	free(got);
}

static void hkdf_agrees_at_random_and_at_its_limit(void **state)
{
	(void)state;
	for (size_t len = 1; len <= EVERY_LEN; len++)
		check_hkdf(below(150), 1 + below(150), below(150), len);
	check_hkdf(0, 32, 0, 32);
	check_hkdf(32, 32, 10, 255 * HF_SM3_LEN);
	check_hkdf(1000, 5000, 1000, 255 * HF_SM3_LEN - 1);
}

/* HkdfLabel of RFC 8446 7.1, written down here; libcrypto's own TLS13-KDF takes no SM3. */
static void expand_label_agrees_with_an_expansion_of_its_info(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz exporter";

	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		uint8_t *secret = some(HF_SM3_LEN);
		size_t context_len = below(256);
		uint8_t *context = some(context_len);
		size_t label_len = i == 0 ? 249 : below(20);
		uint8_t info[3 + 255 + 1 + 255] = { 0 };
		char label[250] = "";
		int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;
		size_t len = 1 + below(100);
		uint8_t want[100];
		uint8_t got[100];
		OSSL_PARAM params[] = {
			OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
			octets(OSSL_KDF_PARAM_KEY, secret, HF_SM3_LEN),
			octets(OSSL_KDF_PARAM_INFO, info, 3 + 6 + label_len + 1 + context_len),
			OSSL_PARAM_construct_end(),
		};

		for (size_t k = 0; k < label_len; k++)
			label[k] = letters[below(sizeof(letters) - 1)];
		info[1] = (uint8_t)len;
		info[2] = (uint8_t)(6 + label_len);
		memcpy(info + 3, "tls13 ", 6);
		memcpy(info + 9, label, label_len);
		info[9 + label_len] = (uint8_t)context_len;
		memcpy(info + 10 + label_len, context, context_len);
		peer_kdf("HKDF", params, want, len);
		assert_ok(hf_hkdf_expand_label(got, len, secret, label, context, context_len));
		assert_memory_equal(got, want, len);
		free(secret);
		free(context);
	}
}

static void sm2_kdf_agrees_with_the_one_of_x963(void **state)
{
	(void)state;
	for (size_t len = 1; len <= 2 * EVERY_LEN; len++) {
		size_t z_len = 1 + below(200);
		uint8_t *z = some(z_len);
		uint8_t *want = malloc(len);
		uint8_t *got = malloc(len);
		OSSL_PARAM params[] = {
			octets(OSSL_KDF_PARAM_KEY, z, z_len),
			OSSL_PARAM_construct_end(),
		};

		peer_kdf("X963KDF", params, want, len);
		assert_ok(hf_sm2_kdf(got, len, z, z_len));
		assert_memory_equal(got, want, len);
		free(z);
		free(want);
		free(got);
	}
}

static void pbkdf2_agrees_with_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RANDOM; i++) {
		size_t password_len = 1 + below(150);
		size_t salt_len = 1 + below(80);
		uint8_t *password = some(password_len);
		uint8_t *salt = some(salt_len);
		uint32_t n = (uint32_t)(1 + below(i % 50 == 0 ? 3000 : 30));
		size_t len = 1 + below(150);
		uint8_t want[150];
		uint8_t also[150];
		uint8_t got[150];

		assert_int_equal(PKCS5_PBKDF2_HMAC((const char *)password, (int)password_len, salt,
					 (int)salt_len, (int)n, EVP_sm3(), (int)len, want),
			1);
		assert_int_equal(gcry_kdf_derive(password, password_len, GCRY_KDF_PBKDF2,
					 GCRY_MD_SM3, salt, salt_len, n, len, also),
			0);
		assert_ok(hf_pbkdf2(got, len, password, password_len, salt, salt_len, n));
		assert_memory_equal(got, want, len);
		assert_memory_equal(got, also, len);
		free(password);
		free(salt);
	}
}

static void tlcp_prf_agrees_with_the_one_of_tls_1_2(void **state)
{
	static const char label[] = "key expansion";

	(void)state;
	for (size_t len = 1; len <= EVERY_LEN; len++) {
		size_t secret_len = 1 + below(100);
		size_t seed_len = 1 + below(100);
		uint8_t *secret = some(secret_len);
		uint8_t *seed = some(seed_len);
		uint8_t *both = malloc(sizeof(label) - 1 + seed_len);
		uint8_t *want = malloc(len);
		uint8_t *got = malloc(len);
		OSSL_PARAM params[] = {
			octets(OSSL_KDF_PARAM_SECRET, secret, secret_len),
			octets(OSSL_KDF_PARAM_SEED, both, sizeof(label) - 1 + seed_len),
			OSSL_PARAM_construct_end(),
		};

		memcpy(both, label, sizeof(label) - 1);
		memcpy(both + sizeof(label) - 1, seed, seed_len);
		peer_kdf("TLS1-PRF", params, want, len);
		hf_tlcp_prf(got, len, secret, secret_len, label, seed, seed_len);
		assert_memory_equal(got, want, len);
		free(secret);
		free(seed);
		free(both);
		free(want);
		free(got);
	}
}

/* --- tree-SM3 ------------------------------------------------------------------------------- */

static void gcry_parts(
	uint8_t out[HF_SM3_LEN], const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	gcry_md_hd_t h;

	assert_int_equal(gcry_md_open(&h, GCRY_MD_SM3, 0), 0);
	gcry_md_write(h, a, a_len);
	gcry_md_write(h, b, b_len);
	memcpy(out, gcry_md_read(h, GCRY_MD_SM3), HF_SM3_LEN);
	gcry_md_close(h);
}

/* The definition of crypto/tree.h over libgcrypt's hash. */
static void tree_by_definition(uint8_t out[HF_SM3_LEN], const uint8_t *in, size_t len)
{
	static const uint8_t node = 1;
	uint8_t head[9] = { 0 };
	size_t n = len == 0 ? 1 : (len + HF_TREE_LEAF_LEN - 1) / HF_TREE_LEAF_LEN;
	uint8_t *level = malloc(n * HF_SM3_LEN);

	assert_non_null(level);
	for (size_t i = 0; i < n; i++) {
		size_t at = i * HF_TREE_LEAF_LEN;
		size_t leaf = len - at < HF_TREE_LEAF_LEN ? len - at : HF_TREE_LEAF_LEN;

		hf_put_be64(head + 1, i);
		gcry_parts(level + HF_SM3_LEN * i, head, sizeof(head), in + at, leaf);
	}
	while (n > 1) {
		size_t up = (n + HF_TREE_FANOUT - 1) / HF_TREE_FANOUT;

		for (size_t i = 0; i < up; i++) {
			size_t from = i * HF_TREE_FANOUT;
			size_t k = n - from < HF_TREE_FANOUT ? n - from : HF_TREE_FANOUT;

			gcry_parts(level + HF_SM3_LEN * i, &node, 1, level + HF_SM3_LEN * from,
				k * HF_SM3_LEN);
		}
		n = up;
	}
	head[0] = 2;
	hf_put_be64(head + 1, len);
	gcry_parts(out, head, sizeof(head), level, HF_SM3_LEN);
	free(level);
}

static void check_tree(struct hf_tree *t, const uint8_t *in, size_t len)
{
	uint8_t want[HF_SM3_LEN];
	uint8_t got[HF_SM3_LEN];
	size_t at = 0;

	tree_by_definition(want, in, len);
	hf_tree_sm3(got, in, len);
	assert_memory_equal(got, want, sizeof(got));
	hf_tree_init(t);
	while (at < len) {
		size_t n = 1 + below(len - at < 200000 ? len - at : 200000);

		hf_tree_feed(t, in + at, n);
		at += n;
	}
	hf_tree_done(t, got);
	assert_memory_equal(got, want, sizeof(got));
}

static void tree_agrees_with_its_definition_over_libgcrypt(void **state)
{
	struct hf_tree *t = malloc(sizeof(*t));

	(void)state;
	assert_non_null(t);
	for (size_t len = 0; len <= EVERY_LEN; len++) {
		uint8_t *in = some(len);

		check_tree(t, in, len);
		free(in);
	}
	for (size_t i = 0; i < N_LONG; i++)
		check_tree(t, data + i, below(DATA_LEN - N_LONG));
	check_tree(t, data, DATA_LEN);
	free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sm3_agrees_at_every_length_and_when_cut_anywhere),
		cmocka_unit_test(hmac_agrees_at_every_length_of_key_and_message),
		cmocka_unit_test(hkdf_agrees_at_random_and_at_its_limit),
		cmocka_unit_test(expand_label_agrees_with_an_expansion_of_its_info),
		cmocka_unit_test(sm2_kdf_agrees_with_the_one_of_x963),
		cmocka_unit_test(pbkdf2_agrees_with_both),
		cmocka_unit_test(tlcp_prf_agrees_with_the_one_of_tls_1_2),
		cmocka_unit_test(tree_agrees_with_its_definition_over_libgcrypt),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
