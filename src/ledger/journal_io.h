/* journal_io.h — the one append-only journal that takes every event before anyone is told "stored".
 *
 * FOLDER/<first record's number, 16 hex digits>.log. Records are added to a batch; commit writes
 * the batch with one write and one fdatasync, or leaves no trace of it. A segment over its size
 * is followed by a new one; old ones go when the trees made from them are durable.
 *
 * Opening cuts off a torn last batch (it was never acknowledged) and says so; anything broken
 * before that is CORRUPT with file and offset in the diag, and nothing is changed.
 *
 * Threads: the journal belongs to one; readers, each on its own thread, stay below a place that
 * was committed.
 */
#ifndef RP_LEDGER_JOURNAL_IO_H
#define RP_LEDGER_JOURNAL_IO_H

#include "ledger/disk_io.h"
#include "ledger/journal.h"

enum { RP_JOURNAL_SEGMENT_BYTES = 64 * 1024 * 1024, RP_JOURNAL_BATCH_BYTES = 16 * 1024 * 1024 };

/* Between two records. */
struct rp_journal_place {
    uint64_t segment; /* the number of its first record */
    uint64_t offset;
};
bool rp_journal_before(struct rp_journal_place a, struct rp_journal_place b);

struct rp_journal;

rp_err rp_journal_open(const struct rp_disk *disk, const char *folder, uint64_t segment_bytes,
                       struct rp_journal **ret_journal, uint64_t *ret_cut_bytes,
                       struct rp_diag *diag);
void rp_journal_free(struct rp_journal *journal); /* accepts NULL; a batch not committed is lost */
struct rp_journal_place rp_journal_end(const struct rp_journal *journal);
uint64_t rp_journal_written(const struct rp_journal *journal); /* bytes since it was opened */
/* Where the oldest segment begins. */
rp_err rp_journal_begin(const struct rp_journal *journal, struct rp_journal_place *ret_place);

/* Into the batch being gathered; batch and last are set here. TOO_LARGE when the batch is full. */
rp_err rp_journal_add(struct rp_journal *journal, const struct rp_journal_record *record);
/* All of the batch is durable, or none of it is there: NO_SPACE and IO leave the file as it was.
 * SYSTEM: the disk answered so that nothing more may be believed; end the process. */
rp_err rp_journal_commit(struct rp_journal *journal);
void rp_journal_drop(struct rp_journal *journal); /* forgets the batch */
/* Removes the segments that lie wholly before the place. */
rp_err rp_journal_forget(struct rp_journal *journal, struct rp_journal_place place);

struct rp_journal_reader;
rp_err rp_journal_read(const char *folder, struct rp_journal_place from,
                       struct rp_journal_reader **ret_reader);
void rp_journal_reader_free(struct rp_journal_reader *reader); /* accepts NULL */
/* The next record before `end`, valid until the next call. NOT_FOUND at the end. */
rp_err rp_journal_next(struct rp_journal_reader *reader, struct rp_journal_place end,
                       struct rp_journal_record *ret_record, struct rp_diag *diag);
struct rp_journal_place rp_journal_reader_place(const struct rp_journal_reader *reader);

#endif
