/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of TFLite files, written here by hand: tables, lists, data in the FlatBuffer and behind it.
 */
#include <stdio.h>

#include "test.h"

#include "base/attr.h"
#include "base/endian.h"
#include "model/model_map.h"

enum { ROOM = 4096, MANY = 100 * 1000 };

/* A file in memory that grows; places that the tests change. */
struct file {
	uint8_t *b;
	size_t cap;
	size_t len;
	size_t model, subgraphs, subgraph, tensors, buffers;
	size_t tensor[4];
	size_t buffer[3];
	size_t data_at;    /* of the data in the FlatBuffer */
	size_t outside_at; /* of those behind it */
};

static size_t put(struct file *f, const void *p, size_t len)
{
	size_t at = f->len;

	assert_true(len <= f->cap - f->len);
	memcpy(f->b + f->len, p, len);
	f->len += len;
	return at;
}

static size_t put_zeros(struct file *f, size_t len)
{
	size_t at = f->len;

	assert_true(len <= f->cap - f->len);
	memset(f->b + f->len, 0, len);
	f->len += len;
	return at;
}

static size_t put_u32(struct file *f, uint32_t v)
{
	uint8_t b[8];

	hf_put_le64(b, v);
	return put(f, b, 4);
}

/* A table whose fields have these lengths ('0': the table does not have it); where it begins. */
static size_t put_table(struct file *f, const char *fields)
{
	size_t n = strlen(fields);
	uint8_t vtable[64] = { 0 };
	uint16_t len = 4;
	size_t at;

	for (size_t i = 0; i < n; i++) {
		uint16_t where = fields[i] == '0' ? 0 : len;

		vtable[4 + 2 * i] = (uint8_t)where;
		vtable[5 + 2 * i] = (uint8_t)(where >> 8);
		len = (uint16_t)(len + (fields[i] - '0'));
	}
	vtable[0] = (uint8_t)(4 + 2 * n);
	vtable[2] = (uint8_t)len;
	at = put(f, vtable, 4 + 2 * n);
	at = put_u32(f, (uint32_t)(f->len - at));
	(void)put_zeros(f, len - 4U);
	return at;
}

/* Another one with the same list of fields, as writers share them. */
static size_t put_table_like(struct file *f, size_t table)
{
	size_t vtable = table - hf_get_le32(f->b + table);
	size_t at = put_u32(f, (uint32_t)(f->len - vtable));

	(void)put_zeros(f, f->b[vtable + 2] - 4U);
	return at;
}

static size_t vtable_of(const struct file *f, size_t table)
{
	return table - hf_get_le32(f->b + table);
}

static size_t field(const struct file *f, size_t table, unsigned i)
{
	const uint8_t *p = f->b + vtable_of(f, table) + 4 + 2 * (size_t)i;

	return table + (size_t)(p[0] | p[1] << 8);
}

static void set_u32(struct file *f, size_t at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		f->b[at + i] = (uint8_t)(v >> 8 * i);
}

static void set_u64(struct file *f, size_t at, uint64_t v)
{
	hf_put_le64(f->b + at, v);
}

static void lead(struct file *f, size_t at, size_t to)
{
	set_u32(f, at, (uint32_t)(to - at));
}

static size_t put_text(struct file *f, const char *s)
{
	size_t at = put_u32(f, (uint32_t)strlen(s));

	(void)put(f, s, strlen(s) + 1);
	return at;
}

static size_t put_list(struct file *f, uint32_t n)
{
	size_t at = put_u32(f, n);

	(void)put_zeros(f, (size_t)n * 4);
	return at;
}

/* like: a tensor before it; 0: the first one. */
static size_t put_tensor_like(struct file *f, size_t like, const char *name, uint8_t type,
	uint32_t rows, uint32_t columns, uint32_t buffer)
{
	size_t at = like == 0 ? put_table(f, "4144004") : put_table_like(f, like);
	size_t shape = put_list(f, 2);

	set_u32(f, shape + 4, rows);
	set_u32(f, shape + 8, columns);
	lead(f, field(f, at, 0), shape);
	f->b[field(f, at, 1)] = type;
	set_u32(f, field(f, at, 2), buffer);
	lead(f, field(f, at, 3), put_text(f, name));
	f->b[vtable_of(f, at) + 4 + 2 * 6] = 0; /* no sparsity, until a test wants it */
	return at;
}

static size_t put_tensor(struct file *f, const char *name, uint8_t type, uint32_t rows,
	uint32_t columns, uint32_t buffer)
{
	return put_tensor_like(f, 0, name, type, rows, columns, buffer);
}

static void emit_head(struct file *f, uint32_t n_buffers, uint32_t n_tensors)
{
	f->len = 0;
	(void)put_u32(f, 0);
	(void)put(f, "TFL3", 4);
	f->model = put_table(f, "40404");
	lead(f, 0, f->model);
	set_u32(f, field(f, f->model, 0), 3);
	f->subgraphs = put_list(f, 1);
	lead(f, field(f, f->model, 2), f->subgraphs);
	f->subgraph = put_table(f, "4");
	lead(f, f->subgraphs + 4, f->subgraph);
	f->tensors = put_list(f, n_tensors);
	lead(f, field(f, f->subgraph, 0), f->tensors);
	f->buffers = put_list(f, n_buffers);
	lead(f, field(f, f->model, 4), f->buffers);
}

/* Two tensors that share a buffer, one whose data lie behind, one without data. */
static void emit(struct file *f)
{
	emit_head(f, 3, 4);
	f->tensor[0] = put_tensor(f, "w", 0, 2, 3, 1);
	f->tensor[1] = put_tensor(f, "b", 17, 3, 3, 2);
	f->tensor[2] = put_tensor(f, "x", 0, 9, 9, 0);
	f->tensor[3] = put_tensor(f, "again", 0, 3, 2, 1);
	f->buffer[0] = put_table(f, "");
	f->buffer[1] = put_table(f, "4");
	f->buffer[2] = put_table(f, "488");
	f->b[vtable_of(f, f->buffer[2]) + 4] = 0;
	for (size_t i = 0; i < 4; i++)
		lead(f, f->tensors + 4 + 4 * i, f->tensor[i]);
	for (size_t i = 0; i < 3; i++)
		lead(f, f->buffers + 4 + 4 * i, f->buffer[i]);
	lead(f, field(f, f->buffer[1], 0), f->len);
	(void)put_u32(f, 24);
	f->data_at = put(f, "abcdefghijklmnopqrstuvwx", 24);
	f->outside_at = put(f, "12345", 5);
	set_u64(f, field(f, f->buffer[2], 1), f->outside_at);
	set_u64(f, field(f, f->buffer[2], 2), 5);
}

struct exact {
	uint8_t *p;
	size_t len;
};

static hf_err read_exact(void *ctx, uint8_t *out, size_t len, uint64_t at)
{
	const struct exact *x = ctx;

	assert_true(at <= x->len && len <= x->len - at);
	memcpy(out, x->p + at, len);
	return HF_OK;
}

/* Errors are looked for in memory that is just as long as the file. */
static hf_err parse(struct hf_model_map *map, const uint8_t *b, size_t len)
{
	struct exact x = { malloc(len + 1), len };
	const struct hf_model_source src = { read_exact, &x, len };
	hf_err e;

	assert_non_null(x.p);
	memcpy(x.p, b, len);
	e = hf_model_map_read(map, &src, 1 << 20, &test_mem, NULL);
	free(x.p);
	return e;
}

static int setup(void **state)
{
	struct file *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->cap = ROOM;
	f->b = malloc(f->cap);
	assert_non_null(f->b);
	emit(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct file *f = *state;

	free(f->b);
	free(f);
	return 0;
}

static void refuses(const struct file *f, hf_err expected)
{
	struct hf_model_map map = { .n_tensors = 42 };

	assert_err(parse(&map, f->b, f->len), expected);
	assert_int_equal(map.n_tensors, 42);
}

static void finds_data_in_the_flatbuffer_and_behind_it(void **state)
{
	struct file *f = *state;
	struct hf_model_map map = { 0 };

	assert_ok(parse(&map, f->b, f->len));
	assert_int_equal(map.format, HF_MODEL_TFLITE);
	assert_int_equal(map.n_tensors, 3);
	assert_int_equal(map.n_elsewhere, 0);
	assert_int_equal(map.data_at, f->data_at);
	assert_string_equal(map.tensors[0].name, "again");
	assert_string_equal(map.tensors[1].name, "w");
	assert_int_equal(map.tensors[0].offset, f->data_at);
	assert_int_equal(map.tensors[1].offset, f->data_at);
	assert_int_equal(map.tensors[1].len, 24);
	assert_int_equal(map.tensors[1].dtype, HF_DTYPE_F32);
	assert_int_equal(map.tensors[1].n_dims, 2);
	assert_int_equal(map.tensors[1].shape[1], 3);
	assert_true(map.tensors[1].is_plain);
	assert_string_equal(map.tensors[2].name, "b");
	assert_int_equal(map.tensors[2].dtype, HF_DTYPE_I4);
	assert_int_equal(map.tensors[2].offset, f->outside_at);
	assert_int_equal(map.tensors[2].len, 5);
	hf_model_map_clear(&map);
}

static void a_sparse_tensor_has_a_length_of_its_own(void **state)
{
	struct file *f = *state;
	struct hf_model_map map = { 0 };
	size_t slot = vtable_of(f, f->tensor[0]) + 4 + 2 * 6;

	set_u32(f, f->data_at - 4, 20);
	refuses(f, HF_ERR_FORMAT);
	f->b[slot] = 17; /* behind the four fields before it */
	lead(f, f->tensors + 4 + 12, f->tensor[0]);
	assert_ok(parse(&map, f->b, f->len));
	assert_int_equal(map.tensors[0].len, 20);
	assert_false(map.tensors[0].is_plain);
	hf_model_map_clear(&map);
}

static void keeps_the_beginning_of_a_name_that_is_too_long(void **state)
{
	struct file *f = *state;
	struct hf_model_map map = { 0 };
	char name[2 * HF_MODEL_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	memcpy(name + HF_MODEL_NAME_MAX - 2, "\xe8\x99\x8e", 3);
	lead(f, field(f, f->tensor[0], 3), put_text(f, name));
	set_u64(f, field(f, f->buffer[2], 1), f->len);
	(void)put(f, "12345", 5);
	assert_ok(parse(&map, f->b, f->len));
	assert_int_equal(strlen(map.tensors[1].name), HF_MODEL_NAME_MAX - 2);
	hf_model_map_clear(&map);
}

static void refuses_what_contradicts_itself(void **state)
{
	struct file *f = *state;

	set_u32(f, field(f, f->tensor[0], 2), 3);
	refuses(f, HF_ERR_FORMAT); /* no such buffer */
	emit(f);
	set_u32(f, hf_get_le32(f->b + field(f, f->tensor[0], 0)) + field(f, f->tensor[0], 0) + 4,
		4);
	refuses(f, HF_ERR_FORMAT); /* four rows in the shape, two in the data */
	emit(f);
	set_u32(f, hf_get_le32(f->b + field(f, f->tensor[0], 0)) + field(f, f->tensor[0], 0) + 4,
		0xffffffff);
	refuses(f, HF_ERR_FORMAT); /* as many as somebody likes */
	emit(f);
	f->b[vtable_of(f, f->buffer[2]) + 4] = 4;
	lead(f, field(f, f->buffer[2], 0), f->data_at - 4);
	refuses(f, HF_ERR_FORMAT); /* data twice */
	emit(f);
	set_u64(f, field(f, f->buffer[2], 1), f->data_at);
	refuses(f, HF_ERR_FORMAT); /* overlaps what lies in the FlatBuffer */
	emit(f);
	f->b[field(f, f->tensor[0], 1)] = 99;
	refuses(f, HF_ERR_UNSUPPORTED);
	emit(f);
	set_u32(f, field(f, f->model, 0), 4);
	refuses(f, HF_ERR_UNSUPPORTED);
}

static void refuses_lengths_that_leave_the_file_or_wrap(void **state)
{
	static const uint64_t bad[] = { 6, UINT64_MAX, (uint64_t)1 << 63, (uint64_t)1 << 32 };
	struct file *f = *state;

	for (size_t i = 0; i < HF_COUNT(bad); i++) {
		emit(f);
		set_u64(f, field(f, f->buffer[2], 2), bad[i]);
		f->b[field(f, f->tensor[1], 1)] = 13; /* no length of its own */
		refuses(f, HF_ERR_TRUNCATED);
		emit(f);
		set_u64(f, field(f, f->buffer[2], 1), f->len + bad[i] < bad[i] ? bad[i] : f->len);
		refuses(f, HF_ERR_TRUNCATED);
	}
	for (size_t i = 0; i < 4; i++) {
		const size_t counts[] = { f->subgraphs, f->tensors, f->buffers, f->data_at - 4 };

		emit(f);
		set_u32(f, counts[i], i == 1 ? 0x7fffffff : 0xffffffff);
		refuses(f, HF_ERR_TRUNCATED);
	}
}

static void refuses_distances_that_lead_nowhere_or_back(void **state)
{
	struct file *f = *state;
	const size_t places[] = { 0, f->subgraphs + 4, f->tensors + 4, f->buffers + 8,
		field(f, f->model, 2), field(f, f->model, 4), field(f, f->subgraph, 0),
		field(f, f->tensor[0], 0), field(f, f->tensor[0], 3), field(f, f->buffer[1], 0) };
	struct hf_model_map map = { 0 };

	for (size_t i = 0; i < HF_COUNT(places); i++) {
		emit(f);
		set_u32(f, places[i], 0);
		refuses(f, HF_ERR_FORMAT);
		emit(f);
		set_u32(f, places[i], 0xfffffff0);
		refuses(f, HF_ERR_TRUNCATED);
	}
	emit(f);
	set_u32(f, f->model, 0x80000000); /* a list of fields 2 GiB behind the table */
	refuses(f, HF_ERR_FORMAT);
	emit(f);
	set_u32(f, f->model, 0x7fffffff); /* and before it */
	refuses(f, HF_ERR_FORMAT);
	emit(f);
	f->b[vtable_of(f, f->tensor[0])] = 3;
	refuses(f, HF_ERR_FORMAT);
	emit(f);
	f->b[vtable_of(f, f->tensor[0]) + 2] = 5; /* a table that ends before its fields */
	refuses(f, HF_ERR_FORMAT);
	/* A sub-graph that is a tensor that is itself: read as what its place says, and no deeper.
	 */
	emit(f);
	lead(f, f->tensors + 4, f->tensor[2]);
	lead(f, f->tensors + 4 + 12, f->tensor[2]);
	assert_ok(parse(&map, f->b, f->len));
	assert_int_equal(map.n_tensors, 1);
	hf_model_map_clear(&map);
}

/* One small table, named a million times by lists that lie on each other. */
static void refuses_more_tensors_than_can_be(void **state)
{
	struct file *f = *state;
	size_t first;

	f->cap = 8 << 20;
	free(f->b);
	f->b = malloc(f->cap);
	assert_non_null(f->b);
	emit_head(f, 1, 1);
	lead(f, f->subgraphs + 4, f->subgraph);
	first = put_list(f, HF_MODEL_TENSORS_MAX + 1);
	lead(f, field(f, f->subgraph, 0), first);
	f->tensor[2] = put_tensor(f, "x", 0, 9, 9, 0);
	lead(f, f->buffers + 4, put_table(f, ""));
	for (size_t i = 0; i <= HF_MODEL_TENSORS_MAX; i++)
		lead(f, first + 4 + 4 * i, f->tensor[2]);
	refuses(f, HF_ERR_LIMIT);
	set_u32(f, first, HF_MODEL_TENSORS_MAX);
	assert_int_equal(hf_get_le32(f->b + f->subgraphs), 1);
	f->subgraphs = put_list(f, (1 << 16) + 1);
	lead(f, field(f, f->model, 2), f->subgraphs);
	refuses(f, HF_ERR_LIMIT);
}

/* As writers lay them out: lists, tables, names and data far from each other. */
static void reads_a_hundred_thousand_tensors(void **state)
{
	struct file *f = *state;
	struct hf_model_map map = { 0 };
	char name[32];
	size_t tensor = 0;
	size_t buffer = 0;

	f->cap = 32 << 20;
	free(f->b);
	f->b = malloc(f->cap);
	assert_non_null(f->b);
	emit_head(f, MANY + 1, MANY);
	for (size_t i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof(name), "layer.%zu", i);
		tensor = put_tensor_like(f, tensor, name, 9, 2, 2, (uint32_t)i + 1);
		lead(f, f->tensors + 4 + 4 * i, tensor);
	}
	lead(f, f->buffers + 4, put_table(f, ""));
	for (size_t i = 0; i < MANY; i++) {
		buffer = buffer == 0 ? put_table(f, "4") : put_table_like(f, buffer);
		lead(f, f->buffers + 8 + 4 * i, buffer);
		lead(f, field(f, buffer, 0), f->len);
		(void)put_u32(f, 4);
		(void)put_u32(f, (uint32_t)i);
	}
	assert_ok(parse(&map, f->b, f->len));
	assert_int_equal(map.n_tensors, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(hf_get_le32(f->b + map.tensors[i].offset), i);
	assert_string_equal(map.tensors[MANY - 1].name, "layer.99999");
	hf_model_map_clear(&map);
}

static void survives_every_cut_and_every_changed_byte(void **state)
{
	struct file *f = *state;

	for (size_t cut = 8; cut < f->len; cut++) {
		struct hf_model_map map = { .n_tensors = 42 };

		assert_int_not_equal(parse(&map, f->b, cut), HF_OK);
	}
	for (size_t at = 0; at < f->len; at++) {
		uint8_t was = f->b[at];

		for (unsigned v = 0; v < 256; v++) {
			struct hf_model_map map = { 0 };

			f->b[at] = (uint8_t)v;
			if (parse(&map, f->b, f->len) == HF_OK)
				for (size_t i = 0; i < map.n_tensors; i++)
					assert_true(map.tensors[i].len <=
						    f->len - map.tensors[i].offset);
			hf_model_map_clear(&map);
		}
		f->b[at] = was;
	}
}

static void a_pickle_that_looks_like_one_is_a_pickle(void **state)
{
	static const uint8_t both[] = "\x80\x02}qTFL3........................";
	struct hf_model_map map = { 0 };

	(void)state;
	assert_ok(parse(&map, both, sizeof(both)));
	assert_int_equal(map.format, HF_MODEL_PICKLE);
	hf_model_map_clear(&map);
}

static void frees_everything_when_memory_runs_out(void **state)
{
	struct file *f = *state;
	struct hf_model_map map = { 0 };

	for (unsigned n = 1; n <= 3; n++) {
		test_mem_fail_at(n);
		assert_err(parse(&map, f->b, f->len), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(finds_data_in_the_flatbuffer_and_behind_it),
		TEST(a_sparse_tensor_has_a_length_of_its_own),
		TEST(keeps_the_beginning_of_a_name_that_is_too_long),
		TEST(refuses_what_contradicts_itself),
		TEST(refuses_lengths_that_leave_the_file_or_wrap),
		TEST(refuses_distances_that_lead_nowhere_or_back),
		TEST(refuses_more_tensors_than_can_be),
		TEST(reads_a_hundred_thousand_tensors),
		TEST(survives_every_cut_and_every_changed_byte),
		TEST(a_pickle_that_looks_like_one_is_a_pickle),
		TEST(frees_everything_when_memory_runs_out),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
