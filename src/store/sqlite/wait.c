/* wait.c — waiting for the lock of whoever writes.
 *
 * SQLite's own waiting sleeps longer each time, up to a tenth of a second: who comes a moment too
 * early for a commit of four milliseconds waits for eight, and one that began later is served
 * first. Looking each millisecond costs little, and the lock is taken when it is free.
 */
#include <time.h>

#include "store/sqlite/sqlite.h"

enum { PATIENCE_MS = 2000 };

static int look_again(void *ctx, int looks) {
    const struct timespec moment = {.tv_nsec = 1000000};
    (void)ctx;
    if (looks >= PATIENCE_MS) {
        return 0;
    }
    (void)nanosleep(&moment, NULL); /* a signal only makes the next look come sooner */
    return 1;
}

void rp_store_wait_for_lock(sqlite3 *handle) {
    (void)sqlite3_busy_handler(handle, look_again, NULL);
}
