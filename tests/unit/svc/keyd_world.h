/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole domain in a folder of its own: a hub's key process and those of devices, in one process,
 * each asked through svc/key_client.h. The clock is a number.
 */
#ifndef TEST_KEYD_WORLD_H
#define TEST_KEYD_WORLD_H

#include "test.h"

#include <stdio.h>

#include "base/endian.h"
#include "crypto/module.h"
#include "keys/token.h"
#include "os/clock.h"
#include "os/cpu.h"
#include "os/dir.h"
#include "os/file.h"
#include "os/process.h"
#include "pkg/channel.h"
#include "pkg/receipt.h"
#include "svc/bundle_file.h"
#include "svc/domain.h"
#include "svc/journal.h"
#include "svc/key_client.h"
#include "svc/key_wire.h"
#include "svc/keyd.h"
#include "svc/release.h"
#include "svc/seal.h"
#include "tmp.h"

#define DAY UINT64_C(86400)

struct node {
	struct hf_keyd *k;
	struct hf_key_client c;
	enum hf_key_asker asker;
	uint32_t uid;
	char dir[2 * TEST_PATH_MAX];
	struct hf_keyd_config config;
};

struct release {
	struct hf_buf manifest;
	struct hf_buf deposit;
	struct hf_channel_release entry;
};

static char world_dir[TEST_PATH_MAX];
static struct hf_env world_env;
static uint64_t world_now; /* seconds since 1970 */
static uint8_t world_seed[HF_KEY_SEED_LEN];
static struct hf_party world_hub;
static struct node hub;
static struct hf_errinfo world_ei;        /* of the last call that took it */
static enum hf_level world_level = HF_L1; /* of new nodes, tokens and releases */

/* For calls whose text is looked at afterwards. */
static inline struct hf_errinfo *fresh(void)
{
	world_ei = (struct hf_errinfo){ .code = HF_OK };
	return &world_ei;
}

static inline struct hf_bytes bytes_of(const struct hf_buf *b)
{
	return (struct hf_bytes){ b->p, b->len };
}

static inline struct hf_buf buf_new(void)
{
	struct hf_buf b;

	hf_buf_init(&b, world_env.mem, HF_KEY_MESSAGE_MAX);
	return b;
}

static inline uint64_t world_clock(void *ctx)
{
	(void)ctx;
	return world_now;
}

static inline hf_err world_exchange(
	void *ctx, struct hf_buf *reply, const uint8_t *in, size_t in_len)
{
	struct node *n = ctx;

	return hf_keyd_handle(n->k, reply, n->asker, n->uid, in, in_len);
}

/* A node that is not started. */
static inline void node_init(struct node *n, const char *dir, const char *id, enum hf_role role)
{
	*n = (struct node){ .asker = HF_ASKER_FRONT, .uid = hf_process_uid() };
	(void)snprintf(n->dir, sizeof(n->dir), "%s/%s", world_dir, dir);
	n->config = (struct hf_keyd_config){
		.dir = n->dir, .id = id, .role = role, .level = world_level, .now_s = world_clock
	};
	n->c = (struct hf_key_client){
		.mem = world_env.mem, .fd = -1, .exchange = world_exchange, .ctx = n
	};
}

static inline hf_err node_start(struct node *n)
{
	return hf_keyd_new(&n->k, &world_env, &n->config, fresh());
}

static inline void node_stop(struct node *n)
{
	hf_keyd_free(n->k);
	n->k = NULL;
}

static inline void node_restart(struct node *n)
{
	node_stop(n);
	assert_ok(node_start(n));
}

/* The same process seen by a local user. */
static inline struct node as_user(const struct node *n, uint32_t uid)
{
	struct node u = *n;

	u.asker = HF_ASKER_LOCAL;
	u.uid = uid;
	return u;
}

static inline struct hf_key_client *client(struct node *n)
{
	n->c.ctx = n;
	return &n->c;
}

static inline void world_make_domain(void)
{
	char dir[TEST_PATH_MAX + 16];
	struct hf_share shares[2];
	struct hf_slots slots;
	struct hf_domain_spec spec = { .dir = dir,
		.name = "plant-7",
		.hub = "hub-1",
		.n_publishers = 2,
		.threshold = 2,
		.n_shares = 2,
		.level = HF_L2 };

	(void)snprintf(dir, sizeof(dir), "%s/domain", world_dir);
	assert_ok(hf_domain_init(&world_env, &spec, shares, NULL));
	assert_ok(hf_domain_slots(&slots, &world_env, dir, NULL));
	assert_ok(hf_slots_open_shares(world_seed, &slots, shares, 2, NULL));
}

static inline void world_make(void)
{
	assert_ok(hf_module_start(hf_os_cpu()));
	assert_ok(hf_env_init(&world_env, 0, NULL));
	test_tmp_make(world_dir);
	world_now = hf_clock_wall_s();
	world_make_domain();
	node_init(&hub, "domain/hub", "hub-1", HF_ROLE_HUB);
	hub.config.level = HF_L2;
	hub.config.root_seed = world_seed;
	assert_ok(node_start(&hub));
	assert_ok(hf_party_open(&world_hub, &world_env, hub.dir, NULL));
}

static inline void world_delete(void)
{
	node_stop(&hub);
	hf_party_clear(&world_hub);
	test_tmp_delete(world_dir);
	hf_env_clear(&world_env);
}

/* Everything of an enrolment, so that a test can change any of it. */
struct joining {
	char token[HF_TOKEN_TEXT_MAX];
	struct hf_buf sign_csr;
	struct hf_buf enc_csr;
	struct hf_buf self_signed;
	struct hf_buf sign_cert;
	struct hf_buf enc_cert;
	struct hf_enrolled papers;
	uint8_t root_ca_sm3[HF_SM3_LEN];
};

static inline void joining_init(struct joining *j)
{
	*j = (struct joining){ .token = "" };
	j->sign_csr = buf_new();
	j->enc_csr = buf_new();
	j->self_signed = buf_new();
	j->sign_cert = buf_new();
	j->enc_cert = buf_new();
}

static inline void joining_clear(struct joining *j)
{
	hf_buf_clear(&j->sign_csr);
	hf_buf_clear(&j->enc_csr);
	hf_buf_clear(&j->self_signed);
	hf_buf_clear(&j->sign_cert);
	hf_buf_clear(&j->enc_cert);
}

static inline void make_token(struct joining *j, const char *id, const char *role, uint64_t life_s)
{
	struct node admin = as_user(&hub, hf_process_uid());

	assert_ok(hf_key_make_token(client(&admin), id, role, world_level, life_s, j->token, NULL));
}

static inline void join_ask(struct joining *j, struct node *n)
{
	assert_ok(hf_key_newcomer(client(n), &j->sign_csr, &j->enc_csr, &j->self_signed, fresh()));
}

static inline hf_err join_issue(struct joining *j)
{
	return hf_key_enrol(client(&hub), j->token, bytes_of(&j->sign_csr), bytes_of(&j->enc_csr),
		&j->sign_cert, &j->enc_cert, fresh());
}

/* What a hub's network process puts into its answer. */
static inline void join_papers(struct joining *j)
{
	struct hf_token t;

	j->papers = (struct hf_enrolled){ .sign_cert = bytes_of(&j->sign_cert),
		.enc_cert = bytes_of(&j->enc_cert),
		.issuing_ca = world_hub.issuing_ca.der,
		.root_ca = world_hub.root_ca.der,
		.hub_enc = world_hub.enc.der,
		.root = bytes_of(&world_hub.root_object) };
	assert_ok(hf_token_parse(&t, j->token, strlen(j->token)));
	memcpy(j->root_ca_sm3, t.root_ca, sizeof(j->root_ca_sm3));
}

static inline hf_err join_finish(struct joining *j, struct node *n)
{
	return hf_key_enrolled(client(n), &j->papers, j->root_ca_sm3, fresh());
}

/* A member from nothing; its encryption certificate is appended to enc_cert, which may be NULL. */
static inline void world_join(
	struct node *n, const char *id, enum hf_role role, struct hf_buf *enc_cert)
{
	struct joining j;

	joining_init(&j);
	node_init(n, id, id, role);
	assert_ok(node_start(n));
	make_token(&j, id, hf_role_name(role), DAY);
	join_ask(&j, n);
	assert_ok(join_issue(&j));
	join_papers(&j);
	assert_ok(join_finish(&j, n));
	if (enc_cert != NULL)
		assert_ok(hf_buf_put(enc_cert, j.enc_cert.p, j.enc_cert.len));
	joining_clear(&j);
}

/* Seals one small file as a release of a lineage. */
static inline void world_seal(
	struct release *r, const char *lineage, uint64_t number, uint64_t floor)
{
	char publisher[TEST_PATH_MAX + 32];
	char file[TEST_PATH_MAX + 32];
	char out[TEST_PATH_MAX + 128];
	const char *parties[] = { publisher };
	const char *files[] = { file };
	struct hf_seal_result result;
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	uint8_t name[HF_SM3_LEN];
	struct hf_seal_spec spec = { .parties = parties,
		.n_parties = 1,
		.files = files,
		.n_files = 1,
		.out = out,
		.lineage = lineage,
		.version = "",
		.epoch = 1,
		.release = number,
		.floor = floor,
		.level = world_level,
		.life_s = 60 * DAY };

	(void)snprintf(publisher, sizeof(publisher), "%s/domain/publisher", world_dir);
	(void)snprintf(file, sizeof(file), "%s/weights.bin", world_dir);
	(void)snprintf(out, sizeof(out), "%s/%s-%u.hufu", world_dir, lineage, (unsigned)number);
	test_file_put(file, &number, sizeof(number));
	assert_ok(hf_seal(&world_env, &spec, &result, fresh()));
	assert_ok(hf_bundle_file_open(&bundle, &world_env, out, NULL));
	objects = hf_bundle_file_objects(&bundle);
	r->manifest = buf_new();
	r->deposit = buf_new();
	assert_ok(
		hf_objects_load(&r->manifest, &objects, HF_OBJECT_MANIFEST, result.manifest, NULL));
	assert_ok(hf_objects_only(name, &objects, HF_OBJECT_DEPOSIT, NULL));
	assert_ok(hf_objects_load(&r->deposit, &objects, HF_OBJECT_DEPOSIT, name, NULL));
	hf_bundle_file_close(&bundle);
	r->entry = (struct hf_channel_release){
		.release = number, .floor = floor, .level = world_level
	};
	(void)snprintf(r->entry.lineage, sizeof(r->entry.lineage), "%s", lineage);
	memcpy(r->entry.manifest, result.manifest, HF_SM3_LEN);
}

static inline void release_clear(struct release *r)
{
	hf_buf_clear(&r->manifest);
	hf_buf_clear(&r->deposit);
}

/* The next channel over these releases, in ascending order of lineage. */
static inline struct hf_buf world_channel(
	const struct release *const *releases, size_t n, uint64_t life_s)
{
	struct hf_buf list = buf_new();
	struct hf_buf channel = buf_new();

	for (size_t i = 0; i < n; i++)
		assert_ok(hf_channel_release_put(&list, &releases[i]->entry));
	assert_ok(hf_key_make_channel(client(&hub), bytes_of(&list), n, life_s, &channel, fresh()));
	hf_buf_clear(&list);
	return channel;
}

static inline struct hf_buf world_channel_of(const struct release *r)
{
	return world_channel(&r, 1, 30 * DAY);
}

static inline hf_err ask_grant(struct hf_buf *grant, const struct release *r,
	const struct hf_buf *enc_cert, uint64_t life_s)
{
	return hf_key_make_grant(client(&hub), bytes_of(&r->manifest), bytes_of(&r->deposit),
		bytes_of(enc_cert), life_s, grant, fresh());
}

static inline struct hf_buf world_grant(const struct release *r, const struct hf_buf *enc_cert)
{
	struct hf_buf grant = buf_new();

	assert_ok(ask_grant(&grant, r, enc_cert, 30 * DAY));
	return grant;
}

static inline hf_err activate(struct node *n, const struct hf_buf *channel, const struct release *r,
	const struct hf_buf *grant, struct hf_buf *receipt)
{
	return hf_key_activate(client(n), r->entry.lineage, bytes_of(channel),
		bytes_of(&r->manifest), bytes_of(grant), receipt, fresh());
}

/* Opens as the user this test runs as. */
static inline hf_err open_as(struct node *n, uint32_t uid, const char *lineage,
	struct hf_buf *manifest, uint8_t cek[HF_CEK_LEN])
{
	struct node user = as_user(n, uid);

	return hf_key_open(client(&user), lineage, manifest, cek, fresh());
}

/* Records of an event in a log, and the last of them. */
struct counting {
	uint16_t event;
	unsigned n;
	hf_err reason;
	char actor[HF_AUDIT_NAME_MAX];
	char subject[HF_AUDIT_NAME_MAX];
	char rule[64];
	char code[64];
};

static inline hf_err count_event(
	void *ctx, const struct hf_audit_record *r, const char *actor, const char *subject)
{
	struct counting *c = ctx;
	struct hf_audit_attr a = { 0 };
	size_t at = 0;

	if (r->event != c->event)
		return HF_OK;
	c->n++;
	c->reason = (hf_err)r->reason;
	(void)snprintf(c->actor, sizeof(c->actor), "%s", actor == NULL ? "" : actor);
	(void)snprintf(c->subject, sizeof(c->subject), "%s", subject == NULL ? "" : subject);
	while (hf_audit_attr_next(&a, r, &at) == HF_OK) {
		char *out = a.type == HF_ATTR_RULE   ? c->rule
			    : a.type == HF_ATTR_CODE ? c->code
						     : NULL;

		if (out != NULL)
			(void)snprintf(out, sizeof(c->rule), "%.*s", (int)a.value_len,
				(const char *)a.value);
	}
	return HF_OK;
}

/* Public key that heads of a node are signed with. */
static inline struct hf_sm2_pub log_key(const char *dir, const char *file)
{
	char path[2 * TEST_PATH_MAX + 64];
	struct hf_cert cert = { .is_ca = false };
	struct hf_sm2_pub pub;

	(void)snprintf(path, sizeof(path), "%s/certs/%s.crt", dir, file);
	assert_ok(hf_cert_load(&cert, &world_env, path, NULL));
	pub = cert.key;
	hf_cert_clear(&cert);
	return pub;
}

/* Verifies a member's log and counts an event in it. The log must be committed (a stop does). */
static inline struct counting log_count(const struct node *n, enum hf_audit_event event)
{
	struct counting c = { .event = (uint16_t)event };
	struct hf_journal_report report;
	bool is_hub = n->config.role == HF_ROLE_HUB;
	struct hf_sm2_pub pub = log_key(n->dir, is_hub ? "audit" : "sign");
	char id[HF_AUDIT_LOG_ID_MAX];
	char dir[2 * TEST_PATH_MAX + 64];

	(void)snprintf(id, sizeof(id), "plant-7/%s/audit", n->config.id);
	(void)snprintf(dir, sizeof(dir), "%s/audit", n->dir);
	assert_ok(hf_journal_verify(&world_env, dir, id, &pub, count_event, &c, &report, fresh()));
	return c;
}

#endif
