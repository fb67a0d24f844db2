#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void rp_assert_failed(const char *what, const char *file, int line) {
    /* No allocation and no locks: the heap may be what is broken. */
    char text[512];
    int n = snprintf(text, sizeof text, "rempart: bug: %s (%s:%d)\n", what, file, line);
    if (n > 0) {
        ssize_t ignored =
            write(STDERR_FILENO, text, (size_t)n < sizeof text ? (size_t)n : sizeof text - 1);
        (void)ignored;
    }
    abort();
}
