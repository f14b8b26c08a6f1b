/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of GGUF files, written here by hand: tensors, padding, and everything that is not so. */
#include "test.h"

#include "base/endian.h"
#include "model/model_map.h"

enum { ROOM = 4096, ALIGN = 32 };

/* A file in memory that grows. */
struct file {
	uint8_t b[ROOM];
	size_t len;
	size_t version_at;
	size_t first_type_at; /* of the first tensor */
	size_t second_offset_at;
	size_t data_at;
};

static void put(struct file *f, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->b[f->len++] = i < 8 ? (uint8_t)(v >> 8 * i) : 0;
}

static void put_text(struct file *f, const char *s)
{
	put(f, strlen(s), 8);
	memcpy(f->b + f->len, s, strlen(s));
	f->len += strlen(s);
}

static void put_tensor(struct file *f, const char *name, uint64_t columns, uint64_t rows,
	uint32_t type, uint64_t offset)
{
	put_text(f, name);
	put(f, 2, 4);
	put(f, columns, 8);
	put(f, rows, 8);
	put(f, type, 4);
	put(f, offset, 8);
}

/* Every kind of value, arrays in arrays, and three tensors, the second one first in the file. */
static void emit(struct file *f)
{
	memset(f, 0, sizeof(*f));
	memcpy(f->b, "GGUF", 4);
	f->len = 4;
	f->version_at = f->len;
	put(f, 3, 4);
	put(f, 3, 8);
	put(f, 5, 8);
	put_text(f, "general.alignment");
	put(f, 4, 4);
	put(f, ALIGN, 4);
	put_text(f, "general.name");
	put(f, 8, 4);
	put_text(f, "small");
	put_text(f, "scale");
	put(f, 12, 4);
	put(f, 0, 8);
	put_text(f, "tokens");
	put(f, 9, 4);
	put(f, 8, 4);
	put(f, 2, 8);
	put_text(f, "a");
	put_text(f, "bc");
	put_text(f, "nested");
	put(f, 9, 4);
	put(f, 9, 4);
	put(f, 2, 8);
	put(f, 0, 4);
	put(f, 3, 8);
	put(f, 0, 3);
	put(f, 5, 4);
	put(f, 1, 8);
	put(f, 0, 4);
	put_tensor(f, "q", 64, 2, 2, 32); /* Q4_0: 4 blocks of 18 bytes */
	f->first_type_at = f->len - 12;
	put_tensor(f, "norm", 5, 1, 0, 0); /* F32: 20 bytes */
	f->second_offset_at = f->len - 8;
	put_tensor(f, "bf", 3, 3, 30, 128); /* BF16: 18 bytes */
	put(f, 0, (ALIGN - f->len % ALIGN) % ALIGN);
	f->data_at = f->len;
	put(f, 0, 128 + 18);
}

/* The bytes given and not one more. */
struct exact {
	uint8_t *p;
	size_t len;
	hf_err e;
};

static hf_err read_exact(void *ctx, uint8_t *out, size_t len, uint64_t at)
{
	const struct exact *x = ctx;

	assert_true(at <= x->len && len <= x->len - at);
	memcpy(out, x->p + at, len);
	return x->e;
}

static hf_err parse(struct hf_model_map *map, const uint8_t *b, size_t len)
{
	struct exact x = { malloc(len + 1), len, HF_OK };
	const struct hf_model_source src = { read_exact, &x, len };
	hf_err e;

	assert_non_null(x.p);
	memcpy(x.p, b, len);
	e = hf_model_map_read(map, &src, 1 << 20, &test_mem, NULL);
	free(x.p);
	return e;
}

/* What holds of every map, of whatever file. */
static void assert_sound(const struct hf_model_map *m)
{
	uint64_t at = 0;

	for (size_t i = 0; i < m->n_tensors; i++) {
		assert_true(m->tensors[i].offset >= at);
		assert_true(m->tensors[i].len <= m->file_len - m->tensors[i].offset);
		at = m->tensors[i].offset + m->tensors[i].len;
	}
}

static void refuses(const struct file *f, hf_err expected)
{
	struct hf_model_map map = { .n_tensors = 42 };

	assert_err(parse(&map, f->b, f->len), expected);
	assert_int_equal(map.n_tensors, 42);
}

static void gives_tensors_in_file_order(void **state)
{
	struct hf_model_map map = { 0 };
	struct file f;

	(void)state;
	emit(&f);
	assert_ok(parse(&map, f.b, f.len));
	assert_int_equal(map.format, HF_MODEL_GGUF);
	assert_int_equal(map.data_at, f.data_at);
	assert_int_equal(map.n_tensors, 3);
	assert_string_equal(map.tensors[0].name, "norm");
	assert_string_equal(map.tensors[1].name, "q");
	assert_string_equal(map.tensors[2].name, "bf");
	assert_int_equal(map.tensors[0].dtype, HF_DTYPE_F32);
	assert_int_equal(map.tensors[0].offset, f.data_at);
	assert_int_equal(map.tensors[0].len, 20);
	assert_int_equal(map.tensors[1].dtype, HF_DTYPE_Q4_0);
	assert_int_equal(map.tensors[1].offset, f.data_at + 32);
	assert_int_equal(map.tensors[1].len, 72);
	assert_int_equal(map.tensors[1].shape[0], 64);
	assert_int_equal(map.tensors[2].len, 18);
	assert_true(map.tensors[2].is_plain);
	hf_model_map_clear(&map);
}

static void reads_version_2_and_a_padded_end(void **state)
{
	struct hf_model_map map = { 0 };
	struct file f;

	(void)state;
	emit(&f);
	f.b[f.version_at] = 2;
	put(&f, 0, ALIGN - 18);
	assert_ok(parse(&map, f.b, f.len));
	hf_model_map_clear(&map);
	put(&f, 0, ALIGN); /* that is no padding any more */
	refuses(&f, HF_ERR_FORMAT);
}

static void refuses_what_it_does_not_know(void **state)
{
	struct file f;

	(void)state;
	emit(&f);
	f.b[f.version_at] = 1;
	refuses(&f, HF_ERR_UNSUPPORTED);
	emit(&f);
	memcpy(f.b + f.version_at, "\0\0\0\3", 4); /* big-endian */
	refuses(&f, HF_ERR_UNSUPPORTED);
	emit(&f);
	f.b[f.first_type_at] = 4; /* a type that is gone */
	refuses(&f, HF_ERR_UNSUPPORTED);
	emit(&f);
	f.b[f.first_type_at] = 200;
	refuses(&f, HF_ERR_UNSUPPORTED);
}

static void refuses_data_that_overlap_leave_a_hole_or_the_file(void **state)
{
	struct file f;

	(void)state;
	emit(&f);
	f.b[f.second_offset_at] = 32; /* on the first tensor */
	refuses(&f, HF_ERR_FORMAT);
	emit(&f);
	f.b[f.second_offset_at] = 1; /* not aligned */
	refuses(&f, HF_ERR_FORMAT);
	emit(&f);
	hf_put_le64(f.b + f.second_offset_at, UINT64_MAX - 31);
	refuses(&f, HF_ERR_TRUNCATED);
	emit(&f);
	hf_put_le64(f.b + f.first_type_at - 8, UINT64_MAX); /* rows */
	refuses(&f, HF_ERR_LIMIT);
	emit(&f);
	f.b[f.first_type_at - 16] = 63; /* a row that is not whole blocks */
	refuses(&f, HF_ERR_FORMAT);
}

static void refuses_counts_above_their_bounds(void **state)
{
	struct file f;

	(void)state;
	for (size_t at = 8; at <= 16; at += 8) {
		emit(&f);
		hf_put_le64(f.b + at, (uint64_t)1 << 40);
		refuses(&f, HF_ERR_LIMIT);
	}
	memset(&f, 0, sizeof(f));
	memcpy(f.b, "GGUF\3", 5);
	f.len = 16;
	put(&f, 1, 8);
	put_text(&f, "deep");
	put(&f, 9, 4);
	for (unsigned i = 0; i < 20; i++) {
		put(&f, 9, 4);
		put(&f, 1, 8);
	}
	refuses(&f, HF_ERR_LIMIT);
}

static void refuses_a_name_that_stands_twice(void **state)
{
	struct hf_model_map map = { 0 };
	struct file f;

	(void)state;
	emit(&f);
	for (size_t i = 8; i + 1 < f.data_at; i++)
		if (memcmp(f.b + i, "\2\0\0\0\0\0\0\0bf", 10) == 0)
			memcpy(f.b + i + 8, "\xff\xfe", 2);
	assert_err(parse(&map, f.b, f.len), HF_ERR_FORMAT); /* no UTF-8 */
	emit(&f);
	f.len = 0;
	put(&f, 0x46554747, 4);
	put(&f, 3, 4);
	put(&f, 2, 8);
	put(&f, 0, 8);
	put_tensor(&f, "a", 1, 1, 24, 0);
	put_tensor(&f, "a", 1, 1, 24, 32);
	put(&f, 0, 64 + (ALIGN - f.len % ALIGN) % ALIGN);
	refuses(&f, HF_ERR_FORMAT);
}

static void refuses_a_file_cut_at_every_byte(void **state)
{
	struct file f;

	(void)state;
	emit(&f);
	for (size_t cut = 4; cut < f.len; cut++) {
		struct hf_model_map map = { 0 };
		hf_err e = parse(&map, f.b, cut);

		if (cut < 8) /* too short for any format */
			assert_int_equal(map.format, HF_MODEL_UNKNOWN);
		else
			assert_int_equal(e, HF_ERR_TRUNCATED);
		hf_model_map_clear(&map);
	}
}

static void survives_every_changed_byte(void **state)
{
	struct file f;

	(void)state;
	emit(&f);
	for (size_t at = 0; at < f.data_at; at++) {
		for (unsigned v = 0; v < 256; v++) {
			struct hf_model_map map = { 0 };
			uint8_t old = f.b[at];

			f.b[at] = (uint8_t)v;
			if (parse(&map, f.b, f.len) == HF_OK)
				assert_sound(&map);
			hf_model_map_clear(&map);
			f.b[at] = old;
		}
	}
}

static void gives_back_the_failure_of_the_source_and_all_memory(void **state)
{
	struct file f;
	struct hf_model_map map = { .n_tensors = 42 };
	struct exact x = { f.b, 0, HF_ERR_IO };
	struct hf_model_source src = { read_exact, &x, 0 };

	(void)state;
	emit(&f);
	x.len = f.len;
	src.file_len = f.len;
	assert_err(hf_model_map_read(&map, &src, 1 << 20, &test_mem, NULL), HF_ERR_IO);
	for (unsigned n = 1; n <= 3; n++) {
		test_mem_fail_at(n);
		assert_err(parse(&map, f.b, f.len), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
	assert_int_equal(map.n_tensors, 42);
}

static void knows_pickles_and_gives_them_no_tensors(void **state)
{
	static const uint8_t plain[] = { 0x80, 2, '}', 'q', 0, '.' };
	uint8_t zip[60] = { 'P', 'K', 3, 4 };
	struct hf_model_map map = { 0 };

	(void)state;
	assert_ok(parse(&map, plain, sizeof(plain)));
	assert_int_equal(map.format, HF_MODEL_PICKLE);
	assert_int_equal(map.n_tensors, 0);
	hf_model_map_clear(&map);
	zip[26] = 16;
	memcpy(zip + 30, "archive/data.pkl", 16);
	assert_ok(parse(&map, zip, sizeof(zip)));
	assert_int_equal(map.format, HF_MODEL_PICKLE);
	hf_model_map_clear(&map);
	zip[30 + 15] = 'x';
	assert_ok(parse(&map, zip, sizeof(zip)));
	assert_int_equal(map.format, HF_MODEL_UNKNOWN);
	hf_model_map_clear(&map);
	assert_ok(parse(&map, zip, 0));
	assert_int_equal(map.format, HF_MODEL_UNKNOWN);
	hf_model_map_clear(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_tensors_in_file_order),
		cmocka_unit_test(reads_version_2_and_a_padded_end),
		cmocka_unit_test(refuses_what_it_does_not_know),
		cmocka_unit_test(refuses_data_that_overlap_leave_a_hole_or_the_file),
		cmocka_unit_test(refuses_counts_above_their_bounds),
		cmocka_unit_test(refuses_a_name_that_stands_twice),
		cmocka_unit_test(refuses_a_file_cut_at_every_byte),
		cmocka_unit_test(survives_every_changed_byte),
		cmocka_unit_test(gives_back_the_failure_of_the_source_and_all_memory),
		cmocka_unit_test(knows_pickles_and_gives_them_no_tensors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
