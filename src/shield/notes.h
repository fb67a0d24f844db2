/* notes.h — what a worker notes down about the rules' work: the ground for learnt exclusions and
 * for the list of the loudest rules. An alarm: a rule matched a signed-in person's request that it
 * would refuse.
 *
 * One table a worker (waf/notes.N), written by it alone and read by core, which lays them side by
 * side (rp_note_merge). Each slot has a seqlock; a torn one is no note. People and organisations
 * are hashes under the tables' salt, so that they can be counted and not named; what was sent is
 * kept as a sample whose plainness the place decides (sample.h).
 *
 * An attacker who signs in must not teach: a note counts different people and organisations, and
 * one person alone can make at most RP_NOTES_ALONE_MAX of them.
 *
 * Pure: works on mapped memory. Promises: S58.
 */
#ifndef RP_SHIELD_NOTES_H
#define RP_SHIELD_NOTES_H

#include "base/err.h"
#include "base/id.h"

enum {
    RP_NOTES_MAGIC = 0x4e575052, /* "RPWN" */
    RP_NOTES_VERSION = 3,
    RP_NOTES_SALT = 16,
    RP_NOTES_ALARMS = 1024,
    RP_NOTES_TALLIES = 4096,
    RP_NOTES_ALONE_MAX = 48,
    RP_NOTE_PEOPLE = 8,
    RP_NOTE_ORGANISATIONS = 4,
    RP_NOTE_NAME_MAX = 64,
    RP_NOTE_SAMPLE_MAX = 64,
    RP_NOTES_MEASURED = 64, /* what rules cost is measured at one request of so many */
    RP_NOTE_DAYS = 30       /* what was not seen for so long is forgotten */
};

struct rp_note {
    uint32_t lock; /* the seqlock's */
    uint32_t rule;
    uint64_t key; /* 0 = free */
    uint8_t app_len, name_len, path_len, sample_len, people, organisations, pad[2];
    uint64_t count;
    int64_t first_ms, last_ms;
    uint64_t person[RP_NOTE_PEOPLE], organisation[RP_NOTE_ORGANISATIONS];
    uint8_t app[32];
    uint8_t name[RP_NOTE_NAME_MAX]; /* the variable: "ARGS:q" */
    uint8_t path[128];              /* its shape */
    uint8_t sample[RP_NOTE_SAMPLE_MAX];
};
_Static_assert(sizeof(struct rp_note) % 8 == 0, "slots are copied by words");

/* What one rule did on one day. */
struct rp_note_tally {
    uint32_t rule, day;    /* since 1970 */
    uint64_t matches;      /* requests */
    uint64_t false_alarms; /* of signed-in people, and let through */
    uint64_t blocks;
    uint64_t steps; /* of the requests that were measured */
};

/* What was seen, as the caller knows it. Texts that are longer than a note's are not taken. */
struct rp_note_seen {
    uint32_t rule;
    rp_view app, path, name, sample;
    rp_id person, organisation;
    int64_t now_ms;
};

size_t rp_notes_bytes(void);
void rp_notes_init(void *table, const uint8_t salt[static RP_NOTES_SALT]);
/* CORRUPT unless the mapping is a table of this version. */
rp_err rp_notes_check(const void *table, size_t n);
void rp_notes_salt(const void *table, uint8_t ret_salt[static RP_NOTES_SALT]);
/* How many were not taken: too long, no room, or one person's too many. */
uint64_t rp_notes_lost(const void *table);

/* The writer's side. */
void rp_notes_see(void *table, const struct rp_note_seen *seen);
/* Adds to the rule's tally of the day; its matches, false alarms, blocks and steps are added. */
void rp_notes_tally(void *table, const struct rp_note_tally *more);

/* The reader's side: false for a free, torn or damaged slot, and for what is too old. */
bool rp_notes_get(const void *table, size_t index, int64_t now_ms, struct rp_note *ret_note);
bool rp_notes_get_tally(const void *table, size_t index, struct rp_note_tally *ret_tally);

/* Both of one key; sums, the union of people, the newer sample. */
void rp_note_merge(struct rp_note *into, const struct rp_note *from);

static inline rp_view rp_note_app(const struct rp_note *note) {
    return rp_view_of(note->app, note->app_len);
}
static inline rp_view rp_note_name(const struct rp_note *note) {
    return rp_view_of(note->name, note->name_len);
}
static inline rp_view rp_note_path(const struct rp_note *note) {
    return rp_view_of(note->path, note->path_len);
}
static inline rp_view rp_note_sample(const struct rp_note *note) {
    return rp_view_of(note->sample, note->sample_len);
}

#endif
