/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The modes and MACs of SM4 with the kernels of this processor: the same digest over all their
 * output as with the C reference, which another process computes, since a module is started once.
 * Then their speed, beside libgcrypt's where it has the mode.
 */
/* uses: libgcrypt */
#include "test.h"

#include <gcrypt.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "crypto/hctr.h"
#include "crypto/module.h"
#include "crypto/sm3.h"
#include "crypto/sm4_mac.h"
#include "crypto/sm4_modes.h"
#include "kernels.h"

enum {
	LEN_MAX = 16 * 130 + 16, /* more than two groups of blocks */
	SLOW_LEN = 19,           /* for modes that encrypt a block for each byte or bit */
	ROUNDS = 4,
	LONG = 16384,
	SLOW_LONG = 64,
};

static bool is_slow(int mode)
{
	return mode == HF_SM4_CFB8 || mode == HF_SM4_CFB1;
}

static void digest_modes(struct hf_sm3 *s, const struct hf_sm4_key *k, struct hf_bytes in)
{
	uint8_t out[LEN_MAX];
	uint8_t iv[16];

	memcpy(iv, in.p + in.len / 2, sizeof(iv));
	for (int mode = 0; mode < HF_SM4_N_MODES; mode++)
		for (unsigned how = HF_SM4_ENCRYPT; how <= HF_SM4_DECRYPT; how++) {
			struct hf_bytes text = in;
			size_t n = sizeof(out);

			if (mode <= HF_SM4_OFBNLF)
				text.len -= text.len % 16;
			else if (is_slow(mode) && text.len > SLOW_LEN)
				text.len = SLOW_LEN;
			assert_ok(hf_sm4_crypt(k, (enum hf_sm4_mode)mode, how, iv, out, &n, text));
			hf_sm3_feed(s, out, n);
		}
}

static void digest_macs(struct hf_sm3 *s, const uint8_t key[32], struct hf_bytes in)
{
	struct hf_sm4_mac_key k;
	struct hf_hctr_key h;
	uint8_t out[LEN_MAX];

	for (int kind = HF_SM4_CBC_MAC; kind <= HF_SM4_CBCR; kind++) {
		enum hf_sm4_mac_kind m = (enum hf_sm4_mac_kind)kind;
		size_t tag_len = m == HF_SM4_TRCBC ? 8 : 16;
		bool own = m == HF_SM4_CMAC || m == HF_SM4_TRCBC || m == HF_SM4_CBCR;

		assert_ok(hf_sm4_mac_key_init(
			&k, m, own ? HF_SM4_PAD_OWN : HF_SM4_PAD_BIT, key, hf_sm4_mac_key_len(m)));
		assert_ok(hf_sm4_mac(&k, out, tag_len, in));
		hf_sm3_feed(s, out, tag_len);
	}
	assert_ok(hf_hctr_init(&h, key, key + 16));
	assert_ok(hf_hctr_encrypt(&h, key, out, in.p, in.len));
	hf_sm3_feed(s, out, in.len);
}

static void digest_all(uint8_t digest[HF_SM3_LEN])
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 77);
	struct hf_sm4_key k;
	uint8_t in[LEN_MAX];
	uint8_t key[32];
	struct hf_sm3 s;

	hf_sm3_init(&s);
	for (int i = 0; i < ROUNDS; i++) {
		size_t len = 48 + (size_t)test_rng_below(&r, sizeof(in) - 48);

		assert_ok(hf_rng_fill(&rng, in, sizeof(in)));
		assert_ok(hf_rng_fill(&rng, key, sizeof(key)));
		hf_sm4_init(&k, key);
		digest_macs(&s, key, (struct hf_bytes){ in, len });
		digest_modes(&s, &k, (struct hf_bytes){ in, len });
	}
	hf_sm3_done(&s, digest);
}

static void kernels_give_what_the_reference_gives(void **state)
{
	uint8_t want[HF_SM3_LEN] = { 0 };
	uint8_t got[HF_SM3_LEN];
	int status = 0;
	int fd[2];
	pid_t child;

	(void)state;
	assert_int_equal(pipe(fd), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (hf_module_start(0) == HF_OK)
			digest_all(want);
		_exit(write(fd[1], want, sizeof(want)) == sizeof(want) ? 0 : 1);
	}
	assert_int_equal(read(fd[0], want, sizeof(want)), sizeof(want));
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)close(fd[0]);
	(void)close(fd[1]);
	assert_ok(hf_module_start(test_cpu()));
	digest_all(got);
	assert_memory_equal(got, want, sizeof(want));
}

/* GB/s of libgcrypt; 0: it does not have the mode. */
static double peer_rate(int gcry, bool encrypt, const uint8_t *in, uint8_t *out, size_t len)
{
	uint8_t key[16] = { 1 };
	gcry_cipher_hd_t h;
	double rate = 0;

	if (gcry == 0)
		return 0;
	assert_int_equal(gcry_cipher_open(&h, GCRY_CIPHER_SM4, gcry, 0), 0);
	assert_int_equal(gcry_cipher_setkey(h, key, sizeof(key)), 0);
	assert_int_equal(gcry_cipher_setiv(h, key, sizeof(key)), 0);
	if (encrypt)
		TEST_RATE(rate, len, (void)gcry_cipher_encrypt(h, out, len, in, len));
	else
		TEST_RATE(rate, len, (void)gcry_cipher_decrypt(h, out, len, in, len));
	gcry_cipher_close(h);
	return rate;
}

static void speed(void **state)
{
	static const struct {
		const char *name;
		int gcry;
	} rows[HF_SM4_N_MODES] = {
		[HF_SM4_ECB] = { "ecb", GCRY_CIPHER_MODE_ECB },
		[HF_SM4_CBC] = { "cbc", GCRY_CIPHER_MODE_CBC },
		[HF_SM4_BC] = { "bc", 0 },
		[HF_SM4_OFBNLF] = { "ofbnlf", 0 },
		[HF_SM4_CFB] = { "cfb", GCRY_CIPHER_MODE_CFB },
		[HF_SM4_CFB8] = { "cfb8", GCRY_CIPHER_MODE_CFB8 },
		[HF_SM4_CFB1] = { "cfb1", 0 },
		[HF_SM4_OFB] = { "ofb", GCRY_CIPHER_MODE_OFB },
		[HF_SM4_CTR] = { "ctr", GCRY_CIPHER_MODE_CTR },
	};
	static uint8_t in[LONG];
	static uint8_t out[LONG];
	uint8_t key[32] = { 1 };
	struct hf_sm4_mac_key m;
	struct hf_hctr_key h;
	struct hf_sm4_key k;
	double rate;

	(void)state;
	hf_sm4_init(&k, key);
	for (int i = 0; i < HF_SM4_N_MODES; i++)
		for (unsigned how = HF_SM4_ENCRYPT; how <= HF_SM4_DECRYPT; how++) {
			size_t n = sizeof(out);
			size_t len = is_slow(i) ? SLOW_LONG : LONG;
			double peer = peer_rate(rows[i].gcry, how == HF_SM4_ENCRYPT, in, out, len);

			TEST_RATE(rate, len,
				assert_ok(hf_sm4_crypt(&k, (enum hf_sm4_mode)i, how, key, out, &n,
					(struct hf_bytes){ in, len })));
			printf("sm4-%-6s %s %5zu bytes: %6.3f GB/s", rows[i].name,
				how == HF_SM4_ENCRYPT ? "encrypt" : "decrypt", len, rate);
			if (peer > 0)
				printf(", libgcrypt %6.3f, ratio %.2f", peer, rate / peer);
			printf("\n");
		}
	assert_ok(hf_hctr_init(&h, key, key + 16));
	TEST_RATE(rate, LONG, assert_ok(hf_hctr_encrypt(&h, key, out, in, LONG)));
	printf("sm4-hctr   encrypt 16384 bytes: %6.3f GB/s\n", rate);
	assert_ok(hf_sm4_mac_key_init(&m, HF_SM4_CMAC, HF_SM4_PAD_OWN, key, 16));
	TEST_RATE(rate, LONG, assert_ok(hf_sm4_mac(&m, out, 16, (struct hf_bytes){ in, LONG })));
	printf("sm4-cmac           16384 bytes: %6.3f GB/s\n", rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kernels_give_what_the_reference_gives),
		cmocka_unit_test(speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
