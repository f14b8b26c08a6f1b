/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/issue.h"

#include <stdio.h>

#include "base/wr.h"
#include "policy/policy.h"

enum {
	SERIAL_LEN = 16,
	BACKDATE_S = 300, /* clocks of devices run behind */
	CN_MAX = HF_ID_MAX + 32,
};

/* clang-format off */
static const struct kind {
	const char *suffix;  /* of the common name, behind domain or id */
	unsigned key_usage;
	unsigned eku;
	bool is_ca;
	uint64_t life_s;     /* 0: policy */
} kinds[] = {
	[HF_ISSUE_ROOT_CA] = { " root CA",    HF_KU_CA,                0,                              true,  UINT64_C(20) * 365 * 86400 },
	[HF_ISSUE_CA]      = { " issuing CA", HF_KU_CA,                0,                              true,  UINT64_C(5) * 365 * 86400 },
	[HF_ISSUE_SIGN]    = { "",            HF_KU_DIGITAL_SIGNATURE, HF_EKU_SERVER | HF_EKU_CLIENT,  false, 0 },
	[HF_ISSUE_ENC]     = { "",            HF_KU_ENCRYPT,           0,                              false, 0 },
};
/* clang-format on */

hf_err hf_issue_cert(const struct hf_env *env, struct hf_buf *out, const struct hf_issue *what,
	const struct hf_signer *ca, struct hf_errinfo *ei)
{
	const struct kind *k = &kinds[what->kind];
	char cn[CN_MAX];
	uint8_t name[HF_NAME_DER_MAX];
	uint8_t serial[SERIAL_LEN];
	struct hf_writer w = { .p = name, .cap = sizeof(name) };
	struct hf_cert_spec spec = {
		.serial = serial,
		.serial_len = sizeof(serial),
		.issuer = what->issuer,
		.not_before_s = what->now_s - BACKDATE_S,
		.key = what->key,
		.is_ca = k->is_ca,
		.has_path_len = what->kind == HF_ISSUE_CA,
		.path_len = 0,
		.key_usage = k->key_usage,
		.eku = k->eku,
		.identity = k->is_ca ? NULL : &what->identity,
	};
	uint64_t life_s = what->life_s != 0 ? what->life_s : k->life_s;

	if (life_s == 0)
		life_s = hf_policy(HF_ROW_DEVICE_CERT_LIFE, what->identity.level);
	spec.not_after_s = what->now_s + life_s;
	(void)snprintf(cn, sizeof(cn), "%s%s", k->is_ca ? what->identity.domain : what->identity.id,
		k->suffix);
	hf_name_emit(&w, NULL, what->identity.domain, cn);
	HF_TRY(hf_wr_done(&w));
	spec.subject = (struct hf_bytes){ name, w.len };
	if (spec.issuer.len == 0)
		spec.issuer = spec.subject;
	HF_TRY(hf_rng_fill(&env->rng, serial, sizeof(serial)));
	serial[0] = (uint8_t)((serial[0] & 0x7f) | 0x40); /* positive, of full length */
	return hf_cert_build(out, &spec, ca, ei);
}
