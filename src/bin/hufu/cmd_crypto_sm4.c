/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu crypto sm4-MODE for the modes that do not authenticate. Without --iv a fresh one is drawn
 * and stands in front of the ciphertext, where decryption finds it; with --iv the output is that of
 * openssl enc -K -iv.
 */
#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "cmd_crypto.h"
#include "crypto/hctr.h"
#include "crypto/sm4_modes.h"
#include "crypto/xts.h"
#include "crypto_io.h"
#include "crypto_keys.h"
#include "os/heap.h"

enum { BLOCK = HF_SM4_BLOCK_LEN };

#define OPT_IV \
	{ \
		"iv", "HEX", "16 bytes, not kept with the text (fresh ones, in front of it)" \
	}

const struct hufu_opt hufu_opts_crypto_blocks[] = {
	HUFU_OPTS_KEY,
	OPT_IV,
	{ "no-padding", NULL, "the text is of whole blocks and stays so" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_stream[] = {
	HUFU_OPTS_KEY,
	OPT_IV,
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_xts[] = {
	HUFU_OPTS_KEY,
	OPT_IV,
	{ "unit-size", "BYTES", "cut into data units of this size, 16 to 262144, numbered from 0" },
	{ "first-unit", "N", "number of the first of them (0)" },
	{ "order", "gb|ieee", "order of the bits of the tweak (gb)" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

hf_err hufu_crypto_way(const struct hufu_args *a, bool *decrypts, struct hf_errinfo *ei)
{
	*decrypts = strcmp(a->arg[0], "decrypt") == 0;
	if (!*decrypts && strcmp(a->arg[0], "encrypt") != 0)
		return hf_fail(ei, HF_ERR_ARG, "'%.40s' is neither encrypt nor decrypt", a->arg[0]);
	return HF_OK;
}

/* The IV: --iv, or what stands in front, or a fresh one that goes there. */
static hf_err get_iv(struct hufu_job *j, bool decrypts, uint8_t iv[BLOCK], struct hf_errinfo *ei)
{
	size_t n = 0;

	HF_TRY(hufu_hex_get(j->a, "iv", iv, BLOCK, BLOCK, &n, ei));
	if (n > 0)
		return HF_OK;
	if (!decrypts) {
		HF_TRY(hf_rng_fill(&j->env.rng, iv, BLOCK));
		return hufu_out_write(&j->out, iv, BLOCK, ei);
	}
	HF_TRY(hufu_job_read(j, iv, BLOCK, &n, ei));
	if (n < BLOCK)
		return hf_fail(ei, HF_ERR_TRUNCATED,
			"%s: ends within the IV that stands in front; is --iv missing?",
			j->in.name);
	return HF_OK;
}

static hf_err explain(const struct hufu_job *j, hf_err e, bool decrypts, struct hf_errinfo *ei)
{
	if (e == HF_ERR_AUTH)
		return hf_fail(ei, e, "%s: wrong key or IV, or the text was altered", j->in.name);
	if (e == HF_ERR_FORMAT)
		return hf_fail(ei, decrypts ? HF_ERR_TRUNCATED : e,
			"%s: is not of whole blocks of %d bytes%s", j->in.name, BLOCK,
			decrypts ? "; it was cut short" : "; leave --no-padding away");
	return e;
}

/* --- modes of a stream ----------------------------------------------------------------------- */

static hf_err pump(
	struct hufu_job *j, struct hf_sm4_stream *s, bool decrypts, struct hf_errinfo *ei)
{
	size_t got = HUFU_PIECE;
	size_t n;
	hf_err e;

	while (got == HUFU_PIECE) {
		HF_TRY(hufu_job_read(j, j->piece, HUFU_PIECE, &got, ei));
		n = HUFU_PIECE + HUFU_MADE_MORE;
		HF_TRY(hf_sm4_stream_feed(s, j->made, &n, j->piece, got));
		HF_TRY(hufu_out_write(&j->out, j->made, n, ei));
	}
	e = hf_sm4_stream_done(s, j->made, &n);
	if (e != HF_OK)
		return explain(j, e, decrypts, ei);
	return hufu_out_write(&j->out, j->made, n, ei);
}

/* The mode that the command is named after. */
static enum hf_sm4_mode mode_of(const struct hufu_args *a)
{
	static const char *const names[HF_SM4_N_MODES] = {
		[HF_SM4_ECB] = "crypto sm4-ecb",
		[HF_SM4_CBC] = "crypto sm4-cbc",
		[HF_SM4_BC] = "crypto sm4-bc",
		[HF_SM4_OFBNLF] = "crypto sm4-ofbnlf",
		[HF_SM4_CFB] = "crypto sm4-cfb",
		[HF_SM4_CFB8] = "crypto sm4-cfb8",
		[HF_SM4_CFB1] = "crypto sm4-cfb1",
		[HF_SM4_OFB] = "crypto sm4-ofb",
		[HF_SM4_CTR] = "crypto sm4-ctr",
	};
	int mode = HF_SM4_N_MODES - 1;

	while (mode > 0 && strcmp(a->cmd->name, names[mode]) != 0)
		mode--;
	return (enum hf_sm4_mode)mode;
}

static hf_err run_mode(struct hufu_job *j, const struct hf_sm4_key *k, enum hf_sm4_mode mode,
	bool decrypts, struct hf_errinfo *ei)
{
	bool has_blocks = mode <= HF_SM4_OFBNLF;
	unsigned how = decrypts ? HF_SM4_DECRYPT : HF_SM4_ENCRYPT;
	struct hf_sm4_stream s;
	uint8_t iv[BLOCK] = { 0 };
	hf_err e;

	if (has_blocks && !hufu_has(j->a, "no-padding"))
		how |= HF_SM4_PADDED;
	if (mode != HF_SM4_ECB)
		HF_TRY(get_iv(j, decrypts, iv, ei));
	else if (hufu_has(j->a, "iv"))
		return hf_fail(ei, HF_ERR_ARG, "--iv: ECB has none");
	e = hf_sm4_stream_start(&s, k, mode, how, iv);
	if (e == HF_OK)
		e = pump(j, &s, decrypts, ei);
	hf_sm4_stream_end(&s);
	return e;
}

/* What is common to all: the key first, so that nothing is opened in vain; then the work. */
static int run(const struct hufu_args *a, size_t key_len, struct hf_errinfo *ei,
	hf_err (*work)(
		struct hufu_job *j, const uint8_t *key, bool decrypts, struct hf_errinfo *ei))
{
	uint8_t key[HF_XTS_KEY_LEN] = { 0 };
	struct hufu_job j;
	bool decrypts = false;
	hf_err e = hufu_crypto_way(a, &decrypts, ei);

	if (e == HF_OK)
		e = hufu_key_get(a, key, key_len, ei);
	if (e != HF_OK)
		goto out;
	e = hufu_job_begin(
		&j, a, a->n_args > 1 ? a->arg[1] : NULL, decrypts ? HUFU_OUT_SECRET : 0, ei);
	if (e == HF_OK)
		e = work(&j, key, decrypts, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&j.out, ei);
	hufu_job_end(&j);
out:
	hf_wipe(key, sizeof(key));
	return hufu_exit(e, ei);
}

static hf_err work_mode(
	struct hufu_job *j, const uint8_t *key, bool decrypts, struct hf_errinfo *ei)
{
	struct hf_sm4_key k;
	hf_err e;

	hf_sm4_init(&k, key);
	e = run_mode(j, &k, mode_of(j->a), decrypts, ei);
	hf_sm4_clear(&k);
	return e;
}

int hufu_run_crypto_mode(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return run(a, HF_SM4_KEY_LEN, ei, work_mode);
}

/* --- XTS ------------------------------------------------------------------------------------- */

static hf_err one_unit(const struct hf_xts_key *k, const uint8_t tweak[HF_XTS_TWEAK_LEN],
	uint8_t *p, size_t len, bool decrypts)
{
	return (decrypts ? hf_xts_decrypt : hf_xts_encrypt)(k, tweak, p, p, len);
}

/* The whole input is one unit. */
static hf_err run_unit(
	struct hufu_job *j, const struct hf_xts_key *k, bool decrypts, struct hf_errinfo *ei)
{
	uint8_t tweak[HF_XTS_TWEAK_LEN];
	struct hf_buf b;
	hf_err e;

	hf_buf_init(&b, hf_os_mem(), HF_XTS_UNIT_MAX);
	e = get_iv(j, decrypts, tweak, ei);
	if (e == HF_OK)
		e = hufu_in_load(&j->in, &b, ei);
	if (e == HF_OK)
		e = one_unit(k, tweak, b.p, b.len, decrypts);
	if (e == HF_ERR_ARG)
		e = hf_fail(ei, HF_ERR_FORMAT, "%s: XTS needs at least one block, %d bytes",
			j->in.name, HF_XTS_UNIT_MIN);
	if (e == HF_OK)
		e = hufu_out_write(&j->out, b.p, b.len, ei);
	hf_buf_clear(&b);
	return e;
}

/* Units of one size, the last one perhaps shorter, but not shorter than a block. */
static hf_err run_units(struct hufu_job *j, const struct hf_xts_key *k, size_t size, uint64_t first,
	bool decrypts, struct hf_errinfo *ei)
{
	size_t cap = HUFU_PIECE - HUFU_PIECE % size;
	uint8_t tweak[HF_XTS_TWEAK_LEN];
	size_t got = cap;

	while (got == cap) {
		HF_TRY(hufu_job_read(j, j->piece, cap, &got, ei));
		for (size_t at = 0; at < got; at += size, first++) {
			size_t n = got - at < size ? got - at : size;

			if (n < HF_XTS_UNIT_MIN)
				return hf_fail(ei, HF_ERR_FORMAT,
					"%s: the last unit would be of %zu bytes, at least %d are "
					"needed",
					j->in.name, n, HF_XTS_UNIT_MIN);
			hf_xts_unit(tweak, first);
			HF_TRY(one_unit(k, tweak, j->piece + at, n, decrypts));
		}
		HF_TRY(hufu_out_write(&j->out, j->piece, got, ei));
	}
	return HF_OK;
}

static hf_err work_xts(struct hufu_job *j, const uint8_t *key, bool decrypts, struct hf_errinfo *ei)
{
	const char *order = hufu_has(j->a, "order") ? hufu_arg(j->a, "order") : "gb";
	struct hf_xts_key k;
	uint64_t size = 0;
	uint64_t first = 0;
	hf_err e;

	if (strcmp(order, "gb") != 0 && strcmp(order, "ieee") != 0)
		return hf_fail(ei, HF_ERR_ARG, "--order: '%.40s' is neither gb nor ieee", order);
	HF_TRY(hufu_arg_u64(j->a, "unit-size", 0, HF_XTS_UNIT_MIN, HUFU_PIECE, &size, ei));
	HF_TRY(hufu_arg_u64(j->a, "first-unit", 0, 0, UINT64_MAX, &first, ei));
	if (size > 0 && hufu_has(j->a, "iv"))
		return hf_fail(ei, HF_ERR_ARG, "--iv: the number of a unit is its tweak");
	if (hf_ct_eq(key, key + HF_SM4_KEY_LEN, HF_SM4_KEY_LEN))
		return hf_fail(ei, HF_ERR_FORMAT, "the two halves of an XTS key must differ");
	hf_xts_init(&k, key, strcmp(order, "gb") == 0 ? HF_XTS_GB : HF_XTS_IEEE);
	e = size > 0 ? run_units(j, &k, (size_t)size, first, decrypts, ei)
		     : run_unit(j, &k, decrypts, ei);
	hf_xts_clear(&k);
	return e;
}

int hufu_run_crypto_xts(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return run(a, HF_XTS_KEY_LEN, ei, work_xts);
}

/* --- HCTR ------------------------------------------------------------------------------------ */

static hf_err work_hctr(
	struct hufu_job *j, const uint8_t *key, bool decrypts, struct hf_errinfo *ei)
{
	uint8_t tweak[HF_HCTR_TWEAK_LEN];
	struct hf_hctr_key k;
	struct hf_buf b;
	hf_err e;

	HF_TRY(hf_hctr_init(&k, key, key + HF_SM4_KEY_LEN));
	hf_buf_init(&b, hf_os_mem(), HUFU_HELD_MAX);
	e = get_iv(j, decrypts, tweak, ei);
	if (e == HF_OK)
		e = hufu_in_load(&j->in, &b, ei);
	if (e == HF_OK)
		e = (decrypts ? hf_hctr_decrypt : hf_hctr_encrypt)(&k, tweak, b.p, b.p, b.len);
	if (e == HF_ERR_ARG)
		e = hf_fail(ei, HF_ERR_FORMAT, "%s: HCTR needs at least one block, %d bytes",
			j->in.name, HF_HCTR_MESSAGE_MIN);
	if (e == HF_OK)
		e = hufu_out_write(&j->out, b.p, b.len, ei);
	hf_buf_clear(&b);
	hf_hctr_clear(&k);
	return e;
}

int hufu_run_crypto_hctr(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return run(a, 2 * HF_SM4_KEY_LEN, ei, work_hctr);
}
