/* memory.c — a file of ids, appended; begun anew at start with the last ones when it has grown. */
#include "courier.h"

#include "base/assert.h"
#include "os/file.h"

static const char path[] = "courier/sent";
enum { FILE_MAX = 1 << 24 };

static void note(struct memory *memory, rp_id id) {
    memory->ids[memory->next] = id;
    memory->next = (memory->next + 1) % MEMORY_MAX;
    memory->count += memory->count < MEMORY_MAX;
}

/* A last record that a crash cut short is not one. */
rp_err memory_open(struct memory *memory, struct rp_arena *arena) {
    rp_view bytes = {NULL, 0};
    *memory = (struct memory){.fd = -1};
    if (rp_file_exists(path)) {
        RP_TRY(rp_file_read(path, FILE_MAX, arena, &bytes));
    }
    size_t count = bytes.n / RP_ID_BYTES;
    size_t first = count > MEMORY_MAX ? count - MEMORY_MAX : 0;
    for (size_t i = first; i < count; i++) {
        rp_id id;
        memcpy(id.b, bytes.p + i * RP_ID_BYTES, RP_ID_BYTES);
        note(memory, id);
    }
    RP_TRY(rp_file_replace(path, 0600,
                           rp_view_sub(bytes, first * RP_ID_BYTES, (count - first) * RP_ID_BYTES)));
    return rp_file_open_append(path, 0600, &memory->fd);
}

bool memory_has(const struct memory *memory, rp_id id) {
    for (size_t i = 0; i < memory->count; i++) {
        if (rp_id_equal(memory->ids[i], id)) {
            return true;
        }
    }
    return false;
}

rp_err memory_add(struct memory *memory, rp_id id) {
    RP_ASSERT(memory->fd >= 0 && !rp_id_is_none(id));
    note(memory, id); /* whatever the disk says, this process knows */
    RP_TRY(rp_file_write_all(memory->fd, rp_view_of(id.b, sizeof id.b)));
    return rp_file_sync(memory->fd);
}

void memory_close(struct memory *memory) {
    rp_fd_done(&memory->fd);
}
