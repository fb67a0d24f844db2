/* backup_tenants.c — beside the archives lies one file with what lets tenants' keys end.
 *
 *   rempart-HOST-INSTALLATION.tenants   a tar of kms/tenants/ID, each sealed under the root
 *
 * An archive holds every tenant's wrapped key, for as long as the archive is kept. The halves that
 * those need (src/keys/half_io.h) are in no archive: each backup replaces this file by the halves
 * that there are now. So the key of a tenant that was closed opens in no backup from the next one
 * on. Whoever copies backups elsewhere copies this file over the former one.
 */
#include <stdio.h>
#include <string.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "keys/half_io.h"
#include "os/file.h"
#include "wire/tar.h"
#include "wire/untar.h"

static const char folder_name[] = "kms/tenants";
enum { NAME_BYTES = sizeof folder_name + RP_ID_TEXT };

/* ---- making it ---- */

static rp_err gather_one(void *ctx, const char *name, bool is_folder) {
    struct backup *b = ctx;
    char path[NAME_BYTES + 1];
    uint8_t header[RP_TAR_BLOCK];
    static const uint8_t zeros[RP_TAR_BLOCK];
    rp_id tenant;
    rp_view half = {NULL, 0};
    if (is_folder || !rp_id_parse(rp_view_from_cstr(name), &tenant)) {
        return RP_OK; /* a temporary file of a write that was cut short */
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder_name, name);
    rp_err err = rp_file_read(path, RP_HALF_BYTES, b->cli->arena, &half);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK; /* destroyed just now */
    }
    RP_TRY(err);
    if (half.n != RP_HALF_BYTES) {
        return rp_fail(&b->diag, RP_ERR(CORRUPT), "%s", path);
    }
    RP_TRY(rp_tar_header(rp_view_from_cstr(path), half.n, b->now_s, header));
    rp_tar_set_mode(header, 0600);
    rp_buf_add(&b->halves, rp_view_of(header, sizeof header));
    rp_buf_add(&b->halves, half);
    rp_buf_add(&b->halves, rp_view_of(zeros, rp_tar_padding(half.n)));
    b->tenant_keys++;
    return rp_buf_err(&b->halves);
}

rp_err backup_tenants_gather(struct backup *b) {
    static const uint8_t end[2 * RP_TAR_BLOCK];
    rp_err err = rp_folder_each(folder_name, gather_one, b);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    rp_buf_add(&b->halves, rp_view_of(end, sizeof end));
    return rp_buf_err(&b->halves);
}

/* Of the installation: its master key has one id for all its versions. */
static rp_err file_name(struct cli *cli, rp_view folder, const struct rp_keep_head *head,
                        const char **ret_name) {
    struct rp_wrapped wrapped;
    RP_TRY(rp_wrapped_parse(head->wrapped, &wrapped));
    rp_view name = rp_arena_printf(cli->arena, "%.*s/rempart-%.*s-%.8s.tenants", RP_FMT(folder),
                                   RP_FMT(head->host), rp_id_print(wrapped.master).s);
    *ret_name = (const char *)name.p;
    return name.p ? RP_OK : RP_ERR(NO_MEMORY);
}

rp_err backup_tenants_write(struct backup *b, const char *folder, const struct rp_keep_head *head) {
    const char *name = NULL;
    RP_TRY(file_name(b->cli, rp_view_from_cstr(folder), head, &name));
    rp_err err = rp_file_replace(name, 0600, rp_buf_view(&b->halves));
    return rp_ok(err) ? RP_OK : rp_fail(&b->diag, err, "%s", name);
}

/* ---- putting them back ---- */

struct taking {
    struct backup_tenants *tenants;
    char name[NAME_BYTES + 1];
    uint8_t half[RP_HALF_BYTES];
    size_t n;
    bool checks_present, only_looks;
};

/* kms/tenants/ID of exactly the size of a half, and nothing else. */
static rp_err begin(struct taking *taking, const struct rp_tar_entry *entry) {
    rp_view start = rp_view_sub(entry->name, 0, sizeof folder_name - 1);
    rp_id tenant;
    if (entry->name.n != NAME_BYTES || entry->size != RP_HALF_BYTES ||
        !rp_view_equal(start, rp_view_from_cstr(folder_name)) ||
        entry->name.p[sizeof folder_name - 1] != '/' ||
        !rp_id_parse(rp_view_from(entry->name, sizeof folder_name), &tenant)) {
        return RP_ERR(CORRUPT);
    }
    memcpy(taking->name, entry->name.p, entry->name.n);
    taking->name[entry->name.n] = 0;
    taking->n = 0;
    return RP_OK;
}

/*= S91 */ /* a key that ended after the backup does not come back with it */
static rp_err was_destroyed(const struct taking *taking, bool *ret_destroyed) {
    char path[4096];
    *ret_destroyed = false;
    if (!taking->checks_present) {
        return RP_OK;
    }
    int n = snprintf(path, sizeof path, "%s/%s", taking->tenants->present, taking->name);
    if (n < 0 || (size_t)n >= sizeof path) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_destroyed = !rp_file_exists(path);
    return RP_OK;
}

static rp_err end(struct taking *taking) {
    bool destroyed = false;
    RP_ASSERT(taking->n == RP_HALF_BYTES);
    RP_TRY(was_destroyed(taking, &destroyed));
    if (destroyed) {
        taking->tenants->left_out++;
        return RP_OK;
    }
    taking->tenants->put_back++;
    if (taking->only_looks) {
        return RP_OK;
    }
    return rp_file_create(taking->name, 0600, rp_view_of(taking->half, sizeof taking->half));
}

static rp_err take(struct taking *taking, const struct rp_untar_step *step) {
    switch (step->what) {
    case RP_UNTAR_FILE:
        return begin(taking, &step->entry);
    case RP_UNTAR_BYTES:
        if (step->bytes.n > sizeof taking->half - taking->n) {
            return RP_ERR(CORRUPT);
        }
        memcpy(taking->half + taking->n, step->bytes.p, step->bytes.n);
        taking->n += step->bytes.n;
        return RP_OK;
    case RP_UNTAR_CLOSE:
        return end(taking);
    case RP_UNTAR_END:
    case RP_UNTAR_MORE:
        break;
    }
    return RP_OK;
}

static rp_err take_piece(struct taking *taking, struct rp_untar *untar, rp_view piece) {
    struct rp_untar_step step;
    do {
        RP_TRY(rp_untar_step(untar, &piece, &step));
        RP_TRY(take(taking, &step));
    } while (step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END);
    return piece.n == 0 ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err take_all(struct taking *taking, int fd) {
    struct rp_untar untar = {0};
    uint8_t piece[8192];
    uint64_t size = 0;
    RP_TRY(rp_file_size(fd, &size));
    for (uint64_t at = 0; at < size;) {
        size_t n = (size_t)RP_MIN(size - at, (uint64_t)sizeof piece);
        RP_TRY(rp_file_read_at(fd, at, piece, n));
        RP_TRY(take_piece(taking, &untar, rp_view_of(piece, n)));
        at += n;
    }
    return rp_untar_ended(&untar) ? RP_OK : RP_ERR(CORRUPT);
}

static rp_view folder_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? rp_view_of((const uint8_t *)path, (size_t)(slash - path)) : RP_VIEW(".");
}

static rp_err open_beside(struct cli *cli, struct backup_tenants *tenants, int *ret_fd,
                          struct rp_diag *diag) {
    const char *name = NULL;
    RP_TRY(file_name(cli, folder_of(tenants->path), tenants->head, &name));
    rp_err err = rp_file_open(name, ret_fd);
    if (!rp_is(err, RP_E_NOT_FOUND)) {
        return rp_ok(err) ? RP_OK : rp_fail(diag, err, "%s", name);
    }
    return rp_fail(diag, err,
                   cli_say(cli,
                           "%s : ce fichier, sans lequel aucun client ne serait lisible, est écrit "
                           "à côté des sauvegardes ; remettez-le à côté de celle-ci",
                           "%s: this file, without which no tenant could be read, is written "
                           "beside the backups; put it beside this one"),
                   name);
}

rp_err backup_tenants_restore(struct cli *cli, struct backup_tenants *tenants,
                              struct rp_diag *diag) {
    struct taking taking = {.tenants = tenants};
    _cleanup_fd_ int fd = -1;
    if (tenants->wanted == 0) {
        return RP_OK;
    }
    RP_TRY(open_beside(cli, tenants, &fd, diag));
    if (tenants->present) {
        char path[4096];
        int n = snprintf(path, sizeof path, "%s/%s", tenants->present, folder_name);
        taking.checks_present = n > 0 && (size_t)n < sizeof path && rp_file_exists(path);
    }
    RP_TRY(rp_folder_make(folder_name, 0700));
    rp_err err = take_all(&taking, fd);
    return rp_ok(err) ? RP_OK : rp_fail(diag, err, "the file of tenants' keys beside the backup");
}

rp_err backup_tenants_verify(struct cli *cli, struct backup_tenants *tenants,
                             struct rp_diag *diag) {
    struct taking taking = {.tenants = tenants, .only_looks = true};
    _cleanup_fd_ int fd = -1;
    if (tenants->wanted == 0) {
        return RP_OK;
    }
    RP_TRY(open_beside(cli, tenants, &fd, diag));
    rp_err err = take_all(&taking, fd);
    return rp_ok(err) ? RP_OK : rp_fail(diag, err, "the file of tenants' keys beside the backup");
}
