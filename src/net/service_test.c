/* SPDX-License-Identifier: ISC */
#include "net/service.h"
#include "test/test.h"

TEST(placeholder_for_build)
{
}
