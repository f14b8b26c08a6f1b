/* SPDX-License-Identifier: Apache-2.0 */
#include "programs.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

enum { PATIENCE_MS = 10000 };

double prog_now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* --- files --- */

static char dir[64];

const char *prog_dir(void)
{
	if (dir[0] == '\0') {
		(void)snprintf(dir, sizeof(dir), "/tmp/hufu-bench.XXXXXX");
		bench_need(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0, "a folder");
	}
	return dir;
}

char *prog_path(const char *name)
{
	static char text[8][PROG_PATH];
	static unsigned turn;
	char *t = text[turn++ % HF_COUNT(text)];

	(void)snprintf(t, PROG_PATH, "%s/%s", prog_dir(), name);
	return t;
}

void prog_put(const char *name, const char *format, ...)
{
	FILE *f = fopen(prog_path(name), "w");
	va_list args;

	bench_need(f != NULL, "writing a file");
	va_start(args, format);
	(void)vfprintf(f, format, args);
	va_end(args);
	bench_need(fclose(f) == 0, "writing a file");
}

void prog_end(void)
{
	char command[PROG_PATH];

	if (dir[0] == '\0')
		return;
	(void)snprintf(command, sizeof(command), "rm -r %s", dir);
	bench_need(system(command) == 0, "clearing up");
	dir[0] = '\0';
}

/* --- processes --- */

void prog_shell(const char *format, ...)
{
	char command[4 * PROG_PATH];
	size_t n =
		(size_t)snprintf(command, sizeof(command), "cd %s && exec 2>>log && ", prog_dir());
	va_list args;

	va_start(args, format);
	(void)vsnprintf(command + n, sizeof(command) - n, format, args);
	va_end(args);
	bench_need(system(command) == 0, command);
}

bool prog_has(const char *program)
{
	char command[PROG_PATH];

	(void)snprintf(command, sizeof(command), "command -v %s >/dev/null", program);
	return system(command) == 0;
}

const char *prog_ours(const char *name)
{
	static char whole[PATH_MAX];
	const char *bin = getenv("HUFU_BIN");
	char path[PROG_PATH];

	(void)snprintf(path, sizeof(path), "%s/%s", bin != NULL ? bin : ".", name);
	return access(path, X_OK) == 0 ? realpath(path, whole) : NULL;
}

pid_t prog_fork(void)
{
	pid_t pid;

	(void)fflush(stdout); /* once is enough */
	pid = fork();
	bench_need(pid >= 0, "fork");
	if (pid == 0)
		(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	return pid;
}

pid_t prog_run(char *const argv[], int in, int out)
{
	const char *log = prog_path("log");
	pid_t pid = prog_fork();

	if (pid == 0) {
		int fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
		int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

		if (fd < 0 || none < 0 || dup2(in >= 0 ? in : none, STDIN_FILENO) < 0 ||
			dup2(out >= 0 ? out : fd, STDOUT_FILENO) < 0 ||
			dup2(fd, STDERR_FILENO) < 0 || chdir(prog_dir()) != 0)
			_exit(126);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static double seconds(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

struct prog_cost prog_stop(pid_t pid)
{
	struct rusage used = { .ru_nvcsw = 0 };

	(void)kill(pid, SIGTERM);
	bench_need(wait4(pid, NULL, 0, &used) == pid, "waiting");
	return (struct prog_cost){ seconds(&used.ru_utime), seconds(&used.ru_stime) };
}

#define SM3_ID " -sigopt distid:1234567812345678"

void prog_certs(const char *curve, const char *const *names)
{
	const bool is_sm2 = strcmp(curve, "SM2") == 0;
	const char *how = is_sm2 ? "-sm3" SM3_ID : "-sha256";

	prog_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:%s -out %s-ca.key && "
		   "openssl req -x509 -new -key %s-ca.key -days 2 -subj /CN=CA %s "
		   "-addext keyUsage=critical,keyCertSign,cRLSign -out %s-ca.crt",
		curve, curve, curve, how, curve);
	for (; *names != NULL; names++) {
		const char *enc = strstr(*names, "-enc"); /* of the same subject */
		int cn_len = (int)(enc != NULL ? (size_t)(enc - *names) : strlen(*names));

		prog_put("ext",
			"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,%s\n"
			"extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=DNS:localhost\n",
			enc != NULL ? "keyEncipherment,dataEncipherment,keyAgreement"
				    : "digitalSignature");
		prog_shell("openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:%s -out "
			   "%s-%s.key && openssl req -new -key %s-%s.key -subj /CN=%.*s %s -out "
			   "csr && openssl x509 -req -in csr -CA %s-ca.crt -CAkey %s-ca.key "
			   "-CAcreateserial -days 2 -extfile ext %s%s -out %s-%s.crt",
			curve, curve, *names, curve, *names, cn_len, *names, how, curve, curve, how,
			is_sm2 ? " -vfyopt distid:1234567812345678" : "", curve, *names);
	}
}

/* --- loopback --- */

struct sockaddr_in prog_local(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

int prog_tcp(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int on = 1;

	bench_need(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0,
		"a socket");
	return fd;
}

int prog_listen(uint16_t *port)
{
	struct sockaddr_in addr = prog_local(0);
	socklen_t len = sizeof(addr);
	int fd = prog_tcp();

	bench_need(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 &&
			   listen(fd, SOMAXCONN) == 0 &&
			   getsockname(fd, (struct sockaddr *)&addr, &len) == 0,
		"listening");
	*port = ntohs(addr.sin_port);
	return fd;
}

uint16_t prog_free_port(void)
{
	uint16_t port;

	(void)close(prog_listen(&port));
	return port;
}

int prog_dial(uint16_t port)
{
	struct sockaddr_in addr = prog_local(port);
	double end = prog_now_ms() + PATIENCE_MS;

	for (;;) {
		int fd = prog_tcp();

		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		(void)close(fd);
		bench_need(prog_now_ms() < end, "connecting");
		(void)usleep(20000);
	}
}

bool prog_read_all(int fd, void *out, size_t len)
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

void prog_write_all(int fd, const void *in, size_t len)
{
	const uint8_t *p = in;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		bench_need(n > 0, "sending");
		p += n;
		len -= (size_t)n;
	}
}
