/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of bench_tunnel: pairs of tunnels between a client and a service (tunnel_pairs.c), the
 * service (tunnel_service.c), and many connections at once (tunnel_bulk.c).
 */
#ifndef HF_BENCH_TUNNEL_H
#define HF_BENCH_TUNNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TUNNEL_ANSWER = 1024 /* bytes */ };

struct tunnel_pair {
	const char *name;
	/* false: its programs are not there. Sets port and pid. */
	bool (*start)(struct tunnel_pair *p, uint16_t service);
	uint16_t port; /* where the client goes; 0: nowhere */
	pid_t pid[2];
};

extern struct tunnel_pair tunnel_pairs[];
extern const size_t tunnel_n_pairs;

/* Certificates for all of them. */
void tunnel_certs(void);

/*
 * Answers requests until it is killed. A request is a u32, how long it is, and so many bytes; the
 * answer is TUNNEL_ANSWER bytes.
 */
void tunnel_serve(int listener);

/* n connections at once that each send a request of so many bytes; bytes a second of all. */
double tunnel_bulk_rate(uint16_t port, unsigned n, uint32_t len);

#endif
