/* SPDX-License-Identifier: Apache-2.0 */
/* Encodings of chunks: what is chosen, that it comes back, and that no payload writes more than it
 * may. */
#include "test.h"

#include <zstd.h>

#include "base/attr.h"
#include "pkg/codec.h"
#include "pkg/planes.h"

enum { LEN = 200 << 10, GUARD = 64 };

static uint64_t state_of = 42;

static uint64_t next(void)
{
	uint64_t z = state_of += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* Elements of `width` bytes whose last byte, like an exponent, is one of a few. */
static void weights(uint8_t *out, size_t len, size_t width)
{
	for (size_t i = 0; i < len; i++) {
		uint64_t r = next();

		out[i] = (uint8_t)(i % width == width - 1 ? 0x3c + (r & r >> 8 & 3) : r);
	}
}

static struct hf_codec enc;
static struct hf_codec dec;

static int set_up(void **state)
{
	(void)state;
	assert_ok(hf_codec_init(&enc, &test_mem, HF_CODEC_ENCODE, LEN));
	assert_ok(hf_codec_init(&dec, &test_mem, HF_CODEC_DECODE, LEN));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	hf_codec_clear(&enc);
	hf_codec_clear(&dec);
	return 0;
}

/* Encodes and decodes, in a buffer of exactly the length; gives what was chosen. */
static struct hf_encoded round_trip(const uint8_t *plain, size_t len, const uint8_t *base)
{
	struct hf_encoded out;
	uint8_t *back = malloc(len);
	struct hf_decoding d = { .plain = back, .plain_len = len, .base = base };

	assert_non_null(back);
	assert_ok(hf_codec_encode(&enc, &out, plain, len, base));
	assert_true(out.len <= len);
	d.how = out.how;
	d.in = out.p;
	d.in_len = out.len;
	assert_ok(hf_codec_decode(&dec, &d));
	assert_memory_equal(back, plain, len);
	/* As opening does it: the encoded bytes lie where the plaintext goes. */
	if (out.how.width > 0) {
		memcpy(back, out.p, out.len);
		d.in = back;
		assert_ok(hf_codec_decode(&dec, &d));
		assert_memory_equal(back, plain, len);
	}
	free(back);
	return out;
}

static void planes_are_chosen_for_weights_by_their_width(void **state)
{
	uint8_t *plain = malloc(LEN);

	(void)state;
	assert_non_null(plain);
	for (size_t width = 2; width <= 4; width += 2) {
		for (size_t cut = 0; cut < 5; cut++) {
			struct hf_encoded out;

			weights(plain, LEN, width);
			out = round_trip(plain, LEN - cut, NULL);
			assert_int_equal(out.how.id, HF_CODEC_PLANES_ZSTD);
			assert_int_equal(out.how.width, width);
			assert_true(out.len < (LEN - LEN / width) + LEN / width / 2);
		}
	}
	free(plain);
}

/* As in a real model: eight or nine exponents, and signs. zstd without planes takes 78 %. */
static void planes_have_statistics_of_their_own(void **state)
{
	uint8_t *plain = malloc(LEN);
	struct hf_encoded out;

	(void)state;
	assert_non_null(plain);
	for (size_t i = 0; i < LEN; i++) {
		uint64_t r = next();
		unsigned zeros = 0;

		while (zeros < 8 && (r >> zeros & 1) == 0)
			zeros++;
		plain[i] = (uint8_t)(i % 2 == 0 ? r : (r >> 32 & 0x80) + 0x3d - zeros);
	}
	out = round_trip(plain, LEN, NULL);
	assert_int_equal(out.how.id, HF_CODEC_PLANES_ZSTD);
	assert_int_equal(out.how.width, 2);
	assert_true(out.len < LEN * 71 / 100);
	free(plain);
}

static void what_does_not_get_shorter_stays_as_it_is(void **state)
{
	uint8_t *plain = malloc(LEN);
	struct hf_encoded out;

	(void)state;
	assert_non_null(plain);
	weights(plain, LEN, LEN + 1); /* no exponents: chance alone */
	out = round_trip(plain, LEN, NULL);
	assert_int_equal(out.how.id, HF_CODEC_NONE);
	assert_ptr_equal(out.p, plain);
	/* One byte in 32 is known: 3 %, which is less than 5. */
	for (size_t i = 0; i < LEN; i += 32)
		plain[i] = 0;
	assert_int_equal(round_trip(plain, LEN, NULL).how.id, HF_CODEC_NONE);
	free(plain);
}

static void text_takes_zstd_alone(void **state)
{
	uint8_t *plain = malloc(LEN);

	(void)state;
	assert_non_null(plain);
	for (size_t i = 0; i < LEN; i++)
		plain[i] = (uint8_t) "the quick brown fox "[(i * i / 7) % 20];
	assert_int_equal(round_trip(plain, LEN, NULL).how.id, HF_CODEC_ZSTD);
	assert_int_equal(round_trip(plain, 21, NULL).how.width, 0);
	free(plain);
}

static void a_base_is_taken_where_it_saves_and_only_there(void **state)
{
	uint8_t *plain = malloc(LEN);
	uint8_t *base = malloc(LEN);
	struct hf_encoded out;

	(void)state;
	assert_true(plain != NULL && base != NULL);
	weights(base, LEN, 2);
	memcpy(plain, base, LEN);
	for (size_t i = 0; i < LEN; i += 2)
		plain[i] ^= next() % 4 == 0; /* some lowest bits */
	out = round_trip(plain, LEN - 1, base);
	assert_int_equal(out.how.id, HF_CODEC_XOR_PLANES_ZSTD);
	assert_true(out.len < LEN / 4);
	/* Another model of the same length: its bytes say nothing about these. */
	weights(base, LEN, 2);
	out = round_trip(plain, LEN, base);
	assert_int_equal(out.how.id, HF_CODEC_PLANES_ZSTD);
	free(plain);
	free(base);
}

static void short_chunks_come_back_too(void **state)
{
	uint8_t plain[70];
	uint8_t base[70];

	(void)state;
	for (size_t len = 1; len <= sizeof(plain); len++) {
		memset(plain, 7, sizeof(plain));
		memset(base, 9, sizeof(base));
		(void)round_trip(plain, len, NULL);
		(void)round_trip(plain, len, base);
		weights(plain, len, 2);
		(void)round_trip(plain, len, base);
	}
}

/* A payload that decodes to nothing, under every coding, and leaves zeros. */
static void refused(const uint8_t *in, size_t in_len, size_t plain_len)
{
	static const struct hf_coding how[] = { { HF_CODEC_ZSTD, 0 }, { HF_CODEC_PLANES_ZSTD, 2 },
		{ HF_CODEC_PLANES_ZSTD, 4 }, { HF_CODEC_XOR_PLANES_ZSTD, 1 },
		{ HF_CODEC_XOR_PLANES_ZSTD, 2 }, { HF_CODEC_XOR_PLANES_ZSTD, 4 } };
	uint8_t *plain = malloc(plain_len + GUARD);
	uint8_t *base = calloc(1, plain_len);

	assert_true(plain != NULL && base != NULL);
	for (size_t i = 0; i < HF_COUNT(how); i++) {
		const struct hf_decoding d = { how[i], plain, plain_len, in, in_len, base };

		memset(plain, 0xaa, plain_len + GUARD);
		assert_int_equal(hf_codec_decode(&dec, &d), HF_ERR_FORMAT);
		for (size_t k = 0; k < plain_len + GUARD; k++)
			assert_int_equal(plain[k], k < plain_len ? 0 : 0xaa);
	}
	free(plain);
	free(base);
}

/* A frame of len equal bytes. */
static size_t frame(uint8_t *out, size_t cap, size_t len)
{
	uint8_t *plain = calloc(1, len);
	size_t n;

	assert_non_null(plain);
	n = ZSTD_compress(out, cap, plain, len, 1);
	assert_false(ZSTD_isError(n));
	free(plain);
	return n;
}

static void a_payload_that_grows_beyond_its_length_is_refused(void **state)
{
	uint8_t bomb[4096];
	size_t n = frame(bomb, sizeof(bomb), 64 << 20);

	(void)state;
	refused(bomb, n, LEN);
	refused(bomb, n, 1);
	/* One that says no length at all. */
	bomb[4] &= 0x1f;
	refused(bomb, n, LEN);
}

static void a_payload_that_lies_about_its_length_is_refused(void **state)
{
	uint8_t in[4096];
	size_t n = frame(in, sizeof(in), 100000);

	(void)state;
	assert_int_equal(ZSTD_getFrameContentSize(in, n), 100000);
	refused(in, n, 99999);
	refused(in, n, 100001);
	/* The header says what is expected, the blocks give more, or less. */
	for (int by = -1; by <= 1; by += 2) {
		uint8_t lie[4096];
		size_t at = 5;

		memcpy(lie, in, n);
		lie[at] = (uint8_t)(lie[at] + by);
		assert_int_equal(ZSTD_getFrameContentSize(lie, n), 100000 + by);
		refused(lie, n, (size_t)(100000 + by));
	}
}

static void a_payload_cut_at_any_byte_or_with_more_behind_is_refused(void **state)
{
	uint8_t *plain = malloc(5000);
	uint8_t in[8192];
	size_t n;

	(void)state;
	assert_non_null(plain);
	weights(plain, 5000, 2);
	n = ZSTD_compress(in, sizeof(in), plain, 5000, 1);
	assert_false(ZSTD_isError(n));
	for (size_t cut = 0; cut < n; cut += cut < 64 ? 1 : 61)
		refused(in, cut, 5000);
	in[n] = 0;
	refused(in, n + 1, 5000);
	/* A second frame, and one that is to be skipped. */
	memcpy(in + n, in, n);
	refused(in, 2 * n, 5000);
	memcpy(in + n, "\x50\x2a\x4d\x18\0\0\0\0", 8);
	refused(in, n + 8, 5000);
	free(plain);
}

static void codings_that_are_none_are_refused(void **state)
{
	static const struct hf_coding how[] = { { HF_CODEC_NONE, 1 }, { HF_CODEC_ZSTD, 2 },
		{ HF_CODEC_PLANES_ZSTD, 0 }, { HF_CODEC_PLANES_ZSTD, 1 },
		{ HF_CODEC_PLANES_ZSTD, 3 }, { HF_CODEC_PLANES_ZSTD, 8 },
		{ HF_CODEC_XOR_PLANES_ZSTD, 0 }, { HF_CODEC_XOR_PLANES_ZSTD, 255 }, { 4, 0 },
		{ 255, 2 } };
	uint8_t in[4096];
	uint8_t plain[100];
	uint8_t base[100] = { 0 };
	struct hf_decoding d = { .plain = plain, .plain_len = 100, .in = in, .base = base };

	(void)state;
	d.in_len = frame(in, sizeof(in), 100);
	for (size_t i = 0; i < HF_COUNT(how); i++) {
		d.how = how[i];
		assert_false(hf_coding_is_valid(d.how));
		assert_int_equal(hf_codec_decode(&dec, &d), HF_ERR_UNSUPPORTED);
	}
	d.how = (struct hf_coding){ HF_CODEC_XOR_PLANES_ZSTD, 2 };
	assert_ok(hf_codec_decode(&dec, &d));
	d.base = NULL;
	assert_int_equal(hf_codec_decode(&dec, &d), HF_ERR_ARG);
	d.base = base;
	assert_int_equal(hf_codec_decode(&enc, &d), HF_ERR_ARG);
	d.plain_len = LEN + 1;
	d.plain = malloc(LEN + 1);
	assert_non_null(d.plain);
	d.in_len = frame(in, sizeof(in), LEN + 1);
	assert_int_equal(hf_codec_decode(&dec, &d), HF_ERR_LIMIT);
	free(d.plain);
}

static void planes_of_any_length_and_width_come_back(void **state)
{
	uint8_t in[67];
	uint8_t base[67];

	(void)state;
	weights(in, sizeof(in), 99);
	weights(base, sizeof(base), 99);
	for (size_t len = 0; len <= sizeof(in); len++)
		for (unsigned width = 1; width <= HF_PLANES_WIDTH_MAX; width *= 2) {
			uint8_t out[67];
			uint8_t back[67];
			size_t n = len / width;

			hf_planes_split(out, in, NULL, len, width);
			for (size_t i = 0; i < n * width; i++)
				assert_int_equal(out[i], in[i % n * width + i / n]);
			hf_planes_merge(back, out, NULL, len, width);
			assert_memory_equal(back, in, len);
			hf_planes_split(out, in, base, len, width);
			hf_planes_merge(back, out, base, len, width);
			assert_memory_equal(back, in, len);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(planes_are_chosen_for_weights_by_their_width),
		cmocka_unit_test(planes_have_statistics_of_their_own),
		cmocka_unit_test(what_does_not_get_shorter_stays_as_it_is),
		cmocka_unit_test(text_takes_zstd_alone),
		cmocka_unit_test(a_base_is_taken_where_it_saves_and_only_there),
		cmocka_unit_test(short_chunks_come_back_too),
		cmocka_unit_test(a_payload_that_grows_beyond_its_length_is_refused),
		cmocka_unit_test(a_payload_that_lies_about_its_length_is_refused),
		cmocka_unit_test(a_payload_cut_at_any_byte_or_with_more_behind_is_refused),
		cmocka_unit_test(codings_that_are_none_are_refused),
		cmocka_unit_test(planes_of_any_length_and_width_come_back),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
