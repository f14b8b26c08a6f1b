/* SPDX-License-Identifier: Apache-2.0 */
/* layer: svc */
/*
 * usage: make_log HUB_DIR SHARE_FILE...
 * Writes an audit log of 30 records into a hub's folder, as its key process would: for tests of
 * hufu audit.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/module.h"
#include "keys/slots.h"
#include "os/file.h"
#include "svc/domain.h"
#include "svc/journal.h"
#include "svc/party.h"

static hf_err load_shares(struct hf_share *shares, const struct hf_env *env, char **paths, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct hf_buf text;
		hf_err e;

		hf_buf_init(&text, env->mem, 1024);
		e = hf_file_load(&text, paths[i], NULL);
		if (e == HF_OK)
			e = hf_share_parse(&shares[i], (const char *)text.p, text.len, NULL);
		hf_buf_clear(&text);
		HF_TRY(e);
	}
	return HF_OK;
}

static hf_err write_log(const struct hf_env *env, const struct hf_party *hub,
	const struct hf_signer *signer, struct hf_errinfo *ei)
{
	struct hf_journal j = { .env = NULL };
	char dir[HF_PATH_MAX];
	char id[HF_AUDIT_LOG_ID_MAX];
	hf_err e;

	(void)snprintf(id, sizeof(id), "%.40s/%.40s/audit", hub->identity.domain, hub->identity.id);
	HF_TRY(hf_path_join(dir, hub->dir, "audit", ei));
	e = hf_journal_open(&j, env, dir, id, signer, ei);
	for (unsigned i = 0; e == HF_OK && i < 30; i++) {
		struct hf_audit_event_in in = { .event = i % 3 == 0 ? HF_EV_TOKEN_ISSUE
								    : HF_EV_HANDSHAKE_REFUSED,
			.result = i % 3 == 0 ? HF_RESULT_OK : HF_RESULT_DENIED,
			.reason = i % 3 == 0 ? HF_OK : HF_ERR_AUTH,
			.actor = "device:dev-01",
			.subject = "hub:hub-1" };

		e = hf_journal_add(&j, &in, NULL, ei);
	}
	hf_journal_close(&j);
	return e;
}

int main(int argc, char **argv)
{
	struct hf_errinfo ei = { .code = HF_OK };
	struct hf_share shares[HF_SHARES_MAX];
	uint8_t seed[HF_KEY_SEED_LEN];
	uint8_t wrap[HF_KEY_SEED_LEN];
	struct hf_sm2_key key = { .d = { 0 } };
	struct hf_local_key local = { .key = &key };
	struct hf_signer signer;
	struct hf_slots slots;
	struct hf_party hub;
	struct hf_env env;
	size_t n = argc > 2 ? (size_t)argc - 2 : 0;
	hf_err e;

	if (n == 0 || n > HF_SHARES_MAX || hf_module_start(0) != HF_OK ||
		hf_env_init(&env, 0, &ei) != HF_OK)
		return 2;
	local.rng = &env.rng;
	e = hf_party_open(&hub, &env, argv[1], &ei);
	if (e == HF_OK)
		e = hf_domain_slots(&slots, &env, argv[1], &ei);
	if (e == HF_OK)
		e = load_shares(shares, &env, argv + 2, n);
	if (e == HF_OK)
		e = hf_slots_open_shares(seed, &slots, shares, n, &ei);
	if (e == HF_OK)
		e = hf_root_derive(wrap, seed, "wrap");
	if (e == HF_OK)
		e = hf_party_key(&env, &hub, "audit", wrap, &key, &ei);
	if (e == HF_OK) {
		signer = hf_signer_local(&local);
		e = write_log(&env, &hub, &signer, &ei);
	}
	if (e != HF_OK)
		fprintf(stderr, "make_log: %s: %s\n", hf_err_name(e), ei.text);
	hf_party_clear(&hub);
	hf_sm2_key_clear(&key);
	hf_env_clear(&env);
	return hf_err_exit(e);
}
