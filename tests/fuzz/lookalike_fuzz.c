/* Lines of a feed of names: what is a name reads back as itself, is shown as text, and is judged
 * the same again; its part is its own end. */
#include "fuzz.h"
#include "lookalike/feed.h"
#include "lookalike/judge.h"
#include "wire/http.h"

static void judge(const struct rp_watched *watched, rp_view name) {
    struct rp_domain domain, again;
    char shown[4 * RP_DOMAIN_MAX];
    struct rp_buf out = rp_buf_over(shown, sizeof shown);
    if (!rp_ok(rp_domain_parse(name, &domain))) {
        return;
    }
    rp_view text = rp_domain_from(&domain, 0);
    FUZZ_CHECK(rp_ok(rp_domain_parse(text, &again)));
    FUZZ_CHECK(rp_view_equal(text, rp_domain_from(&again, 0)) && domain.sold == again.sold);
    rp_domain_show(text, &out);
    FUZZ_CHECK(rp_ok(rp_buf_err(&out)) && rp_utf8_valid(rp_buf_view(&out)));
    struct rp_lookalike found = rp_lookalike_judge(watched, &domain);
    FUZZ_CHECK(found.kind == rp_lookalike_judge(watched, &again).kind);
    FUZZ_CHECK(found.kind == RP_LOOKALIKE_NONE ||
               (found.own && rp_domain_within(text, found.part)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_watched watched;
    const struct rp_json *names = NULL;
    rp_view rest = rp_view_of(data, n);
    FUZZ_CHECK(rp_ok(rp_watched_new(arena, 4, 1, &watched)));
    FUZZ_CHECK(rp_ok(rp_watched_add(&watched, RP_VIEW("exemple.fr"), true)));
    FUZZ_CHECK(rp_ok(rp_watched_add(&watched, RP_VIEW("moncoffre.com"), true)));
    /* The first line is one of ours, where it is a name. */
    rp_ignore(rp_watched_add(&watched, rp_view_cut(&rest, '\n'), true));
    if (rp_ok(rp_feed_line(rest, arena, &names, NULL)) && names) {
        for (const struct rp_json *one = names->first; one; one = one->next) {
            judge(&watched, one->string);
        }
    }
    rp_arena_free(arena);
    return 0;
}
