/* SPDX-License-Identifier: Apache-2.0 */
/* Loading and checking what services show and believe. */
#include "tunnel_keys.h"

#include <string.h>

#include "base/ct.h"
#include "base/wipe.h"
#include "bin/common/staple.h"
#include "codec/pem.h"
#include "keyring.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/heap.h"
#include "pki/pkcs8.h"

enum { PEM_FILE_MAX = 256 * 1024, KEY_FILE_MAX = 16 * 1024 };

/* Certificates of a file, PEM one behind the other or one in DER, added to a list. */
static hf_err add_certs(
	struct hf_cert *list, size_t *n, size_t max, const char *path, struct hf_errinfo *ei)
{
	const struct hf_mem *mem = hf_os_mem();
	struct hf_errinfo why = { 0 };
	struct hf_pem_block block;
	struct hf_bytes text;
	uint8_t der[HF_CERT_DER_MAX];
	struct hf_buf file;
	size_t before = *n;
	size_t len = 0;
	hf_err e;

	hf_buf_init(&file, mem, PEM_FILE_MAX);
	e = hf_file_load(&file, path, ei);
	if (e != HF_OK)
		return e;
	text = (struct hf_bytes){ file.p, file.len };
	if (file.len > 0 && file.p[0] == 0x30) {
		e = hf_cert_copy(&list[*n], mem, file.p, file.len, &why);
		*n += e == HF_OK;
		text.len = 0;
	}
	while (e == HF_OK && text.len > 0) {
		e = hf_pem_next(&block, &text);
		if (e != HF_OK || strcmp(block.label, "CERTIFICATE") != 0)
			continue;
		if (*n == max)
			e = hf_fail(&why, HF_ERR_LIMIT, "more than %zu certificates", max);
		if (e == HF_OK)
			e = hf_pem_decode(der, sizeof(der), &len, &block);
		if (e == HF_OK)
			e = hf_cert_copy(&list[*n], mem, der, len, &why);
		*n += e == HF_OK;
	}
	hf_buf_clear(&file);
	if (e == HF_ERR_NOT_FOUND && *n > before)
		e = HF_OK; /* no further block */
	if (e == HF_ERR_NOT_FOUND || (e == HF_OK && *n == before))
		return hf_fail(ei, HF_ERR_FORMAT, "%s: holds no certificate", path);
	if (e != HF_OK)
		return hf_fail(ei, e, "%s: certificate %zu: %s", path, *n - before + 1,
			why.text[0] != '\0' ? why.text : hf_err_text(e));
	return HF_OK;
}

static hf_err load_key(struct hf_sm2_key *key, const struct tunnel_identity *id, const char *path,
	struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	struct hf_buf file;
	struct hf_buf passphrase;
	hf_err e;

	hf_buf_init(&file, hf_os_mem(), KEY_FILE_MAX);
	hf_buf_init(&passphrase, hf_os_mem(), HUFU_PASSPHRASE_MAX + 2);
	e = hf_file_load(&file, path, ei);
	if (e == HF_OK && id->passphrase_file[0] != '\0')
		e = hufu_passphrase_load(&passphrase, id->passphrase_file, ei);
	if (e == HF_OK) {
		e = hf_pkcs8_read(key, (struct hf_bytes){ file.p, file.len },
			(struct hf_bytes){ passphrase.p, passphrase.len }, &why);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "%s: %s", path,
				why.text[0] != '\0' ? why.text : hf_err_text(e));
	}
	hf_buf_clear(&file);
	hf_buf_clear(&passphrase);
	return e;
}

/* The folder of a party of a Hufu domain that is no hub: its seed needs no custodians. */
static hf_err load_party(struct tunnel_keys *k, const struct hf_env *env, const char *dir, bool enc,
	struct hf_errinfo *ei)
{
	uint8_t seed[HF_KEY_SEED_LEN];
	struct hf_party p = { 0 };
	const struct hf_cert *from[] = { &p.sign, &p.issuing_ca };
	hf_err e = hf_party_open(&p, env, dir, ei);

	for (size_t i = 0; e == HF_OK && i < HF_COUNT(from); i++) {
		e = hf_cert_copy(&k->chain[i], env->mem, from[i]->der.p, from[i]->der.len, ei);
		k->n_chain += e == HF_OK;
	}
	if (e == HF_OK && k->n_roots < TUNNEL_ROOT_CERTS_MAX) {
		e = hf_cert_copy(
			&k->roots[k->n_roots], env->mem, p.root_ca.der.p, p.root_ca.der.len, ei);
		k->n_roots += e == HF_OK;
	}
	if (e == HF_OK)
		e = hf_party_seed(env, dir, false, seed, ei);
	if (e == HF_OK)
		e = hf_party_key(env, &p, "sign", seed, &k->key, ei);
	if (e == HF_OK && enc)
		e = hf_cert_copy(&k->enc, env->mem, p.enc.der.p, p.enc.der.len, ei);
	if (e == HF_OK && enc)
		e = hf_party_key(env, &p, "enc", seed, &k->enc_key, ei);
	k->has_enc = e == HF_OK && enc;
	hf_wipe(seed, sizeof(seed));
	hf_party_clear(&p);
	return e;
}

static hf_err load_crl(struct tunnel_keys *k, const char *path, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	struct hf_buf file;
	struct hf_buf der;
	uint8_t *room = NULL;
	size_t len = 0;
	hf_err e;

	hf_buf_init(&file, hf_os_mem(), 2 * (size_t)HF_CRL_DER_MAX);
	hf_buf_init(&der, hf_os_mem(), HF_CRL_DER_MAX);
	e = hf_file_load(&file, path, ei);
	if (e == HF_OK && file.len > 0 && file.p[0] == 0x30)
		e = hf_buf_put(&der, file.p, file.len);
	else if (e == HF_OK && hf_buf_room(&der, &room, file.len) == HF_OK) {
		e = hf_pem_parse(
			room, file.len, &len, "X509 CRL", (struct hf_bytes){ file.p, file.len });
		der.len = e == HF_OK ? len : 0;
	}
	hf_buf_clear(&file);
	if (e == HF_OK)
		e = hf_crl_copy(&k->crls[k->n_crls], hf_os_mem(), der.p, der.len, &why);
	if (e == HF_OK)
		k->n_crls++;
	hf_buf_clear(&der);
	return e == HF_OK ? e
			  : hf_fail(ei, e, "%s: %s", path,
				    why.text[0] != '\0' ? why.text : "holds no revocation list");
}

/* Signed by one of these, if it is of one of them; then no link needs to compute it again. */
static hf_err is_signed(struct hf_crl *crl, const struct hf_cert *cas, size_t n, bool *is_known)
{
	for (size_t i = 0; i < n; i++) {
		if (!hf_bytes_eq(crl->issuer, cas[i].subject))
			continue;
		*is_known = true;
		if (hf_crl_check(crl, &cas[i].key, NULL) == HF_OK)
			return HF_OK;
	}
	return HF_ERR_AUTH;
}

/* A list of a CA that we do not know may be of one that peers will show: links look at it. */
static hf_err check_crl(
	struct tunnel_keys *k, struct hf_crl *crl, const char *path, struct hf_errinfo *ei)
{
	bool is_known = false;

	if (is_signed(crl, k->roots, k->n_roots, &is_known) == HF_OK ||
		is_signed(crl, k->chain, k->n_chain, &is_known) == HF_OK || !is_known)
		return HF_OK;
	return hf_fail(ei, HF_ERR_AUTH,
		"%s: the revocation list is not signed by its issuer; fetch it again", path);
}

static hf_err check_time(const struct hf_cert *c, const char *path, struct hf_errinfo *ei)
{
	uint64_t now_s = hf_clock_wall_s();

	if (now_s >= c->not_before_s && now_s <= c->not_after_s)
		return HF_OK;
	return hf_fail(ei, HF_ERR_EXPIRED,
		"%s: the certificate has expired or is not valid yet; renew it", path);
}

static hf_err load_enc(
	struct tunnel_keys *k, const struct tunnel_identity *id, struct hf_errinfo *ei)
{
	size_t n = 0;

	k->has_enc = true;
	HF_TRY(add_certs(&k->enc, &n, 1, id->enc_certificate, ei));
	return load_key(&k->enc_key, id, id->enc_key, ei);
}

/* The second pair: of whom the first one is, with another key, and for encryption. */
static hf_err check_enc(
	const struct tunnel_keys *k, const struct tunnel_identity *id, struct hf_errinfo *ei)
{
	const struct hf_cert *sign = &k->chain[0];
	const struct hf_cert *enc = &k->enc;
	const char *path = id->party[0] != '\0' ? id->party : id->enc_certificate;

	if (!k->has_enc)
		return HF_OK;
	if (memcmp(&enc->key, &k->enc_key.pub, sizeof(enc->key)) != 0)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: is not the certificate of the key %s", path,
			id->enc_key);
	if (memcmp(&enc->key, &sign->key, sizeof(enc->key)) == 0)
		return hf_fail(ei, HF_ERR_DENIED,
			"%s: its key is that of the other certificate; tlcp needs two", path);
	if (enc->is_ca || !enc->has_key_usage || (enc->key_usage & HF_KU_ENCRYPT) == 0 ||
		(enc->key_usage & HF_KU_DIGITAL_SIGNATURE) != 0)
		return hf_fail(
			ei, HF_ERR_DENIED, "%s: is no certificate for encryption alone", path);
	if (!hf_bytes_eq(enc->subject, sign->subject))
		return hf_fail(ei, HF_ERR_DENIED,
			"%s: is of another subject than the certificate for signatures", path);
	if (k->n_chain == HF_CHAIN_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: too many certificates beside it", path);
	return check_time(enc, path, ei);
}

/* What would only show when a peer refuses us. */
static hf_err check_own(
	const struct tunnel_keys *k, const struct tunnel_identity *id, struct hf_errinfo *ei)
{
	const struct hf_cert *leaf = &k->chain[0];
	const char *path = id->party[0] != '\0' ? id->party : id->certificate;

	if (memcmp(&leaf->key, &k->key.pub, sizeof(leaf->key)) != 0)
		return hf_fail(ei, HF_ERR_FORMAT,
			"%s: the first certificate is not that of the key %s", path, id->key);
	if (leaf->is_ca)
		return hf_fail(ei, HF_ERR_DENIED,
			"%s: the first certificate is that of a CA; ours comes first", path);
	HF_TRY(check_time(leaf, path, ei));
	return check_enc(k, id, ei);
}

static hf_err load_staples(
	struct tunnel_keys *k, const struct tunnel_identity *id, struct hf_errinfo *ei)
{
	const struct staple_own own = { k->chain, k->n_chain, k->roots, k->n_roots,
		hf_clock_wall_s() };

	for (size_t i = 0; i < id->n_staples; i++) {
		struct hf_buf response;
		size_t at = 0;
		hf_err e = staple_load(&response, &at, id->staples[i], &own, ei);

		if (e != HF_OK) {
			hf_buf_clear(&response);
			return e;
		}
		hf_buf_clear(&k->staple[at]);
		k->staple[at] = response;
		k->staples[at] = (struct hf_bytes){ response.p, response.len };
	}
	return HF_OK;
}

hf_err tunnel_keys_load(struct tunnel_keys *k, const struct hf_env *env,
	const struct tunnel_service *s, struct hf_errinfo *ei)
{
	const struct tunnel_identity *id = &s->identity;
	bool has_tlcp = (s->protocols & HF_TLS_TLCP) != 0;

	*k = (struct tunnel_keys){ 0 };
	for (size_t i = 0; i < s->trust.n_roots; i++)
		HF_TRY(add_certs(
			k->roots, &k->n_roots, TUNNEL_ROOT_CERTS_MAX, s->trust.roots[i], ei));
	for (size_t i = 0; i < s->trust.n_crls; i++)
		HF_TRY(load_crl(k, s->trust.crls[i], ei));
	if (id->party[0] != '\0') {
		HF_TRY(load_party(k, env, id->party, has_tlcp, ei));
	} else {
		HF_TRY(add_certs(k->chain, &k->n_chain, HF_CHAIN_MAX, id->certificate, ei));
		HF_TRY(load_key(&k->key, id, id->key, ei));
		if (id->enc_key[0] != '\0')
			HF_TRY(load_enc(k, id, ei));
	}
	for (size_t i = 0; i < s->trust.n_crls; i++)
		HF_TRY(check_crl(k, &k->crls[i], s->trust.crls[i], ei));
	for (size_t i = 0; i < k->n_chain; i++)
		k->der[i] = k->chain[i].der;
	HF_TRY(check_own(k, id, ei));
	return load_staples(k, id, ei);
}

void tunnel_keys_clear(struct tunnel_keys *k)
{
	for (size_t i = 0; i < k->n_chain; i++) {
		hf_cert_clear(&k->chain[i]);
		hf_buf_clear(&k->staple[i]);
	}
	for (size_t i = 0; i < k->n_roots; i++)
		hf_cert_clear(&k->roots[i]);
	for (size_t i = 0; i < k->n_crls; i++)
		hf_crl_clear(&k->crls[i]);
	hf_cert_clear(&k->enc);
	hf_sm2_key_clear(&k->key);
	hf_sm2_key_clear(&k->enc_key);
	memset(k, 0, sizeof(*k));
}

void tunnel_keys_tls(
	struct hf_tls_config *tls, const struct tunnel_keys *k, const struct tunnel_service *s)
{
	hf_tls_config_init(tls, s->is_server ? HF_TLS_SERVER : HF_TLS_CLIENT, s->level);
	tls->mem = hf_os_mem();
	tls->protocols = s->protocols;
	tls->chain = k->der;
	tls->n_chain = k->n_chain;
	tls->roots = k->roots;
	tls->n_roots = k->n_roots;
	tls->staples = k->staples;
	tls->ask_staple = tls->need_crl; /* where lists are needed, an answer does as well */
	tls->ask_client_cert = true;
	tls->require_client_cert = s->is_server; /* the access list is about certificates */
	tls->limits.handshake_ms = s->handshake_ms;
	tls->limits.plain_max = (size_t)4 * HF_TLS_CIPHER_MAX;
}
