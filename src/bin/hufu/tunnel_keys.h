/* SPDX-License-Identifier: Apache-2.0 */
/* What a service of a tunnel shows and believes: certificates, key, roots and lists, from files. */
#ifndef HF_BIN_HUFU_TUNNEL_KEYS_H
#define HF_BIN_HUFU_TUNNEL_KEYS_H

#include "pki/chain.h"
#include "svc/env.h"
#include "tls/tls.h"
#include "tunnel_config.h"

enum { TUNNEL_ROOT_CERTS_MAX = 64 };

/* Read-only while links use it. The key lies in this process: who looks into it has the key. */
struct tunnel_keys {
	struct hf_cert chain[HF_CHAIN_MAX]; /* leaf first */
	struct hf_bytes der[HF_CHAIN_MAX];
	size_t n_chain;
	struct hf_buf staple[HF_CHAIN_MAX]; /* status of each of chain; empty: none */
	struct hf_bytes staples[HF_CHAIN_MAX];
	struct hf_sm2_key key;
	bool has_enc; /* TLCP: a second pair, for encryption */
	struct hf_cert enc;
	struct hf_sm2_key enc_key;
	struct hf_cert roots[TUNNEL_ROOT_CERTS_MAX];
	size_t n_roots;
	struct hf_crl crls[TUNNEL_CRLS_MAX]; /* until they are taken, see tunnel_lists.h */
	size_t n_crls;
};

/* ei names the file. End it with tunnel_keys_clear(), whatever was returned. */
HF_MUST_USE hf_err tunnel_keys_load(struct tunnel_keys *k, const struct hf_env *env,
	const struct tunnel_service *s, struct hf_errinfo *ei);
void tunnel_keys_clear(struct tunnel_keys *k);

/* The part of a link's configuration that is the same for all loops, but for lists. */
void tunnel_keys_tls(
	struct hf_tls_config *tls, const struct tunnel_keys *k, const struct tunnel_service *s);

#endif
