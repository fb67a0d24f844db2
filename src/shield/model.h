/* model.h — the positive model: what an application is sent, and nothing else.
 *
 * An OpenAPI 3.0 or 3.1 file (YAML or JSON) becomes a trie of paths with, for each operation, its
 * parameters and the shape of its body. A request is judged against it: a path, a method, a
 * parameter or a member that the file does not name is a violation, and so is a value of another
 * type, form, length or range. What of OpenAPI is not judged here is refused when the file is read,
 * with line, column and reason; nothing that would restrict a request is ever passed over.
 *
 * Two rules are stricter than OpenAPI's own, because this is an allow list: a query or form may
 * hold the declared names alone, and an object may hold other members only where
 * additionalProperties says so. Headers and cookies that are not declared pass.
 *
 * Pure; one model serves any threads. Promises: S58.
 */
#ifndef RP_SHIELD_MODEL_H
#define RP_SHIELD_MODEL_H

#include "base/arena.h"

enum {
    RP_MODEL_FILE_MAX = 4 << 20,
    RP_MODEL_BODY_MAX = 1 << 20, /* a longer body of a judged type is a violation */
    RP_MODEL_PLACE_MAX = 96
};

struct rp_model;

/* Everything lives in the arena but compiled patterns: rp_model_done. SYNTAX, UNSUPPORTED, INVALID,
 * NOT_FOUND (a $ref), TOO_LARGE: diag says where and why. */
rp_err rp_model_read(rp_view text, struct rp_arena *arena, struct rp_model **ret_model,
                     struct rp_diag *diag);
void rp_model_done(struct rp_model *model); /* accepts NULL */

/* ---- judging ---- */

enum rp_violation {
#define RP_VIOLATION(NAME, word, text) RP_VIOLATION_##NAME,
#include "shield/violations.def"
#undef RP_VIOLATION
    RP_VIOLATION_COUNT
};
const char *rp_violation_word(enum rp_violation violation); /* "not_an_integer" */
const char *rp_violation_text(enum rp_violation violation); /* "not an integer" */

/* What was wrong where: "query page", "header X-Count", "body items.2.price", "path id". */
struct rp_model_verdict {
    enum rp_violation violation; /* RP_VIOLATION_NONE: as the model says */
    char place[RP_MODEL_PLACE_MAX];
};

struct rp_model_request {
    rp_view method, path; /* path: as it came, without its query */
    rp_view query, content_type, cookies;
    /* The value of a header, by its name in lower case; p == NULL when it is absent. */
    rp_view (*header)(void *ctx, rp_view name);
    void *ctx;
    bool has_body;
};

struct rp_model_operation;
/* Path, method and parameters. *ret_operation is for the body; NULL after a violation. arena: of
 * the request. TOO_LARGE: it is full, and nothing was judged. */
rp_err rp_model_judge(const struct rp_model *model, const struct rp_model_request *request,
                      struct rp_arena *arena, const struct rp_model_operation **ret_operation,
                      struct rp_model_verdict *ret_verdict);
/* Is the body's text to be judged, or does its type alone decide? */
bool rp_model_wants_body(const struct rp_model_operation *operation, rp_view content_type);
rp_err rp_model_judge_body(const struct rp_model_operation *operation, rp_view content_type,
                           rp_view body, struct rp_arena *arena,
                           struct rp_model_verdict *ret_verdict);

#endif
