/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects at an edge: from its cache, or when its fetching side brings them. What that side says is
 * the test's to choose.
 */
#include "serve_world.h"

enum { CHUNK = (64 << 10) + HF_CHUNK_TAG_LEN };

/* The fetching side. */
struct fetching {
	hf_err want; /* what it says to everything; HF_OK: what is below */
	bool knows_len;
	size_t n_bytes; /* of the pack, checked and readable */
	unsigned n_wants;
	struct hf_wanted last;
	bool wakes_at_once; /* news come while it is being asked */
};

static struct served s;
static struct node dev;
static struct node edge;
static struct goods *g;
static struct fetching up_state;
static struct hf_upstream up;

static struct hf_h2 *no_session(void *ctx)
{
	(void)ctx;
	return NULL;
}

static hf_err up_want(void *ctx, const struct hf_wanted *w)
{
	struct fetching *f = ctx;

	f->n_wants++;
	f->last = *w;
	if (f->wakes_at_once) {
		f->wakes_at_once = false;
		hf_serve_wake(s.serve);
	}
	if (f->want != HF_OK || w->kind != HF_OBJECT_PACK)
		return f->want;
	return w->offset + w->len <= f->n_bytes ? HF_OK : HF_ERR_AGAIN;
}

static hf_err up_read(void *ctx, const struct hf_wanted *w, uint8_t *out)
{
	struct fetching *f = ctx;

	assert_memory_equal(w->name, g->packs[0].name, HF_SM3_LEN);
	if (w->offset + w->len > f->n_bytes)
		return HF_ERR_AGAIN;
	memcpy(out, g->packs[0].bytes.p + w->offset, w->len);
	return HF_OK;
}

static hf_err up_pack_len(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t *len)
{
	struct fetching *f = ctx;

	if (!f->knows_len || memcmp(name, g->packs[0].name, HF_SM3_LEN) != 0)
		return HF_ERR_NOT_FOUND;
	*len = g->packs[0].bytes.len;
	return HF_OK;
}

static void no_pump(void *ctx, const struct hf_h2 *h)
{
	(void)ctx;
	(void)h;
}

static void start(void)
{
	served_open(&s, &edge, "edge-1", HF_ROLE_EDGE);
	up = (struct hf_upstream){ .session = no_session,
		.pump = no_pump,
		.want = up_want,
		.read = up_read,
		.pack_len = up_pack_len,
		.ctx = &up_state };
	s.config.up = &up;
	s.config.max_sessions = 4 * WIRES_MAX; /* a quarter of them for one peer */
	served_start(&s);
}

static int make(void **state)
{
	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, NULL);
	world_join(&edge, "edge-1", HF_ROLE_EDGE, NULL);
	g = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 1, .seed = 1 });
	start();
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&s);
	goods_free(g);
	node_stop(&dev);
	node_stop(&edge);
	world_delete();
	return 0;
}

/* Every test begins with an empty cache and a fetching side that knows nothing. */
static struct wire *empty_edge(void)
{
	served_stop(&s);
	assert_ok(hf_dir_delete_all(&test_mem, test_path(edge.dir, "objects"), NULL));
	up_state = (struct fetching){ .want = HF_ERR_AGAIN };
	start();
	return wire_of(s.serve, dev.dir);
}

/* The fetching side puts an object into the store. */
static void arrives(enum hf_object kind, const uint8_t name[HF_SM3_LEN], const struct hf_buf *bytes)
{
	char id[2 * HF_SM3_LEN + 1];
	struct hf_blob_put p;

	hf_hex_emit(id, name, HF_SM3_LEN);
	assert_ok(hf_blob_begin(&p, &s.node.blobs, hf_object_kind(kind), id, NULL));
	assert_ok(hf_blob_write(&p, bytes->p, bytes->len, NULL));
	assert_ok(hf_blob_commit(&p, NULL));
}

static void wake(void)
{
	hf_serve_wake(s.serve);
	world_run();
}

static void begin(struct ask *a, struct wire *w, enum hf_http_method method, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN])
{
	char path[128];

	object_url(path, kind, name);
	ask_init(a, method, path);
	ask_begin(a, w);
}

static void begin_range(struct ask *a, struct wire *w, uint64_t first, uint64_t last)
{
	struct hf_range range = { first, last, 0 };
	char path[128];

	object_url(path, HF_OBJECT_PACK, g->packs[0].name);
	ask_init(a, HF_HTTP_GET, path);
	a->call.range = &range;
	ask_begin(a, w);
	a->call.range = NULL;
}

/* The answer is exactly these bytes of the pack. */
static void has_bytes(struct ask *a, unsigned status, size_t first, size_t len)
{
	assert_int_equal(a->answer.n_done, 1);
	assert_ok(a->answer.e);
	assert_int_equal(a->answer.status, status);
	assert_int_equal(a->answer.len, len);
	assert_memory_equal(a->answer.body, g->packs[0].bytes.p + first, len);
	ask_clear(a);
}

static void fails(struct ask *a, unsigned status)
{
	assert_int_equal(a->answer.n_done, 1);
	assert_int_equal(a->answer.status, status);
	ask_clear(a);
}

static void what_is_there_is_sent_at_once(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;

	(void)state;
	arrives(HF_OBJECT_PACK, g->packs[0].name, &g->packs[0].bytes);
	arrives(HF_OBJECT_MANIFEST, g->name, &g->statement);
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_PACK, g->packs[0].name);
	assert_string_equal(a.answer.head.content_type, HF_TYPE_BYTES);
	has_bytes(&a, 200, 0, g->packs[0].bytes.len);
	begin_range(&a, w, 0, 0);
	has_bytes(&a, 206, 0, 1);
	begin_range(&a, w, CHUNK, 2 * CHUNK - 1);
	has_bytes(&a, 206, CHUNK, CHUNK);
	begin_range(&a, w, 5, g->packs[0].bytes.len - 1);
	assert_int_equal(a.answer.head.range.total, g->packs[0].bytes.len);
	has_bytes(&a, 206, 5, g->packs[0].bytes.len - 5);
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_MANIFEST, g->name);
	assert_string_equal(a.answer.head.content_type, HF_TYPE_DER);
	assert_int_equal(a.answer.len, g->statement.len);
	fails(&a, 200);
	assert_int_equal(up_state.n_wants, 0);
	assert_int_equal(stats_of(&s).n_hits, 5);
	assert_int_equal(stats_of(&s).n_misses, 0);
	wire_end(w);
}

static void what_nobody_may_have_or_is_no_object_is_refused(void **state)
{
	struct wire *w = empty_edge();
	char path[128];
	struct ask a;

	(void)state;
	object_url(path, HF_OBJECT_DEPOSIT, g->deposit_name);
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 403);
	assert_int_equal(status_of(w, HF_HTTP_HEAD, path, NULL, 0), 403);
	object_url(path, HF_OBJECT_UPLOAD, g->name);
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 403);
	object_url(path, HF_OBJECT_GRANT, g->name);
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 403);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/objects/pack/00", NULL, 0), 400);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/objects/temp/00", NULL, 0), 400);
	object_url(path, HF_OBJECT_PACK, g->packs[0].name);
	path[strlen(path) - 1] = 'A';
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 400);
	arrives(HF_OBJECT_PACK, g->packs[0].name, &g->packs[0].bytes);
	begin_range(&a, w, 0, g->packs[0].bytes.len);
	fails(&a, 400);
	begin_range(&a, w, UINT64_MAX - 1, UINT64_MAX);
	fails(&a, 400);
	arrives(HF_OBJECT_TABLE, page_name(g, 0), &g->pages[0]);
	object_url(path, HF_OBJECT_TABLE, page_name(g, 0));
	ask_init(&a, HF_HTTP_GET, path);
	a.call.range = &(struct hf_range){ 0, 1, 0 };
	assert_int_equal(ask_run(&a, w), 400);
	ask_clear(&a);
	wire_end(w);
}

static void an_object_is_answered_when_it_comes(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;
	struct ask b;

	(void)state;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	begin(&b, w, HF_HTTP_HEAD, HF_OBJECT_TABLE, page_name(g, 0));
	assert_int_equal(a.answer.n_done, 0);
	assert_int_equal(up_state.last.kind, HF_OBJECT_TABLE);
	wake(); /* something else came */
	assert_int_equal(a.answer.n_done, 0);
	arrives(HF_OBJECT_TABLE, page_name(g, 0), &g->pages[0]);
	up_state.want = HF_OK;
	wake();
	assert_int_equal(a.answer.len, g->pages[0].len);
	assert_memory_equal(a.answer.body, g->pages[0].p, a.answer.len);
	fails(&a, 200);
	assert_int_equal(b.answer.len, 0);
	assert_int_equal(strtoul(b.answer.head.fields[0].value, NULL, 10), g->pages[0].len);
	fails(&b, 200);
	assert_int_equal(stats_of(&s).n_misses, 2);
	assert_int_equal(hf_serve_deadline(s.serve), UINT64_MAX);
	wire_end(w);
}

static void what_nobody_has_is_404_and_no_way_to_it_502(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;

	(void)state;
	up_state.want = HF_ERR_NOT_FOUND;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	fails(&a, 404);
	up_state.want = HF_ERR_NET;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	fails(&a, 502);
	up_state.want = HF_ERR_AGAIN;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	assert_int_equal(a.answer.n_done, 0);
	up_state.want = HF_ERR_NOT_FOUND; /* found out later */
	wake();
	fails(&a, 404);
	/* the fetching side is wrong about its own store */
	up_state.want = HF_OK;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	fails(&a, 500);
	wire_end(w);
}

static void waiting_has_an_end(void **state)
{
	struct wire *w = empty_edge();
	uint64_t begun;
	struct ask a;

	(void)state;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	begun = hf_clock_mono_ms();
	assert_in_range(hf_serve_deadline(s.serve), begun + 50 * 1000, begun + 60 * 1000);
	hf_serve_tick(s.serve, begun + 50 * 1000);
	world_run();
	assert_int_equal(a.answer.n_done, 0);
	hf_serve_tick(s.serve, begun + 60 * 1000);
	world_run();
	fails(&a, 504);
	assert_int_equal(hf_serve_deadline(s.serve), UINT64_MAX);
	wire_end(w);
}

static void a_range_of_a_pack_that_is_coming_is_sent_when_it_is_checked(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;
	struct ask b;
	struct ask c;

	(void)state;
	up_state = (struct fetching){ .want = HF_OK, .knows_len = true, .n_bytes = CHUNK };
	begin_range(&a, w, 0, CHUNK - 1);
	has_bytes(&a, 206, 0, CHUNK);
	begin_range(&a, w, CHUNK, 2 * CHUNK - 1);
	assert_int_equal(a.answer.n_done, 0);
	assert_int_equal(up_state.last.offset, CHUNK);
	begin_range(&b, w, 0, g->packs[0].bytes.len); /* beyond its known end */
	fails(&b, 400);
	begin(&c, w, HF_HTTP_HEAD, HF_OBJECT_PACK, g->packs[0].name);
	assert_int_equal(strtoul(c.answer.head.fields[0].value, NULL, 10), g->packs[0].bytes.len);
	fails(&c, 200);
	up_state.n_bytes = 2 * CHUNK;
	wake();
	has_bytes(&a, 206, CHUNK, CHUNK);
	wire_end(w);
}

static void a_whole_pack_is_sent_while_it_comes(void **state)
{
	struct wire *w = empty_edge();
	size_t len = g->packs[0].bytes.len;
	struct ask a;

	(void)state;
	up_state = (struct fetching){ .want = HF_OK };
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_PACK, g->packs[0].name);
	assert_int_equal(a.answer.n_done, 0); /* not even its length is known */
	up_state.knows_len = true;
	for (size_t n = 0; n < len / 2; n += CHUNK) {
		up_state.n_bytes = n;
		wake();
		assert_int_equal(a.answer.n_done, 0);
	}
	assert_true(stats_of(&s).bytes_out > 3 * CHUNK);
	up_state.n_bytes = 0; /* it is in the store now */
	arrives(HF_OBJECT_PACK, g->packs[0].name, &g->packs[0].bytes);
	wake();
	has_bytes(&a, 200, 0, len);
	wire_end(w);
}

static void a_body_that_dries_up_ends(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;

	(void)state;
	up_state = (struct fetching){ .want = HF_OK, .knows_len = true, .n_bytes = 3 * CHUNK };
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_PACK, g->packs[0].name);
	assert_int_equal(a.answer.n_done, 0);
	hf_serve_tick(s.serve, hf_clock_mono_ms() + 61 * 1000);
	world_run();
	assert_int_equal(a.answer.n_done, 1);
	assert_true(a.answer.e != HF_OK); /* never a short body that looks whole */
	ask_clear(&a);
	assert_int_equal(hf_serve_deadline(s.serve), UINT64_MAX);
	wire_end(w);
}

static void who_goes_away_is_forgotten(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;
	struct ask b;
	struct ask c;

	(void)state;
	up_state = (struct fetching){ .want = HF_OK, .knows_len = true, .n_bytes = CHUNK };
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_PACK, g->packs[0].name);
	up_state.want = HF_ERR_AGAIN;
	begin(&b, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	begin(&c, w, HF_HTTP_GET, HF_OBJECT_INDEX, page_name(g, 1));
	hf_h2_cancel(w->client, 5); /* the third request */
	world_run();
	wake();
	wire_end(w);
	assert_int_equal(hf_serve_deadline(s.serve), UINT64_MAX);
	wake();
	assert_int_equal(a.answer.n_done, 1);
	assert_int_equal(b.answer.n_done, 1);
	assert_int_equal(c.answer.n_done, 0);
	ask_clear(&a);
	ask_clear(&b);
	ask_clear(&c);
}

static void news_that_come_while_looking_are_not_lost(void **state)
{
	struct wire *w = empty_edge();
	struct ask a;
	struct ask b;

	(void)state;
	begin(&a, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	begin(&b, w, HF_HTTP_GET, HF_OBJECT_INDEX, page_name(g, 1));
	arrives(HF_OBJECT_TABLE, page_name(g, 0), &g->pages[0]);
	arrives(HF_OBJECT_INDEX, page_name(g, 1), &g->pages[1]);
	up_state.wakes_at_once = true;
	wake();
	fails(&a, 200);
	fails(&b, 200);
	wire_end(w);
}

static void who_waits_is_a_bounded_number_and_leaves_room_for_others(void **state)
{
	enum { EACH = 64, LINKS = 5 };
	struct ask *asks = calloc((size_t)EACH * LINKS, sizeof(*asks));
	struct wire *w = empty_edge();
	unsigned n_refused = 0;
	struct ask other;

	(void)state;
	assert_non_null(asks);
	for (unsigned i = 0; i < EACH * LINKS; i++) {
		if (i > 0 && i % EACH == 0)
			w = wire_of(s.serve, dev.dir);
		begin(&asks[i], w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
		n_refused += asks[i].answer.n_done;
		if (asks[i].answer.n_done > 0)
			assert_int_equal(asks[i].answer.status, 429);
	}
	assert_int_equal(n_refused, EACH * LINKS - 256);
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	begin(&other, w, HF_HTTP_GET, HF_OBJECT_TABLE, page_name(g, 0));
	assert_int_equal(other.answer.n_done, 0);
	arrives(HF_OBJECT_TABLE, page_name(g, 0), &g->pages[0]);
	wake();
	for (unsigned i = 0; i < EACH * LINKS; i++) {
		assert_int_equal(asks[i].answer.n_done, 1);
		ask_clear(&asks[i]);
	}
	assert_int_equal(other.answer.status, 200);
	ask_clear(&other);
	free(asks);
}

static void an_edge_takes_no_release(void **state)
{
	struct wire *w = empty_edge();

	(void)state;
	wire_end(w);
	w = wire_of(s.serve, test_path(world_dir, "domain/publisher"));
	assert_int_equal(put_statement(w, g), 403);
	assert_int_equal(post_name(w, "/v1/releases", "manifest", g->name), 404);
	assert_int_equal(post_json(w, "/v1/grants", "{}"), 403);
	assert_int_equal(post_json(w, "/v1/enroll", "{}"), 403);
	wire_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_sent_at_once),
		cmocka_unit_test(what_nobody_may_have_or_is_no_object_is_refused),
		cmocka_unit_test(an_object_is_answered_when_it_comes),
		cmocka_unit_test(what_nobody_has_is_404_and_no_way_to_it_502),
		cmocka_unit_test(waiting_has_an_end),
		cmocka_unit_test(a_range_of_a_pack_that_is_coming_is_sent_when_it_is_checked),
		cmocka_unit_test(a_whole_pack_is_sent_while_it_comes),
		cmocka_unit_test(a_body_that_dries_up_ends),
		cmocka_unit_test(who_goes_away_is_forgotten),
		cmocka_unit_test(news_that_come_while_looking_are_not_lost),
		cmocka_unit_test(who_waits_is_a_bounded_number_and_leaves_room_for_others),
		cmocka_unit_test(an_edge_takes_no_release),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
