/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "audit/head.h"
#include "crypto/module.h"

struct fixture {
	struct hf_sm2_key key;
	struct hf_rng rng;
	struct test_rng state;
	struct hf_local_key local;
	struct hf_signer signer;
	struct hf_audit_head head;
	uint8_t note[HF_AUDIT_HEAD_MAX];
	size_t len;
};

static void setup(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	f->rng = test_rng(&f->state, 7);
	assert_ok(hf_sm2_key_new(&f->key, &f->rng));
	f->local.key = &f->key;
	f->local.rng = &f->rng;
	f->signer = hf_signer_local(&f->local);
	strcpy(f->head.id, "edge-07");
	f->head.size = 918400;
	memset(f->head.root, 0xab, sizeof(f->head.root));
	assert_ok(hf_audit_head_emit(f->note, &f->len, &f->head, &f->signer));
}

static void reads_back_the_head_it_signed(void **state)
{
	struct fixture f;
	struct hf_audit_head got = { .size = 0 };

	(void)state;
	setup(&f);
	assert_ok(hf_audit_head_parse(&got, f.note, f.len, &f.key.pub));
	assert_string_equal(got.id, "edge-07");
	assert_int_equal(got.size, 918400);
	assert_memory_equal(got.root, f.head.root, sizeof(got.root));
	assert_memory_equal(f.note, "edge-07\n918400\nq6ur", 19);
}

static void refuses_every_altered_byte_and_every_truncation(void **state)
{
	struct fixture f;
	struct hf_audit_head got = { .size = 42 };

	(void)state;
	setup(&f);
	for (size_t i = 0; i < f.len; i++) {
		f.note[i] ^= 0x01;
		assert_int_not_equal(hf_audit_head_parse(&got, f.note, f.len, &f.key.pub), HF_OK);
		f.note[i] ^= 0x01;
		assert_int_not_equal(hf_audit_head_parse(&got, f.note, i, &f.key.pub), HF_OK);
	}
	assert_int_equal(got.size, 42);
}

static void refuses_the_key_of_another_node(void **state)
{
	struct fixture f;
	struct hf_sm2_key other;
	struct hf_audit_head got = { .size = 0 };

	(void)state;
	setup(&f);
	assert_ok(hf_sm2_key_new(&other, &f.rng));
	assert_err(hf_audit_head_parse(&got, f.note, f.len, &other.pub), HF_ERR_AUTH);
	hf_sm2_key_clear(&other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_back_the_head_it_signed),
		cmocka_unit_test(refuses_every_altered_byte_and_every_truncation),
		cmocka_unit_test(refuses_the_key_of_another_node),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
