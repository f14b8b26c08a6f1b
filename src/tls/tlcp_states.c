/* SPDX-License-Identifier: Apache-2.0 */
/* The table of TLCP's handshake. Cells hold the next state plus one, so that unwritten ones are NO.
 */
#include "tls/tlcp_states.h"

#define TO(state) ((int8_t)(HF_TLCP_##state + 1))

/* clang-format off */
static const int8_t next[HF_TLCP_STATE_COUNT][HF_TLCP_EVENT_COUNT] = {
	/* client, GB/T 38636-2020 6.4.1 */
	[HF_TLCP_C_START]   = { [HF_TLCP_DO_HELLO]      = TO(C_SH) },
	[HF_TLCP_C_SH]      = { [HF_TLCP_EV_SH]         = TO(C_CERT),
	                        [HF_TLCP_EV_SH_RESUMED] = TO(C_RCCS) },
	[HF_TLCP_C_CERT]    = { [HF_TLCP_EV_CERT]       = TO(C_SKE) },
	[HF_TLCP_C_SKE]     = { [HF_TLCP_EV_SKE]        = TO(C_CR) },
	[HF_TLCP_C_CR]      = { [HF_TLCP_EV_CR]         = TO(C_SHD),
	                        [HF_TLCP_EV_SHD]        = TO(C_FLIGHT) },
	[HF_TLCP_C_SHD]     = { [HF_TLCP_EV_SHD]        = TO(C_FLIGHT) },
	[HF_TLCP_C_FLIGHT]  = { [HF_TLCP_DO_SIGN]       = TO(C_SIGN),
	                        [HF_TLCP_DO_FINISH]     = TO(C_CCS) },
	[HF_TLCP_C_SIGN]    = { [HF_TLCP_DO_FINISH]     = TO(C_CCS) },
	[HF_TLCP_C_CCS]     = { [HF_TLCP_EV_TICKET]     = TO(C_CCS2),
	                        [HF_TLCP_EV_CCS]        = TO(C_FIN) },
	[HF_TLCP_C_CCS2]    = { [HF_TLCP_EV_CCS]        = TO(C_FIN) },
	[HF_TLCP_C_FIN]     = { [HF_TLCP_EV_FIN]        = TO(C_OPEN) },
	[HF_TLCP_C_RCCS]    = { [HF_TLCP_EV_TICKET]     = TO(C_RCCS2),
	                        [HF_TLCP_EV_CCS]        = TO(C_RFIN) },
	[HF_TLCP_C_RCCS2]   = { [HF_TLCP_EV_CCS]        = TO(C_RFIN) },
	[HF_TLCP_C_RFIN]    = { [HF_TLCP_EV_FIN]        = TO(C_RFLIGHT) },
	[HF_TLCP_C_RFLIGHT] = { [HF_TLCP_DO_FINISH]     = TO(C_OPEN) },

	/* server */
	[HF_TLCP_S_CH]      = { [HF_TLCP_EV_CH]         = TO(S_HELLO) },
	[HF_TLCP_S_HELLO]   = { [HF_TLCP_DO_SIGN]       = TO(S_SIGN),
	                        [HF_TLCP_DO_RESUME]     = TO(S_RCCS) },
	[HF_TLCP_S_SIGN]    = { [HF_TLCP_DO_FINISH]     = TO(S_CKE),
	                        [HF_TLCP_DO_FINISH_ASK] = TO(S_CERT) },
	[HF_TLCP_S_CERT]    = { [HF_TLCP_EV_CERT]       = TO(S_CKE_CV),
	                        [HF_TLCP_EV_NO_CERT]    = TO(S_CKE) },
	[HF_TLCP_S_CKE]     = { [HF_TLCP_EV_CKE]        = TO(S_CCS) },
	[HF_TLCP_S_CKE_CV]  = { [HF_TLCP_EV_CKE]        = TO(S_CV) },
	[HF_TLCP_S_CV]      = { [HF_TLCP_EV_CV]         = TO(S_CCS) },
	[HF_TLCP_S_CCS]     = { [HF_TLCP_EV_CCS]        = TO(S_FIN) },
	[HF_TLCP_S_FIN]     = { [HF_TLCP_EV_FIN]        = TO(S_FLIGHT) },
	[HF_TLCP_S_FLIGHT]  = { [HF_TLCP_DO_FINISH]     = TO(S_OPEN) },
	[HF_TLCP_S_RCCS]    = { [HF_TLCP_EV_CCS]        = TO(S_RFIN) },
	[HF_TLCP_S_RFIN]    = { [HF_TLCP_EV_FIN]        = TO(S_OPEN) },
};

static const char *const names[HF_TLCP_STATE_COUNT] = {
	[HF_TLCP_C_START]   = "START",
	[HF_TLCP_C_SH]      = "WAIT_SH",
	[HF_TLCP_C_CERT]    = "WAIT_CERT",
	[HF_TLCP_C_SKE]     = "WAIT_SKE",
	[HF_TLCP_C_CR]      = "WAIT_CR_SHD",
	[HF_TLCP_C_SHD]     = "WAIT_SHD",
	[HF_TLCP_C_FLIGHT]  = "FLIGHT",
	[HF_TLCP_C_SIGN]    = "SIGN",
	[HF_TLCP_C_CCS]     = "WAIT_CCS",
	[HF_TLCP_C_CCS2]    = "WAIT_CCS2",
	[HF_TLCP_C_FIN]     = "WAIT_FINISHED",
	[HF_TLCP_C_RCCS]    = "WAIT_CCS_RESUMED",
	[HF_TLCP_C_RCCS2]   = "WAIT_CCS2_RESUMED",
	[HF_TLCP_C_RFIN]    = "WAIT_FINISHED_RESUMED",
	[HF_TLCP_C_RFLIGHT] = "FLIGHT_RESUMED",
	[HF_TLCP_C_OPEN]    = "CONNECTED",
	[HF_TLCP_S_CH]      = "WAIT_CH",
	[HF_TLCP_S_HELLO]   = "HELLO",
	[HF_TLCP_S_SIGN]    = "SIGN",
	[HF_TLCP_S_CERT]    = "WAIT_CERT",
	[HF_TLCP_S_CKE]     = "WAIT_CKE",
	[HF_TLCP_S_CKE_CV]  = "WAIT_CKE_CV",
	[HF_TLCP_S_CV]      = "WAIT_CV",
	[HF_TLCP_S_CCS]     = "WAIT_CCS",
	[HF_TLCP_S_FIN]     = "WAIT_FINISHED",
	[HF_TLCP_S_FLIGHT]  = "FLIGHT",
	[HF_TLCP_S_RCCS]    = "WAIT_CCS_RESUMED",
	[HF_TLCP_S_RFIN]    = "WAIT_FINISHED_RESUMED",
	[HF_TLCP_S_OPEN]    = "CONNECTED",
};
/* clang-format on */

int hf_tlcp_next(uint8_t state, enum hf_tlcp_event ev)
{
	if (state >= HF_TLCP_STATE_COUNT || (unsigned)ev >= HF_TLCP_EVENT_COUNT)
		return -1;
	return next[state][ev] - 1;
}

const char *hf_tlcp_state_name(uint8_t state)
{
	return state < HF_TLCP_STATE_COUNT ? names[state] : "?";
}
