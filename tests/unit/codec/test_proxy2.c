/* SPDX-License-Identifier: Apache-2.0 */
/* PROXY headers, version 2: what fronts send, and everything else refused. */
#include "test.h"

#include "codec/proxy2.h"

/* 10.1.2.3:4711 -> 10.0.0.1:80, then an unknown TLV and the name "cam-1" */
static const uint8_t good[] = { 0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54,
	0x0a, 0x21, 0x11, 0, 33, 10, 1, 2, 3, 10, 0, 0, 1, 0x12, 0x67, 0, 80, 0x01, 0, 2, 'h', '2',
	0x20, 0, 13, 3, 0, 0, 0, 0, 0x22, 0, 5, 'c', 'a', 'm', '-', '1' };

static hf_err parse(struct hf_proxy2 *p, const uint8_t *in, size_t len)
{
	struct hf_proxy2 before;
	uint8_t *exact = malloc(len > 0 ? len : 1);
	hf_err e;

	assert_non_null(exact);
	memset(p, 0x77, sizeof(*p));
	before = *p;
	if (len > 0)
		memcpy(exact, in, len);
	e = hf_proxy2_parse(p, exact, len);
	if (e != HF_OK)
		assert_memory_equal(p, &before, sizeof(before)); /* untouched on failure */
	free(exact);
	return e;
}

/* A good header with another byte somewhere. */
static hf_err with(size_t at, uint8_t byte)
{
	struct hf_proxy2 p;
	uint8_t in[sizeof(good)];

	memcpy(in, good, sizeof(good));
	in[at] = byte;
	return parse(&p, in, sizeof(in));
}

static void reads_what_a_front_sends(void **state)
{
	static const uint8_t from[4] = { 10, 1, 2, 3 };
	static const uint8_t to[4] = { 10, 0, 0, 1 };
	struct hf_proxy2 p;
	size_t len = 0;

	(void)state;
	assert_ok(hf_proxy2_len(&len, good));
	assert_int_equal(len, sizeof(good));
	assert_ok(parse(&p, good, sizeof(good)));
	assert_int_equal(p.family, HF_PROXY2_TCP4);
	assert_memory_equal(p.from, from, 4);
	assert_memory_equal(p.to, to, 4);
	assert_int_equal(p.from_port, 4711);
	assert_int_equal(p.to_port, 80);
	assert_string_equal(p.name, "cam-1");
}

static void a_local_connection_has_no_addresses(void **state)
{
	uint8_t in[sizeof(good)];
	struct hf_proxy2 p;

	(void)state;
	memcpy(in, good, sizeof(in));
	in[12] = 0x20; /* a health check: what follows is ignored */
	assert_ok(parse(&p, in, sizeof(in)));
	assert_int_equal(p.family, HF_PROXY2_UNKNOWN);
	assert_string_equal(p.name, "");
}

static void reads_the_addresses_of_unix_sockets_over(void **state)
{
	uint8_t in[HF_PROXY2_HEAD_LEN + 216] = { 0 };
	struct hf_proxy2 p;

	(void)state;
	memcpy(in, good, HF_PROXY2_HEAD_LEN);
	in[13] = 0x31;
	in[15] = 216;
	assert_ok(parse(&p, in, sizeof(in)));
	assert_int_equal(p.family, HF_PROXY2_UNKNOWN);
	in[15] = 215;
	assert_err(parse(&p, in, sizeof(in) - 1), HF_ERR_TRUNCATED);
}

static void refuses_what_is_cut_anywhere(void **state)
{
	struct hf_proxy2 p;
	uint8_t in[sizeof(good)];

	(void)state;
	for (size_t n = 0; n < sizeof(good); n++)
		assert_err(parse(&p, good, n), HF_ERR_TRUNCATED);
	/* Also where the length agrees: fields are cut, unless a whole TLV is all that is missing.
	 */
	for (size_t n = HF_PROXY2_HEAD_LEN; n < sizeof(good); n++) {
		memcpy(in, good, n);
		in[15] = (uint8_t)(n - HF_PROXY2_HEAD_LEN);
		if (n == 28 || n == 33)
			assert_ok(parse(&p, in, n));
		else
			assert_err(parse(&p, in, n), HF_ERR_TRUNCATED);
	}
}

static void refuses_what_is_no_header(void **state)
{
	struct hf_proxy2 p;
	uint8_t in[sizeof(good) + 1];

	(void)state;
	for (size_t i = 0; i < 12; i++)
		assert_err(with(i, good[i] ^ 1), HF_ERR_FORMAT);
	assert_err(with(12, 0x11), HF_ERR_FORMAT); /* version 1 */
	assert_err(with(12, 0x22), HF_ERR_FORMAT); /* another command */
	assert_err(with(13, 0x12), HF_ERR_FORMAT); /* datagrams */
	assert_err(with(13, 0x41), HF_ERR_FORMAT);
	assert_err(with(14, 3), HF_ERR_LIMIT);
	memcpy(in, good, sizeof(good));
	in[sizeof(good)] = 0;
	assert_err(parse(&p, in, sizeof(in)), HF_ERR_FORMAT); /* one byte of what follows */
}

static void a_name_counts_only_if_it_was_verified(void **state)
{
	struct hf_proxy2 p;
	uint8_t in[sizeof(good)];

	(void)state;
	memcpy(in, good, sizeof(in));
	in[36] = 1; /* TLS, but no certificate on this connection */
	assert_ok(parse(&p, in, sizeof(in)));
	assert_string_equal(p.name, "");
	in[36] = 3;
	in[40] = 1; /* not verified */
	assert_ok(parse(&p, in, sizeof(in)));
	assert_string_equal(p.name, "");
	assert_err(with(sizeof(good) - 2, '\0'), HF_ERR_FORMAT);
}

static void refuses_a_second_name(void **state)
{
	uint8_t in[2 * sizeof(good)];
	size_t tlv = sizeof(good) - 33; /* the one with the name, once more */
	struct hf_proxy2 p;

	(void)state;
	memcpy(in, good, sizeof(good));
	memcpy(in + sizeof(good), good + 33, tlv);
	in[15] = (uint8_t)(in[15] + tlv);
	assert_err(parse(&p, in, sizeof(good) + tlv), HF_ERR_FORMAT);
}

static void writes_what_it_reads(void **state)
{
	static const enum hf_proxy2_family families[] = { HF_PROXY2_UNKNOWN, HF_PROXY2_TCP4,
		HF_PROXY2_TCP6 };
	struct hf_proxy2 in = { .from = "\x20\x01\x0d\xb8", .from_port = 1, .to_port = 65535 };
	struct hf_proxy2 out;

	(void)state;
	for (size_t f = 0; f < HF_COUNT(families); f++)
		for (size_t n = 0; n <= HF_PROXY2_NAME_MAX; n++) {
			uint8_t bytes[HF_PROXY2_MAX];
			struct hf_writer w = { .p = bytes, .cap = sizeof(bytes) };

			in.family = families[f];
			memset(in.name, 'n', n);
			in.name[n] = '\0';
			hf_proxy2_emit(&w, &in);
			assert_ok(hf_wr_done(&w));
			assert_ok(parse(&out, bytes, w.len));
			assert_int_equal(out.family, in.family);
			assert_string_equal(out.name, in.name);
			if (in.family == HF_PROXY2_UNKNOWN)
				continue;
			assert_memory_equal(out.from, in.from, 4);
			assert_int_equal(out.from_port, in.from_port);
			assert_int_equal(out.to_port, in.to_port);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_a_front_sends),
		cmocka_unit_test(a_local_connection_has_no_addresses),
		cmocka_unit_test(reads_the_addresses_of_unix_sockets_over),
		cmocka_unit_test(refuses_what_is_cut_anywhere),
		cmocka_unit_test(refuses_what_is_no_header),
		cmocka_unit_test(a_name_counts_only_if_it_was_verified),
		cmocka_unit_test(refuses_a_second_name),
		cmocka_unit_test(writes_what_it_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
