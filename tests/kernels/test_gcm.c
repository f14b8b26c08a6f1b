/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole of SM4-GCM with the kernels that the module chooses on this processor and on lesser
 * ones: against libgcrypt, between guard pages, and its speed.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>

#include "crypto/modes/gcm_kernel.h"
#include "crypto/module.h"
#include "guard.h"
#include "kernels.h"

enum {
	LONG = 100000,
	SHORT = 1300, /* every length up to here */
};

/* Lesser processors: what each lacks of this one. */
static const uint32_t lacks[] = {
	0,
	HF_CPU_VPCLMUL,
	HF_CPU_AVX512,
	HF_CPU_AVX512 | HF_CPU_VPCLMUL | HF_CPU_VAES,
	HF_CPU_AVX512 | HF_CPU_VPCLMUL | HF_CPU_VAES | HF_CPU_GFNI,
	(uint32_t) ~(HF_CPU_SSE41 | HF_CPU_AES | HF_CPU_PCLMUL),
	(uint32_t)~HF_CPU_PCLMUL,
	UINT32_MAX,
};
static uint32_t the_cpu; /* as now */

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
	assert_ok(hf_module_start(the_cpu));
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
	hf_module_zeroize(); /* so that it can be started with other features */
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

/* In place, at each alignment, touching either guard. */
static uint8_t *place(const struct test_guard *g, size_t len, size_t i)
{
	return i == 0 ? test_guard_low(g, len) : test_guard_high(g, len + i - 1);
}

static void messages_in_place_touch_nothing_else(void **state)
{
	struct fixture *f = *state;
	struct test_guard guard;
	struct test_guard aad;

	test_guard_new(&guard, SHORT + 64);
	test_guard_new(&aad, sizeof(f->aad));
	for (size_t len = 0; len < SHORT; len++) {
		uint8_t *p = place(&guard, len, len % 18);
		uint8_t *d = test_guard_high(&aad, sizeof(f->aad));
		uint8_t tag[16];
		uint8_t want[16];
		struct hf_aead a = { f->nonce, 12, d, sizeof(f->aad), p, len, p, tag, 16 };

		memcpy(d, f->aad, sizeof(f->aad));
		memcpy(p, f->in, len);
		peer_seal(f, len, want);
		assert_ok(hf_gcm_seal(&f->k, &a));
		assert_memory_equal(p, f->want, len);
		assert_memory_equal(tag, want, 16);
		assert_ok(hf_gcm_open(&f->k, &a));
		assert_memory_equal(p, f->in, len);
	}
	test_guard_free(&aad);
	test_guard_free(&guard);
}

static void additional_data_of_every_length(void **state)
{
	struct fixture *f = *state;
	struct test_guard guard;

	test_guard_new(&guard, SHORT);
	for (size_t len = 0; len < SHORT; len++) {
		uint8_t *d = test_guard_high(&guard, len);
		uint8_t tag[16];
		uint8_t want[16];
		struct hf_aead a = { f->nonce, 12, d, len, f->in, len % 40, f->out, tag, 16 };

		memcpy(d, f->in + 1000, len);
		gcry_cipher_reset(f->peer);
		gcry_cipher_setiv(f->peer, f->nonce, sizeof(f->nonce));
		gcry_cipher_authenticate(f->peer, d, len);
		gcry_cipher_final(f->peer);
		gcry_cipher_encrypt(f->peer, f->want, len % 40, f->in, len % 40);
		gcry_cipher_gettag(f->peer, want, 16);
		assert_ok(hf_gcm_seal(&f->k, &a));
		assert_memory_equal(tag, want, 16);
	}
	test_guard_free(&guard);
}

static void blocks_within_a_message_equal_the_references(void **state)
{
	enum { BLOCKS = 300 };
	struct fixture *f = *state;
	const struct hf_gcm_kernel *k = hf_module()->gcm;
	struct hf_gcm_key ref;
	struct test_guard guard;
	uint8_t h[16] = { 0 };

	hf_sm4_kernel_c.ecb(f->k.sm4.rk, h, h, 1);
	hf_ghash_kernel_c.init(&ref, h);
	test_guard_new(&guard, 16 * BLOCKS + 64);
	for (size_t i = 0; i < 2 * BLOCKS; i++) {
		bool seal = i % 2 == 0;
		size_t n = i / 2;
		uint8_t *p = place(&guard, 16 * n, n % 18);
		uint8_t counter[2][16] = { { 1, 2, [12] = 0xff, 0xff, 0xff, (uint8_t)n } };
		uint8_t hash[2][16] = { { 9, 8, 7 } };

		memcpy(counter[1], counter[0], 16);
		memcpy(hash[1], hash[0], 16);
		memcpy(p, f->in, 16 * n);
		k->blocks(&f->k, counter[0], hash[0], p, p, n, seal);
		hf_sm4_kernel_c.ctr32(f->k.sm4.rk, counter[1], f->want, f->in, n);
		hf_ghash_kernel_c.blocks(&ref, hash[1], seal ? f->want : f->in, n);
		assert_memory_equal(p, f->want, 16 * n);
		assert_memory_equal(hash[0], hash[1], 16);
		assert_memory_equal(counter[0], counter[1], 16);
	}
	test_guard_free(&guard);
}

static void choice_obeys_the_processor_and_the_two_kernels(void **state)
{
	const struct hf_module *m = hf_module();
	const struct hf_gcm_kernel *k;

	(void)state;
	assert_ptr_equal(hf_gcm_choose(0, m->sm4, m->ghash), &hf_gcm_kernel_parts);
	for (size_t i = 0; (k = hf_gcm_kernel_at(i)) != NULL; i++) {
		const struct hf_sm4_kernel *sm4 = k->sm4 != NULL ? k->sm4 : m->sm4;
		const struct hf_ghash_kernel *ghash = k->ghash != NULL ? k->ghash : m->ghash;

		if ((k->needs & ~test_cpu()) == 0)
			assert_ptr_equal(hf_gcm_choose(k->needs, sm4, ghash), k);
	}
}

static double rate_of_peer(struct fixture *f, size_t len)
{
	uint8_t tag[16];
	double rate;

	TEST_RATE(rate, len, peer_seal(f, len, tag));
	return rate;
}

static void speed(void **state)
{
	static const size_t lens[] = { 16, 64, 256, 1024, 16384, 65536 };
	struct fixture *f = *state;
	double ghz = test_ghz();

	for (size_t i = 0; i < HF_COUNT(lens); i++) {
		uint8_t tag[16];
		struct hf_aead a = { f->nonce, 12, f->aad, 13, f->in, lens[i], f->out, tag, 16 };
		double ours;
		hf_err e = HF_OK;

		TEST_RATE(ours, lens[i], e |= hf_gcm_seal(&f->k, &a));
		assert_ok(e);
		print_message("gcm %6zu bytes: %6.3f GB/s, %6.2f cycles/byte, %5.2f x libgcrypt\n",
			lens[i], ours, ghz / ours, ours / rate_of_peer(f, lens[i]));
	}
}

static int test_here(uint32_t cpu)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_libgcrypt_at_every_short_length_and_a_long_one),
		cmocka_unit_test(messages_in_place_touch_nothing_else),
		cmocka_unit_test(additional_data_of_every_length),
		cmocka_unit_test(blocks_within_a_message_equal_the_references),
		cmocka_unit_test(choice_obeys_the_processor_and_the_two_kernels),
		cmocka_unit_test(speed),
	};

	the_cpu = cpu;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}

/* True if an earlier, richer processor gives the same kernels. */
static bool is_seen(uint32_t cpu, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		uint32_t other = test_cpu() & ~lacks[j];

		if (hf_sm4_choose(cpu) == hf_sm4_choose(other) &&
			hf_ghash_choose(cpu) == hf_ghash_choose(other))
			return true;
	}
	return false;
}

int main(void)
{
	int failed = 0;

	for (size_t i = 0; i < HF_COUNT(lacks); i++) {
		uint32_t cpu = test_cpu() & ~lacks[i];

		if (is_seen(cpu, i))
			continue;
		print_message("sm4-gcm with %s and %s\n", hf_sm4_choose(cpu)->name,
			hf_ghash_choose(cpu)->name);
		failed += test_here(cpu);
	}
	return failed;
}
