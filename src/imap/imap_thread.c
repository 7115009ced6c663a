/* SPDX-License-Identifier: ISC */
#include "imap/imap_int.h"
