#include "shield/notes_io.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/checked.h"

bool rp_notes_open_table(unsigned number, struct rp_shm *ret_table) {
    char path[32];
    struct rp_shm table = {0};
    snprintf(path, sizeof path, "waf/notes.%u", number);
    if (!rp_ok(rp_shm_open(path, false, rp_notes_bytes(), &table))) {
        return false;
    }
    if (!rp_ok(rp_notes_check(table.p, table.n))) {
        rp_shm_done(&table);
        return false;
    }
    *ret_table = table;
    return true;
}

/* ---- notes ---- */

static int by_key(const void *a, const void *b) {
    const struct rp_note *x = a, *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

static int by_count(const void *a, const void *b) {
    const struct rp_note *x = a, *y = b;
    return x->count == y->count ? by_key(a, b) : x->count < y->count ? 1 : -1;
}

static size_t read_table(const struct rp_shm *table, int64_t now_ms, struct rp_note *out) {
    size_t n = 0;
    for (size_t i = 0; i < RP_NOTES_ALARMS; i++) {
        n += rp_notes_get(table->p, i, now_ms, &out[n]);
    }
    return n;
}

/* Sorted by key; what many workers noted becomes one. */
static size_t join_same(struct rp_note *notes, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n > 0 && notes[n - 1].key == notes[i].key) {
            rp_note_merge(&notes[n - 1], &notes[i]);
        } else {
            notes[n++] = notes[i];
        }
    }
    return n;
}

rp_err rp_notes_collect(int64_t now_ms, struct rp_arena *arena, struct rp_notes_all *ret_all) {
    struct rp_notes_all all = {0};
    const size_t room = RP_NOTES_ALARMS;
    struct rp_note *one = rp_arena_array(arena, room, sizeof *one);
    /* Twice what one table holds, since workers see much the same; beyond it, counted as lost. */
    all.notes = rp_arena_array(arena, 2 * room, sizeof *all.notes);
    if (!one || !all.notes) {
        return RP_ERR(TOO_LARGE);
    }
    for (unsigned i = 0; i < RP_NOTES_TABLES; i++) {
        struct rp_shm table;
        if (!rp_notes_open_table(i, &table)) {
            continue;
        }
        size_t n = read_table(&table, now_ms, one);
        size_t taken = RP_MIN(n, 2 * room - all.count);
        memcpy(all.notes + all.count, one, taken * sizeof *one);
        all.lost += rp_notes_lost(table.p) + n - taken;
        all.tables++;
        rp_shm_done(&table);
        qsort(all.notes, all.count + taken, sizeof *all.notes, by_key);
        all.count = join_same(all.notes, all.count + taken);
    }
    qsort(all.notes, all.count, sizeof *all.notes, by_count);
    *ret_all = all;
    return RP_OK;
}

struct rp_note_name rp_note_name_of(uint64_t key) {
    struct rp_note_name name;
    snprintf(name.s, sizeof name.s, "%08x", (unsigned)(key >> 32));
    return name;
}

/* ---- tallies ---- */

static int by_rule(const void *a, const void *b) {
    const struct rp_note_tally *x = a, *y = b;
    return (x->rule > y->rule) - (x->rule < y->rule);
}

static size_t join_rules(struct rp_note_tally *tallies, size_t count) {
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        if (n == 0 || tallies[n - 1].rule != tallies[i].rule) {
            tallies[n++] = tallies[i];
            continue;
        }
        struct rp_note_tally *into = &tallies[n - 1];
        into->matches += tallies[i].matches;
        into->false_alarms += tallies[i].false_alarms;
        into->blocks += tallies[i].blocks;
        into->steps += tallies[i].steps;
    }
    return n;
}

rp_err rp_notes_collect_tallies(uint32_t since_day, struct rp_arena *arena,
                                struct rp_note_tally **ret_tallies, size_t *ret_count) {
    /* Joined after each table, so what all of them know fits twice. */
    struct rp_note_tally *tallies = rp_arena_array(arena, 2 * RP_NOTES_TALLIES, sizeof *tallies);
    size_t count = 0;
    if (!tallies) {
        return RP_ERR(TOO_LARGE);
    }
    for (unsigned i = 0; i < RP_NOTES_TABLES; i++) {
        struct rp_shm table;
        if (!rp_notes_open_table(i, &table)) {
            continue;
        }
        for (size_t k = 0; k < RP_NOTES_TALLIES && count < 2 * RP_NOTES_TALLIES; k++) {
            struct rp_note_tally one;
            if (rp_notes_get_tally(table.p, k, &one) && one.day >= since_day) {
                tallies[count++] = one;
            }
        }
        rp_shm_done(&table);
        qsort(tallies, count, sizeof *tallies, by_rule);
        count = join_rules(tallies, count);
    }
    *ret_tallies = tallies;
    *ret_count = count;
    return RP_OK;
}
