/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/service.h"

#include "base/attr.h"
#include "crypto/module.h"

/* clang-format off */
static const struct hf_service services[] = {
	{ "start", "hf_module_start", "GB/T 37092-2018 7.10", NULL, HF_ROLE_OFFICER, true },
	{ "self-test", "hf_module_selftest hf_module_fail", "GB/T 37092-2018 7.10", NULL, HF_ROLE_OFFICER, true },
	{ "zeroize", "hf_module_zeroize", "GB/T 37092-2018 7.9.7", NULL, HF_ROLE_OFFICER, true },
	{ "status", "hf_module hf_module_check hf_module_check_out hf_module_next hf_module_advice hf_module_*_at hf_module_*_name hf_service_*",
	  "GB/T 37092-2018 7.4", NULL, HF_ROLE_ANY, true },
	{ "sm3", "hf_sm3 hf_sm3_*", "GB/T 32905-2016", "sm3", HF_ROLE_USER, true },
	{ "tree-sm3", "hf_tree_*", "docs/formats/tree-sm3.md", "tree-sm3", HF_ROLE_USER, false },
	{ "hmac-sm3", "hf_hmac_*", "GB/T 15852.2-2012", "hmac-sm3", HF_ROLE_USER, true },
	{ "sm2-kdf", "hf_sm2_kdf", "GB/T 32918.4-2016 5.4.3", "sm2-kdf", HF_ROLE_USER, true },
	{ "hkdf-sm3", "hf_hkdf hf_hkdf_*", "RFC 5869, RFC 8446 7.1", "hkdf-sm3", HF_ROLE_USER, false },
	{ "pbkdf2-sm3", "hf_pbkdf2 hf_pbkdf2_batch", "GM/T 0091-2020", "pbkdf2-sm3", HF_ROLE_USER, true },
	{ "tlcp-prf", "hf_tlcp_prf", "GB/T 38636-2020 6.5", "tlcp-prf", HF_ROLE_USER, true },
	{ "random", "hf_drbg_* hf_health_feed", "GM/T 0105-2021", "sm3-drbg", HF_ROLE_USER, true },
	{ "sm2-key", "hf_sm2_key_*", "GB/T 32918.1-2016 6", "sm2", HF_ROLE_USER, true },
	{ "sm2-public-key", "hf_sm2_pub_*", "GB/T 32918.1-2016 4.2", "sm2", HF_ROLE_USER, true },
	{ "sm2-sign", "hf_sm2_sign hf_sm2_sign_* hf_sm2_sig_emit_der hf_sm2_z hf_sm2_digest",
	  "GB/T 32918.2-2016 6", "sm2", HF_ROLE_USER, true },
	{ "sm2-verify", "hf_sm2_verify hf_sm2_verify_* hf_sm2_sig_parse_der", "GB/T 32918.2-2016 7", "sm2",
	  HF_ROLE_USER, true },
	{ "sm2-encrypt", "hf_sm2_encrypt hf_sm2_cipher_emit_der", "GB/T 32918.4-2016 6", "sm2", HF_ROLE_USER, true },
	{ "sm2-decrypt", "hf_sm2_decrypt hf_sm2_cipher_parse_der", "GB/T 32918.4-2016 7", "sm2", HF_ROLE_USER, true },
	{ "sm2-exchange", "hf_sm2_kex_key", "GB/T 32918.3-2016 6", "sm2", HF_ROLE_USER, true },
	{ "sm2-ecdh", "hf_sm2_ecdh hf_sm2_ecdh_batch", "RFC 8998 3.3", "sm2", HF_ROLE_USER, false },
	{ "sm4", "hf_sm4_init hf_sm4_clear hf_sm4_ecb_* hf_sm4_cbc_* hf_sm4_ctr", "GB/T 32907-2016, GB/T 17964-2021", "sm4",
	  HF_ROLE_USER, true },
	{ "sm4-modes", "hf_sm4_crypt hf_sm4_stream_*", "GB/T 17964-2021", "sm4-modes", HF_ROLE_USER, true },
	{ "sm4-gcm", "hf_gcm_*", "GB/T 36624-2018", "sm4-gcm", HF_ROLE_USER, true },
	{ "sm4-ccm", "hf_ccm_*", "GB/T 36624-2018", "sm4-ccm", HF_ROLE_USER, true },
	{ "sm4-xts", "hf_xts_*", "GB/T 17964-2021", "sm4-xts", HF_ROLE_USER, true },
	{ "sm4-hctr", "hf_hctr_*", "GB/T 17964-2021", "sm4-hctr", HF_ROLE_USER, true },
	{ "sm4-mac", "hf_sm4_mac hf_sm4_mac_*", "GB/T 15852.1-2020", "sm4-mac", HF_ROLE_USER, true },
	{ "sm4-gmac", "hf_sm4_gmac", "GB/T 15852.3-2019", "sm4-gcm", HF_ROLE_USER, true },
	{ "sm4-ctr-drbg", "hf_ctr_drbg_*", "GM/T 0105-2021", "sm4-ctr-drbg", HF_ROLE_USER, true },
};
/* clang-format on */

const struct hf_service *hf_service_at(size_t i)
{
	return i < HF_COUNT(services) ? &services[i] : NULL;
}

bool hf_service_is_approved(const struct hf_service *s)
{
	return s->has_standard && hf_module()->is_approved && hf_module()->state == HF_MODULE_READY;
}

const char *hf_service_role(const struct hf_service *s)
{
	static const char *const names[] = {
		[HF_ROLE_OFFICER] = "officer",
		[HF_ROLE_USER] = "user",
		[HF_ROLE_ANY] = "any",
	};

	return names[s->role];
}
