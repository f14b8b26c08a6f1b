/* SPDX-License-Identifier: Apache-2.0 */
/* Fixed-size secrets. */
#include "base/secret.h"

#include <string.h>

#include "base/wipe.h"

hf_err hf_secret_init(struct hf_secret *s, size_t len)
{
	if (len > HF_SECRET_MAX)
		return HF_ERR_LIMIT;
	hf_wipe(s, sizeof(*s));
	s->len = len;
	return HF_OK;
}

hf_err hf_secret_copy(struct hf_secret *s, const void *bytes, size_t len)
{
	HF_TRY(hf_secret_init(s, len));
	if (len > 0)
		memcpy(s->b, bytes, len);
	return HF_OK;
}

void hf_secret_clear(struct hf_secret *s)
{
	hf_wipe(s, sizeof(*s));
}
