/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Channels: every lineage that is listed is found, in ascending order, and there is one encoding.
 */
#include "object.h"

#include "pkg/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_CHANNEL, data, len);
	struct hf_channel_release r;
	struct hf_channel_release found;
	struct hf_channel c;
	struct hf_bytes rest;
	struct hf_buf again;
	char last[HF_ID_MAX + 1] = "";
	size_t n = 0;

	if (hf_channel_parse(&c, content, NULL) != HF_OK)
		return 0;
	rest = c.releases;
	for (; hf_channel_release_take(&r, &rest) == HF_OK; n++) {
		must(strcmp(last, r.lineage) < 0 && r.floor <= r.release);
		memcpy(last, r.lineage, sizeof(last));
		if (n < 100)
			must(hf_channel_find(&found, &c, r.lineage) == HF_OK &&
				found.release == r.release);
	}
	must(n == c.n_releases && rest.len == 0 && c.serial > 0);
	must(hf_channel_find(&found, &c, "no-such-lineage-of-a-seed") == HF_ERR_NOT_FOUND || n > 0);
	hf_buf_init(&again, &test_mem, 8 << 20);
	must(hf_channel_emit(&again, &c, NULL) == HF_OK);
	must_equal(&again, content);
	return 0;
}
