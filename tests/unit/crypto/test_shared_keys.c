/* SPDX-License-Identifier: Apache-2.0 */
/* Key schedules are read-only after init: threads that share them all get the right results. */
#include "test.h"

#include <pthread.h>

#include "base/attr.h"
#include "crypto/hctr.h"
#include "crypto/module.h"
#include "crypto/sm4_mac.h"
#include "crypto/sm4_modes.h"

enum {
	N_THREADS = 4,
	ROUNDS = 3,
	LEN = 16 * 9, /* some modes encrypt a block for every bit */
};

/* What all threads share, and what each of them must find. */
struct shared {
	struct hf_sm4_key key;
	struct hf_hctr_key hctr;
	struct hf_sm4_mac_key mac;
	uint8_t text[LEN];
	uint8_t want[HF_SM4_N_MODES][LEN];
	uint8_t want_hctr[LEN];
	uint8_t want_mac[HF_SM4_MAC_LEN];
};

/* Everything once; true: as wanted, or now known if learn. */
static bool run_all(struct shared *s, bool learn)
{
	static const uint8_t iv[HF_SM4_BLOCK_LEN] = { 5 };
	uint8_t out[LEN];
	uint8_t tag[HF_SM4_MAC_LEN];
	bool same = true;

	for (int mode = 0; mode < HF_SM4_N_MODES; mode++) {
		size_t n = sizeof(out);

		if (hf_sm4_crypt(&s->key, (enum hf_sm4_mode)mode, HF_SM4_ENCRYPT, iv, out, &n,
			    (struct hf_bytes){ s->text, LEN }) != HF_OK)
			return false;
		if (learn)
			memcpy(s->want[mode], out, LEN);
		same &= memcmp(s->want[mode], out, LEN) == 0;
	}
	if (hf_hctr_encrypt(&s->hctr, iv, out, s->text, LEN) != HF_OK ||
		hf_sm4_mac(&s->mac, tag, sizeof(tag), (struct hf_bytes){ s->text, LEN }) != HF_OK)
		return false;
	if (learn) {
		memcpy(s->want_hctr, out, LEN);
		memcpy(s->want_mac, tag, sizeof(tag));
	}
	return same && memcmp(s->want_hctr, out, LEN) == 0 &&
	       memcmp(s->want_mac, tag, sizeof(tag)) == 0;
}

static void *thread(void *ctx)
{
	bool good = true;

	for (int i = 0; i < ROUNDS; i++)
		good &= run_all(ctx, false);
	return good ? ctx : NULL;
}

static void threads_share_key_schedules(void **state)
{
	static struct shared s;
	uint8_t key[HF_SM4_MAC_KEY_MAX] = { 1, 2, 3 };
	pthread_t id[N_THREADS];

	(void)state;
	assert_ok(hf_module_start(0));
	hf_sm4_init(&s.key, key);
	assert_ok(hf_hctr_init(&s.hctr, key, key + HF_SM4_KEY_LEN));
	assert_ok(hf_sm4_mac_key_init(&s.mac, HF_SM4_EMAC, HF_SM4_PAD_BIT, key, sizeof(key)));
	assert_true(run_all(&s, true));
	for (size_t i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, thread, &s), 0);
	for (size_t i = 0; i < N_THREADS; i++) {
		void *result = NULL;

		assert_int_equal(pthread_join(id[i], &result), 0);
		assert_non_null(result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_share_key_schedules),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
