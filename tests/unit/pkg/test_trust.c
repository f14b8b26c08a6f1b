/* SPDX-License-Identifier: Apache-2.0 */
/* The order of opening lets a right package through; each demand of a level refuses by its name. */
#include "world.h"

static void opens_what_is_right(void **state)
{
	struct world *w = world_new();
	struct hf_errinfo ei = { 0 };
	struct hf_trust_result r;

	(void)state;
	if (hf_trust_run(&r, &w->query, HF_TRUST_COMMITMENT, &test_mem, &ei) != HF_OK)
		fail_msg("%s", ei.text);
	assert_int_equal(r.failed, HF_TRUST_STEPS);
	assert_int_equal(r.manifest.release, 7);
	assert_int_equal(r.floor, 6);
	assert_int_equal(r.level, HF_L1);
	assert_memory_equal(r.keys.cek, w->cek, HF_CEK_LEN);
	assert_int_equal(w->n_persisted, 1);
	assert_true(w->persisted.channel_serial == 100 && w->persisted.root_version == 1);
	assert_true(w->persisted.time_s == NOW - 3600);
	assert_true(w->persisted.floor == 6); /* not raised before the release runs */
	hf_trust_clear(&r);
	world_free(w);
}

static void a_cache_needs_no_device_and_no_grant(void **state)
{
	struct world *w = world_new();
	struct hf_trust_result r;

	(void)state;
	w->query.device = NULL;
	w->query.grant = (struct hf_bytes){ 0 };
	assert_ok(hf_trust_run(&r, &w->query, HF_TRUST_RELEASE, &test_mem, NULL));
	hf_trust_clear(&r);
	assert_err(hf_trust_run(&r, &w->query, HF_TRUST_LEVEL, &test_mem, NULL), HF_ERR_ARG);
	world_free(w);
}

static void walks_roots_and_persists_before_the_manifest(void **state)
{
	struct world *w = world_new();
	struct hf_root next = w->root;
	struct hf_buf obj;
	struct hf_bytes roots[1];

	(void)state;
	hf_buf_init(&obj, &test_mem, 1 << 20);
	next.version = 2;
	next.roles[HF_ROOT_ROOT] = (struct hf_key_set){
		.keys = { w->keys[ROOT_A].pub, w->keys[HUB].pub }, .n = 2, .threshold = 2
	};
	world_issue_root(w, &obj, &next, (const enum who[]){ ROOT_A, ROOT_B, HUB }, 3);
	roots[0] = bytes_of(&obj);
	w->query.roots = roots;
	w->query.n_roots = 1;
	assert_ok(world_ask(w, NULL, NULL));
	assert_true(w->persisted.root_version == 2);
	/* A bad manifest does not undo what was learned before it. */
	w->n_persisted = 0;
	w->query.manifest.len--;
	assert_refused(w, HF_ERR_TRUNCATED, HF_TRUST_MANIFEST);
	assert_int_equal(w->n_persisted, 1);
	hf_buf_clear(&obj);
	world_free(w);
}

static hf_err persist_fails(void *ctx, const struct hf_trust_state *s, const struct hf_root *r)
{
	(void)ctx;
	(void)s;
	(void)r;
	return HF_ERR_FULL;
}

static void goes_no_further_when_nothing_can_be_kept(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->query.persist = persist_fails;
	assert_refused(w, HF_ERR_FULL, HF_TRUST_PERSIST);
	world_free(w);
}

static void time_never_goes_back(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->query.now_s = 0; /* a clock without battery */
	w->query.state.time_s = NOW;
	assert_ok(world_ask(w, NULL, NULL));
	w->query.state.time_s = NOW + 3 * DAY; /* later than the channel lives */
	assert_refused(w, HF_ERR_EXPIRED, HF_TRUST_FRESH);
	world_free(w);
}

/* All that L3 asks for. */
static void raise(struct world *w, enum hf_level level)
{
	w->manifest.level = level;
	w->entry.level = level;
	w->device.level = level;
	w->n_publishers = 2;
	w->query.is_time_signed = true;
	world_issue(w);
}

static void refused_by_row(struct world *w, const char *row)
{
	struct hf_errinfo ei = { 0 };
	char start[64];

	(void)snprintf(start, sizeof(start), "policy %s at", row);
	assert_err(world_ask(w, NULL, &ei), HF_ERR_DENIED);
	if (strncmp(ei.text, start, strlen(start)) != 0)
		fail_msg("%s: expected the row %s", ei.text, row);
}

static void each_row_of_the_level_refuses_by_its_name(void **state)
{
	struct world *w = world_new();

	(void)state;
	raise(w, HF_L3);
	assert_ok(world_ask(w, NULL, NULL));
	w->query.is_time_signed = false;
	refused_by_row(w, "time.signed-answer");
	w->query.is_time_signed = true;
	w->query.wants_disk = true;
	refused_by_row(w, "package.memory-only");
	w->query.wants_disk = false;
	w->query.is_grant_online = false;
	refused_by_row(w, "grant.travels");
	w->query.is_grant_online = true;
	w->device.hardware_class = 4;
	refused_by_row(w, "device.hardware-class");
	w->device.hardware_class = 3;
	w->n_publishers = 1;
	world_issue(w);
	refused_by_row(w, "package.signatures");
	w->n_publishers = 2;
	w->manifest.expires_s = w->manifest.created_s + 31 * DAY;
	world_issue(w);
	refused_by_row(w, "package.expiry");
	w->manifest.expires_s = w->manifest.created_s + 30 * DAY;
	w->channel.issued_s = NOW - DAY - 1;
	world_issue(w);
	refused_by_row(w, "package.freshness");
	w->channel.issued_s = NOW - 3600;
	w->grant.issued_s = NOW - DAY - 1;
	world_issue(w);
	refused_by_row(w, "grant.cache");
	w->grant.issued_s = NOW - 60;
	world_issue(w);
	assert_ok(world_ask(w, NULL, NULL));
	world_free(w);
}

static void l1_works_thirty_days_without_the_hub(void **state)
{
	struct world *w = world_new();

	(void)state;
	w->channel.issued_s = NOW - 30 * DAY;
	world_issue(w);
	assert_ok(world_ask(w, NULL, NULL));
	w->channel.issued_s = NOW - 30 * DAY - 1;
	world_issue(w);
	refused_by_row(w, "offline.life");
	world_free(w);
}

static void l3_packages_without_marks_are_refused(void **state)
{
	struct world *w = world_new();

	(void)state;
	raise(w, HF_L2); /* no marks at L2 */
	w->entry.level = HF_L3;
	w->device.level = HF_L3;
	world_issue_rest(w);
	refused_by_row(w, "package.marks");
	world_free(w);
}

static void a_device_below_the_level_is_refused(void **state)
{
	struct world *w = world_new();

	(void)state;
	raise(w, HF_L2);
	w->device.level = HF_L1;
	assert_refused(w, HF_ERR_DENIED, HF_TRUST_LEVEL);
	world_free(w);
}

static void hardware_and_dependencies_are_checked(void **state)
{
	struct world *w = world_new();
	struct hf_dependency dep = { .lineage = "base", .release = 3 };
	struct hf_buf hardware;
	struct hf_buf deps;

	(void)state;
	hf_buf_init(&hardware, &test_mem, 1024);
	hf_buf_init(&deps, &test_mem, 1024);
	assert_ok(hf_hardware_put(&hardware, "npu=x1"));
	assert_ok(hf_dependency_put(&deps, &dep));
	w->manifest.hardware = bytes_of(&hardware);
	w->manifest.dependencies = bytes_of(&deps);
	world_issue(w);
	assert_refused(w, HF_ERR_NOT_FOUND, HF_TRUST_LEVEL);
	w->query.have = &dep;
	w->query.n_have = 1;
	assert_ok(world_ask(w, NULL, NULL));
	dep.manifest[31] ^= 1;
	assert_refused(w, HF_ERR_NOT_FOUND, HF_TRUST_LEVEL);
	dep.manifest[31] ^= 1;
	w->device.n_hardware = 1;
	assert_refused(w, HF_ERR_DENIED, HF_TRUST_LEVEL);
	hf_buf_clear(&hardware);
	hf_buf_clear(&deps);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_what_is_right),
		cmocka_unit_test(a_cache_needs_no_device_and_no_grant),
		cmocka_unit_test(walks_roots_and_persists_before_the_manifest),
		cmocka_unit_test(goes_no_further_when_nothing_can_be_kept),
		cmocka_unit_test(time_never_goes_back),
		cmocka_unit_test(each_row_of_the_level_refuses_by_its_name),
		cmocka_unit_test(l1_works_thirty_days_without_the_hub),
		cmocka_unit_test(l3_packages_without_marks_are_refused),
		cmocka_unit_test(a_device_below_the_level_is_refused),
		cmocka_unit_test(hardware_and_dependencies_are_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
