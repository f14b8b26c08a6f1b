/* SPDX-License-Identifier: Apache-2.0 */
/* All of libhufu. Link with `pkg-config --libs hufu` or the CMake target hufu::hufu. */
#ifndef HUFU_HUFU_H
#define HUFU_HUFU_H

#include <hufu/err.h>
#include <hufu/model.h>
#include <hufu/upload.h>
#include <hufu/version.h>

#endif
