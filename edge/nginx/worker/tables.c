#include "worker/tables.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

#include "base/assert.h"
#include "os/file.h"
#include "os/ring.h"
#include "shield/attack.h"
#include "shield/exclusions.h"
#include "shield/limits.h"
#include "shield/lists.h"
#include "shield/notes.h"

struct worker_tables worker_tables_new(const char *folder) {
    RP_ASSERT(folder != NULL);
    return (struct worker_tables){.folder = folder, .ring_lock = -1};
}

static bool path_of(const struct worker_tables *tables, const char *name,
                    char out[static PATH_MAX]) {
    int n = snprintf(out, PATH_MAX, "%s/%s", tables->folder, name);
    return n > 0 && n < PATH_MAX;
}

static rp_err check_seen(const void *table, size_t n) {
    return table && n == rp_seen_table_bytes() ? RP_OK : RP_ERR(CORRUPT);
}

static void refresh(const struct worker_tables *tables, struct worker_mapping *mapping,
                    const char *name, bool writable, rp_err (*check)(const void *, size_t)) {
    char path[PATH_MAX];
    struct stat st;
    if (!path_of(tables, name, path) || stat(path, &st) != 0) {
        rp_shm_done(&mapping->shm);
        return;
    }
    if (mapping->shm.p && rp_shm_is_lost(&mapping->shm)) {
        rp_shm_done(&mapping->shm); /* cut short: the file is looked at like a new one */
    }
    if (mapping->shm.p && mapping->device == st.st_dev && mapping->inode == st.st_ino) {
        return;
    }
    struct rp_shm shm = {0};
    if (!rp_ok(rp_shm_open(path, writable, 0, &shm))) {
        return; /* looked at again in a second; the old mapping, if any, still holds */
    }
    if (!rp_ok(rp_shm_survive(&shm)) || !rp_ok(check(shm.p, shm.n))) {
        rp_shm_done(&shm);
    }
    rp_shm_done(&mapping->shm);
    *mapping = (struct worker_mapping){.shm = shm, .device = st.st_dev, .inode = st.st_ino};
}

/* Checked once and then believed, so it must be a copy that nobody else can write. */
static void refresh_copy(const struct worker_tables *tables, struct worker_lists *lists,
                         const char *name, size_t max, rp_err (*check)(const void *, size_t)) {
    char path[PATH_MAX];
    struct stat st;
    struct rp_shm shm = {0};
    if (!path_of(tables, name, path) || stat(path, &st) != 0 ||
        (lists->device == st.st_dev && lists->inode == st.st_ino) ||
        !rp_ok(rp_shm_open(path, false, 0, &shm))) {
        return;
    }
    void *copy = shm.n <= max ? malloc(shm.n) : NULL;
    if (copy) {
        memcpy(copy, shm.p, shm.n);
    }
    lists->damaged = !copy || !rp_ok(check(copy, shm.n));
    lists->device = st.st_dev;
    lists->inode = st.st_ino;
    rp_shm_done(&shm);
    if (lists->damaged) {
        free(copy);
        return;
    }
    free(lists->table);
    lists->table = copy;
}

static bool take_one(struct worker_tables *tables, unsigned index) {
    char name[32], path[PATH_MAX];
    snprintf(name, sizeof name, "ring.%u", index);
    _cleanup_fd_ int lock = -1;
    if (!path_of(tables, name, path) || !rp_ok(rp_file_open(path, &lock)) ||
        flock(lock, LOCK_EX | LOCK_NB) != 0) {
        return false;
    }
    struct rp_shm ring = {0};
    if (!rp_ok(rp_shm_open(path, true, 0, &ring))) {
        return false;
    }
    if (!rp_ok(rp_shm_survive(&ring)) || !rp_ok(rp_ring_check(ring.p, ring.n))) {
        rp_shm_done(&ring);
        return false;
    }
    tables->ring = ring;
    tables->ring_lock = lock;
    tables->ring_number = index;
    lock = -1;
    return true;
}

void worker_ring_take(struct worker_tables *tables, unsigned first) {
    RP_ASSERT(tables != NULL && tables->ring.p == NULL);
    tables->ring_first = first;
    for (unsigned i = 0; i < WORKER_RINGS_MAX; i++) {
        if (take_one(tables, (first + i) % WORKER_RINGS_MAX)) {
            return;
        }
    }
}

void worker_notes_take(struct worker_tables *tables, const char *folder) {
    RP_ASSERT(tables != NULL && tables->notes.p == NULL && folder != NULL);
    tables->notes_folder = folder;
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/notes.%u", folder, tables->ring_number);
    struct rp_shm notes = {0};
    if (!tables->ring.p || n <= 0 || n >= PATH_MAX || !rp_ok(rp_shm_open(path, true, 0, &notes))) {
        return;
    }
    if (!rp_ok(rp_shm_survive(&notes)) || !rp_ok(rp_notes_check(notes.p, notes.n))) {
        rp_shm_done(&notes);
        return;
    }
    tables->notes = notes;
}

static void refresh_ring(struct worker_tables *tables) {
    if (tables->ring.p && rp_shm_is_lost(&tables->ring)) {
        rp_shm_done(&tables->ring);
        rp_fd_done(&tables->ring_lock);
        worker_ring_take(tables, tables->ring_first);
        if (tables->notes_folder) { /* another ring's notes are another table */
            rp_shm_done(&tables->notes);
            worker_notes_take(tables, tables->notes_folder);
        }
    }
}

void worker_tables_refresh(struct worker_tables *tables) {
    RP_ASSERT(tables != NULL && tables->folder != NULL);
    refresh(tables, &tables->sessions, "sessions.tab", false, rp_session_table_check);
    refresh(tables, &tables->seen, "seen.tab", true, check_seen);
    refresh(tables, &tables->limits, "limits.tab", true, rp_limits_check);
    refresh(tables, &tables->assertions, "assertions.tab", false, rp_assertion_table_check);
    refresh(tables, &tables->attack, "attack.tab", false, rp_attack_check);
    refresh_copy(tables, &tables->lists, "lists.tab", RP_LIST_TABLE_MAX, rp_lists_check);
    refresh_copy(tables, &tables->exclusions, "exclusions.tab", sizeof(struct rp_exclusion_table),
                 rp_exclusions_check);
    refresh_ring(tables);
}

void worker_tables_keep_up(struct worker_tables *tables) {
    RP_ASSERT(tables != NULL);
    if (tables->sessions.shm.p && rp_session_table_is_replaced(tables->sessions.shm.p)) {
        worker_tables_refresh(tables);
    }
}

struct judge_tables worker_tables_view(const struct worker_tables *tables) {
    RP_ASSERT(tables != NULL);
    return (struct judge_tables){.sessions = tables->sessions.shm.p,
                                 .seen = tables->seen.shm.p,
                                 .assertions = tables->assertions.shm.p};
}
