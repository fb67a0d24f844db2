/* journal_segments.h — the files of a journal: their names, and which of them there are.
 *
 * A segment is FOLDER/<number of its first record, 16 hex digits>.log; the segments follow each
 * other without a gap. For journal_io (writing) and journal_read_io only.
 */
#ifndef RP_LEDGER_JOURNAL_SEGMENTS_H
#define RP_LEDGER_JOURNAL_SEGMENTS_H

#include "ledger/journal_io.h"

enum { RP_JOURNAL_FOLDER_MAX = 256, RP_JOURNAL_PATH_SIZE = RP_JOURNAL_FOLDER_MAX + 32 };

void rp_journal_segment_path(const char *folder, uint64_t first,
                             char out[static RP_JOURNAL_PATH_SIZE]);
bool rp_journal_segment_of_name(const char *name, uint64_t *ret_first);

/* The first, the last, and the one after a given one; all in one walk. */
struct rp_journal_segments {
    uint64_t after; /* look for the smallest above this */
    uint64_t first, last, next;
    bool any, has_next;
};
rp_err rp_journal_segments_find(const char *folder, uint64_t after,
                                struct rp_journal_segments *ret_segments);

/* How many records the reader saw in the segment in which it stands. */
uint64_t rp_journal_reader_count(const struct rp_journal_reader *reader);

#endif
