/* notes_io.h — the workers' notes laid side by side, for whoever asks: proposals, the loudest
 * rules, what an application is sent. Reads waf/notes.N, each time anew. Thread: any. */
#ifndef RP_SHIELD_NOTES_IO_H
#define RP_SHIELD_NOTES_IO_H

#include "base/arena.h"
#include "os/shm.h"
#include "shield/notes.h"

enum { RP_NOTES_TABLES = 128 };
/* False when there is no such table, or it is none of ours. */
bool rp_notes_open_table(unsigned number, struct rp_shm *ret_table);

struct rp_notes_all {
    struct rp_note *notes; /* each key once, the most frequent first */
    size_t count;
    uint64_t lost;
    unsigned tables;
};
/* TOO_LARGE when the arena is. */
rp_err rp_notes_collect(int64_t now_ms, struct rp_arena *arena, struct rp_notes_all *ret_all);
/* The tallies of all rules since that day, each rule once, in no order. */
rp_err rp_notes_collect_tallies(uint32_t since_day, struct rp_arena *arena,
                                struct rp_note_tally **ret_tallies, size_t *ret_count);

/* What people call an alarm: 8 hexadecimal digits. */
struct rp_note_name {
    char s[9];
};
struct rp_note_name rp_note_name_of(uint64_t key);

#endif
