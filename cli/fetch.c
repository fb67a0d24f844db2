/* fetch.c — which tiles a tree of a given size has, and getting them with libcurl. */
#include "fetch.h"

#include <curl/curl.h>
#include <ftw.h>

#include "base/assert.h"
#include "os/file.h"
#include "wire/tlog.h"

enum { FILE_MAX = 32 << 20, FILE_SECONDS = 30, TILE_WIDTH = 256 };
static const uint64_t log_max_bytes = (uint64_t)1 << 30;

struct fetch {
    CURL *curl;
    struct cli *cli;
    const char *url, *folder;
    uint64_t bytes;
    struct rp_diag *diag;
};

static size_t receive(char *bytes, size_t size, size_t n, void *ctx) {
    struct rp_buf *buf = ctx;
    rp_buf_add(buf, rp_view_of(bytes, size * n));
    return rp_ok(rp_buf_err(buf)) ? size * n : 0;
}

static rp_err save(struct fetch *fetch, const char *name, rp_view bytes) {
    rp_view path = rp_arena_printf(fetch->cli->arena, "%s/%s", fetch->folder, name);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    size_t slash = path.n;
    while (slash > 0 && path.p[slash - 1] != '/') {
        slash--;
    }
    char *parent = rp_arena_cstr(fetch->cli->arena, rp_view_sub(path, 0, slash));
    RP_TRY(parent ? rp_folder_make(parent, 0755) : RP_ERR(NO_MEMORY));
    return rp_file_create((const char *)path.p, 0644, bytes);
}

static rp_err get_one(struct fetch *fetch, const char *name, bool may_miss, struct rp_buf *body) {
    rp_view url = rp_arena_printf(fetch->cli->arena, "%s/%s", fetch->url, name);
    if (!url.p) {
        return RP_ERR(NO_MEMORY);
    }
    rp_buf_clear(body);
    curl_easy_setopt(fetch->curl, CURLOPT_URL, (const char *)url.p);
    curl_easy_setopt(fetch->curl, CURLOPT_WRITEDATA, body);
    long status = 0;
    CURLcode rc = curl_easy_perform(fetch->curl);
    curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &status);
    if (may_miss && rc == CURLE_HTTP_RETURNED_ERROR && status == 404) {
        return RP_OK;
    }
    if (rc != CURLE_OK) {
        return rp_fail(fetch->diag, RP_ERR(UNREACHABLE), "%s: %s", (const char *)url.p,
                       curl_easy_strerror(rc));
    }
    fetch->bytes += body->n;
    if (fetch->bytes > log_max_bytes) {
        return rp_fail(fetch->diag, RP_ERR(TOO_LARGE), "the log is over 1 GiB");
    }
    return save(fetch, name, rp_buf_view(body));
}

static rp_err get(struct fetch *fetch, const char *name, struct rp_buf *body) {
    return get_one(fetch, name, false, body);
}

static rp_err get_tile(struct fetch *fetch, struct rp_tlog_tile tile, struct rp_buf *body) {
    struct rp_buf name = rp_buf_new(256);
    rp_tlog_tile_print(&name, tile);
    rp_buf_add_byte(&name, 0);
    rp_err err = rp_buf_err(&name);
    if (rp_ok(err)) {
        err = get(fetch, (const char *)name.p, body);
    }
    rp_buf_done(&name);
    return err;
}

static rp_err get_level(struct fetch *fetch, int level, uint64_t nodes, struct rp_buf *body) {
    for (uint64_t n = 0; n < nodes / TILE_WIDTH; n++) {
        RP_TRY(get_tile(fetch, (struct rp_tlog_tile){level, n, TILE_WIDTH}, body));
    }
    unsigned partial = (unsigned)(nodes % TILE_WIDTH);
    return partial
               ? get_tile(fetch, (struct rp_tlog_tile){level, nodes / TILE_WIDTH, partial}, body)
               : RP_OK;
}

static rp_err get_all(struct fetch *fetch, struct rp_buf *body) {
    RP_TRY(get(fetch, "vkey", body));
    RP_TRY(get_one(fetch, "witnessed", true, body)); /* before the head that it is a beginning of */
    RP_TRY(get(fetch, "checkpoint", body));
    struct rp_tlog_note note;
    RP_TRY(rp_tlog_note_parse(rp_buf_view(body), fetch->cli->arena, &note));
    struct rp_tlog_checkpoint checkpoint;
    RP_TRY(rp_tlog_checkpoint_parse(note.text, &checkpoint));
    uint64_t size = checkpoint.size;
    RP_TRY(get_level(fetch, -1, size, body));
    for (int level = 0; size > 0; level++, size /= TILE_WIDTH) {
        RP_TRY(get_level(fetch, level, size, body));
    }
    return RP_OK;
}

rp_err cli_fetch_log(struct cli *cli, const char *url, const char *folder, struct rp_diag *diag) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return RP_ERR(SYSTEM);
    }
    struct fetch fetch = {curl_easy_init(), cli, url, folder, 0, diag};
    if (!fetch.curl) {
        return RP_ERR(NO_MEMORY);
    }
    curl_easy_setopt(fetch.curl, CURLOPT_PROTOCOLS_STR, "https");
    curl_easy_setopt(fetch.curl, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(fetch.curl, CURLOPT_TIMEOUT, (long)FILE_SECONDS);
    curl_easy_setopt(fetch.curl, CURLOPT_WRITEFUNCTION, receive);
    if (cli->ca) {
        curl_easy_setopt(fetch.curl, CURLOPT_CAINFO, cli->ca);
    }
    struct rp_buf body = rp_buf_new(FILE_MAX);
    rp_err err = get_all(&fetch, &body);
    rp_buf_done(&body);
    curl_easy_cleanup(fetch.curl);
    curl_global_cleanup();
    return err;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw) {
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void cli_fetch_clean(const char *folder) {
    RP_ASSERT(folder != NULL && folder[0] == '/');
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
