/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage: bench_tunnel
 *
 * What a pair of tunnels adds to a request: a client on one side, a service on the other, both
 * plain, and between them nothing, a pair of ours (TLS 1.3-SM and TLCP), a pair of stunnel and a
 * pair of nginx (both TLS 1.3 with AES-128-GCM and P-256), all with certificates on both sides. The
 * pairs take turns, so that a change of the machine's pace meets all. HUFU_BIN is the folder of our
 * programs; pairs whose programs are missing are left out.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/attr.h"
#include "bench.h"

enum {
	ANSWER = 1024, /* bytes */
	ROUNDS = 10,
	PATIENCE_MS = 10000,
	PATH = 512,
};

/* A request says how long it is; the answer is always as long. */
static const struct size {
	const char *name;
	uint32_t len;
	unsigned n; /* requests a round */
} sizes[] = {
	{ "1 KB", 1000, 400 },
	{ "600 KB", 600 * 1000, 60 },
	{ "6 MB", 6 * 1000 * 1000, 12 },
};

struct pair {
	const char *name;
	bool (*start)(struct pair *p); /* false: its programs are not there */
	uint16_t port;                 /* where the client goes */
	pid_t pid[2];
	double *ms[HF_COUNT(sizes)]; /* of every request */
};

static char dir[] = "/tmp/bench_tunnel.XXXXXX";
static uint16_t service_port;

static double now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	bench_need(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0,
		"a socket");
	return fd;
}

static struct sockaddr_in local(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

/* A listening socket, and its port. */
static int listen_any(uint16_t *port)
{
	struct sockaddr_in addr = local(0);
	socklen_t len = sizeof(addr);
	int fd = tcp();

	bench_need(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && listen(fd, 64) == 0 &&
			   getsockname(fd, (struct sockaddr *)&addr, &len) == 0,
		"listening");
	*port = ntohs(addr.sin_port);
	return fd;
}

static uint16_t free_port(void)
{
	uint16_t port;

	(void)close(listen_any(&port));
	return port;
}

static int dial(uint16_t port)
{
	struct sockaddr_in addr = local(port);
	double end = now_ms() + PATIENCE_MS;

	for (;;) {
		int fd = tcp();

		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		(void)close(fd);
		bench_need(now_ms() < end, "connecting to a tunnel");
		(void)usleep(20000);
	}
}

static bool read_all(int fd, void *out, size_t len)
{
	uint8_t *p = out;

	while (len > 0) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			return false;
		p += n;
		len -= (size_t)n;
	}
	return true;
}

static void write_all(int fd, const void *in, size_t len)
{
	const uint8_t *p = in;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		bench_need(n > 0, "sending");
		p += n;
		len -= (size_t)n;
	}
}

/* Reads requests and answers them, each connection in a process of its own. */
static void serve(int listener)
{
	static uint8_t body[6 * 1000 * 1000];
	static const uint8_t answer[ANSWER];

	(void)signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);
		int on = 1;
		uint32_t len;

		bench_need(fd >= 0, "accepting");
		if (fork() != 0) {
			(void)close(fd);
			continue;
		}
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		while (read_all(fd, &len, sizeof(len)) && len <= sizeof(body) &&
			read_all(fd, body, len))
			write_all(fd, answer, sizeof(answer));
		_exit(0);
	}
}

static pid_t fork_one(void)
{
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	bench_need(pid >= 0, "fork");
	return pid;
}

/* --- files and programs --- */

static char *path(const char *name)
{
	static char text[4][PATH];
	static unsigned turn;
	char *t = text[turn++ % HF_COUNT(text)];

	(void)snprintf(t, PATH, "%s/%s", dir, name);
	return t;
}

static HF_PRINTF(2, 3) void put_file(const char *name, const char *format, ...)
{
	FILE *f = fopen(path(name), "w");
	va_list args;

	bench_need(f != NULL, "writing a file");
	va_start(args, format);
	(void)vfprintf(f, format, args);
	va_end(args);
	bench_need(fclose(f) == 0, "writing a file");
}

static HF_PRINTF(1, 2) void shell(const char *format, ...)
{
	char command[4 * PATH];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	bench_need(system(command) == 0, command);
}

static bool has(const char *program)
{
	char command[PATH];

	(void)snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return system(command) == 0;
}

static pid_t run(char *const argv[])
{
	pid_t pid = fork_one();

	if (pid == 0) {
		FILE *log = freopen(path("log"), "a", stdout);

		if (log != NULL)
			(void)dup2(STDOUT_FILENO, STDERR_FILENO);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

/* A CA and, for each name, a certificate and its key: <curve>-<name>.crt and .key. */
static void make_certs(const char *curve, const char *how, const char *const *names)
{
	shell("cd %s && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:%s -out %s-ca.key "
	      "2>>log && openssl req -x509 -new -key %s-ca.key -days 2 -subj /CN=CA %s "
	      "-addext keyUsage=critical,keyCertSign,cRLSign -out %s-ca.crt 2>>log",
		dir, curve, curve, curve, how, curve);
	for (; *names != NULL; names++) {
		bool is_enc = strstr(*names, "enc") != NULL;

		put_file("ext",
			"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,%s\n"
			"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost\n",
			is_enc ? "keyEncipherment,dataEncipherment,keyAgreement"
			       : "digitalSignature");
		shell("cd %s && openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:%s -out "
		      "%s-%s.key 2>>log && openssl req -new -key %s-%s.key -subj /CN=%s %s -out "
		      "csr 2>>log && openssl x509 -req -in csr -CA %s-ca.crt -CAkey %s-ca.key "
		      "-CAcreateserial -days 2 -extfile ext %s -out %s-%s.crt 2>>log",
			dir, curve, curve, *names, curve, *names, *names, how, curve, curve,
			strstr(how, "sm3") != NULL ? "-sm3 -sigopt distid:1234567812345678 "
						     "-vfyopt distid:1234567812345678"
						   : "",
			curve, *names);
	}
}

/* --- pairs --- */

static bool start_none(struct pair *p)
{
	p->port = service_port;
	return true;
}

static bool start_stunnel(struct pair *p)
{
	uint16_t far = free_port();

	if (!has("stunnel4"))
		return false;
	p->port = free_port();
	for (int is_server = 0; is_server <= 1; is_server++) {
		const char *name = is_server ? "stunnel-server" : "stunnel-client";
		char *argv[] = { (char[]){ "stunnel4" }, path(name), NULL };

		put_file(name,
			"foreground = yes\npid =\ndebug = 3\nsyslog = no\n"
			"socket = l:TCP_NODELAY=1\nsocket = r:TCP_NODELAY=1\n[b]\nclient = %s\n"
			"accept = 127.0.0.1:%u\nconnect = 127.0.0.1:%u\nverifyChain = yes\n"
			"CAfile = %s/P-256-ca.crt\ncert = %s/P-256-%s.crt\nkey = %s/P-256-%s.key\n"
			"sslVersion = TLSv1.3\nciphersuites = TLS_AES_128_GCM_SHA256\n"
			"curves = P-256\n",
			is_server ? "no" : "yes", is_server ? far : p->port,
			is_server ? service_port : far, dir, dir, is_server ? "server" : "client",
			dir, is_server ? "server" : "client");
		p->pid[is_server] = run(argv);
	}
	return true;
}

static bool start_nginx(struct pair *p)
{
	static const char module[] = "/usr/lib/nginx/modules/ngx_stream_module.so";
	char *argv[] = { (char[]){ "nginx" }, (char[]){ "-c" }, path("nginx.conf"),
		(char[]){ "-p" }, dir, NULL };
	uint16_t far = free_port();

	if (!has("nginx") || access(module, R_OK) != 0)
		return false;
	p->port = free_port();
	/* One process for each side, as the other pairs have. */
	for (int is_server = 0; is_server <= 1; is_server++) {
		put_file("nginx.conf",
			"load_module %s;\ndaemon off;\nmaster_process off;\nerror_log log warn;\n"
			"pid nginx%d.pid;\nevents { }\nstream {\n  tcp_nodelay on;\n"
			"  proxy_buffer_size 64k;\n  server {\n    listen 127.0.0.1:%u %s;\n"
			"    proxy_pass 127.0.0.1:%u;\n    %s;\n"
			"    %sssl_protocols TLSv1.3;\n"
			"    %sssl_certificate P-256-%s.crt;\n"
			"    %sssl_certificate_key P-256-%s.key;\n"
			"    %s P-256-ca.crt;\n    %s on;\n"
			"    %sssl_conf_command Ciphersuites TLS_AES_128_GCM_SHA256;\n"
			"    %sssl_conf_command Groups P-256;\n  }\n}\n",
			module, is_server, is_server ? far : p->port, is_server ? "ssl" : "",
			is_server ? service_port : far,
			is_server ? "ssl_session_tickets on"
				  : "proxy_ssl on; proxy_ssl_name localhost",
			is_server ? "" : "proxy_", is_server ? "" : "proxy_",
			is_server ? "server" : "client", is_server ? "" : "proxy_",
			is_server ? "server" : "client",
			is_server ? "ssl_client_certificate" : "proxy_ssl_trusted_certificate",
			is_server ? "ssl_verify_client" : "proxy_ssl_verify",
			is_server ? "" : "proxy_", is_server ? "" : "proxy_");
		p->pid[is_server] = run(argv);
		(void)usleep(300000); /* it has read the file */
	}
	return true;
}

/* Both sides with one loop, as the others have one process. */
static bool start_hufu(struct pair *p)
{
	const char *bin = getenv("HUFU_BIN");
	char program[PATH];
	uint16_t far = free_port();

	(void)snprintf(program, sizeof(program), "%s/hufu", bin != NULL ? bin : ".");
	if (access(program, X_OK) != 0)
		return false;
	p->port = free_port();
	for (int is_server = 0; is_server <= 1; is_server++) {
		const char *name = is_server ? "hufu-server.yaml" : "hufu-client.yaml";
		const char *who = is_server ? "server" : "client";
		char *argv[] = { program, (char[]){ "tunnel" }, path(name), NULL };

		put_file(name,
			"threads: 1\nidentity: { certificate: %s/SM2-%s.crt, key: %s/SM2-%s.key }\n"
			"trust: { roots: [%s/SM2-ca.crt] }\nservices:\n- name: b\n  side: %s\n"
			"  accept: 127.0.0.1:%u\n  connect: [localhost:%u]\n%s",
			dir, who, dir, who, dir, who, is_server ? far : p->port,
			is_server ? service_port : far,
			is_server ? "  allow: [{ name: client }]\n" : "");
		p->pid[is_server] = run(argv);
	}
	return true;
}

static struct pair pairs[] = {
	{ .name = "nothing", .start = start_none },
	{ .name = "hufu, TLS 1.3-SM", .start = start_hufu },
	{ .name = "stunnel", .start = start_stunnel },
	{ .name = "nginx", .start = start_nginx },
};

/* --- the measurement --- */

static double ask(int fd, const struct size *s)
{
	static uint8_t request[sizeof(uint32_t) + 6 * 1000 * 1000];
	uint8_t answer[ANSWER];
	double begun = now_ms();

	memcpy(request, &s->len, sizeof(s->len));
	write_all(fd, request, sizeof(s->len) + s->len);
	bench_need(read_all(fd, answer, sizeof(answer)), "receiving an answer");
	return now_ms() - begun;
}

static void round_of(struct pair *p, unsigned round)
{
	int fd = dial(p->port);

	for (size_t i = 0; i < HF_COUNT(sizes); i++)
		for (unsigned n = 0; n < sizes[i].n; n++)
			p->ms[i][round * sizes[i].n + n] = ask(fd, &sizes[i]);
	(void)close(fd);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(const struct pair *p, size_t i, double q)
{
	size_t n = (size_t)ROUNDS * sizes[i].n;

	return p->ms[i][(size_t)((double)(n - 1) * q)];
}

static void show(void)
{
	printf("\n%-8s %-18s %12s %12s %12s %12s\n", "request", "between", "p50 ms", "p99 ms",
		"added p50", "added p99");
	for (size_t i = 0; i < HF_COUNT(sizes); i++)
		for (size_t k = 0; k < HF_COUNT(pairs); k++) {
			const struct pair *p = &pairs[k];

			if (p->port == 0)
				continue;
			printf("%-8s %-18s %12.3f %12.3f", sizes[i].name, p->name,
				percentile(p, i, 0.5), percentile(p, i, 0.99));
			if (k > 0)
				printf(" %12.3f %12.3f",
					percentile(p, i, 0.5) - percentile(&pairs[0], i, 0.5),
					percentile(p, i, 0.99) - percentile(&pairs[0], i, 0.99));
			printf("\n");
		}
}

static void stop_all(pid_t service)
{
	for (size_t k = 0; k < HF_COUNT(pairs); k++)
		for (size_t i = 0; i < HF_COUNT(pairs[k].pid); i++)
			if (pairs[k].pid[i] > 0) {
				(void)kill(pairs[k].pid[i], SIGKILL);
				(void)waitpid(pairs[k].pid[i], NULL, 0);
			}
	(void)kill(service, SIGKILL);
	(void)waitpid(service, NULL, 0);
}

int main(void)
{
	static const char *const names[] = { "server", "client", NULL };
	int listener = listen_any(&service_port);
	pid_t service;

	bench_need(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0, "a folder");
	make_certs("P-256", "", names);
	make_certs("SM2", "-sm3 -sigopt distid:1234567812345678", names);
	service = fork_one();
	if (service == 0)
		serve(listener);
	for (size_t k = 0; k < HF_COUNT(pairs); k++) {
		for (size_t i = 0; i < HF_COUNT(sizes); i++) {
			pairs[k].ms[i] = calloc((size_t)ROUNDS * sizes[i].n, sizeof(double));
			bench_need(pairs[k].ms[i] != NULL, "memory");
		}
		if (!pairs[k].start(&pairs[k]))
			printf("%s: not on this machine\n", pairs[k].name);
	}
	for (unsigned round = 0; round < ROUNDS; round++)
		for (size_t k = 0; k < HF_COUNT(pairs); k++)
			if (pairs[k].port != 0)
				round_of(&pairs[k], round);
	for (size_t k = 0; k < HF_COUNT(pairs); k++)
		for (size_t i = 0; i < HF_COUNT(sizes); i++)
			qsort(pairs[k].ms[i], (size_t)ROUNDS * sizes[i].n, sizeof(double),
				by_value);
	show();
	stop_all(service);
	shell("rm -r %s", dir);
	return 0;
}
