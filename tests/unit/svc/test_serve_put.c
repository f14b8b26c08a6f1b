/* SPDX-License-Identifier: Apache-2.0 */
/* Objects coming into a hub: what is not exactly what was signed never gets a name. */
#include "serve_world.h"

#include "svc/serve_inner.h"

static struct served s;
static struct goods *g;
static struct goods *foreign; /* another package */
static struct node dev;

static int make(void **state)
{
	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&s);
	serve_join(&s, &dev, "dev-1", HF_ROLE_DEVICE);
	g = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 1, .seed = 1 });
	foreign = goods_sealed(&(struct sealing){ .lineage = "other", .release = 1, .seed = 2 });
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&s);
	goods_free(g);
	goods_free(foreign);
	node_stop(&dev);
	world_delete();
	return 0;
}

/* Every test begins with an empty hub, and a publisher at its door. */
static struct wire *empty_hub(void)
{
	served_stop(&s);
	assert_ok(hf_dir_delete_all(&test_mem, test_path(hub.dir, "objects"), NULL));
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&s);
	return wire_of(s.serve, test_path(world_dir, "domain/publisher"));
}

/* With statement, deposit and pages of g there. */
static struct wire *hub_with_pages(void)
{
	struct wire *w = empty_hub();

	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_deposit(w, g), 201);
	assert_int_equal(put_page(w, g, 0), 201);
	assert_int_equal(put_page(w, g, 1), 201);
	return w;
}

static void what_is_whole_is_taken_once(void **state)
{
	struct wire *w = hub_with_pages();
	struct ask a;
	char path[128];

	(void)state;
	assert_int_equal(g->n_packs, 1);
	object_url(path, HF_OBJECT_PACK, g->packs[0].name);
	assert_int_equal(status_of(w, HF_HTTP_HEAD, path, NULL, 0), 404);
	assert_int_equal(put_pack(w, g, 0), 201);
	assert_int_equal(put_pack(w, g, 0), 200);
	assert_int_equal(put_page(w, g, 0), 200);
	assert_int_equal(put_statement(w, g), 200);
	assert_int_equal(put_deposit(w, g), 200);
	ask_init(&a, HF_HTTP_HEAD, path);
	assert_int_equal(ask_run(&a, w), 200);
	assert_string_equal(a.answer.head.fields[0].name, HF_FIELD_LENGTH);
	assert_int_equal(strtoul(a.answer.head.fields[0].value, NULL, 10), g->packs[0].bytes.len);
	ask_clear(&a);
	assert_int_equal(unfinished(&s), 0);
	assert_true(stats_of(&s).bytes_in > g->packs[0].bytes.len);
	wire_end(w);
}

/* A pack with one byte altered; what the hub says to it. */
static unsigned put_altered(struct wire *w, size_t at)
{
	struct hf_buf *pack = &g->packs[0].bytes;
	unsigned status;

	pack->p[at] ^= 0x10;
	status = put_pack(w, g, 0);
	pack->p[at] ^= 0x10;
	return status;
}

static void an_altered_byte_of_a_pack_is_refused_wherever_it_is(void **state)
{
	struct wire *w = hub_with_pages();
	size_t len = g->packs[0].bytes.len;
	const size_t places[] = { 0, 1, 65535, 65536, len / 2, len - 65536, len - 2, len - 1 };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(places); i++) {
		assert_int_equal(put_altered(w, places[i]), 401);
		assert_false(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
		assert_int_equal(unfinished(&s), 0);
	}
	assert_true(hub_count(HF_EV_MODEL_REFUSED).n >= HF_COUNT(places));
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).reason, HF_ERR_AUTH);
	assert_string_equal(hub_count(HF_EV_MODEL_REFUSED).actor, "publisher:publisher");
	assert_int_equal(put_pack(w, g, 0), 201); /* and the honest one is taken after all */
	wire_end(w);
}

static void chunks_in_another_order_are_refused(void **state)
{
	struct wire *w = hub_with_pages();
	struct hf_buf *pack = &g->packs[0].bytes;
	uint8_t *swapped = malloc(pack->len);
	struct putting p = { HF_OBJECT_PACK, g->packs[0].name, { swapped, pack->len }, g->path,
		g->packs[0].chunk };
	size_t chunk = (64 << 10) + HF_CHUNK_TAG_LEN;

	(void)state;
	assert_non_null(swapped);
	memcpy(swapped, pack->p, pack->len);
	memcpy(swapped, pack->p + chunk, chunk);
	memcpy(swapped + chunk, pack->p, chunk);
	assert_int_equal(put_object(w, &p), 401);
	memcpy(swapped, pack->p, chunk); /* the first one twice */
	assert_int_equal(put_object(w, &p), 401);
	assert_false(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	assert_int_equal(unfinished(&s), 0);
	free(swapped);
	wire_end(w);
}

static void a_pack_that_ends_early_or_goes_on_is_refused(void **state)
{
	struct wire *w = hub_with_pages();
	struct hf_buf *pack = &g->packs[0].bytes;
	size_t len = pack->len;
	const size_t cuts[] = { 0, 1, (64 << 10) + 16, len / 2, len - 1 };
	uint8_t *longer = calloc(1, len + 1);
	struct putting p = { HF_OBJECT_PACK, g->packs[0].name, { longer, len + 1 }, g->path,
		g->packs[0].chunk };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(cuts); i++) {
		pack->len = cuts[i];
		assert_int_equal(put_pack(w, g, 0), 400);
		assert_int_equal(unfinished(&s), 0);
	}
	pack->len = len;
	assert_non_null(longer);
	memcpy(longer, pack->p, len);
	assert_int_equal(put_object(w, &p), 413);
	assert_false(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	assert_int_equal(unfinished(&s), 0);
	free(longer);
	wire_end(w);
}

static void a_pack_of_another_package_is_refused(void **state)
{
	struct wire *w = hub_with_pages();
	struct putting p = { HF_OBJECT_PACK, foreign->packs[0].name,
		bytes_of(&foreign->packs[0].bytes), g->path, "0" };

	(void)state;
	assert_int_equal(put_object(w, &p), 403);
	p.name = g->packs[0].name; /* under the name of ours */
	assert_int_equal(put_object(w, &p), 401);
	p.bytes = bytes_of(&g->packs[0].bytes);
	p.chunk = "1"; /* not where it begins */
	assert_int_equal(put_object(w, &p), 403);
	p.chunk = "11"; /* beyond the last chunk */
	assert_int_equal(put_object(w, &p), 403);
	p.chunk = "18446744073709551616";
	assert_int_equal(put_object(w, &p), 400);
	p.chunk = "-1";
	assert_int_equal(put_object(w, &p), 400);
	p.chunk = NULL;
	assert_int_equal(put_object(w, &p), 400);
	p.chunk = "0";
	p.statement = foreign->path; /* which has not come */
	assert_int_equal(put_object(w, &p), 409);
	p.statement = "table/00";
	assert_int_equal(put_object(w, &p), 400);
	p.statement = NULL;
	assert_int_equal(put_object(w, &p), 400);
	assert_false(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	assert_false(is_stored(&s, HF_OBJECT_PACK, foreign->packs[0].name));
	assert_int_equal(unfinished(&s), 0);
	wire_end(w);
}

static void the_statement_comes_first_and_the_table_before_its_packs(void **state)
{
	struct wire *w = empty_hub();

	(void)state;
	assert_int_equal(put_pack(w, g, 0), 409);
	assert_int_equal(put_page(w, g, 0), 409);
	assert_int_equal(put_deposit(w, g), 409);
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_pack(w, g, 0), 409);
	assert_int_equal(put_page(w, g, 0), 201);
	assert_int_equal(put_pack(w, g, 0), 201); /* the index page is not needed for it */
	assert_int_equal(unfinished(&s), 0);
	wire_end(w);
}

static void pages_are_those_of_the_statement(void **state)
{
	struct wire *w = hub_with_pages();
	struct hf_buf page = buf_new();
	struct putting p = { HF_OBJECT_TABLE, page_name(foreign, 0), bytes_of(&foreign->pages[0]),
		g->path, NULL };

	(void)state;
	assert_int_equal(put_object(w, &p), 403); /* another package's page */
	p.name = page_name(g, 1);
	p.bytes = bytes_of(&g->pages[1]);
	assert_int_equal(put_object(w, &p), 403); /* an index page as a table page */
	served_stop(&s);
	w = empty_hub();
	assert_int_equal(put_statement(w, g), 201);
	assert_ok(hf_buf_put(&page, g->pages[0].p, g->pages[0].len));
	for (size_t at = 0; at < page.len; at += page.len / 7) {
		page.p[at] ^= 1;
		p = (struct putting){ HF_OBJECT_TABLE, page_name(g, 0), bytes_of(&page), g->path,
			NULL };
		assert_int_equal(put_object(w, &p), 401);
		page.p[at] ^= 1;
	}
	page.len--;
	p.bytes = bytes_of(&page);
	assert_int_equal(put_object(w, &p), 401);
	assert_false(is_stored(&s, HF_OBJECT_TABLE, page_name(g, 0)));
	assert_int_equal(put_page(w, g, 0), 201);
	hf_buf_clear(&page);
	wire_end(w);
}

static void a_statement_needs_its_signatures(void **state)
{
	struct wire *w = empty_hub();
	struct hf_sm2_key key;
	struct hf_local_key local = { &key, &world_env.rng };
	struct hf_signer signer;
	const struct hf_signer *signers[] = { &signer };
	struct hf_buf forged = buf_new();
	struct hf_bytes content;
	struct putting p = { HF_OBJECT_MANIFEST, NULL, { NULL, 0 }, NULL, NULL };
	uint8_t name[HF_SM3_LEN];

	(void)state;
	/* signed by a key that is no publisher's */
	assert_ok(hf_sm2_key_new(&key, &world_env.rng));
	signer = hf_signer_local(&local);
	assert_ok(hf_object_peek(&content, HF_OBJECT_MANIFEST, bytes_of(&g->statement), NULL));
	assert_ok(hf_object_sign(&forged, HF_OBJECT_MANIFEST, content, signers, 1, NULL));
	hf_object_name(name, forged.p, forged.len);
	p.name = name;
	p.bytes = bytes_of(&forged);
	assert_int_equal(put_object(w, &p), 401);
	assert_false(is_stored(&s, HF_OBJECT_MANIFEST, name));
	/* altered, with the name of what it is now */
	for (size_t at = 0; at < g->statement.len; at += g->statement.len / 9) {
		g->statement.p[at] ^= 4;
		hf_object_name(name, g->statement.p, g->statement.len);
		p.bytes = bytes_of(&g->statement);
		assert_true(put_object(w, &p) >= 400);
		assert_false(is_stored(&s, HF_OBJECT_MANIFEST, name));
		g->statement.p[at] ^= 4;
	}
	/* under another name; cut; empty */
	assert_int_equal(put_object(w, &p), 401);
	p.name = g->name;
	p.bytes.len--;
	assert_int_equal(put_object(w, &p), 401);
	p.bytes.len = 0;
	assert_int_equal(put_object(w, &p), 401);
	assert_int_equal(put_statement(w, g), 201);
	/* garbage under a name that is known, but whose object is gone */
	assert_ok(hf_blob_delete(&s.node.blobs, "manifest", strchr(g->path, '/') + 1, NULL));
	p.bytes.len = 100;
	assert_int_equal(put_object(w, &p), 401);
	assert_false(is_stored(&s, HF_OBJECT_MANIFEST, g->name));
	hf_buf_clear(&forged);
	wire_end(w);
}

/* What a hub takes, whoever has nothing of earlier releases must be able to bring. */
static void a_pack_in_part_is_taken_only_where_a_page_lists_it_whole(void **state)
{
	struct wire *w = empty_hub();
	struct goods *next = goods_sealed(&(struct sealing){
		.lineage = "digits", .release = 2, .seed = 1, .base = g->bundle });
	struct hf_pkg_body body = next->body;
	const struct serve_intake in = { .body = &body };
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	assert_int_equal(next->n_packs, 1);
	assert_int_equal(next->packs[0].bytes.len, (64 << 10) + HF_CHUNK_TAG_LEN);
	/* A hub that never had the first release. */
	put_all(w, next);
	assert_true(post_name(w, "/v1/releases", "manifest", next->name) >= 400);
	wire_end(w);
	w = empty_hub();
	put_all(w, g);
	put_all(w, next);
	assert_ok(hf_serve_intake_whole(&in, s.serve, &ei));
	/* The same, with a page that lists other packs, and with none. */
	body.bases.pages = body.table_pages;
	body.bases.n_pages = 1;
	assert_err(hf_serve_intake_whole(&in, s.serve, &ei), HF_ERR_FORMAT);
	body.bases.n_pages = 0;
	ei = (struct hf_errinfo){ .code = HF_OK };
	assert_err(hf_serve_intake_whole(&in, s.serve, &ei), HF_ERR_FORMAT);
	assert_non_null(strstr(ei.text, "by no earlier page whole"));
	goods_free(next);
	wire_end(w);
}

static void a_deposit_is_for_this_hub_and_its_manifest(void **state)
{
	struct wire *w = empty_hub();
	struct putting p = { HF_OBJECT_DEPOSIT, g->deposit_name, bytes_of(&g->deposit), NULL,
		NULL };
	struct hf_bytes own = s.node.party.enc.der;
	uint8_t name[HF_SM3_LEN];

	(void)state;
	assert_int_equal(put_statement(w, g), 201);
	assert_int_equal(put_deposit(w, foreign), 409); /* whose manifest has not come */
	g->deposit.p[g->deposit.len - 1] ^= 1;
	hf_object_name(name, g->deposit.p, g->deposit.len);
	p.name = name;
	assert_int_equal(put_object(w, &p), 401);
	g->deposit.p[g->deposit.len - 1] ^= 1;
	assert_int_equal(put_object(w, &p), 401); /* another name than its own */
	/* sealed to a hub with another certificate */
	s.node.party.enc.der = s.node.party.sign.der;
	assert_int_equal(put_deposit(w, g), 403);
	assert_false(is_stored(&s, HF_OBJECT_DEPOSIT, g->deposit_name));
	s.node.party.enc.der = own;
	assert_int_equal(put_deposit(w, g), 201);
	wire_end(w);
}

static void only_publishers_bring_releases(void **state)
{
	struct wire *w;
	const struct putting kinds[] = {
		{ HF_OBJECT_ROOT, g->name, { NULL, 0 }, NULL, NULL },
		{ HF_OBJECT_CHANNEL, g->name, { NULL, 0 }, NULL, NULL },
		{ HF_OBJECT_GRANT, g->name, { NULL, 0 }, NULL, NULL },
		{ HF_OBJECT_RECEIPT, g->name, { NULL, 0 }, NULL, NULL },
		{ HF_OBJECT_INVENTORY, g->name, { NULL, 0 }, NULL, NULL },
		{ HF_OBJECT_UPLOAD, g->name, { NULL, 0 }, NULL, NULL },
	};

	(void)state;
	wire_end(hub_with_pages());
	w = wire_of(s.serve, dev.dir);
	assert_int_equal(put_statement(w, g), 403);
	assert_int_equal(put_deposit(w, g), 403);
	assert_int_equal(put_page(w, g, 0), 403);
	assert_int_equal(put_pack(w, g, 0), 403);
	wire_end(w);
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	for (size_t i = 0; i < HF_COUNT(kinds); i++)
		assert_int_equal(put_object(w, &kinds[i]), 403);
	assert_int_equal(status_of(w, HF_HTTP_PUT, "/v1/objects/pack/00", NULL, 0), 400);
	assert_int_equal(status_of(w, HF_HTTP_PUT, "/v1/objects/nothing/00", NULL, 0), 400);
	wire_end(w);
}

/* A body that comes as the test wants it. */
struct dribble {
	const struct hf_buf *bytes;
	size_t at;
	size_t until; /* dry behind this */
};

static hf_err dribble_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	struct dribble *d = ctx;
	size_t left = d->until - d->at;

	if (left == 0)
		return HF_ERR_AGAIN;
	*len = left < cap ? left : cap;
	memcpy(out, d->bytes->p + d->at, *len);
	d->at += *len;
	*is_end = d->at == d->bytes->len;
	return HF_OK;
}

static void begin_pack(struct ask *a, struct wire *w, struct dribble *d, size_t until)
{
	struct hf_http_source source = { dribble_read, NULL, d, UINT64_MAX };
	char path[128];
	int32_t stream;

	*d = (struct dribble){ &g->packs[0].bytes, 0, until };
	object_url(path, HF_OBJECT_PACK, g->packs[0].name);
	ask_init(a, HF_HTTP_PUT, path);
	ask_field(a, HF_FIELD_FOR, g->path);
	ask_field(a, HF_FIELD_CHUNK, g->packs[0].chunk);
	a->call.source = &source;
	assert_ok(hf_h2_call(w->client, &stream, &a->call, wire_now_ms));
	world_run();
}

static void a_broken_link_leaves_nothing_half_written(void **state)
{
	struct wire *w = hub_with_pages();
	uint64_t used = s.node.blobs.used;
	struct dribble d;
	struct ask a;

	(void)state;
	begin_pack(&a, w, &d, 300 * 1000);
	assert_int_equal(unfinished(&s), 1);
	assert_int_equal(a.answer.n_done, 0);
	wire_end(w);
	assert_int_equal(unfinished(&s), 0);
	assert_false(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	assert_int_equal(s.node.blobs.used, used);
	ask_clear(&a);
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	assert_int_equal(put_pack(w, g, 0), 201);
	wire_end(w);
}

static void a_body_that_does_not_move_ends(void **state)
{
	struct wire *w = hub_with_pages();
	struct dribble d;
	struct ask a;

	(void)state;
	begin_pack(&a, w, &d, 300 * 1000);
	hf_h2_tick(w->server, wire_now_ms + hf_h2_limits_default.stall_ms + 1);
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_true(a.answer.e != HF_OK);
	assert_int_equal(unfinished(&s), 0);
	ask_clear(&a);
	wire_end(w);
}

static void the_same_pack_twice_at_a_time_waits(void **state)
{
	struct wire *w = hub_with_pages();
	struct dribble d;
	struct ask a;

	(void)state;
	begin_pack(&a, w, &d, 300 * 1000);
	assert_int_equal(put_pack(w, g, 0), 429);
	d.until = d.bytes->len;
	hf_h2_resume(w->client, 1 + 2 * 4); /* the fifth request of this client */
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_int_equal(a.answer.status, 201);
	assert_int_equal(put_pack(w, g, 0), 200);
	ask_clear(&a);
	wire_end(w);
}

static void a_full_disk_is_507_and_leaves_nothing(void **state)
{
	struct wire *w = hub_with_pages();
	uint64_t used = s.node.blobs.used;

	(void)state;
	s.node.blobs.quota = used + g->packs[0].bytes.len - 1;
	assert_int_equal(put_pack(w, g, 0), 507);
	assert_int_equal(unfinished(&s), 0);
	assert_int_equal(s.node.blobs.used, used);
	s.node.blobs.quota = used;
	assert_int_equal(put_statement(w, foreign), 507);
	assert_false(is_stored(&s, HF_OBJECT_MANIFEST, foreign->name));
	s.node.blobs.quota = UINT64_MAX;
	assert_int_equal(put_statement(w, foreign), 201);
	assert_int_equal(put_pack(w, g, 0), 201);
	wire_end(w);
}

static void statements_are_a_bounded_number_and_come_back_from_the_store(void **state)
{
	struct goods *more[5] = { NULL };
	struct wire *w = hub_with_pages();
	struct dribble d;
	struct ask a;

	(void)state;
	/* four places: one is busy, three others take turns, and the fifth pushes out the first */
	begin_pack(&a, w, &d, 300 * 1000);
	for (unsigned i = 0; i < HF_COUNT(more); i++) {
		more[i] = goods_sealed(&(struct sealing){
			.lineage = "digits", .release = 40 + i, .seed = (uint8_t)(40 + i) });
		assert_int_equal(put_statement(w, more[i]), 201);
	}
	assert_int_equal(put_page(w, more[0], 0), 201); /* read again from the store */
	d.until = d.bytes->len;
	hf_h2_resume(w->client, 1 + 2 * 4);
	world_run();
	assert_int_equal(a.answer.status, 201);
	/* forgotten after a time, what has a name stays */
	assert_true(hf_serve_deadline(s.serve) != UINT64_MAX);
	hf_serve_tick(s.serve, hf_clock_mono_ms() + 11 * 60 * 1000);
	assert_int_equal(hf_serve_deadline(s.serve), UINT64_MAX);
	assert_true(is_stored(&s, HF_OBJECT_MANIFEST, more[4]->name));
	assert_int_equal(put_page(w, more[4], 0), 201);
	for (unsigned i = 0; i < HF_COUNT(more); i++)
		goods_free(more[i]);
	ask_clear(&a);
	wire_end(w);
}

static void all_places_busy_is_later_not_never(void **state)
{
	struct wire *w;
	struct dribble d;
	struct ask a;

	(void)state;
	(void)hub_with_pages();
	served_stop(&s);
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	s.config.max_intakes = 1;
	served_start(&s);
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	begin_pack(&a, w, &d, 300 * 1000);
	assert_int_equal(put_statement(w, foreign), 429);
	assert_false(is_stored(&s, HF_OBJECT_MANIFEST, foreign->name));
	d.until = d.bytes->len;
	hf_h2_resume(w->client, 1);
	world_run();
	assert_int_equal(a.answer.status, 201);
	assert_int_equal(put_statement(w, foreign), 201);
	ask_clear(&a);
	wire_end(w);
}

/* A PUT of an upload's statement that begins and does not go on. */
static void begin_nothing(struct ask *a, struct wire *w, struct dribble *d, uint8_t no)
{
	struct hf_http_source source = { dribble_read, NULL, d, UINT64_MAX };
	uint8_t name[HF_SM3_LEN] = { no };
	char path[128];
	int32_t stream;

	*d = (struct dribble){ &g->packs[0].bytes, 0, 1 };
	object_url(path, HF_OBJECT_UPLOAD, name);
	ask_init(a, HF_HTTP_PUT, path);
	a->call.source = &source;
	assert_ok(hf_h2_call(w->client, &stream, &a->call, wire_now_ms));
	world_run();
}

/* One byte a minute on each of many streams: a device may not take all places where objects come
 * in. */
static void a_slow_device_leaves_room_for_others(void **state)
{
	enum { N = 20 };
	struct wire *w = empty_hub();
	struct wire *v = wire_of(s.serve, dev.dir);
	struct wire *v2 = wire_of(s.serve, dev.dir);
	struct dribble d[N + 1];
	struct ask a[N + 1];
	unsigned n_later = 0;

	(void)state;
	for (unsigned i = 0; i < N; i++) {
		begin_nothing(&a[i], i % 2 == 0 ? v : v2, &d[i], (uint8_t)i);
		n_later += a[i].answer.status == 429;
	}
	assert_int_equal(n_later, N - 16);
	put_all(w, g);
	wire_end(v);
	wire_end(v2);
	v = wire_of(s.serve, dev.dir);
	begin_nothing(&a[N], v, &d[N], N);
	assert_int_equal(a[N].answer.n_done, 0); /* the places are free again */
	wire_end(v);
	for (unsigned i = 0; i <= N; i++)
		ask_clear(&a[i]);
	wire_end(w);
}

/*
 * A device that names statements which are not there, or sends many of its own, must not push a
 * release out of the hub's memory: it would have to send its deposit again, and again.
 */
static void a_device_pushes_no_release_out(void **state)
{
	struct goods *ups[5] = { NULL };
	struct wire *w = empty_hub();
	struct wire *v = wire_of(s.serve, dev.dir);
	struct putting p = { HF_OBJECT_TABLE, page_name(g, 0), bytes_of(&g->pages[0]), NULL, NULL };
	char statement[HF_OBJECT_PATH_MAX];
	uint8_t name[HF_SM3_LEN] = { 0 };

	(void)state;
	put_all(w, g);
	p.statement = statement;
	for (; name[0] < 8; name[0]++) {
		hf_object_path(statement, HF_OBJECT_UPLOAD, name);
		assert_int_equal(put_object(v, &p), 409);
	}
	for (unsigned i = 0; i < HF_COUNT(ups); i++) {
		ups[i] = goods_uploaded(&dev, 500 + i, 1);
		assert_int_equal(put_statement(v, ups[i]), 201);
	}
	assert_int_equal(post_name(w, "/v1/releases", "manifest", g->name), 200);
	for (unsigned i = 0; i < HF_COUNT(ups); i++)
		goods_free(ups[i]);
	wire_end(v);
	wire_end(w);
}

/* Statement, a page, the pack and a look at it, one after the other, whatever the answers are. */
static void bring_and_get(struct wire *w)
{
	const struct putting p[] = {
		{ HF_OBJECT_MANIFEST, g->name, bytes_of(&g->statement), NULL, NULL },
		{ HF_OBJECT_TABLE, page_name(g, 0), bytes_of(&g->pages[0]), g->path, NULL },
		{ HF_OBJECT_PACK, g->packs[0].name, bytes_of(&g->packs[0].bytes), g->path, "0" },
		{ HF_OBJECT_PACK, g->packs[0].name, { NULL, 0 }, NULL, NULL },
	};
	struct ask asks[HF_COUNT(p)];
	size_t n_begun = 0;
	char path[128];
	int32_t stream;

	for (size_t i = 0; i < HF_COUNT(p); i++) {
		object_url(path, p[i].kind, p[i].name);
		ask_init(&asks[i], p[i].bytes.len > 0 ? HF_HTTP_PUT : HF_HTTP_GET, path);
		asks[i].call.body = p[i].bytes.p;
		asks[i].call.body_len = p[i].bytes.len;
		if (p[i].statement != NULL)
			ask_field(&asks[i], HF_FIELD_FOR, p[i].statement);
		if (p[i].chunk != NULL)
			ask_field(&asks[i], HF_FIELD_CHUNK, p[i].chunk);
		/* a server that has no memory for its session says goodbye */
		if (hf_h2_call(w->client, &stream, &asks[i].call, wire_now_ms) != HF_OK)
			break;
		n_begun++;
		world_run();
	}
	wire_end(w);
	for (size_t i = 0; i < n_begun; i++) {
		char id[2 * HF_SM3_LEN + 1];

		assert_int_equal(asks[i].answer.n_done, 1);
		ask_clear(&asks[i]);
		hf_hex_emit(id, p[i].name, HF_SM3_LEN);
		(void)!hf_blob_delete(&s.node.blobs, hf_object_kind(p[i].kind), id, NULL);
	}
}

static void every_allocation_may_fail(void **state)
{
	struct hf_env env = world_env;

	(void)state;
	(void)empty_hub();
	served_stop(&s);
	env.mem = &test_mem;
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	s.node.env = &env;
	served_start(&s);
	for (unsigned n = 1; n <= 120; n++) {
		struct wire *w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));

		test_mem_fail_at(n);
		bring_and_get(w);
		test_mem_fail_at(0);
		assert_int_equal(unfinished(&s), 0);
		assert_int_equal(stats_of(&s).n_sessions, 0);
		hf_serve_tick(s.serve, hf_clock_mono_ms() + 3600 * 1000);
	}
	served_stop(&s);
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&s);
}

/* `hufu publish`, with what was there left out the second time. */
struct pushed {
	unsigned n_ends;
	hf_err e;
};

static void push_end(
	void *ctx, hf_err e, const struct hf_errinfo *why, const uint8_t *body, size_t body_len)
{
	struct pushed *p = ctx;

	(void)body;
	(void)body_len;
	if (e != HF_OK)
		print_error("%s\n", why->text);
	p->n_ends++;
	p->e = e;
}

static void the_client_of_ours_publishes(void **state)
{
	struct wire *w = empty_hub();
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	struct pushed done = { 0 };
	struct hf_push_config config = { .env = &world_env,
		.objects = &objects,
		.kind = HF_OBJECT_MANIFEST,
		.h = w->client,
		.pump = wire_pump,
		.on_end = push_end,
		.ctx = &done };
	struct hf_push *push = NULL;

	(void)state;
	assert_ok(hf_bundle_file_open(&bundle, &world_env, g->bundle, NULL));
	objects = hf_bundle_file_objects(&bundle);
	memcpy(config.name, g->name, HF_SM3_LEN);
	for (unsigned i = 1; i <= 2; i++) {
		assert_ok(hf_push_new(&push, &config, wire_now_ms, fresh()));
		world_run();
		assert_int_equal(done.n_ends, i);
		assert_ok(done.e);
		hf_push_free(push);
	}
	assert_true(is_stored(&s, HF_OBJECT_PACK, g->packs[0].name));
	hf_bundle_file_close(&bundle);
	wire_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_whole_is_taken_once),
		cmocka_unit_test(an_altered_byte_of_a_pack_is_refused_wherever_it_is),
		cmocka_unit_test(chunks_in_another_order_are_refused),
		cmocka_unit_test(a_pack_that_ends_early_or_goes_on_is_refused),
		cmocka_unit_test(a_pack_of_another_package_is_refused),
		cmocka_unit_test(the_statement_comes_first_and_the_table_before_its_packs),
		cmocka_unit_test(pages_are_those_of_the_statement),
		cmocka_unit_test(a_statement_needs_its_signatures),
		cmocka_unit_test(a_pack_in_part_is_taken_only_where_a_page_lists_it_whole),
		cmocka_unit_test(a_deposit_is_for_this_hub_and_its_manifest),
		cmocka_unit_test(only_publishers_bring_releases),
		cmocka_unit_test(a_broken_link_leaves_nothing_half_written),
		cmocka_unit_test(a_body_that_does_not_move_ends),
		cmocka_unit_test(the_same_pack_twice_at_a_time_waits),
		cmocka_unit_test(a_full_disk_is_507_and_leaves_nothing),
		cmocka_unit_test(statements_are_a_bounded_number_and_come_back_from_the_store),
		cmocka_unit_test(all_places_busy_is_later_not_never),
		cmocka_unit_test(a_slow_device_leaves_room_for_others),
		cmocka_unit_test(a_device_pushes_no_release_out),
		cmocka_unit_test(every_allocation_may_fail),
		cmocka_unit_test(the_client_of_ours_publishes),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
