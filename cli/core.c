/* core.c — asking core, in the FastCGI that nginx speaks, over a socket that only the owner opens.
 */
#include <unistd.h>

#include "base/checked.h"
#include "cli.h"
#include "os/file.h"
#include "os/socket.h"
#include "wire/fastcgi.h"

enum {
    ANSWER_MAX = 16 << 20,
    REQUEST_MAX = 17 << 20,
    QUESTION_MAX = 256 * 1024, /* a record with long texts */
    PIECE_BYTES = 32 * 1024,
    DEADLINE_MS = 30000,
    UPLOAD_WITHIN_MS = 10 * 60 * 1000 /* between two signs of life */
};

static const char json_type[] = "application/json";

/* What a question carries: bytes, or so much of an open file. */
struct load {
    rp_view bytes;
    int file; /* -1: none */
    uint64_t size;
};

static rp_err send_piece(int fd, const struct load *load, uint64_t at, struct rp_buf *piece,
                         struct rp_buf *out) {
    size_t n = (size_t)RP_MIN(load->size - at, (uint64_t)PIECE_BYTES);
    rp_buf_clear(piece);
    rp_buf_clear(out);
    uint8_t *bytes = rp_buf_extend(piece, PIECE_BYTES);
    if (!bytes) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_file_read_at(load->file, at, bytes, n));
    rp_fcgi_print_piece(out, rp_view_of(bytes, n));
    RP_TRY(rp_buf_err(out));
    return rp_file_write_all(fd, rp_buf_view(out));
}

/* Piece after piece, and the empty one that ends them. */
static rp_err send_file(int fd, const struct load *load) {
    _cleanup_(rp_buf_done) struct rp_buf piece = rp_buf_new(PIECE_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(2 * PIECE_BYTES);
    for (uint64_t at = 0; at < load->size; at += PIECE_BYTES) {
        RP_TRY(send_piece(fd, load, at, &piece, &out));
    }
    return send_piece(fd, load, load->size, &piece, &out);
}

/* take, when there is one, is called after each piece, and may empty the answer. */
static rp_err exchange(rp_view request, const struct load *load, struct rp_buf *answer,
                       rp_err (*take)(void *ctx, struct rp_buf *answer), void *ctx) {
    _cleanup_fd_ int fd = -1;
    int within_ms = load->file >= 0 ? UPLOAD_WITHIN_MS : DEADLINE_MS;
    RP_TRY(rp_socket_connect("run/cli.sock", RP_SOCKET_STREAM, within_ms, &fd));
    RP_TRY(rp_file_write_all(fd, request));
    RP_TRY(load->file >= 0 ? send_file(fd, load) : RP_OK);
    struct rp_buf raw = rp_buf_new(ANSWER_MAX);
    rp_err err = RP_OK;
    bool done = false;
    while (!done && rp_ok(err)) {
        uint8_t bytes[8192];
        size_t n = 0;
        err = rp_socket_receive(fd, bytes, sizeof bytes, &n);
        if (!rp_ok(err)) {
            break;
        }
        rp_buf_add(&raw, rp_view_of(bytes, n));
        err = rp_buf_err(&raw);
        size_t used = 0;
        if (rp_ok(err)) {
            err = rp_fcgi_feed_response(rp_buf_view(&raw), answer, &used, &done);
            rp_buf_consume(&raw, used);
        }
        if (rp_ok(err) && take) {
            err = take(ctx, answer);
        }
    }
    rp_buf_done(&raw);
    return err;
}

/* CGI head: "Status: 404 Not Found\r\n…\r\n\r\nbody". */
static rp_err split_answer(rp_view answer, unsigned *ret_status, rp_view *ret_body) {
    size_t head = rp_view_find(answer, RP_VIEW("\r\n\r\n"));
    if (head == answer.n) {
        return RP_ERR(PROTOCOL);
    }
    rp_view lines = rp_view_sub(answer, 0, head);
    uint64_t status = 200;
    while (lines.p) {
        rp_view line = rp_view_trim(rp_view_cut(&lines, '\n'));
        if (rp_view_starts(line, RP_VIEW("Status: ")) &&
            !rp_view_to_u64(rp_view_sub(line, 8, 3), 599, &status)) {
            return RP_ERR(PROTOCOL);
        }
    }
    *ret_status = (unsigned)status;
    *ret_body = rp_view_from(answer, head + 4);
    return RP_OK;
}

/* By its code, which is the error's name in small letters; several share a status. */
static rp_err error_of(rp_view code, unsigned status) {
    rp_err by_status = RP_ERR(PROTOCOL);
    for (int32_t i = RP_E_COUNT - 1; i > 0; i--) {
        rp_err err = {i};
        if (rp_view_equal_nocase(code, rp_view_from_cstr(rp_err_name(err)))) {
            return err;
        }
        by_status = rp_err_http(err) == (int)status ? err : by_status;
    }
    return by_status;
}

/* The whole text of the answer; the request's own text is gone when it returns. */
struct taker {
    rp_err (*take)(void *ctx, struct rp_buf *answer);
    void *ctx;
};

static rp_err ask_pieces(const struct cli *cli, const char *method, const char *path,
                         const char *type, const struct load *load, struct rp_buf *answer,
                         struct taker taker) {
    rp_view target = rp_view_from_cstr(path);
    size_t question = rp_view_find_byte(target, '?');
    char length[24];
    int digits = snprintf(length, sizeof length, "%llu", (unsigned long long)load->size);
    const struct rp_fcgi_param params[] = {
        {RP_VIEW("REQUEST_METHOD"), rp_view_from_cstr(method)},
        {RP_VIEW("REQUEST_URI"), target},
        {RP_VIEW("DOCUMENT_URI"), rp_view_sub(target, 0, question)},
        {RP_VIEW("QUERY_STRING"), rp_view_from(target, question + 1)},
        {RP_VIEW("CONTENT_TYPE"), rp_view_from_cstr(type)},
        {RP_VIEW("CONTENT_LENGTH"), rp_view_of(length, (size_t)digits)},
        {RP_VIEW("HTTP_ACCEPT"), RP_VIEW("application/json")},
        {RP_VIEW("HTTP_ACCEPT_LANGUAGE"), cli->lang == RP_FR ? RP_VIEW("fr") : RP_VIEW("en")},
    };
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(REQUEST_MAX);
    if (load->file >= 0) {
        rp_fcgi_print_head(&request, params, RP_COUNT_OF(params));
    } else {
        rp_fcgi_print_request(&request, params, RP_COUNT_OF(params), load->bytes);
    }
    RP_TRY(rp_buf_err(&request));
    rp_err err = exchange(rp_buf_view(&request), load, answer, taker.take, taker.ctx);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_ERR(UNREACHABLE) : err; /* no socket: nobody runs here */
}

static rp_err read_json(struct cli *cli, rp_view text, unsigned status, struct rp_json **ret_json,
                        struct rp_diag *diag) {
    struct rp_json *json = NULL;
    RP_TRY(rp_json_parse(text, (struct rp_json_limits){.depth_max = 32, .count_max = 200000},
                         cli->arena, &json, diag));
    /* What an import says of each line is its answer, also when it kept nothing. */
    if (status >= 400 && !rp_json_get(json, "lines")) {
        rp_view detail = rp_json_get_string(json, "detail");
        return rp_fail(diag, error_of(rp_json_get_string(json, "code"), status), "%.*s",
                       RP_FMT(detail));
    }
    *ret_json = json;
    return RP_OK;
}

static rp_err ask(struct cli *cli, const char *method, const char *path, const char *type,
                  const struct load *load, struct rp_json **ret_json, struct rp_diag *diag) {
    _cleanup_(rp_buf_done) struct rp_buf answer = rp_buf_new(ANSWER_MAX);
    RP_TRY(ask_pieces(cli, method, path, type, load, &answer, (struct taker){NULL, NULL}));
    rp_view kept = {NULL, 0};
    RP_TRY(rp_arena_copy(cli->arena, rp_buf_view(&answer), &kept));
    unsigned status = 0;
    rp_view text = {NULL, 0};
    RP_TRY(split_answer(kept, &status, &text));
    return read_json(cli, text, status, ret_json, diag);
}

static rp_err ask_bytes(struct cli *cli, const char *method, const char *path, const char *type,
                        rp_view body, struct rp_json **ret_json, struct rp_diag *diag) {
    const struct load load = {.bytes = body, .file = -1, .size = body.n};
    return ask(cli, method, path, type, &load, ret_json, diag);
}

rp_err cli_ask_core(struct cli *cli, const char *method, const char *path, rp_view body,
                    struct rp_json **ret_json, struct rp_diag *diag) {
    return ask_bytes(cli, method, path, json_type, body, ret_json, diag);
}

rp_err cli_send_core(struct cli *cli, const char *path, rp_view body, struct rp_json **ret_json,
                     struct rp_diag *diag) {
    return ask_bytes(cli, "POST", path, "text/plain", body, ret_json, diag);
}

rp_err cli_post_core(struct cli *cli, const char *path, const char *type, rp_view body,
                     struct rp_json **ret_json, struct rp_diag *diag) {
    return ask_bytes(cli, "POST", path, type, body, ret_json, diag);
}

rp_err cli_upload_core(struct cli *cli, const char *path, const char *type, int file,
                       struct rp_json **ret_json, struct rp_diag *diag) {
    struct load load = {.file = file};
    RP_TRY(rp_file_size(file, &load.size));
    return ask(cli, "POST", path, type, &load, ret_json, diag);
}

/* ---- an answer that goes straight into a file ---- */

struct writing {
    struct cli *cli;
    int fd;
    unsigned status; /* 0: the head has not come yet */
    rp_view heads;
};

static rp_err write_piece(void *ctx, struct rp_buf *answer) {
    struct writing *writing = ctx;
    if (writing->status == 0) {
        rp_view all = rp_buf_view(answer), body = {NULL, 0};
        if (!rp_ok(split_answer(all, &writing->status, &body))) {
            return RP_OK; /* more of the head comes */
        }
        RP_TRY(rp_arena_copy(writing->cli->arena, rp_view_sub(all, 0, all.n - body.n),
                             &writing->heads));
        rp_buf_consume(answer, all.n - body.n);
    }
    if (writing->status >= 400) {
        return RP_OK; /* an error is small, and read whole */
    }
    RP_TRY(rp_file_write_all(writing->fd, rp_buf_view(answer)));
    rp_buf_consume(answer, answer->n);
    return RP_OK;
}

rp_err cli_fetch_core_to(struct cli *cli, const char *path, int fd, rp_view *ret_heads,
                         struct rp_diag *diag) {
    _cleanup_(rp_buf_done) struct rp_buf answer = rp_buf_new(ANSWER_MAX);
    struct writing writing = {.cli = cli, .fd = fd};
    const struct load nothing = {.file = -1};
    RP_TRY(ask_pieces(cli, "GET", path, json_type, &nothing, &answer,
                      (struct taker){write_piece, &writing}));
    if (writing.status == 0) {
        return RP_ERR(PROTOCOL);
    }
    if (writing.status >= 400) {
        struct rp_json *none = NULL;
        return read_json(cli, rp_buf_view(&answer), writing.status, &none, diag);
    }
    *ret_heads = writing.heads;
    return RP_OK;
}

rp_view cli_answer_head(const struct cli_answer *answer, const char *name) {
    rp_view rest = answer->heads, wanted = rp_view_from_cstr(name);
    while (rest.p) {
        rp_view line = rp_view_trim(rp_view_cut(&rest, '\n'));
        if (rp_view_starts(line, wanted)) {
            return rp_view_from(line, wanted.n);
        }
    }
    return (rp_view){NULL, 0};
}

void cli_print_json(const struct rp_json *json) {
    struct rp_buf out = rp_buf_new(ANSWER_MAX);
    if (rp_ok(rp_json_print(json, &out))) {
        printf("%.*s\n", RP_FMT(rp_buf_view(&out)));
    }
    rp_buf_done(&out);
}

enum rp_exit cli_tell_import(const struct cli *cli, const struct rp_json *report,
                             void (*print)(const struct cli *cli, const struct rp_json *report)) {
    uint64_t refused = 0;
    if (cli->json) {
        cli_print_json(report);
    } else {
        print(cli, report);
    }
    (void)rp_json_get_u64(report, "refused", &refused);
    return refused > 0 ? RP_EXIT_FINDING : RP_EXIT_OK;
}

enum rp_exit cli_ask(struct cli *cli, const char *method, const char *path,
                     const struct rp_json *body, struct rp_json **ret_answer) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(QUESTION_MAX);
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    err = body ? rp_json_print(body, &text) : RP_OK;
    if (rp_ok(err)) {
        err = cli_ask_core(cli, method, path, rp_buf_view(&text), ret_answer, &diag);
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->command, &diag);
}
