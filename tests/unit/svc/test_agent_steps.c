/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a lineage as they are drawn in svc/agent.h, retries, and kills at every step. */
#include "agent_world.h"

#include <sys/wait.h>

#include "crash.h"

static struct goods *one;
static struct fake *fake; /* shared with children */
static struct actor dev;

static int make(void **state)
{
	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 1, .seed = 1 });
	fake = test_shared(sizeof(*fake));
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	goods_free(one);
	world_delete();
	return 0;
}

/* Everything that may happen, and nothing else does. */
static void the_states_are_those_of_the_contract(void **state)
{
	static const char *const names[] = { "idle", "manifest", "grant", "fetching", "activating",
		"active" };
	/* step, event, next: rows that are not here are refused. */
	static const char *const device =
		"idle NEW manifest;idle SAME active;idle NONE idle;"
		"manifest NEW manifest;manifest SAME active;manifest NONE idle;"
		"manifest DONE grant;manifest FAILED manifest;"
		"grant NEW manifest;grant SAME active;grant NONE idle;"
		"grant DONE fetching;grant FAILED grant;"
		"fetching NEW manifest;fetching SAME active;fetching NONE idle;"
		"fetching DONE activating;fetching FAILED fetching;"
		"activating NEW manifest;activating SAME active;activating NONE idle;"
		"activating DONE active;activating FAILED grant;"
		"active NEW manifest;active SAME active;active NONE active;";
	static const char *const edge =
		"idle NEW manifest;idle SAME active;idle NONE idle;"
		"manifest NEW manifest;manifest SAME active;manifest NONE idle;"
		"manifest DONE fetching;manifest FAILED manifest;"
		"fetching NEW manifest;fetching SAME active;fetching NONE idle;"
		"fetching DONE active;fetching FAILED fetching;"
		"active NEW manifest;active SAME active;active NONE active;";
	static const char *const events[] = { "NEW", "SAME", "NONE", "DONE", "FAILED" };

	(void)state;
	for (unsigned role = 0; role < 2; role++) {
		char all[2048] = "";

		for (unsigned s = 0; s <= HF_AGENT_ACTIVE; s++) {
			for (unsigned e = 0; e < EV_COUNT; e++) {
				int next = hf_agent_step_next(
					role == 1, (enum hf_agent_step)s, (enum agent_event)e);
				size_t at = strlen(all);

				if (next >= 0)
					(void)snprintf(all + at, sizeof(all) - at, "%s %s %s;",
						names[s], events[e], names[next]);
			}
		}
		assert_string_equal(all, role == 1 ? edge : device);
	}
}

/* A member that follows "digits", its node closed. */
static void join(const char *id)
{
	struct hf_channel_release entry = { .release = 1, .level = HF_L1 };
	struct hf_buf cert = buf_new();
	struct hf_buf list = buf_new();

	memset(&dev, 0, sizeof(dev));
	world_join(&dev.n, id, HF_ROLE_DEVICE, &cert);
	node_stop(&dev.n);
	fake_init(fake, one);
	(void)snprintf(entry.lineage, sizeof(entry.lineage), "digits");
	memcpy(entry.manifest, one->name, HF_SM3_LEN);
	assert_ok(hf_channel_release_put(&list, &entry));
	assert_ok(hf_key_make_channel(
		client(&hub), bytes_of(&list), 1, 30 * DAY, &fake->channel, fresh()));
	assert_ok(hf_key_make_grant(client(&hub), bytes_of(&one->statement),
		bytes_of(&one->deposit), bytes_of(&cert), 30 * DAY, &fake->grant, fresh()));
	hf_buf_clear(&list);
	hf_buf_clear(&cert);
}

static void leave(void)
{
	node_stop(&dev.n);
	fake_clear(fake);
	assert_ok(hf_dir_delete_all(world_env.mem, dev.n.dir, NULL));
}

/* Opens the node and begins; false: it cannot. */
static bool begin(const char *id)
{
	if (node_start(&dev.n) != HF_OK)
		return false;
	actor_init(&dev, id, HF_ROLE_DEVICE, "digits");
	actor_source(&dev, NULL, fake, 0, true);
	actor_start(&dev);
	return true;
}

/* Time until the channel is asked for once more. */
static uint64_t ms_to_next_look(void)
{
	uint64_t from = wire_now_ms;
	unsigned asked = fake->n_channels;

	while (fake->n_channels == asked) {
		step();
		all_settle();
	}
	return wire_now_ms - from;
}

static void retries_double_to_five_minutes_and_a_success_forgets_them(void **state)
{
	uint64_t gap = 0;

	(void)state;
	join("dev-r");
	fake->channel_says = HF_ERR_INTERNAL;
	assert_true(begin("dev-r"));
	all_settle();
	for (unsigned n = 1; n < 14; n++) {
		uint64_t full = UINT64_C(1000) << (n - 1);

		assert_int_equal(fake->n_channels, n);
		gap = ms_to_next_look();
		if (full > 5 * MINUTE)
			full = 5 * MINUTE;
		assert_in_range(gap, full / 2, full + STEP_MS);
	}
	assert_true(gap > 2 * MINUTE);
	fake->channel_says = HF_OK;
	assert_true(run_until(&dev, "digits", 1, 6 * MINUTE));
	fake->channel_says = HF_ERR_INTERNAL;
	(void)ms_to_next_look();
	assert_in_range(ms_to_next_look(), 500, 1000 + STEP_MS); /* quick again */
	actor_stop(&dev);
	leave();
}

static void a_new_link_ends_the_wait_after_failures(void **state)
{
	unsigned n;

	(void)state;
	join("dev-l");
	fake->channel_says = HF_ERR_INTERNAL;
	assert_true(begin("dev-l"));
	run_ms(4 * MINUTE);
	n = fake->n_channels;
	fake->channel_says = HF_OK;
	run_ms(1000); /* it waits for minutes by now */
	assert_int_equal(fake->n_channels, n);
	lines_down(&dev);
	lines_up(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	assert_ok(agent_stats(&dev).err);
	actor_stop(&dev);
	leave();
}

static void a_pull_does_not_wait_for_the_next_look(void **state)
{
	unsigned n;

	(void)state;
	join("dev-p");
	fake->channel_says = HF_ERR_NOT_FOUND; /* nothing was released yet */
	assert_true(begin("dev-p"));
	run_ms(10 * 1000);
	n = fake->n_channels;
	assert_int_equal(n, 1);
	assert_ok(agent_stats(&dev).err);
	assert_int_equal(lineage_of(&dev, "digits").step, HF_AGENT_IDLE);
	fake->channel_says = HF_OK;
	assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
	assert_true(run_until(&dev, "digits", 1, STEP_MS));
	actor_stop(&dev);
	leave();
}

static void too_many_lineages_are_refused(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };
	char name[16];

	(void)state;
	join("dev-m");
	assert_true(begin("dev-m"));
	for (unsigned i = 1; i < HF_AGENT_LINEAGES_MAX; i++) {
		(void)snprintf(name, sizeof(name), "model-%u", i);
		assert_ok(hf_agent_pull(dev.agent, name, wire_now_ms, NULL));
	}
	assert_err(hf_agent_pull(dev.agent, "one-more", wire_now_ms, &ei), HF_ERR_LIMIT);
	assert_non_null(strstr(ei.text, "one-more"));
	assert_ok(hf_agent_pull(dev.agent, "model-7", wire_now_ms, NULL)); /* is there */
	assert_true(run_until(&dev, "digits", 1, 1000));
	actor_stop(&dev);
	leave();
}

static void every_allocation_may_fail(void **state)
{
	struct hf_agent *agent = NULL;
	unsigned n = 1;

	(void)state;
	join("dev-a");
	assert_ok(node_start(&dev.n));
	actor_init(&dev, "dev-a", HF_ROLE_DEVICE, "digits");
	actor_source(&dev, NULL, fake, 0, true);
	world_env.mem = &test_mem;
	for (;; n++) {
		hf_err e;

		test_mem_fail_at(n);
		e = hf_agent_new(&agent, &dev.config, wire_now_ms, NULL);
		test_mem_fail_at(0);
		if (e == HF_OK)
			break;
		assert_int_equal(e, HF_ERR_NO_MEMORY);
		assert_null(agent);
	}
	assert_true(n > 2);
	hf_agent_free(agent);
	hf_agent_free(NULL);
	world_env.mem = dev.n.c.mem;
	hf_node_close(&dev.s.node);
	leave();
}

/* The kept channel is no longer good at the start: what is half here is not thrown away. */
static void a_release_that_is_half_here_survives_a_stale_channel(void **state)
{
	char part[2 * HF_SM3_LEN + 64];
	char id[2 * HF_SM3_LEN + 1];

	(void)state;
	join("dev-h");
	assert_true(begin("dev-h"));
	dev.rate = 100 * 1000;
	run_ms(4000);
	hf_hex_emit(id, one->packs[0].name, HF_SM3_LEN);
	(void)snprintf(part, sizeof(part), "objects/part/pack-%s", id);
	assert_int_equal(access(test_path(dev.n.dir, part), F_OK), 0);
	fake->channel_says = HF_ERR_INTERNAL;
	world_now += 31 * DAY;
	actor_restart(&dev);
	run_ms(10 * MINUTE);
	assert_int_equal(agent_stats(&dev).channel_serial, 0);
	assert_int_equal(access(test_path(dev.n.dir, part), F_OK), 0);
	assert_true(hf_agent_deadline(dev.agent) > wire_now_ms); /* and it does not spin */
	world_now -= 31 * DAY;
	fake->channel_says = HF_OK;
	dev.rate = 0;
	assert_true(run_until(&dev, "digits", 1, 6 * MINUTE));
	assert_true(agent_stats(&dev).bytes_fetched < one->packs[0].bytes.len * 3 / 4);
	actor_stop(&dev);
	leave();
}

/* A child's whole life: from a member that has nothing to a release that runs. */
static int pulls_once(void *ctx)
{
	(void)ctx;
	if (!begin("dev-k"))
		return 1;
	if (!run_until(&dev, "digits", 1, 20 * MINUTE))
		return 2;
	run_ms(10 * MINUTE);
	if (agent_stats(&dev).n_receipts_waiting != 0)
		return 3;
	actor_stop(&dev);
	node_stop(&dev.n);
	return 0;
}

static void a_kill_at_any_step_loses_no_receipt_and_no_release(void **state)
{
	unsigned n_runs = 0;
	int made = 0;

	(void)state;
	for (unsigned n = 1; made != TEST_CRASH_DONE; n += 11) {
		enum test_crash_how how = n % 2 == 0 ? TEST_KILL : TEST_POWER_CUT;

		join("dev-k");
		made = test_crash_at(n, how, dev.n.dir, pulls_once, NULL);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_int_equal(test_child(pulls_once, NULL), 0);
		/* At least one receipt came; the log is whole, and says that it was activated. */
		assert_true(fake->n_receipts > 0);
		assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/receipts")), 0);
		assert_int_equal(test_dir_count(test_path(dev.n.dir, "objects/part")), 0);
		assert_true(log_count(&dev.n, HF_EV_MODEL_ACTIVATE).n > 0);
		assert_true(log_count(&dev.n, HF_EV_MODEL_FETCH).n > 0);
		leave();
		n_runs++;
	}
	assert_true(n_runs > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_states_are_those_of_the_contract),
		cmocka_unit_test(retries_double_to_five_minutes_and_a_success_forgets_them),
		cmocka_unit_test(a_new_link_ends_the_wait_after_failures),
		cmocka_unit_test(a_pull_does_not_wait_for_the_next_look),
		cmocka_unit_test(too_many_lineages_are_refused),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(a_release_that_is_half_here_survives_a_stale_channel),
		cmocka_unit_test(a_kill_at_any_step_loses_no_receipt_and_no_release),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
