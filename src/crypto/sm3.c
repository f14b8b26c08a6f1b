/* SPDX-License-Identifier: Apache-2.0 */
/* SM3 over any number of bytes: padding, splitting, lanes. The kernels do the compression. */
#include "crypto/sm3.h"

#include <string.h>

#include "base/attr.h"
#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm3_kernel.h"

/* Best first; the reference is always last. */
static const struct hf_sm3_kernel *const sm3_kernels[] = {
	&hf_sm3_kernel_c,
};

/* GB/T 32905-2016 5.2 */
static const uint32_t sm3_iv[8] = {
	0x7380166f,
	0x4914b2b9,
	0x172442d7,
	0xda8a0600,
	0xa96f30bc,
	0x163138aa,
	0xe38dee4d,
	0xb0fb0e4e,
};

const struct hf_sm3_kernel *hf_sm3_kernel_at(size_t i)
{
	return i < HF_COUNT(sm3_kernels) ? sm3_kernels[i] : NULL;
}

/* Compares every lane of a kernel with the reference over four blocks of its own. */
static bool kernel_selftest(const struct hf_sm3_kernel *k)
{
	uint8_t data[HF_SM3_LANES_MAX][256];
	const uint8_t *in[HF_SM3_LANES_MAX] = { NULL };
	uint32_t got[HF_SM3_LANES_MAX * 8];
	uint32_t want[8];

	for (unsigned i = 0; i < k->n_lanes; i++) {
		for (unsigned j = 0; j < sizeof(data[0]); j++)
			data[i][j] = (uint8_t)(i * 31 + j * 7 + (i ^ j));
		in[i] = data[i];
		memcpy(got + 8 * i, sm3_iv, sizeof(sm3_iv));
	}
	k->lanes(got, in, 4);
	for (unsigned i = 0; i < k->n_lanes; i++) {
		uint32_t one[8];

		memcpy(want, sm3_iv, sizeof(want));
		memcpy(one, sm3_iv, sizeof(one));
		hf_sm3_kernel_c.compress(want, data[i], 4);
		k->compress(one, data[i], 4);
		if (memcmp(want, got + 8 * i, sizeof(want)) != 0 ||
			memcmp(want, one, sizeof(want)) != 0)
			return false;
	}
	return true;
}

const struct hf_sm3_kernel *hf_sm3_choose(uint32_t cpu)
{
	for (size_t i = 0; i < HF_COUNT(sm3_kernels); i++)
		if ((sm3_kernels[i]->needs & ~cpu) == 0 && kernel_selftest(sm3_kernels[i]))
			return sm3_kernels[i];
	return NULL;
}

void hf_sm3_init(struct hf_sm3 *s)
{
	memcpy(s->h, sm3_iv, sizeof(s->h));
	s->len = 0;
}

static void compress(uint32_t h[8], const uint8_t *in, size_t n_blocks)
{
	if (hf_module()->sm3 != NULL)
		hf_module()->sm3->compress(h, in, n_blocks);
}

void hf_sm3_feed(struct hf_sm3 *s, const void *in, size_t len)
{
	const uint8_t *p = in;
	size_t held = (size_t)(s->len % HF_SM3_BLOCK_LEN);

	s->len += len;
	if (held > 0) {
		size_t n = HF_SM3_BLOCK_LEN - held;

		if (n > len)
			n = len;
		if (n > 0)
			memcpy(s->block + held, p, n);
		if (held + n < HF_SM3_BLOCK_LEN)
			return;
		compress(s->h, s->block, 1);
		p += n;
		len -= n;
	}
	if (len >= HF_SM3_BLOCK_LEN) {
		size_t n_blocks = len / HF_SM3_BLOCK_LEN;

		compress(s->h, p, n_blocks);
		p += n_blocks * HF_SM3_BLOCK_LEN;
		len -= n_blocks * HF_SM3_BLOCK_LEN;
	}
	if (len > 0)
		memcpy(s->block, p, len);
}

/*
 * Writes the padding behind the tail_len (< 64) bytes that stand in pad already, and returns
 * whether that makes one block or two; 5.1. len is the whole message in bytes.
 */
static size_t put_padding(uint8_t pad[2 * HF_SM3_BLOCK_LEN], size_t tail_len, uint64_t len)
{
	size_t n_blocks = tail_len < HF_SM3_BLOCK_LEN - 8 ? 1 : 2;

	pad[tail_len] = 0x80;
	memset(pad + tail_len + 1, 0, n_blocks * HF_SM3_BLOCK_LEN - 8 - tail_len - 1);
	hf_put_be64(pad + n_blocks * HF_SM3_BLOCK_LEN - 8, len << 3);
	return n_blocks;
}

/* All zero unless the module serves. */
static void put_digest(uint8_t out[HF_SM3_LEN], const uint32_t h[8])
{
	bool is_ready = hf_module_check() == HF_OK;

	for (unsigned i = 0; i < 8; i++)
		hf_put_be32(out + 4 * i, is_ready ? h[i] : 0);
}

void hf_sm3_done(struct hf_sm3 *s, uint8_t out[HF_SM3_LEN])
{
	uint8_t pad[2 * HF_SM3_BLOCK_LEN];
	size_t tail_len = (size_t)(s->len % HF_SM3_BLOCK_LEN);

	if (tail_len > 0)
		memcpy(pad, s->block, tail_len);
	compress(s->h, pad, put_padding(pad, tail_len, s->len));
	put_digest(out, s->h);
	hf_wipe(pad, sizeof(pad));
	hf_wipe(s, sizeof(*s));
}

void hf_sm3(uint8_t out[HF_SM3_LEN], const void *in, size_t len)
{
	struct hf_sm3 s;

	hf_sm3_init(&s);
	hf_sm3_feed(&s, in, len);
	hf_sm3_done(&s, out);
}

/*
 * One full set of lanes. The first block of each message is put together from prefix and data, the
 * blocks in the middle are hashed where they lie, the last ones are copied and padded.
 */
static void lanes_full(uint8_t *out, const uint8_t *const prefix[], size_t prefix_len,
	const uint8_t *const in[], size_t in_len, const struct hf_sm3_kernel *k)
{
	uint8_t first[HF_SM3_LANES_MAX][HF_SM3_BLOCK_LEN];
	uint8_t last[HF_SM3_LANES_MAX][2 * HF_SM3_BLOCK_LEN];
	const uint8_t *at[HF_SM3_LANES_MAX];
	uint32_t h[HF_SM3_LANES_MAX * 8];
	size_t head_len = prefix_len == 0 ? 0 : HF_SM3_BLOCK_LEN - prefix_len;
	size_t n_middle = (in_len - head_len) / HF_SM3_BLOCK_LEN;
	size_t tail_len = (in_len - head_len) % HF_SM3_BLOCK_LEN;
	size_t n_last = 0;

	for (unsigned i = 0; i < k->n_lanes; i++) {
		memcpy(h + 8 * i, sm3_iv, sizeof(sm3_iv));
		if (prefix_len > 0) {
			memcpy(first[i], prefix[i], prefix_len);
			memcpy(first[i] + prefix_len, in[i], head_len);
		}
		at[i] = first[i];
		memcpy(last[i], in[i] + in_len - tail_len, tail_len);
		n_last = put_padding(last[i], tail_len, prefix_len + in_len);
	}
	if (prefix_len > 0)
		k->lanes(h, at, 1);
	for (unsigned i = 0; i < k->n_lanes; i++)
		at[i] = in[i] + head_len;
	if (n_middle > 0)
		k->lanes(h, at, n_middle);
	for (unsigned i = 0; i < k->n_lanes; i++)
		at[i] = last[i];
	k->lanes(h, at, n_last);
	for (unsigned i = 0; i < k->n_lanes; i++)
		put_digest(out + (size_t)HF_SM3_LEN * i, h + 8 * i);
	hf_wipe(first, sizeof(first));
	hf_wipe(last, sizeof(last));
}

void hf_sm3_lanes(uint8_t *out, const uint8_t *const prefix[], size_t prefix_len,
	const uint8_t *const in[], size_t in_len, size_t n)
{
	const struct hf_sm3_kernel *k = hf_module()->sm3;
	size_t i = 0;

	/* Short messages do not fill a block behind their prefix: not worth a path of their own. */
	if (k != NULL && k->n_lanes > 1 && in_len >= HF_SM3_BLOCK_LEN)
		for (; n - i >= k->n_lanes; i += k->n_lanes)
			lanes_full(out + HF_SM3_LEN * i, prefix_len == 0 ? NULL : prefix + i,
				prefix_len, in + i, in_len, k);
	for (; i < n; i++) {
		struct hf_sm3 s;

		hf_sm3_init(&s);
		if (prefix_len > 0)
			hf_sm3_feed(&s, prefix[i], prefix_len);
		hf_sm3_feed(&s, in[i], in_len);
		hf_sm3_done(&s, out + HF_SM3_LEN * i);
	}
}

/* GB/T 32905-2016 A.1 and A.2 */
bool hf_sm3_selftest(void)
{
	static const uint8_t abc[HF_SM3_LEN] = {
		0x66,
		0xc7,
		0xf0,
		0xf4,
		0x62,
		0xee,
		0xed,
		0xd9,
		0xd1,
		0xf2,
		0xd4,
		0x6b,
		0xdc,
		0x10,
		0xe4,
		0xe2,
		0x41,
		0x67,
		0xc4,
		0x87,
		0x5c,
		0xf2,
		0xf7,
		0xa2,
		0x29,
		0x7d,
		0xa0,
		0x2b,
		0x8f,
		0x4b,
		0xa8,
		0xe0,
	};
	static const uint8_t abcd[HF_SM3_LEN] = {
		0xde,
		0xbe,
		0x9f,
		0xf9,
		0x22,
		0x75,
		0xb8,
		0xa1,
		0x38,
		0x60,
		0x48,
		0x89,
		0xc1,
		0x8e,
		0x5a,
		0x4d,
		0x6f,
		0xdb,
		0x70,
		0xe5,
		0x38,
		0x7e,
		0x57,
		0x65,
		0x29,
		0x3d,
		0xcb,
		0xa3,
		0x9c,
		0x0c,
		0x57,
		0x32,
	};
	static const char text[] =
		"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd";
	uint8_t out[HF_SM3_LEN];

	hf_sm3(out, "abc", 3);
	if (memcmp(out, abc, sizeof(out)) != 0)
		return false;
	hf_sm3(out, text, 64);
	return memcmp(out, abcd, sizeof(out)) == 0;
}
