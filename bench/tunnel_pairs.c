/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pairs of tunnels of bench_tunnel.c, certificates on both sides of each. All of them have as many
 * loops or threads as there are processors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "programs.h"
#include "tunnel.h"

void tunnel_certs(void)
{
	static const char *const names[] = { "server", "client", NULL };
	static const char *const two[] = { "server", "client", "server-enc", "client-enc", NULL };

	prog_certs("P-256", names);
	prog_certs("SM2", two);
}

static bool start_none(struct tunnel_pair *p, uint16_t service)
{
	p->port = service;
	return true;
}

static bool start_stunnel(struct tunnel_pair *p, uint16_t service)
{
	uint16_t far = prog_free_port();

	if (!prog_has("stunnel4"))
		return false;
	p->port = prog_free_port();
	for (int is_server = 0; is_server <= 1; is_server++) {
		const char *name = is_server ? "stunnel-server" : "stunnel-client";
		char *argv[] = { (char[]){ "stunnel4" }, prog_path(name), NULL };

		prog_put(name,
			"foreground = yes\npid =\ndebug = 3\nsyslog = no\n"
			"socket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n[b]\nclient = %s\n"
			"accept = 127.0.0.1:%u\nconnect = 127.0.0.1:%u\nverifyChain = yes\n"
			"CAfile = P-256-ca.crt\ncert = P-256-%s.crt\nkey = P-256-%s.key\n"
			"sslVersion = TLSv1.3\nciphersuites = TLS_AES_128_GCM_SHA256\n"
			"curves = P-256\n",
			is_server ? "no" : "yes", is_server ? far : p->port,
			is_server ? service : far, is_server ? "server" : "client",
			is_server ? "server" : "client");
		p->pid[is_server] = prog_run(argv, -1, -1);
	}
	return true;
}

/* An nginx, and what it is to speak. */
struct nginx {
	const char *program;
	const char *module; /* with "stream"; NULL: it is built in */
	const char *curve;  /* of the certificates */
	const char *group;
	const char *suite;
};

static void put_nginx(
	const char *file, const struct nginx *n, bool is_server, uint16_t port, uint16_t target)
{
	const char *prefix = is_server ? "" : "proxy_";
	const char *who = is_server ? "server" : "client";

	prog_put(file,
		"%s%s%sdaemon off;\nworker_processes auto;\nerror_log log warn;\n"
		"pid nginx%d.pid;\nevents { }\nstream {\n  tcp_nodelay on;\n"
		"  proxy_buffer_size 64k;\n  server {\n    listen 127.0.0.1:%u %s;\n"
		"    proxy_pass 127.0.0.1:%u;\n    %s;\n"
		"    %sssl_protocols TLSv1.3;\n"
		"    %sssl_certificate %s-%s.crt;\n    %sssl_certificate_key %s-%s.key;\n"
		"    %s %s-ca.crt;\n    %s on;\n"
		"    %sssl_conf_command Ciphersuites %s;\n"
		"    %sssl_conf_command Groups %s;\n  }\n}\n",
		n->module != NULL ? "load_module " : "", n->module != NULL ? n->module : "",
		n->module != NULL ? ";\n" : "", is_server, port, is_server ? "ssl" : "", target,
		is_server ? "ssl_session_tickets on" : "proxy_ssl on; proxy_ssl_name localhost",
		prefix, prefix, n->curve, who, prefix, n->curve, who,
		is_server ? "ssl_client_certificate" : "proxy_ssl_trusted_certificate", n->curve,
		is_server ? "ssl_verify_client" : "proxy_ssl_verify", prefix, n->suite, prefix,
		n->group);
}

static bool start_any_nginx(struct tunnel_pair *p, uint16_t service, const struct nginx *n)
{
	uint16_t far = prog_free_port();

	if (!prog_has(n->program) || (n->module != NULL && access(n->module, R_OK) != 0))
		return false;
	p->port = prog_free_port();
	for (int is_server = 0; is_server <= 1; is_server++) {
		const char *file = is_server ? "nginx-server.conf" : "nginx-client.conf";
		char *argv[] = { (char *)(uintptr_t)n->program, (char[]){ "-c" }, prog_path(file),
			(char[]){ "-p" }, (char *)(uintptr_t)prog_dir(), NULL };

		put_nginx(file, n, is_server, is_server ? far : p->port, is_server ? service : far);
		p->pid[is_server] = prog_run(argv, -1, -1);
		(void)close(prog_dial(is_server ? far : p->port)); /* it has read the file */
	}
	return true;
}

static bool start_nginx(struct tunnel_pair *p, uint16_t service)
{
	static const struct nginx n = { "nginx", "/usr/lib/nginx/modules/ngx_stream_module.so",
		"P-256", "P-256", "TLS_AES_128_GCM_SHA256" };

	return start_any_nginx(p, service, &n);
}

static bool start_tongsuo(struct tunnel_pair *p, uint16_t service)
{
	const struct nginx n = { getenv("HUFU_TONGSUO_NGINX"), NULL, "SM2", "SM2",
		"TLS_SM4_GCM_SM3" };

	return n.program != NULL && start_any_nginx(p, service, &n);
}

static bool start_ours(struct tunnel_pair *p, uint16_t service, const char *protocol)
{
	const char *program = prog_ours("hufu");
	uint16_t far = prog_free_port();

	if (program == NULL)
		return false;
	p->port = prog_free_port();
	for (int is_server = 0; is_server <= 1; is_server++) {
		const char *who = is_server ? "server" : "client";
		char name[64];

		(void)snprintf(name, sizeof(name), "hufu-%s-%s.yaml", protocol, who);
		prog_put(name,
			"identity: { certificate: SM2-%s.crt, key: SM2-%s.key, "
			"enc-certificate: SM2-%s-enc.crt, enc-key: SM2-%s-enc.key }\n"
			"trust: { roots: [SM2-ca.crt] }\nservices:\n- name: b\n  side: %s\n"
			"  protocols: [%s]\n  accept: 127.0.0.1:%u\n  connect: [localhost:%u]\n%s",
			who, who, who, who, who, protocol, is_server ? far : p->port,
			is_server ? service : far,
			is_server ? "  allow: [{ name: client }]\n" : "");
		p->pid[is_server] = prog_run((char *[]){ (char *)(uintptr_t)program,
						     (char[]){ "tunnel" }, prog_path(name), NULL },
			-1, -1);
	}
	return true;
}

static bool start_tls(struct tunnel_pair *p, uint16_t service)
{
	return start_ours(p, service, "tls13");
}

static bool start_tlcp(struct tunnel_pair *p, uint16_t service)
{
	return start_ours(p, service, "tlcp");
}

struct tunnel_pair tunnel_pairs[] = {
	{ .name = "nothing", .start = start_none },
	{ .name = "hufu, TLS 1.3-SM", .start = start_tls },
	{ .name = "hufu, TLCP", .start = start_tlcp },
	{ .name = "stunnel, AES", .start = start_stunnel },
	{ .name = "nginx, AES", .start = start_nginx },
	{ .name = "nginx of Tongsuo", .start = start_tongsuo },
};

const size_t tunnel_n_pairs = HF_COUNT(tunnel_pairs);
