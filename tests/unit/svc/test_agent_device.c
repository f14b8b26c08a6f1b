/* SPDX-License-Identifier: Apache-2.0 */
/* A device and a real hub: from a token to a release that runs, and on from release to release. */
#include "agent_world.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keyd_server.h"
#include "svc/push_seal.h"

static struct actor dev;
static struct goods *releases[4]; /* 1 .. 4 of "digits" */
static struct goods *other;

static int make(void **state)
{
	(void)state;
	hub_open();
	for (uint8_t i = 0; i < 4; i++)
		releases[i] = goods_sealed(&(struct sealing){
			.lineage = "digits", .release = i + 1u, .seed = i + 1u });
	other = goods_sealed(&(struct sealing){ .lineage = "other", .release = 1, .seed = 9 });
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4; i++)
		goods_free(releases[i]);
	goods_free(other);
	hub_close();
	return 0;
}

/* A newcomer with a token. */
static void newcomer_init(struct actor *a, const char *id, enum hf_role role, const char *follow)
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
	actor_source(a, &hub_s, NULL, 0, true);
}

static void end(struct actor *a)
{
	actor_stop(a);
	node_stop(&a->n);
}

static hf_err take_row(void *ctx, const struct hf_meta_signed *row)
{
	unsigned *n = ctx;

	assert_true(row->der.len > 0);
	*n += 1;
	return HF_OK;
}

static hf_err take_inventory(void *ctx, const struct hf_meta_serial *row)
{
	uint64_t *serial = ctx;

	*serial = row->serial;
	return HF_OK;
}

static void a_newcomer_enrols_pulls_and_activates(void **state)
{
	uint8_t cek[HF_CEK_LEN];
	struct hf_buf manifest = buf_new();
	struct hf_agent_stats stats;
	uint64_t serial = 0;
	unsigned n = 0;

	(void)state;
	hub_publish(releases[0]);
	newcomer_init(&dev, "dev-1", HF_ROLE_DEVICE, "digits");
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_int_equal(dev.n_joined, 1);
	assert_true(is_whole(&dev, releases[0]));
	assert_ok(open_as(&dev.n, hf_process_uid(), "digits", &manifest, cek));
	run_ms(1000);
	stats = agent_stats(&dev);
	assert_true(stats.is_member);
	assert_int_equal(stats.n_receipts_waiting, 0);
	assert_int_equal(stats.bytes_twice, 0);
	assert_int_equal(stats.bytes_fetched, releases[0]->packs[0].bytes.len);
	assert_ok(stats.err);
	/* The hub has the receipt and the inventory. */
	assert_ok(hf_meta_receipt_list(hub_s.node.meta, "dev-1", 10, take_row, &n, NULL));
	assert_int_equal(n, 1);
	assert_ok(hf_meta_inventory_get(hub_s.node.meta, "dev-1", take_inventory, &serial, NULL));
	assert_true(serial > 0);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_FETCH).n, 1);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_ACTIVATE).n, 1);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_REFUSED).n, 0);
	hf_buf_clear(&manifest);
}

static void the_next_release_is_followed_and_the_last_but_one_goes(void **state)
{
	(void)state;
	hub_publish(releases[1]);
	assert_true(run_until(&dev, "digits", 2, 10 * MINUTE));
	run_ms(1000);
	assert_true(is_whole(&dev, releases[0])); /* the one before stays */
	hub_publish(releases[2]);
	assert_true(run_until(&dev, "digits", 3, 10 * MINUTE));
	run_ms(1000);
	assert_true(is_gone(&dev, releases[0]));
	assert_true(is_whole(&dev, releases[1]));
	assert_true(is_whole(&dev, releases[2]));
	assert_int_equal(unfinished(&dev.s), 0);
}

static void without_its_hub_a_restarted_device_knows_what_runs(void **state)
{
	uint64_t objects;

	(void)state;
	dev.is_cut[0] = true;
	actor_restart(&dev);
	assert_true(run_until(&dev, "digits", 3, 1000));
	assert_true(agent_stats(&dev).channel_serial > 0);
	assert_int_equal(agent_stats(&dev).channel_age_ms, 0);
	run_ms(5 * MINUTE);
	assert_true(is_at(&dev, "digits", 3));
	assert_true(agent_stats(&dev).err != HF_OK);
	assert_true(agent_stats(&dev).why[0] != '\0');
	/* Back again: nothing is fetched, nothing activated. */
	dev.is_cut[0] = false;
	line_down(&dev, 0);
	line_up(&dev, 0);
	objects = stats_of(&hub_s).bytes_out;
	run_ms(10 * MINUTE);
	assert_ok(agent_stats(&dev).err);
	assert_int_equal(stats_of(&hub_s).bytes_out, objects);
	assert_int_equal(agent_stats(&dev).bytes_fetched, 0);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_ACTIVATE).n, 3);
}

static void a_lineage_is_pulled_by_name_and_an_unknown_one_says_so(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct actor *d = &dev;

	(void)state;
	hub_publish(other);
	assert_err(hf_agent_pull(d->agent, "no such/name", wire_now_ms, &ei), HF_ERR_ARG);
	assert_ok(hf_agent_pull(d->agent, "nothing", wire_now_ms, NULL));
	all_settle();
	assert_int_equal(lineage_of(d, "nothing").step, HF_AGENT_IDLE);
	assert_err(lineage_of(d, "nothing").err, HF_ERR_NOT_FOUND);
	assert_non_null(strstr(lineage_of(d, "nothing").why, "says nothing about nothing"));
}

/* Who asks wants to know what is current now; an answer that was on its way may be older. */
static void a_look_that_is_asked_for_during_another_follows_it(void **state)
{
	struct hf_agent_stats before;

	(void)state;
	run_ms(1000);
	before = agent_stats(&dev);
	assert_false(before.is_looking);
	assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
	hf_agent_tick(dev.agent, wire_now_ms);
	assert_true(agent_stats(&dev).is_looking);
	assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
	run_ms(1000);
	assert_false(agent_stats(&dev).is_looking);
	assert_int_equal(agent_stats(&dev).n_looks, before.n_looks + 2);
	/* One that is asked for alone is one. */
	assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
	run_ms(1000);
	assert_int_equal(agent_stats(&dev).n_looks, before.n_looks + 3);
}

static void what_the_hub_does_not_grant_is_not_hammered(void **state)
{
	struct hf_agent_lineage l;
	uint64_t refused;
	uint64_t n;

	(void)state;
	refused = stats_of(&hub_s).n_refused;
	assert_ok(hf_agent_pull(dev.agent, "other", wire_now_ms, NULL));
	all_settle();
	l = lineage_of(&dev, "other");
	assert_int_equal(l.step, HF_AGENT_GRANT);
	assert_err(l.err, HF_ERR_DENIED);
	assert_non_null(strstr(l.why, "no rule grants other to dev-1"));
	run_ms(HOUR);
	n = stats_of(&hub_s).n_refused - refused;
	assert_true(n >= 10 && n <= 30); /* once in five minutes, less at first */
	assert_int_equal(lineage_of(&dev, "other").n_tries, n);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_REFUSED).n, n);
	assert_err(actor_count(&dev, HF_EV_MODEL_REFUSED).reason, HF_ERR_DENIED);
	assert_false(is_stored(&dev.s, HF_OBJECT_PACK, other->packs[0].name));
	/* Once it may, a pull brings it at once. */
	hub_s.rules[1].device = "dev-1";
	assert_ok(hf_agent_pull(dev.agent, "other", wire_now_ms, NULL));
	assert_true(run_until(&dev, "other", 1, 1000));
	hub_s.rules[1].device = "dev-2";
}

static hf_err count_upload(void *ctx, const struct hf_meta_upload *row)
{
	unsigned *n = ctx;

	assert_string_equal(row->device, "dev-1");
	*n += 1;
	return HF_OK;
}

static unsigned uploads_at_hub(void)
{
	unsigned n = 0;

	assert_ok(hf_meta_upload_list(hub_s.node.meta, NULL, 10, count_upload, &n, NULL));
	return n;
}

static void what_waits_in_the_outbox_goes_up(void **state)
{
	char file[TEST_PATH_MAX + 32];
	const char *files[] = { file };
	const struct hf_push_spec spec = { .dir = dev.n.dir,
		.files = files,
		.n_files = 1,
		.kind = HF_UPLOAD_INCREMENT,
		.lineage = "digits",
		.release = 3 };
	struct hf_push_result result;
	char name[64];

	(void)state;
	(void)snprintf(file, sizeof(file), "%s/delta.bin", world_dir);
	test_file_put(file, releases[0]->packs[0].bytes.p, 200 * 1000);
	keyd_listen(&dev.n);
	for (unsigned i = 0; i < 3; i++)
		assert_ok(hf_push_seal(&world_env, &spec, &result, fresh()));
	keyd_stop();
	/* The link dies in the middle of one; nothing is lost, nothing comes twice. */
	dev.rate = 100;
	hf_agent_push(dev.agent, wire_now_ms);
	run_ms(200);
	assert_int_equal(agent_stats(&dev).n_uploads_waiting, 3);
	line_down(&dev, 0);
	run_ms(MINUTE);
	dev.rate = 0;
	line_up(&dev, 0);
	run_ms(10 * MINUTE);
	assert_int_equal(agent_stats(&dev).n_uploads_waiting, 0);
	assert_int_equal(agent_stats(&dev).n_uploads_done, 3);
	assert_int_equal(uploads_at_hub(), 3);
	(void)snprintf(name, sizeof(name), "outbox/%020u.hufu", (unsigned)result.counter);
	assert_int_equal(access(test_path(dev.n.dir, name), F_OK), -1);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/refused")), 0);
}

static void a_link_that_breaks_at_any_time_costs_time_only(void **state)
{
	struct actor *d = &dev;

	(void)state;
	hub_publish(releases[3]);
	d->rate = 200 * 1000;
	for (unsigned i = 0; i < 40 && !is_at(d, "digits", 4); i++) {
		run_ms(100 + 40 * i);
		line_down(d, 0);
		run_ms(60);
		line_up(d, 0);
	}
	d->rate = 0;
	assert_true(run_until(d, "digits", 4, 10 * MINUTE));
	assert_true(is_whole(d, releases[3]));
	assert_true(actor_count(d, HF_EV_SOURCE_FAILED).n > 0);
	run_ms(10 * MINUTE);
	assert_int_equal(agent_stats(d).n_receipts_waiting, 0);
	end(d);
}

/* The file of an object in the store of the device. */
static void object_file(char path[6 * TEST_PATH_MAX], enum hf_object kind, const uint8_t *name)
{
	char hex[2 * HF_SM3_LEN + 1];

	hf_hex_emit(hex, name, HF_SM3_LEN);
	(void)snprintf(path, (size_t)6 * TEST_PATH_MAX, "%s/%s/%s", dev.s.node.blobs.dir,
		hf_object_kind(kind), hex);
}

static void flip(enum hf_object kind, const uint8_t *name, long at)
{
	char path[6 * TEST_PATH_MAX];
	uint8_t b = 0;
	int fd;

	object_file(path, kind, name);
	assert_int_equal(chmod(path, 0644), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static bool reads_as(enum hf_object kind, const uint8_t *name, const struct hf_buf *bytes)
{
	struct hf_objects objects = hf_folder_objects(dev.s.node.blobs.dir);
	struct hf_buf got = buf_new();
	bool is_same;

	if (kind == HF_OBJECT_PACK) {
		uint8_t *all = malloc(bytes->len);

		is_same = objects.read_at(objects.ctx, name, all, bytes->len, 0, NULL) == HF_OK &&
			  memcmp(all, bytes->p, bytes->len) == 0;
		free(all);
	} else {
		is_same = hf_objects_load(&got, &objects, kind, name, NULL) == HF_OK &&
			  got.len == bytes->len && memcmp(got.p, bytes->p, got.len) == 0;
	}
	hf_buf_clear(&got);
	return is_same;
}

static void a_store_that_rotted_is_healed_by_a_pull(void **state)
{
	const uint64_t release = 4;
	const struct goods *g = releases[release - 1];
	size_t n_activated;
	size_t n_refused;
	char path[6 * TEST_PATH_MAX];
	char hex[2 * HF_SM3_LEN + 1];
	uint8_t cek[HF_CEK_LEN];
	struct hf_buf object = buf_new();

	(void)state;
	newcomer_init(&dev, "dev-9", HF_ROLE_DEVICE, "digits");
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", release, 10 * MINUTE));
	run_ms(1000);
	n_activated = actor_count(&dev, HF_EV_MODEL_ACTIVATE).n;
	n_refused = actor_count(&dev, HF_EV_MODEL_REFUSED).n;
	/* whole: a pull changes nothing */
	assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
	assert_int_equal(lineage_of(&dev, "digits").step, HF_AGENT_MANIFEST);
	run_ms(1000);
	assert_true(is_at(&dev, "digits", release));
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_ACTIVATE).n, n_activated);
	/* an altered pack, a missing table, an altered index, an altered manifest, a pack that goes
	 * on, what the key process keeps: one by one */
	for (unsigned i = 0; i < 6; i++) {
		if (i == 0)
			flip(HF_OBJECT_PACK, g->packs[0].name, (long)g->packs[0].bytes.len - 1);
		if (i == 1) {
			object_file(path, HF_OBJECT_TABLE, page_name(g, 0));
			assert_int_equal(unlink(path), 0);
		}
		if (i == 2)
			flip(HF_OBJECT_INDEX, page_name(g, 1), 3);
		if (i == 3)
			flip(HF_OBJECT_MANIFEST, g->name, 100);
		if (i == 4) {
			object_file(path, HF_OBJECT_PACK, g->packs[0].name);
			assert_int_equal(chmod(path, 0644), 0);
			assert_int_equal(truncate(path, (off_t)g->packs[0].bytes.len + 1), 0);
		}
		if (i == 5) {
			hf_hex_emit(hex, g->name, HF_SM3_LEN);
			(void)snprintf(path, sizeof(path), "%s/active/digits.%s", dev.n.dir, hex);
			assert_int_equal(truncate(path, 100), 0);
		}
		assert_ok(hf_agent_pull(dev.agent, "digits", wire_now_ms, NULL));
		assert_true(run_until(&dev, "digits", release, 10 * MINUTE));
		run_ms(1000);
		assert_true(is_at(&dev, "digits", release));
		assert_true(reads_as(HF_OBJECT_PACK, g->packs[0].name, &g->packs[0].bytes));
		assert_true(reads_as(HF_OBJECT_TABLE, page_name(g, 0), &g->pages[0]));
		assert_true(reads_as(HF_OBJECT_INDEX, page_name(g, 1), &g->pages[1]));
		assert_true(reads_as(HF_OBJECT_MANIFEST, g->name, &g->statement));
		assert_ok(open_as(&dev.n, hf_process_uid(), "digits", &object, cek));
		hf_buf_reset(&object);
	}
	object_file(path, HF_OBJECT_PACK, g->packs[0].name);
	assert_ok(hf_file_load(&object, path, NULL));
	assert_int_equal(object.len, g->packs[0].bytes.len);
	hf_buf_clear(&object);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_REFUSED).n, n_refused + 6);
	assert_int_equal(unfinished(&dev.s), 0);
	end(&dev);
}

static void a_node_without_token_or_with_anothers_does_not_start(void **state)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_agent *agent = NULL;
	struct joining j;

	(void)state;
	newcomer_init(&dev, "dev-7", HF_ROLE_DEVICE, "digits");
	assert_err(hf_agent_new(&agent, &dev.config, wire_now_ms, &ei), HF_ERR_STATE);
	assert_non_null(strstr(ei.text, "token"));
	dev.config.token = "hufu1-00";
	assert_err(hf_agent_new(&agent, &dev.config, wire_now_ms, NULL), HF_ERR_FORMAT);
	joining_init(&j);
	make_token(&j, "dev-8", "device", DAY);
	dev.config.token = j.token;
	assert_err(hf_agent_new(&agent, &dev.config, wire_now_ms, NULL), HF_ERR_DENIED);
	make_token(&j, "dev-7", "edge", DAY);
	assert_err(hf_agent_new(&agent, &dev.config, wire_now_ms, NULL), HF_ERR_DENIED);
	dev.config.poll_ms = 0;
	assert_err(hf_agent_new(&agent, &dev.config, wire_now_ms, NULL), HF_ERR_ARG);
	assert_null(agent);
	joining_clear(&j);
	hf_node_close(&dev.s.node);
	node_stop(&dev.n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_newcomer_enrols_pulls_and_activates),
		cmocka_unit_test(the_next_release_is_followed_and_the_last_but_one_goes),
		cmocka_unit_test(without_its_hub_a_restarted_device_knows_what_runs),
		cmocka_unit_test(a_lineage_is_pulled_by_name_and_an_unknown_one_says_so),
		cmocka_unit_test(a_look_that_is_asked_for_during_another_follows_it),
		cmocka_unit_test(what_the_hub_does_not_grant_is_not_hammered),
		cmocka_unit_test(what_waits_in_the_outbox_goes_up),
		cmocka_unit_test(a_link_that_breaks_at_any_time_costs_time_only),
		cmocka_unit_test(a_store_that_rotted_is_healed_by_a_pull),
		cmocka_unit_test(a_node_without_token_or_with_anothers_does_not_start),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
