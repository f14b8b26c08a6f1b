/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Uploads: a body whose files cover its chunks, and an envelope that a stranger cannot open. */
#include "object.h"

#include "pkg/upload.h"

static void try_unwrap(const struct hf_upload *u)
{
	static const uint8_t d[HF_SM2_LEN] = { [31] = 77 };
	static struct hf_sm2_key stranger;
	struct hf_local_key local = { &stranger, NULL };
	struct hf_decrypter key;
	struct hf_cms_party self;
	struct hf_grant_keys keys;

	if (stranger.d[31] == 0)
		must(hf_sm2_key_from_private(&stranger, d) == HF_OK);
	key = hf_decrypter_local(&local);
	self = (struct hf_cms_party){ .pub = stranger.pub };
	hf_grant_keys_init(&keys, &test_mem);
	must(hf_upload_unwrap(&keys, u, &self, &key, NULL) != HF_OK);
	hf_grant_keys_clear(&keys);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_UPLOAD, data, len);
	struct hf_pkg_scope scope;
	struct hf_pkg_file f;
	struct hf_upload u;
	struct hf_bytes rest;
	uint64_t n_chunks = 0;
	size_t n = 0;

	if (hf_upload_parse(&u, content, NULL) != HF_OK)
		return 0;
	must(u.kind >= HF_UPLOAD_INCREMENT && u.kind <= HF_UPLOAD_OTHER);
	must(hf_id_is_valid(u.domain) && hf_id_is_valid(u.device) && hf_id_is_valid(u.recipient));
	rest = u.body.files;
	for (; hf_pkg_file_take(&f, &rest) == HF_OK; n++)
		n_chunks += f.n_chunks;
	must(n == u.body.n_files && n_chunks == u.body.n_chunks && rest.len == 0);
	hf_upload_scope(&scope, &u);
	try_unwrap(&u);
	return 0;
}
