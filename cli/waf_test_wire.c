/* waf_test_wire.c — a test's bytes sent to a server as they are, and its error log read.
 *
 * Around each stage stand two marker requests with the header X-CRS-Test, whose value the log
 * shows by a rule of the server's own (man page): what stands between the two in the log belongs to
 * the stage. Rules are told as [id "…"], by rempart_waf_log full or by ModSecurity. The server
 * works with one worker, so that its log is in order.
 */
#include <time.h>
#include <unistd.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/socket.h"
#include "os/tcp.h"
#include "waf_test.h"

enum { DEADLINE_MS = 10000, POLL_MS = 2, ANSWER_MAX = 16 << 20, LOG_MAX = 16 << 20, PIECE = 65536 };

struct waf_wire {
    const char *address;
    uint16_t port;
    rp_view host; /* "127.0.0.1:8080" */
    int log;
    uint64_t log_at; /* what was read of it */
    uint64_t markers;
    struct rp_buf text; /* of the log since then */
};

/* ---- bytes out and in ---- */

static rp_err send_all(int fd, rp_view bytes) {
    while (bytes.n > 0) {
        size_t n = 0;
        RP_TRY(rp_socket_write(fd, bytes, &n));
        bytes = rp_view_from(bytes, n);
    }
    return RP_OK;
}

/* Whether the first answer is all there; one without a length ends when the server closes. */
static bool is_whole(rp_view raw, bool head_only, struct rp_arena *arena) {
    struct waf_message answer;
    rp_view end = RP_VIEW("\r\n\r\n"), last = RP_VIEW("0\r\n\r\n");
    uint64_t n = 0;
    size_t at = rp_view_find(raw, end);
    if (at == raw.n || !rp_ok(waf_read_response(raw, arena, &answer)) || answer.status < 200) {
        return false;
    }
    size_t have = raw.n - at - end.n;
    if (head_only || answer.status == 204 || answer.status == 304) {
        return true;
    }
    if (waf_header_of(&answer, "Transfer-Encoding").p) {
        return have >= last.n && rp_view_equal(rp_view_from(raw, raw.n - last.n), last);
    }
    return rp_view_to_u64(waf_header_of(&answer, "Content-Length"), UINT64_MAX, &n) && have >= n;
}

/* Until the server closes. Once the first answer is there nothing more will be sent, so that a
 * server answers what else it was sent, and closes; before, it would take that for a client gone.
 */
static rp_err receive_all(int fd, bool head_only, struct rp_arena *arena, struct rp_buf *out) {
    static uint8_t piece[PIECE];
    bool ended = false;
    for (;;) {
        size_t n = 0;
        rp_err err = rp_socket_receive(fd, piece, sizeof piece, &n);
        if (!rp_ok(err)) { /* what came before a server's reset counts too */
            return rp_is(err, RP_E_BUSY) && !ended ? RP_ERR(TIMEOUT) : RP_OK;
        }
        rp_buf_add(out, rp_view_of(piece, n));
        RP_TRY(rp_buf_err(out));
        if (!ended && is_whole(rp_buf_view(out), head_only, arena)) {
            ended = true;
            rp_tcp_end(fd);
        }
    }
}

static rp_err exchange(const struct waf_wire *wire, rp_view bytes, struct rp_arena *arena,
                       struct rp_buf *ret_answer) {
    int fd = -1;
    RP_TRY(rp_tcp_connect(wire->address, wire->port, DEADLINE_MS, &fd));
    rp_err sent = send_all(fd, bytes);
    bool head_only = rp_view_starts(bytes, RP_VIEW("HEAD "));
    rp_err err = receive_all(fd, head_only, arena, ret_answer);
    (void)close(fd);
    /* A server may answer and close before it has read everything. */
    return rp_ok(sent) || ret_answer->n > 0 ? err : sent;
}

/* ---- the log ---- */

static rp_err read_log(struct waf_wire *wire) {
    static uint8_t piece[PIECE];
    uint64_t size = 0;
    RP_TRY(rp_file_size(wire->log, &size));
    while (wire->log_at < size) {
        size_t n = (size_t)RP_MIN(size - wire->log_at, (uint64_t)sizeof piece);
        RP_TRY(rp_file_read_at(wire->log, wire->log_at, piece, n));
        rp_buf_add(&wire->text, rp_view_of(piece, n));
        RP_TRY(rp_buf_err(&wire->text));
        wire->log_at += n;
    }
    return RP_OK;
}

/* Where the line ends in which this stands; text.n when it does not, or not wholly yet. */
static size_t line_end_of(rp_view text, rp_view needle) {
    size_t at = rp_view_find(text, needle);
    if (at == text.n) {
        return text.n;
    }
    size_t end = at + rp_view_find_byte(rp_view_from(text, at), '\n');
    return end < text.n ? end + 1 : text.n;
}

static size_t line_start_of(rp_view text, rp_view needle) {
    size_t at = rp_view_find(text, needle);
    while (at > 0 && at < text.n && text.p[at - 1] != '\n') {
        at--;
    }
    return at;
}

/* Waits until the marker's line is in the log, whole. */
static rp_err await(struct waf_wire *wire, rp_view marker) {
    const struct timespec pause = {.tv_nsec = POLL_MS * 1000000L};
    for (unsigned waited_ms = 0; waited_ms < DEADLINE_MS; waited_ms += POLL_MS) {
        RP_TRY(read_log(wire));
        rp_view text = rp_buf_view(&wire->text);
        size_t end = line_end_of(text, marker);
        if (end < text.n ||
            (end > 0 && text.p[end - 1] == '\n' && rp_view_find(text, marker) < text.n)) {
            return RP_OK;
        }
        (void)nanosleep(&pause, NULL); /* a signal only makes the next look come sooner */
    }
    return RP_ERR(TIMEOUT);
}

/* host: whose log it is to stand in; p == NULL for the server's address. */
static rp_err mark(struct waf_wire *wire, rp_view host, struct rp_arena *arena,
                   rp_view *ret_marker) {
    rp_view marker = rp_arena_printf(arena, "rempart-%d-%llu-end", (int)getpid(),
                                     (unsigned long long)++wire->markers);
    rp_view raw =
        rp_arena_printf(arena,
                        "GET /status/200 HTTP/1.1\r\nHost: %.*s\r\nUser-Agent: rempart waf "
                        "test\r\nAccept: */*\r\nX-CRS-Test: %.*s\r\nConnection: "
                        "close\r\n\r\n",
                        RP_FMT(host.p ? host : wire->host), RP_FMT(marker));
    if (!raw.p || !marker.p) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_buf answer = rp_buf_new(ANSWER_MAX);
    rp_err err = exchange(wire, raw, arena, &answer);
    rp_buf_done(&answer);
    RP_TRY(err);
    *ret_marker = marker;
    return await(wire, marker);
}

/* Every [id "…"] of the lines, and "id": "…". */
static void take_ids(rp_view text, struct waf_outcome *outcome) {
    rp_view start = RP_VIEW("[id \"");
    while (outcome->id_count < WAF_OUTCOME_IDS) {
        size_t at = rp_view_find(text, start);
        if (at == text.n) {
            return;
        }
        text = rp_view_from(text, at + start.n);
        rp_view digits = rp_view_sub(text, 0, rp_view_find_byte(text, '"'));
        uint64_t id = 0;
        if (rp_view_to_u64(digits, UINT64_MAX, &id)) {
            outcome->ids[outcome->id_count++] = id;
        }
    }
}

/* ---- a stage ---- */

static rp_err take_answer(const struct rp_buf *answer, struct rp_arena *arena,
                          struct waf_outcome *outcome) {
    struct waf_message response;
    RP_TRY(rp_arena_copy(arena, rp_buf_view(answer), &outcome->answer));
    if (rp_ok(waf_read_response(outcome->answer, arena, &response))) {
        outcome->status = response.status;
        outcome->location = waf_header_of(&response, "Location");
    }
    return RP_OK;
}

static rp_err send_stage(struct waf_wire *wire, const struct waf_stage *stage,
                         struct rp_arena *arena, struct waf_outcome *outcome) {
    rp_view before, after;
    struct rp_buf answer = rp_buf_new(ANSWER_MAX);
    rp_buf_clear(&wire->text);
    RP_TRY(mark(wire, stage->host, arena, &before));
    rp_err err = exchange(wire, stage->raw, arena, &answer);
    if (rp_is(err, RP_E_TIMEOUT)) {
        err = RP_OK; /* no answer: the check says so */
    }
    if (rp_ok(err)) {
        err = take_answer(&answer, arena, outcome);
    }
    rp_buf_done(&answer);
    RP_TRY(err);
    RP_TRY(mark(wire, stage->host, arena, &after));
    rp_view text = rp_buf_view(&wire->text);
    size_t from = line_end_of(text, before), to = line_start_of(text, after);
    RP_TRY(rp_arena_copy(arena, rp_view_sub(text, from, to - RP_MIN(from, to)), &outcome->log));
    take_ids(outcome->log, outcome);
    return RP_OK;
}

rp_err waf_wire_send(struct waf_wire *wire, const struct waf_stage *stage, struct rp_arena *arena,
                     struct waf_outcome *ret_outcome) {
    *ret_outcome = (struct waf_outcome){.in_process = false};
    return send_stage(wire, stage, arena, ret_outcome);
}

/* ---- open and close ---- */

/* http://127.0.0.1:8080 and http://[::1]:8080; the port is 80 when none stands there. */
static bool read_url(struct cli *cli, struct waf_wire *wire, const char *url) {
    rp_view rest = rp_view_from_cstr(url), scheme = RP_VIEW("http://");
    uint64_t port = 80;
    if (!rp_view_starts(rest, scheme)) {
        return false;
    }
    rest = rp_view_from(rest, scheme.n);
    rest = rp_view_sub(rest, 0, rp_view_find_byte(rest, '/'));
    wire->host = rest;
    bool v6 = rest.n > 0 && rest.p[0] == '[';
    size_t end = rp_view_find_byte(rest, v6 ? ']' : ':');
    rp_view address = rp_view_sub(rest, v6 ? 1 : 0, v6 ? end - 1 : end);
    rest = rp_view_from(rest, RP_MIN(end + (v6 ? 1 : 0), rest.n));
    if (rest.n > 0 && (rest.p[0] != ':' ||
                       !rp_view_to_u64(rp_view_from(rest, 1), UINT16_MAX, &port) || port == 0)) {
        return false;
    }
    wire->address = rp_arena_cstr(cli->arena, address);
    wire->port = (uint16_t)port;
    return wire->address && address.n > 0;
}

enum rp_exit waf_wire_open(struct cli *cli, const char *url, const char *log,
                           struct waf_wire **ret_wire) {
    struct waf_wire *wire = rp_arena_alloc(cli->arena, sizeof *wire);
    if (!wire) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    wire->log = -1;
    wire->text = rp_buf_new(LOG_MAX);
    *ret_wire = wire;
    if (!read_url(cli, wire, url)) {
        return cli_usage(cli, cli_say(cli, "--url : http://ADRESSE:PORT attendu, sans TLS",
                                      "--url: expected http://ADDRESS:PORT, without TLS"));
    }
    rp_err err = rp_file_open(log, &wire->log);
    if (rp_ok(err)) {
        err = rp_file_size(wire->log, &wire->log_at);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, log, NULL);
    }
    rp_view marker;
    struct rp_diag diag = cli_diag(cli);
    err = mark(wire, (rp_view){NULL, 0}, cli->arena, &marker);
    if (rp_is(err, RP_E_TIMEOUT)) {
        err = rp_fail(
            &diag, err, "%s",
            cli_say(
                cli,
                "le journal ne montre pas l’en-tête X-CRS-Test : il manque la règle "
                "du manuel, rempart_waf_log full ou error_log … notice, ou ce n’est pas ce journal",
                "the log does not show the header X-CRS-Test: the rule of the manual "
                "is missing, or rempart_waf_log full, or error_log at notice, or this "
                "is not its log"));
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, url, &diag);
}

void waf_wire_close(struct waf_wire *wire) {
    if (wire) {
        if (wire->log >= 0) {
            (void)close(wire->log);
        }
        rp_buf_done(&wire->text);
    }
}
