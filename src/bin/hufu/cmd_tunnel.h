/* SPDX-License-Identifier: Apache-2.0 */
/* hufu tunnel and hufu tunnel status: what the table of commands needs of them. */
#ifndef HF_BIN_HUFU_CMD_TUNNEL_H
#define HF_BIN_HUFU_CMD_TUNNEL_H

#include "cmd.h"

extern const struct hufu_opt hufu_opts_tunnel[];

int hufu_run_tunnel(const struct hufu_args *a, struct hf_errinfo *ei);
int hufu_run_tunnel_status(const struct hufu_args *a, struct hf_errinfo *ei);

#endif
