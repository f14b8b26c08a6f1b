/* SPDX-License-Identifier: Apache-2.0 */
/* label: slow */
/* The same on a hundred thousand random cases: two minutes, nearly all of them libcrypto's. */
/* uses: libcrypto */
#define N_CASES 100000
#include "test_sm2.c"
