/* notes_table.h — what a worker's table holds, for the two that write it: alarms and tallies
 * (notes.c), what applications are sent (sent.c). */
#ifndef RP_SHIELD_NOTES_TABLE_H
#define RP_SHIELD_NOTES_TABLE_H

#include "shield/notes.h"
#include "shield/sent.h"

struct rp_notes_header {
    uint32_t magic, version;
    uint32_t note_bytes, tally_bytes, sent_bytes, pad;
    uint8_t salt[RP_NOTES_SALT];
    uint64_t lost;
    uint8_t rest[16];
};
_Static_assert(sizeof(struct rp_notes_header) == 64, "what follows is aligned");

struct rp_notes_table {
    struct rp_notes_header header;
    struct rp_note alarms[RP_NOTES_ALARMS];
    struct rp_note_tally tallies[RP_NOTES_TALLIES];
    struct rp_sent sent[RP_SENT_ROWS];
    /* Who alone made a row: the person's hash, 0 where there are several. The writer's own. */
    uint64_t alone[RP_NOTES_ALARMS], sent_alone[RP_SENT_ROWS];
};

/* A person or organisation as a number that says nothing without the salt; never 0. */
uint64_t rp_notes_who(const struct rp_notes_table *table, rp_id id);
/* Adds to a list of different ones, which stays as it is when full. */
void rp_notes_add_who(uint64_t *list, uint8_t *count, size_t max, uint64_t who);
/* Rows that this person alone has made. */
size_t rp_notes_made_alone(const uint64_t *alone, size_t rows, uint64_t person);
/* Length before text, so that no two lists of texts are the same bytes. */
void rp_notes_add_text(uint8_t *out, size_t *n, rp_view text);
void rp_notes_put_text(uint8_t *field, uint8_t *len, rp_view text);
uint64_t rp_notes_key(rp_view bytes); /* never 0 */
void rp_notes_lose(struct rp_notes_table *table);

#endif
