/* SPDX-License-Identifier: Apache-2.0 */
/* layer: pkg */
/* Manifests: what is accepted keeps its promises, walks to the end, and has one encoding. */
#include "object.h"

#include "pkg/manifest.h"

static void walk(const struct hf_manifest *m)
{
	struct hf_bytes rest = m->body.files;
	struct hf_pkg_file f;
	struct hf_dependency dep;
	char tag[HF_HARDWARE_TAG_MAX + 1];
	uint64_t n_chunks = 0;
	size_t n = 0;

	for (; hf_pkg_file_take(&f, &rest) == HF_OK; n++) {
		must(f.first_chunk == n_chunks && hf_pkg_path_is_valid(hf_bytes_str(f.path)));
		n_chunks += f.n_chunks;
	}
	must(n == m->body.n_files && n_chunks == m->body.n_chunks && rest.len == 0);
	rest = m->dependencies;
	for (n = 0; hf_dependency_take(&dep, &rest) == HF_OK; n++)
		must(hf_id_is_valid(dep.lineage) && dep.release > 0);
	must(n == m->n_dependencies && rest.len == 0);
	rest = m->hardware;
	for (n = 0; hf_hardware_take(tag, &rest) == HF_OK; n++)
		must(tag[0] != '\0');
	must(n == m->n_hardware && rest.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct hf_bytes content = content_of(HF_OBJECT_MANIFEST, data, len);
	struct hf_manifest m;
	struct hf_pkg_scope scope;
	struct hf_buf again;

	if (hf_manifest_parse(&m, content, NULL) != HF_OK)
		return 0;
	must(m.floor <= m.release && m.release > 0 && m.created_s < m.expires_s);
	walk(&m);
	hf_manifest_scope(&scope, &m);
	hf_buf_init(&again, &test_mem, 8 << 20);
	must(hf_manifest_emit(&again, &m, NULL) == HF_OK);
	must_equal(&again, content);
	return 0;
}
