/* SPDX-License-Identifier: Apache-2.0 */
/* Channel, grant, activation, opening: what a device may run, and all that it must refuse. */
#include "test.h"

#include "keyd_world.h"

static struct node dev;
static struct node foreign;
static struct hf_buf dev_cert;
static struct hf_buf foreign_cert;
static struct release one; /* of lineage "digits" */
static struct release two;
static struct release three; /* its floor is 3 */
static struct hf_buf first_channel;

static int make(void **state)
{
	(void)state;
	world_make();
	dev_cert = buf_new();
	foreign_cert = buf_new();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, &dev_cert);
	world_join(&foreign, "dev-2", HF_ROLE_DEVICE, &foreign_cert);
	world_seal(&one, "digits", 1, 0);
	world_seal(&two, "digits", 2, 0);
	world_seal(&three, "digits", 3, 3);
	first_channel = world_channel_of(&one);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	hf_buf_clear(&first_channel);
	release_clear(&one);
	release_clear(&two);
	release_clear(&three);
	hf_buf_clear(&dev_cert);
	hf_buf_clear(&foreign_cert);
	node_stop(&dev);
	node_stop(&foreign);
	world_delete();
	return 0;
}

static uint64_t serial_of(const struct hf_buf *channel)
{
	struct hf_bytes content;
	struct hf_channel c;

	assert_ok(hf_object_peek(&content, HF_OBJECT_CHANNEL, bytes_of(channel), NULL));
	assert_ok(hf_channel_parse(&c, content, NULL));
	return c.serial;
}

static void serials_rise_over_restarts(void **state)
{
	struct hf_buf a = world_channel_of(&one);
	struct hf_buf b;

	(void)state;
	node_restart(&hub);
	b = world_channel_of(&one);
	assert_int_equal(serial_of(&b), serial_of(&a) + 1);
	hf_buf_clear(&a);
	hf_buf_clear(&b);
}

static void a_channel_with_a_wrong_list_is_not_signed(void **state)
{
	struct hf_buf list = buf_new();
	struct hf_buf out = buf_new();

	(void)state;
	assert_ok(hf_channel_release_put(&list, &one.entry));
	assert_err(
		hf_key_make_channel(client(&hub), bytes_of(&list), 2, DAY, &out, NULL), HF_ERR_ARG);
	assert_err(
		hf_key_make_channel(client(&hub), bytes_of(&list), 1, 0, &out, NULL), HF_ERR_ARG);
	assert_err(hf_key_make_channel(client(&hub), bytes_of(&list), 1, 400 * DAY, &out, NULL),
		HF_ERR_ARG);
	assert_ok(hf_channel_release_put(&list, &two.entry)); /* the same lineage twice */
	assert_err(
		hf_key_make_channel(client(&hub), bytes_of(&list), 2, DAY, &out, NULL), HF_ERR_ARG);
	list.len--;
	assert_int_not_equal(
		hf_key_make_channel(client(&hub), bytes_of(&list), 2, DAY, &out, NULL), HF_OK);
	assert_int_equal(out.len, 0);
	hf_buf_clear(&list);
	hf_buf_clear(&out);
}

static void the_main_job(void **state)
{
	struct hf_buf channel = world_channel_of(&one);
	struct hf_buf grant = world_grant(&one, &dev_cert);
	struct hf_buf receipt = buf_new();
	struct hf_buf manifest = buf_new();
	struct hf_key_status s;
	struct hf_party party;
	struct hf_key_set key;
	struct hf_bytes content;
	struct hf_receipt r;
	struct hf_manifest m;
	struct hf_index_keys index;
	struct hf_pkg_scope scope;
	uint8_t cek[HF_CEK_LEN];
	uint8_t name[HF_SM3_LEN];

	(void)state;
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&channel), fresh()));
	assert_ok(hf_key_check_release(
		client(&dev), "digits", bytes_of(&channel), bytes_of(&one.manifest), fresh()));
	assert_ok(hf_key_check_grant(client(&dev), "digits", bytes_of(&channel),
		bytes_of(&one.manifest), bytes_of(&grant), fresh()));
	assert_err(open_as(&dev, dev.uid, "digits", &manifest, cek), HF_ERR_NOT_FOUND);
	assert_ok(activate(&dev, &channel, &one, &grant, &receipt));

	/* the receipt is this device's word for what it activated */
	assert_ok(hf_party_open(&party, &world_env, dev.dir, NULL));
	key = hf_key_set_one(&party.sign.key);
	assert_ok(
		hf_object_open(&content, NULL, HF_OBJECT_RECEIPT, bytes_of(&receipt), &key, NULL));
	assert_ok(hf_receipt_parse(&r, content, NULL));
	assert_string_equal(r.device, "dev-1");
	assert_string_equal(r.lineage, "digits");
	assert_int_equal(r.action, HF_RECEIPT_ACTIVATED);
	assert_int_equal(r.release, 1);
	assert_memory_equal(r.manifest, one.entry.manifest, HF_SM3_LEN);
	hf_object_name(name, grant.p, grant.len);
	assert_memory_equal(r.grant, name, sizeof(name));
	hf_party_clear(&party);

	/* the key that is handed out opens the release, also after a restart */
	for (int i = 0; i < 2; i++) {
		hf_buf_reset(&manifest);
		assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
		assert_int_equal(manifest.len, one.manifest.len);
		assert_memory_equal(manifest.p, one.manifest.p, manifest.len);
		assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST, bytes_of(&manifest), NULL));
		assert_ok(hf_manifest_parse(&m, content, NULL));
		hf_manifest_scope(&scope, &m);
		assert_ok(hf_index_keys_open(&index, &m.body, cek, &scope));
		hf_index_keys_clear(&index);
		node_restart(&dev);
	}
	assert_ok(hf_key_status(client(&dev), &s, NULL));
	assert_int_equal(s.channel_serial, serial_of(&channel));
	assert_int_equal(s.root_version, 1);
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&receipt);
	hf_buf_clear(&manifest);
}

static void who_may_not_open_gets_nothing(void **state)
{
	static const uint32_t users[] = { 1001 };
	struct hf_buf manifest = buf_new();
	uint8_t cek[HF_CEK_LEN] = { 0 };
	uint8_t none[HF_CEK_LEN] = { 0 };

	(void)state;
	assert_err(open_as(&dev, 1001, "digits", &manifest, cek), HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "1001"));
	/* the network process never gets a key */
	assert_err(hf_key_open(client(&dev), "digits", &manifest, cek, NULL), HF_ERR_DENIED);
	assert_int_equal(manifest.len, 0);
	assert_memory_equal(cek, none, sizeof(cek));
	node_stop(&dev);
	dev.config.open_uids = users;
	dev.config.n_open_uids = 1;
	assert_ok(node_start(&dev));
	assert_ok(open_as(&dev, 1001, "digits", &manifest, cek));
	assert_err(open_as(&dev, 1002, "digits", &manifest, cek), HF_ERR_DENIED);
	assert_ok(open_as(&dev, 0, "digits", &manifest, cek));
	assert_err(open_as(&dev, 0, "letters", &manifest, cek), HF_ERR_NOT_FOUND);
	assert_err(open_as(&dev, 0, "../digits", &manifest, cek), HF_ERR_FORMAT);
	hf_buf_clear(&manifest);
}

/* The local user's process checks chunks; what it finds wrong is on the record like the rest. */
static void an_altered_object_that_a_user_finds_is_recorded(void **state)
{
	struct node user;
	struct node other;
	size_t before;

	(void)state;
	node_restart(&dev); /* all that was said before is in the log */
	user = as_user(&dev, dev.uid);
	other = as_user(&dev, 1002);
	before = log_count(&dev, HF_EV_MODEL_REFUSED).n;
	assert_ok(hf_key_report(client(&user), "digits", HF_ERR_AUTH, NULL));
	/* not by the network process, not by just any user, not with just any words */
	assert_err(hf_key_report(client(&dev), "digits", HF_ERR_AUTH, NULL), HF_ERR_DENIED);
	assert_err(hf_key_report(client(&other), "digits", HF_ERR_AUTH, NULL), HF_ERR_DENIED);
	assert_err(hf_key_report(client(&user), "digits", HF_ERR_ROLLBACK, NULL), HF_ERR_ARG);
	assert_err(hf_key_report(client(&user), "../digits", HF_ERR_AUTH, NULL), HF_ERR_FORMAT);
	node_restart(&dev);
	assert_int_equal(log_count(&dev, HF_EV_MODEL_REFUSED).n, before + 4);
}

static void a_grant_of_another_device_is_refused(void **state)
{
	struct hf_buf channel = world_channel_of(&one);
	struct hf_buf grant = world_grant(&one, &dev_cert);
	struct hf_buf receipt = buf_new();

	(void)state;
	assert_err(activate(&foreign, &channel, &one, &grant, &receipt), HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "not for this one"));
	assert_int_equal(receipt.len, 0);
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&receipt);
}

static void an_older_channel_is_a_rollback(void **state)
{
	struct hf_buf newer = world_channel_of(&one);
	struct hf_buf file = buf_new();

	(void)state;
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&newer), NULL));
	assert_err(hf_key_check_channel(client(&dev), bytes_of(&first_channel), fresh()),
		HF_ERR_ROLLBACK);
	node_restart(&dev);
	assert_err(hf_key_check_channel(client(&dev), bytes_of(&first_channel), NULL),
		HF_ERR_ROLLBACK);
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&newer), NULL));
	/* the file of it is mended by the next look at it */
	test_file_put(test_path(dev.dir, "trust/channel.der"), "none", 4);
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&newer), NULL));
	assert_ok(hf_file_load(&file, test_path(dev.dir, "trust/channel.der"), NULL));
	assert_int_equal(file.len, newer.len);
	assert_memory_equal(file.p, newer.p, newer.len);
	hf_buf_clear(&file);
	/* an altered one is none at all */
	newer.p[newer.len / 2] ^= 1;
	assert_int_not_equal(hf_key_check_channel(client(&dev), bytes_of(&newer), NULL), HF_OK);
	hf_buf_clear(&newer);
}

static void expired_channels_and_grants_are_refused(void **state)
{
	const struct release *list = &one;
	struct hf_buf channel = world_channel(&list, 1, 100);
	struct hf_buf longer = world_channel(&list, 1, 10 * DAY);
	struct hf_buf grant = buf_new();
	struct hf_buf receipt = buf_new();

	(void)state;
	assert_ok(ask_grant(&grant, &one, &dev_cert, 50));
	world_now += 60;
	assert_err(activate(&dev, &longer, &one, &grant, &receipt), HF_ERR_EXPIRED);
	assert_non_null(strstr(world_ei.text, "grant"));
	world_now += 60;
	assert_err(hf_key_check_channel(client(&foreign), bytes_of(&channel), fresh()),
		HF_ERR_EXPIRED);
	world_now -= 120;
	assert_ok(hf_key_check_channel(client(&foreign), bytes_of(&channel), NULL));
	/* time never goes back behind what was proven */
	world_now += 3 * DAY;
	hf_buf_clear(&channel);
	channel = world_channel_of(&one);
	assert_ok(hf_key_check_channel(client(&foreign), bytes_of(&channel), NULL));
	world_now -= 3 * DAY;
	hf_buf_clear(&grant);
	grant = buf_new();
	assert_ok(ask_grant(&grant, &one, &foreign_cert, 50));
	assert_err(activate(&foreign, &channel, &one, &grant, &receipt), HF_ERR_EXPIRED);
	hf_buf_clear(&channel);
	hf_buf_clear(&longer);
	hf_buf_clear(&grant);
	hf_buf_clear(&receipt);
}

static void a_manifest_must_be_the_one_of_the_channel(void **state)
{
	struct hf_buf channel = world_channel_of(&two);

	(void)state;
	assert_err(hf_key_check_release(client(&dev), "digits", bytes_of(&channel),
			   bytes_of(&one.manifest), fresh()),
		HF_ERR_AUTH);
	assert_err(hf_key_check_release(client(&dev), "letters", bytes_of(&channel),
			   bytes_of(&two.manifest), NULL),
		HF_ERR_NOT_FOUND);
	two.manifest.p[two.manifest.len - 1] ^= 1;
	assert_int_not_equal(hf_key_check_release(client(&dev), "digits", bytes_of(&channel),
				     bytes_of(&two.manifest), NULL),
		HF_OK);
	two.manifest.p[two.manifest.len - 1] ^= 1;
	hf_buf_clear(&channel);
}

static void what_is_active_goes_on_while_the_next_one_comes(void **state)
{
	struct hf_buf moved = world_channel_of(&two);
	struct hf_buf manifest = buf_new();
	uint8_t cek[HF_CEK_LEN];

	(void)state;
	/* release 1 is active; the channel now speaks of 2, which is not here yet */
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&moved), NULL));
	assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
	assert_memory_equal(manifest.p, one.manifest.p, one.manifest.len);
	/* not for ever: the channel that named it gets too old */
	world_now += 31 * DAY;
	assert_err(open_as(&dev, dev.uid, "digits", &manifest, cek), HF_ERR_EXPIRED);
	world_now -= 31 * DAY;
	hf_buf_clear(&moved);
	hf_buf_clear(&manifest);
}

static void a_release_below_the_floor_does_not_come_back(void **state)
{
	struct hf_buf three_channel = world_channel_of(&three);
	struct hf_buf grant = world_grant(&three, &dev_cert);
	struct hf_buf old_grant = world_grant(&two, &dev_cert);
	struct hf_buf receipt = buf_new();
	struct hf_buf manifest = buf_new();
	struct hf_buf back;
	uint8_t cek[HF_CEK_LEN];

	(void)state;
	/* the floor rises with the activation, not with the news of it: what runs goes on */
	assert_ok(hf_key_check_channel(client(&dev), bytes_of(&three_channel), NULL));
	assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
	assert_ok(activate(&dev, &three_channel, &three, &grant, &receipt));
	assert_ok(open_as(&dev, dev.uid, "digits", &manifest, cek));
	/* a director who goes back, with everything in order but the floor of the device */
	back = world_channel_of(&two);
	node_restart(&dev);
	assert_err(hf_key_check_release(client(&dev), "digits", bytes_of(&back),
			   bytes_of(&two.manifest), fresh()),
		HF_ERR_ROLLBACK);
	assert_err(activate(&dev, &back, &two, &old_grant, &receipt), HF_ERR_ROLLBACK);
	hf_buf_clear(&three_channel);
	hf_buf_clear(&grant);
	hf_buf_clear(&old_grant);
	hf_buf_clear(&receipt);
	hf_buf_clear(&manifest);
	hf_buf_clear(&back);
}

static void grants_are_given_for_what_was_signed_only(void **state)
{
	struct hf_buf grant = buf_new();
	struct release mixed = one;

	(void)state;
	one.manifest.p[one.manifest.len - 1] ^= 1;
	assert_int_not_equal(ask_grant(&grant, &one, &dev_cert, 60), HF_OK);
	one.manifest.p[one.manifest.len - 1] ^= 1;
	one.deposit.p[one.deposit.len - 1] ^= 1;
	assert_int_not_equal(ask_grant(&grant, &one, &dev_cert, 60), HF_OK);
	one.deposit.p[one.deposit.len - 1] ^= 1;
	mixed.deposit = two.deposit;
	assert_err(ask_grant(&grant, &mixed, &dev_cert, 60), HF_ERR_DENIED);
	mixed.deposit = one.manifest;
	assert_int_not_equal(ask_grant(&grant, &mixed, &dev_cert, 60), HF_OK);
	dev_cert.p[dev_cert.len - 1] ^= 1;
	assert_int_not_equal(ask_grant(&grant, &one, &dev_cert, 60), HF_OK);
	dev_cert.p[dev_cert.len - 1] ^= 1;
	assert_err(ask_grant(&grant, &one, &dev_cert, 0), HF_ERR_ARG);
	assert_int_equal(grant.len, 0);
	assert_ok(ask_grant(&grant, &one, &dev_cert, 60));
	hf_buf_clear(&grant);
}

static void grants_go_to_devices_with_their_present_certificate(void **state)
{
	struct hf_buf grant = buf_new();
	struct hf_buf cert = buf_new();
	struct hf_party publisher;
	struct node other;
	struct joining j;

	(void)state;
	/* a publisher is no device, and a signing certificate does not decrypt */
	assert_ok(hf_party_open(
		&publisher, &world_env, test_path(world_dir, "domain/publisher"), NULL));
	assert_ok(hf_buf_put(&cert, publisher.enc.der.p, publisher.enc.der.len));
	assert_err(ask_grant(&grant, &one, &cert, 60), HF_ERR_DENIED);
	hf_party_clear(&publisher);
	hf_buf_reset(&cert);
	assert_ok(hf_buf_put(&cert, world_hub.sign.der.p, world_hub.sign.der.len));
	assert_err(ask_grant(&grant, &one, &cert, 60), HF_ERR_PURPOSE);
	hf_buf_reset(&cert);
	assert_ok(hf_buf_put(&cert, world_hub.enc.der.p, world_hub.enc.der.len));
	assert_ok(ask_grant(&grant, &one, &cert, 60)); /* the hub itself */
	hf_buf_reset(&cert);
	/* an enrolment anew replaces what was issued before */
	world_join(&other, "dev-3", HF_ROLE_EDGE, &cert);
	hf_buf_reset(&grant);
	assert_ok(ask_grant(&grant, &one, &cert, 60));
	node_stop(&other);
	joining_init(&j);
	node_init(&other, "dev-3-again", "dev-3", HF_ROLE_EDGE);
	assert_ok(node_start(&other));
	make_token(&j, "dev-3", "edge", 60);
	join_ask(&j, &other);
	assert_ok(join_issue(&j));
	hf_buf_reset(&grant);
	assert_err(ask_grant(&grant, &one, &cert, 60), HF_ERR_DENIED);
	assert_ok(ask_grant(&grant, &one, &j.enc_cert, 60));
	node_stop(&other);
	joining_clear(&j);
	hf_buf_clear(&grant);
	hf_buf_clear(&cert);
}

static void grants_are_bounded_by_policy_and_levels(void **state)
{
	const struct release *list;
	struct hf_buf high_cert = buf_new();
	struct hf_buf grant = buf_new();
	struct hf_buf channel;
	struct hf_bytes content;
	struct hf_manifest m;
	struct hf_grant g;
	struct release high;
	struct node edge;
	struct counting c;

	(void)state;
	world_level = HF_L2;
	world_join(&edge, "edge-2", HF_ROLE_EDGE, &high_cert);
	world_seal(&high, "secret", 1, 0);
	/* of L2, so not for a device of L1 */
	assert_err(ask_grant(&grant, &high, &dev_cert, 60), HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "L2"));
	/* row grant.cache: 72 hours, whatever was asked for; and it does not travel */
	assert_ok(ask_grant(&grant, &high, &high_cert, 400 * DAY));
	assert_ok(hf_object_peek(&content, HF_OBJECT_GRANT, bytes_of(&grant), NULL));
	assert_ok(hf_grant_parse(&g, HF_OBJECT_GRANT, content, NULL));
	assert_int_equal(g.context.not_after_s, world_now + 3 * DAY);
	assert_false(g.context.may_travel);
	/* at L1 no such row: certificate and manifest bound it, the sooner one counts */
	hf_buf_reset(&grant);
	assert_ok(ask_grant(&grant, &one, &dev_cert, 400 * DAY));
	assert_ok(hf_object_peek(&content, HF_OBJECT_GRANT, bytes_of(&grant), NULL));
	assert_ok(hf_grant_parse(&g, HF_OBJECT_GRANT, content, NULL));
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST, bytes_of(&one.manifest), NULL));
	assert_ok(hf_manifest_parse(&m, content, NULL));
	assert_int_equal(g.context.not_after_s, m.expires_s);
	assert_true(g.context.may_travel);
	/* this version has no signed time: the row's name is in the text and on the record */
	list = &high;
	channel = world_channel(&list, 1, DAY);
	assert_err(hf_key_check_release(client(&edge), "secret", bytes_of(&channel),
			   bytes_of(&high.manifest), fresh()),
		HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "time.signed-answer"));
	node_stop(&edge);
	c = log_count(&edge, HF_EV_POLICY_REFUSED);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.rule, "time.signed-answer");
	world_level = HF_L1;
	release_clear(&high);
	hf_buf_clear(&channel);
	hf_buf_clear(&high_cert);
	hf_buf_clear(&grant);
}

static void inventories_say_what_runs(void **state)
{
	static const uint8_t nonce[HF_RECEIPT_NONCE_LEN] = { 9, 8, 7 };
	struct hf_buf out = buf_new();
	struct hf_inventory_item item;
	struct hf_inventory inv;
	struct hf_bytes content;
	struct hf_bytes rest;

	(void)state;
	assert_ok(hf_key_sign_inventory(client(&dev), nonce, &out, fresh()));
	assert_ok(hf_object_peek(&content, HF_OBJECT_INVENTORY, bytes_of(&out), NULL));
	assert_ok(hf_inventory_parse(&inv, content, NULL));
	assert_memory_equal(inv.nonce, nonce, sizeof(nonce));
	assert_string_equal(inv.device, "dev-1");
	assert_string_equal(inv.event, "rollback");
	assert_int_equal(inv.n_items, 1);
	rest = inv.items;
	assert_ok(hf_inventory_item_take(&item, &rest));
	assert_string_equal(item.lineage, "digits");
	assert_int_equal(item.release, 3);
	assert_int_equal(item.floor, 3);
	assert_true(item.is_active);
	hf_buf_clear(&out);
}

static void every_step_is_on_the_record(void **state)
{
	static const enum hf_audit_event of_device[] = { HF_EV_AUDIT_OPEN, HF_EV_MODULE_START,
		HF_EV_MODEL_CHANNEL, HF_EV_MODEL_VERIFY, HF_EV_MODEL_ACTIVATE, HF_EV_MODEL_OPEN,
		HF_EV_KEY_UNWRAP, HF_EV_SIGN, HF_EV_MODEL_REFUSED };
	static const enum hf_audit_event of_hub[] = { HF_EV_TOKEN_ISSUE, HF_EV_ENROL, HF_EV_SIGN,
		HF_EV_MODEL_CHANNEL, HF_EV_MODEL_GRANT, HF_EV_KEY_UNWRAP, HF_EV_MODEL_REFUSED };
	char user[32];

	(void)state;
	node_stop(&dev);
	node_stop(&hub);
	for (size_t i = 0; i < HF_COUNT(of_device); i++)
		assert_true(log_count(&dev, of_device[i]).n > 0);
	for (size_t i = 0; i < HF_COUNT(of_hub); i++)
		assert_true(log_count(&hub, of_hub[i]).n > 0);
	(void)snprintf(user, sizeof(user), "uid:%u", (unsigned)dev.uid);
	assert_string_equal(log_count(&dev, HF_EV_MODEL_OPEN).actor, user);
	assert_string_equal(log_count(&hub, HF_EV_MODEL_GRANT).subject, "device:dev-1");
	assert_ok(node_start(&dev));
	assert_ok(node_start(&hub));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(serials_rise_over_restarts),
		cmocka_unit_test(a_channel_with_a_wrong_list_is_not_signed),
		cmocka_unit_test(the_main_job),
		cmocka_unit_test(who_may_not_open_gets_nothing),
		cmocka_unit_test(an_altered_object_that_a_user_finds_is_recorded),
		cmocka_unit_test(a_grant_of_another_device_is_refused),
		cmocka_unit_test(an_older_channel_is_a_rollback),
		cmocka_unit_test(expired_channels_and_grants_are_refused),
		cmocka_unit_test(a_manifest_must_be_the_one_of_the_channel),
		cmocka_unit_test(what_is_active_goes_on_while_the_next_one_comes),
		cmocka_unit_test(a_release_below_the_floor_does_not_come_back),
		cmocka_unit_test(grants_are_given_for_what_was_signed_only),
		cmocka_unit_test(grants_go_to_devices_with_their_present_certificate),
		cmocka_unit_test(grants_are_bounded_by_policy_and_levels),
		cmocka_unit_test(inventories_say_what_runs),
		cmocka_unit_test(every_step_is_on_the_record),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
