/* SPDX-License-Identifier: ISC */
#include "pop3/pop3.h"
