/* asking.h — the asking side of witnessing: what an answer of a witness is worth.
 *
 * Who asks has a checkpoint of its own log and the witness's key; whatever comes back over the
 * network is held against these two. Pure: who carries the question, and keeps the answer, is the
 * daemons' part. Of an answer only the one line survives that is the witness's own.
 */
#ifndef RP_LEDGER_ASKING_H
#define RP_LEDGER_ASKING_H

#include "ledger/cosign.h"

enum {
    RP_WITNESSES_MAX = 8,
    RP_WITNESS_ANSWER_MAX = 8 * 1024,
    RP_WITNESSED_MAX = 12 * 1024 /* a checkpoint with eight cosignatures under long names */
};

struct rp_witness_question {
    const struct rp_tlog_vkey *vkey; /* the witness's */
    rp_view checkpoint;              /* ours, whole */
    uint64_t old_size, size;         /* what was asked from, and to */
};

struct rp_witness_answer {
    unsigned status; /* of HTTP */
    bool has_size;   /* its type says that the body is a size */
    rp_view body;
};

enum rp_witness_word {
    RP_WITNESS_COSIGNED,
    RP_WITNESS_ASK_FROM, /* it remembers another, smaller tree: ask again from there */
    RP_WITNESS_LARGER,   /* it remembers a tree that is larger than ours */
    RP_WITNESS_DIVERGED, /* it remembers a tree that ours does not continue */
    RP_WITNESS_REFUSED,  /* it will not, or what it says is no answer */
    RP_WITNESS_SILENT    /* nothing: asked again later */
};

struct rp_witness_heard {
    enum rp_witness_word word;
    uint64_t size;    /* ASK_FROM, LARGER: of the tree that it remembers */
    int64_t time_s;   /* COSIGNED: as the witness says */
    char problem[96]; /* in English, without names; "" when there is none */
};

/* COSIGNED appends the witness's line to `lines`. */
struct rp_witness_heard rp_witness_hear(const struct rp_witness_question *question,
                                        const struct rp_witness_answer *answer,
                                        struct rp_buf *lines);

#endif
