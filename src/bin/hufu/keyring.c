/* SPDX-License-Identifier: Apache-2.0 */
#include "keyring.h"

#include <string.h>

#include "base/wipe.h"
#include "keys/slots.h"
#include "os/file.h"
#include "os/tty.h"
#include "svc/domain.h"

hf_err hufu_passphrase_load(struct hf_buf *out, const char *path, struct hf_errinfo *ei)
{
	size_t len;

	HF_TRY(hf_file_load_input(out, path, ei));
	len = out->len;
	if (len > 0 && out->p[len - 1] == '\n')
		len--;
	if (len > 0 && out->p[len - 1] == '\r')
		len--;
	if (len == 0 || memchr(out->p, '\n', len) != NULL)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: must hold one line, the passphrase", path);
	out->len = len;
	return HF_OK;
}

static hf_err open_by_shares(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *slots,
	const struct hf_env *env, const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_share shares[HF_SHARES_MAX];
	struct hf_errinfo why = { .code = HF_OK };
	struct hf_buf text;
	const char *path;
	size_t at = 0;
	size_t n = 0;
	hf_err e = HF_OK;

	hf_buf_init(&text, env->mem, (size_t)2 * HF_SHARE_TEXT_MAX);
	while (e == HF_OK && (path = hufu_arg_next(a, "share", &at)) != NULL) {
		hf_buf_reset(&text);
		if (n == HF_SHARES_MAX)
			e = hf_fail(ei, HF_ERR_ARG, "more than %d shares", HF_SHARES_MAX);
		if (e == HF_OK)
			e = hf_file_load_input(&text, path, ei);
		if (e == HF_OK) {
			e = hf_share_parse(&shares[n], (const char *)text.p, text.len, &why);
			if (e != HF_OK)
				(void)hf_fail(ei, e, "%s: %s", path, why.text);
			n++;
		}
	}
	if (e == HF_OK)
		e = hf_slots_open_shares(seed, slots, shares, n, ei);
	hf_buf_clear(&text);
	hf_wipe(shares, sizeof(shares));
	return e;
}

static hf_err open_by_passphrase(uint8_t seed[HF_KEY_SEED_LEN], const struct hf_slots *slots,
	const struct hf_env *env, const char *path, struct hf_errinfo *ei)
{
	struct hf_buf text;
	hf_err e;

	hf_buf_init(&text, env->mem, HUFU_PASSPHRASE_MAX);
	if (path != NULL)
		e = hufu_passphrase_load(&text, path, ei);
	else
		e = hf_tty_passphrase(&text, "passphrase of the root seed: ", ei);
	if (e == HF_ERR_NOT_FOUND && path == NULL && ei->code != HF_OK)
		*ei = (struct hf_errinfo){ .code = HF_OK };
	if (e == HF_ERR_NOT_FOUND && path == NULL)
		e = hf_fail(ei, HF_ERR_ARG,
			"the root seed is closed: give --share of enough custodians, or "
			"--passphrase-file");
	if (e == HF_OK)
		e = hf_slots_open_passphrase(seed, slots, text.p, text.len, ei);
	hf_buf_clear(&text);
	return e;
}

/* <dir>/hub if dir is the folder of a domain. */
static hf_err hub_dir(char out[HF_PATH_MAX], const char *dir, struct hf_errinfo *ei)
{
	struct hf_file_stat st;
	char path[HF_PATH_MAX];

	HF_TRY(hf_path_join(path, dir, "hub/certs/sign.crt", ei));
	if (hf_file_stat(&st, path, NULL) == HF_OK)
		return hf_path_join(out, dir, "hub", ei);
	if (strlen(dir) >= HF_PATH_MAX)
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", dir);
	memcpy(out, dir, strlen(dir) + 1);
	return HF_OK;
}

hf_err hufu_hub_open(struct hf_party *hub, struct hf_sm2_key *key, const struct hf_env *env,
	const char *dir, const struct hufu_args *a, struct hf_errinfo *ei)
{
	uint8_t seed[HF_KEY_SEED_LEN];
	uint8_t wrap[HF_KEY_SEED_LEN];
	struct hf_slots slots;
	char path[HF_PATH_MAX];
	hf_err e;

	HF_TRY(hub_dir(path, dir, ei));
	HF_TRY(hf_party_open(hub, env, path, ei));
	if (hub->identity.role != HF_ROLE_HUB) {
		e = hf_fail(ei, HF_ERR_DENIED,
			"%s: is a %s; only the hub has the key that opens a deposit", path,
			hf_role_name(hub->identity.role));
		goto out;
	}
	e = hf_domain_slots(&slots, env, path, ei);
	if (e == HF_OK)
		e = hufu_has(a, "share") ? open_by_shares(seed, &slots, env, a, ei)
					 : open_by_passphrase(seed, &slots, env,
						   hufu_arg(a, "passphrase-file"), ei);
	if (e == HF_OK)
		e = hf_root_derive(wrap, seed, "wrap");
	if (e == HF_OK)
		e = hf_party_key(env, hub, "enc", wrap, key, ei);
	hf_wipe(seed, sizeof(seed));
	hf_wipe(wrap, sizeof(wrap));
out:
	if (e != HF_OK)
		hf_party_clear(hub);
	return e;
}
