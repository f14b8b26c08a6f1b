/* SPDX-License-Identifier: Apache-2.0 */
/* SM3 over any number of bytes: padding, splitting, lanes. The kernels do the compression. */
#include "crypto/sm3.h"

#include <stdbool.h>
#include <string.h>

#include "base/endian.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/module.h"
#include "crypto/selftest.h"
#include "crypto/sm3/sm3_kernel.h"

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

size_t hf_sm3_pad(uint8_t pad[2 * HF_SM3_BLOCK_LEN], size_t tail_len, uint64_t len)
{
	size_t n_blocks = tail_len < HF_SM3_BLOCK_LEN - 8 ? 1 : 2;

	pad[tail_len] = 0x80;
	memset(pad + tail_len + 1, 0, n_blocks * HF_SM3_BLOCK_LEN - 8 - tail_len - 1);
	hf_put_be64(pad + n_blocks * HF_SM3_BLOCK_LEN - 8, len << 3);
	return n_blocks;
}

void hf_sm3_emit(uint8_t out[HF_SM3_LEN], const uint32_t h[8])
{
	bool is_ready = hf_module_check() == HF_OK;

	for (unsigned i = 0; i < 8; i++)
		hf_put_be32(out + 4 * i, is_ready ? h[i] : 0);
	HF_FAULT("sm3", out[0]);
}

void hf_sm3_done(struct hf_sm3 *s, uint8_t out[HF_SM3_LEN])
{
	size_t at = (size_t)(s->len % HF_SM3_BLOCK_LEN);

	s->block[at++] = 0x80;
	if (at > HF_SM3_BLOCK_LEN - 8) {
		memset(s->block + at, 0, HF_SM3_BLOCK_LEN - at);
		compress(s->h, s->block, 1);
		at = 0;
	}
	memset(s->block + at, 0, HF_SM3_BLOCK_LEN - 8 - at);
	hf_put_be64(s->block + HF_SM3_BLOCK_LEN - 8, s->len << 3);
	compress(s->h, s->block, 1);
	hf_sm3_emit(out, s->h);
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
 * How messages of one length are cut: a first block that the prefix shares with the data, blocks
 * that are hashed where they lie, and what is left, padded. Without a prefix, or when all of it
 * does not fill a block, there is no such first block.
 */
struct cut {
	size_t prefix_len;
	size_t head_len; /* bytes of the data in the first block */
	size_t n_middle; /* blocks in their place */
	size_t tail_len; /* bytes of the data behind them */
	size_t total_len;
	bool has_first;
};

static struct cut cut_of(size_t prefix_len, size_t in_len)
{
	struct cut c = { .prefix_len = prefix_len, .total_len = prefix_len + in_len };

	c.has_first = prefix_len > 0 && c.total_len >= HF_SM3_BLOCK_LEN;
	c.head_len = c.has_first ? HF_SM3_BLOCK_LEN - prefix_len : 0;
	c.n_middle = (in_len - c.head_len) / HF_SM3_BLOCK_LEN;
	c.tail_len = (in_len - c.head_len) % HF_SM3_BLOCK_LEN;
	return c;
}

static size_t append(uint8_t *block, size_t at, const uint8_t *p, size_t len)
{
	if (len > 0)
		memcpy(block + at, p, len);
	return at + len;
}

/* n states over blocks that begin skip bytes behind p[i]. */
static void compress_lanes(
	uint32_t *h, const uint8_t *const p[], size_t skip, size_t n, size_t n_blocks)
{
	const uint8_t *from[HF_SM3_LANES_MAX];

	if (hf_module()->sm3 == NULL || n_blocks == 0)
		return;
	for (size_t i = 0; i < n; i++)
		from[i] = p[i] + skip;
	hf_module()->sm3->lanes(h, from, n, n_blocks);
}

void hf_sm3_lanes(uint8_t *out, const uint8_t *const prefix[], size_t prefix_len,
	const uint8_t *const in[], size_t in_len, size_t n)
{
	const struct cut c = cut_of(prefix_len, in_len);
	uint8_t edge[HF_SM3_LANES_MAX][2 * HF_SM3_BLOCK_LEN];
	const uint8_t *edges[HF_SM3_LANES_MAX] = { NULL };
	uint32_t h[HF_SM3_LANES_MAX * 8];
	size_t n_last = 0;

	for (size_t i = 0; i < n; i++) {
		memcpy(h + 8 * i, sm3_iv, sizeof(sm3_iv));
		edges[i] = edge[i];
		if (c.has_first)
			(void)append(edge[i], append(edge[i], 0, prefix[i], prefix_len), in[i],
				c.head_len);
	}
	compress_lanes(h, edges, 0, n, c.has_first ? 1 : 0);
	compress_lanes(h, in, c.head_len, n, c.n_middle);
	for (size_t i = 0; i < n; i++) {
		size_t at = 0;

		if (!c.has_first && prefix_len > 0)
			at = append(edge[i], 0, prefix[i], prefix_len);
		at = append(edge[i], at, in[i] + in_len - c.tail_len, c.tail_len);
		n_last = hf_sm3_pad(edge[i], at, c.total_len);
	}
	compress_lanes(h, edges, 0, n, n_last);
	for (size_t i = 0; i < n; i++)
		hf_sm3_emit(out + HF_SM3_LEN * i, h + 8 * i);
	hf_wipe(edge, n * sizeof(edge[0]));
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
