/* SPDX-License-Identifier: Apache-2.0 */
/* Which version of libhufu this is. */
#ifndef HUFU_VERSION_H
#define HUFU_VERSION_H

#ifdef __cplusplus
extern "C" {
#endif

/* Of the headers that a program was compiled with. */
#define HUFU_VERSION_MAJOR 0
#define HUFU_VERSION_MINOR 1
#define HUFU_VERSION_PATCH 0
#define HUFU_VERSION_TEXT  "0.1.0"

/* Of the library that the program runs with, as HUFU_VERSION_TEXT. */
const char *hufu_version(void);

#ifdef __cplusplus
}
#endif

#endif
