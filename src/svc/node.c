/* SPDX-License-Identifier: Apache-2.0 */
#include "svc/node.h"

#include <stdio.h>
#include <string.h>

#include "os/dir.h"
#include "os/file.h"

/* The party fits the configuration: what a node says of itself is what its certificate says. */
static hf_err check_party(const struct hf_node *n, struct hf_errinfo *ei)
{
	const struct hf_identity *id = &n->party.identity;

	if (id->role != n->config.role)
		return hf_fail(ei, HF_ERR_ARG, "%s: certs/sign.crt is of a %s, configured is a %s",
			n->dir, hf_role_name(id->role), hf_role_name(n->config.role));
	if (strcmp(id->id, n->config.id) != 0)
		return hf_fail(ei, HF_ERR_ARG, "%s: certs/sign.crt is of %s, configured is %s",
			n->dir, id->id, n->config.id);
	return HF_OK;
}

static hf_err load_hub_enc(struct hf_node *n, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];

	if (n->config.role == HF_ROLE_HUB)
		return HF_OK; /* its own certificate says it */
	HF_TRY(hf_path_join(path, n->dir, "certs/hub-enc.crt", ei));
	HF_TRY(hf_cert_load(&n->hub_enc, n->env, path, ei));
	if (!n->hub_enc.has_identity || n->hub_enc.identity.role != HF_ROLE_HUB)
		return hf_fail(ei, HF_ERR_FORMAT, "%s: is not of a hub", path);
	return HF_OK;
}

static void forget_party(struct hf_node *n)
{
	hf_party_clear(&n->party);
	hf_cert_clear(&n->hub_enc);
	n->is_member = false;
}

hf_err hf_node_reload(struct hf_node *n, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];
	struct hf_file_stat st;
	hf_err e;

	forget_party(n);
	HF_TRY(hf_path_join(path, n->dir, "certs/sign.crt", ei));
	/* A hub is born with its party; everybody else may still have to enrol. */
	if (n->config.role != HF_ROLE_HUB && hf_file_stat(&st, path, NULL) == HF_ERR_NOT_FOUND)
		return HF_OK;
	e = hf_party_open(&n->party, n->env, n->dir, ei);
	if (e == HF_OK)
		e = check_party(n, ei);
	if (e == HF_OK)
		e = load_hub_enc(n, ei);
	if (e == HF_OK)
		n->is_member = true;
	else
		forget_party(n);
	return e;
}

static hf_err open_stores(struct hf_node *n, struct hf_errinfo *ei)
{
	char path[HF_PATH_MAX];

	HF_TRY(hf_dir_make(n->dir, 0755, ei));
	HF_TRY(hf_path_join(path, n->dir, "resume", ei));
	HF_TRY(hf_dir_make(path, 0700, ei));
	HF_TRY(hf_path_join(path, n->dir, "objects", ei));
	HF_TRY(hf_blobs_init(&n->blobs, n->env->mem, path, n->config.quota, ei));
	HF_TRY(hf_path_join(path, n->dir, "meta.db", ei));
	return hf_meta_new(&n->meta, n->env->mem, path, ei);
}

hf_err hf_node_open(struct hf_node *n, const struct hf_env *env,
	const struct hf_node_config *config, struct hf_key_client *keys, struct hf_errinfo *ei)
{
	hf_err e;

	memset(n, 0, sizeof(*n));
	n->blobs.lock = -1;
	n->env = env;
	n->keys = keys;
	n->config = *config;
	if (!hf_id_is_valid(config->id))
		return hf_fail(ei, HF_ERR_ARG, "%.64s: not the id of a node", config->id);
	if (snprintf(n->dir, sizeof(n->dir), "%s", config->dir) >= (int)sizeof(n->dir))
		return hf_fail(ei, HF_ERR_LIMIT, "%s: the path is too long", config->dir);
	e = open_stores(n, ei);
	if (e == HF_OK)
		e = hf_node_reload(n, ei);
	if (e != HF_OK)
		hf_node_close(n);
	return e;
}

void hf_node_close(struct hf_node *n)
{
	forget_party(n);
	hf_meta_free(n->meta);
	n->meta = NULL;
	hf_blobs_clear(&n->blobs);
}
