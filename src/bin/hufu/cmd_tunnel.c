/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hufu tunnel: services from a file, or one from the command line, which is turned into the same
 * configuration; and what a running one says of itself.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "cmd.h"
#include "cmd_tunnel.h"
#include "codec/json_wr.h"
#include "os/file.h"
#include "os/heap.h"
#include "os/unixsock.h"
#include "tunnel_run.h"
#include "view.h"

enum { STATUS_MAX = 512 * 1024, STATUS_WAIT_MS = 5000 };

const struct hufu_opt hufu_opts_tunnel[] = {
	{ "check", NULL, "read and check all of it, say what is wrong, start nothing" },
	{ "server", NULL, "one service: SM links are accepted, plain connections made" },
	{ "client", NULL, "one service: plain connections are accepted, SM links made" },
	{ "accept", "WHERE", "ADDRESS:PORT, unix:PATH or systemd" },
	{ "connect", "WHERE", "HOST:PORT or unix:PATH; again for a second best" },
	{ "certificate", "FILE", "ours, PEM, with its issuers behind it" },
	{ "key", "FILE", "its private key, PKCS#8" },
	{ "passphrase-file", "FILE", "one line: the passphrase of the key" },
	{ "protocol", "NAME", "tls13 (if left out) or tlcp; server: may be repeated" },
	{ "enc-certificate", "FILE", "for tlcp: the second certificate, for encryption" },
	{ "enc-key", "FILE", "its private key, with the same passphrase" },
	{ "party", "DIR", "instead: the folder of an edge, device or publisher" },
	{ "roots", "FILE", "whom certificates of peers have to come from; may be repeated" },
	{ "crl", "FILE", "a list of what is revoked; may be repeated" },
	{ "crl-url", "URL", "http: where such a list lies; may be repeated" },
	{ "crl-cache", "DIR", "with it: the folder for what was fetched" },
	{ "staple", "FILE", "an OCSP response about our certificate; may be repeated" },
	{ "allow", "NAME", "who may use it: id, common or DNS name; may be repeated" },
	{ "server-name", "NAME", "client: what the server's certificate is to carry" },
	{ "level", "1|2|3", "protection level (1)" },
	{ "send-proxy", NULL, "server: tell the target who came (PROXY protocol, version 2)" },
	{ "threads", "N", "loops (one for each processor)" },
	{ "user", "NAME", "become that user once sockets are open" },
	{ "control", "PATH", "socket for hufu tunnel status" },
	{ "log-all", NULL, "tell of every connection, not only of faults" },
	{ NULL, NULL, NULL },
};

/* --- the command line as a configuration --- */

static void put_list(
	struct hf_json_wr *j, const struct hufu_args *a, const char *option, const char *key)
{
	const char *value;
	size_t at = 0;

	if (!hufu_has(a, option))
		return;
	hf_json_wr_key(j, key);
	hf_json_wr_array(j);
	while ((value = hufu_arg_next(a, option, &at)) != NULL)
		hf_json_wr_str(j, value);
	hf_json_wr_end(j);
}

static void put_value(struct hf_json_wr *j, const struct hufu_args *a, const char *option)
{
	if (!hufu_has(a, option))
		return;
	hf_json_wr_key(j, option);
	hf_json_wr_str(j, hufu_arg(a, option));
}

static void put_allow(struct hf_json_wr *j, const struct hufu_args *a)
{
	const char *value;
	size_t at = 0;

	hf_json_wr_key(j, "allow");
	hf_json_wr_array(j);
	while ((value = hufu_arg_next(a, "allow", &at)) != NULL) {
		hf_json_wr_object(j);
		hf_json_wr_key(j, "name");
		hf_json_wr_str(j, value);
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void put_service(struct hf_json_wr *j, const struct hufu_args *a)
{
	static const char *const identity[] = { "certificate", "key", "passphrase-file",
		"enc-certificate", "enc-key", "party" };

	hf_json_wr_object(j);
	hf_json_wr_key(j, "name");
	hf_json_wr_str(j, "tunnel");
	hf_json_wr_key(j, "side");
	hf_json_wr_str(j, hufu_has(a, "server") ? "server" : "client");
	put_value(j, a, "accept");
	put_list(j, a, "connect", "connect");
	put_value(j, a, "server-name");
	put_list(j, a, "protocol", "protocols");
	hf_json_wr_key(j, "identity");
	hf_json_wr_object(j);
	for (size_t i = 0; i < HF_COUNT(identity); i++)
		put_value(j, a, identity[i]);
	put_list(j, a, "staple", "staples");
	hf_json_wr_end(j);
	hf_json_wr_key(j, "trust");
	hf_json_wr_object(j);
	put_list(j, a, "roots", "roots");
	put_list(j, a, "crl", "crls");
	hf_json_wr_end(j);
	put_allow(j, a);
	if (hufu_has(a, "send-proxy")) {
		hf_json_wr_key(j, "proxy");
		hf_json_wr_object(j);
		hf_json_wr_key(j, "send");
		hf_json_wr_bool(j, true);
		hf_json_wr_end(j);
	}
	hf_json_wr_end(j);
}

static void put_revocation(struct hf_json_wr *j, const struct hufu_args *a)
{
	if (!hufu_has(a, "crl-url") && !hufu_has(a, "crl-cache"))
		return;
	hf_json_wr_key(j, "revocation");
	hf_json_wr_object(j);
	put_list(j, a, "crl-url", "urls");
	if (hufu_has(a, "crl-cache")) {
		hf_json_wr_key(j, "cache");
		hf_json_wr_str(j, hufu_arg(a, "crl-cache"));
	}
	hf_json_wr_end(j);
}

static hf_err one_service(struct hf_buf *text, const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_json_wr j = hf_json_wr(text);
	uint64_t threads = 0;

	if (hufu_has(a, "server") == hufu_has(a, "client"))
		return hf_fail(ei, HF_ERR_ARG,
			"name a configuration file, or one of --server and --client");
	if (!hufu_has(a, "accept") || !hufu_has(a, "connect"))
		return hf_fail(ei, HF_ERR_ARG, "--accept and --connect are needed");
	if (hufu_has(a, "server") && !hufu_has(a, "allow"))
		return hf_fail(ei, HF_ERR_ARG,
			"--allow NAME is needed: who may use it; \"*\" for everybody that the "
			"roots "
			"vouch for");
	HF_TRY(hufu_arg_u64(a, "threads", 0, 1, TUNNEL_THREADS_MAX, &threads, ei));
	hf_json_wr_object(&j);
	put_value(&j, a, "level");
	put_value(&j, a, "user");
	put_value(&j, a, "control");
	put_revocation(&j, a);
	if (threads > 0) {
		hf_json_wr_key(&j, "threads");
		hf_json_wr_u64(&j, threads);
	}
	if (hufu_has(a, "log-all")) {
		hf_json_wr_key(&j, "log");
		hf_json_wr_str(&j, "all");
	}
	hf_json_wr_key(&j, "services");
	hf_json_wr_array(&j);
	put_service(&j, a);
	hf_json_wr_end(&j);
	hf_json_wr_end(&j);
	return hf_json_wr_done(&j);
}

/* --- check --- */

static hf_err check_keys(
	const struct hf_env *env, const struct tunnel_config *c, struct hf_errinfo *ei)
{
	struct tunnel_keys *k = hf_mem_new(hf_os_mem(), sizeof(*k));
	struct hf_errinfo why = { 0 };
	hf_err e = k == NULL ? HF_ERR_NO_MEMORY : HF_OK;

	for (size_t i = 0; e == HF_OK && i < c->n_services; i++) {
		e = tunnel_keys_load(k, env, &c->services[i], &why);
		tunnel_keys_clear(k);
		if (e != HF_OK)
			(void)hf_fail(ei, e, "service %s: %s", c->services[i].name, why.text);
	}
	hf_mem_free(hf_os_mem(), k);
	return e;
}

static hf_err check(const char *path, const struct hf_buf *text, struct hf_errinfo *ei)
{
	struct tunnel_config c = { 0 };
	struct hf_env env;
	hf_err e;

	HF_TRY(hufu_start(&env, ei));
	e = tunnel_config_parse(&c, path, (const char *)text->p, text->len, ei);
	if (e == HF_OK)
		e = check_keys(&env, &c, ei);
	if (e == HF_OK)
		printf("%s: %zu %s, ok\n", path, c.n_services,
			c.n_services == 1 ? "service" : "services");
	tunnel_config_clear(&c);
	hf_env_clear(&env);
	return e;
}

int hufu_run_tunnel(const struct hufu_args *a, struct hf_errinfo *ei)
{
	const char *path = a->n_args > 0 ? a->arg[0] : NULL;
	size_t n_may = (size_t)hufu_has(a, "check") + (size_t)hufu_has(a, "quiet");
	struct hf_buf text;
	hf_err e;

	hf_buf_init(&text, hf_os_mem(), TUNNEL_CONFIG_MAX);
	if (path != NULL && a->n_opts > n_may)
		e = hf_fail(ei, HF_ERR_ARG, "%s: with a file the only option is --check", path);
	else if (path == NULL)
		e = one_service(&text, a, ei);
	else
		e = hf_file_load(&text, path, ei);
	if (e == HF_OK && hufu_has(a, "check"))
		e = check(path != NULL ? path : "command line", &text, ei);
	else if (e == HF_OK)
		e = tunnel_run(path, &text, ei);
	hf_buf_clear(&text);
	return hufu_exit(e, ei);
}

/* --- status --- */

static hf_err ask(struct hf_buf *out, const char *path, struct hf_errinfo *ei)
{
	int fd = -1;
	size_t n = 1;
	uint8_t piece[4096];
	hf_err e;

	HF_TRY(hf_unixsock_connect(&fd, path, ei));
	e = hf_unixsock_timeout(fd, STATUS_WAIT_MS);
	while (e == HF_OK && n > 0) {
		e = hf_file_read(fd, piece, sizeof(piece), &n, ei);
		if (e == HF_OK)
			e = hf_buf_put(out, piece, n);
	}
	hf_file_close(&fd);
	return e;
}

static void show_value(struct hufu_view *v, const char *key, const json_t *value)
{
	if (json_is_string(value))
		hufu_view_str(v, key, json_string_value(value));
	else if (json_is_boolean(value))
		hufu_view_bool(v, key, json_is_true(value));
	else if (strncmp(key, "bytes_", 6) == 0)
		hufu_view_len(v, key, (uint64_t)json_integer_value(value));
	else if (json_is_integer(value))
		hufu_view_u64(v, key, (uint64_t)json_integer_value(value));
}

static hf_err show(const struct hf_buf *answer, struct hf_errinfo *ei)
{
	json_t *root = json_loadb((const char *)answer->p, answer->len, 0, NULL);
	const json_t *services = json_object_get(root, "services");
	struct hufu_view v;
	const char *key;
	json_t *value;

	if (root == NULL)
		return hf_fail(ei, HF_ERR_FORMAT, "the tunnel's answer is not readable");
	hufu_view_begin(&v, false);
	json_object_foreach(root, key, value) show_value(&v, key, value);
	hufu_view_list(&v, "services");
	for (size_t i = 0; i < json_array_size(services); i++) {
		hufu_view_row(&v);
		json_object_foreach(json_array_get(services, i), key, value)
			show_value(&v, key, value);
		hufu_view_end(&v);
	}
	hufu_view_end(&v);
	json_decref(root);
	return hufu_view_done(&v, ei);
}

int hufu_run_tunnel_status(const struct hufu_args *a, struct hf_errinfo *ei)
{
	struct hf_buf answer;
	hf_err e;

	hf_buf_init(&answer, hf_os_mem(), STATUS_MAX);
	e = ask(&answer, a->arg[0], ei);
	if (e == HF_OK && hufu_has(a, "json"))
		printf("%.*s\n", (int)answer.len, (const char *)answer.p);
	else if (e == HF_OK)
		e = show(&answer, ei);
	hf_buf_clear(&answer);
	return hufu_exit(e, ei);
}
