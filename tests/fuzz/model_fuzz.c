/* Any text as a model: refused with a place, or a model that judges. And, before a line of dashes,
 * a request to it; behind it the model: whatever was sent is a verdict with a place of plain bytes.
 */
#include "fuzz.h"
#include "shield/model.h"

static rp_view header_of(void *ctx, rp_view name) {
    FUZZ_CHECK(name.n > 0);
    return *(const rp_view *)ctx;
}

static void check(const struct rp_model_verdict *verdict) {
    FUZZ_CHECK(verdict->violation < RP_VIOLATION_COUNT);
    size_t n = strnlen(verdict->place, sizeof verdict->place);
    FUZZ_CHECK(n < sizeof verdict->place);
    for (size_t i = 0; i < n; i++) {
        FUZZ_CHECK(verdict->place[i] >= ' ' && verdict->place[i] < 0x7f);
    }
}

/* METHOD PATH?QUERY, a line of cookies, a type, the rest is the body. */
static void ask(const struct rp_model *model, rp_view text, struct rp_arena *arena) {
    rp_view line = rp_view_cut(&text, '\n'), cookies = rp_view_cut(&text, '\n');
    rp_view type = rp_view_cut(&text, '\n'), method = rp_view_cut(&line, ' ');
    rp_view path = rp_view_cut(&line, '?');
    const struct rp_model_request request = {.method = method,
                                             .path = path,
                                             .query = line,
                                             .content_type = type,
                                             .cookies = cookies,
                                             .header = header_of,
                                             .ctx = &cookies,
                                             .has_body = text.n > 0};
    const struct rp_model_operation *operation = NULL;
    struct rp_model_verdict verdict;
    if (!rp_ok(rp_model_judge(model, &request, arena, &operation, &verdict))) {
        return;
    }
    check(&verdict);
    FUZZ_CHECK((operation != NULL) == (verdict.violation == RP_VIOLATION_NONE));
    if (operation && text.n > 0 && rp_model_wants_body(operation, type) &&
        rp_ok(rp_model_judge_body(operation, type, text, arena, &verdict))) {
        check(&verdict);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view text = rp_view_of(data, n < 65536 ? n : 65536);
    size_t at = rp_view_find(text, RP_VIEW("\n----\n"));
    rp_view request = at < text.n ? rp_view_sub(text, 0, at) : RP_VIEW("GET /");
    rp_view document = at < text.n ? rp_view_from(text, at + 6) : text;
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_model *model = NULL;
    struct rp_diag diag = {0};
    RP_ASSERT(arena != NULL);
    rp_err err = rp_model_read(document, arena, &model, &diag);
    if (rp_ok(err)) {
        FUZZ_CHECK(model != NULL);
        ask(model, request, arena);
        rp_model_done(model);
    } else {
        FUZZ_CHECK(model == NULL && (diag.text[0] != 0 || err.code == RP_E_TOO_LARGE));
    }
    rp_arena_free(arena);
    return 0;
}
