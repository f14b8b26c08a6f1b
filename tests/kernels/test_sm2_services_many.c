/* SPDX-License-Identifier: Apache-2.0 */
/* label: slow */
/* The services on the chosen kernels against libcrypto's, on a hundred thousand random cases each.
 */
/* uses: libcrypto */
#define N_CASES    100000
#define ORACLE_CPU test_cpu()
#include "kernels.h"

#include "../unit/crypto/test_oracle_sm2.c"
