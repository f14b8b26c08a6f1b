/* SPDX-License-Identifier: Apache-2.0 */
/* PEM: text around blocks is passed over, inside a block nothing strange is accepted. */
#include "test.h"

#include "codec/pem.h"

static hf_err parse(const char *text, const char *label)
{
	uint8_t out[64];
	size_t len = 0;

	return hf_pem_parse(out, sizeof(out), &len, label, hf_bytes_str(text));
}

static void refuses_what_is_no_block(void **state)
{
	(void)state;
	assert_err(parse("", "A"), HF_ERR_NOT_FOUND);
	assert_err(parse("nothing\nhere", "A"), HF_ERR_NOT_FOUND);
	assert_err(parse(" -----BEGIN A-----\nZm9v\n-----END A-----\n", "A"), HF_ERR_NOT_FOUND);
	assert_err(parse("-----BEGIN A-----\nZm9v\n-----END A-----\n", "B"), HF_ERR_NOT_FOUND);
	assert_err(parse("-----BEGIN A----\nZm9v\n-----END A-----\n", "A"), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN -----\nZm9v\n-----END -----\n", ""), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nZm9v\n-----END B-----\n", "A"), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nZm9v\n-----BEGIN A-----\n", "A"), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nZm9v\n", "A"), HF_ERR_TRUNCATED);
	assert_err(parse("-----BEGIN A-----", "A"), HF_ERR_TRUNCATED);
	assert_err(parse("-----BEGIN A-----\n-----END A-----\n", "A"), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nProc-Type: 4\n\nZm9v\n-----END A-----\n", "A"),
		HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nZm9v Zm9v\n-----END A-----\n", "A"), HF_ERR_FORMAT);
	assert_err(parse("-----BEGIN A-----\nZm8=\nZm9v\n-----END A-----\n", "A"), HF_ERR_FORMAT);
}

static void refuses_more_than_the_room(void **state)
{
	const char *text = "-----BEGIN A-----\nZm9vYmFy\n-----END A-----\n";
	uint8_t out[5];
	size_t len = 9;

	(void)state;
	assert_err(hf_pem_parse(out, 5, &len, "A", hf_bytes_str(text)), HF_ERR_LIMIT);
	assert_int_equal(len, 9);
}

static void finds_blocks_between_other_text(void **state)
{
	const char *text = "subject=me\r\n-----BEGIN A B-----\r\nZm9v\r\nYmFy\r\n-----END A "
			   "B-----\r\n\n-----BEGIN C-----\nZg==\n-----END C-----";
	struct hf_bytes rest = hf_bytes_str(text);
	struct hf_pem_block b;
	uint8_t out[8];
	size_t len = 0;

	(void)state;
	assert_ok(hf_pem_next(&b, &rest));
	assert_string_equal(b.label, "A B");
	assert_ok(hf_pem_decode(out, sizeof(out), &len, &b));
	assert_int_equal(len, 6);
	assert_memory_equal(out, "foobar", 6);
	assert_ok(hf_pem_next(&b, &rest));
	assert_string_equal(b.label, "C");
	assert_ok(hf_pem_decode(out, sizeof(out), &len, &b));
	assert_int_equal(len, 1);
	assert_err(hf_pem_next(&b, &rest), HF_ERR_NOT_FOUND);
}

static void bytes_of_every_length_come_back(void **state)
{
	(void)state;
	for (size_t len = 1; len < 150; len++) {
		size_t cap = hf_pem_len("CERTIFICATE", len);
		char *text = malloc(cap);
		struct hf_writer w = { .p = (uint8_t *)text, .cap = cap };
		uint8_t in[150];
		uint8_t out[150];
		size_t back = 0;

		for (size_t i = 0; i < len; i++)
			in[i] = (uint8_t)(i * 7);
		hf_pem_emit(&w, "CERTIFICATE", in, len);
		assert_ok(hf_wr_done(&w));
		assert_int_equal(w.len, cap);
		assert_ok(hf_pem_parse(
			out, len, &back, "CERTIFICATE", (struct hf_bytes){ w.p, w.len }));
		assert_int_equal(back, len);
		assert_memory_equal(in, out, len);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_what_is_no_block),
		cmocka_unit_test(refuses_more_than_the_room),
		cmocka_unit_test(finds_blocks_between_other_text),
		cmocka_unit_test(bytes_of_every_length_come_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
