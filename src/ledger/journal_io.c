#include "ledger/journal_io.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/journal_segments.h"
#include "os/batch.h"
#include "os/file.h"

struct rp_journal {
    const struct rp_disk *disk;
    char folder[RP_JOURNAL_FOLDER_MAX];
    uint64_t segment_bytes;
    int fd;
    struct rp_journal_place end; /* all before is durable */
    uint64_t written;
    uint64_t next_number; /* of the next record, over all segments */
    uint32_t batch;
    struct rp_buf pending;
    size_t pending_count;
    size_t pending_last; /* offset of the last record in pending */
    bool broken;
};

/* A new, empty segment, durable with its name. */
static rp_err start_segment(struct rp_journal *journal, uint64_t first) {
    char path[RP_JOURNAL_PATH_SIZE];
    _cleanup_fd_ int fd = -1;
    _cleanup_(rp_buf_done) struct rp_buf head = rp_buf_new(RP_JOURNAL_HEAD);
    rp_journal_segment_path(journal->folder, first, path);
    rp_journal_head_print(&head, first);
    RP_TRY(rp_buf_err(&head));
    RP_TRY(rp_file_remove(path)); /* at most a torn head stands there */
    RP_TRY(rp_file_open_append(path, 0640, &fd));
    rp_err err = journal->disk->append(journal->disk->ctx, fd, rp_buf_view(&head));
    if (rp_ok(err)) {
        err = journal->disk->sync(journal->disk->ctx, fd);
    }
    if (rp_ok(err)) {
        err = rp_folder_sync(journal->folder);
    }
    if (!rp_ok(err)) {
        rp_ignore(rp_file_remove(path));
        return err;
    }
    rp_fd_done(&journal->fd);
    journal->fd = fd;
    fd = -1;
    journal->end = (struct rp_journal_place){first, RP_JOURNAL_HEAD};
    journal->next_number = first;
    journal->batch = 0;
    RP_CRASH_POINT("journal.rotated");
    return RP_OK;
}

/* True when the last segment's head was torn at its birth: then no record ever stood in it. */
static rp_err check_head(const char *path, uint64_t first, uint64_t size, bool *ret_torn,
                         struct rp_diag *diag) {
    _cleanup_fd_ int fd = -1;
    uint8_t head[RP_JOURNAL_HEAD];
    uint64_t written;
    RP_TRY(rp_file_open(path, &fd));
    if (size < sizeof head) {
        *ret_torn = true;
        return RP_OK;
    }
    RP_TRY(rp_file_read_at(fd, 0, head, sizeof head));
    rp_err err = rp_journal_head_parse(rp_view_of(head, sizeof head), &written);
    if (rp_is(err, RP_E_CORRUPT) && size == sizeof head) {
        *ret_torn = true;
        return RP_OK;
    }
    if (!rp_ok(err) || written != first) {
        return rp_fail(diag, rp_ok(err) ? RP_ERR(CORRUPT) : err,
                       "%s: the segment's head is not one of ours", path);
    }
    *ret_torn = false;
    return RP_OK;
}

/* The bytes at the end that no longer parse: cut off when torn, refused when altered. */
static rp_err repair_tail(struct rp_journal *journal, const char *path, uint64_t from,
                          uint64_t size, const struct rp_journal_record *before,
                          struct rp_diag *diag) {
    _cleanup_(rp_buf_done) struct rp_buf tail = rp_buf_new(size - from);
    uint8_t *p = rp_buf_extend(&tail, size - from);
    if (!p) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read_at(journal->fd, from, p, size - from));
    if (rp_journal_tail_is_altered(rp_buf_view(&tail), before)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: altered at byte %llu", path,
                       (unsigned long long)from);
    }
    RP_TRY(rp_file_cut(journal->fd, from));
    return rp_file_sync(journal->fd);
}

/* Walks the last segment to its end and leaves the journal ready to append. */
static rp_err scan_last(struct rp_journal *journal, const char *path, uint64_t first, uint64_t size,
                        uint64_t *ret_cut, struct rp_diag *diag) {
    struct rp_journal_place end = {first, size};
    struct rp_journal_record record, before = {.batch = 0};
    struct rp_journal_reader *reader;
    bool any = false;
    RP_TRY(rp_journal_read(journal->folder, (struct rp_journal_place){first, 0}, &reader));
    rp_err err;
    while (rp_ok(err = rp_journal_next(reader, end, &record, NULL))) {
        before = record;
        any = true;
    }
    journal->end = rp_journal_reader_place(reader);
    journal->next_number = first + rp_journal_reader_count(reader);
    journal->batch = before.batch;
    rp_journal_reader_free(reader);
    if (rp_is(err, RP_E_CORRUPT)) {
        RP_TRY(repair_tail(journal, path, journal->end.offset, size, any ? &before : NULL, diag));
        *ret_cut += size - journal->end.offset;
        return RP_OK;
    }
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static rp_err open_last(struct rp_journal *journal, uint64_t *ret_cut, struct rp_diag *diag) {
    struct rp_journal_segments s;
    char path[RP_JOURNAL_PATH_SIZE];
    RP_TRY(rp_journal_segments_find(journal->folder, 0, &s));
    if (!s.any) {
        return start_segment(journal, 0);
    }
    rp_journal_segment_path(journal->folder, s.last, path);
    RP_TRY(rp_file_open_append(path, 0640, &journal->fd));
    uint64_t size;
    bool torn = false;
    RP_TRY(rp_file_size(journal->fd, &size));
    RP_TRY(check_head(path, s.last, size, &torn, diag));
    if (torn) {
        *ret_cut += size;
        return start_segment(journal, s.last);
    }
    return scan_last(journal, path, s.last, size, ret_cut, diag);
}

void rp_journal_free(struct rp_journal *journal) {
    if (journal) {
        rp_fd_done(&journal->fd);
        rp_buf_done(&journal->pending);
        free(journal);
    }
}

rp_err rp_journal_open(const struct rp_disk *disk, const char *folder, uint64_t segment_bytes,
                       struct rp_journal **ret_journal, uint64_t *ret_cut_bytes,
                       struct rp_diag *diag) {
    RP_ASSERT(strlen(folder) < RP_JOURNAL_FOLDER_MAX);
    RP_TRY(rp_folder_make(folder, 0750));
    struct rp_journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        return RP_ERR(NO_MEMORY);
    }
    journal->disk = disk;
    journal->fd = -1;
    journal->segment_bytes = segment_bytes;
    journal->pending = rp_buf_new(RP_JOURNAL_BATCH_BYTES);
    memcpy(journal->folder, folder, strlen(folder) + 1);
    uint64_t cut = 0;
    rp_err err = open_last(journal, &cut, diag);
    if (!rp_ok(err)) {
        rp_journal_free(journal);
        return err;
    }
    *ret_journal = journal;
    *ret_cut_bytes = cut;
    return RP_OK;
}

struct rp_journal_place rp_journal_end(const struct rp_journal *journal) {
    return journal->end;
}

uint64_t rp_journal_written(const struct rp_journal *journal) {
    return journal->written;
}

rp_err rp_journal_begin(const struct rp_journal *journal, struct rp_journal_place *ret_place) {
    struct rp_journal_segments s;
    RP_TRY(rp_journal_segments_find(journal->folder, 0, &s));
    RP_ASSERT(s.any);
    *ret_place = (struct rp_journal_place){s.first, RP_JOURNAL_HEAD};
    return RP_OK;
}

rp_err rp_journal_add(struct rp_journal *journal, const struct rp_journal_record *record) {
    struct rp_journal_record r = *record;
    r.batch = journal->batch + 1;
    r.last = false;
    /* Asked before, so that the buffer's failure is never sticky. */
    if (journal->pending.n + RP_JOURNAL_RECORD_HEAD + r.event.n > journal->pending.max) {
        return RP_ERR(TOO_LARGE);
    }
    journal->pending_last = journal->pending.n;
    rp_journal_record_print(&journal->pending, &r);
    if (journal->pending.failed) {
        return RP_ERR(NO_MEMORY);
    }
    journal->pending_count++;
    return RP_OK;
}

void rp_journal_drop(struct rp_journal *journal) {
    rp_buf_clear(&journal->pending);
    journal->pending_count = 0;
}

/* A half-written batch is taken away again; when even that fails the file is beyond us. */
static rp_err undo_write(struct rp_journal *journal, rp_err err) {
    if (!rp_ok(rp_file_cut(journal->fd, journal->end.offset))) {
        journal->broken = true;
        return RP_ERR(SYSTEM);
    }
    return err;
}

static rp_err write_batch(struct rp_journal *journal) {
    const struct rp_disk *disk = journal->disk;
    rp_err err = disk->append(disk->ctx, journal->fd, rp_buf_view(&journal->pending));
    if (!rp_ok(err)) {
        return undo_write(journal, err);
    }
    RP_CRASH_POINT("journal.written");
    if (!rp_ok(disk->sync(disk->ctx, journal->fd))) {
        /* What the disk holds is unknown now, and asking again would not tell. */
        journal->broken = true;
        return RP_ERR(SYSTEM);
    }
    RP_CRASH_POINT("journal.synced");
    return RP_OK;
}

rp_err rp_journal_commit(struct rp_journal *journal) {
    if (journal->broken) {
        return RP_ERR(SYSTEM);
    }
    if (journal->pending_count == 0) {
        return RP_OK;
    }
    rp_journal_mark_last(&journal->pending, journal->pending_last);
    rp_err err = write_batch(journal);
    if (rp_ok(err)) {
        journal->end.offset += journal->pending.n;
        journal->written += journal->pending.n;
        journal->next_number += journal->pending_count;
        journal->batch++;
    }
    rp_journal_drop(journal);
    RP_TRY(err);
    if (journal->end.offset >= journal->segment_bytes) {
        /* No room for a new segment: this one goes on. */
        rp_ignore(start_segment(journal, journal->next_number));
    }
    return RP_OK;
}

struct forget {
    const char *folder;
    uint64_t before;
};

static rp_err forget_one(void *ctx, const char *name, bool is_folder) {
    const struct forget *forget = ctx;
    uint64_t first;
    char path[RP_JOURNAL_PATH_SIZE];
    if (is_folder || !rp_journal_segment_of_name(name, &first) || first >= forget->before) {
        return RP_OK;
    }
    rp_journal_segment_path(forget->folder, first, path);
    RP_CRASH_POINT("journal.forget");
    return rp_file_remove(path);
}

rp_err rp_journal_forget(struct rp_journal *journal, struct rp_journal_place place) {
    RP_ASSERT(!rp_journal_before(journal->end, place));
    struct forget forget = {journal->folder, place.segment};
    return rp_folder_each(journal->folder, forget_one, &forget);
}
