/* register_file.c — rempart register attach REGISTER ID FIELD FILE: evidence handed in. */
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "register.h"
#include "register/evidence.h"

static const char *last_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static rp_err send_piece(struct cli *cli, const char *hex, rp_view file, uint64_t piece,
                         uint64_t pieces, struct rp_json **ret_answer, struct rp_diag *diag) {
    size_t from = (size_t)piece * RP_PIECE_MAX;
    rp_view bytes = rp_view_sub(file, from, RP_MIN(file.n - from, (size_t)RP_PIECE_MAX));
    const char *record = cli_register_address(cli, cli->args[1], cli->args[2], "/files");
    rp_view path = rp_arena_printf(cli->arena, "%s?sha256=%s&piece=%llu&pieces=%llu", record, hex,
                                   (unsigned long long)piece, (unsigned long long)pieces);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    return cli_post_core(cli, (const char *)path.p, "application/octet-stream", bytes, ret_answer,
                         diag);
}

/* The field names the file first, unless it does already. */
static enum rp_exit name_it(struct cli *cli, const char *hex, const char *file) {
    struct rp_json *record = NULL, *answer = NULL;
    const char *path = cli_register_address(cli, cli->args[1], cli->args[2], NULL);
    enum rp_exit code = cli_ask(cli, "GET", path, NULL, &record);
    if (code != RP_EXIT_OK ||
        rp_view_starts(rp_json_get_string(record, cli->args[3]), rp_view_from_cstr(hex))) {
        return code;
    }
    struct rp_json *fields = rp_json_object(cli->arena);
    rp_view value = rp_arena_printf(cli->arena, "%s %s", hex, last_name(file));
    rp_json_add_string(cli->arena, fields, cli->args[3], value);
    return cli_ask(cli, "PUT", path, fields, &answer);
}

enum rp_exit cli_register_attach(struct cli *cli) {
    const char *file = cli->args[4];
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(2 * (size_t)RP_EVIDENCE_MAX);
    rp_view bytes = {NULL, 0};
    struct rp_diag diag = cli_diag(cli);
    rp_err err = arena ? rp_file_read(file, RP_EVIDENCE_MAX, arena, &bytes) : RP_ERR(NO_MEMORY);
    if (rp_ok(err) && bytes.n == 0) {
        err = RP_ERR(INVALID);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, file, &diag);
    }
    char hex[2 * RP_SHA256 + 1] = {0};
    struct rp_sha256 sum = rp_sha256_of(bytes);
    rp_hex_print(rp_view_of(sum.b, sizeof sum.b), hex);
    enum rp_exit code = name_it(cli, hex, file);
    if (code != RP_EXIT_OK) {
        return code;
    }
    uint64_t pieces = (bytes.n + RP_PIECE_MAX - 1) / RP_PIECE_MAX;
    struct rp_json *answer = NULL;
    for (uint64_t i = 0; rp_ok(err) && i < pieces; i++) {
        err = send_piece(cli, hex, bytes, i, pieces, &answer, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, file, &diag);
    }
    printf("%s  %s\n", hex, last_name(file));
    return RP_EXIT_OK;
}
