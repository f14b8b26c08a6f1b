/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Trust roots: thresholds that can be met, and one encoding; as a first root and as a successor. */
#include "object.h"

#include "pkg/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_ROOT, data, len);
	struct hf_bytes in = { data, len };
	struct hf_root next;
	struct hf_root root;
	struct hf_buf again;

	if (hf_root_open_first(&root, in, NULL) == HF_OK)
		must(hf_root_open_next(&next, &root, in, NULL) == HF_ERR_ROLLBACK);
	if (hf_root_parse(&root, content, NULL) != HF_OK)
		return 0;
	must(root.version > 0 && hf_id_is_valid(root.domain));
	for (size_t i = 0; i < HF_ROOT_ROLES; i++) {
		const struct hf_key_set *set = &root.roles[i];

		must(set->threshold >= 1 && set->threshold <= set->n && set->n <= HF_ROLE_KEYS_MAX);
		for (size_t k = 0; k < set->n; k++)
			must(hf_sm2_pub_check(&set->keys[k]) == HF_OK);
	}
	hf_buf_init(&again, &test_mem, 8 << 20);
	must(hf_root_emit(&again, &root, NULL) == HF_OK);
	must_equal(&again, content);
	return 0;
}
