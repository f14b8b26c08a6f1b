/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Programs of others beside our links in bench_links.c: bulk from nginx to curl with AES-128-GCM
 * and P-256, and, where HUFU_TONGSUO is the path of Tongsuo's openssl, its s_server with s_time and
 * s_client, TLS 1.3 with SM4-GCM, SM2 certificates on both sides.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/attr.h"
#include "bench.h"
#include "links.h"
#include "programs.h"

enum {
	FILE_MIB = 512,
	TONGSUO_MIB = 64, /* it is slow */
	SECONDS = 3,      /* of handshakes */
	ROOM = 64 * 1024,
};

static char *text(const char *s)
{
	return (char *)(uintptr_t)s; /* exec only reads */
}

static void make_certs(void)
{
	static const char *const names[] = { "server", "client", NULL };
	static bool is_made;

	if (is_made)
		return;
	is_made = true;
	prog_certs("P-256", names);
	prog_certs("SM2", names);
	prog_shell("truncate -s %dM bulk && truncate -s %dM less", FILE_MIB, TONGSUO_MIB);
}

/* Bytes that come out of a program until it ends, and the time from the first to the last. */
static double rate_of(char *const argv[], int in, uint64_t want)
{
	static uint8_t room[ROOM];
	double begun = 0;
	uint64_t n = 0;
	ssize_t got;
	int pipes[2];
	pid_t pid;

	bench_need(pipe2(pipes, O_CLOEXEC) == 0, "a pipe");
	pid = prog_run(argv, in, pipes[1]);
	(void)close(pipes[1]);
	while (n < want && (got = read(pipes[0], room, sizeof(room))) > 0) {
		if (n == 0)
			begun = prog_now_ms();
		n += (uint64_t)got;
	}
	begun = prog_now_ms() - begun;
	(void)close(pipes[0]);
	(void)prog_stop(pid);
	bench_need(n >= want, argv[0]);
	return (double)n / begun * 1000;
}

double links_nginx_curl(void)
{
	char *server[] = { text("nginx"), text("-c"), prog_path("https.conf"), text("-p"),
		text(prog_dir()), NULL };
	uint16_t port = prog_free_port();
	char url[64];
	double rate;
	pid_t pid;

	if (!prog_has("nginx") || !prog_has("curl"))
		return 0;
	make_certs();
	(void)snprintf(url, sizeof(url), "https://localhost:%u/bulk", port);
	prog_put("https.conf",
		"daemon off;\nerror_log log warn;\npid https.pid;\nevents { }\nhttp {\n"
		"  access_log off;\n  server {\n    listen 127.0.0.1:%u ssl;\n    root .;\n"
		"    ssl_protocols TLSv1.3;\n    ssl_certificate P-256-server.crt;\n"
		"    ssl_certificate_key P-256-server.key;\n"
		"    ssl_client_certificate P-256-ca.crt;\n    ssl_verify_client on;\n"
		"    ssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n"
		"    ssl_conf_command Groups P-256;\n  }\n}\n",
		port);
	pid = prog_run(server, -1, -1);
	(void)close(prog_dial(port));
	rate = rate_of((char *[]){ text("curl"), text("-s"), text("--cacert"), text("P-256-ca.crt"),
			       text("--cert"), text("P-256-client.crt"), text("--key"),
			       text("P-256-client.key"), text("--tls13-ciphers"),
			       text("TLS_AES_128_GCM_SHA256"), url, NULL },
		-1, (uint64_t)FILE_MIB << 20);
	(void)prog_stop(pid);
	return rate;
}

/* --- Tongsuo --- */

static const char *tongsuo(void)
{
	const char *program = getenv("HUFU_TONGSUO");

	return program != NULL && prog_has(program) ? program : NULL;
}

/* Its tools read from there what s_time has no option for. */
static pid_t tongsuo_serve(uint16_t *port)
{
	char at[32];

	make_certs();
	prog_put("tongsuo.cnf",
		"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n"
		"MinProtocol = TLSv1.3\nMaxProtocol = TLSv1.3\nCiphersuites = TLS_SM4_GCM_SM3\n"
		"Groups = curveSM2\n");
	bench_need(setenv("OPENSSL_CONF", prog_path("tongsuo.cnf"), 1) == 0, "memory");
	*port = prog_free_port();
	(void)snprintf(at, sizeof(at), "127.0.0.1:%u", *port);
	return prog_run(
		(char *[]){ text(tongsuo()), text("s_server"), text("-accept"), at, text("-cert"),
			text("SM2-server.crt"), text("-key"), text("SM2-server.key"),
			text("-CAfile"), text("SM2-ca.crt"), text("-Verify"), text("2"),
			text("-verify_return_error"), text("-num_tickets"), text("0"),
			text("-quiet"), text("-HTTP"), NULL },
		-1, -1);
}

/* "123 connections in 3 real seconds": how many there were. */
static double count_connections(int fd)
{
	char out[4096];
	const char *line;
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(out) - 1 && (n = read(fd, out + len, sizeof(out) - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	line = strstr(out, " connections in ");
	while (line != NULL && line > out && line[-1] != '\n')
		line--;
	return line != NULL ? strtod(line, NULL) : 0;
}

double links_tongsuo_handshakes(void)
{
	struct prog_cost server, client;
	char at[32], seconds[8];
	uint16_t port;
	int pipes[2];
	double n;
	pid_t pid, peer;

	if (tongsuo() == NULL)
		return 0;
	pid = tongsuo_serve(&port);
	(void)close(prog_dial(port));
	(void)snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	(void)snprintf(seconds, sizeof(seconds), "%d", SECONDS);
	bench_need(pipe2(pipes, O_CLOEXEC) == 0, "a pipe");
	peer = prog_run(
		(char *[]){ text(tongsuo()), text("s_time"), text("-connect"), at, text("-cert"),
			text("SM2-client.crt"), text("-key"), text("SM2-client.key"),
			text("-CAfile"), text("SM2-ca.crt"), text("-verify"), text("2"),
			text("-new"), text("-time"), seconds, NULL },
		-1, pipes[1]);
	(void)close(pipes[1]);
	n = count_connections(pipes[0]);
	(void)close(pipes[0]);
	client = prog_stop(peer);
	server = prog_stop(pid);
	(void)unsetenv("OPENSSL_CONF");
	bench_need(n > 0, "handshakes of Tongsuo");
	/* What the kernel does for the sockets is not theirs: ours has none in this row. */
	return n / (server.user_s + client.user_s);
}

double links_tongsuo_bulk(void)
{
	static const char get[] = "GET /less HTTP/1.0\r\n\r\n";
	char at[32];
	uint16_t port;
	double rate;
	int pipes[2];
	pid_t pid;

	if (tongsuo() == NULL)
		return 0;
	pid = tongsuo_serve(&port);
	(void)close(prog_dial(port));
	(void)snprintf(at, sizeof(at), "127.0.0.1:%u", port);
	bench_need(pipe2(pipes, O_CLOEXEC) == 0, "a pipe");
	prog_write_all(pipes[1], get, sizeof(get) - 1);
	rate = rate_of(
		(char *[]){ text(tongsuo()), text("s_client"), text("-connect"), at, text("-cert"),
			text("SM2-client.crt"), text("-key"), text("SM2-client.key"),
			text("-CAfile"), text("SM2-ca.crt"), text("-quiet"), NULL },
		pipes[0], (uint64_t)TONGSUO_MIB << 20);
	(void)close(pipes[0]);
	(void)close(pipes[1]);
	(void)prog_stop(pid);
	(void)unsetenv("OPENSSL_CONF");
	return rate;
}
