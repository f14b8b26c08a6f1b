/* SPDX-License-Identifier: Apache-2.0 */
/* What devices say and send: receipts, inventories, uploads; and what others say in their name. */
#include "serve_world.h"

#include "pkg/receipt.h"

static struct served s;
static struct node dev;
static struct node dev2;
static struct node edge;
static struct goods *one;

static int make(void **state)
{
	struct wire *w;

	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&s);
	serve_join(&s, &dev, "dev-1", HF_ROLE_DEVICE);
	serve_join(&s, &dev2, "dev-2", HF_ROLE_DEVICE);
	serve_join(&s, &edge, "edge-1", HF_ROLE_EDGE);
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 3, .floor = 2 });
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	publish(w, one);
	wire_end(w);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&s);
	goods_free(one);
	node_stop(&dev);
	node_stop(&dev2);
	node_stop(&edge);
	world_delete();
	return 0;
}

static unsigned post(struct wire *w, const char *path, const struct hf_buf *object)
{
	return status_of(w, HF_HTTP_POST, path, object->p, object->len);
}

/* The channel, as bytes. */
static struct hf_buf channel_of(struct wire *w)
{
	struct hf_buf out = buf_new();
	struct ask a;

	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	assert_int_equal(ask_run(&a, w), 200);
	assert_ok(hf_buf_put(&out, a.answer.body, a.answer.len));
	ask_clear(&a);
	return out;
}

/* The receipt of a device that activates a release. */
static struct hf_buf receipt_of(struct node *n)
{
	struct wire *w = wire_of(s.serve, n->dir);
	struct hf_buf channel = channel_of(w);
	struct hf_buf grant = buf_new();
	struct hf_buf receipt = buf_new();

	assert_int_equal(post_grant(w, one->name, n, &grant), 200);
	assert_ok(hf_key_activate(client(n), "digits", bytes_of(&channel),
		bytes_of(&one->statement), bytes_of(&grant), &receipt, fresh()));
	hf_buf_clear(&channel);
	hf_buf_clear(&grant);
	wire_end(w);
	return receipt;
}

/* A receipt that somebody signed with a key of their own. */
static struct hf_buf forge(const struct hf_receipt *r)
{
	struct hf_sm2_key key;
	struct hf_local_key local = { &key, &world_env.rng };
	struct hf_signer signer;
	const struct hf_signer *signers[] = { &signer };
	struct hf_buf content = buf_new();
	struct hf_buf object = buf_new();

	assert_ok(hf_sm2_key_new(&key, &world_env.rng));
	signer = hf_signer_local(&local);
	assert_ok(hf_receipt_emit(&content, r, NULL));
	assert_ok(hf_object_sign(&object, HF_OBJECT_RECEIPT, bytes_of(&content), signers, 1, NULL));
	hf_buf_clear(&content);
	return object;
}

static hf_err count_receipts(void *ctx, const struct hf_meta_signed *row)
{
	unsigned *n = ctx;

	assert_string_equal(row->device, "dev-1");
	*n += 1;
	return HF_OK;
}

static unsigned n_receipts(void)
{
	unsigned n = 0;

	assert_ok(hf_meta_receipt_list(s.node.meta, "dev-1", 100, count_receipts, &n, NULL));
	return n;
}

static void a_receipt_is_kept_once(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct hf_buf receipt = receipt_of(&dev);

	(void)state;
	assert_int_equal(post(w, "/v1/receipts", &receipt), 200);
	assert_int_equal(n_receipts(), 1);
	assert_int_equal(post(w, "/v1/receipts", &receipt), 200); /* twice is once */
	assert_int_equal(n_receipts(), 1);
	assert_int_equal(hub_count(HF_EV_MODEL_RECEIPT).n, 1);
	assert_string_equal(hub_count(HF_EV_MODEL_RECEIPT).subject, "device:dev-1");
	hf_buf_clear(&receipt);
	wire_end(w);
}

static void a_receipt_of_somebody_else_is_refused(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *e = wire_of(s.serve, edge.dir);
	struct hf_buf theirs = receipt_of(&dev2);
	struct hf_buf forged;
	struct hf_receipt r;
	struct hf_bytes content;

	(void)state;
	assert_int_equal(post(w, "/v1/receipts", &theirs), 403); /* dev-1 for dev-2 */
	assert_int_equal(post(e, "/v1/receipts", &theirs), 200); /* an edge may bring it */
	assert_ok(hf_object_peek(&content, HF_OBJECT_RECEIPT, bytes_of(&theirs), NULL));
	assert_ok(hf_receipt_parse(&r, content, NULL));
	memcpy(r.device, "dev-1", sizeof("dev-1"));
	forged = forge(&r);
	assert_int_equal(post(w, "/v1/receipts", &forged), 401);
	assert_int_equal(post(e, "/v1/receipts", &forged), 401);
	hf_buf_clear(&forged);
	memcpy(r.device, "nobody", sizeof("nobody"));
	forged = forge(&r);
	assert_int_equal(post(e, "/v1/receipts", &forged), 401); /* who is not ours */
	hf_buf_clear(&forged);
	hf_buf_clear(&theirs);
	assert_int_equal(n_receipts(), 1);
	wire_end(w);
	wire_end(e);
}

static void a_receipt_that_is_none_is_refused(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct hf_buf receipt = receipt_of(&dev);
	struct hf_buf big = buf_new();
	uint8_t *room = NULL;

	(void)state;
	for (size_t len = 0; len < receipt.len; len += 1 + receipt.len / 20)
		assert_int_equal(status_of(w, HF_HTTP_POST, "/v1/receipts", receipt.p, len), 400);
	for (size_t at = 0; at < receipt.len; at += 1 + receipt.len / 30) {
		receipt.p[at] ^= 0x21;
		assert_true(post(w, "/v1/receipts", &receipt) >= 400);
		receipt.p[at] ^= 0x21;
	}
	assert_int_equal(
		status_of(w, HF_HTTP_POST, "/v1/receipts", one->statement.p, one->statement.len),
		400);
	assert_ok(hf_buf_room(&big, &room, (16 << 10) + 1));
	assert_int_equal(post(w, "/v1/receipts", &big), 413);
	hf_buf_clear(&big);
	hf_buf_clear(&receipt);
	wire_end(w);
}

static void take_nonce(struct wire *w, uint8_t nonce[HF_RECEIPT_NONCE_LEN])
{
	struct ask a;
	char hex[64] = { 0 };
	size_t len = 0;

	ask_init(&a, HF_HTTP_GET, "/v1/inventory");
	assert_int_equal(ask_run(&a, w), 200);
	assert_int_equal(
		sscanf((const char *)a.answer.body, "{\"nonce\":\"%32[0-9a-f]\"}", hex), 1);
	assert_ok(hf_hex_parse(nonce, HF_RECEIPT_NONCE_LEN, &len, hex, strlen(hex)));
	ask_clear(&a);
}

static struct hf_buf inventory_of(struct node *n, const uint8_t nonce[HF_RECEIPT_NONCE_LEN])
{
	struct hf_buf out = buf_new();

	assert_ok(hf_key_sign_inventory(client(n), nonce, &out, fresh()));
	return out;
}

static void an_inventory_is_over_a_nonce_of_ours_used_once(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *e = wire_of(s.serve, edge.dir);
	uint8_t nonce[HF_RECEIPT_NONCE_LEN];
	uint8_t made_up[HF_RECEIPT_NONCE_LEN] = { 7 };
	struct hf_buf inventory;

	(void)state;
	take_nonce(w, nonce);
	inventory = inventory_of(&dev, nonce);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 200);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 409); /* once */
	hf_buf_clear(&inventory);
	inventory = inventory_of(&dev, made_up);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 409);
	hf_buf_clear(&inventory);
	/* in another's name: not by a device, but by an edge */
	take_nonce(e, nonce);
	inventory = inventory_of(&dev2, nonce);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 403);
	assert_int_equal(post(e, "/v1/inventory", &inventory), 200);
	/* what is not what was signed uses up no nonce */
	take_nonce(w, nonce);
	hf_buf_clear(&inventory);
	inventory = inventory_of(&dev, nonce);
	inventory.p[inventory.len - 1] ^= 1;
	assert_int_equal(post(w, "/v1/inventory", &inventory), 401);
	inventory.p[inventory.len - 1] ^= 1;
	assert_int_equal(post(w, "/v1/inventory", &inventory), 200);
	hf_buf_clear(&inventory);
	assert_int_equal(hub_count(HF_EV_MODEL_INVENTORY).n, 3);
	wire_end(w);
	wire_end(e);
}

static void nonces_are_a_bounded_number(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *v = wire_of(s.serve, dev2.dir);
	uint8_t others[HF_RECEIPT_NONCE_LEN];
	uint8_t first[HF_RECEIPT_NONCE_LEN];
	uint8_t nonce[HF_RECEIPT_NONCE_LEN];
	struct hf_buf inventory;

	(void)state;
	take_nonce(v, others);
	take_nonce(w, first);
	for (unsigned i = 0; i < 1200; i++)
		take_nonce(w, nonce);
	inventory = inventory_of(&dev, first);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 409); /* pushed out by its own */
	hf_buf_clear(&inventory);
	inventory = inventory_of(&dev, nonce);
	assert_int_equal(post(w, "/v1/inventory", &inventory), 200);
	hf_buf_clear(&inventory);
	inventory = inventory_of(&dev2, others);
	assert_int_equal(post(v, "/v1/inventory", &inventory), 200); /* and by nobody else's */
	hf_buf_clear(&inventory);
	wire_end(w);
	wire_end(v);
}

/* An inventory that the device's key signed, with other numbers. */
static struct hf_buf signed_inventory(const struct node *n, struct hf_inventory *inv)
{
	struct hf_sm2_key key;
	struct hf_local_key local = { &key, &world_env.rng };
	struct hf_signer signer;
	const struct hf_signer *signers[] = { &signer };
	struct hf_buf content = buf_new();
	struct hf_buf object = buf_new();
	uint8_t seed[HF_KEY_SEED_LEN];
	struct hf_party p;

	assert_ok(hf_party_open(&p, &world_env, n->dir, NULL));
	assert_ok(hf_party_seed(&world_env, n->dir, false, seed, NULL));
	assert_ok(hf_party_key(&world_env, &p, "sign", seed, &key, NULL));
	signer = hf_signer_local(&local);
	assert_ok(hf_inventory_emit(&content, inv, NULL));
	assert_ok(
		hf_object_sign(&object, HF_OBJECT_INVENTORY, bytes_of(&content), signers, 1, NULL));
	hf_party_clear(&p);
	hf_buf_clear(&content);
	return object;
}

static unsigned post_numbers(struct wire *w, uint64_t root_version, uint64_t serial, uint64_t floor)
{
	struct hf_inventory_item item = {
		.lineage = "digits", .release = 3, .floor = floor, .is_active = true
	};
	struct hf_inventory inv = { .domain = "plant-7",
		.device = "dev-1",
		.time_s = world_now,
		.root_version = root_version,
		.channel_serial = serial };
	struct hf_buf items = buf_new();
	struct hf_buf object;
	unsigned status;

	assert_ok(hf_inventory_item_put(&items, &item));
	inv.items = bytes_of(&items);
	inv.n_items = 1;
	take_nonce(w, inv.nonce);
	object = signed_inventory(&dev, &inv);
	status = post(w, "/v1/inventory", &object);
	hf_buf_clear(&object);
	hf_buf_clear(&items);
	return status;
}

static void counters_that_go_back_raise_an_alarm_and_are_answered(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	unsigned n = hub_count(HF_EV_MODEL_REFUSED).n;

	(void)state;
	assert_int_equal(post_numbers(w, 1, 1, 3), 200);
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n);
	assert_int_equal(post_numbers(w, 1, 1, 2), 200); /* the floor */
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n + 1);
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).reason, HF_ERR_ROLLBACK);
	assert_string_equal(hub_count(HF_EV_MODEL_REFUSED).subject, "device:dev-1");
	assert_int_equal(post_numbers(w, 1, 0, 2), 200); /* the channel */
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n + 2);
	assert_int_equal(post_numbers(w, 2, 0, 2), 200);
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n + 2);
	assert_int_equal(post_numbers(w, 1, 0, 2), 200); /* the root */
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n + 3);
	assert_int_equal(post_numbers(w, 1, 99, 2), 200); /* it saw what this hub never said */
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).n, n + 4);
	wire_end(w);
}

static unsigned post_upload(struct wire *w, const struct goods *g)
{
	return post_name(w, "/v1/uploads", "upload", g->name);
}

static void an_upload_is_taken_when_all_of_it_is_there(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct goods *g = goods_uploaded(&dev, 1, 5);
	struct ask a;
	char json[128];

	(void)state;
	assert_int_equal(post_upload(w, g), 409);
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	assert_int_equal(put_page(w, g, 1), 201);
	assert_int_equal(post_upload(w, g), 409);
	g->packs[0].bytes.p[100] ^= 1;
	assert_int_equal(put_pack(w, g, 0), 401);
	g->packs[0].bytes.p[100] ^= 1;
	assert_int_equal(put_pack(w, g, 0), 201);
	assert_int_equal(post_upload(w, g), 200);
	assert_int_equal(post_upload(w, g), 200);
	assert_int_equal(hub_count(HF_EV_MODEL_UPLOAD).n, 1);
	ask_init(&a, HF_HTTP_POST, "/v1/uploads");
	(void)snprintf(json, sizeof(json), "{\"upload\":\"%s\"}", strchr(g->path, '/') + 1);
	a.call.body = (const uint8_t *)json;
	a.call.body_len = strlen(json);
	assert_int_equal(ask_run(&a, w), 200);
	assert_string_equal((const char *)a.answer.body, "{\"counter\":1}");
	ask_clear(&a);
	goods_free(g);
	wire_end(w);
}

static void a_counter_names_one_upload(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct goods *again = goods_uploaded(&dev, 1, 1);
	struct goods *later = goods_uploaded(&dev, 7, 1);
	struct goods *between = goods_uploaded(&dev, 5, 1);

	(void)state;
	put_all(w, again);
	assert_int_equal(post_upload(w, again), 409);
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).reason, HF_ERR_ROLLBACK);
	put_all(w, later);
	assert_int_equal(post_upload(w, later), 200);
	put_all(w, between); /* an outbox need not be emptied in order */
	assert_int_equal(post_upload(w, between), 200);
	goods_free(again);
	goods_free(later);
	goods_free(between);
	wire_end(w);
}

static void an_upload_is_the_devices_own(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *e = wire_of(s.serve, edge.dir);
	struct wire *p = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	struct goods *theirs = goods_uploaded(&dev2, 1, 1);
	struct goods *forged = goods_uploaded(&dev, 8, 1);
	struct hf_sm2_key key;
	struct hf_local_key local = { &key, &world_env.rng };
	struct hf_signer signer;
	const struct hf_signer *signers[] = { &signer };
	struct hf_buf object = buf_new();
	struct hf_bytes content;

	(void)state;
	assert_int_equal(put_statement(w, theirs), 403);
	assert_int_equal(put_statement(p, theirs), 403); /* publishers bring manifests */
	assert_false(is_stored(&s, HF_OBJECT_UPLOAD, theirs->name));
	put_all(e, theirs); /* an edge brings it for the device */
	assert_int_equal(put_page(w, theirs, 0), 403);
	assert_int_equal(put_pack(p, theirs, 0), 403);
	assert_int_equal(post_upload(w, theirs), 403);
	assert_int_equal(post_upload(e, theirs), 200);
	/* signed by another key than the device's */
	assert_ok(hf_sm2_key_new(&key, &world_env.rng));
	signer = hf_signer_local(&local);
	assert_ok(hf_object_peek(&content, HF_OBJECT_UPLOAD, bytes_of(&forged->statement), NULL));
	assert_ok(hf_object_sign(&object, HF_OBJECT_UPLOAD, content, signers, 1, NULL));
	hf_object_name(forged->name, object.p, object.len);
	hf_buf_clear(&forged->statement);
	forged->statement = object;
	assert_int_equal(put_statement(w, forged), 401);
	assert_false(is_stored(&s, HF_OBJECT_UPLOAD, forged->name));
	goods_free(theirs);
	goods_free(forged);
	wire_end(w);
	wire_end(e);
	wire_end(p);
}

static void an_upload_is_sealed_to_this_hub(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct goods *g = goods_uploaded(&dev, 9, 1);
	struct hf_bytes own = s.node.party.enc.der;
	char path[128];

	(void)state;
	s.node.party.enc.der = s.node.party.sign.der;
	assert_int_equal(put_statement(w, g), 403);
	s.node.party.enc.der = own;
	assert_int_equal(put_statement(w, g), 201);
	/* and is given out to nobody */
	object_url(path, HF_OBJECT_UPLOAD, g->name);
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 403);
	goods_free(g);
	wire_end(w);
}

static void a_suspended_device_is_not_heard(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct goods *g = goods_uploaded(&dev, 10, 1);
	struct hf_buf receipt = receipt_of(&dev);

	(void)state;
	assert_ok(hf_meta_device_state(s.node.meta, "dev-1", 2, NULL));
	assert_int_equal(put_statement(w, g), 403);
	assert_int_equal(post(w, "/v1/receipts", &receipt), 403);
	assert_int_equal(post_grant(w, one->name, &dev, NULL), 403);
	assert_ok(hf_meta_device_state(s.node.meta, "dev-1", 1, NULL));
	assert_int_equal(put_statement(w, g), 201);
	hf_buf_clear(&receipt);
	goods_free(g);
	wire_end(w);
}

static void refusals_beyond_a_number_are_counted_only(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	unsigned n = hub_count(HF_EV_REQUEST_REFUSED).n;
	uint64_t refused = stats_of(&s).n_refused;

	(void)state;
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(post_json(w, "/v1/releases", "{}"), 403);
	assert_int_equal(stats_of(&s).n_refused, refused + 100);
	assert_int_equal(hub_count(HF_EV_REQUEST_REFUSED).n, n + 64);
	wire_end(w); /* the rest is one record */
	assert_int_equal(hub_count(HF_EV_REQUEST_REFUSED).n, n + 65);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_receipt_is_kept_once),
		cmocka_unit_test(a_receipt_of_somebody_else_is_refused),
		cmocka_unit_test(a_receipt_that_is_none_is_refused),
		cmocka_unit_test(an_inventory_is_over_a_nonce_of_ours_used_once),
		cmocka_unit_test(nonces_are_a_bounded_number),
		cmocka_unit_test(counters_that_go_back_raise_an_alarm_and_are_answered),
		cmocka_unit_test(an_upload_is_taken_when_all_of_it_is_there),
		cmocka_unit_test(a_counter_names_one_upload),
		cmocka_unit_test(an_upload_is_the_devices_own),
		cmocka_unit_test(an_upload_is_sealed_to_this_hub),
		cmocka_unit_test(a_suspended_device_is_not_heard),
		cmocka_unit_test(refusals_beyond_a_number_are_counted_only),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
