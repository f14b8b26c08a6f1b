/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages in the modes of sm4_modes.h: part blocks, padding, one-shot calls. What a mode does with
 * whole units stands in its own file; a table says which functions those are.
 *
 * In the modes of blocks, part holds input that does not fill a block yet; when decrypting with
 * padding a full block too, since the last one is not known to be the last until the end. In the
 * modes without blocks, part holds key stream of which fill bytes are used; CFB collects in chain,
 * from the front, the ciphertext that will be the next chaining value.
 */
#include "crypto/sm4_modes.h"

#include <stdbool.h>
#include <string.h>

#include "base/checked.h"
#include "base/ct.h"
#include "base/wipe.h"
#include "crypto/fault.h"
#include "crypto/modes/modes.h"
#include "crypto/module.h"
#include "crypto/sm4/sm4_kernel.h"

enum { BLOCK = HF_SM4_BLOCK_LEN };

static hf_err ecb_encrypt(
	const struct hf_sm4_key *k, uint8_t chain[BLOCK], uint8_t *out, const uint8_t *in, size_t n)
{
	(void)chain;
	return hf_sm4_ecb_encrypt(k, out, in, n);
}

static hf_err ecb_decrypt(
	const struct hf_sm4_key *k, uint8_t chain[BLOCK], uint8_t *out, const uint8_t *in, size_t n)
{
	(void)chain;
	return hf_sm4_ecb_decrypt(k, out, in, n);
}

static hf_err ctr(
	const struct hf_sm4_key *k, uint8_t chain[BLOCK], uint8_t *out, const uint8_t *in, size_t n)
{
	return hf_sm4_ctr(k, chain, out, in, n * BLOCK);
}

/* What a mode's unit is: of a block cipher's blocks, of a key stream's blocks, or of bytes. */
enum unit { OF_BLOCKS, OF_STREAM, OF_BYTES };

static const struct mode {
	enum unit unit;
	bool has_iv;
	hf_modes_bulk *run[2]; /* encrypt, decrypt */
} modes[HF_SM4_N_MODES] = {
	[HF_SM4_ECB] = { OF_BLOCKS, false, { ecb_encrypt, ecb_decrypt } },
	[HF_SM4_CBC] = { OF_BLOCKS, true, { hf_sm4_cbc_encrypt, hf_sm4_cbc_decrypt } },
	[HF_SM4_BC] = { OF_BLOCKS, true, { hf_modes_bc_encrypt, hf_modes_bc_decrypt } },
	[HF_SM4_OFBNLF] = { OF_BLOCKS, true, { hf_modes_ofbnlf_encrypt, hf_modes_ofbnlf_decrypt } },
	[HF_SM4_CFB] = { OF_STREAM, true, { hf_modes_cfb_encrypt, hf_modes_cfb_decrypt } },
	[HF_SM4_CFB8] = { OF_BYTES, true, { hf_modes_cfb8_encrypt, hf_modes_cfb8_decrypt } },
	[HF_SM4_CFB1] = { OF_BYTES, true, { hf_modes_cfb1_encrypt, hf_modes_cfb1_decrypt } },
	[HF_SM4_OFB] = { OF_STREAM, true, { hf_modes_ofb, hf_modes_ofb } },
	[HF_SM4_CTR] = { OF_STREAM, true, { ctr, ctr } },
};

static hf_err check_args(enum hf_sm4_mode mode, unsigned how, const uint8_t *iv)
{
	if ((unsigned)mode >= HF_SM4_N_MODES || (how & ~(HF_SM4_DECRYPT | HF_SM4_PADDED)) != 0)
		return HF_ERR_ARG;
	if (modes[mode].has_iv && iv == NULL)
		return HF_ERR_ARG;
	if ((how & HF_SM4_PADDED) != 0 && modes[mode].unit != OF_BLOCKS)
		return HF_ERR_ARG;
	return HF_OK;
}

static hf_err run_blocks(struct hf_sm4_stream *s, uint8_t *out, const uint8_t *in, size_t n)
{
	return modes[s->mode].run[(s->how & HF_SM4_DECRYPT) != 0](s->key, s->chain, out, in, n);
}

/* --- padding --------------------------------------------------------------------------------- */

/* RFC 5652 6.3: as many bytes as are missing, each that number; a whole block if none is. */
static void pad(uint8_t block[BLOCK], size_t fill)
{
	memset(block + fill, (int)(BLOCK - fill), BLOCK - fill);
}

/*
 * How many bytes of the last block are text, 0 to 15. Neither branch nor address depends on the
 * block; only the answer is told. HF_ERR_AUTH: no padding.
 */
static hf_err unpad(size_t *text_len, const uint8_t block[BLOCK])
{
	uint64_t n = block[BLOCK - 1];
	hf_ct_mask good = hf_ct_nonzero(n) & hf_ct_less(n, BLOCK + 1);

	for (size_t i = 0; i < BLOCK; i++) {
		hf_ct_mask is_padding = hf_ct_less(BLOCK - 1 - i, n);

		good &= ~is_padding | hf_ct_same(block[i], n);
	}
	n = hf_ct_pick(good, BLOCK - n, 0);
	if (!hf_ct_declassify(good))
		return HF_ERR_AUTH;
	HF_PUBLISH(n);
	*text_len = (size_t)n;
	return HF_OK;
}

/* --- modes of blocks ------------------------------------------------------------------------- */

/* What feed_blocks() will hold back of total bytes that are there. */
static size_t held_back(const struct hf_sm4_stream *s, size_t total)
{
	size_t rest = total % BLOCK;

	if (rest == 0 && total > 0 && s->how == (HF_SM4_DECRYPT | HF_SM4_PADDED))
		return BLOCK;
	return rest;
}

static hf_err feed_blocks(
	struct hf_sm4_stream *s, uint8_t *out, size_t *out_len, const uint8_t *in, size_t in_len)
{
	size_t keep;
	size_t done = 0;
	size_t n;

	if (in_len > SIZE_MAX - BLOCK)
		return HF_ERR_LIMIT;
	keep = held_back(s, s->fill + in_len);
	n = s->fill + in_len - keep;
	if (n > *out_len)
		return HF_ERR_LIMIT;
	*out_len = n;
	if (n > 0 && s->fill > 0) {
		size_t take = BLOCK - s->fill;

		memcpy(s->part + s->fill, in, take);
		HF_TRY(run_blocks(s, out, s->part, 1));
		in += take;
		in_len -= take;
		s->fill = 0;
		done = BLOCK;
	}
	HF_TRY(run_blocks(s, out + done, in, (n - done) / BLOCK));
	in += n - done;
	in_len -= n - done;
	if (in_len > 0)
		memcpy(s->part + s->fill, in, in_len);
	s->fill = keep;
	return HF_OK;
}

static hf_err done_blocks(struct hf_sm4_stream *s, uint8_t out[BLOCK], size_t *out_len)
{
	if ((s->how & HF_SM4_PADDED) == 0)
		return s->fill == 0 ? HF_OK : HF_ERR_FORMAT;
	if ((s->how & HF_SM4_DECRYPT) == 0) {
		pad(s->part, s->fill);
		*out_len = BLOCK;
		return run_blocks(s, out, s->part, 1);
	}
	if (s->fill != BLOCK) /* no block at all, or a part of one */
		return HF_ERR_FORMAT;
	HF_TRY(run_blocks(s, out, s->part, 1));
	return unpad(out_len, out);
}

/* --- modes without blocks -------------------------------------------------------------------- */

/* The next block of key stream into part. */
static hf_err next_part(struct hf_sm4_stream *s)
{
	memset(s->part, 0, BLOCK);
	if (s->mode != HF_SM4_CFB)
		return run_blocks(s, s->part, s->part, 1);
	hf_module()->sm4->ecb(s->key->rk, s->part, s->chain, 1);
	return HF_OK;
}

/* Bytes of one block; returns how many it took. */
static size_t use_part(struct hf_sm4_stream *s, uint8_t *out, const uint8_t *in, size_t len)
{
	size_t n = BLOCK - s->fill < len ? BLOCK - s->fill : len;

	for (size_t i = 0; i < n; i++, s->fill++) {
		uint8_t x = in[i];

		out[i] = (uint8_t)(x ^ s->part[s->fill]);
		if (s->mode == HF_SM4_CFB)
			s->chain[s->fill] = (s->how & HF_SM4_DECRYPT) != 0 ? x : out[i];
	}
	s->fill %= BLOCK;
	return n;
}

static hf_err feed_stream(struct hf_sm4_stream *s, uint8_t *out, const uint8_t *in, size_t len)
{
	size_t n = s->fill > 0 ? use_part(s, out, in, len) : 0;
	size_t whole = (len - n) / BLOCK;

	if (whole > 0)
		HF_TRY(run_blocks(s, out + n, in + n, whole));
	n += whole * BLOCK;
	if (n < len) {
		HF_TRY(next_part(s));
		(void)use_part(s, out + n, in + n, len - n);
	}
	return HF_OK;
}

/* --- the services ---------------------------------------------------------------------------- */

hf_err hf_sm4_stream_start(struct hf_sm4_stream *s, const struct hf_sm4_key *k,
	enum hf_sm4_mode mode, unsigned how, const uint8_t *iv)
{
	memset(s, 0, sizeof(*s));
	HF_TRY(hf_module_check());
	HF_TRY(check_args(mode, how, iv));
	s->key = k;
	s->mode = mode;
	s->how = how;
	if (modes[mode].has_iv)
		memcpy(s->chain, iv, BLOCK);
	HF_FAULT("sm4-modes", s->chain[0]);
	return HF_OK;
}

hf_err hf_sm4_stream_feed(
	struct hf_sm4_stream *s, uint8_t *out, size_t *out_len, const uint8_t *in, size_t in_len)
{
	HF_TRY(hf_module_check());
	if (s->key == NULL)
		return HF_ERR_STATE;
	if (modes[s->mode].unit == OF_BLOCKS)
		return feed_blocks(s, out, out_len, in, in_len);
	if (in_len > *out_len)
		return HF_ERR_LIMIT;
	*out_len = in_len;
	if (modes[s->mode].unit == OF_BYTES)
		return run_blocks(s, out, in, in_len);
	return feed_stream(s, out, in, in_len);
}

hf_err hf_sm4_stream_done(struct hf_sm4_stream *s, uint8_t out[BLOCK], size_t *out_len)
{
	uint8_t last[BLOCK] = { 0 };
	size_t n = 0;
	hf_err e = hf_module_check();

	if (e == HF_OK && s->key == NULL)
		e = HF_ERR_STATE;
	if (e == HF_OK && modes[s->mode].unit == OF_BLOCKS)
		e = done_blocks(s, last, &n);
	if (e == HF_OK)
		memcpy(out, last, n);
	*out_len = e == HF_OK ? n : 0;
	hf_wipe(last, sizeof(last));
	hf_sm4_stream_end(s);
	return e;
}

void hf_sm4_stream_end(struct hf_sm4_stream *s)
{
	hf_wipe(s, sizeof(*s));
}

/* The room that is asked of the caller. HF_ERR_FORMAT: no message has this length. */
static hf_err room_needed(size_t *room, enum hf_sm4_mode mode, unsigned how, size_t in_len)
{
	*room = in_len;
	if (modes[mode].unit != OF_BLOCKS)
		return HF_OK;
	if (how == (HF_SM4_ENCRYPT | HF_SM4_PADDED))
		return hf_add_size(room, in_len, BLOCK - in_len % BLOCK);
	if (in_len % BLOCK != 0 || (how == (HF_SM4_DECRYPT | HF_SM4_PADDED) && in_len == 0))
		return HF_ERR_FORMAT;
	return HF_OK;
}

/*
 * All blocks but the one with the padding go from in to out at once, so out may be in; the stream
 * then has only that one.
 */
static hf_err crypt_raw(struct hf_sm4_stream *s, uint8_t *out, size_t *out_len, struct hf_bytes in)
{
	size_t keep = modes[s->mode].unit == OF_BLOCKS ? held_back(s, in.len) : 0;
	size_t n = in.len - keep;
	uint8_t last[BLOCK] = { 0 };
	size_t last_len = 0;
	hf_err e;

	if (keep > 0)
		memcpy(s->part, in.p + n, keep); /* before out may overwrite it */
	if (modes[s->mode].unit == OF_STREAM)
		e = feed_stream(s, out, in.p, n);
	else
		e = run_blocks(s, out, in.p, modes[s->mode].unit == OF_BYTES ? n : n / BLOCK);
	s->fill = keep;
	if (e == HF_OK)
		e = hf_sm4_stream_done(s, last, &last_len);
	if (e == HF_OK)
		memcpy(out + n, last, last_len);
	else
		hf_wipe(out, n);
	*out_len = e == HF_OK ? n + last_len : 0;
	hf_wipe(last, sizeof(last));
	return e;
}

hf_err hf_sm4_crypt(const struct hf_sm4_key *k, enum hf_sm4_mode mode, unsigned how,
	const uint8_t *iv, uint8_t *out, size_t *out_len, struct hf_bytes in)
{
	struct hf_sm4_stream s;
	size_t room = 0;
	hf_err e = hf_sm4_stream_start(&s, k, mode, how, iv);

	if (e == HF_OK)
		e = room_needed(&room, mode, how, in.len);
	if (e == HF_OK && room > *out_len)
		e = HF_ERR_LIMIT;
	if (e == HF_OK)
		e = crypt_raw(&s, out, out_len, in);
	hf_sm4_stream_end(&s);
	return e;
}
