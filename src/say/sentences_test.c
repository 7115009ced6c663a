/* SPDX-License-Identifier: ISC */
#include "test/test.h"
