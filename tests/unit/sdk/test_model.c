/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a model against a real key process: what comes out, and all that is refused. */
#include "sdk_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static struct hufu_error why;

static int make(void **state)
{
	(void)state;
	sdk_world_make();
	return 0;
}

static int delete_all(void **state)
{
	(void)state;
	sdk_world_delete();
	return 0;
}

static int be_honest(void **state)
{
	(void)state;
	spoil = HONEST;
	memset(&why, 0, sizeof(why));
	return 0;
}

static int try_open(struct hufu_model **m, const char *name, unsigned flags)
{
	*m = NULL;
	memset(&why, 0, sizeof(why));
	return hufu_model_open(m, dev.dir, name, flags, &why);
}

static struct hufu_model *open_model(const char *name, unsigned flags)
{
	struct hufu_model *m;

	if (try_open(&m, name, flags) != HUFU_OK)
		fail_msg("%s", why.text);
	return m;
}

/* Refused, with these words, and nothing given. */
static void assert_refused(const char *name, unsigned flags, int code, const char *words)
{
	struct hufu_model *m;

	assert_int_equal(try_open(&m, name, flags), code);
	assert_null(m);
	assert_int_equal(why.code, code);
	if (strstr(why.text, words) == NULL)
		fail_msg("'%s' is not in '%s'", words, why.text);
}

static size_t count_maps(void)
{
	char line[512];
	size_t n = 0;
	FILE *f = fopen("/proc/self/maps", "re");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, "memfd:hufu") != NULL;
	(void)fclose(f);
	return n;
}

static size_t count_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	size_t n = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		n++;
	(void)closedir(d);
	return n;
}

/* The node's thread closes its end of a connection a moment after ours. */
static void assert_fds_fall_to(size_t n)
{
	for (int i = 0; i < 500 && count_fds() > n; i++)
		(void)usleep(10000);
	assert_true(count_fds() <= n); /* n may have counted an end of the test before */
}

static void files_come_out_as_they_went_in(void **state)
{
	struct hufu_model *m = open_model("digits", 0);
	const void *bytes = NULL;
	uint64_t size = 0;
	size_t len = 0;

	(void)state;
	assert_string_equal(hufu_model_lineage(m), "digits");
	assert_string_equal(hufu_model_version(m), "1.0");
	assert_int_equal(hufu_model_release(m), 1);
	assert_int_equal(hufu_model_level(m), 1);
	assert_int_equal(hufu_model_n_files(m), 2);
	assert_string_equal(hufu_model_file_name(m, 0), "config.json");
	assert_string_equal(hufu_model_file_name(m, 1), "weights.bin");
	assert_null(hufu_model_file_name(m, 2));
	assert_int_equal(hufu_model_size(m, "weights.bin", &size, &why), HUFU_OK);
	assert_int_equal(size, WEIGHTS_LEN);
	assert_int_equal(hufu_model_file(m, "weights.bin", &bytes, &len, &why), HUFU_OK);
	assert_int_equal(len, WEIGHTS_LEN);
	assert_memory_equal(bytes, weights, len);
	assert_int_equal(hufu_model_file(m, "config.json", &bytes, &len, NULL), HUFU_OK);
	assert_int_equal(len, CONFIG_LEN);
	assert_memory_equal(bytes, config, len);
	hufu_model_close(m);
}

static void the_only_file_needs_no_name(void **state)
{
	struct hufu_model *m = open_model("single", 0);
	const void *bytes = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(hufu_model_file(m, NULL, &bytes, &len, &why), HUFU_OK);
	assert_int_equal(len, WEIGHTS_LEN);
	assert_memory_equal(bytes, weights, len);
	hufu_model_close(m);
}

static void refuses_names_that_the_package_does_not_have(void **state)
{
	static const char *const wrong[] = { "", "weights", "Weights.bin", "./weights.bin",
		"weights.bin/", "../weights.bin" };
	struct hufu_model *m = open_model("digits", 0);
	const void *bytes = &why;
	uint64_t size = 77;
	size_t len = 77;
	int fd = 77;
	char byte = 'x';

	(void)state;
	for (size_t i = 0; i < HF_COUNT(wrong); i++) {
		assert_int_equal(
			hufu_model_file(m, wrong[i], &bytes, &len, &why), HUFU_ERR_NOT_FOUND);
		assert_non_null(strstr(why.text, "it has: config.json, weights.bin"));
		assert_int_equal(hufu_model_fd(m, wrong[i], &fd, NULL), HUFU_ERR_NOT_FOUND);
		assert_int_equal(hufu_model_size(m, wrong[i], &size, NULL), HUFU_ERR_NOT_FOUND);
		assert_int_equal(
			hufu_model_read(m, wrong[i], 0, &byte, 1, &len, NULL), HUFU_ERR_NOT_FOUND);
	}
	assert_int_equal(hufu_model_file(m, NULL, &bytes, &len, &why), HUFU_ERR_ARG);
	assert_non_null(strstr(why.text, "has 2 files, name one: config.json, weights.bin"));
	assert_ptr_equal(bytes, &why);
	assert_true(size == 77 && len == 77 && fd == 77 && byte == 'x');
	hufu_model_close(m);
}

static void nobody_can_change_the_memory_of_a_file(void **state)
{
	struct hufu_model *m = open_model("single", 0);
	char path[HUFU_PATH_MAX];
	int fd = -1;
	int again;

	(void)state;
	assert_int_equal(hufu_model_fd(m, NULL, &fd, &why), HUFU_OK);
	assert_int_equal(hufu_model_path(m, NULL, path, &why), HUFU_OK);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, WEIGHTS_LEN + 1), -1);
	assert_ptr_equal(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
	assert_true((fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	again = open(path, O_RDWR | O_CLOEXEC);
	if (again >= 0) {
		assert_int_equal(pwrite(again, "x", 1, 0), -1);
		(void)close(again);
	}
	hufu_model_close(m);
}

static void a_path_opens_the_same_bytes(void **state)
{
	struct hufu_model *m = open_model("single", HUFU_MODEL_LAZY);
	char path[HUFU_PATH_MAX];
	struct hf_buf in = buf_new();

	(void)state;
	assert_int_equal(hufu_model_path(m, NULL, path, &why), HUFU_OK);
	assert_ok(hf_file_load(&in, path, NULL));
	assert_int_equal(in.len, WEIGHTS_LEN);
	assert_memory_equal(in.p, weights, in.len);
	hf_buf_clear(&in);
	hufu_model_close(m);
}

static void nothing_is_left_after_closing(void **state)
{
	size_t n_fds = count_fds();
	struct hufu_model *m = open_model("digits", 0);
	char path[HUFU_PATH_MAX];
	int fd = -1;

	(void)state;
	assert_int_equal(count_maps(), 2);
	assert_int_equal(hufu_model_fd(m, "weights.bin", &fd, &why), HUFU_OK);
	assert_int_equal(hufu_model_path(m, "weights.bin", path, &why), HUFU_OK);
	hufu_model_close(m);
	assert_int_equal(count_maps(), 0);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
	assert_int_equal(access(path, F_OK), -1);
	assert_fds_fall_to(n_fds);
	hufu_model_close(NULL);
}

static void a_lazy_model_reads_any_range(void **state)
{
	static const size_t around[] = { 0, 1, 65535, 65536, 65537, 131071, 131072, 1048575,
		1048576, WEIGHTS_LEN - 1 };
	static const size_t lens[] = { 1, 2, 3, 65535, 65536, 65537, 200001 };
	uint8_t *out = malloc(WEIGHTS_LEN);
	struct hufu_model *m = open_model("single", HUFU_MODEL_LAZY);

	(void)state;
	assert_non_null(out);
	for (size_t i = 0; i < HF_COUNT(around); i++) {
		for (size_t k = 0; k < HF_COUNT(lens); k++) {
			size_t left = WEIGHTS_LEN - around[i];
			size_t want = lens[k] < left ? lens[k] : left;
			size_t got = 0;

			assert_int_equal(
				hufu_model_read(m, NULL, around[i], out, lens[k], &got, &why),
				HUFU_OK);
			assert_int_equal(got, want);
			assert_memory_equal(out, weights + around[i], want);
		}
	}
	assert_int_equal(count_maps(), 0); /* not one file was opened as a whole */
	hufu_model_close(m);
	free(out);
}

static void lazy_reads_at_random_equal_the_plaintext(void **state)
{
	struct hufu_model *m = open_model("digits", HUFU_MODEL_LAZY);
	uint8_t *out = malloc(WEIGHTS_LEN);
	struct test_rng r;

	(void)state;
	assert_non_null(out);
	(void)test_rng(&r, 3);
	for (int i = 0; i < 60; i++) {
		size_t at = test_rng_below(&r, WEIGHTS_LEN);
		size_t len = 1 + test_rng_below(&r, i % 10 == 0 ? WEIGHTS_LEN : 5000);
		size_t want = len < WEIGHTS_LEN - at ? len : WEIGHTS_LEN - at;
		size_t got = 0;

		assert_int_equal(
			hufu_model_read(m, "weights.bin", at, out, len, &got, &why), HUFU_OK);
		assert_int_equal(got, want);
		assert_memory_equal(out, weights + at, want);
		at = test_rng_below(&r, CONFIG_LEN);
		assert_int_equal(hufu_model_read(m, "config.json", at, out, CONFIG_LEN, &got, &why),
			HUFU_OK);
		assert_int_equal(got, CONFIG_LEN - at);
		assert_memory_equal(out, config + at, got);
	}
	hufu_model_close(m);
	free(out);
}

static void reading_ends_where_the_file_ends(void **state)
{
	static const unsigned flags[] = { 0, HUFU_MODEL_LAZY };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		struct hufu_model *m = open_model("single", flags[i]);
		uint8_t out[8] = "unused";
		size_t got = 99;

		assert_int_equal(
			hufu_model_read(m, NULL, WEIGHTS_LEN, out, 8, &got, &why), HUFU_OK);
		assert_int_equal(got, 0);
		assert_int_equal(hufu_model_read(m, NULL, UINT64_MAX, out, 8, &got, &why), HUFU_OK);
		assert_int_equal(got, 0);
		assert_string_equal(out, "unused");
		assert_int_equal(hufu_model_read(m, NULL, 5, out, 0, &got, &why), HUFU_OK);
		assert_int_equal(got, 0);
		assert_int_equal(
			hufu_model_read(m, NULL, WEIGHTS_LEN - 3, out, 8, &got, &why), HUFU_OK);
		assert_int_equal(got, 3);
		assert_memory_equal(out, weights + WEIGHTS_LEN - 3, 3);
		hufu_model_close(m);
	}
}

static void a_lazy_model_opens_whole_files_on_demand(void **state)
{
	struct hufu_model *m = open_model("digits", HUFU_MODEL_LAZY);
	const void *bytes = NULL;
	const void *again = NULL;
	size_t len = 0;

	(void)state;
	assert_int_equal(count_maps(), 0);
	assert_int_equal(hufu_model_file(m, "config.json", &bytes, &len, &why), HUFU_OK);
	assert_int_equal(count_maps(), 1);
	assert_memory_equal(bytes, config, CONFIG_LEN);
	assert_int_equal(hufu_model_file(m, "config.json", &again, &len, &why), HUFU_OK);
	assert_ptr_equal(bytes, again);
	assert_int_equal(hufu_model_file(m, "weights.bin", &bytes, &len, &why), HUFU_OK);
	assert_memory_equal(bytes, weights, WEIGHTS_LEN);
	assert_int_equal(count_maps(), 2);
	hufu_model_close(m);
	assert_int_equal(count_maps(), 0);
}

static void an_empty_file_is_empty(void **state)
{
	static const unsigned flags[] = { 0, HUFU_MODEL_LAZY };

	(void)state;
	for (size_t i = 0; i < HF_COUNT(flags); i++) {
		struct hufu_model *m = open_model("mixed", flags[i]);
		const void *bytes = NULL;
		size_t len = 1;
		int fd = -1;

		assert_int_equal(hufu_model_file(m, "empty.txt", &bytes, &len, &why), HUFU_OK);
		assert_non_null(bytes);
		assert_int_equal(len, 0);
		assert_int_equal(hufu_model_fd(m, "empty.txt", &fd, &why), HUFU_ERR_FORMAT);
		assert_int_equal(hufu_model_read(m, "empty.txt", 0, &why, 1, &len, NULL), HUFU_OK);
		assert_int_equal(len, 0);
		hufu_model_close(m);
	}
}

static void *read_all(void *ctx)
{
	struct hufu_model *m = ctx;
	uint8_t *out = malloc(WEIGHTS_LEN);
	bool is_wrong = out == NULL;

	for (size_t at = 0; !is_wrong && at < WEIGHTS_LEN; at += 100003) {
		size_t got = 0;

		is_wrong =
			hufu_model_read(m, "weights.bin", at, out, 100003, &got, NULL) != HUFU_OK ||
			memcmp(out, weights + at, got) != 0;
	}
	free(out);
	return is_wrong ? ctx : NULL;
}

static void threads_read_one_model_side_by_side(void **state)
{
	struct hufu_model *m = open_model("digits", HUFU_MODEL_LAZY);
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < HF_COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, m), 0);
	for (size_t i = 0; i < HF_COUNT(threads); i++) {
		void *wrong = NULL;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
	hufu_model_close(m);
}

static void refuses_what_no_node_can_have(void **state)
{
	struct hufu_model *m = NULL;

	(void)state;
	assert_refused("", 0, HUFU_ERR_ARG, "the name of a model");
	assert_refused("a/b", 0, HUFU_ERR_ARG, "the name of a model");
	assert_refused("digits", 2, HUFU_ERR_ARG, "flags 0x2");
	assert_refused("unknown", 0, HUFU_ERR_NOT_FOUND, "unknown");
	assert_int_equal(hufu_model_open(&m, dev.dir, NULL, 0, NULL), HUFU_ERR_ARG);
	assert_int_equal(
		hufu_model_open(&m, "/no/such/node", "digits", 0, &why), HUFU_ERR_NOT_FOUND);
	assert_non_null(strstr(why.text, "/no/such/node: no such folder"));
	assert_int_equal(hufu_model_open(&m, world_dir, "digits", 0, &why), HUFU_ERR_NET);
	assert_non_null(strstr(why.text, "keyd.sock: nobody listens there: start hufud"));
	assert_null(m);
}

static void the_node_is_found_by_the_environment(void **state)
{
	struct hufu_model *m = NULL;

	(void)state;
	assert_int_equal(setenv("HUFU_NODE", dev.dir, 1), 0);
	assert_int_equal(hufu_model_open(&m, NULL, "digits", HUFU_MODEL_LAZY, &why), HUFU_OK);
	hufu_model_close(m);
	assert_int_equal(setenv("HUFU_NODE", world_dir, 1), 0);
	assert_int_equal(hufu_model_open(&m, NULL, "digits", 0, &why), HUFU_ERR_NET);
	assert_int_equal(unsetenv("HUFU_NODE"), 0);
}

static void a_key_process_that_misbehaves_is_refused(void **state)
{
	size_t n_fds = count_fds();

	(void)state;
	spoil = HANG_UP;
	assert_refused("digits", 0, HUFU_ERR_CLOSED, "key process");
	spoil = CUT_SHORT;
	assert_refused("digits", 0, HUFU_ERR_TRUNCATED, "key process");
	spoil = TOO_LONG;
	assert_refused("digits", 0, HUFU_ERR_LIMIT, "longer than allowed");
	spoil = GARBLED;
	assert_refused("digits", 0, HUFU_ERR_FORMAT, "malformed");
	spoil = LEVEL_NONE;
	assert_refused("digits", 0, HUFU_ERR_FORMAT, "level");
	spoil = OTHER_MODEL;
	assert_refused("digits", 0, HUFU_ERR_FORMAT, "asked for digits, the node gave other1");
	assert_fds_fall_to(n_fds);
}

static void another_content_key_opens_nothing(void **state)
{
	(void)state;
	spoil = OTHER_KEY;
	assert_refused("digits", 0, HUFU_ERR_AUTH, "commits to");
	assert_refused("digits", HUFU_MODEL_LAZY, HUFU_ERR_AUTH, "commits to");
}

/* The file of the n-th object of a kind in the device's store that belongs to `single`. */
struct finding {
	char path[4 * TEST_PATH_MAX];
	enum hf_object kind;
};

static hf_err find_object(void *ctx, const uint8_t name[HF_SM3_LEN], uint64_t len)
{
	struct finding *f = ctx;

	(void)len;
	object_file(f->path, dev.dir, f->kind, name);
	return HF_OK;
}

static void object_of_single(struct finding *f, enum hf_object kind)
{
	struct hf_bundle_file bundle = HF_BUNDLE_FILE_EMPTY;
	struct hf_objects objects;

	f->kind = kind;
	assert_ok(hf_bundle_file_open(
		&bundle, &world_env, test_path(world_dir, "single.hufu"), NULL));
	objects = hf_bundle_file_objects(&bundle);
	assert_ok(objects.each(objects.ctx, kind, find_object, f, NULL));
	hf_bundle_file_close(&bundle);
}

/* Changes one byte of a file, or changes it back. */
static void flip(const char *path, off_t at)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t b = 0;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 0x40;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	(void)close(fd);
}

static void an_altered_chunk_is_refused_and_only_it(void **state)
{
	unsigned before = n_reports;
	struct finding pack;
	struct hufu_model *m;
	uint8_t out[100];
	size_t got = 77;

	(void)state;
	object_of_single(&pack, HF_OBJECT_PACK);
	flip(pack.path, 2 * 65552 + 5); /* in the third chunk */
	assert_refused("single", 0, HUFU_ERR_AUTH, "chunk 2 in pack/");
	assert_int_equal(count_maps(), 0);
	m = open_model("single", HUFU_MODEL_LAZY);
	assert_int_equal(hufu_model_read(m, NULL, 0, out, 100, &got, &why), HUFU_OK);
	got = 77;
	memset(out, 1, sizeof(out));
	/* A range that only begins in a good chunk gives nothing at all. */
	assert_int_equal(
		hufu_model_read(m, NULL, 131072 - 50, out, 100, &got, &why), HUFU_ERR_AUTH);
	assert_non_null(strstr(why.text, "chunk 2 in pack/"));
	assert_non_null(strstr(why.text, "; pull the model again"));
	assert_int_equal(got, 77);
	for (size_t i = 0; i < sizeof(out); i++)
		assert_int_equal(out[i], 0);
	assert_int_equal(hufu_model_read(m, NULL, 3 * 65536, out, 100, &got, &why), HUFU_OK);
	assert_memory_equal(out, weights + 3 * 65536, 100);
	flip(pack.path, 2 * 65552 + 5);
	assert_int_equal(hufu_model_read(m, NULL, 131072, out, 100, &got, &why), HUFU_OK);
	assert_memory_equal(out, weights + 131072, 100);
	hufu_model_close(m);
	assert_int_equal(n_reports, before + 2); /* for the record */
}

static void missing_and_altered_objects_are_named(void **state)
{
	static const struct {
		enum hf_object kind;
		int altered;
		const char *words;
	} rows[] = {
		{ HF_OBJECT_PACK, HUFU_ERR_AUTH, "in pack/" },
		{ HF_OBJECT_TABLE, HUFU_ERR_AUTH, "table page 0" },
		{ HF_OBJECT_INDEX, HUFU_ERR_AUTH, "index page 0" },
	};

	(void)state;
	for (size_t i = 0; i < HF_COUNT(rows); i++) {
		char away[5 * TEST_PATH_MAX];
		struct finding f;

		object_of_single(&f, rows[i].kind);
		flip(f.path, 40);
		assert_refused("single", 0, rows[i].altered, rows[i].words);
		flip(f.path, 40);
		(void)snprintf(away, sizeof(away), "%s.away", f.path);
		assert_int_equal(rename(f.path, away), 0);
		assert_refused("single", 0, HUFU_ERR_NOT_FOUND, rows[i].words);
		assert_non_null(strstr(why.text, "; pull the model again"));
		assert_int_equal(rename(away, f.path), 0);
		assert_int_equal(truncate(f.path, 100), 0);
		assert_int_not_equal(
			try_open(&(struct hufu_model *){ NULL }, "single", 0), HUFU_OK);
		assert_int_equal(count_maps(), 0);
		world_store(test_path(world_dir, "single.hufu"), dev.dir);
	}
	hufu_model_close(open_model("single", 0));
}

/*
 * Takes the right to lock any amount of memory, and then that to lock more than len bytes. False
 * where that does not work (the sanitizers lock nothing and say that they did).
 */
static bool limit_locked(size_t len)
{
	static char much[8 << 20];
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];
	const struct rlimit limit = { len, len };

	if (syscall(SYS_capget, &head, data) != 0)
		return false;
	data[CAP_IPC_LOCK / 32].effective &= ~(1u << (CAP_IPC_LOCK % 32));
	return syscall(SYS_capset, &head, data) == 0 && setrlimit(RLIMIT_MEMLOCK, &limit) == 0 &&
	       mlock(much, sizeof(much)) != 0;
}

static int open_with_few_locks(void *ctx)
{
	const size_t *limit = ctx;
	struct hufu_model *m = NULL;
	int e;

	if (!limit_locked(*limit))
		return 77;
	e = hufu_model_open(&m, dev.dir, "single", 0, &why);
	if (e != HUFU_ERR_DENIED || m != NULL)
		return 1;
	if (strstr(why.text, "package.memory-only") == NULL ||
		strcasestr(why.text, "memlock") == NULL)
		return 2;
	return count_maps() == 0 ? 0 : 3;
}

static int open_without_need(void *ctx)
{
	struct hufu_model *m = NULL;

	if (!limit_locked(*(const size_t *)ctx))
		return 77;
	if (hufu_model_open(&m, dev.dir, "single", 0, &why) != HUFU_OK)
		return 1;
	hufu_model_close(m);
	return 0;
}

static int read_lazily_with_few_locks(void *ctx)
{
	struct hufu_model *m = NULL;
	uint8_t out[10];
	size_t got = 0;

	if (!limit_locked(*(const size_t *)ctx))
		return 77;
	if (hufu_model_open(&m, dev.dir, "single", HUFU_MODEL_LAZY, &why) != HUFU_OK)
		return strcasestr(why.text, "memlock") != NULL ? 0 : 1;
	if (hufu_model_read(m, NULL, 0, out, sizeof(out), &got, &why) != HUFU_ERR_DENIED)
		return 2;
	hufu_model_close(m);
	return strcasestr(why.text, "memlock") != NULL ? 0 : 3;
}

static void in_child(int (*body)(void *ctx), size_t limit)
{
	int rc = test_child(body, &limit);

	if (rc != 77) /* this system does not let us take rights away */
		assert_int_equal(rc, 0);
}

static void at_level_three_memory_that_is_not_locked_is_refused(void **state)
{
	(void)state;
	in_child(open_without_need, 0);
	spoil = LEVEL_THREE;
	in_child(open_with_few_locks, 0);
	in_child(open_with_few_locks, 1 << 20);
	in_child(open_with_few_locks, 4 << 20); /* the buffers fit, the file does not */
	in_child(read_lazily_with_few_locks, 0);
	in_child(read_lazily_with_few_locks, 100 << 10);
}

static void at_level_three_memory_is_locked(void **state)
{
	struct hufu_model *m;
	struct rlimit limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &limit), 0);
	spoil = LEVEL_THREE;
	if (geteuid() != 0 && limit.rlim_cur < 64u << 20)
		skip();
	m = open_model("single", 0);
	assert_int_equal(hufu_model_level(m), 3);
	hufu_model_close(m);
	m = open_model("digits", HUFU_MODEL_LAZY);
	assert_null(read_all(m));
	hufu_model_close(m);
}

/* ctx: the code that is expected. */
static int open_as_stranger(void *ctx)
{
	struct hufu_model *m = NULL;

	if (geteuid() != 0 || !test_drop_root())
		return 77;
	if (hufu_model_open(&m, dev.dir, "digits", 0, &why) != *(const int *)ctx || m != NULL)
		return 1;
	return strstr(why.text, "may not") != NULL ? 0 : 2;
}

static void a_user_who_may_not_open_is_told_so(void **state)
{
	int expected = HUFU_ERR_PERMISSION;
	int rc = test_child(open_as_stranger, &expected);

	(void)state;
	if (rc == 77)
		skip();
	assert_int_equal(rc, 0);
	/* Somebody the folders let in, but the key process does not. */
	assert_int_equal(chmod(world_dir, 0711), 0);
	assert_int_equal(chmod(dev.dir, 0711), 0);
	expected = HUFU_ERR_DENIED;
	assert_int_equal(test_child(open_as_stranger, &expected), 0);
	assert_int_equal(chmod(world_dir, 0700), 0);
}

static void codes_and_version_are_those_of_the_headers(void **state)
{
	(void)state;
	assert_string_equal(hufu_version(), HUFU_VERSION_TEXT);
	assert_string_equal(hufu_version(), HUFU_VERSION);
	assert_string_equal(hufu_err_name(HUFU_ERR_AUTH), "auth");
	assert_string_equal(hufu_err_text(HUFU_OK), "ok");
	assert_string_equal(hufu_err_text(-1), "unknown error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_come_out_as_they_went_in),
		cmocka_unit_test(the_only_file_needs_no_name),
		cmocka_unit_test(refuses_names_that_the_package_does_not_have),
		cmocka_unit_test(nobody_can_change_the_memory_of_a_file),
		cmocka_unit_test(a_path_opens_the_same_bytes),
		cmocka_unit_test(nothing_is_left_after_closing),
		cmocka_unit_test(a_lazy_model_reads_any_range),
		cmocka_unit_test(lazy_reads_at_random_equal_the_plaintext),
		cmocka_unit_test(reading_ends_where_the_file_ends),
		cmocka_unit_test(a_lazy_model_opens_whole_files_on_demand),
		cmocka_unit_test(an_empty_file_is_empty),
		cmocka_unit_test(threads_read_one_model_side_by_side),
		cmocka_unit_test(refuses_what_no_node_can_have),
		cmocka_unit_test(the_node_is_found_by_the_environment),
		cmocka_unit_test_teardown(a_key_process_that_misbehaves_is_refused, be_honest),
		cmocka_unit_test_teardown(another_content_key_opens_nothing, be_honest),
		cmocka_unit_test(an_altered_chunk_is_refused_and_only_it),
		cmocka_unit_test(missing_and_altered_objects_are_named),
		cmocka_unit_test_teardown(
			at_level_three_memory_that_is_not_locked_is_refused, be_honest),
		cmocka_unit_test_teardown(at_level_three_memory_is_locked, be_honest),
		cmocka_unit_test(a_user_who_may_not_open_is_told_so),
		cmocka_unit_test(codes_and_version_are_those_of_the_headers),
	};

	return cmocka_run_group_tests(tests, make, delete_all);
}
