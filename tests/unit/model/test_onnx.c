/* SPDX-License-Identifier: Apache-2.0 */
/* Maps of ONNX files, written here field by field. */
#include "test.h"

#include "model/model_map.h"

enum { ROOM = 512 };

struct msg {
	uint8_t b[ROOM];
	size_t len;
};

static void put_bytes(struct msg *m, unsigned field, const void *p, size_t len)
{
	assert_true(len < 1 << 14 && m->len + len + 5 <= ROOM);
	if (field >= 16) {
		m->b[m->len++] = (uint8_t)(0x80 | (field << 3 & 0x7f) | 2);
		m->b[m->len++] = (uint8_t)(field >> 4);
	} else {
		m->b[m->len++] = (uint8_t)(field << 3 | 2);
	}
	if (len >= 128)
		m->b[m->len++] = (uint8_t)(0x80 | (len & 0x7f));
	m->b[m->len++] = (uint8_t)(len >= 128 ? len >> 7 : len);
	memcpy(m->b + m->len, p, len);
	m->len += len;
}

static void put_text(struct msg *m, unsigned field, const char *s)
{
	put_bytes(m, field, s, strlen(s));
}

static void put_msg(struct msg *m, unsigned field, const struct msg *in)
{
	put_bytes(m, field, in->b, in->len);
}

static void put_number(struct msg *m, unsigned field, uint8_t v)
{
	m->b[m->len++] = (uint8_t)(field << 3);
	m->b[m->len++] = v;
}

static struct msg tensor(const char *name, uint8_t type, uint8_t n)
{
	struct msg t = { .len = 0 };

	put_number(&t, 1, n);
	put_number(&t, 2, type);
	put_text(&t, 8, name);
	return t;
}

static void put_pair(struct msg *t, const char *key, const char *value)
{
	struct msg pair = { .len = 0 };

	put_text(&pair, 1, key);
	put_text(&pair, 2, value);
	put_msg(t, 13, &pair);
}

static struct msg outside(const char *location, const char *offset)
{
	struct msg t = tensor("far", 1, 4);

	put_pair(&t, "location", location);
	put_pair(&t, "offset", offset);
	put_pair(&t, "length", "16");
	put_number(&t, 14, 1);
	return t;
}

/* What a test adds to the graph: a tensor, given as a field of it. */
static struct msg model_of(const struct msg *graph)
{
	struct msg m = { .len = 0 };
	struct msg opset = { .len = 0 };

	put_number(&opset, 2, 15);
	put_number(&m, 1, 8);
	put_text(&m, 2, "test");
	put_msg(&m, 7, graph);
	put_msg(&m, 8, &opset);
	return m;
}

static struct msg with(const struct msg *t)
{
	struct msg graph = { .len = 0 };

	put_msg(&graph, 5, t);
	return model_of(&graph);
}

/* A tensor in a graph in a node, raw and typed initializers, one outside. */
static struct msg small(void)
{
	struct msg graph = { .len = 0 }, inner = { .len = 0 }, node = { .len = 0 };
	struct msg attribute = { .len = 0 };
	struct msg t = tensor("deep", 10, 2);

	put_text(&t, 9, "abcd");
	put_msg(&inner, 5, &t);
	put_text(&attribute, 1, "body");
	put_msg(&attribute, 6, &inner);
	put_msg(&node, 5, &attribute);
	put_text(&node, 4, "Loop");
	put_msg(&graph, 1, &node);
	t = tensor("w", 1, 2);
	put_text(&t, 9, "12345678");
	put_msg(&graph, 5, &t);
	t = tensor("typed", 7, 3);
	put_text(&t, 7, "\1\2\3");
	put_msg(&graph, 5, &t);
	t = outside("side/data.bin", "32");
	put_msg(&graph, 5, &t);
	return model_of(&graph);
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

static void refuses(const struct msg *m, hf_err expected)
{
	struct hf_model_map map = { .n_tensors = 42 };

	assert_err(parse(&map, m->b, m->len), expected);
	assert_int_equal(map.n_tensors, 42);
}

static void assert_holds(const struct hf_tensor *t, const struct msg *m, const char *bytes)
{
	assert_int_equal(t->len, strlen(bytes));
	assert_true(t->offset <= m->len && t->len <= m->len - t->offset);
	assert_memory_equal(m->b + t->offset, bytes, strlen(bytes));
}

static void finds_tensors_in_every_graph(void **state)
{
	struct hf_model_map map = { 0 };
	struct msg m = small();

	(void)state;
	assert_ok(parse(&map, m.b, m.len));
	assert_int_equal(map.format, HF_MODEL_ONNX);
	assert_int_equal(map.n_tensors, 3);
	assert_int_equal(map.n_elsewhere, 1);
	assert_string_equal(map.tensors[0].name, "deep");
	assert_int_equal(map.tensors[0].dtype, HF_DTYPE_F16);
	assert_holds(&map.tensors[0], &m, "abcd");
	assert_string_equal(map.tensors[1].name, "w");
	assert_true(map.tensors[1].is_plain);
	assert_holds(&map.tensors[1], &m, "12345678");
	assert_false(map.tensors[2].is_plain);
	assert_holds(&map.tensors[2], &m, "\1\2\3");
	assert_string_equal(map.tensors[3].location, "side/data.bin");
	assert_int_equal(map.tensors[3].offset, 32);
	hf_model_map_clear(&map);
}

static void maps_the_file_beside_the_model(void **state)
{
	struct hf_model_map map = { 0 };
	struct hf_model_map side = { .n_tensors = 42 };
	struct msg m = small();

	(void)state;
	assert_ok(parse(&map, m.b, m.len));
	assert_err(hf_model_map_beside(&side, &map, "side/data.bin", 47, NULL), HF_ERR_TRUNCATED);
	assert_int_equal(side.n_tensors, 42);
	assert_ok(hf_model_map_beside(&side, &map, "other", 48, NULL));
	assert_int_equal(side.format, HF_MODEL_UNKNOWN);
	hf_model_map_clear(&side);
	assert_ok(hf_model_map_beside(&side, &map, "side/data.bin", 48, NULL));
	hf_model_map_clear(&map);
	assert_int_equal(side.format, HF_MODEL_ONNX_DATA);
	assert_int_equal(side.n_tensors, 1);
	assert_string_equal(side.tensors[0].name, "far");
	assert_int_equal(side.tensors[0].offset, 32);
	assert_int_equal(side.tensors[0].len, 16);
	hf_model_map_clear(&side);
}

static void refuses_external_data_that_leave_the_folder(void **state)
{
	static const char *const bad[] = { "../w", "a/../../w", "/etc/passwd", "a\\b", "c:x", "",
		"a//b", ".." };
	struct msg t;
	struct msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		t = outside(bad[i], "0");
		m = with(&t);
		refuses(&m, HF_ERR_FORMAT);
	}
	t = outside("w", "-1");
	m = with(&t);
	refuses(&m, HF_ERR_FORMAT);
	t = outside("w", "18446744073709551615");
	m = with(&t);
	refuses(&m, HF_ERR_FORMAT);
}

static void refuses_tensors_that_contradict_themselves(void **state)
{
	struct msg t = tensor("short", 1, 2);
	struct msg m;

	(void)state;
	put_text(&t, 9, "1234567");
	m = with(&t);
	refuses(&m, HF_ERR_FORMAT);
	t = tensor("twice", 1, 1);
	put_text(&t, 9, "1234");
	put_text(&t, 9, "1234");
	m = with(&t);
	refuses(&m, HF_ERR_FORMAT);
	t = tensor("new", 99, 1);
	put_text(&t, 9, "1");
	m = with(&t);
	refuses(&m, HF_ERR_UNSUPPORTED);
}

static void refuses_graphs_too_deep_in_each_other(void **state)
{
	struct msg graph = { .len = 0 };
	struct msg m;

	(void)state;
	for (unsigned i = 0; i < 25; i++) {
		struct msg attribute = { .len = 0 };
		struct msg node = { .len = 0 };
		struct msg outer = { .len = 0 };

		put_msg(&attribute, 6, &graph);
		put_msg(&node, 5, &attribute);
		put_msg(&outer, 1, &node);
		graph = outer;
	}
	m = model_of(&graph);
	refuses(&m, HF_ERR_LIMIT);
}

static void survives_every_cut_and_every_changed_byte(void **state)
{
	struct msg m = small();

	(void)state;
	for (size_t cut = 0; cut < m.len; cut++) {
		struct hf_model_map map = { 0 };

		if (parse(&map, m.b, cut) == HF_OK)
			assert_int_equal(map.format, HF_MODEL_UNKNOWN);
		hf_model_map_clear(&map);
	}
	for (size_t at = 0; at < m.len; at++) {
		for (unsigned v = 0; v < 256; v++) {
			struct hf_model_map map = { 0 };
			struct msg other = m;

			other.b[at] = (uint8_t)v;
			if (parse(&map, other.b, other.len) == HF_OK)
				for (size_t i = 0; i < map.n_tensors; i++)
					assert_true(map.tensors[i].len <=
						    m.len - map.tensors[i].offset);
			hf_model_map_clear(&map);
		}
	}
}

static void frees_everything_when_memory_runs_out(void **state)
{
	struct hf_model_map map = { 0 };
	struct msg m = small();

	(void)state;
	for (unsigned n = 1; n <= 3; n++) {
		test_mem_fail_at(n);
		assert_err(parse(&map, m.b, m.len), HF_ERR_NO_MEMORY);
	}
	test_mem_fail_at(0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_tensors_in_every_graph),
		cmocka_unit_test(maps_the_file_beside_the_model),
		cmocka_unit_test(refuses_external_data_that_leave_the_folder),
		cmocka_unit_test(refuses_tensors_that_contradict_themselves),
		cmocka_unit_test(refuses_graphs_too_deep_in_each_other),
		cmocka_unit_test(survives_every_cut_and_every_changed_byte),
		cmocka_unit_test(frees_everything_when_memory_runs_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
