/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For benches that measure programs: a folder for their files, certificates, processes that end
 * with us, and TCP on loopback. Failures end the program.
 */
#ifndef HF_BENCH_PROGRAMS_H
#define HF_BENCH_PROGRAMS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"

enum { PROG_PATH = 512 };

double prog_now_ms(void);

/* --- files --- */

/* Everybody may look into the folder. It is there from the first call on. */
const char *prog_dir(void);

/* The path of a file in it; good for the next seven calls. */
char *prog_path(const char *name);

HF_PRINTF(2, 3) void prog_put(const char *name, const char *format, ...);

/* The folder goes. */
void prog_end(void);

/* --- processes --- */

/* Runs a command line in the folder; what it says goes to the file "log" there. */
HF_PRINTF(1, 2) void prog_shell(const char *format, ...);

bool prog_has(const char *program);

/* A program of ours, by the folder in HUFU_BIN; NULL: it is not there. Good until the next call. */
const char *prog_ours(const char *name);

/* A child that ends when we do. Returns 0 in it. */
pid_t prog_fork(void);

/* Starts a program in the folder; what it says goes to "log". in and out: descriptors, -1: none. */
pid_t prog_run(char *const argv[], int in, int out);

/* Ends it with SIGTERM; what it took of the processor, its own children's too. */
struct prog_cost {
	double user_s;
	double system_s;
};
struct prog_cost prog_stop(pid_t pid);

/*
 * A CA and, for each name, a certificate and its key: <curve>-ca.crt, <curve>-<name>.crt and .key.
 * curve: P-256, or SM2 with SM3 and the usual identifier. Names with "-enc" at the end are for
 * encryption, of the subject without it.
 */
void prog_certs(const char *curve, const char *const *names);

/* --- loopback --- */

struct sockaddr_in prog_local(uint16_t port);

/* A TCP socket without delay. */
int prog_tcp(void);

/* A listening socket, and its port. */
int prog_listen(uint16_t *port);

uint16_t prog_free_port(void);

/* Waits until somebody listens there. */
int prog_dial(uint16_t port);

/* False: the end came before. */
bool prog_read_all(int fd, void *out, size_t len);
void prog_write_all(int fd, const void *in, size_t len);

#endif
