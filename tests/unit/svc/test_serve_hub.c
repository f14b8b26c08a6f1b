/* SPDX-License-Identifier: Apache-2.0 */
/* A hub: who may ask for what, enrolment, releases and the channel, grants. */
#include "serve_world.h"

#include <sys/resource.h>
#include <unistd.h>

static struct served s;
static struct node dev;
static struct node dev2;
static struct node edge;
static struct goods *one;
static struct goods *two;
static struct goods *other; /* of another lineage */
static unsigned n_announced;
static unsigned n_busy;
static uint64_t announced;

static void on_channel(void *ctx, uint64_t serial)
{
	(void)ctx;
	n_announced++;
	announced = serial;
}

static void on_busy(void *ctx)
{
	(void)ctx;
	n_busy++;
}

static void start(void)
{
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	s.config.on_channel = on_channel;
	s.config.on_busy = on_busy;
	served_start(&s);
}

static int make(void **state)
{
	(void)state;
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	start();
	serve_join(&s, &dev, "dev-1", HF_ROLE_DEVICE);
	serve_join(&s, &dev2, "dev-2", HF_ROLE_DEVICE);
	serve_join(&s, &edge, "edge-1", HF_ROLE_EDGE);
	one = goods_sealed(&(struct sealing){ .lineage = "digits", .release = 3, .floor = 2 });
	two = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 4, .floor = 2, .seed = 2 });
	other = goods_sealed(&(struct sealing){ .lineage = "other", .release = 1, .seed = 3 });
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	served_stop(&s);
	goods_free(one);
	goods_free(two);
	goods_free(other);
	node_stop(&dev);
	node_stop(&dev2);
	node_stop(&edge);
	world_delete();
	return 0;
}

static struct wire *publisher(void)
{
	return wire_of(s.serve, test_path(world_dir, "domain/publisher"));
}

/* What a refused role hears; 0: it is let through to the handler. */
static void role_is(struct wire *w, const char *roles)
{
	static const struct {
		enum hf_http_method method;
		const char *path;
		const char *who; /* N newcomer, D device, E edge, P publisher */
	} routes[] = {
		{ HF_HTTP_POST, "/v1/enroll", "NE" },
		{ HF_HTTP_GET, "/v1/channels/current", "DEP" },
		{ HF_HTTP_GET, "/v1/crl", "DEP" },
		{ HF_HTTP_GET, "/v1/objects/table/00", "DEP" },
		{ HF_HTTP_HEAD, "/v1/objects/table/00", "DEP" },
		{ HF_HTTP_PUT, "/v1/objects/table/00", "DEP" },
		{ HF_HTTP_POST, "/v1/releases", "P" },
		{ HF_HTTP_POST, "/v1/grants", "DE" },
		{ HF_HTTP_POST, "/v1/receipts", "DE" },
		{ HF_HTTP_GET, "/v1/inventory", "DE" },
		{ HF_HTTP_POST, "/v1/inventory", "DE" },
		{ HF_HTTP_POST, "/v1/uploads", "DE" },
	};

	for (size_t i = 0; i < HF_COUNT(routes); i++) {
		bool may = strpbrk(routes[i].who, roles) != NULL;
		unsigned status = status_of(w, routes[i].method, routes[i].path, NULL, 0);

		if (may == (status == 403))
			print_error("%s of %s: %u\n", routes[i].path, roles, status);
		assert_int_equal(may, status != 403);
	}
	assert_int_equal(
		status_of(w, HF_HTTP_DELETE, "/v1/grants", NULL, 0), roles[0] == 'N' ? 403 : 405);
	assert_int_equal(
		status_of(w, HF_HTTP_GET, "/v1/nothing", NULL, 0), roles[0] == 'N' ? 403 : 404);
}

static void each_role_has_its_routes_and_no_other(void **state)
{
	struct joining j;
	struct node n;
	struct wire *w;

	(void)state;
	role_is(w = wire_of(s.serve, dev.dir), "D");
	wire_end(w);
	role_is(w = wire_of(s.serve, edge.dir), "E");
	wire_end(w);
	role_is(w = publisher(), "P");
	wire_end(w);
	role_is(w = newcomer(&s, &j, &n, "dev-9", HF_ROLE_DEVICE), "N");
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
}

static void refused(const struct hf_cert *cert, hf_err expected)
{
	const struct hf_serve_peer peer = { .cert = cert, .address = "192.0.2.7:1" };
	struct hf_serve_session *session = NULL;
	struct hf_h2 *h = NULL;

	assert_err(hf_serve_begin(&session, &h, s.serve, &peer, wire_now_ms, fresh()), expected);
	assert_null(session);
	assert_null(h);
	assert_int_equal(stats_of(&s).n_sessions, 0);
}

static void the_trust_root_is_an_object_too(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	uint8_t name[HF_SM3_LEN];
	char path[128];
	struct ask a;

	(void)state;
	hf_object_name(name, world_hub.root_object.p, world_hub.root_object.len);
	object_url(path, HF_OBJECT_ROOT, name);
	ask_init(&a, HF_HTTP_GET, path);
	assert_int_equal(ask_run(&a, w), 200);
	assert_int_equal(a.answer.len, world_hub.root_object.len);
	assert_memory_equal(a.answer.body, world_hub.root_object.p, a.answer.len);
	ask_clear(&a);
	wire_end(w);
}

static void root_path(char path[128])
{
	uint8_t name[HF_SM3_LEN];

	hf_object_name(name, world_hub.root_object.p, world_hub.root_object.len);
	object_url(path, HF_OBJECT_ROOT, name);
}

/* Answers that are begun and not taken. */
static void begin_gets(struct ask *a, size_t n, struct wire *w)
{
	char path[128];

	root_path(path);
	w->is_stuck = true;
	for (size_t i = 0; i < n; i++) {
		ask_init(&a[i], HF_HTTP_GET, path);
		ask_begin(&a[i], w);
	}
}

/* Nine descriptors: one for what comes in, eight for what goes out, two of them for one peer. */
static void objects_under_way_are_as_many_as_descriptors(void **state)
{
	static struct ask a[8];
	struct wire *w[4];
	struct wire *free_one;
	char path[128];

	(void)state;
	root_path(path);
	served_stop(&s);
	served_open(&s, &hub, "hub-1", HF_ROLE_HUB);
	s.config.max_files = 9;
	s.config.max_sessions = 16;
	s.config.on_busy = on_busy;
	served_start(&s);
	n_busy = 0;
	w[0] = wire_of(s.serve, dev.dir);
	w[1] = wire_of(s.serve, dev2.dir);
	w[2] = wire_of(s.serve, edge.dir);
	begin_gets(a, 2, w[0]);
	free_one = wire_of(s.serve, dev.dir);
	assert_int_equal(status_of(free_one, HF_HTTP_GET, path, NULL, 0), 429);
	assert_int_equal(n_busy, 0); /* it has its share, others have room */
	begin_gets(a + 2, 2, w[1]);
	begin_gets(a + 4, 4, w[2]);
	w[3] = publisher();
	assert_int_equal(status_of(w[3], HF_HTTP_GET, path, NULL, 0), 429);
	assert_int_equal(n_busy, 1);
	wire_end(w[2]);
	assert_int_equal(status_of(w[3], HF_HTTP_GET, path, NULL, 0), 200);
	served_stop(&s);
	start();
}

static void without_a_descriptor_the_answer_is_later(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct rlimit before;
	struct rlimit none;
	char path[128];
	int lowest = dup(0);
	unsigned status;

	(void)state;
	assert_true(lowest >= 0);
	(void)close(lowest);
	root_path(path);
	n_busy = 0;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ (rlim_t)lowest, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	status = status_of(w, HF_HTTP_GET, path, NULL, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(status, 429);
	assert_int_equal(n_busy, 1);
	assert_int_equal(status_of(w, HF_HTTP_GET, path, NULL, 0), 200);
	wire_end(w);
}

static void who_has_no_business_here_gets_no_session(void **state)
{
	struct hf_cert cert = { .is_ca = false };

	(void)state;
	refused(&world_hub.sign, HF_ERR_DENIED);
	refused(&world_hub.issuing_ca, HF_ERR_DENIED);
	assert_ok(hf_cert_load(
		&cert, &world_env, test_path(world_dir, "domain/hub/certs/audit.crt"), NULL));
	refused(&cert, HF_ERR_DENIED);
	hf_cert_clear(&cert);
	assert_ok(hf_cert_load(
		&cert, &world_env, test_path(world_dir, "domain/publisher/certs/sign.crt"), NULL));
	memcpy(cert.identity.domain, "plant-8", sizeof("plant-8"));
	refused(&cert, HF_ERR_DENIED);
	cert.identity.role = HF_ROLE_DIRECTOR;
	memcpy(cert.identity.domain, "plant-7", sizeof("plant-7"));
	refused(&cert, HF_ERR_DENIED);
	hf_cert_clear(&cert);
}

static void no_session_for(const struct hf_serve_peer *peer)
{
	struct hf_serve_session *session = NULL;
	struct hf_h2 *h = NULL;

	assert_err(hf_serve_begin(&session, &h, s.serve, peer, wire_now_ms, fresh()), HF_ERR_LIMIT);
	assert_null(session);
}

/* Eight sessions, of which one peer, and all newcomers together, have a quarter: two. */
static void one_peer_leaves_sessions_to_others(void **state)
{
	struct hf_serve_peer peer = { .address = "192.0.2.7:1" };
	struct wire *w[8];
	struct joining j;
	struct node n;

	(void)state;
	w[0] = publisher();
	w[1] = publisher();
	peer.cert = &w[0]->cert;
	no_session_for(&peer);
	w[2] = newcomer(&s, &j, &n, "dev-20", HF_ROLE_DEVICE);
	w[3] = wire_new(s.serve, NULL, bytes_of(&j.self_signed));
	peer.cert = &w[2]->cert;
	peer.is_self_signed = true;
	no_session_for(&peer); /* nobody has to be known to be a newcomer */
	w[4] = wire_of(s.serve, dev.dir);
	w[5] = wire_of(s.serve, dev.dir);
	w[6] = wire_of(s.serve, edge.dir);
	w[7] = wire_of(s.serve, dev2.dir);
	assert_int_equal(stats_of(&s).n_sessions, 8);
	peer.cert = &w[7]->cert;
	peer.is_self_signed = false;
	no_session_for(&peer); /* its second one, but the ninth */
	for (size_t i = 0; i < HF_COUNT(w); i++)
		wire_end(w[i]);
	assert_int_equal(stats_of(&s).n_sessions, 0);
	wire_end(publisher());
	joining_clear(&j);
	node_stop(&n);
}

/* Eight for newcomers, of which one address has a quarter; the others are as they were. */
static void one_address_leaves_places_to_other_newcomers(void **state)
{
	struct hf_serve_config config = serve_config(&s.node);
	struct hf_serve_peer peer = { .is_self_signed = true, .address = "192.0.2.7:1" };
	struct hf_serve_session *session = NULL;
	struct hf_serve *serve = NULL;
	struct wire *w[9];
	struct hf_h2 *h = NULL;
	struct joining j;
	struct node n;

	(void)state;
	w[0] = newcomer(&s, &j, &n, "dev-23", HF_ROLE_DEVICE);
	config.max_sessions = 32;
	assert_ok(hf_serve_new(&serve, &config, fresh()));
	peer.cert = &w[0]->cert;
	for (uint8_t site = 1; site <= 4; site++) {
		wire_site = peer.site[0] = site;
		w[2 * site - 1] = wire_new(serve, NULL, bytes_of(&j.self_signed));
		w[2 * site] = wire_new(serve, NULL, bytes_of(&j.self_signed));
		assert_err(hf_serve_begin(&session, &h, serve, &peer, wire_now_ms, fresh()),
			HF_ERR_LIMIT);
	}
	wire_site = 0;
	peer.site[0] = 5;
	assert_err(hf_serve_begin(&session, &h, serve, &peer, wire_now_ms, fresh()), HF_ERR_LIMIT);
	wire_end(w[1]);
	assert_ok(hf_serve_begin(&session, &h, serve, &peer, wire_now_ms, fresh()));
	hf_h2_free(h);
	hf_serve_session_end(session);
	for (size_t i = 0; i < HF_COUNT(w); i++)
		if (i != 1)
			wire_end(w[i]);
	hf_serve_free(serve);
	joining_clear(&j);
	node_stop(&n);
}

static unsigned unended_begin(
	struct unended *u, struct wire *w, enum hf_http_method method, const char *path, size_t len)
{
	u->source = (struct hf_http_source){ unended_read, NULL, u, UINT64_MAX };
	u->left = len;
	ask_init(&u->a, method, path);
	u->a.call.source = &u->source;
	ask_begin(&u->a, w);
	ask_clear(&u->a);
	return u->a.answer.n_done == 0 ? 0 : u->a.answer.status;
}

/*
 * Two sessions of one device: it has an eighth of 64 MiB. Inventories of 256 KiB are four of a
 * session, uploads two; then it is told "later", and others are not.
 */
static void bodies_that_never_end_have_a_share(void **state)
{
	enum { LARGE = 256 << 10, UPLOAD = 4 << 20 };
	static struct unended u[16];
	char path[128];
	uint8_t name[HF_SM3_LEN] = { 7 };
	struct wire *w[2] = { wire_of(s.serve, dev.dir), wire_of(s.serve, dev.dir) };
	struct wire *of_other = wire_of(s.serve, dev2.dir);

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(
			unended_begin(&u[i], w[0], HF_HTTP_POST, "/v1/inventory", LARGE), 0);
	assert_int_equal(unended_begin(&u[4], w[0], HF_HTTP_POST, "/v1/inventory", LARGE), 429);
	object_url(path, HF_OBJECT_UPLOAD, name);
	assert_int_equal(unended_begin(&u[5], w[1], HF_HTTP_PUT, path, UPLOAD), 0);
	assert_int_equal(unended_begin(&u[6], w[1], HF_HTTP_PUT, path, UPLOAD), 429);
	assert_int_equal(unended_begin(&u[7], of_other, HF_HTTP_PUT, path, UPLOAD), 0);
	wire_end(w[0]); /* what it held is free again */
	assert_int_equal(unended_begin(&u[8], w[1], HF_HTTP_PUT, path, UPLOAD), 0);
	wire_end(w[1]);
	wire_end(of_other);
}

/* A newcomer has one thing to ask: eight at a time are enough. */
static void a_session_of_a_newcomer_has_few_streams(void **state)
{
	static struct unended u[9];
	struct joining j;
	struct node n;
	struct wire *w = newcomer(&s, &j, &n, "dev-22", HF_ROLE_DEVICE);

	(void)state;
	for (size_t i = 0; i < HF_COUNT(u); i++)
		assert_int_equal(unended_begin(&u[i], w, HF_HTTP_POST, "/v1/enroll", 16 << 10), 0);
	assert_int_equal(hf_h2_n_streams(w->server), 8);
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
}

/* Who does not enrol is sent away, however alive it keeps its link. */
static void a_newcomer_cannot_stay(void **state)
{
	struct joining j;
	struct node n;
	struct wire *w = newcomer(&s, &j, &n, "dev-21", HF_ROLE_DEVICE);

	(void)state;
	world_run();
	assert_int_equal(hf_serve_deadline(s.serve), wire_now_ms + 60 * 1000);
	hf_serve_tick(s.serve, wire_now_ms + 60 * 1000 - 1);
	world_run();
	assert_false(hf_h2_is_over(w->server));
	hf_serve_tick(s.serve, wire_now_ms + 60 * 1000);
	world_run();
	assert_true(hf_h2_is_over(w->server));
	assert_int_not_equal(hf_serve_deadline(s.serve), wire_now_ms + 60 * 1000);
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
}

/* A new link does not buy a stranger new room in the audit log. */
static void newcomers_cannot_flood_the_log_by_coming_back(void **state)
{
	unsigned before = hub_count(HF_EV_REQUEST_REFUSED).n;
	struct joining j;
	struct node n;
	struct wire *w = newcomer(&s, &j, &n, "dev-22", HF_ROLE_DEVICE);
	struct counting c;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		for (unsigned k = 0; k < 66; k++)
			assert_int_equal(post_json(w, "/v1/releases", "{}"), 403);
		wire_end(w);
		w = wire_new(s.serve, NULL, bytes_of(&j.self_signed));
	}
	c = hub_count(HF_EV_REQUEST_REFUSED);
	assert_in_range(c.n - before, 200, 256);
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
	served_stop(&s); /* with a log that is open for newcomers again */
	start();
}

/* The status of an enrolment with a body that is altered by change. */
static unsigned enroll_with(struct wire *w, const struct joining *j)
{
	char body[16 << 10];

	enroll_body(body, j);
	return post_json(w, "/v1/enroll", body);
}

static void an_enrolment_needs_the_links_own_key_and_a_token(void **state)
{
	struct joining j;
	struct joining second;
	struct node n;
	struct node m;
	struct wire *w;
	struct wire *v;
	struct hf_buf keep;

	(void)state;
	w = newcomer(&s, &j, &n, "dev-7", HF_ROLE_DEVICE);
	v = newcomer(&s, &second, &m, "dev-8", HF_ROLE_DEVICE);
	/* requests of another key than the link's, with a token that is good for them */
	assert_int_equal(enroll_with(v, &j), 401);
	/* a token for another name */
	keep = j.sign_csr;
	memcpy(second.token, j.token, sizeof(j.token));
	assert_int_equal(enroll_with(v, &second), 403);
	assert_int_equal(post_json(w, "/v1/enroll", "{}"), 400);
	assert_int_equal(post_json(w, "/v1/enroll", "[1]"), 400);
	assert_int_equal(post_json(w, "/v1/enroll", ""), 400);
	/* no token at all */
	j.token[10] ^= 1;
	assert_int_equal(enroll_with(w, &j), 401);
	j.token[10] ^= 1;
	/* cut, altered */
	j.sign_csr.len--;
	assert_int_equal(enroll_with(w, &j), 400);
	j.sign_csr = keep;
	assert_int_equal(enroll_with(w, &j), 200);
	assert_int_equal(enroll_with(w, &j), 200); /* the same key may ask again */
	assert_int_equal(hub_count(HF_EV_ENROL_REFUSED).n, 3);
	wire_end(w);
	wire_end(v);
	joining_clear(&j);
	joining_clear(&second);
	node_stop(&n);
	node_stop(&m);
}

static void a_newcomer_hears_no_more_than_a_code(void **state)
{
	char body[16 << 10];
	struct joining j;
	struct node n;
	struct wire *w = newcomer(&s, &j, &n, "dev-6", HF_ROLE_DEVICE);
	struct ask a;

	(void)state;
	j.token[10] ^= 1;
	enroll_body(body, &j);
	ask_init(&a, HF_HTTP_POST, "/v1/enroll");
	a.call.body = (const uint8_t *)body;
	a.call.body_len = strlen(body);
	assert_int_equal(ask_run(&a, w), 401);
	assert_string_equal((const char *)a.answer.body,
		"{\"error\":\"auth\",\"code\":1025,\"text\":\"authentication failed\"}");
	ask_clear(&a);
	wire_end(w);
	joining_clear(&j);
	node_stop(&n);
}

/* The channel as it is served; false: there is none. */
static bool get_channel(struct wire *w, struct hf_channel *c, struct hf_buf *object)
{
	struct hf_bytes content;
	struct ask a;
	unsigned status;

	ask_init(&a, HF_HTTP_GET, "/v1/channels/current");
	status = ask_run(&a, w);
	if (status == 200) {
		assert_string_equal(a.answer.head.content_type, HF_TYPE_DER);
		hf_buf_reset(object);
		assert_ok(hf_buf_put(object, a.answer.body, a.answer.len));
		assert_ok(hf_object_open(&content, NULL, HF_OBJECT_CHANNEL, bytes_of(object),
			&world_hub.root.roles[HF_ROOT_DIRECTOR], NULL));
		assert_ok(hf_channel_parse(c, content, NULL));
	} else {
		assert_int_equal(status, 404);
	}
	ask_clear(&a);
	return status == 200;
}

static unsigned post_release(struct wire *w, const struct goods *g)
{
	return post_name(w, "/v1/releases", "manifest", g->name);
}

static void a_release_becomes_current_when_all_of_it_is_there(void **state)
{
	struct wire *w = publisher();
	struct hf_buf object = buf_new();
	struct hf_channel_release entry;
	struct hf_channel c = { .serial = 0 };

	(void)state;
	assert_false(get_channel(w, &c, &object));
	assert_int_equal(post_release(w, one), 409); /* nothing has come */
	assert_int_equal(put_statement(w, one), 201);
	assert_int_equal(post_release(w, one), 409); /* no deposit */
	assert_int_equal(put_deposit(w, one), 201);
	assert_int_equal(post_release(w, one), 409); /* no pages */
	assert_int_equal(put_page(w, one, 0), 201);
	assert_int_equal(post_release(w, one), 409); /* no index page */
	assert_int_equal(put_page(w, one, 1), 201);
	assert_int_equal(post_release(w, one), 409); /* no pack */
	assert_false(get_channel(w, &c, &object));
	assert_int_equal(n_announced, 0);
	assert_int_equal(put_pack(w, one, 0), 201);
	assert_int_equal(post_release(w, one), 200);
	assert_true(get_channel(w, &c, &object));
	assert_ok(hf_channel_find(&entry, &c, "digits"));
	assert_int_equal(entry.release, 3);
	assert_int_equal(entry.floor, 2);
	assert_memory_equal(entry.manifest, one->name, HF_SM3_LEN);
	assert_int_equal(n_announced, 1);
	assert_int_equal(announced, c.serial);
	/* the same again: the same answer, and nothing else */
	assert_int_equal(post_release(w, one), 200);
	assert_int_equal(n_announced, 1);
	assert_int_equal(hub_count(HF_EV_MODEL_PUBLISH).n, 1);
	assert_int_equal(status_of(w, HF_HTTP_GET, "/v1/channels/other", NULL, 0), 404);
	hf_buf_clear(&object);
	wire_end(w);
}

static void releases_only_go_forward(void **state)
{
	struct goods *below = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 2, .floor = 2, .seed = 4 });
	struct goods *same = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 3, .floor = 2, .seed = 5 });
	struct goods *floor = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 9, .floor = 1, .seed = 6 });
	struct wire *w = publisher();
	struct hf_buf object = buf_new();
	struct hf_channel before;
	struct hf_channel c;

	(void)state;
	assert_true(get_channel(w, &before, &object));
	put_all(w, below);
	assert_int_equal(post_release(w, below), 409);
	put_all(w, same);
	assert_int_equal(post_release(w, same), 409); /* other content, same number */
	put_all(w, floor);
	assert_int_equal(post_release(w, floor), 409); /* a floor that falls */
	assert_true(get_channel(w, &c, &object));
	assert_int_equal(c.serial, before.serial);
	assert_int_equal(hub_count(HF_EV_MODEL_REFUSED).reason, HF_ERR_ROLLBACK);
	put_all(w, two);
	assert_int_equal(post_release(w, two), 200);
	assert_true(get_channel(w, &c, &object));
	assert_true(c.serial > before.serial);
	assert_int_equal(post_release(w, one), 200); /* known: the same answer as ever … */
	assert_true(get_channel(w, &before, &object));
	assert_int_equal(c.serial, before.serial); /* … and the channel stays where it is */
	goods_free(below);
	goods_free(same);
	goods_free(floor);
	hf_buf_clear(&object);
	wire_end(w);
}

static void the_level_of_hub_publisher_and_package_is_held(void **state)
{
	struct goods *high = goods_sealed(&(struct sealing){
		.lineage = "digits", .release = 20, .floor = 2, .level = HF_L2, .seed = 7 });
	struct wire *w = publisher();

	(void)state;
	put_all(w, high);
	/* the publisher's certificate as one of a lower level */
	s.node.party.identity.level = HF_L1;
	assert_int_equal(post_release(w, high), 403);
	s.node.party.identity.level = HF_L2;
	wire_end(w);
	goods_free(high);
}

static void the_channel_survives_a_restart_and_is_renewed(void **state)
{
	struct wire *w = publisher();
	struct hf_buf object = buf_new();
	struct hf_buf again = buf_new();
	struct hf_channel before;
	struct hf_channel c;
	uint64_t now_ms = hf_clock_mono_ms();

	(void)state;
	assert_true(get_channel(w, &before, &object));
	served_stop(&s);
	start();
	w = publisher();
	assert_true(get_channel(w, &c, &again));
	assert_int_equal(again.len, object.len);
	assert_memory_equal(again.p, object.p, again.len);
	/* far from a third of its life: it stays as it is */
	assert_true(hf_serve_deadline(s.serve) != UINT64_MAX);
	n_announced = 0;
	hf_serve_tick(s.serve, now_ms + 1000);
	hf_serve_tick(s.serve, now_ms + 3600 * 1000 + 1000);
	assert_int_equal(n_announced, 0);
	/* one that lives two seconds is due at once */
	s.node.config.channel_life_s = 2;
	publish(w, other);
	assert_int_equal(n_announced, 1);
	s.node.config.channel_life_s = 10 * DAY;
	hf_serve_tick(s.serve, hf_clock_mono_ms());
	assert_int_equal(n_announced, 2);
	hf_serve_tick(s.serve, hf_clock_mono_ms());
	assert_int_equal(n_announced, 2);
	assert_true(get_channel(w, &c, &object));
	assert_true(c.serial > before.serial + 1);
	assert_int_equal(c.n_releases, 2);
	assert_int_equal(c.serial, announced);
	hf_buf_clear(&object);
	hf_buf_clear(&again);
	wire_end(w);
}

static void a_grant_needs_a_rule(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct hf_buf grant = buf_new();
	struct hf_bytes content;
	struct hf_grant g;

	(void)state;
	assert_int_equal(post_grant(w, two->name, &dev, &grant), 200);
	assert_ok(hf_object_open(&content, NULL, HF_OBJECT_GRANT, bytes_of(&grant),
		&world_hub.root.roles[HF_ROOT_DIRECTOR], NULL));
	assert_ok(hf_grant_parse(&g, HF_OBJECT_GRANT, content, NULL));
	assert_string_equal(g.context.recipient, "dev-1");
	assert_int_equal(g.context.release, 4);
	/* of the lineage "other", only dev-2 may have it */
	assert_int_equal(post_grant(w, other->name, &dev, NULL), 403);
	s.node.config.n_rules = 0;
	assert_int_equal(post_grant(w, two->name, &dev, NULL), 403);
	s.node.config.n_rules = 2;
	assert_int_equal(post_grant(w, two->name, &dev, NULL), 200);
	assert_int_equal(hub_count(HF_EV_POLICY_REFUSED).reason, HF_ERR_DENIED);
	wire_end(w);
	w = wire_of(s.serve, dev2.dir);
	assert_int_equal(post_grant(w, other->name, &dev2, NULL), 200);
	wire_end(w);
	hf_buf_clear(&grant);
}

static void a_device_asks_for_itself_and_an_edge_for_any(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *e = wire_of(s.serve, edge.dir);
	struct hf_buf cert;
	char body[16 << 10];

	(void)state;
	assert_int_equal(post_grant(w, two->name, &dev2, NULL), 403);
	assert_int_equal(post_grant(e, two->name, &dev2, NULL), 200);
	assert_int_equal(post_grant(e, two->name, &edge, NULL), 403); /* no rule for it */
	/* a certificate that is not the device's present one */
	cert = enc_cert_of(&dev);
	cert.p[cert.len - 1] ^= 1;
	grant_body(body, two->name, &cert);
	assert_int_equal(post_json(w, "/v1/grants", body), 403);
	cert.len--;
	grant_body(body, two->name, &cert);
	assert_int_equal(post_json(w, "/v1/grants", body), 400);
	hf_buf_clear(&cert);
	/* the hub's own is no device's */
	cert = buf_new();
	assert_ok(hf_buf_put(&cert, world_hub.enc.der.p, world_hub.enc.der.len));
	grant_body(body, two->name, &cert);
	assert_int_equal(post_json(e, "/v1/grants", body), 403);
	hf_buf_clear(&cert);
	wire_end(w);
	wire_end(e);
}

static void a_grant_is_for_what_was_released(void **state)
{
	struct wire *w = wire_of(s.serve, dev.dir);
	struct wire *p = publisher();
	struct goods *never = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 30, .floor = 2, .seed = 8 });
	struct goods *next = goods_sealed(
		&(struct sealing){ .lineage = "digits", .release = 31, .floor = 4, .seed = 9 });

	(void)state;
	assert_int_equal(post_grant(w, never->name, &dev, NULL), 404);
	put_all(p, never);
	assert_int_equal(post_grant(w, never->name, &dev, NULL), 404); /* there, never current */
	assert_int_equal(post_grant(w, one->name, &dev, NULL), 200);   /* it was */
	publish(p, next);
	assert_int_equal(post_grant(w, next->name, &dev, NULL), 200);
	assert_int_equal(post_grant(w, one->name, &dev, NULL), 409); /* below the floor now */
	goods_free(never);
	goods_free(next);
	wire_end(w);
	wire_end(p);
}

/* A row of grants for dev-1, as if it had been given then. */
static void keep_grant(uint64_t issued_s, uint64_t not_after_s, struct hf_buf *object)
{
	struct hf_sm2_key key;
	struct hf_local_key local = { &key, &world_env.rng };
	struct hf_signer signer;
	const struct hf_signer *signers[] = { &signer };
	struct hf_cms_party to = { .pub = world_hub.enc.key };
	struct hf_buf cert = enc_cert_of(&dev);
	struct hf_buf content = buf_new();
	char id[2 * HF_SM3_LEN + 1];
	char manifest[2 * HF_SM3_LEN + 1];
	uint8_t name[HF_SM3_LEN];
	struct hf_grant_keys keys;
	struct hf_grant_context c = { .domain = "plant-7",
		.lineage = "digits",
		.epoch = 1,
		.release = 4,
		.recipient = "dev-1",
		.issued_s = issued_s,
		.not_after_s = not_after_s,
		.level = HF_L1 };

	assert_ok(hf_sm2_key_new(&key, &world_env.rng));
	signer = hf_signer_local(&local);
	hf_grant_keys_init(&keys, world_env.mem);
	memcpy(c.manifest, two->name, HF_SM3_LEN);
	hf_sm3(c.cert, cert.p, cert.len);
	assert_ok(hf_grant_emit(&content, &c, &keys, &to, &world_env.rng, NULL));
	hf_buf_reset(object);
	assert_ok(hf_object_sign(object, HF_OBJECT_GRANT, bytes_of(&content), signers, 1, NULL));
	hf_object_name(name, object->p, object->len);
	hf_hex_emit(id, name, sizeof(name));
	hf_hex_emit(manifest, two->name, HF_SM3_LEN);
	assert_ok(hf_meta_grant_put(s.node.meta,
		&(struct hf_meta_signed){ id, "dev-1", manifest, not_after_s, bytes_of(object) },
		NULL));
	hf_buf_clear(&cert);
	hf_buf_clear(&content);
	hf_grant_keys_clear(&keys);
}

static bool same(const struct hf_buf *a, const struct hf_buf *b)
{
	return hf_bytes_eq(bytes_of(a), bytes_of(b));
}

static void a_grant_is_kept_for_half_of_its_life(void **state)
{
	uint64_t now_s = hf_clock_wall_s();
	struct wire *w = wire_of(s.serve, dev.dir);
	struct hf_buf kept = buf_new();
	struct hf_buf got = buf_new();

	(void)state;
	keep_grant(now_s - 50 * DAY, now_s + 40 * DAY, &kept);
	assert_int_equal(post_grant(w, two->name, &dev, &got), 200);
	assert_false(same(&kept, &got)); /* less than half is left */
	hf_buf_reset(&got);
	keep_grant(now_s - 40 * DAY, now_s + 41 * DAY, &kept);
	assert_int_equal(post_grant(w, two->name, &dev, &got), 200);
	assert_true(same(&kept, &got));
	hf_buf_clear(&kept);
	hf_buf_clear(&got);
	wire_end(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_role_has_its_routes_and_no_other),
		cmocka_unit_test(the_trust_root_is_an_object_too),
		cmocka_unit_test(objects_under_way_are_as_many_as_descriptors),
		cmocka_unit_test(without_a_descriptor_the_answer_is_later),
		cmocka_unit_test(who_has_no_business_here_gets_no_session),
		cmocka_unit_test(one_peer_leaves_sessions_to_others),
		cmocka_unit_test(one_address_leaves_places_to_other_newcomers),
		cmocka_unit_test(bodies_that_never_end_have_a_share),
		cmocka_unit_test(a_session_of_a_newcomer_has_few_streams),
		cmocka_unit_test(a_newcomer_cannot_stay),
		cmocka_unit_test(newcomers_cannot_flood_the_log_by_coming_back),
		cmocka_unit_test(an_enrolment_needs_the_links_own_key_and_a_token),
		cmocka_unit_test(a_newcomer_hears_no_more_than_a_code),
		cmocka_unit_test(a_release_becomes_current_when_all_of_it_is_there),
		cmocka_unit_test(releases_only_go_forward),
		cmocka_unit_test(the_level_of_hub_publisher_and_package_is_held),
		cmocka_unit_test(the_channel_survives_a_restart_and_is_renewed),
		cmocka_unit_test(a_grant_needs_a_rule),
		cmocka_unit_test(a_device_asks_for_itself_and_an_edge_for_any),
		cmocka_unit_test(a_grant_is_for_what_was_released),
		cmocka_unit_test(a_grant_is_kept_for_half_of_its_life),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
