#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/client.h"
#include "ledger/key_io.h"
#include "os/file.h"
#include "wire/encode.h"
#include "witness.h"

enum {
    STATE_MAX = RP_NOTE_MAX + 1024,
    STATE_ARENA = 16 * RP_NOTE_MAX,
    PATH_SIZE = 128,
    AGAIN_MS = 600 * 1000,
    EVENT_ARENA = 16384
};

/* ---- files ---- */

/* "witness/<SHA-256 of the origin>.<kind>": an origin is any text. */
static void path_of(const struct rp_witness_log *log, const char *kind,
                    char out[static PATH_SIZE]) {
    char hex[2 * RP_SHA256];
    rp_hash hash = rp_sha256_of(log->vkey.name);
    rp_hex_print(rp_view_of(hash.b, sizeof hash.b), hex);
    int n = snprintf(out, PATH_SIZE, "witness/%.*s.%s", (int)sizeof hex, hex, kind);
    RP_ASSERT(n > 0 && n < PATH_SIZE);
}

static struct rp_tlog_vkey own_key(const struct witness *witness) {
    return rp_vkey_of(RP_VKEY_COSIGNER, rp_view_from_cstr(witness->name), witness->key.public_key);
}

/* What we signed ourselves, whatever key the log has now. */
static rp_err parse_state(const struct witness *witness, rp_view bytes, struct rp_arena *arena,
                          struct rp_witness_log *log) {
    struct rp_tlog_note *note = rp_arena_alloc(arena, sizeof *note);
    struct rp_tlog_vkey key = own_key(witness);
    struct rp_tlog_checkpoint checkpoint;
    struct rp_cosignature cosignature;
    RP_TRY(note ? rp_tlog_note_parse(bytes, arena, note) : RP_ERR(NO_MEMORY));
    RP_TRY(rp_cosignature_find(note, &key, &cosignature));
    RP_TRY(rp_tlog_checkpoint_parse(note->text, &checkpoint));
    if (!rp_view_equal(checkpoint.origin, log->vkey.name)) {
        return RP_ERR(CORRUPT);
    }
    log->size = checkpoint.size;
    memcpy(log->root.b, checkpoint.root, sizeof log->root.b);
    return RP_OK;
}

static rp_err load(struct witness *witness, struct rp_witness_log *log) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(STATE_ARENA);
    char path[PATH_SIZE];
    rp_view bytes;
    path_of(log, "cosigned", path);
    rp_err err = arena ? rp_file_read(path, STATE_MAX, arena, &bytes) : RP_ERR(NO_MEMORY);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    if (rp_ok(err)) {
        err = parse_state(witness, bytes, arena, log);
    }
    if (rp_ok(err)) {
        return RP_OK;
    }
    daemon_say(&witness->daemon,
               "%s: not what this witness cosigned (%s). Put back the copy of a backup; to remove "
               "it is to vouch for whatever %.*s shows next",
               path, rp_err_text(err, RP_EN), RP_FMT(log->vkey.name));
    return RP_ERR(CORRUPT);
}

/* The key's public half, for `rempart witness key`. */
static rp_err publish_key(const struct witness *witness) {
    _cleanup_(rp_buf_done) struct rp_buf line = rp_buf_new(RP_VKEY_MAX);
    struct rp_tlog_vkey key = own_key(witness);
    rp_tlog_vkey_print(&line, &key);
    rp_buf_add_byte(&line, '\n');
    RP_TRY(rp_buf_err(&line));
    return rp_file_replace("witness/vkey", 0644, rp_buf_view(&line));
}

static rp_err open_key(struct witness *witness) {
    struct daemon *daemon = &witness->daemon;
    struct rp_diag diag = {0};
    rp_config_own_witness(&daemon->config, witness->name);
    rp_err err = rp_log_key_open(&daemon->env, "witness/key", &witness->key, &diag);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "witness/key", &diag);
}

static rp_err open_logs(struct witness *witness) {
    struct daemon *daemon = &witness->daemon;
    const struct rp_config_list *logs = &daemon->config.witness_logs;
    RP_ASSERT(logs->count <= WITNESS_LOGS_MAX);
    for (size_t i = 0; i < logs->count; i++) {
        struct rp_witness_log *log = &witness->logs[witness->log_count++];
        RP_TRY(rp_vkey_parse(rp_view_from_cstr(logs->items[i]), daemon->arena, &log->vkey));
        RP_TRY(load(witness, log));
    }
    return RP_OK;
}

rp_err keep_open(struct witness *witness) {
    RP_TRY(open_key(witness));
    rp_err err = publish_key(witness);
    if (!rp_ok(err)) {
        return daemon_fail(&witness->daemon, err, "witness/vkey", NULL);
    }
    return open_logs(witness);
}

/* Before its first start it has no key, and can have cosigned nothing. */
rp_err keep_rehearse(struct witness *witness) {
    if (!rp_file_exists("witness/key")) {
        return RP_OK;
    }
    RP_TRY(open_key(witness));
    return open_logs(witness);
}

/* ---- cosigning ---- */

static bool is_remembered(const struct rp_witness_judgement *judged) {
    return judged->size == judged->log->size && rp_sha256_equal(&judged->root, &judged->log->root);
}

rp_err keep_cosign(struct witness *witness, const struct rp_witness_judgement *judged,
                   struct rp_buf *line) {
    struct rp_witness_log *log = judged->log;
    char path[PATH_SIZE];
    RP_TRY(rp_cosign(&witness->key, rp_view_from_cstr(witness->name), judged->text,
                     rp_env_now_s(&witness->daemon.env), line));
    if (is_remembered(judged) && log->size > 0) {
        return RP_OK; /* the same tree at a later time */
    }
    _cleanup_(rp_buf_done) struct rp_buf state = rp_buf_new(STATE_MAX);
    rp_buf_add(&state, judged->note);
    rp_buf_add(&state, rp_buf_view(line));
    RP_TRY(rp_buf_err(&state));
    path_of(log, "cosigned", path);
    RP_TRY(rp_file_replace(path, 0640, rp_buf_view(&state)));
    log->size = judged->size;
    log->root = judged->root;
    return RP_OK;
}

/* ---- evidence ---- */

static int64_t monotonic_ms(const struct witness *witness) {
    return rp_env_monotonic_ms(&witness->daemon.env);
}

/* Two heads of one size are proof, and the first such proof stays. A proof that leads nowhere may
 * be a stranger's joke: the head is kept until the next one. */
void keep_refused(struct witness *witness, const struct rp_witness_judgement *judged) {
    struct news *news = &witness->news[judged->log - witness->logs];
    bool proof = judged->verdict == RP_WITNESS_FORKED;
    bool is_new = news->told_ms == 0 || monotonic_ms(witness) - news->told_ms >= AGAIN_MS ||
                  (proof && news->verdict != RP_WITNESS_FORKED);
    if (news->waits || !is_new) {
        return;
    }
    char path[PATH_SIZE];
    path_of(judged->log, proof ? "forked" : "refused", path);
    rp_err err = proof ? rp_file_create(path, 0640, judged->note)
                       : rp_file_replace(path, 0640, judged->note);
    if (!rp_ok(err) && !rp_is(err, RP_E_DUPLICATE)) {
        rp_ignore(daemon_fail(&witness->daemon, err, path, NULL)); /* the event goes out */
    }
    news->waits = true;
    news->verdict = judged->verdict;
    news->size = judged->size;
    news->told_ms = monotonic_ms(witness);
    daemon_say(&witness->daemon,
               "%.*s: a signed head of %llu entries does not continue the %llu "
               "that were cosigned; it lies in %s",
               RP_FMT(judged->log->vkey.name), (unsigned long long)judged->size,
               (unsigned long long)judged->log->size, path);
}

static rp_err tell(struct witness *witness, const struct rp_witness_log *log,
                   const struct news *news) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    rp_view bytes;
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event = rp_event_new(arena, RP_EVENT_WITNESS_REFUSED,
                                          rp_env_now_ms(&witness->daemon.env), RP_ROLE_WITNESS);
    rp_event_add_text(event, "log", log->vkey.name);
    rp_event_add_u64(event, "known_size", log->size);
    rp_event_add_u64(event, "size", news->size);
    rp_event_add_text(
        event, "reason",
        rp_view_from_cstr(news->verdict == RP_WITNESS_FORKED ? "forked" : "inconsistent"));
    RP_TRY(rp_event_print(event, &bytes));
    return rp_ledger_append(witness->ledger, (struct rp_tree){.kind = RP_TREE_OPERATOR},
                            (rp_id){{0}}, 0, &bytes, 1, NULL);
}

void keep_tell(void *ctx) {
    struct witness *witness = ctx;
    for (size_t i = 0; i < witness->log_count; i++) {
        struct news *news = &witness->news[i];
        if (!news->waits) {
            continue;
        }
        if (!rp_ok(tell(witness, &witness->logs[i], news))) {
            return; /* whoever asks is not to wait for a silent ledger once for each log */
        }
        news->waits = false;
    }
}
