/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu crypto sm4-gcm and sm4-ccm. The output of encryption is the nonce (unless --iv gave it), the
 * ciphertext, the tag. Plaintext is not seen before the tag has been checked: in a file it gets its
 * name then, to standard output it is held back until then.
 */
#include <string.h>

#include "base/wipe.h"
#include "cmd_crypto.h"
#include "crypto/ccm.h"
#include "crypto/gcm.h"
#include "crypto_io.h"
#include "crypto_keys.h"
#include "os/file.h"
#include "os/heap.h"

enum {
	AAD_MAX = 64 << 20, /* bytes */
	AAD_HEX_MAX = 4096, /* bytes on the command line */
	NONCE_MAX = 64,
};

const struct hufu_opt hufu_opts_crypto_aead[] = {
	HUFU_OPTS_KEY,
	{ "iv", "HEX", "the nonce, not kept with the text (12 fresh bytes, in front of it)" },
	{ "aad", "HEX", "additional data, authenticated and not kept with the text" },
	{ "aad-file", "FILE", "the same from a file" },
	{ "tag-len", "BYTES", "of the tag at the end, 12 to 16; CCM 8 to 16, even (16)" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

/* What a command line says about a message. */
struct message {
	bool decrypts;
	uint8_t nonce[NONCE_MAX];
	size_t nonce_len;
	size_t tag_len;
	struct hf_buf aad;
};

static hf_err get_aad(const struct hufu_args *a, struct hf_buf *aad, struct hf_errinfo *ei)
{
	uint8_t *room = NULL;
	size_t n = 0;

	if (hufu_has(a, "aad") && hufu_has(a, "aad-file"))
		return hf_fail(ei, HF_ERR_ARG, "either --aad or --aad-file");
	if (hufu_has(a, "aad-file"))
		return hf_file_load_input(aad, hufu_arg(a, "aad-file"), ei);
	if (!hufu_has(a, "aad"))
		return HF_OK;
	HF_TRY(hf_buf_room(aad, &room, AAD_HEX_MAX));
	HF_TRY(hufu_hex_get(a, "aad", room, 0, AAD_HEX_MAX, &n, ei));
	aad->len = n;
	return HF_OK;
}

/* --iv, or the nonce in front, or a fresh one that goes there. */
static hf_err get_nonce(struct hufu_job *j, struct message *m, struct hf_errinfo *ei)
{
	size_t n = 0;

	if (m->nonce_len > 0)
		return HF_OK;
	m->nonce_len = HF_GCM_NONCE_LEN;
	if (!m->decrypts) {
		HF_TRY(hf_rng_fill(&j->env.rng, m->nonce, m->nonce_len));
		return hufu_out_write(&j->out, m->nonce, m->nonce_len, ei);
	}
	HF_TRY(hufu_job_read(j, m->nonce, m->nonce_len, &n, ei));
	if (n < m->nonce_len)
		return hf_fail(ei, HF_ERR_TRUNCATED,
			"%s: ends within the nonce that stands in front; is --iv missing?",
			j->in.name);
	return HF_OK;
}

static hf_err wrong_tag(const struct hufu_job *j, struct hf_errinfo *ei)
{
	return hf_fail(ei, HF_ERR_AUTH,
		"%s: wrong key, nonce or additional data, or the text was altered; nothing was "
		"written",
		j->in.name);
}

static hf_err cut_tag(const struct hufu_job *j, struct hf_errinfo *ei)
{
	return hf_fail(ei, HF_ERR_TRUNCATED, "%s: too short to hold a tag; it was cut", j->in.name);
}

/* --- GCM, in pieces -------------------------------------------------------------------------- */

static hf_err gcm_encrypt(
	struct hufu_job *j, struct hf_gcm *g, const struct message *m, struct hf_errinfo *ei)
{
	uint8_t tag[HF_GCM_TAG_LEN];
	size_t got = HUFU_PIECE;

	while (got == HUFU_PIECE) {
		HF_TRY(hufu_job_read(j, j->piece, HUFU_PIECE, &got, ei));
		HF_TRY(hf_gcm_encrypt(g, j->made, j->piece, got));
		HF_TRY(hufu_out_write(&j->out, j->made, got, ei));
	}
	HF_TRY(hf_gcm_tag(g, tag, m->tag_len));
	return hufu_out_write(&j->out, tag, m->tag_len, ei);
}

/* The last tag_len bytes that were read are kept back: they may be the tag. */
static hf_err gcm_decrypt(
	struct hufu_job *j, struct hf_gcm *g, const struct message *m, struct hf_errinfo *ei)
{
	size_t kept = 0;
	size_t got = 1;
	size_t n;
	hf_err e;

	while (got > 0) {
		HF_TRY(hufu_job_read(j, j->piece + kept, HUFU_PIECE - kept, &got, ei));
		n = kept + got > m->tag_len ? kept + got - m->tag_len : 0;
		HF_TRY(hf_gcm_decrypt(g, j->made, j->piece, n));
		HF_TRY(hufu_out_write(&j->out, j->made, n, ei));
		kept = kept + got - n;
		memmove(j->piece, j->piece + n, kept);
	}
	if (kept < m->tag_len)
		return cut_tag(j, ei);
	e = hf_gcm_verify(g, j->piece, m->tag_len);
	return e == HF_ERR_AUTH ? wrong_tag(j, ei) : e;
}

static hf_err work_gcm(
	struct hufu_job *j, const uint8_t *raw, struct message *m, struct hf_errinfo *ei)
{
	struct hf_gcm_key k;
	struct hf_gcm g;
	hf_err e;

	HF_TRY(get_nonce(j, m, ei));
	HF_TRY(hf_gcm_init(&k, raw));
	e = hf_gcm_start(&g, &k, m->nonce, m->nonce_len);
	if (e == HF_OK)
		e = hf_gcm_aad(&g, m->aad.p, m->aad.len);
	if (e == HF_OK)
		e = (m->decrypts ? gcm_decrypt : gcm_encrypt)(j, &g, m, ei);
	if (e == HF_ERR_LIMIT)
		(void)hf_fail(ei, e, "%s: longer than the 64 GiB that GCM allows", j->in.name);
	hf_gcm_end(&g);
	hf_gcm_clear(&k);
	return e;
}

/* --- CCM, as a whole: its first block holds the length --------------------------------------- */

static hf_err ccm_whole(struct hufu_job *j, const struct hf_sm4_key *k, const struct message *m,
	struct hf_buf *b, struct hf_errinfo *ei)
{
	struct hf_aead a = { m->nonce, m->nonce_len, m->aad.p, m->aad.len, b->p, b->len, b->p, NULL,
		m->tag_len };
	uint8_t tag[HF_GCM_TAG_LEN];
	hf_err e;

	a.tag = tag;
	if (!m->decrypts) {
		HF_TRY(hf_ccm_seal(k, &a));
		HF_TRY(hufu_out_write(&j->out, b->p, b->len, ei));
		return hufu_out_write(&j->out, tag, m->tag_len, ei);
	}
	if (b->len < m->tag_len)
		return cut_tag(j, ei);
	a.in_len -= m->tag_len;
	memcpy(tag, b->p + a.in_len, m->tag_len);
	e = hf_ccm_open(k, &a);
	if (e == HF_ERR_AUTH)
		return wrong_tag(j, ei);
	return e == HF_OK ? hufu_out_write(&j->out, b->p, a.in_len, ei) : e;
}

static hf_err work_ccm(
	struct hufu_job *j, const uint8_t *raw, struct message *m, struct hf_errinfo *ei)
{
	struct hf_sm4_key k;
	struct hf_buf b;
	hf_err e;

	hf_buf_init(&b, hf_os_mem(), HUFU_HELD_MAX);
	hf_sm4_init(&k, raw);
	e = get_nonce(j, m, ei);
	if (e == HF_OK)
		e = hufu_in_load(&j->in, &b, ei);
	if (e == HF_OK)
		e = ccm_whole(j, &k, m, &b, ei);
	hf_sm4_clear(&k);
	hf_buf_clear(&b);
	return e;
}

/* --- both ------------------------------------------------------------------------------------ */

static hf_err read_options(
	const struct hufu_args *a, bool is_ccm, struct message *m, struct hf_errinfo *ei)
{
	uint64_t tag_len = 0;

	HF_TRY(hufu_crypto_way(a, &m->decrypts, ei));
	HF_TRY(hufu_arg_u64(
		a, "tag-len", HF_GCM_TAG_LEN, is_ccm ? 8 : 12, HF_GCM_TAG_LEN, &tag_len, ei));
	if (is_ccm && tag_len % 2 != 0)
		return hf_fail(ei, HF_ERR_ARG, "--tag-len: CCM has even lengths only");
	m->tag_len = (size_t)tag_len;
	HF_TRY(hufu_hex_get(
		a, "iv", m->nonce, is_ccm ? 7 : 1, is_ccm ? 13 : NONCE_MAX, &m->nonce_len, ei));
	return get_aad(a, &m->aad, ei);
}

static int run(const struct hufu_args *a, bool is_ccm, struct hf_errinfo *ei)
{
	uint8_t key[HF_SM4_KEY_LEN] = { 0 };
	struct message m = { .decrypts = false };
	struct hufu_job j;
	hf_err e;

	hf_buf_init(&m.aad, hf_os_mem(), AAD_MAX);
	e = read_options(a, is_ccm, &m, ei);
	if (e == HF_OK)
		e = hufu_key_get(a, key, sizeof(key), ei);
	if (e != HF_OK)
		goto out;
	e = hufu_job_begin(&j, a, a->n_args > 1 ? a->arg[1] : NULL,
		m.decrypts ? HUFU_OUT_SECRET | HUFU_OUT_HELD : 0, ei);
	if (e == HF_OK)
		e = (is_ccm ? work_ccm : work_gcm)(&j, key, &m, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&j.out, ei);
	hufu_job_end(&j);
out:
	hf_wipe(key, sizeof(key));
	hf_buf_clear(&m.aad);
	return hufu_exit(e, ei);
}

int hufu_run_crypto_gcm(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return run(a, false, ei);
}

int hufu_run_crypto_ccm(const struct hufu_args *a, struct hf_errinfo *ei)
{
	return run(a, true, ei);
}
