/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hubs that lie: what a device refuses changes nothing on it, is on the record, is not asked for in
 * haste, and does not keep it from a hub that tells the truth.
 */
#include "agent_world.h"

static struct actor dev;
static struct fake fake;   /* the liar */
static struct fake honest; /* as good as a hub, but for what a test makes of it */
static struct goods *one;
static struct goods *two;
static struct hf_buf enc_cert; /* of dev-1 */
static struct hf_buf foreign;  /* of dev-2 */

static int make(void **state)
{
	struct node n;

	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 1, .seed = 1 });
	two = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 2, .seed = 2 });
	foreign = buf_new();
	world_join(&n, "dev-2", HF_ROLE_DEVICE, &foreign);
	node_stop(&n);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	goods_free(one);
	goods_free(two);
	hf_buf_clear(&foreign);
	world_delete();
	return 0;
}

static struct hf_buf channel_of(const struct goods *g, uint64_t life_s)
{
	struct hf_channel_release entry = { .release = g == one ? 1 : 2, .level = HF_L1 };
	struct hf_buf list = buf_new();
	struct hf_buf channel = buf_new();

	(void)snprintf(entry.lineage, sizeof(entry.lineage), "digits");
	memcpy(entry.manifest, g->name, HF_SM3_LEN);
	assert_ok(hf_channel_release_put(&list, &entry));
	assert_ok(hf_key_make_channel(client(&hub), bytes_of(&list), 1, life_s, &channel, fresh()));
	hf_buf_clear(&list);
	return channel;
}

static struct hf_buf grant_of(const struct goods *g, const struct hf_buf *cert)
{
	struct hf_buf grant = buf_new();

	assert_ok(hf_key_make_grant(client(&hub), bytes_of(&g->statement), bytes_of(&g->deposit),
		bytes_of(cert), 30 * DAY, &grant, fresh()));
	return grant;
}

/* A fresh device, member of the domain, that follows "digits", and two fakes that know release one.
 */
static int begin(void **state)
{
	static unsigned n;
	static char id[16];

	(void)state;
	(void)snprintf(id, sizeof(id), "dev-x%u", n++);
	memset(&dev, 0, sizeof(dev));
	enc_cert = buf_new();
	world_join(&dev.n, id, HF_ROLE_DEVICE, &enc_cert);
	fake_init(&fake, one);
	fake_init(&honest, one);
	fake_says(&fake.channel, channel_of(one, 30 * DAY));
	fake_says(&honest.channel, channel_of(one, 30 * DAY));
	fake_says(&fake.grant, grant_of(one, &enc_cert));
	fake_says(&honest.grant, grant_of(one, &enc_cert));
	actor_init(&dev, id, HF_ROLE_DEVICE, "digits");
	actor_source(&dev, NULL, &fake, 0, true);
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (dev.agent != NULL)
		actor_stop(&dev);
	else
		hf_node_close(&dev.s.node);
	node_stop(&dev.n);
	fake_clear(&fake);
	fake_clear(&honest);
	hf_buf_clear(&enc_cert);
	return 0;
}

static void with_an_honest_hub_it_works(void **state)
{
	unsigned n;

	(void)state;
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	assert_true(is_whole(&dev, one));
	assert_int_equal(fake.n_grants, 1);
	assert_int_equal(fake.n_receipts, 1);
	run_ms(1000);
	n = fake.n_inventories;
	assert_in_range(n, 1, 2); /* at the start, and after the activation */
	run_ms(25 * (uint64_t)HOUR);
	assert_int_equal(fake.n_inventories, n + 1); /* once a day */
}

static void an_old_channel_is_refused_and_the_last_one_holds(void **state)
{
	struct hf_buf old = channel_of(one, 30 * DAY);
	uint64_t serial;
	unsigned n;

	(void)state;
	fake_says(&fake.channel, channel_of(one, 30 * DAY));
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	serial = agent_stats(&dev).channel_serial;
	fake_says(&fake.channel, old);
	n = fake.n_channels;
	run_ms(HOUR);
	assert_err(agent_stats(&dev).err, HF_ERR_ROLLBACK);
	assert_non_null(strstr(agent_stats(&dev).why, "older than"));
	assert_int_equal(agent_stats(&dev).channel_serial, serial);
	assert_true(is_at(&dev, "digits", 1));
	assert_true(fake.n_channels - n >= 10 && fake.n_channels - n <= 30);
	assert_true(actor_count(&dev, HF_EV_MODEL_REFUSED).n >= 10);
	assert_err(actor_count(&dev, HF_EV_MODEL_REFUSED).reason, HF_ERR_ROLLBACK);
	assert_err(actor_count(&dev, HF_EV_SOURCE_FAILED).reason, HF_ERR_ROLLBACK);
	assert_string_equal(
		actor_count(&dev, HF_EV_SOURCE_FAILED).subject, "source:192.0.2.1:7001");
	/* A restart forgets nothing. */
	actor_restart(&dev);
	run_ms(1000);
	assert_err(agent_stats(&dev).err, HF_ERR_ROLLBACK);
	assert_int_equal(agent_stats(&dev).channel_serial, serial);
	/* The truth is taken as soon as it is there. */
	fake_says(&fake.channel, channel_of(one, 30 * DAY));
	run_ms(6 * MINUTE);
	assert_ok(agent_stats(&dev).err);
	assert_true(agent_stats(&dev).channel_serial > serial);
}

static void a_frozen_channel_expires(void **state)
{
	(void)state;
	fake_says(&fake.channel, channel_of(one, 3600));
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	world_now += 3601;
	run_ms(6 * MINUTE);
	assert_err(agent_stats(&dev).err, HF_ERR_EXPIRED);
	assert_non_null(strstr(agent_stats(&dev).why, "has expired"));
	assert_err(actor_count(&dev, HF_EV_MODEL_REFUSED).reason, HF_ERR_EXPIRED);
	world_now -= 3601;
}

static void a_channel_of_nobody_is_refused(void **state)
{
	static const size_t cuts[] = { 0, 1, 100 };

	(void)state;
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	for (size_t i = 0; i < HF_COUNT(cuts); i++) {
		fake.channel.len = cuts[i];
		run_ms(6 * MINUTE);
		assert_true(agent_stats(&dev).err != HF_OK);
	}
	fake_says(&fake.channel, channel_of(one, 30 * DAY));
	fake.channel.p[fake.channel.len - 1] ^= 1; /* in the signature */
	run_ms(6 * MINUTE);
	assert_err(agent_stats(&dev).err, HF_ERR_AUTH);
	assert_true(is_at(&dev, "digits", 1));
}

static void another_control_source_is_asked_when_one_lies(void **state)
{
	struct hf_buf old = channel_of(one, 30 * DAY);

	(void)state;
	fake_says(&fake.channel, channel_of(one, 30 * DAY));
	fake_says(&honest.channel, channel_of(one, 30 * DAY));
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	fake_says(&fake.channel, old);
	fake.goods = two; /* and lacks the objects of one */
	run_ms(31 * 1000);
	assert_ok(agent_stats(&dev).err);
	assert_int_equal(honest.n_channels, 1);
	/* It dies: the liar is all there is. */
	line_down(&dev, 1);
	run_ms(6 * MINUTE);
	assert_err(agent_stats(&dev).err, HF_ERR_ROLLBACK);
	line_up(&dev, 1);
	run_ms(6 * MINUTE);
	assert_ok(agent_stats(&dev).err);
}

/* Freeze without a signature: "there is no channel" must not keep a device from other sources. */
static void who_says_that_nothing_was_released_freezes_nobody(void **state)
{
	uint64_t serial;

	(void)state;
	fake.channel_says = HF_ERR_NOT_FOUND;
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	line_down(&dev, 1);
	run_ms(6 * MINUTE);
	assert_ok(agent_stats(&dev).err); /* it may be so */
	line_up(&dev, 1);
	assert_true(run_until(&dev, "digits", 1, HOUR));
	serial = agent_stats(&dev).channel_serial;
	/* The next one, which the liar keeps back. */
	fake_says(&honest.channel, channel_of(one, 30 * DAY));
	run_ms(HOUR);
	assert_ok(agent_stats(&dev).err);
	assert_true(agent_stats(&dev).channel_serial > serial);
	/* Alone it is noticed, also after a restart, and with a channel that has expired. */
	line_down(&dev, 1);
	run_ms(HOUR);
	assert_err(agent_stats(&dev).err, HF_ERR_ROLLBACK);
	assert_non_null(strstr(agent_stats(&dev).why, "nothing was ever released"));
	assert_err(actor_count(&dev, HF_EV_MODEL_REFUSED).reason, HF_ERR_ROLLBACK);
	world_now += 31 * DAY;
	actor_restart(&dev);
	line_down(&dev, 1);
	run_ms(HOUR);
	assert_err(agent_stats(&dev).err, HF_ERR_ROLLBACK);
	world_now -= 31 * DAY;
}

static void a_manifest_of_another_name_is_refused(void **state)
{
	(void)state;
	assert_ok(hf_buf_put(&fake.manifest, two->statement.p, two->statement.len));
	actor_start(&dev);
	run_ms(HOUR);
	assert_int_equal(lineage_of(&dev, "digits").step, HF_AGENT_MANIFEST);
	assert_err(lineage_of(&dev, "digits").err, HF_ERR_AUTH);
	assert_non_null(strstr(lineage_of(&dev, "digits").why, "192.0.2.1:7001"));
	assert_true(fake.n_manifests >= 10 && fake.n_manifests <= 30);
	assert_int_equal(fake.n_grants, 0);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "objects/part")), 0);
	assert_false(is_stored(&dev.s, HF_OBJECT_MANIFEST, two->name));
	assert_false(is_stored(&dev.s, HF_OBJECT_MANIFEST, one->name));
	assert_int_equal(
		actor_count(&dev, HF_EV_SOURCE_QUARANTINED).n, lineage_of(&dev, "digits").n_tries);
	/* With an honest one beside it, that one is asked. */
	actor_stop(&dev);
	served_open(&dev.s, &dev.n, dev.n.config.id, HF_ROLE_DEVICE);
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
}

static void an_altered_manifest_is_refused(void **state)
{
	(void)state;
	assert_ok(hf_buf_put(&fake.manifest, one->statement.p, one->statement.len));
	for (size_t at = 10; at < fake.manifest.len; at += fake.manifest.len / 7) {
		fake.manifest.p[at] ^= 0x20;
		if (dev.agent == NULL)
			actor_start(&dev);
		run_ms(6 * MINUTE);
		assert_err(lineage_of(&dev, "digits").err, HF_ERR_AUTH);
		fake.manifest.p[at] ^= 0x20;
	}
	run_ms(6 * MINUTE);
	assert_true(is_at(&dev, "digits", 1));
}

static void endless_answers_end(void **state)
{
	(void)state;
	fake.is_endless = true;
	actor_start(&dev);
	run_ms(10 * MINUTE);
	assert_err(lineage_of(&dev, "digits").err, HF_ERR_LIMIT);
	assert_int_equal(fake.n_grants, 0);
	assert_err(actor_count(&dev, HF_EV_SOURCE_FAILED).reason, HF_ERR_LIMIT);
	assert_string_equal(
		actor_count(&dev, HF_EV_SOURCE_FAILED).subject, "source:192.0.2.1:7001");
	fake.is_endless = false;
	assert_true(run_until(&dev, "digits", 1, 6 * MINUTE));
}

static void the_grant_of_another_device_is_refused(void **state)
{
	struct hf_agent_lineage l;

	(void)state;
	fake_says(&fake.grant, grant_of(one, &foreign));
	actor_start(&dev);
	run_ms(HOUR);
	l = lineage_of(&dev, "digits");
	assert_int_equal(l.step, HF_AGENT_GRANT);
	assert_true(hf_agent_is_refusal(l.err));
	assert_non_null(strstr(l.why, "grant"));
	assert_true(fake.n_grants >= 10 && fake.n_grants <= 30);
	assert_int_equal(fake.n_receipts, 0);
	assert_false(is_stored(&dev.s, HF_OBJECT_PACK, one->packs[0].name));
	assert_true(actor_count(&dev, HF_EV_MODEL_REFUSED).n >= 10);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_ACTIVATE).n, 0);
	/* Its own is taken. */
	fake_says(&fake.grant, grant_of(one, &enc_cert));
	assert_true(run_until(&dev, "digits", 1, 6 * MINUTE));
}

/* What one source does not give, or gives wrong, another one is asked for at once. */
static void a_manifest_that_one_denies_comes_from_another(void **state)
{
	(void)state;
	fake.goods = two;
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 500));
	assert_int_equal(fake.n_manifests, 1);
	assert_int_equal(fake.n_grants, 0); /* it is left alone for a while */
}

static void a_manifest_without_end_is_cut_and_comes_from_another(void **state)
{
	(void)state;
	fake.is_endless = true;
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 500));
	assert_int_equal(fake.n_manifests, 1);
	assert_err(actor_count(&dev, HF_EV_SOURCE_FAILED).reason, HF_ERR_LIMIT);
}

static void a_grant_that_one_denies_comes_from_another(void **state)
{
	(void)state;
	fake.grant_says = HF_ERR_DENIED;
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 500));
	assert_int_equal(fake.n_grants, 1);
	assert_int_equal(honest.n_grants, 1);
	assert_err(actor_count(&dev, HF_EV_MODEL_REFUSED).reason, HF_ERR_DENIED);
}

static void a_wrong_grant_is_blamed_on_its_source_and_another_one_asked(void **state)
{
	(void)state;
	fake_says(&fake.grant, grant_of(one, &foreign));
	actor_source(&dev, NULL, &honest, 0, true);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 500));
	assert_int_equal(honest.n_grants, 1);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_REFUSED).n, 1);
	assert_int_equal(actor_count(&dev, HF_EV_SOURCE_FAILED).n, 1);
	assert_string_equal(
		actor_count(&dev, HF_EV_SOURCE_FAILED).subject, "source:192.0.2.1:7001");
}

static void the_grant_of_another_release_is_refused(void **state)
{
	(void)state;
	fake_says(&fake.grant, grant_of(two, &enc_cert));
	actor_start(&dev);
	run_ms(6 * MINUTE);
	assert_int_equal(lineage_of(&dev, "digits").step, HF_AGENT_GRANT);
	assert_true(hf_agent_is_refusal(lineage_of(&dev, "digits").err));
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_ACTIVATE).n, 0);
}

static void altered_packs_and_pages_are_not_stored(void **state)
{
	struct goods bad = *one;
	struct hf_buf pack = buf_new();

	(void)state;
	assert_ok(hf_buf_put(&pack, one->packs[0].bytes.p, one->packs[0].bytes.len));
	pack.p[pack.len / 2] ^= 1;
	bad.packs[0].bytes = pack;
	fake.goods = &bad;
	actor_start(&dev);
	run_ms(1000);
	assert_int_equal(actor_count(&dev, HF_EV_SOURCE_QUARANTINED).n, 1);
	run_ms(HOUR);
	assert_int_equal(lineage_of(&dev, "digits").step, HF_AGENT_FETCHING);
	assert_err(lineage_of(&dev, "digits").err, HF_ERR_AUTH);
	assert_non_null(strstr(lineage_of(&dev, "digits").why, "every source gave other bytes"));
	assert_in_range(actor_count(&dev, HF_EV_SOURCE_QUARANTINED).n, 10, 30);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_FETCH).n,
		actor_count(&dev, HF_EV_SOURCE_QUARANTINED).n);
	assert_err(actor_count(&dev, HF_EV_MODEL_FETCH).reason, HF_ERR_AUTH);
	assert_err(actor_count(&dev, HF_EV_SOURCE_QUARANTINED).reason, HF_ERR_AUTH);
	assert_string_equal(
		actor_count(&dev, HF_EV_SOURCE_QUARANTINED).subject, "source:192.0.2.1:7001");
	assert_false(is_stored(&dev.s, HF_OBJECT_PACK, one->packs[0].name));
	/* A second source, for objects only, heals it; what was good is not fetched again. */
	actor_stop(&dev);
	served_open(&dev.s, &dev.n, dev.n.config.id, HF_ROLE_DEVICE);
	actor_source(&dev, NULL, &honest, 0, false);
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 10 * MINUTE));
	assert_true(agent_stats(&dev).bytes_fetched < pack.len);
	assert_int_equal(honest.n_channels + honest.n_grants + honest.n_receipts, 0);
	hf_buf_clear(&pack);
}

static void receipts_wait_for_a_hub_that_takes_them(void **state)
{
	(void)state;
	fake.receipt_says = HF_ERR_AGAIN;
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	run_ms(10 * MINUTE);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 1);
	assert_true(fake.n_receipts > 3 && fake.n_receipts < 15);
	actor_restart(&dev);
	run_ms(1000);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 1);
	fake.receipt_says = HF_OK;
	run_ms(10 * MINUTE);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 0);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/receipts")), 0);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/refused")), 0);
}

static void a_receipt_that_is_refused_for_good_is_put_aside(void **state)
{
	(void)state;
	fake.receipt_says = HF_ERR_FORMAT;
	actor_start(&dev);
	assert_true(run_until(&dev, "digits", 1, 1000));
	run_ms(10 * MINUTE);
	assert_int_equal(fake.n_receipts, 1);
	assert_int_equal(agent_stats(&dev).n_receipts_waiting, 0);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/refused")), 1);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_RECEIPT).n, 1);
}

/* Papers of the true hub for a newcomer, as its network process would answer. */
static void make_papers(struct hf_buf *json, struct joining *j)
{
	struct hf_json_wr w = hf_json_wr(json);
	const struct hf_mem *mem = world_env.mem;

	hf_json_wr_object(&w);
	hf_api_der_put(&w, "sign_cert", j->papers.sign_cert, mem);
	hf_api_der_put(&w, "enc_cert", j->papers.enc_cert, mem);
	hf_api_der_put(&w, "issuing_ca", j->papers.issuing_ca, mem);
	hf_api_der_put(&w, "root_ca", j->papers.root_ca, mem);
	hf_api_der_put(&w, "hub_enc", j->papers.hub_enc, mem);
	hf_api_der_put(&w, "root", j->papers.root, mem);
	hf_json_wr_end(&w);
	assert_ok(hf_json_wr_done(&w));
}

static void a_hub_with_another_root_is_refused_at_enrolment(void **state)
{
	char text[HF_TOKEN_TEXT_MAX];
	struct joining j;
	struct actor d = { .n = { 0 } };

	(void)state;
	node_init(&d.n, "dev-new", "dev-new", HF_ROLE_DEVICE);
	assert_ok(node_start(&d.n));
	joining_init(&j);
	make_token(&j, "dev-new", "device", DAY);
	join_ask(&j, &d.n);
	assert_ok(join_issue(&j));
	join_papers(&j);
	make_papers(&fake.enrolled, &j);
	/* Two digits of the digest that the token carries: version, id, level, time come before. */
	memcpy(text, j.token, sizeof(text));
	memcpy(d.token, j.token, sizeof(d.token));
	d.token[6 + 2 * (1 + 16 + 1 + 8)] = d.token[6 + 2 * (1 + 16 + 1 + 8)] == '0' ? '1' : '0';
	actor_init(&d, "dev-new", HF_ROLE_DEVICE, "digits");
	actor_source(&d, NULL, &fake, 0, true);
	actor_start(&d);
	run_ms(HOUR);
	assert_false(agent_stats(&d).is_member);
	assert_int_equal(d.n_joined, 0);
	assert_err(agent_stats(&d).err, HF_ERR_AUTH);
	assert_non_null(strstr(agent_stats(&d).why, "not the one of the token"));
	assert_true(fake.n_enrols >= 10 && fake.n_enrols <= 30);
	assert_int_equal(fake.n_channels, 0); /* and nothing else is asked */
	assert_int_equal(test_dir_count(test_path(d.n.dir, "certs")), 0);
	actor_stop(&d);
	/* Garbage, and a refusal, are no papers either. */
	memcpy(d.token, text, sizeof(text));
	served_open(&d.s, &d.n, "dev-new", HF_ROLE_DEVICE);
	d.config.token = NULL;
	fake.enrolled.len -= 10;
	actor_start(&d);
	run_ms(MINUTE);
	assert_err(agent_stats(&d).err, HF_ERR_TRUNCATED);
	fake.enrolled.len = 0;
	run_ms(10 * MINUTE);
	assert_err(agent_stats(&d).err, HF_ERR_AUTH);
	assert_non_null(
		strstr(agent_stats(&d).why, "192.0.2.1:7001: refuses the token: the fake says no"));
	/* The true root is taken. */
	hf_buf_reset(&fake.enrolled);
	make_papers(&fake.enrolled, &j);
	run_ms(10 * MINUTE);
	assert_true(agent_stats(&d).is_member);
	assert_int_equal(d.n_joined, 1);
	actor_stop(&d);
	node_stop(&d.n);
	joining_clear(&j);
}

/* A bundle that is none, and one whose upload is not ours. */
static void what_lies_in_the_outbox_and_is_no_upload_is_put_aside(void **state)
{
	char path[3 * TEST_PATH_MAX];

	(void)state;
	actor_start(&dev);
	(void)snprintf(path, sizeof(path), "%s/outbox/00000000000000000001.hufu", dev.n.dir);
	test_file_put(path, "no bundle", 9);
	(void)snprintf(path, sizeof(path), "%s/outbox/x.part", dev.n.dir);
	test_file_put(path, "being made", 10);
	hf_agent_push(dev.agent, wire_now_ms);
	run_ms(1000);
	assert_int_equal(test_dir_count(test_path(dev.n.dir, "outbox/refused")), 1);
	assert_int_equal(agent_stats(&dev).n_uploads_waiting, 0);
	assert_int_equal(agent_stats(&dev).n_uploads_done, 0);
	assert_int_equal(actor_count(&dev, HF_EV_MODEL_UPLOAD).n, 1);
	(void)snprintf(path, sizeof(path), "%s/outbox/x.part", dev.n.dir);
	assert_int_equal(access(path, F_OK), 0); /* somebody else's work */
}

#define EACH(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		EACH(with_an_honest_hub_it_works),
		EACH(an_old_channel_is_refused_and_the_last_one_holds),
		EACH(a_frozen_channel_expires),
		EACH(a_channel_of_nobody_is_refused),
		EACH(another_control_source_is_asked_when_one_lies),
		EACH(who_says_that_nothing_was_released_freezes_nobody),
		EACH(a_manifest_of_another_name_is_refused),
		EACH(an_altered_manifest_is_refused),
		EACH(endless_answers_end),
		EACH(the_grant_of_another_device_is_refused),
		EACH(a_manifest_that_one_denies_comes_from_another),
		EACH(a_manifest_without_end_is_cut_and_comes_from_another),
		EACH(a_grant_that_one_denies_comes_from_another),
		EACH(a_wrong_grant_is_blamed_on_its_source_and_another_one_asked),
		EACH(the_grant_of_another_release_is_refused),
		EACH(altered_packs_and_pages_are_not_stored),
		EACH(receipts_wait_for_a_hub_that_takes_them),
		EACH(a_receipt_that_is_refused_for_good_is_put_aside),
		EACH(a_hub_with_another_root_is_refused_at_enrolment),
		EACH(what_lies_in_the_outbox_and_is_no_upload_is_put_aside),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
