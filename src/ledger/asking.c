#include "ledger/asking.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

enum { ARENA = 64 * 1024 };

static struct rp_witness_heard said(enum rp_witness_word word, const char *problem) {
    struct rp_witness_heard heard = {.word = word};
    (void)snprintf(heard.problem, sizeof heard.problem, "%s", problem);
    return heard;
}

/* Its lines under our checkpoint are a note like any other; the witness's own line is taken. */
static rp_err find_line(const struct rp_witness_question *question, rp_view body,
                        struct rp_arena *arena, struct rp_cosignature *ret_cosignature) {
    _cleanup_(rp_buf_done) struct rp_buf whole = rp_buf_new(RP_NOTE_MAX + RP_WITNESS_ANSWER_MAX);
    struct rp_tlog_note *note = rp_arena_alloc(arena, sizeof *note);
    rp_view copy;
    rp_buf_add(&whole, question->checkpoint);
    rp_buf_add(&whole, body);
    RP_TRY(note ? rp_buf_err(&whole) : RP_ERR(TOO_LARGE));
    RP_TRY(rp_arena_copy(arena, rp_buf_view(&whole), &copy));
    RP_TRY(rp_tlog_note_parse(copy, arena, note));
    return rp_cosignature_find(note, question->vkey, ret_cosignature);
}

static struct rp_witness_heard hear_lines(const struct rp_witness_question *question, rp_view body,
                                          struct rp_buf *lines) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA);
    struct rp_cosignature cosignature;
    if (!arena || !rp_ok(find_line(question, body, arena, &cosignature))) {
        return said(RP_WITNESS_REFUSED, "its answer does not hold a cosignature by its key");
    }
    struct rp_witness_heard heard = said(RP_WITNESS_COSIGNED, "");
    heard.time_s = cosignature.time_s;
    rp_tlog_signature_print(lines, question->vkey->name, question->vkey->key_id,
                            cosignature.line->bytes);
    return heard;
}

/* As large as ours and refused all the same: it is another tree. */
static struct rp_witness_heard hear_size(const struct rp_witness_question *question,
                                         const struct rp_witness_answer *answer) {
    uint64_t size = 0;
    rp_view line = answer->body;
    if (!answer->has_size || !rp_view_ends(line, RP_VIEW("\n")) ||
        !rp_view_to_u64(rp_view_sub(line, 0, line.n - 1), UINT64_MAX, &size)) {
        return said(RP_WITNESS_REFUSED, "answered 409 without the size that it remembers");
    }
    if (size > question->size) {
        struct rp_witness_heard heard =
            said(RP_WITNESS_LARGER, "it remembers more entries of this log than it has");
        heard.size = size;
        return heard;
    }
    if (size == question->size && size == question->old_size) {
        return said(RP_WITNESS_DIVERGED, "it remembers another tree of this size");
    }
    if (size == question->old_size) {
        return said(RP_WITNESS_REFUSED, "answered 409 with the size that it was asked from");
    }
    struct rp_witness_heard heard = said(RP_WITNESS_ASK_FROM, "");
    heard.size = size;
    return heard;
}

struct rp_witness_heard rp_witness_hear(const struct rp_witness_question *question,
                                        const struct rp_witness_answer *answer,
                                        struct rp_buf *lines) {
    RP_ASSERT(question->old_size <= question->size);
    switch (answer->status) {
    case 200:
        return hear_lines(question, answer->body, lines);
    case 409:
        return hear_size(question, answer);
    case 422:
        return said(RP_WITNESS_DIVERGED, "this log does not continue the tree that it remembers");
    case 404:
        return said(RP_WITNESS_REFUSED, "it does not follow this log (404)");
    case 403:
        return said(RP_WITNESS_REFUSED, "it knows another key of this log (403)");
    default:
        break;
    }
    bool later = answer->status == 429 || answer->status >= 500;
    struct rp_witness_heard heard = said(later ? RP_WITNESS_SILENT : RP_WITNESS_REFUSED, "");
    (void)snprintf(heard.problem, sizeof heard.problem, "answered %u", answer->status);
    return heard;
}
