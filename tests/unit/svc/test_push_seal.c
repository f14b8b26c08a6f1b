/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads: what waits in the outbox is what went in, for the hub and nobody else. */
#include "keyd_server.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "os/thread.h"
#include "pkg/upload.h"
#include "svc/push_seal.h"
#include "svc/unpack.h"

enum { BIG_LEN = 2500 * 1000 + 3, SMALL_LEN = 10 };

static struct node dev;
static uint8_t *big;
static char big_path[2 * TEST_PATH_MAX];
static char small_path[2 * TEST_PATH_MAX];
static const char *const both[] = { big_path, small_path };

static int make(void **state)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 11);

	(void)state;
	world_make();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, NULL);
	keyd_listen(&dev);
	big = malloc(BIG_LEN);
	assert_non_null(big);
	assert_ok(hf_rng_fill(&rng, big, BIG_LEN));
	(void)snprintf(big_path, sizeof(big_path), "%s/delta.bin", world_dir);
	(void)snprintf(small_path, sizeof(small_path), "%s/a-note.txt", world_dir);
	test_file_put(big_path, big, BIG_LEN);
	test_file_put(small_path, "ten bytes.", SMALL_LEN);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	keyd_stop();
	node_stop(&dev);
	world_delete();
	free(big);
	return 0;
}

static const char *outbox(void)
{
	static char path[3 * TEST_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/outbox", dev.dir);
	return path;
}

/* Each test begins with an empty outbox. */
static int clean(void **state)
{
	(void)state;
	spoil = HONEST;
	(void)!hf_dir_delete_all(world_env.mem, outbox(), NULL);
	return 0;
}

static struct hf_push_spec spec_of(void)
{
	return (struct hf_push_spec){ .dir = dev.dir,
		.files = both,
		.n_files = 2,
		.kind = HF_UPLOAD_INCREMENT,
		.lineage = "digits",
		.release = 7 };
}

static hf_err push(const struct hf_push_spec *spec, struct hf_push_result *r)
{
	return hf_push_seal(&world_env, spec, r, fresh());
}

/* A bundle of the outbox and the upload in it, checked to be the device's. */
struct received {
	struct hf_bundle_file bundle;
	struct hf_objects objects;
	struct hf_buf object;
	struct hf_upload upload;
};

static void receive(struct received *in, const struct hf_push_result *r)
{
	char path[4 * TEST_PATH_MAX];
	struct hf_party party;
	struct hf_key_set key;
	struct hf_bytes content;

	(void)snprintf(
		path, sizeof(path), "%s/%020llu.hufu", outbox(), (unsigned long long)r->counter);
	assert_ok(hf_bundle_file_open(&in->bundle, &world_env, path, NULL));
	in->objects = hf_bundle_file_objects(&in->bundle);
	in->object = buf_new();
	assert_ok(hf_objects_load(&in->object, &in->objects, HF_OBJECT_UPLOAD, r->upload, NULL));
	assert_ok(hf_party_open(&party, &world_env, dev.dir, NULL));
	key = hf_key_set_one(&party.sign.key);
	assert_ok(hf_object_open(
		&content, NULL, HF_OBJECT_UPLOAD, bytes_of(&in->object), &key, NULL));
	assert_ok(hf_upload_parse(&in->upload, content, NULL));
	hf_party_clear(&party);
}

static void received_clear(struct received *in)
{
	hf_buf_clear(&in->object);
	hf_bundle_file_close(&in->bundle);
}

/* The content key, by the hub's own. */
static hf_err unwrap(const struct received *in, struct hf_grant_keys *keys)
{
	struct hf_cms_party self = { .pub = world_hub.enc.key, .cert = &world_hub.enc };
	struct hf_sm2_key key;
	struct hf_local_key local = { .key = &key };
	struct hf_decrypter decrypter;
	uint8_t wrap[HF_KEY_SEED_LEN];
	hf_err e;

	assert_ok(hf_root_derive(wrap, world_seed, "wrap"));
	assert_ok(hf_party_key(&world_env, &world_hub, "enc", wrap, &key, NULL));
	decrypter = hf_decrypter_local(&local);
	hf_grant_keys_init(keys, world_env.mem);
	e = hf_upload_unwrap(keys, &in->upload, &self, &decrypter, NULL);
	hf_sm2_key_clear(&key);
	return e;
}

/* Opens a received upload into a folder. */
static void unpack(const struct received *in, const char *dir)
{
	struct hf_release r = { .objects = &in->objects };
	struct hf_grant_keys keys;
	struct hf_index_keys index;

	r.manifest.body = in->upload.body;
	r.manifest.level = in->upload.level;
	hf_upload_scope(&r.scope, &in->upload);
	assert_ok(unwrap(in, &keys));
	assert_ok(hf_index_keys_open(&index, &in->upload.body, keys.cek, &r.scope));
	assert_ok(hf_unpack(&world_env, &r, &index, dir, NULL, fresh()));
	hf_index_keys_clear(&index);
	hf_grant_keys_clear(&keys);
}

static void assert_file(const char *dir, const char *name, const void *bytes, size_t len)
{
	struct hf_buf in = buf_new();

	assert_ok(hf_file_load(&in, test_path(dir, name), NULL));
	assert_int_equal(in.len, len);
	assert_memory_equal(in.p, bytes, len);
	hf_buf_clear(&in);
}

static void the_hub_gets_what_the_device_sealed(void **state)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;
	struct received in;
	char dir[TEST_PATH_MAX];

	(void)state;
	assert_ok(push(&spec, &r));
	assert_int_equal(r.plain_len, BIG_LEN + SMALL_LEN);
	receive(&in, &r);
	assert_string_equal(in.upload.domain, "plant-7");
	assert_string_equal(in.upload.device, "dev-1");
	assert_string_equal(in.upload.recipient, "hub-1");
	assert_string_equal(in.upload.lineage, "digits");
	assert_int_equal(in.upload.release, 7);
	assert_int_equal(in.upload.kind, HF_UPLOAD_INCREMENT);
	assert_int_equal(in.upload.counter, r.counter);
	assert_int_equal(in.upload.level, HF_L1);
	test_tmp_make(dir);
	unpack(&in, dir);
	assert_file(dir, "delta.bin", big, BIG_LEN);
	assert_file(dir, "a-note.txt", "ten bytes.", SMALL_LEN);
	test_tmp_delete(dir);
	received_clear(&in);
}

static void nothing_is_left_but_the_bundle(void **state)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;

	(void)state;
	assert_ok(push(&spec, &r));
	assert_ok(push(&spec, &r));
	assert_int_equal(test_dir_count(outbox()), 4); /* two bundles, counter, lock */
}

static void equal_files_look_different_each_time(void **state)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result a;
	struct hf_push_result b;
	struct received in_a;
	struct received in_b;
	uint8_t pack_a[HF_SM3_LEN];
	uint8_t pack_b[HF_SM3_LEN];

	(void)state;
	assert_ok(push(&spec, &a));
	assert_ok(push(&spec, &b));
	receive(&in_a, &a);
	receive(&in_b, &b);
	assert_ok(hf_objects_only(pack_a, &in_a.objects, HF_OBJECT_PACK, NULL));
	assert_ok(hf_objects_only(pack_b, &in_b.objects, HF_OBJECT_PACK, NULL));
	assert_memory_not_equal(pack_a, pack_b, sizeof(pack_a));
	assert_memory_not_equal(in_a.upload.id, in_b.upload.id, HF_UPLOAD_ID_LEN);
	received_clear(&in_a);
	received_clear(&in_b);
}

static void counters_rise_whatever_becomes_of_their_file(void **state)
{
	static const uint8_t far[8] = { 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x00 };
	static const uint8_t last[8] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct hf_push_spec spec = spec_of();
	struct hf_push_result a;
	struct hf_push_result b;
	char path[4 * TEST_PATH_MAX];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/counter", outbox());
	assert_ok(push(&spec, &a));
	assert_ok(push(&spec, &b));
	assert_true(b.counter > a.counter);
	assert_int_equal(unlink(path), 0); /* lost */
	assert_ok(push(&spec, &a));
	assert_true(a.counter > b.counter);
	test_file_put(path, "?", 1); /* no counter */
	assert_ok(push(&spec, &b));
	assert_true(b.counter > a.counter);
	test_file_put(path, far, sizeof(far)); /* the clock stood in the future once */
	assert_ok(push(&spec, &a));
	assert_int_equal(a.counter, UINT64_C(0x7fffffffffffff01));
	test_file_put(path, last, sizeof(last));
	assert_err(push(&spec, &b), HF_ERR_LIMIT);
	assert_int_equal(test_dir_count(outbox()), 5 + 2);
}

struct side {
	pthread_t thread;
	struct hf_env env;
	hf_err e;
	struct hf_push_result r;
};

static void *push_aside(void *ctx)
{
	struct side *s = ctx;
	struct hf_push_spec spec = spec_of();

	s->e = hf_push_seal(&s->env, &spec, &s->r, NULL);
	return NULL;
}

static void pushes_side_by_side_get_counters_of_their_own(void **state)
{
	struct side side[4];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(side); i++) {
		assert_ok(hf_env_init(&side[i].env, 0, NULL));
		assert_int_equal(pthread_create(&side[i].thread, NULL, push_aside, &side[i]), 0);
	}
	for (size_t i = 0; i < HF_COUNT(side); i++) {
		assert_int_equal(pthread_join(side[i].thread, NULL), 0);
		assert_ok(side[i].e);
		for (size_t k = 0; k < i; k++)
			assert_int_not_equal(side[i].r.counter, side[k].r.counter);
		hf_env_clear(&side[i].env);
	}
	assert_int_equal(test_dir_count(outbox()), HF_COUNT(side) + 2);
}

static void an_upload_needs_no_lineage(void **state)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;
	struct received in;

	(void)state;
	spec.lineage = "";
	spec.release = 0;
	spec.kind = HF_UPLOAD_RECORDS;
	assert_ok(push(&spec, &r));
	receive(&in, &r);
	assert_string_equal(in.upload.lineage, "");
	assert_int_equal(in.upload.kind, HF_UPLOAD_RECORDS);
	received_clear(&in);
}

static void refuses_what_cannot_be(void **state)
{
	static const char *const missing[] = { "/no/such/file", "/no/such/other" };
	struct hf_push_spec good = spec_of();
	struct hf_push_result r = { .counter = 77 };
	struct hf_push_spec s;

	(void)state;
#define REFUSED(field, value, expected) \
	do { \
		s = good; \
		s.field = (value); \
		assert_err(push(&s, &r), (expected)); \
		assert_true(world_ei.code == (expected) && world_ei.text[0] != '\0'); \
	} while (0)
	REFUSED(kind, 0, HF_ERR_ARG);
	REFUSED(kind, (enum hf_upload_kind)4, HF_ERR_ARG);
	REFUSED(lineage, "a b", HF_ERR_ARG);
	REFUSED(lineage, "", HF_ERR_ARG);
	REFUSED(release, 0, HF_ERR_ARG);
	REFUSED(n_files, 0, HF_ERR_ARG);
	REFUSED(files, missing, HF_ERR_NOT_FOUND);
	REFUSED(dir, "/no/such/node", HF_ERR_NOT_FOUND);
	REFUSED(dir, world_dir, HF_ERR_NET);
#undef REFUSED
	assert_int_equal(r.counter, 77);
	assert_int_equal(access(outbox(), F_OK), -1);
}

static void a_newcomer_cannot_push(void **state)
{
	struct node newcomer;
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;

	(void)state;
	keyd_stop();
	node_init(&newcomer, "new", "dev-9", HF_ROLE_DEVICE);
	assert_ok(node_start(&newcomer));
	keyd_listen(&newcomer);
	spec.dir = newcomer.dir;
	assert_err(push(&spec, &r), HF_ERR_STATE);
	assert_non_null(strstr(world_ei.text, "enrol first"));
	keyd_stop();
	node_stop(&newcomer);
	keyd_listen(&dev);
}

static void nothing_is_left_when_the_key_process_fails(void **state)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;

	(void)state;
	spoil = NO_UPLOADS;
	assert_err(push(&spec, &r), HF_ERR_CLOSED);
	assert_int_equal(test_dir_count(outbox()), 2); /* counter, lock */
	spoil = HONEST;
	assert_ok(push(&spec, &r));
	assert_int_equal(test_dir_count(outbox()), 3);
}

static void a_certificate_that_is_not_the_hubs_is_refused(void **state)
{
	char path[3 * TEST_PATH_MAX];
	char mine[3 * TEST_PATH_MAX];
	char away[3 * TEST_PATH_MAX];
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;
	struct hf_buf in = buf_new();

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/certs/hub-enc.crt", dev.dir);
	(void)snprintf(mine, sizeof(mine), "%s/certs/enc.crt", dev.dir);
	(void)snprintf(away, sizeof(away), "%s/away.crt", dev.dir);
	assert_int_equal(rename(path, away), 0);
	assert_err(push(&spec, &r), HF_ERR_NOT_FOUND);
	assert_ok(hf_file_load(&in, mine, NULL));
	test_file_put(path, in.p, in.len);
	assert_err(push(&spec, &r), HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "is not of the hub of plant-7"));
	assert_int_equal(rename(away, path), 0);
	hf_buf_clear(&in);
}

static void what_a_dead_process_left_goes_after_a_day(void **state)
{
	const struct timeval old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;
	char dead[4 * TEST_PATH_MAX];
	char young[4 * TEST_PATH_MAX];

	(void)state;
	assert_ok(push(&spec, &r));
	(void)snprintf(dead, sizeof(dead), "%s/0123.part.part-89ab", outbox());
	(void)snprintf(young, sizeof(young), "%s/4567.part", outbox());
	test_file_put(dead, "x", 1);
	test_file_put(young, "x", 1);
	assert_int_equal(utimes(dead, old), 0);
	assert_ok(push(&spec, &r));
	assert_int_equal(access(dead, F_OK), -1);
	assert_int_equal(access(young, F_OK), 0);
}

static int push_on_full_disk(void *ctx)
{
	struct hf_push_spec spec = spec_of();
	struct hf_push_result r;

	(void)ctx;
	if (hf_dir_make(outbox(), 0700, NULL) != HF_OK || !test_small_disk(outbox(), 1024))
		return 77;
	if (push(&spec, &r) != HF_ERR_FULL)
		return 1;
	return test_dir_count(outbox()) == 0 ? 0 : 2;
}

static void a_full_disk_leaves_nothing(void **state)
{
	int rc = test_child(push_on_full_disk, NULL);

	(void)state;
	if (rc != 77)
		assert_int_equal(rc, 0);
}

#define TEST(f) cmocka_unit_test_setup(f, clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_hub_gets_what_the_device_sealed),
		TEST(nothing_is_left_but_the_bundle),
		TEST(equal_files_look_different_each_time),
		TEST(counters_rise_whatever_becomes_of_their_file),
		TEST(pushes_side_by_side_get_counters_of_their_own),
		TEST(an_upload_needs_no_lineage),
		TEST(refuses_what_cannot_be),
		TEST(a_newcomer_cannot_push),
		TEST(nothing_is_left_when_the_key_process_fails),
		TEST(a_certificate_that_is_not_the_hubs_is_refused),
		TEST(what_a_dead_process_left_goes_after_a_day),
		TEST(a_full_disk_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
