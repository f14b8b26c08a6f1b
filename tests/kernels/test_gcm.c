/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of SM4-GCM with the kernels that the module chooses on this processor, against
 * libgcrypt; then the speed of both.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/modes/ghash_kernel.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_kernel.h"
#include "kernels.h"

enum {
	LONG = 100000,
	SHORT = 1300, /* every length up to here */
};

struct fixture {
	struct hf_gcm_key k;
	gcry_cipher_hd_t peer;
	uint8_t nonce[12];
	uint8_t aad[13];
	uint8_t in[LONG];
	uint8_t out[LONG];
	uint8_t want[LONG];
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 1);
	uint8_t key[16];

	assert_non_null(f);
	assert_non_null(gcry_check_version(NULL));
	assert_ok(hf_module_start(test_cpu()));
	assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
	assert_ok(hf_rng_fill(&rng, f->in, sizeof(f->in)));
	assert_ok(hf_gcm_init(&f->k, key));
	assert_int_equal(gcry_cipher_open(&f->peer, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0), 0);
	assert_int_equal(gcry_cipher_setkey(f->peer, key, sizeof(key)), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	gcry_cipher_close(f->peer);
	free(f);
	return 0;
}

static void peer_seal(struct fixture *f, size_t len, uint8_t tag[16])
{
	gcry_cipher_reset(f->peer);
	gcry_cipher_setiv(f->peer, f->nonce, sizeof(f->nonce));
	gcry_cipher_authenticate(f->peer, f->aad, sizeof(f->aad));
	gcry_cipher_final(f->peer);
	gcry_cipher_encrypt(f->peer, f->want, len, f->in, len);
	gcry_cipher_gettag(f->peer, tag, 16);
}

static void agrees_with_libgcrypt_at_every_short_length_and_a_long_one(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i <= SHORT; i++) {
		size_t len = i < SHORT ? i : LONG;
		uint8_t tag[16];
		uint8_t want[16];
		struct hf_aead a = { f->nonce, 12, f->aad, 13, f->in, len, f->out, tag, 16 };

		peer_seal(f, len, want);
		assert_ok(hf_gcm_seal(&f->k, &a));
		assert_memory_equal(f->out, f->want, len);
		assert_memory_equal(tag, want, 16);
		a.in = f->out;
		assert_ok(hf_gcm_open(&f->k, &a));
		assert_memory_equal(f->out, f->in, len);
		tag[15] ^= 1;
		assert_err(hf_gcm_open(&f->k, &a), HF_ERR_AUTH);
		for (size_t j = 0; j < len; j++)
			assert_int_equal(f->out[j], 0);
	}
}

static void speed(void **state)
{
	static const size_t lens[] = { 16, 1024, 16384, 65536 };
	struct fixture *f = *state;

	print_message("sm4-gcm with %s and %s\n", hf_module()->sm4->name, hf_module()->ghash->name);
	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		uint8_t tag[16];
		struct hf_aead a = { f->nonce, 12, f->aad, 13, f->in, lens[i], f->out, tag, 16 };
		double ours;
		double peers;
		hf_err e = HF_OK;

		TEST_RATE(ours, lens[i], e |= hf_gcm_seal(&f->k, &a));
		assert_ok(e);
		TEST_RATE(peers, lens[i], peer_seal(f, lens[i], tag));
		print_message(
			"%6zu bytes: %6.3f GB/s, libgcrypt %6.3f GB/s\n", lens[i], ours, peers);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_libgcrypt_at_every_short_length_and_a_long_one),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
