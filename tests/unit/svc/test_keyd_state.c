/* SPDX-License-Identifier: Apache-2.0 */
/* What lies on the disk of a node: exchanged, put back, deleted, or cut short by a kill. */
#include "test.h"

#include <unistd.h>

#include "crash.h"
#include "crypto/hmac.h"
#include "keyd_world.h"
#include "svc/keyd_inner.h"

static struct hf_buf cert;
static struct node dev;
static struct release one;
static struct release two;

static int make(void **state)
{
	(void)state;
	world_make();
	cert = buf_new();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, &cert);
	world_seal(&one, "digits", 1, 0);
	world_seal(&two, "digits", 2, 0);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	release_clear(&one);
	release_clear(&two);
	hf_buf_clear(&cert);
	node_stop(&dev);
	world_delete();
	return 0;
}

static void run(const struct node *n, const struct release *r)
{
	struct hf_buf channel = world_channel_of(r);
	struct hf_buf grant = world_grant(r, &cert);
	struct hf_buf receipt = buf_new();
	struct node copy = *n;

	assert_ok(activate(&copy, &channel, r, &grant, &receipt));
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&receipt);
}

static struct hf_buf take(const char *name)
{
	struct hf_buf b = buf_new();

	assert_ok(hf_file_load(&b, test_path(dev.dir, name), NULL));
	return b;
}

/* Puts it back and forgets it. */
static void give(const char *name, struct hf_buf *b)
{
	test_file_put(test_path(dev.dir, name), b->p, b->len);
	hf_buf_clear(b);
}

static void move(const char *from, const char *to)
{
	assert_int_equal(rename(test_path(dev.dir, from), test_path(dev.dir, to)), 0);
}

static void a_member_without_state_does_not_start(void **state)
{
	(void)state;
	node_stop(&dev);
	move("state.a", "kept.a");
	move("state.b", "kept.b");
	assert_err(node_start(&dev), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "at work before"));
	/* also with the log out of the way: there is always something left */
	move("audit", "kept-audit");
	assert_err(node_start(&dev), HF_ERR_AUTH);
	move("kept-audit", "audit");
	move("kept.a", "state.a");
	move("kept.b", "state.b");
	assert_ok(node_start(&dev));
}

static void altered_state_is_refused(void **state)
{
	struct hf_buf a;
	struct hf_buf b;

	(void)state;
	node_stop(&dev);
	a = take("state.a");
	b = take("state.b");
	a.p[a.len / 2] ^= 1;
	b.p[b.len / 2] ^= 1;
	test_file_put(test_path(dev.dir, "state.a"), a.p, a.len);
	test_file_put(test_path(dev.dir, "state.b"), b.p, b.len);
	assert_err(node_start(&dev), HF_ERR_AUTH);
	a.p[a.len / 2] ^= 1;
	b.p[b.len / 2] ^= 1;
	give("state.b", &b);
	give("state.a", &a);
	assert_ok(node_start(&dev));
}

static void state_of_another_device_is_refused(void **state)
{
	struct node other;
	struct hf_buf mine_a;
	struct hf_buf mine_b;
	struct hf_buf foreign = buf_new();

	(void)state;
	world_join(&other, "dev-9", HF_ROLE_DEVICE, NULL);
	node_stop(&other);
	node_stop(&dev);
	mine_a = take("state.a");
	mine_b = take("state.b");
	assert_ok(hf_file_load(&foreign, test_path(other.dir, "state.a"), NULL));
	assert_int_equal(unlink(test_path(dev.dir, "state.b")), 0);
	give("state.a", &foreign);
	assert_err(node_start(&dev), HF_ERR_AUTH);
	give("state.a", &mine_a);
	give("state.b", &mine_b);
	assert_ok(node_start(&dev));
}

static void one_torn_slot_is_survived_and_recorded(void **state)
{
	struct hf_buf a;
	struct hf_buf b;

	(void)state;
	node_stop(&dev);
	/* the older of both: what is current stays so */
	a = take("state.a");
	b = take("state.b");
	if (hf_get_be64(a.p + 8) < hf_get_be64(b.p + 8))
		test_file_put(test_path(dev.dir, "state.a"), a.p, a.len - 1);
	else
		test_file_put(test_path(dev.dir, "state.b"), b.p, b.len - 1);
	assert_ok(node_start(&dev));
	node_stop(&dev);
	assert_true(log_count(&dev, HF_EV_AUDIT_RECOVERED).n > 0);
	assert_ok(node_start(&dev));
	hf_buf_clear(&a);
	hf_buf_clear(&b);
}

static void exchanged_keys_and_secrets_are_refused(void **state)
{
	static const char *const files[] = { "keys/storage.secret", "keys/sign.key",
		"keys/enc.key" };
	struct hf_buf sign;
	struct hf_buf enc;

	(void)state;
	node_stop(&dev);
	for (size_t i = 0; i < HF_COUNT(files); i++) {
		struct hf_buf b = take(files[i]);

		b.p[b.len - 1] ^= 1;
		test_file_put(test_path(dev.dir, files[i]), b.p, b.len);
		assert_err(node_start(&dev), HF_ERR_AUTH);
		b.p[b.len - 1] ^= 1;
		give(files[i], &b);
	}
	sign = take("keys/sign.key");
	enc = take("keys/enc.key");
	test_file_put(test_path(dev.dir, "keys/sign.key"), enc.p, enc.len);
	assert_err(node_start(&dev), HF_ERR_AUTH);
	give("keys/sign.key", &sign);
	/* a certificate of the other key */
	sign = take("certs/sign.crt");
	hf_buf_clear(&enc);
	enc = take("certs/enc.crt");
	test_file_put(test_path(dev.dir, "certs/sign.crt"), enc.p, enc.len);
	assert_err(node_start(&dev), HF_ERR_AUTH);
	give("certs/sign.crt", &sign);
	hf_buf_clear(&enc);
	assert_ok(node_start(&dev));
}

static void an_altered_log_stops_the_start(void **state)
{
	static const char *const files[] = { "audit/seg/0000000000000000.seg", "audit/heads" };

	(void)state;
	node_stop(&dev);
	for (size_t i = 0; i < HF_COUNT(files); i++) {
		struct hf_buf b = take(files[i]);

		b.p[b.len / 2] ^= 1;
		test_file_put(test_path(dev.dir, files[i]), b.p, b.len);
		assert_err(node_start(&dev), HF_ERR_AUTH);
		b.p[b.len / 2] ^= 1;
		give(files[i], &b);
	}
	assert_ok(node_start(&dev));
}

/* As who has no key rewrites a log: what is left of it carries no head, or an older one. */
static void a_log_without_its_heads_stops_the_start(void **state)
{
	struct hf_buf heads;
	struct hf_buf log;
	struct hf_buf again;

	(void)state;
	node_stop(&dev);
	heads = take("audit/heads");
	log = take("audit/seg/0000000000000000.seg");
	assert_int_equal(unlink(test_path(dev.dir, "audit/heads")), 0);
	assert_err(node_start(&dev), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "heads were removed"));
	assert_err(node_start(&dev), HF_ERR_AUTH); /* trying again does not help */
	again = take("audit/seg/0000000000000000.seg");
	assert_int_equal(again.len, log.len);
	assert_int_equal(access(test_path(dev.dir, "audit/heads"), F_OK), -1); /* nothing signed */
	give("audit/heads", &heads);
	assert_ok(node_start(&dev));
	hf_buf_clear(&log);
	hf_buf_clear(&again);
}

/* A state of the version before: 40 bytes of the content less, its MAC made anew. */
static void put_old_state(const char *name, const uint8_t state_key[HF_SM3_LEN])
{
	static const size_t head = 8 + 8 + 4;
	struct hf_buf b = take(name);
	struct hf_buf old = buf_new();
	const size_t log = head + 1 + 1 + 8;
	uint8_t mac[HF_SM3_LEN];

	assert_int_equal(b.p[head], 2);
	assert_ok(hf_buf_put(&old, b.p, log));
	assert_ok(hf_buf_put(&old, b.p + log + 40, b.len - log - 40 - sizeof(mac)));
	old.p[head] = 1;
	hf_put_be32(old.p + 16, (uint32_t)(old.len - head));
	hf_hmac_sm3(mac, state_key, HF_SM3_LEN, old.p, old.len);
	assert_ok(hf_buf_put(&old, mac, sizeof(mac)));
	test_file_put(test_path(dev.dir, name), old.p, old.len);
	hf_buf_clear(&b);
	hf_buf_clear(&old);
}

static void a_state_of_the_version_before_is_read(void **state)
{
	uint8_t state_key[HF_SM3_LEN];

	(void)state;
	hf_keyd_keys_open(dev.k);
	memcpy(state_key, dev.k->secrets->state_key, sizeof(state_key));
	hf_keyd_keys_close(dev.k);
	node_stop(&dev);
	put_old_state("state.a", state_key);
	put_old_state("state.b", state_key);
	assert_ok(node_start(&dev));
	assert_true(dev.k->memory.is_member);
	/* from now on it knows its head */
	assert_true(dev.k->memory.log.head_size > 0);
}

static void a_log_that_is_gone_or_put_back_stops_the_start(void **state)
{
	static const char *const files[] = { "audit/seg/0000000000000000.seg", "audit/heads" };
	struct hf_buf old[HF_COUNT(files)];
	struct hf_buf new[HF_COUNT(files)];

	(void)state;
	node_stop(&dev);
	move("audit", "kept-audit");
	assert_err(node_start(&dev), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "cut"));
	move("kept-audit", "audit");
	/* the log of yesterday, whole and with its heads */
	for (size_t i = 0; i < HF_COUNT(files); i++)
		old[i] = take(files[i]);
	assert_ok(node_start(&dev));
	run(&dev, &one);
	node_restart(&dev);
	node_stop(&dev);
	for (size_t i = 0; i < HF_COUNT(files); i++) {
		new[i] = take(files[i]);
		give(files[i], &old[i]);
	}
	assert_err(node_start(&dev), HF_ERR_AUTH);
	assert_err(node_start(&dev), HF_ERR_AUTH); /* trying again does not help */
	for (size_t i = 0; i < HF_COUNT(files); i++)
		give(files[i], &new[i]);
	assert_ok(node_start(&dev));
}

/* Name of the only file in active/. */
static hf_err active_name(void *ctx, const char *name)
{
	(void)snprintf(ctx, 256, "active/%s", name);
	return HF_OK;
}

static void altered_active_releases_are_refused(void **state)
{
	struct hf_buf manifest = buf_new();
	struct hf_buf channel;
	struct hf_buf old;
	struct hf_buf b;
	uint8_t cek[HF_CEK_LEN];
	char name[256] = "";

	(void)state;
	run(&dev, &one);
	old = take("trust/channel.der");
	run(&dev, &two);
	assert_int_equal(test_dir_count(test_path(dev.dir, "active")), 1);
	assert_ok(hf_dir_list(
		world_env.mem, test_path(dev.dir, "active"), 8, active_name, name, NULL));
	b = take(name);
	for (size_t i = 0; i < b.len; i += 97) {
		b.p[i] ^= 1;
		test_file_put(test_path(dev.dir, name), b.p, b.len);
		/* unless it hits the channel, of which there is a newer copy */
		if (open_as(&dev, dev.uid, "digits", &manifest, cek) == HF_OK)
			assert_true(i < 4 + hf_get_be32(b.p));
		b.p[i] ^= 1;
	}
	test_file_put(test_path(dev.dir, name), b.p, b.len);
	assert_ok(hf_key_check_active(client(&dev), "digits", NULL));
	test_file_put(test_path(dev.dir, name), b.p, b.len - 1);
	assert_err(open_as(&dev, dev.uid, "digits", &manifest, cek), HF_ERR_AUTH);
	assert_err(hf_key_check_active(client(&dev), "digits", NULL), HF_ERR_AUTH);
	assert_err(hf_key_check_active(client(&dev), "nothing", NULL), HF_ERR_NOT_FOUND);
	assert_int_equal(unlink(test_path(dev.dir, name)), 0);
	assert_err(open_as(&dev, dev.uid, "digits", &manifest, cek), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "pull it again"));
	give(name, &b);
	/* an older channel, as a thief of the disk would like it */
	channel = take("trust/channel.der");
	give("trust/channel.der", &old);
	assert_err(open_as(&dev, dev.uid, "digits", &manifest, cek), HF_ERR_ROLLBACK);
	give("trust/channel.der", &channel);
	assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
	hf_buf_clear(&manifest);
}

/* Locked pages do not live on in a child: each starts a key process of its own. */
struct trial {
	struct node *node;
	const struct hf_buf *channel;
	const struct release *release;
	const struct hf_buf *grant;
	struct joining *joining;
};

static int starts(void *ctx)
{
	const struct trial *t = ctx;

	if (node_start(t->node) != HF_OK)
		return 1;
	node_stop(t->node);
	return 0;
}

static int activates(void *ctx)
{
	const struct trial *t = ctx;
	struct hf_buf receipt = buf_new();

	if (node_start(t->node) != HF_OK)
		return 1;
	if (activate(t->node, t->channel, t->release, t->grant, &receipt) != HF_OK)
		return 2;
	node_stop(t->node);
	return 0;
}

static int joins(void *ctx)
{
	const struct trial *t = ctx;

	if (node_start(t->node) != HF_OK)
		return 1;
	if (join_finish(t->joining, t->node) != HF_OK)
		return 2;
	node_stop(t->node);
	return 0;
}

static void killed_while_activating_the_old_or_the_new_one_runs(void **state)
{
	const struct release *const releases[] = { &one, &two };
	struct hf_buf manifest = buf_new();
	uint8_t cek[HF_CEK_LEN];
	int made = 0;

	(void)state;
	node_stop(&dev);
	for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
		const struct release *r = releases[n % 2];
		struct hf_buf channel = world_channel_of(r);
		struct hf_buf grant = world_grant(r, &cert);
		struct trial t = {
			.node = &dev, .channel = &channel, .release = r, .grant = &grant
		};

		made = test_crash_at(n, TEST_KILL, dev.dir, activates, &t);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_ok(node_start(&dev));
		hf_buf_reset(&manifest);
		assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
		assert_true(hf_bytes_eq(bytes_of(&manifest), bytes_of(&one.manifest)) ||
			    hf_bytes_eq(bytes_of(&manifest), bytes_of(&two.manifest)));
		if (made == TEST_CRASH_DONE)
			assert_true(hf_bytes_eq(bytes_of(&manifest), bytes_of(&r->manifest)));
		assert_int_equal(test_dir_count(test_path(dev.dir, "active")), 1);
		run(&dev, releases[(n + 1) % 2]); /* so that the next trial changes it */
		node_stop(&dev);
		hf_buf_clear(&channel);
		hf_buf_clear(&grant);
	}
	assert_ok(node_start(&dev));
	hf_buf_clear(&manifest);
}

static void killed_while_enrolling_it_is_a_newcomer_or_a_member(void **state)
{
	unsigned n_members = 0;
	unsigned n_newcomers = 0;
	int made = 0;

	(void)state;
	for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
		char id[32];
		struct joining j;
		struct node node;
		struct trial t = { .node = &node, .joining = &j };

		(void)snprintf(id, sizeof(id), "kill-%u", n);
		joining_init(&j);
		node_init(&node, id, id, HF_ROLE_DEVICE);
		assert_ok(node_start(&node));
		make_token(&j, id, "device", DAY);
		join_ask(&j, &node);
		assert_ok(join_issue(&j));
		join_papers(&j);
		node_stop(&node);
		made = test_crash_at(n, TEST_KILL, node.dir, joins, &t);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_ok(node_start(&node));
		if (hf_keyd_state(node.k) == HF_KEY_STATE_NEWCOMER) {
			n_newcomers++;
			assert_ok(join_finish(&j, &node));
		} else {
			n_members++;
		}
		assert_int_equal(hf_keyd_state(node.k), HF_KEY_STATE_MEMBER);
		node_restart(&node);
		node_stop(&node);
		assert_true(log_count(&node, HF_EV_ENROL).n > 0);
		joining_clear(&j);
	}
	assert_true(n_members > 0 && n_newcomers > 0);
}

static void killed_at_the_first_start_it_starts_again(void **state)
{
	int made = 0;

	(void)state;
	for (unsigned n = 1; made != TEST_CRASH_DONE; n++) {
		char id[32];
		struct node node;
		struct trial t = { .node = &node };

		(void)snprintf(id, sizeof(id), "first-%u", n);
		node_init(&node, id, id, HF_ROLE_EDGE);
		made = test_crash_at(n, TEST_KILL, node.dir, starts, &t);
		if (made == TEST_CRASH_UNABLE)
			skip();
		assert_ok(node_start(&node));
		assert_int_equal(hf_keyd_state(node.k), HF_KEY_STATE_NEWCOMER);
		node_stop(&node);
	}
}

static void a_wrong_root_seed_does_not_start_a_hub(void **state)
{
	uint8_t other[HF_KEY_SEED_LEN] = { 1 };

	(void)state;
	node_stop(&hub);
	hub.config.root_seed = other;
	assert_err(node_start(&hub), HF_ERR_AUTH);
	hub.config.root_seed = NULL;
	assert_err(node_start(&hub), HF_ERR_ARG);
	hub.config.root_seed = world_seed;
	assert_ok(node_start(&hub));
}

static void two_key_processes_of_one_folder_are_one_too_many(void **state)
{
	struct node again = dev;

	(void)state;
	assert_err(node_start(&again), HF_ERR_AGAIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_member_without_state_does_not_start),
		cmocka_unit_test(altered_state_is_refused),
		cmocka_unit_test(state_of_another_device_is_refused),
		cmocka_unit_test(one_torn_slot_is_survived_and_recorded),
		cmocka_unit_test(exchanged_keys_and_secrets_are_refused),
		cmocka_unit_test(an_altered_log_stops_the_start),
		cmocka_unit_test(a_log_without_its_heads_stops_the_start),
		cmocka_unit_test(a_state_of_the_version_before_is_read),
		cmocka_unit_test(a_log_that_is_gone_or_put_back_stops_the_start),
		cmocka_unit_test(altered_active_releases_are_refused),
		cmocka_unit_test(killed_while_activating_the_old_or_the_new_one_runs),
		cmocka_unit_test(killed_while_enrolling_it_is_a_newcomer_or_a_member),
		cmocka_unit_test(killed_at_the_first_start_it_starts_again),
		cmocka_unit_test(a_wrong_root_seed_does_not_start_a_hub),
		cmocka_unit_test(two_key_processes_of_one_folder_are_one_too_many),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
