/* SPDX-License-Identifier: Apache-2.0 */
/* A package is sealed and read back, as a whole, at random places, and by a cache without keys. */
#include "world.h"

static void gives_back_both_files(void **state)
{
	struct world *w = world_new();
	uint8_t *out = malloc(w->model_len);

	(void)state;
	assert_ok(world_read(w, 0, 0, CONFIG_LEN, out));
	assert_memory_equal(out, w->config, CONFIG_LEN);
	assert_ok(world_read(w, 1, 0, w->model_len, out));
	assert_memory_equal(out, w->model, w->model_len);
	free(out);
	world_free(w);
}

static void reads_any_range(void **state)
{
	struct world *w = world_new();
	uint8_t *out = malloc(w->model_len);

	(void)state;
	for (unsigned i = 0; i < 50; i++) {
		uint64_t offset = test_rng_below(&w->rng_state, w->model_len);
		uint64_t len = 1 + test_rng_below(&w->rng_state, w->model_len - offset);

		assert_ok(world_read(w, 1, offset, len, out));
		assert_memory_equal(out, w->model + offset, len);
	}
	assert_err(world_read(w, 1, w->model_len, 1, out), HF_ERR_ARG);
	assert_err(world_read(w, 1, 1, w->model_len, out), HF_ERR_ARG);
	assert_err(world_read(w, 1, UINT64_MAX, 2, out), HF_ERR_ARG);
	free(out);
	world_free(w);
}

static void verifies_with_and_without_keys(void **state)
{
	struct world *w = world_new();
	struct hf_pkg_totals t;

	(void)state;
	for (int is_public = 0; is_public < 2; is_public++) {
		struct hf_pkg_reader *r = world_reader(w, is_public != 0);

		assert_ok(hf_pkg_reader_verify(r, &t, NULL));
		assert_int_equal(t.n_chunks, w->body.n_chunks);
		assert_int_equal(t.sealed_len, w->body.sealed_len);
		assert_int_equal(t.plain_len, is_public ? 0 : CONFIG_LEN + w->model_len);
		assert_true(t.n_packs >= 2);
		hf_pkg_reader_free(r);
	}
	world_free(w);
}

static void a_public_reader_has_no_keys(void **state)
{
	struct world *w = world_new();
	struct hf_pkg_reader *r = world_reader(w, true);
	struct hf_chunk chunk;
	struct hf_place place;

	(void)state;
	assert_ok(hf_pkg_reader_place(r, 0, &place, NULL));
	assert_err(hf_pkg_reader_chunk(r, 0, &chunk, &place, NULL), HF_ERR_STATE);
	assert_err(hf_pkg_reader_place(r, w->body.n_chunks, &place, NULL), HF_ERR_ARG);
	hf_pkg_reader_free(r);
	world_free(w);
}

/* Many tiny chunks: several pages, with the last one not full. */
enum { TINY = 16, N_TINY = 2 * HF_PAGE_ENTRIES + 100 };

static void seal_tiny(struct world *w, uint64_t n)
{
	struct hf_pkg_writer_config config = { .mem = &test_mem,
		.sink = { world_pack_data, world_pack_done, world_page, w },
		.scope = w->scope };
	struct hf_pkg_file f = { .path = "tiny", .len = n * TINY };
	struct hf_codec codec = { 0 };
	struct hf_chunk_keys keys;

	world_unpack(w);
	memcpy(config.cek, w->cek, HF_CEK_LEN);
	memcpy(config.salt, w->salt, HF_PKG_SALT_LEN);
	assert_ok(hf_chunk_keys_init(&keys, w->k_dom, &w->scope, NULL));
	assert_ok(hf_codec_init(&codec, &test_mem, HF_CODEC_ENCODE_NONE, TINY));
	assert_ok(hf_pkg_writer_new(&w->writer, &config));
	assert_ok(hf_pkg_writer_file(w->writer, &f));
	for (uint64_t i = 0; i < n; i++) {
		uint8_t plain[TINY] = { 0 };
		uint8_t ct[TINY + HF_CHUNK_TAG_LEN];
		struct hf_sealed s = {
			.chunk = { .offset = i * TINY }, .ct = ct, .ct_cap = sizeof(ct)
		};

		hf_put_be64(plain, i);
		assert_ok(hf_chunk_seal(&s, &keys, &codec, plain, sizeof(plain)));
		assert_ok(hf_pkg_writer_chunk(w->writer, &s));
	}
	assert_ok(hf_pkg_writer_finish(w->writer, &w->body));
	hf_codec_clear(&codec);
	hf_chunk_keys_clear(&keys);
}

static void finds_chunks_over_many_pages(void **state)
{
	struct world *w = world_new();
	struct hf_pkg_totals t;
	struct hf_pkg_reader *r;

	(void)state;
	seal_tiny(w, N_TINY);
	assert_int_equal(w->body.n_pages, 3);
	r = world_reader(w, false);
	assert_ok(hf_pkg_reader_verify(r, &t, NULL));
	assert_int_equal(t.n_packs, 3);
	hf_pkg_reader_free(r);
	for (unsigned i = 0; i < 20; i++) {
		uint64_t n = test_rng_below(&w->rng_state, N_TINY);
		uint8_t out[8];

		assert_ok(world_read(w, 0, n * TINY, 8, out));
		assert_true(hf_get_be64(out) == n);
	}
	world_free(w);
}

static void the_last_page_may_be_exactly_full(void **state)
{
	struct world *w = world_new();
	struct hf_pkg_totals t;
	struct hf_pkg_reader *r;

	(void)state;
	seal_tiny(w, HF_PAGE_ENTRIES);
	assert_int_equal(w->body.n_pages, 1);
	r = world_reader(w, false);
	assert_ok(hf_pkg_reader_verify(r, &t, NULL));
	hf_pkg_reader_free(r);
	world_free(w);
}

static void an_entry_whose_coding_contradicts_itself_is_refused(void **state)
{
	static const struct {
		struct hf_coding coding;
		uint32_t base;
		uint64_t base_chunk;
		uint32_t encoded_len;
		hf_err e;
	} rows[] = {
		{ { HF_CODEC_NONE, 0 }, 0, 0, 100, HF_OK },
		{ { HF_CODEC_ZSTD, 0 }, 0, 0, 100, HF_OK },
		{ { HF_CODEC_PLANES_ZSTD, 2 }, 0, 0, 1, HF_OK },
		{ { HF_CODEC_XOR_PLANES_ZSTD, 1 }, 1, 7, 50, HF_OK },
		{ { HF_CODEC_NONE, 0 }, 0, 0, 99, HF_ERR_FORMAT },
		{ { HF_CODEC_NONE, 2 }, 0, 0, 100, HF_ERR_FORMAT },
		{ { HF_CODEC_ZSTD, 1 }, 0, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_ZSTD, 0 }, 0, 0, 101, HF_ERR_FORMAT },
		{ { HF_CODEC_ZSTD, 0 }, 0, 0, 0, HF_ERR_FORMAT },
		{ { HF_CODEC_PLANES_ZSTD, 3 }, 0, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_PLANES_ZSTD, 2 }, 1, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_XOR_PLANES_ZSTD, 2 }, 0, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_XOR_PLANES_ZSTD, 2 }, 2, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_XOR_PLANES_ZSTD, 8 }, 1, 0, 50, HF_ERR_FORMAT },
		{ { HF_CODEC_NONE, 0 }, 0, 7, 100, HF_ERR_FORMAT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct hf_chunk c = { .plain_len = 100,
			.encoded_len = rows[i].encoded_len,
			.coding = rows[i].coding,
			.base = rows[i].base,
			.base_chunk = rows[i].base_chunk };
		struct hf_chunk back = { .file = 9 };
		uint8_t entry[HF_INDEX_ENTRY_LEN];

		hf_index_entry_put(entry, &c);
		assert_int_equal(hf_index_entry_get(&back, entry), rows[i].e);
		if (rows[i].e == HF_OK)
			assert_memory_equal(&back, &c, sizeof(c));
		else
			assert_int_equal(back.file, 9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entry_whose_coding_contradicts_itself_is_refused),
		cmocka_unit_test(gives_back_both_files),
		cmocka_unit_test(reads_any_range),
		cmocka_unit_test(verifies_with_and_without_keys),
		cmocka_unit_test(a_public_reader_has_no_keys),
		cmocka_unit_test(finds_chunks_over_many_pages),
		cmocka_unit_test(the_last_page_may_be_exactly_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
