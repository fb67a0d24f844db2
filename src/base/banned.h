/* banned.h — calls that this project does not make; using one is a compile error.
 *
 * Included by every translation unit through the build (-include). Each has a better one:
 * views for strings, rp_view_to_u64 for numbers, gmtime_r, rp_env for chance and time,
 * posix_spawn in os/ for processes.
 */
#ifndef RP_BASE_BANNED_H
#define RP_BASE_BANNED_H

/* The headers that declare them come first, so that only our own uses are poisoned. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A room with a door to a library whose headers use such a word as a name (a parameter `rand`)
 * lists those headers in one file and names it here, from its meson.build. */
#ifdef RP_BANNED_AFTER
#include RP_BANNED_AFTER
#endif

#undef alloca
#pragma GCC poison alloca

#pragma GCC poison strcpy strcat sprintf vsprintf strncpy strncat strtok atoi atol atoll atof
/* src/wire/number.c alone may: JSON numbers need a correctly rounded conversion, and glibc has
 * one; the grammar is checked before it sees a byte. */
#ifndef RP_ALLOW_STRTOD
#pragma GCC poison strtod
#endif
#pragma GCC poison strtol strtoul strtoll strtoull sscanf gets gmtime localtime asctime ctime
#pragma GCC poison rand srand system popen mktemp tmpnam memcmp

#endif
