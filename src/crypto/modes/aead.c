/* SPDX-License-Identifier: Apache-2.0 */
/* What GCM and CCM share; aead.h. */
#include "crypto/modes/aead.h"

#include "base/ct.h"

const uint8_t hf_aead_example_key[HF_SM4_KEY_LEN] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
	0xef, 0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };

void hf_aead_example_init(struct hf_aead_example *x)
{
	static const uint8_t nonce[HF_GCM_NONCE_LEN] = { 0x00, 0x00, 0x12, 0x34, 0x56, 0x78, 0x00,
		0x00, 0x00, 0x00, 0xab, 0xcd };
	static const uint8_t aad[20] = { 0xfe, 0xed, 0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xfe, 0xed,
		0xfa, 0xce, 0xde, 0xad, 0xbe, 0xef, 0xab, 0xad, 0xda, 0xd2 };
	static const uint8_t eighths[8] = { 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0xee, 0xaa };

	for (size_t i = 0; i < sizeof(x->plain); i++)
		x->plain[i] = eighths[i / 8];
	x->a = (struct hf_aead){ nonce, sizeof(nonce), aad, sizeof(aad), x->plain, sizeof(x->plain),
		x->text, x->tag, sizeof(x->tag) };
}

bool hf_aead_example_is_sealed(const struct hf_aead_example *x, const struct hf_aead_answer *want)
{
	const uint8_t *end = x->text + sizeof(x->text) - sizeof(want->end);

	return hf_ct_eq(end, want->end, sizeof(want->end)) &&
	       hf_ct_eq(x->tag, want->tag, sizeof(want->tag));
}

bool hf_aead_example_is_opened(const struct hf_aead_example *x)
{
	return hf_ct_eq(x->text, x->plain, sizeof(x->text));
}
