/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device on which releases are active, with their objects in its folder and its key process
 * behind keyd.sock.
 */
#ifndef TEST_SDK_WORLD_H
#define TEST_SDK_WORLD_H

#include "../svc/keyd_server.h"

#include <hufu/hufu.h>

enum {
	WEIGHTS_LEN = 3 * 1000 * 1000 + 7, /* three chunks */
	CONFIG_LEN = 333,
};

static struct node dev;
static struct hf_buf dev_cert;
static uint8_t *weights;
static uint8_t *config;

static inline void world_files(void)
{
	struct test_rng r;
	struct hf_rng rng = test_rng(&r, 7);

	weights = malloc(WEIGHTS_LEN);
	config = malloc(CONFIG_LEN);
	assert_true(weights != NULL && config != NULL);
	assert_ok(hf_rng_fill(&rng, weights, WEIGHTS_LEN));
	memset(config, '{', CONFIG_LEN);
	test_file_put(test_path(world_dir, "weights.bin"), weights, WEIGHTS_LEN);
	test_file_put(test_path(world_dir, "config.json"), config, CONFIG_LEN);
	test_file_put(test_path(world_dir, "empty.txt"), "", 0);
}

struct copying {
	const struct hf_objects *from;
	enum hf_object kind;
	char dir[3 * TEST_PATH_MAX];
};

/* The path of an object in the device's store. */
static inline void object_file(char path[4 * TEST_PATH_MAX], const char *dir, enum hf_object kind,
	const uint8_t name[HF_SM3_LEN])
{
	char object[HF_OBJECT_PATH_MAX];

	hf_object_path(object, kind, name);
	(void)snprintf(path, 4 * TEST_PATH_MAX, "%s/objects/%s", dir, object);
}

static inline hf_err copy_object(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct copying *c = ctx;
	char path[4 * TEST_PATH_MAX];
	uint8_t *bytes = malloc((size_t)len);
	size_t room = (size_t)len;

	assert_non_null(bytes);
	if (c->kind == HF_OBJECT_PACK)
		HF_TRY(c->from->read_at(c->from->ctx, name, bytes, room, 0, NULL));
	else
		HF_TRY(c->from->load(c->from->ctx, c->kind, name, bytes, &room, NULL));
	object_file(path, c->dir, c->kind, name);
	test_file_put(path, bytes, room);
	free(bytes);
	return HF_OK;
}

/* What a fetch would have brought: packs and pages of a bundle. */
static inline void world_store(const char *bundle_path, const char *dir)
{
	static const enum hf_object kinds[] = { HF_OBJECT_PACK, HF_OBJECT_TABLE, HF_OBJECT_INDEX };
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;

	assert_ok(hf_bundle_file_open(&bundle, &world_env, bundle_path, NULL));
	objects = hf_bundle_file_objects(&bundle);
	for (size_t i = 0; i < HF_COUNT(kinds); i++) {
		struct copying c = { .from = &objects, .kind = kinds[i] };
		char folder[4 * TEST_PATH_MAX];

		(void)snprintf(c.dir, sizeof(c.dir), "%s", dir);
		(void)snprintf(
			folder, sizeof(folder), "%s/objects/%s", dir, hf_object_kind(kinds[i]));
		assert_ok(hf_dir_make(folder, 0755, NULL));
		assert_ok(objects.each(objects.ctx, kinds[i], copy_object, &c, NULL));
	}
	hf_bundle_file_close(&bundle);
}

/* Seals files as release 1 of a lineage and brings its objects to the device. */
static inline void world_release(struct release *r, const char *lineage, const char *const *names,
	size_t n, struct hf_seal_spec spec)
{
	char publisher[TEST_PATH_MAX + 32];
	char out[TEST_PATH_MAX + 128];
	char paths[4][TEST_PATH_MAX + 128];
	const char *parties[] = { publisher };
	const char *files[4];
	struct hf_seal_result result;
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;
	uint8_t name[HF_SM3_LEN];

	(void)snprintf(publisher, sizeof(publisher), "%s/domain/publisher", world_dir);
	(void)snprintf(out, sizeof(out), "%s/%s.hufu", world_dir, lineage);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(paths[i], sizeof(paths[i]), "%s/%s", world_dir, names[i]);
		files[i] = paths[i];
	}
	spec.parties = parties;
	spec.n_parties = 1;
	spec.files = files;
	spec.n_files = n;
	spec.out = out;
	spec.lineage = lineage;
	spec.version = "1.0";
	spec.epoch = 1;
	spec.release = 1;
	spec.level = HF_L1;
	spec.life_s = 60 * DAY;
	assert_ok(hf_seal(&world_env, &spec, &result, fresh()));
	world_store(out, dev.dir);
	assert_ok(hf_bundle_file_open(&bundle, &world_env, out, NULL));
	objects = hf_bundle_file_objects(&bundle);
	*r = (struct release){ .manifest = buf_new(), .deposit = buf_new() };
	assert_ok(
		hf_objects_load(&r->manifest, &objects, HF_OBJECT_MANIFEST, result.manifest, NULL));
	assert_ok(hf_objects_only(name, &objects, HF_OBJECT_DEPOSIT, NULL));
	assert_ok(hf_objects_load(&r->deposit, &objects, HF_OBJECT_DEPOSIT, name, NULL));
	hf_bundle_file_close(&bundle);
	r->entry = (struct hf_channel_release){ .release = 1, .level = HF_L1 };
	(void)snprintf(r->entry.lineage, sizeof(r->entry.lineage), "%s", lineage);
	memcpy(r->entry.manifest, result.manifest, HF_SM3_LEN);
}

/* A channel over releases in ascending order of lineage, and each of them active on the device. */
static inline void world_activate(struct release *const *releases, size_t n)
{
	const struct release *list[8];
	struct hf_buf channel;

	for (size_t i = 0; i < n; i++)
		list[i] = releases[i];
	channel = world_channel(list, n, 30 * DAY);
	for (size_t i = 0; i < n; i++) {
		struct hf_buf grant = world_grant(list[i], &dev_cert);
		struct hf_buf receipt = buf_new();

		assert_ok(activate(&dev, &channel, list[i], &grant, &receipt));
		hf_buf_clear(&grant);
		hf_buf_clear(&receipt);
		release_clear(releases[i]);
	}
	hf_buf_clear(&channel);
}

/*
 * Lineages: "digits" (two files), "single" (one, small chunks), "other1" (one; as long a name as
 * "digits"), "mixed" (two, one of them empty).
 */
static inline void sdk_world_make(void)
{
	static const char *const both[] = { "config.json", "weights.bin" };
	static const char *const one[] = { "weights.bin" };
	static const char *const odd[] = { "config.json", "empty.txt" };
	struct release digits;
	struct release mixed;
	struct release other;
	struct release single;

	world_make();
	dev_cert = buf_new();
	world_join(&dev, "dev-1", HF_ROLE_DEVICE, &dev_cert);
	world_files();
	world_release(&digits, "digits", both, 2, (struct hf_seal_spec){ .cut = 0 });
	world_release(&mixed, "mixed", odd, 2, (struct hf_seal_spec){ .cut = 0 });
	world_release(&other, "other1", one, 1, (struct hf_seal_spec){ .no_dedupe = true });
	world_release(&single, "single", one, 1, (struct hf_seal_spec){ .cut = 64 << 10 });
	world_activate((struct release *const[]){ &digits, &mixed, &other, &single }, 4);
	keyd_listen(&dev);
}

static inline void sdk_world_delete(void)
{
	keyd_stop();
	hf_buf_clear(&dev_cert);
	node_stop(&dev);
	world_delete();
	free(weights);
	free(config);
}

#endif
