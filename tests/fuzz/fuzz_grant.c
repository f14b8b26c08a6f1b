/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Grants and deposits: whatever is read, a stranger's key opens none, and no key is left behind. */
#include "object.h"

#include "pkg/grant.h"

static void try_grant(const uint8_t *data, size_t len, const struct hf_cms_party *self,
	const struct hf_decrypter *key)
{
	struct hf_bytes content = content_of(HF_OBJECT_GRANT, data, len);
	struct hf_grant_keys keys;
	struct hf_grant g;

	if (hf_grant_parse(&g, HF_OBJECT_GRANT, content, NULL) != HF_OK)
		return;
	must(g.context.issued_s <= g.context.not_after_s);
	hf_grant_keys_init(&keys, &test_mem);
	must(hf_grant_unwrap(&keys, &g, self, key, NULL) != HF_OK);
	must(keys.sites.len == 0);
	hf_grant_keys_clear(&keys);
}

static void try_deposit(const uint8_t *data, size_t len, const struct hf_cms_party *self,
	const struct hf_decrypter *key)
{
	struct hf_bytes content = content_of(HF_OBJECT_DEPOSIT, data, len);
	struct hf_deposit_keys keys;
	struct hf_grant g;

	if (hf_grant_parse(&g, HF_OBJECT_DEPOSIT, content, NULL) != HF_OK)
		return;
	hf_deposit_keys_init(&keys, &test_mem);
	must(hf_deposit_unwrap(&keys, &g, self, key, NULL) != HF_OK);
	must(keys.marks.len == 0);
	hf_deposit_keys_clear(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t d[HF_SM2_LEN] = { [31] = 77 };
	static struct hf_sm2_key stranger;
	struct hf_local_key local = { &stranger, NULL };
	struct hf_decrypter key;
	struct hf_cms_party self;

	must(hf_module_start(0) == HF_OK);
	if (stranger.d[31] == 0)
		must(hf_sm2_key_from_private(&stranger, d) == HF_OK);
	key = hf_decrypter_local(&local);
	self = (struct hf_cms_party){ .pub = stranger.pub };
	try_grant(data, len, &self, &key);
	try_deposit(data, len, &self, &key);
	return 0;
}
