#include "ledger/witness.h"

#include "base/assert.h"

unsigned rp_witness_status(enum rp_witness_verdict verdict) {
    static const unsigned statuses[RP_WITNESS_VERDICT_COUNT] = {
        [RP_WITNESS_COSIGNS] = 200,      [RP_WITNESS_MALFORMED] = 400,
        [RP_WITNESS_UNKNOWN_LOG] = 404,  [RP_WITNESS_NOT_SIGNED] = 403,
        [RP_WITNESS_OTHER_SIZE] = 409,   [RP_WITNESS_FORKED] = 409,
        [RP_WITNESS_INCONSISTENT] = 422,
    };
    RP_ASSERT(verdict < RP_WITNESS_VERDICT_COUNT);
    return statuses[verdict];
}

static struct rp_witness_log *find_log(struct rp_witness_log *logs, size_t count, rp_view origin) {
    for (size_t i = 0; i < count; i++) {
        if (rp_view_equal(logs[i].vkey.name, origin)) {
            return &logs[i];
        }
    }
    return NULL;
}

/* From the tree that is remembered to the one that is asked about. What a first checkpoint says is
 * believed: there is nothing to hold against it. */
static enum rp_witness_verdict judge_growth(const struct rp_tlog_add *add,
                                            const struct rp_witness_judgement *asked) {
    const struct rp_witness_log *log = asked->log;
    rp_hash proof[RP_TLOG_ADD_HASHES_MAX], empty = rp_merkle_empty();
    if (add->old_size != log->size) {
        return RP_WITNESS_OTHER_SIZE;
    }
    if (log->size == 0) {
        bool good =
            add->hash_count == 0 && (asked->size > 0 || rp_sha256_equal(&asked->root, &empty));
        return good ? RP_WITNESS_COSIGNS : RP_WITNESS_INCONSISTENT;
    }
    if (asked->size == log->size && !rp_sha256_equal(&asked->root, &log->root)) {
        return RP_WITNESS_FORKED;
    }
    for (size_t i = 0; i < add->hash_count; i++) {
        memcpy(proof[i].b, add->hashes[i], sizeof proof[i].b);
    }
    rp_err err = rp_merkle_check_consistency(log->size, &log->root, asked->size, &asked->root,
                                             proof, add->hash_count);
    return rp_ok(err) ? RP_WITNESS_COSIGNS : RP_WITNESS_INCONSISTENT;
}

static enum rp_witness_verdict judge(const struct rp_tlog_add *add, struct rp_witness_log *logs,
                                     size_t count, struct rp_arena *arena,
                                     struct rp_witness_judgement *asked) {
    struct rp_tlog_note *note = rp_arena_alloc(arena, sizeof *note);
    struct rp_tlog_checkpoint checkpoint;
    if (!note || add->checkpoint.n > RP_NOTE_MAX ||
        !rp_ok(rp_tlog_note_parse(add->checkpoint, arena, note)) ||
        !rp_ok(rp_tlog_checkpoint_parse(note->text, &checkpoint))) {
        return RP_WITNESS_MALFORMED;
    }
    asked->log = find_log(logs, count, checkpoint.origin);
    if (!asked->log) {
        return RP_WITNESS_UNKNOWN_LOG;
    }
    if (!rp_ok(rp_checkpoint_check(add->checkpoint, &asked->log->vkey, arena, &checkpoint))) {
        return RP_WITNESS_NOT_SIGNED;
    }
    asked->note = add->checkpoint;
    asked->text = note->text;
    asked->size = checkpoint.size;
    memcpy(asked->root.b, checkpoint.root, sizeof asked->root.b);
    return add->old_size > checkpoint.size ? RP_WITNESS_MALFORMED : judge_growth(add, asked);
}

struct rp_witness_judgement rp_witness_judge(rp_view body, struct rp_witness_log *logs,
                                             size_t count, struct rp_arena *arena) {
    struct rp_witness_judgement asked = {.verdict = RP_WITNESS_MALFORMED};
    struct rp_tlog_add add;
    if (body.n <= RP_WITNESS_BODY_MAX && rp_ok(rp_tlog_add_parse(body, &add))) {
        asked.verdict = judge(&add, logs, count, arena, &asked);
    }
    return asked;
}
