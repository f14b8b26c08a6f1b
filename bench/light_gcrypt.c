/* SPDX-License-Identifier: Apache-2.0 */
/* The side of Debian's libgcrypt in bench_light.c: its plain C, the hardware features disabled. */
#include <gcrypt.h>
#include <stdlib.h>
#include <string.h>

#include "light.h"

enum {
	N = HF_SM2_LEN,
};

/* Made once: the time to build and to read S-expressions is not the algorithms'. */
static struct {
	gcry_sexp_t private;
	gcry_sexp_t public;
	gcry_sexp_t cipher;
} keys;

const char *light_gcrypt_start(void)
{
	const char *version;

	(void)gcry_control(GCRYCTL_DISABLE_HWF, "all", NULL);
	version = gcry_check_version(NULL);
	(void)gcry_control(GCRYCTL_DISABLE_SECMEM, 0);
	(void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	return version;
}

void light_gcrypt_keys(const struct light *l)
{
	uint8_t point[HF_SM2_POINT_LEN];
	uint8_t c1[HF_SM2_POINT_LEN] = { 4 };

	hf_sm2_pub_emit(point, &l->sm2.pub);
	memcpy(c1 + 1, l->cipher, 64);
	if (gcry_sexp_build(&keys.private, NULL,
		    "(private-key (ecc (curve sm2p256v1) (q %b) (d %b)))", (int)sizeof(point),
		    point, N, l->sm2.d) != 0 ||
		gcry_sexp_build(&keys.public, NULL, "(public-key (ecc (curve sm2p256v1) (q %b)))",
			(int)sizeof(point), point) != 0 ||
		gcry_sexp_build(&keys.cipher, NULL,
			"(enc-val (flags sm2) (hash-algo sm3) (sm2 (a %b) (b %b) (c %b)))",
			(int)sizeof(c1), c1, 32, l->cipher + 64, LIGHT_SECRET, l->cipher + 96) != 0)
		abort();
}

static bool digest_of(gcry_sexp_t *s, const struct light *l)
{
	return gcry_sexp_build(s, NULL, "(data (flags sm2) (hash sm3 %b))", N, l->digest) == 0;
}

/* The number of 32 bytes under a name. */
static bool number(uint8_t out[N], gcry_sexp_t in, const char *name)
{
	gcry_sexp_t part = gcry_sexp_find_token(in, name, 0);
	gcry_mpi_t v = part == NULL ? NULL : gcry_sexp_nth_mpi(part, 1, GCRYMPI_FMT_USG);
	uint8_t bytes[N];
	size_t len = 0;
	bool ok = v != NULL && gcry_mpi_print(GCRYMPI_FMT_USG, bytes, N, &len, v) == 0;

	if (ok) {
		memset(out, 0, N - len);
		memcpy(out + N - len, bytes, len);
	}
	gcry_mpi_release(v);
	gcry_sexp_release(part);
	return ok;
}

static bool sign(struct light *l)
{
	gcry_sexp_t data = NULL;
	gcry_sexp_t sig = NULL;
	bool ok = digest_of(&data, l) && gcry_pk_sign(&sig, data, keys.private) == 0 &&
		  number(l->sig.r, sig, "r") && number(l->sig.s, sig, "s");

	gcry_sexp_release(data);
	gcry_sexp_release(sig);
	return ok;
}

static bool verify(struct light *l)
{
	gcry_sexp_t data = NULL;
	gcry_sexp_t sig = NULL;
	bool ok = digest_of(&data, l) &&
		  gcry_sexp_build(&sig, NULL, "(sig-val (sm2 (r %b) (s %b)))", N, l->sig.r, N,
			  l->sig.s) == 0 &&
		  gcry_pk_verify(sig, data, keys.public) == 0;

	gcry_sexp_release(data);
	gcry_sexp_release(sig);
	return ok;
}

static bool decrypt(struct light *l)
{
	gcry_sexp_t plain = NULL;
	size_t len = 0;
	const char *bytes;
	bool ok = gcry_pk_decrypt(&plain, keys.cipher, keys.private) == 0;

	if (ok) {
		bytes = gcry_sexp_nth_data(plain, 1, &len);
		ok = bytes != NULL && len == LIGHT_SECRET;
		if (ok)
			memcpy(l->secret, bytes, LIGHT_SECRET);
	}
	gcry_sexp_release(plain);
	return ok;
}

static bool gcm_of(struct light *l, uint8_t *out, const uint8_t *in, size_t len)
{
	gcry_cipher_hd_t h;
	bool ok = gcry_cipher_open(&h, GCRY_CIPHER_SM4, GCRY_CIPHER_MODE_GCM, 0) == 0;

	if (!ok)
		return false;
	ok = gcry_cipher_setkey(h, l->key, sizeof(l->key)) == 0 &&
	     gcry_cipher_setiv(h, l->nonce, sizeof(l->nonce)) == 0 &&
	     gcry_cipher_encrypt(h, out, len, out == in ? NULL : in, out == in ? 0 : len) == 0 &&
	     gcry_cipher_gettag(h, l->tag, sizeof(l->tag)) == 0;
	gcry_cipher_close(h);
	return ok;
}

static bool gcm(struct light *l)
{
	return gcm_of(l, l->out, l->in, LIGHT_TEXT);
}

static bool sm3(struct light *l)
{
	gcry_md_hash_buffer(GCRY_MD_SM3, l->digest, l->in, LIGHT_TEXT);
	return true;
}

static bool seal(struct light *l, const char *to, const char *from)
{
	size_t len;
	uint8_t *data = light_read(&len, from);
	bool ok;

	if (data == NULL)
		return false;
	ok = gcm_of(l, data, data, len);
	gcry_md_hash_buffer(GCRY_MD_SM3, l->digest, data, len);
	ok = ok && sign(l) && light_write(to, data, len, l->tag, &l->sig);
	free(data);
	return ok;
}

const struct light_side light_gcrypt = { "libgcrypt, plain", sign, verify, decrypt, gcm, sm3, sm3,
	seal };
