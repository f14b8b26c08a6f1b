/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel of SM2 in plain C: the reference, and the oracle of the other kernels. The mathematics
 * is in sm2_mul_body.h and sm2_fp.c.
 */
#include "crypto/sm2/sm2_kernel.h"
#include "crypto/sm2/sm2_mul_body.h"

const struct hf_sm2_kernel hf_sm2_kernel_c = HF_SM2_BODY_KERNEL("c", 0);
