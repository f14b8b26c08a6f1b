/* SPDX-License-Identifier: Apache-2.0 */
/* Lists that links go by. */
#include "tunnel_lists.h"

#include <string.h>

#include "os/heap.h"
#include "pki/status.h"

_Static_assert((int)TUNNEL_CRLS_MAX + 2 * (int)HF_CRLS_ISSUERS_MAX <= (int)HF_STATUS_CRLS_MAX,
	"a look-up takes all of them");

hf_err tunnel_files_new(struct tunnel_files **out, struct tunnel_keys *k)
{
	struct tunnel_files *f = hf_mem_new(hf_os_mem(), sizeof(*f));

	if (f == NULL)
		return HF_ERR_NO_MEMORY;
	atomic_init(&f->refs, 1);
	memcpy(f->crls, k->crls, sizeof(f->crls));
	f->n = k->n_crls;
	memset(k->crls, 0, sizeof(k->crls));
	k->n_crls = 0;
	*out = f;
	return HF_OK;
}

void tunnel_files_unref(struct tunnel_files *f)
{
	if (f == NULL || atomic_fetch_sub(&f->refs, 1) > 1)
		return;
	for (size_t i = 0; i < f->n; i++)
		hf_crl_clear(&f->crls[i]);
	hf_mem_free(hf_os_mem(), f);
}

/* Of one issuer, as far as that is known, and of one kind. */
static bool is_alike(const struct hf_crl *a, const struct hf_crl *b)
{
	return hf_bytes_eq(a->issuer, b->issuer) && a->is_delta == b->is_delta && a->is_checked &&
	       b->is_checked && memcmp(&a->key, &b->key, sizeof(a->key)) == 0;
}

/* The newest list of a kind; NULL: none. */
static const struct hf_crl *newest(const struct tunnel_files *f, const struct hf_crl *like)
{
	const struct hf_crl *found = NULL;

	for (size_t i = 0; i < f->n; i++)
		if (is_alike(&f->crls[i], like) &&
			(found == NULL || hf_crl_follows(&f->crls[i], found, NULL) == HF_OK))
			found = &f->crls[i];
	return found;
}

hf_err tunnel_files_follow(
	const struct tunnel_files *next, const struct tunnel_files *have, struct hf_errinfo *ei)
{
	for (size_t i = 0; i < have->n; i++) {
		const struct hf_crl *before = newest(have, &have->crls[i]);
		const struct hf_crl *after = newest(next, &have->crls[i]);
		hf_err e =
			before == NULL || after == NULL ? HF_OK : hf_crl_follows(after, before, ei);

		if (e != HF_OK && e != HF_ERR_EXISTS)
			return e;
	}
	return HF_OK;
}

hf_err tunnel_lists_new(
	struct tunnel_lists **out, struct tunnel_files *files, const struct hf_crls *fetched)
{
	const struct hf_crls_view *view = fetched == NULL ? NULL : hf_crls_hold(fetched);
	size_t n_view = view == NULL ? 0 : view->n_crls;
	size_t n = files->n + n_view;
	struct tunnel_lists *l = hf_mem_new(hf_os_mem(), sizeof(*l) + n * sizeof(struct hf_crl));

	if (l == NULL) {
		hf_crls_unhold(view);
		return HF_ERR_NO_MEMORY;
	}
	atomic_init(&l->refs, 1);
	(void)atomic_fetch_add(&files->refs, 1);
	l->files = files;
	l->view = view;
	l->n = n;
	memcpy(l->crls, files->crls, files->n * sizeof(struct hf_crl));
	if (n_view > 0)
		memcpy(l->crls + files->n, view->crls, n_view * sizeof(struct hf_crl));
	*out = l;
	return HF_OK;
}

struct tunnel_lists *tunnel_lists_ref(struct tunnel_lists *l)
{
	(void)atomic_fetch_add(&l->refs, 1);
	return l;
}

void tunnel_lists_unref(struct tunnel_lists *l)
{
	if (l == NULL || atomic_fetch_sub(&l->refs, 1) > 1)
		return;
	tunnel_files_unref(l->files);
	hf_crls_unhold(l->view);
	hf_mem_free(hf_os_mem(), l);
}
