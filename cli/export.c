/* export.c — rempart tenant export: everything a tenant keeps, as a tar.gz that any tool reads.
 *
 * records/APP/COLLECTION/000001.jsonl: one record a line; manifest.json, last: each file with its
 * size, its count of records and its SHA-256. The file is there when it is whole, or not at all.
 */
#include <stdio.h>
#include <unistd.h>
#include <zlib.h>

#include "base/checked.h"
#include "base/env.h"
#include "cli.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "wire/tar.h"

enum {
    OUT_BYTES = 64 * 1024,
    MANIFEST_MAX = 32 << 20,
    GZIP_WINDOW = 15 + 16,
    LEVEL = 1,
    MEMORY = 8
};

struct export {
    struct cli *cli;
    int fd;
    z_stream zip;
    uint8_t out[OUT_BYTES];
    struct rp_buf files; /* the manifest's list, so far */
    uint64_t records, parts;
    int64_t now_s;
    char last[RP_TAR_NAME_MAX + 1]; /* the folder of the last part */
    struct rp_diag diag;
};

/* ---- gzip ---- */

static rp_err zip(struct export *e, rp_view v, int flush) {
    e->zip.next_in = (Bytef *)(uintptr_t)v.p;
    e->zip.avail_in = (uInt)v.n;
    int result = Z_OK;
    do {
        e->zip.next_out = e->out;
        e->zip.avail_out = sizeof e->out;
        result = deflate(&e->zip, flush);
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
            return RP_ERR(SYSTEM);
        }
        RP_TRY(rp_file_write_all(e->fd, rp_view_of(e->out, sizeof e->out - e->zip.avail_out)));
    } while (e->zip.avail_out == 0 || (flush == Z_FINISH && result != Z_STREAM_END));
    return RP_OK;
}

static rp_err put_file(struct export *e, rp_view name, rp_view content) {
    static const uint8_t zeros[RP_TAR_BLOCK];
    uint8_t header[RP_TAR_BLOCK];
    RP_TRY(rp_tar_header(name, content.n, e->now_s, header));
    RP_TRY(zip(e, rp_view_of(header, sizeof header), Z_NO_FLUSH));
    RP_TRY(zip(e, content, Z_NO_FLUSH));
    return zip(e, rp_view_of(zeros, rp_tar_padding(content.n)), Z_NO_FLUSH);
}

static rp_err end_archive(struct export *e) {
    static const uint8_t two[2 * RP_TAR_BLOCK];
    return zip(e, rp_view_of(two, sizeof two), Z_FINISH);
}

/* ---- parts ---- */

static void note_file(struct export *e, rp_view name, rp_view content, uint64_t records) {
    char hex[2 * RP_SHA256 + 1] = {0};
    struct rp_sha256 hash = rp_sha256_of(content);
    rp_hex_print(rp_view_of(hash.b, sizeof hash.b), hex);
    rp_buf_printf(&e->files,
                  "%s\n{\"bytes\":%zu,\"name\":\"%.*s\",\"records\":%llu,\"sha256\":\"%s\"}",
                  e->files.n ? "," : "", content.n, RP_FMT(name), (unsigned long long)records, hex);
}

/* next: "app/collection/id" of the page's last record. */
static rp_err put_page(struct export *e, rp_view next, rp_view lines, uint64_t count) {
    rp_view folder = rp_view_sub(next, 0, next.n > RP_ID_TEXT ? next.n - RP_ID_TEXT - 1 : 0);
    if (folder.n == 0 || folder.n >= sizeof e->last) {
        return RP_ERR(PROTOCOL);
    }
    bool same = rp_view_equal(folder, rp_view_from_cstr(e->last));
    e->parts = same ? e->parts + 1 : 1;
    memcpy(e->last, folder.p, folder.n);
    e->last[folder.n] = 0;
    char name[RP_TAR_NAME_MAX + 64];
    int n = snprintf(name, sizeof name, "records/%s/%06llu.jsonl", e->last,
                     (unsigned long long)e->parts);
    if (n < 0 || n > RP_TAR_NAME_MAX) {
        return rp_fail(&e->diag, RP_ERR(TOO_LARGE),
                       "%s: application and collection have names of over 78 bytes together",
                       e->last);
    }
    rp_view path = rp_view_of(name, (size_t)n);
    note_file(e, path, lines, count);
    e->records += count;
    return put_file(e, path, lines);
}

static rp_err put_manifest(struct export *e, const char *tenant) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(MANIFEST_MAX + 4096);
    rp_buf_printf(&text,
                  "{\"files\":[%.*s\n],\n\"format\":1,\"made_at\":\"%s\",\"records\":%llu,"
                  "\"tenant\":\"%s\"}\n",
                  RP_FMT(rp_buf_view(&e->files)), rp_time_print(e->now_s).s,
                  (unsigned long long)e->records, tenant);
    RP_TRY(rp_buf_err(&e->files));
    RP_TRY(rp_buf_err(&text));
    return put_file(e, RP_VIEW("manifest.json"), rp_buf_view(&text));
}

static rp_err one_page(struct export *e, const char *tenant, char next[static 256],
                       bool *ret_more) {
    struct cli *cli = e->cli;
    char path[512];
    struct cli_answer answer = {0};
    (void)snprintf(path, sizeof path, "/.rempart/api/v1/admin/export?tenant=%s&after=%s", tenant,
                   next);
    RP_TRY(cli_fetch_core(cli, path, &answer, &e->diag));
    uint64_t count = 0;
    rp_view last = cli_answer_head(&answer, "Rempart-Next: ");
    rp_err err = RP_OK;
    if (!rp_view_to_u64(cli_answer_head(&answer, "Rempart-Records: "), 1000000, &count) ||
        (count > 0) != (last.n > 0) || last.n >= 256) {
        err = RP_ERR(PROTOCOL);
    } else if (count > 0) {
        memcpy(next, last.p, last.n);
        next[last.n] = 0;
        err = put_page(e, last, answer.body, count);
    }
    *ret_more = count > 0;
    rp_buf_done(&answer.text);
    return err;
}

static rp_err write_all(struct export *e, const char *tenant) {
    char next[256] = "";
    bool more = true;
    while (more) {
        RP_TRY(one_page(e, tenant, next, &more));
    }
    RP_TRY(put_manifest(e, tenant));
    RP_TRY(end_archive(e));
    rp_err err = rp_file_sync(e->fd);
    return e->fd == STDOUT_FILENO ? RP_OK : err;
}

static rp_err with_gzip(struct export *e, const char *tenant) {
    if (deflateInit2(&e->zip, LEVEL, Z_DEFLATED, GZIP_WINDOW, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK) {
        return RP_ERR(NO_MEMORY);
    }
    rp_err err = write_all(e, tenant);
    (void)deflateEnd(&e->zip);
    return err;
}

static rp_err open_out(struct export *e, const char *file) {
    if (strcmp(file, "-") == 0) {
        e->fd = STDOUT_FILENO;
        return RP_OK;
    }
    if (rp_file_exists(file)) {
        return rp_fail(&e->diag, RP_ERR(DUPLICATE), "%s is there already: name another file", file);
    }
    return rp_file_open_append(file, 0600, &e->fd);
}

/* What was begun and did not end well is worth nothing, and holds a customer's data in clear. */
static void give_up(struct export *e, int cwd, const char *file) {
    if (e->fd >= 0 && e->fd != STDOUT_FILENO && fchdir(cwd) == 0) {
        rp_ignore(rp_file_remove(file));
    }
}

static rp_err run(struct export *e, const char *tenant, const char *file) {
    rp_id id;
    if (!rp_id_parse(rp_view_from_cstr(tenant), &id)) {
        return rp_fail(&e->diag, RP_ERR(INVALID), "%s: not a tenant's id", tenant);
    }
    _cleanup_fd_ int cwd = -1;
    RP_TRY(rp_file_open(".", &cwd));
    RP_TRY(open_out(e, file));
    rp_err err = cli_enter_state(e->cli);
    if (rp_ok(err)) {
        err = with_gzip(e, tenant);
    }
    if (!rp_ok(err)) {
        give_up(e, cwd, file);
    }
    if (e->fd != STDOUT_FILENO) {
        rp_fd_done(&e->fd);
    }
    return err;
}

enum rp_exit cli_tenant_export(struct cli *cli, const char *tenant, const char *file) {
    struct export *e = rp_arena_alloc(cli->arena, sizeof *e);
    if (!e) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    struct rp_env env = rp_env_real();
    e->cli = cli;
    e->fd = -1;
    e->files = rp_buf_new(MANIFEST_MAX);
    e->now_s = rp_env_now_s(&env);
    rp_err err = run(e, tenant, file);
    rp_buf_done(&e->files);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->command, &e->diag);
    }
    fprintf(stderr,
            cli_say(cli, "%llu enregistrements exportés, en clair\n",
                    "%llu records exported, in clear\n"),
            (unsigned long long)e->records);
    return RP_EXIT_OK;
}
