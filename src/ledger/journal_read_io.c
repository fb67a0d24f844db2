#include "base/assert.h"
#include "base/checked.h"
#include "ledger/journal_segments.h"
#include "os/file.h"

enum { CHUNK = 1024 * 1024 };
_Static_assert(CHUNK > RP_JOURNAL_RECORD_HEAD + RP_JOURNAL_EVENT_MAX, "a chunk holds a record");

bool rp_journal_before(struct rp_journal_place a, struct rp_journal_place b) {
    return a.segment < b.segment || (a.segment == b.segment && a.offset < b.offset);
}

struct rp_journal_reader {
    char folder[RP_JOURNAL_FOLDER_MAX];
    int fd;
    uint64_t segment, offset; /* of the next record */
    uint64_t file_size;       /* as last asked */
    uint64_t count;           /* records seen in this segment */
    bool counted;             /* from its first record on */
    uint64_t chunk_at;        /* file offset of chunk[0] */
    size_t chunk_n;
    uint8_t chunk[CHUNK];
};

static rp_err open_segment(struct rp_journal_reader *reader, struct rp_journal_place place) {
    char path[RP_JOURNAL_PATH_SIZE];
    rp_fd_done(&reader->fd);
    rp_journal_segment_path(reader->folder, place.segment, path);
    RP_TRY(rp_file_open(path, &reader->fd));
    reader->segment = place.segment;
    reader->counted = place.offset <= RP_JOURNAL_HEAD;
    reader->offset = RP_MAX(place.offset, (uint64_t)RP_JOURNAL_HEAD);
    reader->count = 0;
    reader->chunk_n = 0;
    reader->file_size = 0;
    return RP_OK;
}

void rp_journal_reader_free(struct rp_journal_reader *reader) {
    if (reader) {
        rp_fd_done(&reader->fd);
        free(reader);
    }
}

rp_err rp_journal_read(const char *folder, struct rp_journal_place from,
                       struct rp_journal_reader **ret_reader) {
    RP_ASSERT(strlen(folder) < RP_JOURNAL_FOLDER_MAX);
    struct rp_journal_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return RP_ERR(NO_MEMORY);
    }
    reader->fd = -1;
    memcpy(reader->folder, folder, strlen(folder) + 1);
    rp_err err = open_segment(reader, from);
    if (!rp_ok(err)) {
        rp_journal_reader_free(reader);
        return err;
    }
    *ret_reader = reader;
    return RP_OK;
}

struct rp_journal_place rp_journal_reader_place(const struct rp_journal_reader *reader) {
    return (struct rp_journal_place){reader->segment, reader->offset};
}

uint64_t rp_journal_reader_count(const struct rp_journal_reader *reader) {
    return reader->count;
}

/* Bytes from the reader's offset up to `limit`, as many as a chunk holds. */
static rp_err fill_chunk(struct rp_journal_reader *reader, uint64_t limit, rp_view *ret_bytes) {
    uint64_t skip = reader->offset - reader->chunk_at;
    bool enough = reader->chunk_n > 0 && reader->offset >= reader->chunk_at &&
                  skip + RP_JOURNAL_RECORD_HEAD + RP_JOURNAL_EVENT_MAX <= reader->chunk_n;
    if (!enough) {
        reader->chunk_at = reader->offset;
        reader->chunk_n = (size_t)RP_MIN(limit - reader->offset, (uint64_t)CHUNK);
        skip = 0;
        rp_err err = rp_file_read_at(reader->fd, reader->chunk_at, reader->chunk, reader->chunk_n);
        if (!rp_ok(err)) {
            reader->chunk_n = 0;
            return err;
        }
    }
    *ret_bytes = rp_view_of(reader->chunk + skip, reader->chunk_n - (size_t)skip);
    return RP_OK;
}

static rp_err say_broken(const struct rp_journal_reader *reader, struct rp_diag *diag) {
    return rp_fail(diag, RP_ERR(CORRUPT), "%s/%016llx.log: altered at byte %llu", reader->folder,
                   (unsigned long long)reader->segment, (unsigned long long)reader->offset);
}

/* To the segment that follows, which must begin where this one ends. */
static rp_err next_segment(struct rp_journal_reader *reader, struct rp_diag *diag) {
    struct rp_journal_segments s;
    RP_TRY(rp_journal_segments_find(reader->folder, reader->segment, &s));
    if (!s.has_next || (reader->counted && s.next != reader->segment + reader->count)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "%s: the segment after %016llx.log is missing",
                       reader->folder, (unsigned long long)reader->segment);
    }
    return open_segment(reader, (struct rp_journal_place){s.next, 0});
}

/* How far this segment may be read. */
static rp_err segment_limit(struct rp_journal_reader *reader, struct rp_journal_place end,
                            uint64_t *ret_limit) {
    if (reader->segment == end.segment) {
        *ret_limit = end.offset;
        return RP_OK;
    }
    if (reader->file_size == 0) {
        RP_TRY(rp_file_size(reader->fd, &reader->file_size));
    }
    *ret_limit = reader->file_size;
    return RP_OK;
}

rp_err rp_journal_next(struct rp_journal_reader *reader, struct rp_journal_place end,
                       struct rp_journal_record *ret_record, struct rp_diag *diag) {
    uint64_t limit;
    for (;;) {
        if (!rp_journal_before(rp_journal_reader_place(reader), end)) {
            return RP_ERR(NOT_FOUND);
        }
        RP_TRY(segment_limit(reader, end, &limit));
        if (reader->offset < limit) {
            break;
        }
        RP_TRY(next_segment(reader, diag));
    }
    rp_view bytes;
    size_t n;
    rp_err err = fill_chunk(reader, limit, &bytes);
    if (rp_ok(err)) {
        err = rp_journal_record_parse(bytes, ret_record, &n);
    }
    if (rp_is(err, RP_E_CORRUPT)) {
        return say_broken(reader, diag);
    }
    RP_TRY(err);
    reader->offset += n;
    reader->count++;
    return RP_OK;
}
