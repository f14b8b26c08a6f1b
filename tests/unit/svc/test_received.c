/* SPDX-License-Identifier: Apache-2.0 */
/* An upload at the hub: opened when it is the device's own and whole, else refused. */
#include "keyd_server.h"

#include <fcntl.h>

#include "svc/push_seal.h"
#include "svc/received.h"
#include "svc/unpack.h"

static struct node dev;
static struct node foreign;
static struct hf_party dev_party;
static struct hf_party foreign_party;
static char bundle_path[4 * TEST_PATH_MAX];
static struct hf_bundle_file bundle;
static struct hf_objects objects;
static struct hf_push_result pushed;

static int make(void **state)
{
	char file[2 * TEST_PATH_MAX];
	const char *files[] = { file };
	struct hf_push_spec spec = { .dir = dev.dir,
		.files = files,
		.n_files = 1,
		.kind = HF_UPLOAD_RECORDS,
		.lineage = "digits",
		.release = 3 };

	(void)state;
	world_make();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, NULL);
	world_join(&foreign, "dev-2", HF_ROLE_DEVICE, NULL);
	assert_ok(hf_party_open(&dev_party, &world_env, dev.dir, NULL));
	assert_ok(hf_party_open(&foreign_party, &world_env, foreign.dir, NULL));
	keyd_listen(&dev);
	(void)snprintf(file, sizeof(file), "%s/records.jsonl", world_dir);
	test_file_put(file, "{}\n{}\n", 6);
	assert_ok(hf_push_seal(&world_env, &spec, &pushed, fresh()));
	(void)snprintf(bundle_path, sizeof(bundle_path), "%s/outbox/%020llu.hufu", dev.dir,
		(unsigned long long)pushed.counter);
	assert_ok(hf_bundle_file_open(&bundle, &world_env, bundle_path, NULL));
	objects = hf_bundle_file_objects(&bundle);
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	hf_bundle_file_close(&bundle);
	keyd_stop();
	hf_party_clear(&dev_party);
	hf_party_clear(&foreign_party);
	node_stop(&dev);
	node_stop(&foreign);
	world_delete();
	return 0;
}

static struct hf_received load(void)
{
	struct hf_received r;

	assert_ok(hf_received_load(&r, &world_env, &objects, NULL, fresh()));
	return r;
}

/* The hub's decryption key; clear it. */
static void hub_key(struct hf_sm2_key *key)
{
	uint8_t wrap[HF_KEY_SEED_LEN];

	assert_ok(hf_root_derive(wrap, world_seed, "wrap"));
	assert_ok(hf_party_key(&world_env, &world_hub, "enc", wrap, key, NULL));
}

static void the_hub_opens_what_its_device_sealed(void **state)
{
	struct hf_sm2_key key;
	struct hf_local_key local = { .key = &key };
	struct hf_decrypter decrypter;
	struct hf_index_keys keys;
	struct hf_received r = load();
	struct hf_buf in = buf_new();
	char dir[TEST_PATH_MAX];

	(void)state;
	assert_memory_equal(r.release.name, pushed.upload, HF_SM3_LEN);
	assert_string_equal(r.upload.device, "dev-1");
	assert_string_equal(hf_upload_kind_name(r.upload.kind), "records");
	assert_ok(hf_received_check(&r, &world_hub, &dev_party.sign, fresh()));
	hub_key(&key);
	decrypter = hf_decrypter_local(&local);
	assert_ok(hf_received_keys(&world_env, &r, &world_hub, &decrypter, &keys, fresh()));
	test_tmp_make(dir);
	assert_ok(hf_unpack(&world_env, &r.release, &keys, dir, NULL, fresh()));
	assert_ok(hf_file_load(&in, test_path(dir, "records.jsonl"), NULL));
	assert_int_equal(in.len, 6);
	assert_memory_equal(in.p, "{}\n{}\n", 6);
	hf_buf_clear(&in);
	test_tmp_delete(dir);
	hf_index_keys_clear(&keys);
	hf_sm2_key_clear(&key);
	hf_received_clear(&r);
}

static void another_device_did_not_sign_it(void **state)
{
	struct hf_received r = load();
	struct hf_cert other = foreign_party.sign;

	(void)state;
	assert_err(hf_received_check(&r, &world_hub, &foreign_party.sign, fresh()), HF_ERR_DENIED);
	/* The encryption certificate of the same device signs nothing. */
	assert_err(hf_received_check(&r, &world_hub, &dev_party.enc, fresh()), HF_ERR_PURPOSE);
	/* A certificate that only says that it is the device's. */
	other.identity = dev_party.sign.identity;
	assert_err(hf_received_check(&r, &world_hub, &other, fresh()), HF_ERR_AUTH);
	hf_received_clear(&r);
}

static void an_altered_bundle_is_refused(void **state)
{
	uint64_t at = 0;
	uint8_t b = 0;
	struct hf_received r;
	int fd = open(bundle_path, O_RDWR | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (size_t i = 0; i < bundle.n_members; i++)
		if (bundle.members[i].kind == HF_OBJECT_UPLOAD)
			at = bundle.members[i].offset + bundle.members[i].len - 20;
	assert_int_equal(pread(fd, &b, 1, (off_t)at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
	assert_err(hf_received_load(&r, &world_env, &objects, NULL, fresh()), HF_ERR_AUTH);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, (off_t)at), 1);
	(void)close(fd);
	assert_err(
		hf_received_load(&r, &world_env, &objects, world_seed, fresh()), HF_ERR_NOT_FOUND);
}

/* The same upload with something else in it, signed by the device as well. */
static struct hf_received forge(void (*change)(struct hf_upload *u))
{
	struct hf_cms_party to = { .pub = world_hub.enc.key, .cert = &world_hub.enc };
	struct node user = as_user(&dev, dev.uid);
	struct hf_received r = load();
	struct hf_upload u = r.upload;
	const uint8_t cek[HF_CEK_LEN] = { 1 };
	struct hf_buf content = buf_new();
	struct hf_buf object = buf_new();
	struct hf_bytes signed_content;

	change(&u);
	assert_ok(hf_upload_emit(&content, &u, cek, &to, &world_env.rng, NULL));
	assert_ok(hf_key_sign_upload(client(&user), bytes_of(&content), &object, fresh()));
	hf_received_clear(&r);
	r.release.object = object;
	assert_ok(hf_object_peek(&signed_content, HF_OBJECT_UPLOAD, bytes_of(&object), NULL));
	assert_ok(hf_upload_parse(&r.upload, signed_content, NULL));
	hf_upload_scope(&r.release.scope, &r.upload);
	hf_buf_clear(&content);
	return r;
}

static void to_other_hub(struct hf_upload *u)
{
	(void)snprintf(u->recipient, sizeof(u->recipient), "hub-2");
}

static void to_other_cert(struct hf_upload *u)
{
	u->cert[0] ^= 1;
}

static void long_ago(struct hf_upload *u)
{
	u->created_s = 1000000000;
}

static void no_change(struct hf_upload *u)
{
	(void)u;
}

static hf_err check_forged(void (*change)(struct hf_upload *u))
{
	struct hf_received r = forge(change);
	hf_err e = hf_received_check(&r, &world_hub, &dev_party.sign, fresh());

	hf_received_clear(&r);
	return e;
}

static void an_upload_for_somebody_else_is_refused(void **state)
{
	(void)state;
	assert_ok(check_forged(no_change));
	assert_err(check_forged(to_other_hub), HF_ERR_DENIED);
	assert_non_null(strstr(world_ei.text, "for hub hub-2"));
	assert_err(check_forged(to_other_cert), HF_ERR_DENIED);
	assert_err(check_forged(long_ago), HF_ERR_EXPIRED);
}

static void a_key_that_was_not_committed_to_opens_nothing(void **state)
{
	struct hf_sm2_key key;
	struct hf_local_key local = { .key = &key };
	struct hf_decrypter decrypter;
	struct hf_index_keys keys;
	struct hf_received r = forge(no_change); /* its content key is another one */
	struct hf_received good = load();

	(void)state;
	hub_key(&key);
	decrypter = hf_decrypter_local(&local);
	assert_err(hf_received_keys(&world_env, &r, &world_hub, &decrypter, &keys, fresh()),
		HF_ERR_AUTH);
	assert_non_null(strstr(world_ei.text, "commits to"));
	/* Another recipient finds nothing for itself in the envelope. */
	assert_err(hf_received_keys(&world_env, &good, &dev_party, &decrypter, &keys, fresh()),
		HF_ERR_NOT_FOUND);
	hf_sm2_key_clear(&key);
	assert_ok(hf_sm2_key_new(&key, &world_env.rng));
	decrypter = hf_decrypter_local(&local);
	assert_err(hf_received_keys(&world_env, &good, &world_hub, &decrypter, &keys, fresh()),
		HF_ERR_AUTH);
	hf_sm2_key_clear(&key);
	hf_received_clear(&r);
	hf_received_clear(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hub_opens_what_its_device_sealed),
		cmocka_unit_test(another_device_did_not_sign_it),
		cmocka_unit_test(an_altered_bundle_is_refused),
		cmocka_unit_test(an_upload_for_somebody_else_is_refused),
		cmocka_unit_test(a_key_that_was_not_committed_to_opens_nothing),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
