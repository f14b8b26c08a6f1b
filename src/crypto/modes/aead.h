/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the modes that seal, GCM and CCM, share: the end of a message once its tag is known, and the
 * known answers of RFC 8998 A, one message for both. Inside the module only.
 */
#ifndef HF_CRYPTO_MODES_AEAD_H
#define HF_CRYPTO_MODES_AEAD_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/ct.h"
#include "base/err.h"
#include "base/wipe.h"
#include "crypto/gcm.h"

enum {
	HF_AEAD_TAG_MAX = 16, /* what either mode makes; a->tag_len of it are used */
	HF_AEAD_EXAMPLE_LEN = 64,
};

/*
 * What is left to do with a whole tag: sealing gives it out, opening compares and wipes it.
 * HF_ERR_AUTH: it is another; a->out is zeroed.
 */
HF_MUST_USE static inline hf_err hf_aead_settle(
	const struct hf_aead *a, uint8_t tag[HF_AEAD_TAG_MAX], bool seal)
{
	bool same;

	if (seal) {
		memcpy(a->tag, tag, a->tag_len);
		return HF_OK;
	}
	same = hf_ct_eq(tag, a->tag, a->tag_len);
	hf_wipe(tag, HF_AEAD_TAG_MAX); /* the right tag of a forgery is nobody's business */
	if (same)
		return HF_OK;
	hf_wipe(a->out, a->in_len);
	return HF_ERR_AUTH;
}

/* The message of RFC 8998 A, to be sealed; text is opened in place. */
struct hf_aead_example {
	struct hf_aead a; /* from plain to text; its tag is tag */
	uint8_t plain[HF_AEAD_EXAMPLE_LEN];
	uint8_t text[HF_AEAD_EXAMPLE_LEN];
	uint8_t tag[HF_AEAD_TAG_MAX];
};

/* What a mode makes of it. */
struct hf_aead_answer {
	uint8_t end[8]; /* of the ciphertext */
	uint8_t tag[HF_AEAD_TAG_MAX];
};

extern const uint8_t hf_aead_example_key[HF_SM4_KEY_LEN];

void hf_aead_example_init(struct hf_aead_example *x);
bool hf_aead_example_is_sealed(const struct hf_aead_example *x, const struct hf_aead_answer *want);
bool hf_aead_example_is_opened(const struct hf_aead_example *x);

#endif
