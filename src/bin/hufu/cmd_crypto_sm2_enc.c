/* SPDX-License-Identifier: Apache-2.0 */
/* hufu crypto sm2 encrypt, decrypt and exchange: what carries or makes secrets. */
#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "cmd_crypto.h"
#include "crypto/sm4.h"
#include "crypto_io.h"
#include "crypto_keys.h"
#include "os/file.h"
#include "os/heap.h"

enum {
	DER_MORE = 32,       /* bytes that DER adds to the raw form, at most */
	FIRST_POINT = 4,     /* first byte of the raw form: a point, uncompressed */
	FIRST_SEQUENCE = 48, /* first byte of DER */
	KEY_LEN_MAX = 4096,  /* bytes of an exchanged key */
};

const struct hufu_opt hufu_opts_crypto_sm2_encrypt[] = {
	{ "key", "FILE", "the public key, or a certificate (required)" },
	{ "raw", NULL, "C1 C3 C2, C1 with its first byte 04, in place of DER" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_sm2_decrypt[] = {
	{ "key", "FILE", "the private key (required)" },
	HUFU_OPTS_PASSPHRASE,
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_exchange[] = {
	{ "initiator", NULL, "this side is A of the standard (one of the two is required)" },
	{ "responder", NULL, "this side is B" },
	{ "key", "FILE", "own private key (required)" },
	HUFU_OPTS_PASSPHRASE,
	{ "ephemeral", "FILE", "own private key made for this exchange alone (required)" },
	{ "peer", "FILE", "public key or certificate of the other side (required)" },
	{ "peer-ephemeral", "FILE", "its public key for this exchange alone (required)" },
	{ "id", "TEXT", "own ID (1234567812345678)" },
	{ "peer-id", "TEXT", "ID of the other side (1234567812345678)" },
	{ "key-len", "BYTES", "length of the shared key (16)" },
	{ "confirm-out", "FILE", "where to write what proves the key to the other side" },
	{ "confirm", "FILE", "what the other side wrote there; without a match no key" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

static hf_err encrypt(struct hufu_job *j, const struct hf_sm2_pub *pub, const struct hf_buf *in,
	struct hf_errinfo *ei)
{
	struct hf_buf b;
	uint8_t *raw = NULL;
	uint8_t *der = NULL;
	size_t raw_len = in->len + HF_SM2_CIPHER_OVERHEAD;
	size_t der_len = raw_len + DER_MORE;
	hf_err e;

	if (in->len == 0)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: is empty; SM2 encrypts 1 to %d bytes",
			j->in.name, HF_SM2_PLAIN_MAX);
	hf_buf_init(&b, hf_os_mem(), SIZE_MAX);
	e = hf_buf_room(&b, &raw, 1 + raw_len + der_len);
	if (e == HF_OK) {
		der = raw + 1 + raw_len;
		raw[0] = FIRST_POINT;
		e = hf_sm2_encrypt(raw + 1, pub, in->p, in->len, &j->env.rng);
	}
	if (e == HF_OK && !hufu_has(j->a, "raw"))
		e = hf_sm2_cipher_emit_der(der, &der_len, raw + 1, raw_len);
	if (e == HF_OK)
		e = hufu_has(j->a, "raw") ? hufu_out_write(&j->out, raw, 1 + raw_len, ei)
					  : hufu_out_write(&j->out, der, der_len, ei);
	hf_buf_clear(&b);
	return e;
}

int hufu_run_crypto_sm2_encrypt(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_sm2_pub pub;
	struct hufu_job j;
	struct hf_buf in;
	hf_err e = hufu_public_get(a, "key", &pub, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	hf_buf_init(&in, hf_os_mem(), HF_SM2_PLAIN_MAX);
	e = hufu_job_begin(&j, a, a->n_args == 0 ? NULL : a->arg[0], 0, ei);
	if (e == HF_OK)
		e = hufu_in_load(&j.in, &in, ei);
	if (e == HF_OK)
		e = encrypt(&j, &pub, &in, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&j.out, ei);
	hufu_job_end(&j);
	hf_buf_clear(&in);
	return hufu_exit(e, ei);
}

/* Either form to C1 C3 C2 without the first byte, in place. */
static hf_err to_raw(struct hf_buf *b, size_t *raw_len, const char *name, struct hf_errinfo *ei)
{
	struct hf_buf raw;
	uint8_t *room = NULL;
	hf_err e;

	if (b->len > 0 && b->p[0] == FIRST_POINT) {
		hf_buf_drop(b, 1);
		*raw_len = b->len;
		return HF_OK;
	}
	if (b->len == 0 || b->p[0] != FIRST_SEQUENCE)
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s: is no SM2 ciphertext: neither DER nor C1 C3 C2 that begins with 04",
			name);
	*raw_len = b->len + DER_MORE;
	hf_buf_init(&raw, hf_os_mem(), SIZE_MAX);
	e = hf_buf_room(&raw, &room, *raw_len);
	if (e == HF_OK)
		e = hf_sm2_cipher_parse_der(room, raw_len, b->p, b->len);
	if (e == HF_OK) {
		hf_buf_reset(b);
		e = hf_buf_put(b, room, *raw_len);
	}
	hf_buf_clear(&raw);
	return e == HF_OK ? e : hf_fail(ei, e, "%s: is not a whole SM2 ciphertext in DER", name);
}

static hf_err decrypt(
	struct hufu_job *j, const struct hf_sm2_key *key, struct hf_buf *in, struct hf_errinfo *ei)
{
	struct hf_buf out;
	uint8_t *room = NULL;
	size_t raw_len = 0;
	hf_err e;

	HF_TRY(to_raw(in, &raw_len, j->in.name, ei));
	if (raw_len <= HF_SM2_CIPHER_OVERHEAD)
		return hf_fail(
			ei, HF_ERR_TRUNCATED, "%s: too short for an SM2 ciphertext", j->in.name);
	hf_buf_init(&out, hf_os_mem(), SIZE_MAX);
	e = hf_buf_room(&out, &room, raw_len - HF_SM2_CIPHER_OVERHEAD);
	if (e == HF_OK)
		e = hf_sm2_decrypt(room, key, in->p, raw_len);
	if (e == HF_ERR_AUTH)
		(void)hf_fail(ei, e, "%s: is not for this key, or was altered", j->in.name);
	if (e == HF_OK)
		e = hufu_out_write(&j->out, out.p, out.len, ei);
	hf_buf_clear(&out);
	return e;
}

int hufu_run_crypto_sm2_decrypt(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_sm2_key key = { 0 };
	struct hufu_job j;
	struct hf_buf in;
	hf_err e = hufu_private_get(a, "key", &key, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	hf_buf_init(&in, hf_os_mem(), HF_SM2_PLAIN_MAX + HF_SM2_CIPHER_OVERHEAD + DER_MORE);
	e = hufu_job_begin(&j, a, a->n_args == 0 ? NULL : a->arg[0], HUFU_OUT_SECRET, ei);
	if (e == HF_OK)
		e = hufu_in_load(&j.in, &in, ei);
	if (e == HF_OK)
		e = decrypt(&j, &key, &in, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&j.out, ei);
	hufu_job_end(&j);
	hf_sm2_key_clear(&key);
	hf_buf_clear(&in);
	return hufu_exit(e, ei);
}

/* --- key exchange ---------------------------------------------------------------------------- */

/* One exchange: what was given, and what comes out. */
struct exchange {
	struct hf_sm2_key key;
	struct hf_sm2_key own_r;
	struct hf_sm2_pub peer;
	struct hf_sm2_pub peer_r;
	uint8_t shared[KEY_LEN_MAX];
	size_t len;
	uint8_t s_own[HF_SM3_LEN];
	uint8_t s_peer[HF_SM3_LEN];
};

/* A key that served as its own ephemeral one would be in every later exchange, too. */
static hf_err are_two(const struct hf_sm2_pub *lasting, const struct hf_sm2_pub *once,
	const char *option, struct hf_errinfo *ei)
{
	if (memcmp(lasting->x, once->x, HF_SM2_LEN) != 0 ||
		memcmp(lasting->y, once->y, HF_SM2_LEN) != 0)
		return HF_OK;
	return hf_fail(ei, HF_ERR_ARG,
		"--%s: must be a key made for this exchange alone, not the lasting one", option);
}

static hf_err read_keys(struct exchange *x, const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint64_t len = 0;

	if (hufu_has(a, "initiator") == hufu_has(a, "responder"))
		return hf_fail(ei, HF_ERR_ARG, "give one of --initiator and --responder");
	HF_TRY(hufu_arg_u64(a, "key-len", HF_SM4_KEY_LEN, 1, KEY_LEN_MAX, &len, ei));
	x->len = (size_t)len;
	HF_TRY(hufu_private_get(a, "key", &x->key, ei));
	HF_TRY(hufu_private_get(a, "ephemeral", &x->own_r, ei));
	HF_TRY(are_two(&x->key.pub, &x->own_r.pub, "ephemeral", ei));
	HF_TRY(hufu_public_get(a, "peer", &x->peer, ei));
	HF_TRY(hufu_public_get(a, "peer-ephemeral", &x->peer_r, ei));
	return are_two(&x->peer, &x->peer_r, "peer-ephemeral", ei);
}

/* What the other side says must be what this side computed. */
static hf_err compare(const struct exchange *x, const char *path, struct hf_errinfo *ei)
{
	struct hf_buf b;
	hf_err e;

	hf_buf_init(&b, hf_os_mem(), HUFU_KEY_FILE_MAX);
	e = hf_file_load_input(&b, path, ei);
	if (e == HF_OK && (b.len != HF_SM3_LEN || !hf_ct_eq(b.p, x->s_peer, HF_SM3_LEN)))
		e = hf_fail(ei, HF_ERR_AUTH,
			"%s: the other side does not have the same key: another key, ID or "
			"message was used; no key was written",
			path);
	hf_buf_clear(&b);
	return e;
}

static hf_err compute(struct exchange *x, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *id = hufu_has(a, "id") ? hufu_arg(a, "id") : HF_SM2_ID_DEFAULT;
	const char *peer_id = hufu_has(a, "peer-id") ? hufu_arg(a, "peer-id") : HF_SM2_ID_DEFAULT;
	struct hf_sm2_kex kex = { hufu_has(a, "initiator"), &x->key, &x->own_r, id, strlen(id),
		&x->peer, &x->peer_r, peer_id, strlen(peer_id) };
	hf_err e = hf_sm2_kex_key(x->shared, x->len, x->s_own, x->s_peer, &kex);

	if (e == HF_ERR_LIMIT)
		return hf_fail(ei, e, "an ID is longer than %d bytes", HF_SM2_ID_MAX);
	if (e == HF_OK && hufu_has(a, "confirm"))
		e = compare(x, hufu_arg(a, "confirm"), ei);
	return e;
}

static hf_err write_all(const struct exchange *x, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *path = hufu_arg(a, "confirm-out");
	struct hufu_out confirm = HUFU_OUT_EMPTY;
	struct hufu_out out = HUFU_OUT_EMPTY;
	hf_err e = hufu_out_differ(a, path, ei);

	if (e == HF_OK)
		e = hufu_out_open(&out, a, HUFU_OUT_SECRET, ei);
	if (e == HF_OK)
		e = hufu_out_write(&out, x->shared, x->len, ei);
	if (e == HF_OK && path != NULL)
		e = hufu_out_open_at(&confirm, a, path, 0, ei);
	if (e == HF_OK && path != NULL)
		e = hufu_out_write(&confirm, x->s_own, sizeof(x->s_own), ei);
	if (e == HF_OK)
		e = hufu_out_commit(&out, ei);
	if (e == HF_OK && path != NULL)
		e = hufu_out_commit(&confirm, ei);
	hufu_out_close(&confirm);
	hufu_out_close(&out);
	return e;
}

int hufu_run_crypto_exchange(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct exchange x = { .len = 0 };
	hf_err e = read_keys(&x, a, ei);

	if (e == HF_OK)
		e = compute(&x, a, ei);
	if (e == HF_OK)
		e = write_all(&x, a, ei);
	hf_wipe(&x, sizeof(x));
	return hufu_exit(e, ei);
}
