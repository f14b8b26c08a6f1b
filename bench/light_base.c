/* SPDX-License-Identifier: Apache-2.0 */
/* The side of bench/baseline in bench_light.c, and what the plain sides share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "baseline/base.h"
#include "light.h"

static bool sign(struct light *l)
{
	return base_sm2_sign(l->sig.r, l->sig.s, l->sm2.d, l->digest, l->k);
}

static bool verify(struct light *l)
{
	struct base_sm2_pub pub;

	memcpy(pub.x, l->sm2.pub.x, sizeof(pub.x));
	memcpy(pub.y, l->sm2.pub.y, sizeof(pub.y));
	return base_sm2_verify(&pub, l->digest, l->sig.r, l->sig.s);
}

static bool decrypt(struct light *l)
{
	struct base_sm2_pub c1;

	memcpy(c1.x, l->cipher, sizeof(c1.x));
	memcpy(c1.y, l->cipher + 32, sizeof(c1.y));
	return base_sm2_decrypt(
		l->secret, l->sm2.d, &c1, l->cipher + 64, l->cipher + 96, LIGHT_SECRET);
}

static bool gcm(struct light *l)
{
	base_gcm_seal(l->key, l->nonce, l->out, l->tag, l->in, LIGHT_TEXT);
	return true;
}

static bool sm3(struct light *l)
{
	base_sm3(l->digest, l->in, LIGHT_TEXT);
	return true;
}

uint8_t *light_read(size_t *len, const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size;

	if (f == NULL)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) > 0 && fseek(f, 0, SEEK_SET) == 0) {
		*len = (size_t)size;
		data = malloc(*len);
		if (data != NULL && fread(data, *len, 1, f) != 1) {
			free(data);
			data = NULL;
		}
	}
	(void)fclose(f);
	return data;
}

bool light_write(const char *path, const uint8_t *data, size_t len, const uint8_t tag[16],
	const struct hf_sm2_sig *sig)
{
	FILE *f = fopen(path, "wb");
	bool ok;

	if (f == NULL)
		return false;
	ok = fwrite(data, len, 1, f) == 1 && fwrite(tag, 16, 1, f) == 1 &&
	     fwrite(sig, sizeof(*sig), 1, f) == 1;
	return fclose(f) == 0 && ok;
}

static bool seal(struct light *l, const char *to, const char *from)
{
	size_t len;
	uint8_t *data = light_read(&len, from);
	bool ok;

	if (data == NULL)
		return false;
	base_gcm_seal(l->key, l->nonce, data, l->tag, data, len);
	base_sm3(l->digest, data, len);
	ok = sign(l) && light_write(to, data, len, l->tag, &l->sig);
	free(data);
	return ok;
}

const struct light_side light_base = { "textbook", sign, verify, decrypt, gcm, sm3, sm3, seal };
