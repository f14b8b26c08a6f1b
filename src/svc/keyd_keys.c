/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys of a node: read, or made where a newcomer has none yet, and kept in locked pages. */
#include "svc/keyd_inner.h"

#include <string.h>

#include "base/wipe.h"
#include "crypto/hmac.h"
#include "keys/slots.h"

static const char state_label[] = "hufu/state/1";

hf_err hf_keyd_secrets_new(struct hf_keyd *k)
{
	/* Where locking is denied the node works on; the start record says so. */
	if (hf_lockmem_init(&k->locked, sizeof(*k->secrets), NULL) == HF_OK)
		k->secrets = (struct hf_keyd_secrets *)(void *)k->locked.p;
	else
		k->secrets = hf_mem_new(k->env->mem, sizeof(*k->secrets));
	return k->secrets == NULL ? HF_ERR_NO_MEMORY : HF_OK;
}

void hf_keyd_keys_open(struct hf_keyd *k)
{
	if (k->locked.p != NULL)
		(void)!hf_lockmem_access(&k->locked, HF_LOCKMEM_READ);
}

void hf_keyd_keys_close(struct hf_keyd *k)
{
	if (k->locked.p != NULL)
		(void)!hf_lockmem_access(&k->locked, HF_LOCKMEM_NONE);
}

void hf_keyd_keys_clear(struct hf_keyd *k)
{
	if (k->locked.p != NULL) {
		hf_lockmem_clear(&k->locked);
	} else if (k->secrets != NULL) {
		hf_wipe(k->secrets, sizeof(*k->secrets));
		hf_mem_free(k->env->mem, k->secrets);
	}
	k->secrets = NULL;
}

/* The party that files of keys are named after. A newcomer has nothing but a folder and an id. */
static hf_err read_key(
	struct hf_keyd *k, const char *purpose, struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	struct hf_party p = { .identity = k->identity };

	memcpy(p.dir, k->dir, sizeof(p.dir));
	return hf_party_key(k->env, &p, purpose, k->secrets->seed, key, ei);
}

/* A pair that was not made yet, by this start or by one that was interrupted. */
static hf_err read_or_make(
	struct hf_keyd *k, const char *purpose, struct hf_sm2_key *key, struct hf_errinfo *ei)
{
	struct hf_errinfo why = { 0 };
	hf_err e = read_key(k, purpose, key, &why);

	if (e != HF_ERR_NOT_FOUND) {
		if (e != HF_OK)
			(void)hf_fail_sys(ei, e, why.sys, "%s", why.text);
		return e;
	}
	e = hf_sm2_key_new(key, &k->env->rng);
	if (e != HF_OK)
		return hf_fail(ei, e, "key %s: cannot be made: %s", purpose, hf_err_text(e));
	k->is_key_new = true;
	return hf_party_put_key(k->env, k->dir, k->identity.id, purpose, k->secrets->seed, key, ei);
}

static hf_err load_newcomer(struct hf_keyd *k, struct hf_errinfo *ei)
{
	HF_TRY(hf_party_make(k->dir, ei));
	HF_TRY(hf_party_seed(k->env, k->dir, true, k->secrets->seed, ei));
	HF_TRY(read_or_make(k, "sign", &k->secrets->sign, ei));
	return read_or_make(k, "enc", &k->secrets->enc, ei);
}

/* Keys and certificates came apart: somebody exchanged one of them. */
static hf_err check_pair(const struct hf_keyd *k, const struct hf_sm2_key *key,
	const struct hf_cert *cert, const char *name, struct hf_errinfo *ei)
{
	if (memcmp(&key->pub, &cert->key, sizeof(key->pub)) != 0)
		return hf_fail(ei, HF_ERR_AUTH, "%s: keys/%s.key is not the key of certs/%s.crt",
			k->dir, name, name);
	return HF_OK;
}

static hf_err load_member(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	struct hf_keyd_secrets *s = k->secrets;
	bool is_hub = k->state == HF_KEY_STATE_HUB;

	if (is_hub && config->root_seed == NULL)
		return hf_fail(ei, HF_ERR_ARG, "%s: a hub needs its root seed", k->dir);
	if (is_hub) {
		HF_TRY(hf_root_derive(s->seed, config->root_seed, "wrap"));
		HF_TRY(hf_root_derive(s->token_key, config->root_seed, "token"));
	} else {
		HF_TRY(hf_party_seed(k->env, k->dir, false, s->seed, ei));
	}
	HF_TRY(read_key(k, "sign", &s->sign, ei));
	HF_TRY(read_key(k, "enc", &s->enc, ei));
	HF_TRY(check_pair(k, &s->sign, &k->party.sign, "sign", ei));
	HF_TRY(check_pair(k, &s->enc, &k->party.enc, "enc", ei));
	if (!is_hub)
		return HF_OK;
	HF_TRY(read_key(k, "issuing-ca", &s->issuing_ca, ei));
	HF_TRY(read_key(k, "director", &s->director, ei));
	HF_TRY(read_key(k, "audit", &s->audit, ei));
	return check_pair(k, &s->issuing_ca, &k->party.issuing_ca, "issuing-ca", ei);
}

static struct hf_signer signer_of(
	const struct hf_keyd *k, struct hf_local_key *local, const struct hf_sm2_key *key)
{
	*local = (struct hf_local_key){ .key = key, .rng = &k->env->rng };
	return hf_signer_local(local);
}

hf_err hf_keyd_keys_load(
	struct hf_keyd *k, const struct hf_keyd_config *config, struct hf_errinfo *ei)
{
	struct hf_keyd_secrets *s = k->secrets;
	bool is_hub = k->state == HF_KEY_STATE_HUB;

	if (k->state == HF_KEY_STATE_NEWCOMER)
		HF_TRY(load_newcomer(k, ei));
	else
		HF_TRY(load_member(k, config, ei));
	hf_hmac_sm3(s->state_key, s->seed, sizeof(s->seed), state_label, sizeof(state_label) - 1);

	k->sign = signer_of(k, &k->sign_key, &s->sign);
	k->enc_key = (struct hf_local_key){ .key = &s->enc };
	k->enc = hf_decrypter_local(&k->enc_key);
	k->log_signer = k->sign;
	if (is_hub) {
		k->ca = signer_of(k, &k->ca_key, &s->issuing_ca);
		k->director = signer_of(k, &k->director_key, &s->director);
		k->log_signer = signer_of(k, &k->audit_key, &s->audit);
	}
	return HF_OK;
}
