/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer and the verifier of the audit log, and every attack of the ladder that a log with
 * signed heads must show: altered, removed, reordered, repeated, cut, rewritten.
 */
#include "test.h"

#include <stdio.h>

#include "audit/log.h"
#include "audit/verify.h"
#include "base/endian.h"
#include "crypto/module.h"

enum { BATCHES = 5 };

struct log_bytes {
	uint8_t *batch[BATCHES];
	size_t len[BATCHES];
	struct hf_audit_head head[BATCHES];
};

static const struct hf_audit_now noon = { 1763885702123456789u, 5000, 420 };

static void take_batch(struct log_bytes *out, unsigned i, struct hf_audit_log *l)
{
	const uint8_t *bytes = NULL;

	assert_ok(hf_audit_log_cut(l, &noon, 0, &bytes, &out->len[i]));
	out->batch[i] = malloc(out->len[i]);
	memcpy(out->batch[i], bytes, out->len[i]);
	out->head[i].size = l->next_seq;
	hf_merkle_root(&l->tree, out->head[i].root);
}

static void add(struct hf_audit_log *l, enum hf_audit_event event, const char *actor)
{
	struct hf_audit_event_in in = { .event = event, .actor = actor, .subject = "model:digits" };

	assert_ok(hf_audit_log_add(l, &noon, &in, NULL));
}

/* Five batches with two open events each, from a log called "edge-07". */
static void write_log(struct log_bytes *out, const char *id)
{
	struct hf_audit_log l = { 0 };
	char actor[32];

	assert_ok(hf_audit_log_init(&l, &test_mem, id, 1));
	for (unsigned i = 0; i < BATCHES; i++) {
		(void)snprintf(actor, sizeof(actor), "device:%u", i / 2);
		add(&l, HF_EV_MODEL_OPEN, actor);
		add(&l, HF_EV_MODEL_VERIFY, actor);
		take_batch(out, i, &l);
	}
	hf_audit_log_clear(&l);
}

static void free_log(struct log_bytes *b)
{
	for (unsigned i = 0; i < BATCHES; i++)
		free(b->batch[i]);
}

static hf_err count_visit(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	assert_non_null(actor);
	assert_string_equal(subject, "model:digits");
	assert_true(r->event == HF_EV_MODEL_OPEN || r->event == HF_EV_MODEL_VERIFY);
	++*(unsigned *)ctx;
	return HF_OK;
}

/* Verifies the batches named by order (-1 ends) against n_heads heads. */
static hf_err verify(const struct log_bytes *b, const int *order, const struct hf_audit_head *heads,
	size_t n_heads, unsigned *n_seen)
{
	struct hf_audit_verify v = { 0 };
	struct hf_errinfo ei = { 0 };
	hf_err e = HF_OK;

	assert_ok(hf_audit_verify_init(&v, &test_mem, "edge-07", heads, n_heads));
	hf_audit_verify_visit(&v, count_visit, n_seen);
	for (; *order >= 0 && e == HF_OK; order++)
		e = hf_audit_verify_batch(&v, b->batch[*order], b->len[*order], &ei);
	if (e == HF_OK)
		e = hf_audit_verify_done(&v, &ei);
	assert_int_equal(e, ei.code);
	hf_audit_verify_clear(&v);
	return e;
}

static const int in_order[] = { 0, 1, 2, 3, 4, -1 };

static void accepts_the_log_that_was_written(void **state)
{
	struct log_bytes b = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&b, "edge-07");
	assert_ok(verify(&b, in_order, b.head, BATCHES, &n));
	assert_int_equal(n, 2 * BATCHES);
	assert_ok(verify(&b, in_order, NULL, 0, &n));
	free_log(&b);
}

static void attack_altered_byte_anywhere_is_found(void **state)
{
	struct log_bytes b = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&b, "edge-07");
	for (unsigned i = 0; i < BATCHES; i++) {
		for (size_t at = 0; at < b.len[i]; at++) {
			b.batch[i][at] ^= 0x10;
			assert_err(verify(&b, in_order, b.head, BATCHES, &n), HF_ERR_AUTH);
			b.batch[i][at] ^= 0x10;
		}
	}
	free_log(&b);
}

static void attack_removed_repeated_or_reordered_batch_is_found(void **state)
{
	static const int bad[][7] = {
		{ 1, 2, 3, 4, -1 },
		{ 0, 1, 3, 4, -1 },
		{ 0, 1, 2, 4, 3, -1 },
		{ 0, 0, 1, 2, 3, 4, -1 },
		{ 0, 2, 1, 3, 4, -1 },
		{ 0, 1, 2, 3, 3, -1 },
	};
	struct log_bytes b = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&b, "edge-07");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_err(verify(&b, bad[i], b.head, BATCHES, &n), HF_ERR_AUTH);
	free_log(&b);
}

static void attack_tail_cut_before_the_last_head_is_found(void **state)
{
	struct log_bytes b = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&b, "edge-07");
	for (int keep = 0; keep < BATCHES; keep++) {
		int order[BATCHES + 1];

		for (int i = 0; i < keep; i++)
			order[i] = i;
		order[keep] = -1;
		assert_err(verify(&b, order, b.head, BATCHES, &n), HF_ERR_AUTH);
	}
	free_log(&b);
}

/* Someone with the program but not the head's key writes the whole log again without one record. */
static void attack_rewritten_log_does_not_meet_the_signed_head(void **state)
{
	struct log_bytes good = { 0 };
	struct log_bytes forged = { 0 };
	struct hf_audit_log l = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&good, "edge-07");
	assert_ok(hf_audit_log_init(&l, &test_mem, "edge-07", 1));
	for (unsigned i = 0; i < BATCHES; i++) {
		add(&l, HF_EV_MODEL_OPEN, "device:0");
		add(&l, HF_EV_MODEL_VERIFY, "device:0");
		take_batch(&forged, i, &l);
	}
	hf_audit_log_clear(&l);
	assert_ok(verify(&forged, in_order, NULL, 0, &n));
	assert_err(verify(&forged, in_order, good.head, BATCHES, &n), HF_ERR_AUTH);
	assert_err(verify(&forged, in_order, &good.head[4], 1, &n), HF_ERR_AUTH);
	free_log(&good);
	free_log(&forged);
}

static void attack_log_of_another_node_is_refused(void **state)
{
	struct log_bytes b = { 0 };
	unsigned n = 0;

	(void)state;
	write_log(&b, "edge-08");
	assert_err(verify(&b, in_order, NULL, 0, &n), HF_ERR_AUTH);
	free_log(&b);
}

static void a_failed_verification_stays_failed(void **state)
{
	struct log_bytes b = { 0 };
	struct hf_audit_verify v = { 0 };

	(void)state;
	write_log(&b, "edge-07");
	assert_ok(hf_audit_verify_init(&v, &test_mem, "edge-07", NULL, 0));
	assert_err(hf_audit_verify_batch(&v, b.batch[1], b.len[1], NULL), HF_ERR_AUTH);
	assert_err(hf_audit_verify_batch(&v, b.batch[0], b.len[0], NULL), HF_ERR_AUTH);
	assert_err(hf_audit_verify_done(&v, NULL), HF_ERR_AUTH);
	hf_audit_verify_clear(&v);
	free_log(&b);
}

static void a_log_goes_on_after_a_restart(void **state)
{
	struct log_bytes b = { 0 };
	struct hf_audit_verify v = { 0 };
	struct hf_audit_log l = { 0 };
	const uint8_t *bytes = NULL;
	size_t len = 0;

	(void)state;
	write_log(&b, "edge-07");
	assert_ok(hf_audit_verify_init(&v, &test_mem, "edge-07", b.head, BATCHES));
	for (unsigned i = 0; i < BATCHES; i++)
		assert_ok(hf_audit_verify_batch(&v, b.batch[i], b.len[i], NULL));
	assert_ok(hf_audit_log_init(&l, &test_mem, "edge-07", 2));
	hf_audit_log_resume(&l, &v.tree, v.prev, v.last_hlc);
	add(&l, HF_EV_AUDIT_OPEN, "hub:1");
	assert_ok(hf_audit_log_cut(&l, &noon, HF_BATCH_RECOVERED, &bytes, &len));
	assert_ok(hf_audit_verify_batch(&v, bytes, len, NULL));
	assert_ok(hf_audit_verify_done(&v, NULL));
	assert_int_equal(v.tree.size, l.next_seq);
	hf_audit_log_clear(&l);
	hf_audit_verify_clear(&v);
	free_log(&b);
}

static void class_s_is_due_at_once_and_class_a_soon(void **state)
{
	struct hf_audit_log l = { 0 };

	(void)state;
	assert_ok(hf_audit_log_init(&l, &test_mem, "x", 1));
	assert_true(hf_audit_log_deadline(&l) == UINT64_MAX);
	add(&l, HF_EV_MODEL_OPEN, NULL);
	assert_true(hf_audit_log_deadline(&l) == noon.boot_ns + 20000000u);
	add(&l, HF_EV_KEY_GENERATE, NULL);
	assert_true(hf_audit_log_deadline(&l) == 0);
	hf_audit_log_clear(&l);
}

static void a_full_batch_says_so_and_more_names_than_fit_start_over(void **state)
{
	struct hf_audit_log l = { 0 };
	struct hf_audit_verify v = { 0 };
	struct hf_audit_event_in in = { .event = HF_EV_MODEL_OPEN, .subject = "s" };
	const uint8_t *bytes = NULL;
	size_t len = 0;
	hf_err e = HF_OK;
	char actor[32];

	(void)state;
	in.actor = actor;
	assert_ok(hf_audit_log_init(&l, &test_mem, "edge-07", 1));
	for (unsigned i = 0; e == HF_OK && i < 100000; i++) {
		(void)snprintf(actor, sizeof(actor), "device:%u", i);
		e = hf_audit_log_add(&l, &noon, &in, NULL);
	}
	assert_err(e, HF_ERR_LIMIT);
	assert_ok(hf_audit_log_cut(&l, &noon, 0, &bytes, &len));
	assert_ok(hf_audit_verify_init(&v, &test_mem, "edge-07", NULL, 0));
	assert_ok(hf_audit_verify_batch(&v, bytes, len, NULL));
	hf_audit_verify_clear(&v);
	hf_audit_log_clear(&l);
}

static void refuses_names_and_attributes_that_are_too_long(void **state)
{
	struct hf_audit_log l = { 0 };
	char name[HF_AUDIT_NAME_MAX + 1];
	struct hf_audit_event_in in = { .event = HF_EV_MODEL_OPEN, .actor = name };
	const uint8_t *bytes = NULL;
	size_t len = 0;

	(void)state;
	memset(name, 'n', sizeof(name));
	name[HF_AUDIT_NAME_MAX] = 0;
	assert_ok(hf_audit_log_init(&l, &test_mem, "edge-07", 1));
	assert_err(hf_audit_log_add(&l, &noon, &in, NULL), HF_ERR_LIMIT);
	in.actor = NULL;
	in.attrs = (const uint8_t *)name;
	in.attrs_len = HF_RECORD_MAX;
	assert_err(hf_audit_log_add(&l, &noon, &in, NULL), HF_ERR_LIMIT);
	in.event = (enum hf_audit_event)0x7777;
	assert_err(hf_audit_log_add(&l, &noon, &in, NULL), HF_ERR_ARG);
	assert_err(hf_audit_log_cut(&l, &noon, 0, &bytes, &len), HF_ERR_STATE);
	assert_err(hf_audit_log_init(&l, &test_mem, name, 1), HF_ERR_LIMIT);
	hf_audit_log_clear(&l);
}

static void survives_each_failed_allocation(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 12; n++) {
		struct hf_audit_log l = { 0 };
		struct hf_audit_event_in in = { .event = HF_EV_MODEL_OPEN, .actor = "a" };
		const uint8_t *bytes = NULL;
		size_t len = 0;
		hf_err e;

		test_mem_fail_at(n);
		e = hf_audit_log_init(&l, &test_mem, "edge-07", 1);
		if (e == HF_OK)
			e = hf_audit_log_add(&l, &noon, &in, NULL);
		if (e == HF_OK)
			e = hf_audit_log_cut(&l, &noon, 0, &bytes, &len);
		test_mem_fail_at(0);
		assert_true(e == HF_OK || e == HF_ERR_NO_MEMORY);
		hf_audit_log_clear(&l);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(accepts_the_log_that_was_written),
		cmocka_unit_test(attack_altered_byte_anywhere_is_found),
		cmocka_unit_test(attack_removed_repeated_or_reordered_batch_is_found),
		cmocka_unit_test(attack_tail_cut_before_the_last_head_is_found),
		cmocka_unit_test(attack_rewritten_log_does_not_meet_the_signed_head),
		cmocka_unit_test(attack_log_of_another_node_is_refused),
		cmocka_unit_test(a_failed_verification_stays_failed),
		cmocka_unit_test(a_log_goes_on_after_a_restart),
		cmocka_unit_test(class_s_is_due_at_once_and_class_a_soon),
		cmocka_unit_test(a_full_batch_says_so_and_more_names_than_fit_start_over),
		cmocka_unit_test(refuses_names_and_attributes_that_are_too_long),
		cmocka_unit_test(survives_each_failed_allocation),
	};

	if (hf_module_start(0) != HF_OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
