/* SPDX-License-Identifier: ISC */
/*
 * banned: calls that have hurt mail servers, made into compile errors.
 * Included before every source file by the build (-include).
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Some of them are macros where the library is fortified. */
#undef strcpy
#undef strcat
#undef strncat
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat sprintf vsprintf strtok atoi atol gmtime localtime
#pragma GCC poison system popen mktemp tmpnam gets strncat
