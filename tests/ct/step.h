/* SPDX-License-Identifier: Apache-2.0 */
/* The tracer inside the traced program, x86-64 only. */
#ifndef HF_TEST_CT_STEP_H
#define HF_TEST_CT_STEP_H

/*
 * From here to exit() every instruction is written to the log at path; table says what to write of
 * which (see step.c). Ends the program if that cannot be.
 */
void ct_trace_begin(const char *table, const char *path);

#endif
