/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From secrets to keys (GB/T 38636-2020 6.5), and the suites:
 *
 *	pre-master --PRF--> master --PRF--> key block = c MAC | s MAC | c key | s key | c IV | s IV
 */
#include <string.h>

#include "base/attr.h"
#include "base/wipe.h"
#include "crypto/kdf.h"
#include "tls/tlcp_hs.h"

const struct hf_tlcp_suite hf_tlcp_suites[HF_TLCP_SUITES] = {
	{ 0xe051, HF_TLCP_ECDHE_SM4_GCM_SM3, "ECDHE_SM4_GCM_SM3", &hf_tlcp_kx_ecdhe, &hf_tlcp_gcm,
		false, HF_ROW_LINK_TLCP_ECDHE },
	{ 0xe053, HF_TLCP_ECC_SM4_GCM_SM3, "ECC_SM4_GCM_SM3", &hf_tlcp_kx_ecc, &hf_tlcp_gcm, false,
		HF_ROW_LINK_TLCP_ECC },
	{ 0xe011, HF_TLCP_ECDHE_SM4_CBC_SM3, "ECDHE_SM4_CBC_SM3", &hf_tlcp_kx_ecdhe, &hf_tlcp_cbc,
		true, HF_ROW_LINK_TLCP_ECDHE },
	{ 0xe013, HF_TLCP_ECC_SM4_CBC_SM3, "ECC_SM4_CBC_SM3", &hf_tlcp_kx_ecc, &hf_tlcp_cbc, true,
		HF_ROW_LINK_TLCP_ECC },
};

enum hf_policy_row hf_tlcp_suite_row(
	const struct hf_tls_config *cfg, const struct hf_tlcp_suite *suite)
{
	if (hf_policy(suite->row, cfg->level) == 0)
		return suite->row;
	if (!suite->kx->is_ephemeral && hf_policy(HF_ROW_FORWARD_SECRECY, cfg->level) != 0)
		return HF_ROW_FORWARD_SECRECY;
	if (suite->is_cbc &&
		(!cfg->tlcp->allow_cbc || hf_policy(HF_ROW_LINK_TLCP_CBC, cfg->level) == 0))
		return HF_ROW_LINK_TLCP_CBC;
	if (!suite->is_cbc && hf_policy(HF_ROW_SUITE_GCM, cfg->level) == 0)
		return HF_ROW_SUITE_GCM;
	return HF_ROW_COUNT;
}

bool hf_tlcp_suite_is_on(const struct hf_tls_config *cfg, const struct hf_tlcp_suite *suite)
{
	const struct hf_tlcp_config *tlcp = cfg->tlcp;

	if (tlcp->suites != 0 && (tlcp->suites & suite->bit) == 0)
		return false;
	/* A client has a certificate for each half of ECDHE, or does not offer it. */
	if (suite->kx->is_ephemeral && (cfg->n_chain == 0 || tlcp->enc_key == NULL))
		return false;
	return hf_tlcp_suite_row(cfg, suite) == HF_ROW_COUNT;
}

const struct hf_tlcp_suite *hf_tlcp_suite_find(uint16_t code)
{
	for (size_t i = 0; i < HF_COUNT(hf_tlcp_suites); i++) {
		if (hf_tlcp_suites[i].code == code)
			return &hf_tlcp_suites[i];
	}
	return NULL;
}

void hf_tlcp_make_master(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;

	hf_tlcp_prf(t->tlcp->session.master, HF_TLCP_MASTER_LEN, hs->pms, sizeof(hs->pms),
		"master secret", hs->randoms, sizeof(hs->randoms));
	hf_wipe(hs->pms, sizeof(hs->pms));
	hf_sm2_key_clear(&hs->eph);
}

void hf_tlcp_make_block(struct hf_tls *t)
{
	struct hf_tlcp_hs *hs = t->tlcp->hs;
	const struct hf_tlcp_cipher *c = t->tlcp->suite->cipher;
	uint8_t seed[sizeof(hs->randoms)];

	/* The other way round than above. */
	memcpy(seed, hs->randoms + HF_TLS_RANDOM_LEN, HF_TLS_RANDOM_LEN);
	memcpy(seed + HF_TLS_RANDOM_LEN, hs->randoms, HF_TLS_RANDOM_LEN);
	hf_tlcp_prf(hs->block, 2 * (c->mac_len + c->key_len + c->iv_len), t->tlcp->session.master,
		HF_TLCP_MASTER_LEN, "key expansion", seed, sizeof(seed));
}

static hf_err start(struct hf_tls *t, struct hf_tlcp_dir *d, enum hf_tls_role sender)
{
	const struct hf_tlcp_cipher *c = t->tlcp->suite->cipher;
	const uint8_t *block = t->tlcp->hs->block;
	size_t i = sender == HF_TLS_SERVER ? 1 : 0;
	struct hf_tlcp_keys k = {
		.mac = block + i * c->mac_len,
		.key = block + 2 * c->mac_len + i * c->key_len,
		.iv = block + 2 * (c->mac_len + c->key_len) + i * c->iv_len,
	};

	return hf_tlcp_dir_set(d, c, &k, t->now_ms);
}

hf_err hf_tlcp_start_tx(struct hf_tls *t)
{
	return start(t, &t->tlcp->tx, t->cfg->role);
}

hf_err hf_tlcp_start_rx(struct hf_tls *t)
{
	return start(
		t, &t->tlcp->rx, t->cfg->role == HF_TLS_SERVER ? HF_TLS_CLIENT : HF_TLS_SERVER);
}
