#include "shield/notes.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/seqlock.h"
#include "crypto/hash.h"
#include "shield/notes_table.h"

enum { PROBES = 32, DAY_MS = 24 * 3600 * 1000 };

size_t rp_notes_bytes(void) {
    return sizeof(struct rp_notes_table);
}

void rp_notes_init(void *table, const uint8_t salt[static RP_NOTES_SALT]) {
    RP_ASSERT(table != NULL);
    memset(table, 0, sizeof(struct rp_notes_table));
    struct rp_notes_header header = {.magic = RP_NOTES_MAGIC,
                                     .version = RP_NOTES_VERSION,
                                     .note_bytes = sizeof(struct rp_note),
                                     .tally_bytes = sizeof(struct rp_note_tally),
                                     .sent_bytes = sizeof(struct rp_sent)};
    memcpy(header.salt, salt, sizeof header.salt);
    memcpy(table, &header, sizeof header);
}

rp_err rp_notes_check(const void *table, size_t n) {
    struct rp_notes_header header;
    if (!table || n != sizeof(struct rp_notes_table)) {
        return RP_ERR(CORRUPT);
    }
    memcpy(&header, table, sizeof header);
    bool ours = header.magic == RP_NOTES_MAGIC && header.version == RP_NOTES_VERSION &&
                header.note_bytes == sizeof(struct rp_note) &&
                header.tally_bytes == sizeof(struct rp_note_tally) &&
                header.sent_bytes == sizeof(struct rp_sent);
    return ours ? RP_OK : RP_ERR(CORRUPT);
}

void rp_notes_salt(const void *table, uint8_t ret_salt[static RP_NOTES_SALT]) {
    memcpy(ret_salt, ((const struct rp_notes_table *)table)->header.salt, RP_NOTES_SALT);
}

uint64_t rp_notes_lost(const void *table) {
    return __atomic_load_n(&((const struct rp_notes_table *)table)->header.lost, __ATOMIC_RELAXED);
}

void rp_notes_lose(struct rp_notes_table *table) {
    __atomic_fetch_add(&table->header.lost, 1, __ATOMIC_RELAXED);
}

/* ---- keys ---- */

static uint64_t first_word(const struct rp_sha256 *hash) {
    uint64_t word;
    memcpy(&word, hash->b, sizeof word);
    return word == 0 ? 1 : word;
}

uint64_t rp_notes_key(rp_view bytes) {
    struct rp_sha256 hash = rp_sha256_of(bytes);
    return first_word(&hash);
}

void rp_notes_add_text(uint8_t *out, size_t *n, rp_view text) {
    out[(*n)++] = (uint8_t)text.n;
    if (text.n > 0) {
        memcpy(out + *n, text.p, text.n);
    }
    *n += text.n;
}

static bool fits(const struct rp_note_seen *seen) {
    const struct rp_note *note = NULL;
    return seen->app.n <= sizeof note->app && seen->name.n <= sizeof note->name &&
           seen->path.n <= sizeof note->path && seen->sample.n <= sizeof note->sample;
}

/* The same for the same rule, variable, place and application. */
static uint64_t key_of(const struct rp_note_seen *seen) {
    uint8_t bytes[4 + 3 + 32 + RP_NOTE_NAME_MAX + 128];
    size_t n = sizeof seen->rule;
    memcpy(bytes, &seen->rule, sizeof seen->rule);
    rp_notes_add_text(bytes, &n, seen->app);
    rp_notes_add_text(bytes, &n, seen->name);
    rp_notes_add_text(bytes, &n, seen->path);
    return rp_notes_key(rp_view_of(bytes, n));
}

uint64_t rp_notes_who(const struct rp_notes_table *table, rp_id id) {
    struct rp_sha256 hash =
        rp_sha256_of2(rp_view_of(table->header.salt, RP_NOTES_SALT), rp_view_of(id.b, sizeof id.b));
    return first_word(&hash);
}

/* ---- writing ---- */

/* The key's slot; else a free one; else the one that nobody has seen for longest, if that is long.
 * The slots' number when there is none. */
static size_t slot_for(const struct rp_note *notes, uint64_t key, int64_t now_ms) {
    const size_t slots = RP_NOTES_ALARMS;
    size_t oldest = slots, free_one = slots;
    for (size_t i = 0; i < PROBES; i++) {
        size_t at = (key + i) % slots;
        if (notes[at].key == key) {
            return at;
        }
        if (notes[at].key == 0) {
            free_one = free_one == slots ? at : free_one;
        } else if (oldest == slots || notes[at].last_ms < notes[oldest].last_ms) {
            oldest = at;
        }
    }
    if (free_one < slots || oldest == slots) {
        return free_one;
    }
    return notes[oldest].last_ms < now_ms - (int64_t)RP_NOTE_DAYS * DAY_MS ? oldest : slots;
}

size_t rp_notes_made_alone(const uint64_t *alone, size_t rows, uint64_t person) {
    size_t made = 0;
    for (size_t i = 0; i < rows; i++) {
        made += alone[i] == person;
    }
    return made;
}

void rp_notes_add_who(uint64_t *list, uint8_t *count, size_t max, uint64_t who) {
    for (size_t i = 0; i < *count; i++) {
        if (list[i] == who) {
            return;
        }
    }
    if (*count < max) {
        list[(*count)++] = who;
    }
}

void rp_notes_put_text(uint8_t *field, uint8_t *len, rp_view text) {
    if (text.n > 0) {
        memcpy(field, text.p, text.n);
    }
    *len = (uint8_t)text.n;
}

static struct rp_note new_note(const struct rp_note_seen *seen, uint64_t key) {
    struct rp_note note = {.rule = seen->rule, .key = key, .first_ms = seen->now_ms};
    rp_notes_put_text(note.app, &note.app_len, seen->app);
    rp_notes_put_text(note.name, &note.name_len, seen->name);
    rp_notes_put_text(note.path, &note.path_len, seen->path);
    return note;
}

/* The bytes behind a shorter sample are zero again. */
static void put_sample(struct rp_note *note, rp_view sample) {
    memset(note->sample, 0, sizeof note->sample);
    rp_notes_put_text(note->sample, &note->sample_len, sample);
}

void rp_notes_see(void *memory, const struct rp_note_seen *seen) {
    RP_ASSERT(memory != NULL);
    struct rp_notes_table *table = memory;
    struct rp_note *notes = table->alarms;
    uint64_t *alone = table->alone;
    if (!fits(seen)) {
        rp_notes_lose(table);
        return;
    }
    uint64_t key = key_of(seen), person = rp_notes_who(table, seen->person);
    size_t at = slot_for(notes, key, seen->now_ms);
    bool is_new = at < RP_NOTES_ALARMS && notes[at].key != key;
    /*= S58: who signs in to teach the firewall can say little alone, and drives nobody else out. */
    if (at == RP_NOTES_ALARMS ||
        (is_new && rp_notes_made_alone(alone, RP_NOTES_ALARMS, person) >= RP_NOTES_ALONE_MAX)) {
        rp_notes_lose(table);
        return;
    }
    struct rp_note note = is_new ? new_note(seen, key) : notes[at];
    note.count++;
    note.last_ms = seen->now_ms;
    rp_notes_add_who(note.person, &note.people, RP_NOTE_PEOPLE, person);
    rp_notes_add_who(note.organisation, &note.organisations, RP_NOTE_ORGANISATIONS,
                     rp_notes_who(table, seen->organisation));
    put_sample(&note, seen->sample);
    alone[at] = note.people == 1 ? note.person[0] : 0;
    rp_seqlock_write(&notes[at], &note, sizeof note);
}

/* ---- tallies ---- */

static void add_word(uint64_t *word, uint64_t more) {
    __atomic_store_n(word, *word + more, __ATOMIC_RELAXED);
}

static size_t tally_place(uint64_t rule, uint64_t day) {
    return (size_t)((rule * 0x9e3779b97f4a7c15ULL + day * 0x517cc1b727220a95ULL) >> 40);
}

void rp_notes_tally(void *memory, const struct rp_note_tally *more) {
    RP_ASSERT(memory != NULL && more->rule != 0);
    struct rp_notes_table *table = memory;
    size_t best = RP_NOTES_TALLIES, first = tally_place(more->rule, more->day);
    for (size_t i = 0; i < PROBES; i++) {
        size_t at = (first + i) % RP_NOTES_TALLIES;
        const struct rp_note_tally *there = &table->tallies[at];
        if (there->rule == more->rule && there->day == more->day) {
            best = at;
            break;
        }
        bool gone = there->rule == 0 || there->day + RP_NOTE_DAYS < more->day;
        best = gone && best == RP_NOTES_TALLIES ? at : best;
    }
    if (best == RP_NOTES_TALLIES) {
        rp_notes_lose(table);
        return;
    }
    struct rp_note_tally *tally = &table->tallies[best];
    if (tally->rule != more->rule || tally->day != more->day) {
        *tally = (struct rp_note_tally){.rule = more->rule, .day = more->day};
    }
    add_word(&tally->matches, more->matches);
    add_word(&tally->false_alarms, more->false_alarms);
    add_word(&tally->blocks, more->blocks);
    add_word(&tally->steps, more->steps);
}

bool rp_notes_get_tally(const void *table, size_t index, struct rp_note_tally *ret_tally) {
    RP_ASSERT(index < RP_NOTES_TALLIES);
    const struct rp_note_tally *tally = &((const struct rp_notes_table *)table)->tallies[index];
    *ret_tally = (struct rp_note_tally){
        .rule = __atomic_load_n(&tally->rule, __ATOMIC_RELAXED),
        .day = __atomic_load_n(&tally->day, __ATOMIC_RELAXED),
        .matches = __atomic_load_n(&tally->matches, __ATOMIC_RELAXED),
        .false_alarms = __atomic_load_n(&tally->false_alarms, __ATOMIC_RELAXED),
        .blocks = __atomic_load_n(&tally->blocks, __ATOMIC_RELAXED),
        .steps = __atomic_load_n(&tally->steps, __ATOMIC_RELAXED),
    };
    return ret_tally->rule != 0;
}

/* ---- reading ---- */

static bool is_sound(const struct rp_note *note) {
    return note->key != 0 && note->app_len <= sizeof note->app &&
           note->name_len <= sizeof note->name && note->path_len <= sizeof note->path &&
           note->sample_len <= sizeof note->sample && note->people <= RP_NOTE_PEOPLE &&
           note->organisations <= RP_NOTE_ORGANISATIONS;
}

bool rp_notes_get(const void *memory, size_t index, int64_t now_ms, struct rp_note *ret_note) {
    RP_ASSERT(memory != NULL && index < RP_NOTES_ALARMS);
    const struct rp_notes_table *table = memory;
    struct rp_note note;
    if (!rp_seqlock_read(&table->alarms[index], &note, sizeof note) || !is_sound(&note) ||
        note.last_ms < now_ms - (int64_t)RP_NOTE_DAYS * DAY_MS) {
        return false;
    }
    *ret_note = note;
    return true;
}

void rp_note_merge(struct rp_note *into, const struct rp_note *from) {
    RP_ASSERT(into->key == from->key);
    into->count += from->count;
    into->first_ms = RP_MIN(into->first_ms, from->first_ms);
    for (size_t i = 0; i < from->people; i++) {
        rp_notes_add_who(into->person, &into->people, RP_NOTE_PEOPLE, from->person[i]);
    }
    for (size_t i = 0; i < from->organisations; i++) {
        rp_notes_add_who(into->organisation, &into->organisations, RP_NOTE_ORGANISATIONS,
                         from->organisation[i]);
    }
    if (from->last_ms > into->last_ms) {
        into->last_ms = from->last_ms;
        put_sample(into, rp_note_sample(from));
    }
}
