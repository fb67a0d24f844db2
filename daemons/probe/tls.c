/* tls.c — the gate's TLS, tried by hand-made handshakes: what a modern library would not offer. */
#include "base/checked.h"
#include "os/file.h"
#include "os/socket.h"
#include "os/tcp.h"
#include "probe.h"
#include "wire/tls_hello.h"

enum { DEADLINE_MS = 5000, ANSWER_MAX = 32768 };

/* Suites that a client of today offers. */
static const uint16_t modern12[] = {0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0x009e, 0x009f};
static const uint16_t modern13[] = {0x1301, 0x1302, 0x1303};
/* RSA key exchange: whoever steals the key later reads everything recorded before. */
static const uint16_t static_rsa[] = {0x009c, 0x009d, 0x002f, 0x0035, 0x003c, 0x003d,
                                      0xc09c, 0xc09d, 0x0041, 0x0084, 0x000a};
/* Broken or without authentication: NULL, EXPORT, RC4, DES, 3DES, anonymous. */
static const uint16_t weak[] = {0x0000, 0x0001, 0x0002, 0x003b, 0xc006, 0xc010, 0x0003, 0x0006,
                                0x0008, 0x0014, 0x0017, 0x0004, 0x0005, 0xc007, 0xc011, 0x0009,
                                0x0015, 0x000a, 0x0013, 0x0016, 0xc008, 0xc012, 0x0018, 0x0034,
                                0x003a, 0x006c, 0x00a6, 0xc015, 0xc016, 0xc017, 0xc018, 0xc019};
/* Everything that an old client could have wanted. */
static const uint16_t old[] = {0xc013, 0xc014, 0xc009, 0xc00a, 0x0033, 0x0039, 0x002f,
                               0x0035, 0x000a, 0xc012, 0x0016, 0x0005, 0x0004};

/* One handshake's first answer. An end without an answer is a refusal; only a gate that cannot be
 * reached at all is no answer. */
static rp_err offer(const struct probe *probe, uint16_t version, const uint16_t *suites, size_t n,
                    bool ticket, struct rp_tls_answer *ret_answer) {
    struct rp_tls_offer hello = {.server_name = probe->config->host,
                                 .version = version,
                                 .suites = suites,
                                 .suite_count = n,
                                 .session_ticket = ticket};
    probe->env.fill_random(probe->env.ctx, hello.random, sizeof hello.random);
    struct rp_buf out = rp_buf_new(8192);
    rp_tls_hello_print(&out, &hello);
    _cleanup_fd_ int fd = -1;
    rp_err err = rp_buf_err(&out);
    if (rp_ok(err)) {
        err = rp_tcp_connect(probe->address, (uint16_t)probe->config->listen, DEADLINE_MS, &fd);
    }
    if (rp_ok(err)) {
        err = rp_file_write_all(fd, rp_buf_view(&out));
    }
    rp_buf_done(&out);
    RP_TRY(err);
    struct rp_buf in = rp_buf_new(ANSWER_MAX);
    struct rp_tls_answer answer = {.kind = RP_TLS_NEED_MORE};
    while (answer.kind == RP_TLS_NEED_MORE) {
        uint8_t bytes[4096];
        size_t got = 0;
        if (!rp_ok(rp_socket_receive(fd, bytes, sizeof bytes, &got)) || got == 0) {
            answer.kind = RP_TLS_REFUSED;
            break;
        }
        rp_buf_add(&in, rp_view_of(bytes, got));
        answer = rp_ok(rp_buf_err(&in)) ? rp_tls_answer_read(rp_buf_view(&in))
                                        : (struct rp_tls_answer){.kind = RP_TLS_NOT_TLS};
    }
    rp_buf_done(&in);
    *ret_answer = answer;
    return RP_OK;
}

static const char *suite_text(uint16_t suite) {
    const char *name = rp_tls_suite_name(suite);
    return name ? name : "?";
}

static bool must_refuse(const struct probe *probe, struct rp_observation *seen, const char *what,
                        uint16_t version, const uint16_t *suites, size_t n) {
    struct rp_tls_answer answer;
    if (!rp_ok(offer(probe, version, suites, n, false, &answer))) {
        rp_probe_unsure(seen, "the gate cannot be reached");
        return false;
    }
    /* Another version than the one asked for is a server's way to say no, and a client's to leave.
     */
    if (answer.kind == RP_TLS_ACCEPTED && answer.version == version) {
        rp_probe_broken(seen, "%s was accepted (%s)", what, suite_text(answer.suite));
        return false;
    }
    return true;
}

static bool must_accept(const struct probe *probe, struct rp_observation *seen, const char *what,
                        uint16_t version, const uint16_t *suites, size_t n) {
    struct rp_tls_answer answer;
    if (!rp_ok(offer(probe, version, suites, n, false, &answer))) {
        rp_probe_unsure(seen, "the gate cannot be reached");
        return false;
    }
    if (answer.kind != RP_TLS_ACCEPTED || answer.version != version) {
        rp_probe_broken(seen, "%s was refused", what);
        return false;
    }
    return true;
}

/*= S73, S74: strong TLS 1.2 and 1.3, nothing older, nothing weaker. */
void probe_tls_versions(void *ctx, struct rp_observation *seen) {
    const struct probe *probe = ctx;
    if (must_refuse(probe, seen, "SSL 3.0", RP_SSL30, old, RP_COUNT_OF(old)) &&
        must_refuse(probe, seen, "TLS 1.0", RP_TLS10, old, RP_COUNT_OF(old)) &&
        must_refuse(probe, seen, "TLS 1.1", RP_TLS11, old, RP_COUNT_OF(old)) &&
        must_refuse(probe, seen, RP_WORDS("a weak cipher suite"), RP_TLS12, weak,
                    RP_COUNT_OF(weak)) &&
        must_accept(probe, seen, "TLS 1.2", RP_TLS12, modern12, RP_COUNT_OF(modern12)) &&
        must_accept(probe, seen, "TLS 1.3", RP_TLS13, modern13, RP_COUNT_OF(modern13))) {
        rp_probe_holds(
            seen, "TLS 1.2 and 1.3 accepted; SSL 3.0, TLS 1.0, TLS 1.1 and %zu weak suites refused",
            RP_COUNT_OF(weak));
    }
}

/* Every modern suite alone: whatever is accepted must be ephemeral, and no ticket promised. */
static bool all_accepted_are_ephemeral(const struct probe *probe, struct rp_observation *seen,
                                       size_t *ret_accepted) {
    for (size_t i = 0; i < RP_COUNT_OF(modern12); i++) {
        struct rp_tls_answer answer;
        if (!rp_ok(offer(probe, RP_TLS12, &modern12[i], 1, true, &answer))) {
            rp_probe_unsure(seen, "the gate cannot be reached");
            return false;
        }
        if (answer.kind != RP_TLS_ACCEPTED) {
            continue;
        }
        if (!rp_tls_suite_is_ephemeral(answer.suite)) {
            rp_probe_broken(seen, "%s gives no forward secrecy", suite_text(answer.suite));
            return false;
        }
        if (answer.will_send_ticket) {
            rp_probe_broken(
                seen, "the gate offers session tickets: their key would open what was recorded");
            return false;
        }
        ++*ret_accepted;
    }
    return true;
}

/*= S78: forward secrecy always; no ticket key exists. */
void probe_tls_forward_secrecy(void *ctx, struct rp_observation *seen) {
    const struct probe *probe = ctx;
    size_t accepted = 0;
    if (!must_refuse(probe, seen, "RSA key exchange", RP_TLS12, static_rsa,
                     RP_COUNT_OF(static_rsa)) ||
        !all_accepted_are_ephemeral(probe, seen, &accepted)) {
        return;
    }
    if (accepted == 0) {
        rp_probe_broken(seen, "no forward-secret suite of TLS 1.2 was accepted");
        return;
    }
    rp_probe_holds(
        seen, "%zu suites accepted, each ephemeral; RSA key exchange refused; no session ticket",
        accepted);
}
