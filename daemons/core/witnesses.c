#include "witnesses.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/client.h"
#include "os/file.h"

enum {
    LOOK_MS = 1000,
    ROUND_MS = 10 * 1000, /* as often as a log that grows is cosigned, at most */
    ATTEMPTS = 3, /* in a round: it tells its size, and may be asked by our successor meanwhile */
    SILENT_FROM = 2,
    UNREACHED_FROM = 30,
    COURIER_MS = 15 * 1000,
    LEDGER_MS = 5 * 1000,
    REQUEST_MAX = 16 * 1024
};

static int64_t monotonic_ms(const struct witnesses *witnesses) {
    return rp_env_monotonic_ms(&witnesses->core->env);
}

/* Three times within the age that is allowed: two may fail. */
static int64_t again_ms(const struct witnesses *witnesses) {
    return (int64_t)witnesses->core->config.witness_age * 1000 / 3;
}

static int64_t round_ms(const struct witnesses *witnesses) {
    return RP_MIN((int64_t)ROUND_MS, again_ms(witnesses));
}

/* Something of our own that keeps us from asking; said when it is another than before. */
static void say_trouble(struct witnesses *witnesses, const char *what, rp_err err) {
    char trouble[sizeof witnesses->trouble];
    (void)snprintf(trouble, sizeof trouble, "%s: %s", what, rp_err_text(err, RP_EN));
    if (strcmp(trouble, witnesses->trouble) != 0) {
        memcpy(witnesses->trouble, trouble, sizeof trouble);
        daemon_say(witnesses->core->daemon, "witnesses: %s", trouble);
    }
}

/* ---- one question ---- */

static rp_err print_question(struct witnesses *witnesses, size_t place, struct rp_buf *out,
                             struct rp_witness_question *ret_question) {
    struct asked *asked = &witnesses->all[place];
    rp_hash proof[RP_MERKLE_PROOF_MAX];
    struct rp_tlog_add add = {.old_size = RP_MIN(asked->known_size, rp_log_size(witnesses->log))};
    _cleanup_(rp_buf_done) struct rp_buf body = rp_buf_new(REQUEST_MAX);
    RP_TRY(rp_log_consistency(witnesses->log, add.old_size, proof, &add.hash_count));
    if (add.hash_count > RP_TLOG_ADD_HASHES_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < add.hash_count; i++) {
        memcpy(add.hashes[i], proof[i].b, RP_TLOG_HASH);
    }
    add.checkpoint = rp_log_note(witnesses->log);
    rp_tlog_add_print(&body, &add);
    rp_pack_u8(out, (uint8_t)place);
    rp_pack_bytes(out, rp_buf_view(&body));
    *ret_question = (struct rp_witness_question){&asked->vkey, add.checkpoint, add.old_size,
                                                 rp_log_size(witnesses->log)};
    RP_TRY(rp_buf_err(&body));
    return rp_buf_err(out);
}

static struct rp_witness_heard silent(rp_view problem) {
    struct rp_witness_heard heard = {.word = RP_WITNESS_SILENT};
    (void)snprintf(heard.problem, sizeof heard.problem, "%.*s",
                   (int)RP_MIN(problem.n, sizeof heard.problem - 1), (const char *)problem.p);
    return heard;
}

static rp_err unpack(rp_view reply, struct rp_witness_answer *ret_answer, rp_view *ret_problem) {
    struct rp_unpack in = rp_unpack_new(reply);
    ret_answer->status = rp_unpack_u16(&in);
    ret_answer->has_size = rp_unpack_u8(&in) != 0;
    ret_answer->body = rp_unpack_bytes(&in, RP_WITNESS_ANSWER_MAX);
    *ret_problem = rp_unpack_bytes(&in, RP_WITNESS_ANSWER_MAX);
    return rp_unpack_end(&in);
}

/* An error is our own trouble: of the witness nothing is known then. */
static rp_err ask_once(struct witnesses *witnesses, size_t place, struct rp_buf *line,
                       struct rp_witness_heard *ret_heard) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(REQUEST_MAX + 64);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    int message = RP_IPC_CORE_COURIER_WITNESS;
    struct rp_witness_question question;
    struct rp_witness_answer answer;
    rp_view problem;
    RP_TRY(print_question(witnesses, place, &request, &question));
    RP_TRY(rp_ipc_call(witnesses->courier, (enum rp_ipc_message)message, rp_buf_view(&request),
                       &reply));
    RP_TRY(unpack(rp_buf_view(&reply), &answer, &problem));
    *ret_heard = answer.status == 0 ? silent(problem) : rp_witness_hear(&question, &answer, line);
    return RP_OK;
}

/* Until it has cosigned, or says something else than which tree it remembers. One that is larger
 * than ours may be ours: a core that we follow may have asked a moment before. */
static rp_err ask(struct witnesses *witnesses, size_t place, struct rp_buf *line,
                  struct rp_witness_heard *ret_heard) {
    struct asked *asked = &witnesses->all[place];
    struct rp_witness_heard heard;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        RP_TRY(ask_once(witnesses, place, line, &heard));
        if (heard.word == RP_WITNESS_LARGER && rp_ok(rp_log_refresh(witnesses->log, NULL)) &&
            rp_log_size(witnesses->log) >= heard.size) {
            heard.word = RP_WITNESS_ASK_FROM;
        }
        if (heard.word != RP_WITNESS_ASK_FROM) {
            *ret_heard = heard;
            return RP_OK;
        }
        asked->known_size = heard.size;
    }
    *ret_heard = (struct rp_witness_heard){.word = RP_WITNESS_REFUSED,
                                           .problem = "it tells another size each time"};
    return RP_OK;
}

/* ---- one round ---- */

static void take_cosignature(struct witnesses *witnesses, struct asked *asked,
                             const struct rp_witness_heard *heard, const struct rp_buf *line) {
    rp_buf_clear(&asked->line);
    rp_buf_add(&asked->line, rp_buf_view(line));
    asked->size = asked->known_size = rp_log_size(witnesses->log);
    asked->root = *rp_log_root(witnesses->log);
    asked->time_s = heard->time_s;
    asked->cosigned_ms = monotonic_ms(witnesses);
    asked->failures = 0;
    asked->pause_ms = 0;
    witnesses->unsaved = true;
    witness_news_set(witnesses, asked, "cosigned", "");
}

/* Ever later, but in time for the age that is allowed; a single silence is no news. */
static void take_failure(struct witnesses *witnesses, struct asked *asked,
                         const struct rp_witness_heard *heard) {
    asked->failures++;
    asked->pause_ms = RP_MIN(RP_MAX(asked->pause_ms * 2, round_ms(witnesses)), again_ms(witnesses));
    asked->not_before_ms = monotonic_ms(witnesses) + asked->pause_ms;
    if (heard->word == RP_WITNESS_LARGER || heard->word == RP_WITNESS_DIVERGED) {
        witness_news_set(witnesses, asked, "diverged", heard->problem);
    } else if (heard->word == RP_WITNESS_REFUSED) {
        witness_news_set(witnesses, asked, "refused", heard->problem);
    } else if (asked->failures >= SILENT_FROM) {
        witness_news_set(witnesses, asked, "unreachable", heard->problem);
    }
}

static bool is_due(const struct witnesses *witnesses, const struct asked *asked, int64_t now_ms) {
    bool behind = asked->cosigned_ms == 0 || asked->size != rp_log_size(witnesses->log) ||
                  now_ms - asked->cosigned_ms >= again_ms(witnesses) || asked->failures > 0;
    return behind && now_ms >= asked->not_before_ms;
}

/* The courier starts after core, which is no trouble; one that never does is. A second later the
 * next round begins. */
static void cannot_ask(struct witnesses *witnesses, rp_err err) {
    witnesses->round_ms = 0;
    if (!rp_is(err, RP_E_UNREACHABLE) || ++witnesses->unreached == UNREACHED_FROM) {
        say_trouble(witnesses, "nobody is asked", err);
    }
}

static void ask_all(struct witnesses *witnesses, int64_t now_ms) {
    for (size_t i = 0; i < witnesses->count && !atomic_load(&witnesses->stopping); i++) {
        struct asked *asked = &witnesses->all[i];
        struct rp_witness_heard heard;
        if (!is_due(witnesses, asked, now_ms)) {
            continue;
        }
        struct rp_buf line = rp_buf_new(RP_WITNESS_ANSWER_MAX);
        rp_err err = ask(witnesses, i, &line, &heard);
        if (!rp_ok(err)) {
            cannot_ask(witnesses, err);
        } else if (heard.word == RP_WITNESS_COSIGNED) {
            take_cosignature(witnesses, asked, &heard, &line);
        } else {
            take_failure(witnesses, asked, &heard);
        }
        rp_buf_done(&line);
    }
}

/* Of the very tree that was read last, and not of one as large. */
static bool is_of_head(const struct witnesses *witnesses, const struct asked *asked) {
    const rp_hash *root = rp_log_root(witnesses->log);
    return asked->cosigned_ms > 0 && asked->size == rp_log_size(witnesses->log) &&
           rp_sha256_equal(root, &asked->root);
}

/* Our head, and below it the line of each witness that cosigned this very one. */
static rp_err keep_note(struct witnesses *witnesses) {
    _cleanup_(rp_buf_done) struct rp_buf note = rp_buf_new(RP_WITNESSED_MAX);
    size_t lines = 0;
    rp_buf_add(&note, rp_log_note(witnesses->log));
    for (size_t i = 0; i < witnesses->count; i++) {
        const struct asked *asked = &witnesses->all[i];
        if (is_of_head(witnesses, asked)) {
            rp_buf_add(&note, rp_buf_view(&asked->line));
            lines++;
        }
    }
    RP_TRY(rp_buf_err(&note));
    return lines > 0 ? rp_ledger_cosigned(witnesses->ledger, rp_buf_view(&note)) : RP_OK;
}

static rp_err read_log(struct witnesses *witnesses) {
    if (witnesses->log) {
        rp_err err = rp_log_refresh(witnesses->log, NULL);
        if (!rp_is(err, RP_E_CORRUPT)) {
            return err;
        }
        rp_log_free(rp_take(&witnesses->log)); /* put back while we ran: it is read as it is now */
    }
    return rp_log_open("ledger/public", (rp_view){NULL, 0}, &witnesses->log, NULL);
}

static void look(struct witnesses *witnesses) {
    int64_t now_ms = monotonic_ms(witnesses);
    bool due = false;
    if (witnesses->round_ms > 0 && now_ms - witnesses->round_ms < round_ms(witnesses)) {
        return;
    }
    rp_err err = read_log(witnesses);
    if (!rp_ok(err)) {
        say_trouble(witnesses, "ledger/public", err);
        return;
    }
    for (size_t i = 0; i < witnesses->count; i++) {
        due = due || is_due(witnesses, &witnesses->all[i], now_ms) || witnesses->all[i].news;
    }
    if (!due && !witnesses->unsaved) {
        return;
    }
    witnesses->round_ms = now_ms;
    ask_all(witnesses, now_ms);
    if (witnesses->unsaved) {
        err = keep_note(witnesses);
        witnesses->unsaved = !rp_ok(err);
    }
    if (!rp_ok(err)) {
        say_trouble(witnesses, "the ledger does not keep the cosigned head", err);
    }
    witness_news_tell(witnesses);
}

/* ---- the thread ---- */

static void run_round(void *thread_state, void *ctx) {
    struct witnesses *witnesses = ctx;
    (void)thread_state;
    look(witnesses);
    atomic_store(&witnesses->running, false);
}

static void start_round(void *ctx) {
    struct witnesses *witnesses = ctx;
    if (!atomic_exchange(&witnesses->running, true) &&
        !rp_ok(rp_pool_submit(witnesses->pool, run_round, witnesses))) {
        atomic_store(&witnesses->running, false);
    }
}

static rp_err read_config(struct witnesses *witnesses) {
    const struct rp_config_list *list = &witnesses->core->config.witnesses;
    RP_ASSERT(list->count <= RP_WITNESSES_MAX);
    for (size_t i = 0; i < list->count; i++) {
        struct asked *asked = &witnesses->all[witnesses->count];
        struct rp_config_witness witness = {.url = {NULL, 0}};
        bool good = rp_config_witness(rp_view_from_cstr(list->items[i]), &witness);
        RP_ASSERT(good); /* checked when it was read */
        *asked = (struct asked){.state = "new", .line = rp_buf_new(RP_WITNESS_ANSWER_MAX)};
        RP_TRY(
            rp_vkey_parse_as(RP_VKEY_COSIGNER, witness.vkey, witnesses->core->arena, &asked->vkey));
        witnesses->count++;
    }
    return RP_OK;
}

rp_err core_witnesses_start(struct core *core) {
    if (core->config.witnesses.count == 0) {
        rp_ignore(rp_file_remove(WITNESS_STATE_FILE)); /* what others said before is over */
        return RP_OK;
    }
    struct witnesses *witnesses = calloc(1, sizeof *witnesses);
    if (!witnesses) {
        return RP_ERR(NO_MEMORY);
    }
    witnesses->core = core;
    core->witnesses = witnesses;
    RP_TRY(read_config(witnesses));
    witness_news_read(witnesses);
    witnesses->courier = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_COURIER, COURIER_MS);
    witnesses->ledger = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_LEDGER, LEDGER_MS);
    if (!witnesses->courier || !witnesses->ledger) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_pool_new(1, 2, NULL, NULL, NULL, &witnesses->pool));
    return core_every(core, LOOK_MS, LOOK_MS, start_round, witnesses);
}

void core_witnesses_stop(struct core *core) {
    struct witnesses *witnesses = core->witnesses;
    if (!witnesses) {
        return;
    }
    atomic_store(&witnesses->stopping, true);
    if (witnesses->pool) {
        rp_pool_free(witnesses->pool);
    }
    rp_ipc_client_free(witnesses->courier);
    rp_ipc_client_free(witnesses->ledger);
    rp_log_free(witnesses->log);
    for (size_t i = 0; i < witnesses->count; i++) {
        rp_buf_done(&witnesses->all[i].line);
    }
    free(witnesses);
    core->witnesses = NULL;
}
