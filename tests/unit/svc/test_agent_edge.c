/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An edge between a hub and devices: what one of them wants is brought once, and given on while it
 * comes; what the channel does not name is not brought at all.
 */
#include "agent_world.h"

static struct actor edge;
static struct actor dev;
static struct actor dev2;
static struct goods *one;
static struct goods *two;
static struct goods *other;

static uint64_t pack_len(const struct goods *g)
{
	return g->packs[0].bytes.len;
}

static int make(void **state)
{
	(void)state;
	hub_open();
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 1, .seed = 1 });
	two = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 2, .seed = 2 });
	other = goods_sealed(&(struct sealing){ .lineage = "other", .release = 1, .seed = 3 });
	hub_publish(one);
	hub_publish(other);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	goods_free(one);
	goods_free(two);
	goods_free(other);
	hub_close();
	return 0;
}

/* Nodes that enrol: the edge at the hub, the device through the edge. */
static void begin(struct actor *a, const char *id, enum hf_role role, const char *follow)
{
	struct joining j;

	memset(a, 0, sizeof(*a));
	joining_init(&j);
	node_init(&a->n, id, id, role);
	assert_ok(node_start(&a->n));
	make_token(&j, id, hf_role_name(role), DAY);
	memcpy(a->token, j.token, sizeof(a->token));
	joining_clear(&j);
	actor_init(a, id, role, follow);
}

static void begin_edge(const char *id, const char *follow)
{
	begin(&edge, id, HF_ROLE_EDGE, follow);
	actor_source(&edge, &hub_s, NULL, 0, true);
	actor_start(&edge);
	run_ms(1000);
	assert_true(agent_stats(&edge).is_member);
}

static void begin_device(struct actor *a, const char *id)
{
	begin(a, id, HF_ROLE_DEVICE, "digits");
	actor_source(a, &edge.s, NULL, 0, true);
	actor_start(a);
}

static void end(struct actor *a)
{
	actor_stop(a);
	node_stop(&a->n);
	assert_ok(hf_dir_delete_all(world_env.mem, a->n.dir, NULL));
}

static void devices_behind_an_edge_cost_the_hub_one_transfer(void **state)
{
	uint64_t before = stats_of(&hub_s).bytes_out;
	uint64_t after;

	(void)state;
	begin_edge("edge-1", NULL);
	begin_device(&dev, "dev-1");
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_int_equal(dev.n_joined, 1);
	assert_true(is_whole(&dev, one));
	run_ms(1000);
	assert_true(is_whole(&edge, one));
	assert_true(is_at(&edge, "digits", 1));
	after = stats_of(&hub_s).bytes_out;
	assert_in_range(after - before, pack_len(one), pack_len(one) + 64 * 1024);
	assert_int_equal(agent_stats(&edge).bytes_twice, 0);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 0);
	/* The second one is served from the cache. */
	begin_device(&dev2, "dev-2");
	assert_true(run_until(&dev2, "digits", 1, 10 * MINUTE));
	assert_int_equal(stats_of(&hub_s).bytes_out, after);
	assert_true(stats_of(&edge.s).n_hits > 0);
	assert_true(actor_count(&edge, HF_EV_MODEL_FETCH).n >= 1);
	assert_int_equal(actor_count(&edge, HF_EV_MODEL_ACTIVATE).n, 0);
	end(&dev2);
	end(&dev);
	end(&edge);
}

static void a_device_gets_chunks_while_the_edge_is_still_fetching(void **state)
{
	struct hf_agent_lineage at_edge;
	struct hf_agent_lineage at_dev;
	unsigned n_seen = 0;

	(void)state;
	begin_edge("edge-2", NULL);
	edge.rate = 100 * 1000;
	begin_device(&dev, "dev-1");
	for (unsigned i = 0; i < 2000 && !is_at(&dev, "digits", 1); i++) {
		run_ms(STEP_MS);
		at_edge = lineage_of(&edge, "digits");
		at_dev = lineage_of(&dev, "digits");
		if (at_edge.step == HF_AGENT_FETCHING && at_dev.progress.n_done > 0)
			n_seen++;
		if (at_edge.step == HF_AGENT_FETCHING && at_dev.step == HF_AGENT_FETCHING)
			assert_true(at_dev.progress.bytes_done <= at_edge.progress.bytes_done);
	}
	assert_true(is_at(&dev, "digits", 1));
	assert_true(n_seen > 50);
	assert_true(stats_of(&edge.s).n_misses > 0);
	assert_int_equal(agent_stats(&edge).bytes_fetched, pack_len(one));
	end(&dev);
	end(&edge);
}

static void an_edge_that_is_restarted_goes_on_for_its_devices(void **state)
{
	uint64_t before = stats_of(&hub_s).bytes_out;

	(void)state;
	begin_edge("edge-3", NULL);
	edge.rate = 100 * 1000;
	begin_device(&dev, "dev-1");
	run_ms(4000);
	assert_true(lineage_of(&dev, "digits").progress.n_done > 0);
	assert_false(is_whole(&edge, one));
	actor_restart(&edge);
	run_ms(2000); /* it goes on by itself, although nobody follows here */
	assert_int_equal(lineage_of(&edge, "digits").step, HF_AGENT_FETCHING);
	line_up(&dev, 0);
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_true(is_whole(&edge, one));
	/* Twice came what was on its way: four chunks at most, and what half a second brings. */
	assert_true(stats_of(&hub_s).bytes_out - before < pack_len(one) + 8 * 65 * 1024 + 50000);
	end(&dev);
	end(&edge);
}

static void an_edge_follows_by_itself_what_it_is_told_to(void **state)
{
	uint64_t before;

	(void)state;
	begin_edge("edge-4", "digits");
	assert_true(run_until(&edge, "digits", 1, 10 * MINUTE));
	assert_true(is_whole(&edge, one));
	assert_false(is_stored(&edge.s, HF_OBJECT_MANIFEST, other->name));
	before = stats_of(&hub_s).bytes_out;
	edge.is_cut[0] = true; /* grants need the hub, objects do not */
	begin_device(&dev, "dev-1");
	run_ms(MINUTE);
	assert_false(agent_stats(&dev).is_member);
	edge.is_cut[0] = false;
	line_down(&edge, 0);
	line_up(&edge, 0);
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_int_equal(stats_of(&hub_s).bytes_out, before);
	end(&dev);
	end(&edge);
}

static void a_device_falls_back_to_the_hub_when_its_edge_dies(void **state)
{
	(void)state;
	begin_edge("edge-5", NULL);
	edge.rate = 100 * 1000;
	begin(&dev, "dev-1", HF_ROLE_DEVICE, "digits");
	actor_source(&dev, &edge.s, NULL, 0, true);
	actor_source(&dev, &hub_s, NULL, 10, true);
	actor_start(&dev);
	run_ms(2500);
	assert_true(lineage_of(&dev, "digits").progress.n_done > 0);
	assert_false(is_at(&dev, "digits", 1));
	assert_true(line_of(&dev, 0)->bytes > 64 * 1024);
	end(&edge);
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_true(actor_count(&dev, HF_EV_SOURCE_FAILED).n > 0);
	run_ms(1000);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 0);
	end(&dev);
}

static void what_the_channel_does_not_name_is_not_brought(void **state)
{
	struct hf_upstream up;
	struct hf_wanted w = { .kind = HF_OBJECT_MANIFEST };
	uint64_t len = 0;
	uint8_t byte;

	(void)state;
	begin_edge("edge-6", NULL);
	up = hf_agent_upstream(edge.agent);
	memcpy(w.name, two->name, sizeof(w.name)); /* not published yet */
	run_ms(2000);
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN); /* the channel is looked at first */
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN);
	all_settle();
	assert_err(up.want(up.ctx, &w), HF_ERR_NOT_FOUND);
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN); /* just looked: not again at once */
	all_settle();
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN);
	run_ms(1000);
	assert_err(up.want(up.ctx, &w), HF_ERR_NOT_FOUND);
	w.kind = HF_OBJECT_PACK;
	memcpy(w.name, one->packs[0].name, sizeof(w.name));
	assert_err(up.want(up.ctx, &w), HF_ERR_NOT_FOUND); /* nobody asked for its manifest */
	assert_err(up.pack_len(up.ctx, w.name, &len), HF_ERR_NOT_FOUND);
	w.len = 1;
	assert_err(up.read(up.ctx, &w, &byte), HF_ERR_AGAIN);
	w.kind = HF_OBJECT_DEPOSIT;
	assert_err(up.want(up.ctx, &w), HF_ERR_NOT_FOUND);
	w.kind = HF_OBJECT_ROOT;
	assert_err(up.want(up.ctx, &w), HF_ERR_NOT_FOUND);
	hf_object_name(w.name, edge.s.node.party.root_object.p, edge.s.node.party.root_object.len);
	assert_ok(up.want(up.ctx, &w));
	assert_ok(up.want(up.ctx, &w));
	assert_true(is_stored(&edge.s, HF_OBJECT_ROOT, w.name));
	/* Published meanwhile: the look that the want causes finds it. */
	hub_publish(two);
	run_ms(2000);
	w.kind = HF_OBJECT_MANIFEST;
	memcpy(w.name, two->name, sizeof(w.name));
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN);
	all_settle();
	assert_err(up.want(up.ctx, &w), HF_ERR_AGAIN);
	all_settle();
	assert_ok(up.want(up.ctx, &w));
	assert_true(run_until(&edge, "digits", 2, MINUTE));
	/* Without any source there is no way. */
	line_down(&edge, 0);
	memcpy(w.name, other->name, sizeof(w.name));
	assert_err(up.want(up.ctx, &w), HF_ERR_NET);
	assert_null(up.session(up.ctx));
	w.name[0] ^= 1;
	assert_err(up.want(up.ctx, &w), HF_ERR_NET);
	end(&edge);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_behind_an_edge_cost_the_hub_one_transfer),
		cmocka_unit_test(a_device_gets_chunks_while_the_edge_is_still_fetching),
		cmocka_unit_test(an_edge_that_is_restarted_goes_on_for_its_devices),
		cmocka_unit_test(an_edge_follows_by_itself_what_it_is_told_to),
		cmocka_unit_test(a_device_falls_back_to_the_hub_when_its_edge_dies),
		cmocka_unit_test(what_the_channel_does_not_name_is_not_brought),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
