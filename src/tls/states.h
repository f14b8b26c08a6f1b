/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The handshake as a constant table (RFC 8446 appendix A): in which state which message may come,
 * and what state follows. What is not written is unexpected_message.
 */
#ifndef HF_TLS_STATES_H
#define HF_TLS_STATES_H

#include <stdint.h>

enum hf_tls_state {
	HF_TLS_C_START,   /* client: nothing sent */
	HF_TLS_C_SH,      /* ClientHello sent */
	HF_TLS_C_SH2,     /* second ClientHello sent */
	HF_TLS_C_EE,      /* keys of the handshake are there */
	HF_TLS_C_EE_PSK,  /* and the server took our pre-shared key */
	HF_TLS_C_CERT_CR, /* CertificateRequest or Certificate */
	HF_TLS_C_CERT,
	HF_TLS_C_CV,
	HF_TLS_C_FIN,
	HF_TLS_C_FLIGHT, /* our turn, after the server's Finished */
	HF_TLS_C_SIGN,   /* waits for our signature */
	HF_TLS_C_OPEN,

	HF_TLS_S_CH,
	HF_TLS_S_HELLO, /* our turn, after the ClientHello */
	HF_TLS_S_CH2,   /* HelloRetryRequest sent */
	HF_TLS_S_HELLO2,
	HF_TLS_S_SIGN, /* waits for our signature */
	HF_TLS_S_CERT, /* our flight is sent, the client's certificate comes */
	HF_TLS_S_CV,
	HF_TLS_S_FIN,
	HF_TLS_S_OPEN,
	HF_TLS_STATE_COUNT,
};

/* Messages from the peer, and our own steps. */
enum hf_tls_event {
	HF_TLS_EV_CH,
	HF_TLS_EV_SH,
	HF_TLS_EV_HRR, /* a ServerHello that asks for another ClientHello */
	HF_TLS_EV_EE,
	HF_TLS_EV_CR,
	HF_TLS_EV_CERT,
	HF_TLS_EV_NO_CERT, /* a Certificate message without certificate */
	HF_TLS_EV_CV,
	HF_TLS_EV_FIN,
	HF_TLS_EV_TICKET,
	HF_TLS_EV_UPDATE,

	HF_TLS_DO_HELLO,      /* client: send a ClientHello */
	HF_TLS_DO_RETRY,      /* server: send a HelloRetryRequest */
	HF_TLS_DO_PSK,        /* client: the server's hello took our pre-shared key */
	HF_TLS_DO_FINISH_PSK, /* server: a pre-shared key was taken, our Finished is sent */
	HF_TLS_DO_SIGN,       /* our messages up to our CertificateVerify are sent */
	HF_TLS_DO_FINISH,     /* our Finished is sent, the client shows no certificate */
	HF_TLS_DO_FINISH_ASK, /* our Finished is sent, the client's certificate is awaited */
	HF_TLS_EVENT_COUNT,
};

/* The next state, or -1: not allowed. */
int hf_tls_next(uint8_t state, enum hf_tls_event ev);

/* "WAIT_EE" and so on, for messages. Never NULL. */
const char *hf_tls_state_name(uint8_t state);

#endif
