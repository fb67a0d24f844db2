#include "shield/sent_io.h"

#include <stdlib.h>

#include "base/checked.h"
#include "shield/notes_io.h"

enum { ROWS_MAX = 2 * RP_SENT_ROWS };

static int by_key(const void *a, const void *b) {
    const struct rp_sent *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* Sorted by key; what many workers saw becomes one. */
static size_t join_same(struct rp_sent *rows, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && rows[n - 1].key == rows[i].key) {
            rp_sent_merge(&rows[n - 1], &rows[i]);
        } else {
            rows[n++] = rows[i];
        }
    }
    return n;
}

static rp_err add_table(const void *table, rp_view app, int64_t now_ms, struct rp_sent_all *all) {
    for (size_t i = 0; i < RP_SENT_ROWS; i++) {
        struct rp_sent row;
        if (!rp_sent_get(table, i, now_ms, &row) ||
            !rp_view_equal(rp_view_of(row.app, row.app_len), app)) {
            continue;
        }
        if (all->count == ROWS_MAX) {
            return RP_ERR(TOO_LARGE);
        }
        all->rows[all->count++] = row;
    }
    qsort(all->rows, all->count, sizeof *all->rows, by_key);
    all->count = join_same(all->rows, all->count);
    return RP_OK;
}

rp_err rp_sent_collect(rp_view app, int64_t now_ms, struct rp_arena *arena,
                       struct rp_sent_all *ret_all) {
    struct rp_sent_all all = {.rows = rp_arena_array(arena, ROWS_MAX, sizeof *all.rows)};
    rp_err err = all.rows ? RP_OK : RP_ERR(TOO_LARGE);
    for (unsigned i = 0; i < RP_NOTES_TABLES && rp_ok(err); i++) {
        struct rp_shm table;
        if (rp_notes_open_table(i, &table)) {
            err = add_table(table.p, app, now_ms, &all);
            rp_shm_done(&table);
        }
    }
    RP_TRY(err);
    *ret_all = all;
    return RP_OK;
}
