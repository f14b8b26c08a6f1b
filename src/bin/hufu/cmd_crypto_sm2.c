/* SPDX-License-Identifier: Apache-2.0 */
/* hufu crypto sm2 keygen, pub, sign and verify. Formats are those of openssl pkeyutl and gmssl. */
#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "cmd_crypto.h"
#include "codec/pem.h"
#include "crypto_io.h"
#include "crypto_keys.h"
#include "keyring.h"
#include "os/heap.h"
#include "os/process.h"
#include "pki/pkcs8.h"
#include "pki/spki.h"

enum {
	PEM_MAX = 1024,     /* room for any key that is written */
	SIG_FILE_MAX = 128, /* bytes of a signature file that is read */
};

#define OPT_ID \
	{ \
		"id", "TEXT", "of the signer, a part of what is signed (1234567812345678)" \
	}

const struct hufu_opt hufu_opts_crypto_keygen[] = {
	{ "out", "FILE", "or -o: for the private key (required; - is standard output)" },
	{ "pub-out", "FILE", "for the public key" },
	HUFU_OPTS_PASSPHRASE,
	{ "no-passphrase", NULL, "write the key in the clear: for tests, and for openssl 3" },
	{ "gmssl", NULL, "encrypt it in the flavour of GmSSL" },
	{ "force", NULL, "write in place of a file that is there" },
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_pub[] = {
	{ "key", "FILE", "the private key (required)" },
	HUFU_OPTS_PASSPHRASE,
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_sign[] = {
	{ "key", "FILE", "the private key (required)" },
	HUFU_OPTS_PASSPHRASE,
	OPT_ID,
	{ "raw", NULL, "64 bytes, r and s, in place of DER" },
	HUFU_OPTS_OUT,
	{ NULL, NULL, NULL },
};

const struct hufu_opt hufu_opts_crypto_verify[] = {
	{ "key", "FILE", "the public key, or a certificate (required)" },
	{ "signature", "FILE", "the signature (required)" },
	OPT_ID,
	{ "raw", NULL, "the signature is 64 bytes, r and s, in place of DER" },
	{ NULL, NULL, NULL },
};

/* --- keys ------------------------------------------------------------------------------------ */

static hf_err emit_private(struct hf_writer *pem, const struct hufu_args *a,
	const struct hf_env *env, const struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	bool is_plain = hufu_has(a, "no-passphrase");
	uint8_t der[HF_PKCS8_EMIT_MAX];
	struct hf_writer w = { .p = der, .cap = sizeof(der) };
	struct hf_buf pass;
	hf_err e = HF_OK;

	hf_buf_init(&pass, hf_os_mem(), HUFU_PASSPHRASE_MAX);
	if (is_plain)
		hf_pkcs8_emit(&w, key);
	else
		e = hufu_passphrase_get(a, &pass, true, ei);
	if (e == HF_OK && !is_plain)
		e = hf_pkcs8_seal(&w, key, (struct hf_bytes){ pass.p, pass.len },
			HF_PKCS8_ITERATIONS,
			hufu_has(a, "gmssl") ? HF_PKCS8_GMSSL : HF_PKCS8_STANDARD, &env->rng);
	if (e == HF_OK)
		hf_pem_emit(pem, is_plain ? "PRIVATE KEY" : "ENCRYPTED PRIVATE KEY", der, w.len);
	hf_buf_clear(&pass);
	hf_wipe(der, sizeof(der));
	return e == HF_OK ? hf_wr_done(pem) : e;
}

static hf_err emit_public(struct hf_writer *pem, const struct hf_sm2_pub *pub)
{
	uint8_t der[HF_SPKI_LEN];
	struct hf_writer w = { .p = der, .cap = sizeof(der) };

	hf_spki_put(&w, pub);
	hf_pem_emit(pem, "PUBLIC KEY", der, w.len);
	return hf_wr_done(pem);
}

/* Both files are there in whole before either gets its name. */
static hf_err write_pair(const struct hufu_args *a, const struct hf_env *env,
	const struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	uint8_t text[PEM_MAX];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	const char *pub_path = hufu_arg(a, "pub-out");
	struct hufu_out out = HUFU_OUT_EMPTY;
	struct hufu_out pub = HUFU_OUT_EMPTY;
	hf_err e;

	HF_TRY(hufu_out_differ(a, pub_path, ei));
	e = hufu_out_open(&out, a, HUFU_OUT_SECRET | HUFU_OUT_TEXT, ei);
	if (e == HF_OK && pub_path != NULL)
		e = hufu_out_open_at(&pub, a, pub_path, HUFU_OUT_TEXT, ei);
	if (e == HF_OK)
		e = emit_private(&w, a, env, key, ei);
	if (e == HF_OK)
		e = hufu_out_write(&out, text, w.len, ei);
	hf_wipe(text, sizeof(text));
	w.len = 0;
	if (e == HF_OK && pub_path != NULL)
		e = emit_public(&w, &key->pub);
	if (e == HF_OK && pub_path != NULL)
		e = hufu_out_write(&pub, text, w.len, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&out, ei);
	if (e == HF_OK && pub_path != NULL)
		e = hufu_out_commit(&pub, ei);
	hufu_out_close(&pub);
	hufu_out_close(&out);
	return e;
}

int hufu_run_crypto_keygen(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_sm2_key key = { 0 };
	struct hf_env env;
	hf_err e;

	if (!hufu_has(a, "out"))
		return hufu_exit(
			hf_fail(ei, HF_ERR_ARG, "--out is missing: a file for the private key"),
			ei);
	if (hufu_has(a, "no-passphrase") &&
		(hufu_has(a, "passphrase-file") || hufu_has(a, "passphrase-env")))
		return hufu_exit(
			hf_fail(ei, HF_ERR_ARG, "either a passphrase or --no-passphrase"), ei);
	e = hf_process_harden(ei);
	if (e == HF_OK)
		e = hf_env_init(&env, 0, ei);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = hf_sm2_key_new(&key, &env.rng);
	if (e == HF_OK)
		e = write_pair(a, &env, &key, ei);
	hf_sm2_key_clear(&key);
	hf_env_clear(&env);
	return hufu_exit(e, ei);
}

/* One small output: everything but the job's input. */
static hf_err write_out(const struct hufu_args *a, unsigned how, const uint8_t *p, size_t len,
	struct hf_errinfo *ei)
{
	struct hufu_out out = HUFU_OUT_EMPTY;
	hf_err e = hufu_out_open(&out, a, how, ei);

	if (e == HF_OK)
		e = hufu_out_write(&out, p, len, ei);
	if (e == HF_OK)
		e = hufu_out_commit(&out, ei);
	hufu_out_close(&out);
	return e;
}

int hufu_run_crypto_pub(const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint8_t text[PEM_MAX];
	struct hf_writer w = { .p = text, .cap = sizeof(text) };
	struct hf_sm2_key key = { 0 };
	hf_err e = hufu_private_get(a, "key", &key, ei);

	if (e == HF_OK)
		e = emit_public(&w, &key.pub);
	hf_sm2_key_clear(&key);
	if (e == HF_OK)
		e = write_out(a, HUFU_OUT_TEXT, text, w.len, ei);
	return hufu_exit(e, ei);
}

/* --- signatures ------------------------------------------------------------------------------ */

/* e = SM3(Z || input), GB/T 32918.2 6.1, of an input of any length. */
static hf_err digest(uint8_t out[HF_SM3_LEN], const struct hufu_args *a,
	const struct hf_sm2_pub *pub, struct hf_errinfo *ei)
{
	const char *id = hufu_has(a, "id") ? hufu_arg(a, "id") : HF_SM2_ID_DEFAULT;
	uint8_t *piece = NULL;
	uint8_t z[HF_SM3_LEN];
	struct hufu_in in = HUFU_IN_EMPTY;
	size_t n = HUFU_PIECE;
	struct hf_sm3 s;
	hf_err e = hf_sm2_z(z, pub, id, strlen(id));

	if (e != HF_OK)
		return hf_fail(ei, e, "--id: longer than %d bytes", HF_SM2_ID_MAX);
	piece = hf_mem_new(hf_os_mem(), HUFU_PIECE);
	if (piece == NULL)
		return hf_fail(ei, HF_ERR_NO_MEMORY, "no memory for a piece of the input");
	hf_sm3_init(&s);
	hf_sm3_feed(&s, z, sizeof(z));
	e = hufu_in_open(&in, a->n_args == 0 ? NULL : a->arg[0], ei);
	while (e == HF_OK && n == HUFU_PIECE) {
		e = hufu_in_read(&in, piece, HUFU_PIECE, &n, ei);
		if (e == HF_OK)
			hf_sm3_feed(&s, piece, n);
	}
	hf_sm3_done(&s, out);
	hufu_in_close(&in);
	hf_mem_free(hf_os_mem(), piece);
	return e;
}

int hufu_run_crypto_sign(const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint8_t bytes[HF_SM2_SIG_DER_MAX];
	uint8_t d[HF_SM3_LEN];
	size_t len = HF_SM2_SIG_LEN;
	struct hf_sm2_key key = { 0 };
	struct hf_sm2_sig sig;
	struct hf_env env;
	hf_err e = hf_env_init(&env, 0, ei);

	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = hufu_private_get(a, "key", &key, ei);
	if (e == HF_OK)
		e = digest(d, a, &key.pub, ei);
	if (e == HF_OK)
		e = hf_sm2_sign_digest(&sig, &key, d, &env.rng);
	hf_sm2_key_clear(&key);
	hf_env_clear(&env);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	memcpy(bytes, sig.r, HF_SM2_LEN);
	memcpy(bytes + HF_SM2_LEN, sig.s, HF_SM2_LEN);
	if (!hufu_has(a, "raw"))
		len = hf_sm2_sig_emit_der(bytes, &sig);
	return hufu_exit(write_out(a, 0, bytes, len, ei), ei);
}

static hf_err load_signature(
	struct hf_sm2_sig *sig, const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *path = hufu_arg(a, "signature");
	struct hufu_in in = HUFU_IN_EMPTY;
	struct hf_buf b;
	hf_err e;

	if (path == NULL)
		return hf_fail(ei, HF_ERR_ARG, "--signature is missing: a file");
	hf_buf_init(&b, hf_os_mem(), SIG_FILE_MAX);
	e = hufu_in_open(&in, path, ei);
	if (e == HF_OK)
		e = hufu_in_load(&in, &b, ei);
	hufu_in_close(&in);
	if (e == HF_OK && !hufu_has(a, "raw")) {
		e = hf_sm2_sig_parse_der(sig, b.p, b.len);
	} else if (e == HF_OK) {
		e = b.len == HF_SM2_SIG_LEN ? HF_OK : HF_ERR_FORMAT;
		if (e == HF_OK) {
			memcpy(sig->r, b.p, HF_SM2_LEN);
			memcpy(sig->s, b.p + HF_SM2_LEN, HF_SM2_LEN);
		}
	}
	if (e != HF_OK)
		(void)hf_fail(ei, e, "%s: is no SM2 signature in %s", path,
			hufu_has(a, "raw") ? "64 bytes" : "DER");
	hf_buf_clear(&b);
	return e;
}

int hufu_run_crypto_verify(const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint8_t d[HF_SM3_LEN];
	struct hf_sm2_pub pub;
	struct hf_sm2_sig sig;
	hf_err e = hufu_public_get(a, "key", &pub, ei);

	if (e == HF_OK)
		e = load_signature(&sig, a, ei);
	if (e == HF_OK)
		e = digest(d, a, &pub, ei);
	if (e != HF_OK)
		return hufu_exit(e, ei);
	e = hf_sm2_verify_digest(&pub, d, &sig);
	if (e == HF_ERR_AUTH)
		return hufu_exit(
			hf_fail(ei, e, "%s: is not the signature of this text by this key%s",
				hufu_arg(a, "signature"), hufu_has(a, "id") ? " and ID" : ""),
			ei);
	if (e == HF_OK)
		printf("signature verified\n");
	return hufu_exit(e, ei);
}
