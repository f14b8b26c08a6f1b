/* SPDX-License-Identifier: Apache-2.0 */
/* What a node has on its disk: a hub's party, a newcomer's nothing, and objects for readers. */
#include "test.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "crypto/module.h"
#include "os/cpu.h"
#include "os/dir.h"
#include "os/file.h"
#include "svc/domain.h"
#include "svc/node.h"
#include "tmp.h"

static struct hf_env env;
static char dir[TEST_PATH_MAX];
static char hub[TEST_PATH_MAX];
static char device[TEST_PATH_MAX];

static int make(void **state)
{
	struct hf_domain_spec spec = {
		.name = "plant-7",
		.hub = "hub-1",
		.n_publishers = 1,
		.threshold = 2,
		.n_shares = 2,
		.level = HF_L1,
	};
	struct hf_share shares[2];
	char path[TEST_PATH_MAX + 16];

	(void)state;
	assert_ok(hf_module_start(hf_os_cpu()));
	assert_ok(hf_env_init(&env, 0, NULL));
	test_tmp_make(dir);
	(void)snprintf(path, sizeof(path), "%s/domain", dir);
	(void)snprintf(hub, sizeof(hub), "%s", test_path(dir, "domain/hub"));
	(void)snprintf(device, sizeof(device), "%s", test_path(dir, "device"));
	spec.dir = path;
	assert_ok(hf_domain_init(&env, &spec, shares, NULL));
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	test_tmp_delete(dir);
	hf_env_clear(&env);
	return 0;
}

static struct hf_node_config config_of(const char *where, const char *id, enum hf_role role)
{
	return (struct hf_node_config){
		.dir = where, .id = id, .role = role, .level = HF_L1, .quota = UINT64_MAX
	};
}

static hf_err open_close(const struct hf_node_config *config, struct hf_errinfo *ei)
{
	struct hf_key_client keys = { .fd = -1 };
	struct hf_node n;
	hf_err e = hf_node_open(&n, &env, config, &keys, ei);

	if (e == HF_OK)
		hf_node_close(&n);
	else
		assert_int_equal(n.blobs.lock, -1); /* nothing stays open */
	return e;
}

static void a_hub_has_its_party_from_the_start(void **state)
{
	struct hf_node_config config = config_of(hub, "hub-1", HF_ROLE_HUB);
	struct hf_key_client keys = { .fd = -1 };
	struct hf_node n;
	struct hf_node again;

	(void)state;
	assert_ok(hf_node_open(&n, &env, &config, &keys, NULL));
	assert_true(n.is_member);
	assert_string_equal(n.party.identity.id, "hub-1");
	assert_err(hf_node_open(&again, &env, &config, &keys, NULL), HF_ERR_AGAIN);
	assert_ok(hf_node_reload(&n, NULL));
	assert_true(n.is_member);
	hf_node_close(&n);
	assert_ok(open_close(&config, NULL)); /* the lock went with it */
}

static void what_the_certificate_does_not_say_is_refused(void **state)
{
	struct hf_node_config role = config_of(hub, "hub-1", HF_ROLE_EDGE);
	struct hf_node_config id = config_of(hub, "hub-2", HF_ROLE_HUB);
	struct hf_node_config bad = config_of(hub, "hub/1", HF_ROLE_HUB);
	struct hf_errinfo ei = { .code = HF_OK };

	(void)state;
	assert_err(open_close(&role, &ei), HF_ERR_ARG);
	assert_non_null(strstr(ei.text, "is of a hub, configured is a edge"));
	assert_err(open_close(&id, NULL), HF_ERR_ARG);
	assert_err(open_close(&bad, NULL), HF_ERR_ARG);
}

static void a_device_without_certificates_is_a_newcomer_and_a_hub_is_nothing(void **state)
{
	struct hf_node_config config = config_of(device, "dev-1", HF_ROLE_DEVICE);
	struct hf_node_config hub_config = config_of(device, "hub-1", HF_ROLE_HUB);
	struct hf_key_client keys = { .fd = -1 };
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_node n;

	(void)state;
	assert_ok(hf_node_open(&n, &env, &config, &keys, NULL));
	assert_false(n.is_member);
	assert_ok(hf_node_reload(&n, NULL));
	assert_false(n.is_member);
	hf_node_close(&n);
	assert_err(open_close(&hub_config, NULL), HF_ERR_NOT_FOUND);
	/* Half of a party is none: it is neither a newcomer nor a member. */
	assert_ok(hf_dir_make(test_path(device, "certs"), 0755, NULL));
	test_file_put(test_path(device, "certs/sign.crt"), "x", 1);
	assert_err(open_close(&config, &ei), HF_ERR_NOT_FOUND);
	assert_non_null(strstr(ei.text, "certs/sign.crt: holds no certificate"));
	assert_ok(hf_dir_delete_all(&test_mem, device, NULL));
}

static void put(struct hf_blobs *b, enum hf_object kind, const char *text, uint8_t *name)
{
	char id[2 * HF_SM3_LEN + 1];
	struct hf_blob_put p;

	hf_object_name(name, (const uint8_t *)text, strlen(text));
	hf_hex_emit(id, name, HF_SM3_LEN);
	assert_ok(hf_blob_begin(&p, b, hf_object_kind(kind), id, NULL));
	assert_ok(hf_blob_write(&p, text, strlen(text), NULL));
	assert_ok(hf_blob_commit(&p, NULL));
}

struct seen {
	unsigned n;
	uint64_t len;
	hf_err result;
};

static hf_err see(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct seen *s = ctx;

	(void)name;
	s->n++;
	s->len += len;
	return s->result;
}

struct reader_job {
	const char *objects;
	const uint8_t *name;
};

/* Another user's process, with no right but to look. */
static int reads_as_nobody(void *ctx)
{
	const struct reader_job *job = ctx;
	struct hf_objects o = hf_folder_objects(job->objects);
	uint8_t got[16];
	size_t len = sizeof(got);

	if (!test_drop_root())
		return 77;
	if (o.load(o.ctx, HF_OBJECT_TABLE, job->name, got, &len, NULL) != HF_OK)
		return 1;
	return len == 5 && memcmp(got, "first", 5) == 0 ? 0 : 2;
}

static void objects_are_read_while_the_node_runs(void **state)
{
	struct hf_node_config config = config_of(device, "dev-1", HF_ROLE_DEVICE);
	struct hf_key_client keys = { .fd = -1 };
	char path[TEST_PATH_MAX];
	uint8_t first[HF_SM3_LEN];
	uint8_t second[HF_SM3_LEN];
	uint8_t pack[HF_SM3_LEN];
	struct reader_job job = { path, first };
	struct seen seen = { 0 };
	struct hf_objects o;
	struct hf_node n;
	uint8_t got[16];
	size_t len = 4;
	int rc;

	(void)state;
	assert_ok(hf_node_open(&n, &env, &config, &keys, NULL));
	(void)snprintf(path, sizeof(path), "%s", test_path(device, "objects"));
	o = hf_folder_objects(path);
	assert_ok(o.each(o.ctx, HF_OBJECT_TABLE, see, &seen, NULL)); /* none has ever come */
	assert_int_equal(seen.n, 0);
	put(&n.blobs, HF_OBJECT_TABLE, "first", first);
	put(&n.blobs, HF_OBJECT_TABLE, "the second", second);
	put(&n.blobs, HF_OBJECT_PACK, "0123456789", pack);
	test_file_put(test_path(path, "table/notes"), "x", 1); /* no object: left alone */

	assert_err(o.load(o.ctx, HF_OBJECT_TABLE, first, got, &len, NULL), HF_ERR_LIMIT);
	assert_int_equal(len, 4);
	len = sizeof(got);
	assert_err(o.load(o.ctx, HF_OBJECT_INDEX, first, got, &len, NULL), HF_ERR_NOT_FOUND);
	assert_err(o.load(o.ctx, HF_OBJECT_TABLE, pack, got, &len, NULL), HF_ERR_NOT_FOUND);
	assert_ok(o.load(o.ctx, HF_OBJECT_TABLE, second, got, &len, NULL));
	assert_int_equal(len, 10);
	assert_memory_equal(got, "the second", 10);
	assert_ok(o.read_at(o.ctx, pack, got, 3, 7, NULL));
	assert_memory_equal(got, "789", 3);
	assert_err(o.read_at(o.ctx, pack, got, 4, 7, NULL), HF_ERR_TRUNCATED);
	assert_err(o.read_at(o.ctx, first, got, 1, 0, NULL), HF_ERR_NOT_FOUND);
	assert_ok(o.each(o.ctx, HF_OBJECT_TABLE, see, &seen, NULL));
	assert_int_equal(seen.n, 2);
	assert_int_equal(seen.len, 15);
	seen.result = HF_ERR_STATE;
	assert_err(o.each(o.ctx, HF_OBJECT_TABLE, see, &seen, NULL), HF_ERR_STATE);
	assert_int_equal(seen.n, 3);

	assert_int_equal(chmod(dir, 0755), 0);
	rc = test_child(reads_as_nobody, &job);
	assert_true(rc == 0 || rc == 77);
	assert_ok(unlink(test_path(path, "table/notes")) == 0 ? HF_OK : HF_ERR_IO);
	hf_node_close(&n);
}

static void a_link_in_the_place_of_an_object_is_refused(void **state)
{
	struct hf_node_config config = config_of(device, "dev-1", HF_ROLE_DEVICE);
	char target[TEST_PATH_MAX];
	char path[TEST_PATH_MAX];
	struct hf_key_client keys = { .fd = -1 };
	uint8_t name[HF_SM3_LEN] = { 1 };
	char object[HF_OBJECT_PATH_MAX];
	struct hf_objects o;
	struct hf_node n;
	uint8_t got[16];
	size_t len = sizeof(got);

	(void)state;
	assert_ok(hf_node_open(&n, &env, &config, &keys, NULL));
	(void)snprintf(path, sizeof(path), "%s", test_path(device, "objects"));
	(void)snprintf(target, sizeof(target), "%s", test_path(dir, "target"));
	test_file_put(target, "secret", 6);
	assert_ok(hf_dir_make(test_path(path, "index"), 0755, NULL));
	hf_object_path(object, HF_OBJECT_INDEX, name);
	assert_int_equal(symlink(target, test_path(path, object)), 0);
	o = hf_folder_objects(path);
	assert_err(o.load(o.ctx, HF_OBJECT_INDEX, name, got, &len, NULL), HF_ERR_PERMISSION);
	assert_int_equal(unlink(test_path(path, object)), 0);
	hf_node_close(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hub_has_its_party_from_the_start),
		cmocka_unit_test(what_the_certificate_does_not_say_is_refused),
		cmocka_unit_test(a_device_without_certificates_is_a_newcomer_and_a_hub_is_nothing),
		cmocka_unit_test(objects_are_read_while_the_node_runs),
		cmocka_unit_test(a_link_in_the_place_of_an_object_is_refused),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
