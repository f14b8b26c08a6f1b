/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Agents between servers, in one process and in simulated time: nodes with their key processes, a
 * real hub and real edges (svc/serve.h), and fake hubs that say what a test wants them to say. A
 * line is a client's session of an agent and a server's, whose bytes go to and fro.
 */
#ifndef TEST_AGENT_WORLD_H
#define TEST_AGENT_WORLD_H

#include "serve_world.h"

#include <unistd.h>

#include "svc/agent_inner.h"
#include "svc/api_json.h"

enum { ACTORS_MAX = 6, LINES_MAX = 12, STEP_MS = 20, MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

/* A hub that is none: each answer is the test's. */
struct fake {
	const struct goods *goods; /* whose objects it has */
	struct hf_buf channel;
	struct hf_buf manifest; /* empty: that of goods */
	struct hf_buf grant;
	struct hf_buf enrolled; /* JSON */
	hf_err channel_says;    /* HF_OK: the channel */
	hf_err grant_says;
	hf_err receipt_says;
	bool is_endless; /* objects have no end */
	unsigned n_channels;
	unsigned n_manifests;
	unsigned n_grants;
	unsigned n_receipts;
	unsigned n_inventories;
	unsigned n_enrols;
	uint64_t n_objects;
};

/* A node with a fetching side; an edge has a serving side too. */
struct actor {
	struct node n; /* its key process */
	struct served s;
	struct hf_agent *agent;
	struct hf_agent_config config;
	struct hf_agent_source sources[3];
	struct served *served[3]; /* where its sources lead to: a server, */
	struct fake *fakes[3];    /* or a fake */
	bool is_cut[3];           /* nothing gets through */
	const char *follow[2];
	char token[HF_TOKEN_TEXT_MAX];
	struct hf_upstream up;
	unsigned n_joined;
	bool has_joined;
	uint64_t rate; /* bytes a second from each source; 0: no limit */
};

struct line {
	bool is_used;
	struct actor *who;
	unsigned source;
	struct hf_h2 *client;
	struct hf_h2 *server;
	struct hf_serve_session *session;
	struct hf_cert cert;
	uint64_t budget;
	uint64_t bytes; /* to the client */
};

static struct line lines[LINES_MAX];
static struct actor *actors[ACTORS_MAX];
static size_t n_actors;
static struct served hub_s;

static inline void fake_reply(
	const struct hf_http_request *q, hf_err e, const char *type, const struct hf_buf *body)
{
	const struct hf_http_reply reply = {
		.status = 200, .content_type = type, .body = body->p, .body_len = body->len
	};

	if (e != HF_OK)
		hf_h2_reply_error(q->h, q->stream, e, "the fake says no");
	else
		assert_ok(hf_h2_reply(q->h, q->stream, &reply));
}

static inline void fake_channel(void *ctx, const struct hf_http_request *q)
{
	struct fake *f = ctx;

	f->n_channels++;
	fake_reply(q, f->channel_says, HF_TYPE_DER, &f->channel);
}

static inline hf_err endless_read(void *ctx, uint8_t *out, size_t cap, size_t *len, bool *is_end)
{
	(void)ctx;
	memset(out, 0x55, cap);
	*len = cap;
	*is_end = false;
	return HF_OK;
}

static inline struct hf_bytes fake_find(
	const struct fake *f, enum hf_object kind, const uint8_t name[HF_SM3_LEN])
{
	const struct goods *g = f->goods;

	if (kind == HF_OBJECT_MANIFEST && f->manifest.len > 0)
		return bytes_of(&f->manifest);
	if (kind == HF_OBJECT_MANIFEST && memcmp(name, g->name, HF_SM3_LEN) == 0)
		return bytes_of(&g->statement);
	for (size_t i = 0; i < g->n_pages; i++)
		if (memcmp(name, page_name(g, i), HF_SM3_LEN) == 0)
			return bytes_of(&g->pages[i]);
	for (size_t i = 0; i < g->n_packs; i++)
		if (memcmp(name, g->packs[i].name, HF_SM3_LEN) == 0)
			return bytes_of(&g->packs[i].bytes);
	return (struct hf_bytes){ NULL, 0 };
}

static inline void fake_object(void *ctx, const struct hf_http_request *q)
{
	struct hf_http_reply reply = { .status = 200, .content_type = HF_TYPE_BYTES };
	const struct hf_http_source endless = { .read = endless_read, .len = UINT64_MAX };
	struct fake *f = ctx;
	struct hf_range range = q->head->range;
	enum hf_object kind = HF_OBJECT_PACK;
	uint8_t name[HF_SM3_LEN];
	struct hf_bytes object;
	const char *path = q->head->path + strlen("/v1/objects/");

	assert_ok(hf_object_path_parse(&kind, name, path, strlen(path)));
	f->n_objects++;
	f->n_manifests += kind == HF_OBJECT_MANIFEST;
	object = fake_find(f, kind, name);
	if (object.len == 0) {
		hf_h2_reply_error(q->h, q->stream, HF_ERR_NOT_FOUND, "not here");
		return;
	}
	if (q->head->has_range) {
		assert_true(range.last < object.len);
		range.total = object.len;
		reply.status = 206;
		reply.range = &range;
		object = (struct hf_bytes){ object.p + range.first, range.last - range.first + 1 };
	}
	reply.body = object.p;
	reply.body_len = object.len;
	if (f->is_endless)
		reply.source = &endless;
	assert_ok(hf_h2_reply(q->h, q->stream, &reply));
}

static inline void fake_grant(void *ctx, const struct hf_http_request *q)
{
	struct fake *f = ctx;

	f->n_grants++;
	fake_reply(q, f->grant_says, HF_TYPE_DER, &f->grant);
}

static inline void fake_receipt(void *ctx, const struct hf_http_request *q)
{
	const struct hf_buf nothing = { 0 };
	struct fake *f = ctx;

	f->n_receipts++;
	fake_reply(q, f->receipt_says, HF_TYPE_JSON, &nothing);
}

static inline void fake_nonce(void *ctx, const struct hf_http_request *q)
{
	struct hf_buf body = buf_new();

	(void)ctx;
	assert_ok(hf_buf_put(&body, "{\"nonce\":\"00112233445566778899aabbccddeeff\"}", 44));
	fake_reply(q, HF_OK, HF_TYPE_JSON, &body);
	hf_buf_clear(&body);
}

static inline void fake_inventory(void *ctx, const struct hf_http_request *q)
{
	const struct hf_buf nothing = { 0 };
	struct fake *f = ctx;

	f->n_inventories++;
	fake_reply(q, HF_OK, HF_TYPE_JSON, &nothing);
}

static inline void fake_enrol(void *ctx, const struct hf_http_request *q)
{
	struct fake *f = ctx;

	f->n_enrols++;
	fake_reply(q, f->enrolled.len > 0 ? HF_OK : HF_ERR_AUTH, HF_TYPE_JSON, &f->enrolled);
}

static const struct hf_http_route fake_routes[] = {
	{ HF_HTTP_GET, HF_API_CHANNEL, HF_PEER_MEMBER, 0, fake_channel, NULL },
	{ HF_HTTP_GET, HF_API_OBJECT, HF_PEER_MEMBER, 0, fake_object, NULL },
	{ HF_HTTP_POST, HF_API_GRANTS, HF_PEER_MEMBER, 16 << 10, fake_grant, NULL },
	{ HF_HTTP_POST, HF_API_RECEIPTS, HF_PEER_MEMBER, 64 << 10, fake_receipt, NULL },
	{ HF_HTTP_GET, HF_API_INVENTORY, HF_PEER_MEMBER, 0, fake_nonce, NULL },
	{ HF_HTTP_POST, HF_API_INVENTORY, HF_PEER_MEMBER, 256 << 10, fake_inventory, NULL },
	{ HF_HTTP_POST, HF_API_ENROLL, HF_PEER_MEMBER, 16 << 10, fake_enrol, NULL },
};

static inline void fake_init(struct fake *f, const struct goods *g)
{
	*f = (struct fake){ .goods = g };
	f->channel = buf_new();
	f->manifest = buf_new();
	f->grant = buf_new();
	f->enrolled = buf_new();
}

static inline void fake_clear(struct fake *f)
{
	hf_buf_clear(&f->channel);
	hf_buf_clear(&f->manifest);
	hf_buf_clear(&f->grant);
	hf_buf_clear(&f->enrolled);
}

static inline void fake_says(struct hf_buf *b, struct hf_buf object)
{
	hf_buf_clear(b);
	*b = object;
}

/* The other end of a line: who the client is, it reads from the agent's folder. */
static inline void line_serve(struct line *l, struct served *s)
{
	struct hf_serve_peer peer = { .address = "192.0.2.9:4000", .pump = wire_pump };
	struct actor *a = l->who;
	char path[3 * TEST_PATH_MAX];
	struct hf_buf x = buf_new();
	struct hf_buf y = buf_new();
	struct hf_buf z = buf_new();

	if (a->s.node.is_member) {
		(void)snprintf(path, sizeof(path), "%s/certs/sign.crt", a->n.dir);
		assert_ok(hf_cert_load(&l->cert, &world_env, path, NULL));
	} else {
		assert_ok(hf_key_newcomer(client(&a->n), &x, &y, &z, fresh()));
		assert_ok(hf_cert_copy(&l->cert, world_env.mem, z.p, z.len, NULL));
		peer.is_self_signed = true;
	}
	peer.cert = &l->cert;
	assert_ok(hf_serve_begin(&l->session, &l->server, s->serve, &peer, wire_now_ms, fresh()));
	hf_buf_clear(&x);
	hf_buf_clear(&y);
	hf_buf_clear(&z);
}

static inline void line_up(struct actor *a, unsigned source)
{
	struct hf_h2_client client_config = { world_env.mem, hf_h2_limits_default, "hub.example" };
	struct hf_h2_server fake = { .mem = world_env.mem,
		.limits = hf_h2_limits_default,
		.routes = fake_routes,
		.n_routes = HF_COUNT(fake_routes),
		.peer = HF_PEER_DEVICE,
		.ctx = a->fakes[source] };
	struct line *l = lines;

	while (l->is_used)
		l++;
	assert_true(l < lines + LINES_MAX);
	*l = (struct line){ .is_used = true, .who = a, .source = source };
	client_config.limits.window = 64 * 1024;
	assert_ok(hf_h2_client_new(&l->client, &client_config, wire_now_ms));
	if (a->fakes[source] != NULL)
		assert_ok(hf_h2_server_new(&l->server, &fake, wire_now_ms));
	else
		line_serve(l, a->served[source]);
	hf_agent_source_up(a->agent, source, l->client, wire_now_ms);
}

static inline struct line *line_of(const struct actor *a, unsigned source)
{
	for (struct line *l = lines; l < lines + LINES_MAX; l++)
		if (l->is_used && l->who == a && l->source == source)
			return l;
	return NULL;
}

static inline void line_down(struct actor *a, unsigned source)
{
	struct line *l = line_of(a, source);
	bool is_told_first = wire_now_ms % 40 < 20;

	if (l == NULL)
		return;
	if (is_told_first)
		hf_agent_source_down(a->agent, source, wire_now_ms);
	hf_h2_free(l->client);
	if (!is_told_first)
		hf_agent_source_down(a->agent, source, wire_now_ms);
	hf_h2_free(l->server);
	if (l->session != NULL)
		hf_serve_session_end(l->session);
	hf_cert_clear(&l->cert);
	*l = (struct line){ .is_used = false };
}

static inline void lines_down(struct actor *a)
{
	for (unsigned i = 0; i < a->config.n_sources; i++)
		line_down(a, i);
}

static inline void lines_up(struct actor *a)
{
	for (unsigned i = 0; i < a->config.n_sources; i++)
		if (line_of(a, i) == NULL)
			line_up(a, i);
}

static inline void actor_pump(void *ctx, unsigned source)
{
	struct actor *a = ctx;

	assert_true(source < a->config.n_sources);
	assert_non_null(line_of(a, source));
}

static inline void actor_on_member(void *ctx)
{
	struct actor *a = ctx;

	a->n_joined++;
	a->has_joined = true;
}

static inline void actor_on_bytes(void *ctx)
{
	struct actor *a = ctx;

	if (a->s.serve != NULL)
		hf_serve_wake(a->s.serve);
}

/* The node of an actor whose key process runs; follow may be NULL. */
static inline void actor_init(
	struct actor *a, const char *id, enum hf_role role, const char *follow)
{
	a->config = (struct hf_agent_config){ .node = &a->s.node,
		.sources = a->sources,
		.follow = a->follow,
		.n_follow = follow != NULL ? 1 : 0,
		.poll_ms = 30 * 1000,
		.pump = actor_pump,
		.on_member = actor_on_member,
		.on_bytes = actor_on_bytes,
		.ctx = a };
	a->follow[0] = follow;
	served_open(&a->s, &a->n, id, role);
}

static inline void actor_source(
	struct actor *a, struct served *s, struct fake *f, uint16_t cost, bool is_control)
{
	static const char *const names[] = { "192.0.2.1:7001", "192.0.2.2:7001", "192.0.2.3:7001" };
	size_t n = a->config.n_sources++;

	a->sources[n] = (struct hf_agent_source){
		.name = names[n], .kind = HF_SOURCE_HUB, .cost = cost, .is_control = is_control
	};
	a->served[n] = s;
	a->fakes[n] = f;
}

/* Fetching begins; an edge serves too. */
static inline void actor_start(struct actor *a)
{
	if (a->config.token == NULL && a->token[0] != '\0')
		a->config.token = a->token;
	assert_ok(hf_agent_new(&a->agent, &a->config, wire_now_ms, fresh()));
	if (a->s.node.config.role == HF_ROLE_EDGE) {
		a->up = hf_agent_upstream(a->agent);
		a->s.config.up = &a->up;
		served_start(&a->s);
	}
	actors[n_actors++] = a;
	lines_up(a);
}

/* Lines of others to this edge end with it. */
static inline void actor_stop(struct actor *a)
{
	size_t i = 0;

	for (struct line *l = lines; l < lines + LINES_MAX; l++)
		if (l->is_used && l->who->served[l->source] == &a->s)
			line_down(l->who, l->source);
	if (a->s.serve != NULL)
		hf_serve_free(a->s.serve);
	a->s.serve = NULL;
	lines_down(a);
	hf_agent_free(a->agent);
	a->agent = NULL;
	hf_node_close(&a->s.node);
	while (actors[i] != a)
		i++;
	actors[i] = actors[--n_actors];
}

/* A new process on the same folder, with its key process anew too. */
static inline void actor_restart(struct actor *a)
{
	struct hf_agent_config config = a->config;
	const struct hf_node_config node = a->s.node.config;

	actor_stop(a);
	node_restart(&a->n);
	served_open(&a->s, &a->n, node.id, node.role);
	a->config = config;
	a->config.token = NULL;
	a->token[0] = '\0';
	actor_start(a);
}

static inline size_t line_move(struct line *l, bool is_down)
{
	struct hf_h2 *from = is_down ? l->server : l->client;
	struct hf_h2 *to = is_down ? l->client : l->server;
	const uint8_t *bytes = NULL;
	size_t used = 0;
	uint8_t *exact;
	size_t len;

	if (is_down && l->who->rate != 0 && l->budget == 0)
		return 0;
	len = hf_h2_out(from, &bytes);
	if (l->who->is_cut[l->source]) {
		hf_h2_sent(from, len); /* into nothing */
		return len;
	}
	if (is_down && l->who->rate != 0 && len > l->budget)
		len = (size_t)l->budget;
	if (len == 0)
		return 0;
	if (is_down) {
		l->bytes += len;
		l->budget -= l->who->rate != 0 ? len : 0;
	}
	exact = malloc(len);
	assert_non_null(exact);
	memcpy(exact, bytes, len);
	hf_h2_sent(from, len);
	(void)!hf_h2_feed(to, &used, exact, len, wire_now_ms);
	free(exact);
	return len;
}

/* After enrolment the links are made anew; where one broke, it comes again. */
static inline void actor_relink(struct actor *a)
{
	a->has_joined = false;
	lines_down(a);
	lines_up(a);
}

static inline size_t actor_turn(struct actor *a)
{
	size_t n = 0;

	while (hf_agent_deadline(a->agent) <= wire_now_ms) {
		hf_agent_tick(a->agent, wire_now_ms);
		assert_true(++n < 100000);
	}
	if (a->has_joined)
		actor_relink(a);
	return n;
}

/* Everything that happens at this moment. */
static inline void all_settle(void)
{
	size_t n;

	do {
		n = 0;
		for (size_t i = 0; i < n_actors; i++)
			n += actor_turn(actors[i]);
		for (struct line *l = lines; l < lines + LINES_MAX; l++)
			if (l->is_used)
				n += line_move(l, false) + line_move(l, true);
	} while (n > 0);
}

static inline void step(void)
{
	wire_now_ms += STEP_MS;
	for (struct line *l = lines; l < lines + LINES_MAX; l++) {
		if (!l->is_used)
			continue;
		l->budget = l->who->rate * STEP_MS / 1000;
		hf_h2_tick(l->client, wire_now_ms);
		hf_h2_tick(l->server, wire_now_ms);
	}
	/* Servers measure how long they wait by the system's clock. */
	for (size_t i = 0; i < n_actors; i++)
		if (actors[i]->s.serve != NULL)
			hf_serve_tick(actors[i]->s.serve, hf_clock_mono_ms());
	if (hub_s.serve != NULL)
		hf_serve_tick(hub_s.serve, hf_clock_mono_ms());
}

static inline void run_ms(uint64_t ms)
{
	uint64_t until = wire_now_ms + ms;

	all_settle();
	while (wire_now_ms < until) {
		step();
		all_settle();
	}
}

static inline struct hf_agent_lineage lineage_of(const struct actor *a, const char *name)
{
	struct hf_agent_lineage l;

	for (size_t i = 0; hf_agent_lineage_get(a->agent, i, &l); i++)
		if (strcmp(l.lineage, name) == 0)
			return l;
	memset(&l, 0, sizeof(l));
	return l;
}

static inline bool is_at(const struct actor *a, const char *name, uint64_t release)
{
	struct hf_agent_lineage l = lineage_of(a, name);

	return l.step == HF_AGENT_ACTIVE && l.release == release;
}

/* Until the release is active (or there), at most so long; what is wrong is printed. */
static inline bool run_until(const struct actor *a, const char *name, uint64_t release, uint64_t ms)
{
	uint64_t until = wire_now_ms + ms;
	struct hf_agent_lineage l;

	all_settle();
	while (wire_now_ms < until && !is_at(a, name, release)) {
		step();
		all_settle();
	}
	if (is_at(a, name, release))
		return true;
	l = lineage_of(a, name);
	print_message("%s: step %d, release %u, %s\n", name, l.step, (unsigned)l.release, l.why);
	return false;
}

static inline struct hf_agent_stats agent_stats(const struct actor *a)
{
	struct hf_agent_stats s;

	hf_agent_stats_get(a->agent, &s, wire_now_ms);
	return s;
}

/* Records of an event in an actor's log so far, and the last of them. */
static inline struct counting actor_count(struct actor *a, enum hf_audit_event event)
{
	struct counting c;

	node_stop(&a->n);
	c = log_count(&a->n, event);
	assert_ok(node_start(&a->n));
	return c;
}

/* True if all of a release lies in the store. */
static inline bool is_whole(const struct actor *a, const struct goods *g)
{
	bool all = is_stored(&a->s, HF_OBJECT_MANIFEST, g->name);

	for (size_t i = 0; i < g->n_pages; i++)
		all = all && is_stored(&a->s, i % 2 == 0 ? HF_OBJECT_TABLE : HF_OBJECT_INDEX,
				     page_name(g, i));
	for (size_t i = 0; i < g->n_packs; i++)
		all = all && is_stored(&a->s, HF_OBJECT_PACK, g->packs[i].name);
	return all;
}

/* True if nothing of it does. */
static inline bool is_gone(const struct actor *a, const struct goods *g)
{
	bool any = is_stored(&a->s, HF_OBJECT_MANIFEST, g->name);

	for (size_t i = 0; i < g->n_pages; i++)
		any = any || is_stored(&a->s, i % 2 == 0 ? HF_OBJECT_TABLE : HF_OBJECT_INDEX,
				     page_name(g, i));
	for (size_t i = 0; i < g->n_packs; i++)
		any = any || is_stored(&a->s, HF_OBJECT_PACK, g->packs[i].name);
	return !any;
}

/* A hub that serves, with its key process. */
static inline void hub_open(void)
{
	world_make();
	wire_now_ms = hf_clock_mono_ms();
	served_open(&hub_s, &hub, "hub-1", HF_ROLE_HUB);
	served_start(&hub_s);
}

static inline void hub_close(void)
{
	served_stop(&hub_s);
	world_delete();
}

/* Published over a wire of its own. */
static inline void hub_publish(const struct goods *g)
{
	struct wire *w = wire_of(hub_s.serve, test_path(world_dir, "domain/publisher"));

	publish(w, g);
	wire_end(w);
}

#endif
