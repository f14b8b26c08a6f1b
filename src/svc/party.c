/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/party.h"

#include <stdio.h>
#include <string.h>

#include "base/wipe.h"
#include "codec/pem.h"
#include "keys/slots.h"
#include "os/dir.h"
#include "os/file.h"
#include "svc/keyfile.h"

enum { PEM_FILE_MAX = 64 << 10 };

static const char cert_label[] = "CERTIFICATE";

hf_err hf_path_join(char out[HF_PATH_MAX], const char *dir, const char *name, struct hf_errinfo *ei)
{
	int n = snprintf(out, HF_PATH_MAX, "%s/%s", dir, name);

	if (n < 0 || n >= HF_PATH_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	return HF_OK;
}

hf_err hf_cert_load(
	struct hf_cert *cert, const struct hf_env *env, const char *path, struct hf_errinfo *ei)
{
	struct hf_buf text;
	uint8_t der[HF_CERT_DER_MAX];
	size_t len = 0;
	hf_err e;

	hf_buf_init(&text, env->mem, PEM_FILE_MAX);
	e = hf_file_load(&text, path, ei);
	if (e == HF_OK) {
		e = hf_pem_parse(
			der, sizeof(der), &len, cert_label, (struct hf_bytes){ text.p, text.len });
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: holds no certificate in PEM", path);
	}
	if (e == HF_OK)
		e = hf_cert_copy(cert, env->mem, der, len, ei);
	hf_buf_clear(&text);
	return e;
}

static hf_err load_named(struct hf_cert *cert, const struct hf_env *env, const char *dir,
	const char *name, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(path, dir, name, ei));
	return hf_cert_load(cert, env, path, ei);
}

/* The first file of a party: without it the folder is another one than was meant. */
static hf_err load_own(
	struct hf_cert *cert, const struct hf_env *env, const char *dir, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { .code = HF_OK };
	hf_err e = load_named(cert, env, dir, "certs/sign.crt", &why);

	if (e == HF_ERR_NOT_FOUND && why.sys != 0) /* not: a file without a certificate */
		return hf_fail(ei, e,
			"%s: no folder of a hub, publisher, edge or device: certs/sign.crt is "
			"missing",
			dir);
	return e == HF_OK ? HF_OK : hf_fail(ei, e, "%s", why.text);
}

static hf_err load_root(struct hf_party *p, const struct hf_env *env, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(path, p->dir, "trust/root.der", ei));
	hf_buf_init(&p->root_object, env->mem, hf_object_max(HF_OBJECT_ROOT));
	HF_TRY(hf_file_load(&p->root_object, path, ei));
	return hf_root_open_first(
		&p->root, (struct hf_bytes){ p->root_object.p, p->root_object.len }, ei);
}

/* The files of one party belong together. */
static hf_err check(const struct hf_party *p, struct hf_errinfo *ei)
{
	if (!p->sign.has_identity)
		return hf_fail(
			ei, HF_ERR_FORMAT, "%s: certs/sign.crt names no party of a domain", p->dir);
	if (!p->enc.has_identity || strcmp(p->enc.identity.id, p->sign.identity.id) != 0)
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s: certs/sign.crt and certs/enc.crt are of different parties", p->dir);
	if (strcmp(p->root.domain, p->sign.identity.domain) != 0)
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s: certificates are of domain %s, trust root of %s", p->dir,
			p->sign.identity.domain, p->root.domain);
	return HF_OK;
}

hf_err hf_party_open(
	struct hf_party *p, const struct hf_env *env, const char *dir, struct hf_errinfo *ei)
{
	hf_err e;

	memset(p, 0, sizeof(*p));
	if (strlen(dir) >= sizeof(p->dir))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	memcpy(p->dir, dir, strlen(dir));
	e = load_own(&p->sign, env, dir, ei);
	if (e == HF_OK)
		e = load_named(&p->enc, env, dir, "certs/enc.crt", ei);
	if (e == HF_OK)
		e = load_named(&p->issuing_ca, env, dir, "certs/issuing-ca.crt", ei);
	if (e == HF_OK)
		e = load_named(&p->root_ca, env, dir, "certs/root-ca.crt", ei);
	if (e == HF_OK)
		e = load_root(p, env, ei);
	if (e == HF_OK)
		e = check(p, ei);
	if (e == HF_OK)
		p->identity = p->sign.identity;
	else
		hf_party_clear(p);
	return e;
}

void hf_party_clear(struct hf_party *p)
{
	hf_cert_clear(&p->sign);
	hf_cert_clear(&p->enc);
	hf_cert_clear(&p->issuing_ca);
	hf_cert_clear(&p->root_ca);
	hf_buf_clear(&p->root_object);
	memset(p, 0, sizeof(*p));
}

hf_err hf_party_make(const char *dir, struct hf_errinfo *ei)
{
	static const struct {
		const char *name;
		unsigned mode;
	} folders[] = { { "certs", 0755 }, { "keys", 0700 }, { "trust", 0755 } };
	char path[HF_PATH_MAX];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		HF_TRY(hf_path_join(path, dir, folders[i].name, ei));
		HF_TRY(hf_dir_make(path, folders[i].mode, ei));
	}
	return HF_OK;
}

hf_err hf_party_put_cert(const struct hf_env *env, const char *dir, const char *name,
	struct hf_bytes der, struct hf_errinfo *ei)
{
	char file[64];
	char path[HF_PATH_MAX];
	struct hf_buf text;
	struct hf_writer w = { .cap = hf_pem_len(cert_label, der.len) };
	hf_err e;

	(void)snprintf(file, sizeof(file), "certs/%s.crt", name);
	HF_TRY(hf_path_join(path, dir, file, ei));
	hf_buf_init(&text, env->mem, PEM_FILE_MAX);
	e = hf_buf_room(&text, &w.p, w.cap);
	if (e == HF_OK) {
		hf_pem_emit(&w, cert_label, der.p, der.len);
		e = hf_wr_done(&w);
	}
	if (e == HF_OK)
		e = hf_file_replace(path, 0644, text.p, w.len, ei);
	else
		(void)hf_fail(ei, e, "%s: certificate does not fit", path);
	hf_buf_clear(&text);
	return e;
}

/*
 * What tells this machine from a copy of its disk, as far as class D goes. A source that is not
 * there, or not for us to read, is left out, always; any other failure is one, for it would give
 * another fingerprint today than tomorrow.
 */
static hf_err fingerprint(const struct hf_env *env, struct hf_buf *out, struct hf_errinfo *ei)
{
	static const char *const sources[] = {
		"/etc/machine-id",
		"/sys/class/dmi/id/product_uuid",
	};

	hf_buf_init(out, env->mem, 4096);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		hf_err e = hf_file_load(out, sources[i], NULL);

		if (e != HF_OK && e != HF_ERR_NOT_FOUND && e != HF_ERR_PERMISSION)
			return hf_fail(ei, e, "%s: %s", sources[i], hf_err_text(e));
	}
	return HF_OK;
}

hf_err hf_party_seed(const struct hf_env *env, const char *dir, bool make,
	uint8_t seed[HF_KEY_SEED_LEN], struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	uint8_t secret[HF_KEY_SEED_LEN];
	struct hf_buf file;
	struct hf_buf machine = { 0 };
	hf_err e;

	HF_TRY(hf_path_join(path, dir, "keys/storage.secret", ei));
	hf_buf_init(&file, env->mem, sizeof(secret));
	e = hf_file_load(&file, path, make ? NULL : ei);
	if (e == HF_ERR_NOT_FOUND && make) {
		e = hf_rng_fill(&env->rng, secret, sizeof(secret));
		if (e == HF_OK)
			e = hf_file_replace(path, 0600, secret, sizeof(secret), ei);
	} else if (e == HF_OK && file.len != sizeof(secret)) {
		e = hf_fail(ei, HF_ERR_FORMAT, "%s: not %zu bytes", path, sizeof(secret));
	} else if (e == HF_OK) {
		memcpy(secret, file.p, sizeof(secret));
	}
	if (e == HF_OK)
		e = fingerprint(env, &machine, ei);
	if (e == HF_OK)
		e = hf_device_kek(seed, secret, machine.p, machine.len);
	hf_wipe(secret, sizeof(secret));
	hf_buf_clear(&file);
	hf_buf_clear(&machine);
	return e;
}

static hf_err key_path(
	char path[HF_PATH_MAX], const char *dir, const char *purpose, struct hf_errinfo *ei)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "keys/%s.key", purpose);
	return hf_path_join(path, dir, name, ei);
}

hf_err hf_party_key(const struct hf_env *env, const struct hf_party *p, const char *purpose,
	const uint8_t seed[HF_KEY_SEED_LEN], struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	struct hf_keyfile f = {
		.path = path, .purpose = purpose, .owner = p->identity.id, .seed = seed
	};

	HF_TRY(key_path(path, p->dir, purpose, ei));
	return hf_keyfile_read_sm2(env, &f, key, ei);
}

hf_err hf_party_put_key(const struct hf_env *env, const char *dir, const char *owner,
	const char *purpose, const uint8_t seed[HF_KEY_SEED_LEN], const struct hf_sm2_key *key,
	struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	struct hf_keyfile f = {
		.path = path,
		.purpose = purpose,
		.owner = owner,
		.seed = seed,
		.usage = strcmp(purpose, "enc") == 0 ? HF_KEY_DECRYPT : HF_KEY_SIGN,
		.tier = 2,
	};

	HF_TRY(key_path(path, dir, purpose, ei));
	return hf_keyfile_write_sm2(env, &f, key, ei);
}
