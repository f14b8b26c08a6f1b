/* SPDX-License-Identifier: Apache-2.0 */
/* Uploads through the public header. What is in them: tests/unit/svc/test_push_seal.c. */
#include "../svc/keyd_server.h"

#include <hufu/hufu.h>

static struct node dev;

static int make(void **state)
{
	(void)state;
	world_make();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, NULL);
	keyd_listen(&dev);
	test_file_put(test_path(world_dir, "records.jsonl"), "{}\n{}\n", 6);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	keyd_stop();
	node_stop(&dev);
	world_delete();
	return 0;
}

static void an_upload_waits_in_the_outbox(void **state)
{
	const char *files[] = { test_path(world_dir, "records.jsonl") };
	struct hufu_upload upload = {
		.node_dir = dev.dir, .files = files, .n_files = 1, .kind = HUFU_UPLOAD_RECORDS
	};
	struct hufu_error why = { .code = 0 };
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	char path[4 * TEST_PATH_MAX];
	uint8_t name[HF_SM3_LEN];
	uint64_t first = 0;
	uint64_t second = 0;

	(void)state;
	assert_int_equal(hufu_push(&upload, &first, &why), HUFU_OK);
	(void)snprintf(
		path, sizeof(path), "%s/outbox/%020llu.hufu", dev.dir, (unsigned long long)first);
	assert_ok(hf_bundle_file_open(&bundle, &world_env, path, NULL));
	objects = hf_bundle_file_objects(&bundle);
	assert_ok(hf_objects_only(name, &objects, HF_OBJECT_UPLOAD, NULL));
	hf_bundle_file_close(&bundle);
	assert_int_equal(setenv("HUFU_NODE", dev.dir, 1), 0);
	upload.node_dir = NULL;
	assert_int_equal(hufu_push(&upload, &second, NULL), HUFU_OK);
	assert_true(second > first);
	assert_int_equal(hufu_push(&upload, NULL, NULL), HUFU_OK);
	assert_int_equal(unsetenv("HUFU_NODE"), 0);
	assert_int_equal(why.code, 0);
}

static void refusals_say_why(void **state)
{
	const char *files[] = { "/no/such/file" };
	struct hufu_upload upload = {
		.node_dir = dev.dir, .files = files, .n_files = 1, .kind = HUFU_UPLOAD_OTHER
	};
	struct hufu_error why = { .code = 0 };
	uint64_t counter = 77;

	(void)state;
	assert_int_equal(hufu_push(&upload, &counter, &why), HUFU_ERR_NOT_FOUND);
	assert_int_equal(why.code, HUFU_ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "/no/such/file"));
	files[0] = test_path(world_dir, "records.jsonl");
	upload.node_dir = world_dir;
	assert_int_equal(hufu_push(&upload, &counter, &why), HUFU_ERR_NET);
	assert_non_null(strstr(why.text, "start hufud"));
	upload.node_dir = dev.dir;
	upload.lineage = "digits";
	assert_int_equal(hufu_push(&upload, &counter, &why), HUFU_ERR_ARG);
	assert_non_null(strstr(why.text, "lineage and release"));
	assert_int_equal(counter, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_upload_waits_in_the_outbox),
		cmocka_unit_test(refusals_say_why),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
