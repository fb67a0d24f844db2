/* What the gate makes of a stranger's headers: nothing of ours is left in a cleaned Cookie, a
 * hardened Set-Cookie needs no hardening again, the way back to a page is one line of plain ASCII,
 * and what a name looks like to an application decides whether it is stripped. */
#include <stdlib.h>

#include "fuzz.h"
#include "judge/accept.h"
#include "judge/answer.h"
#include "judge/cookie.h"
#include "judge/plain.h"
#include "judge/set_cookie.h"
#include "judge/strip.h"

static void check_cookie(rp_view header) {
    uint8_t *out = malloc(2 * header.n + 1), *again = malloc(4 * header.n + 1);
    FUZZ_CHECK(out && again);
    rp_view left = judge_cookie_without_ours(header, out);
    unsigned count = 0;
    rp_view value;
    judge_cookie_scan(left, &count, &value);
    FUZZ_CHECK(count == 0);
    FUZZ_CHECK(left.n <= 2 * header.n);
    FUZZ_CHECK(rp_view_equal(judge_cookie_without_ours(left, again), left));
    free(out);
    free(again);
}

static void check_set_cookie(rp_view header) {
    static const rp_view scripts[] = {RP_VIEW_INIT("theme")};
    uint8_t *out = malloc(header.n + JUDGE_SET_COOKIE_EXTRA);
    uint8_t *again = malloc(header.n + 2 * (size_t)JUDGE_SET_COOKIE_EXTRA);
    FUZZ_CHECK(out && again);
    rp_view hardened = header, unused;
    enum judge_set_cookie first = judge_set_cookie(header, scripts, 1, out, &hardened);
    if (first != JUDGE_DROP) {
        FUZZ_CHECK(judge_set_cookie(hardened, scripts, 1, again, &unused) == JUDGE_KEEP);
        FUZZ_CHECK(rp_view_starts(hardened, header));
        FUZZ_CHECK(!judge_cookie_is_ours(rp_view_trim(header)));
    }
    free(out);
    free(again);
}

static void check_way_back(rp_view uri) {
    uint8_t out[JUDGE_LOCATION_MAX];
    rp_view location = judge_sign_in_location(RP_GATE_REASON_SECOND_FACTOR, uri, out);
    FUZZ_CHECK(rp_view_starts(location, RP_VIEW("/.rempart/id/sign-in?step=mfa")));
    for (size_t i = 0; i < location.n; i++) {
        FUZZ_CHECK(location.p[i] > ' ' && location.p[i] < 127);
    }
}

static void check_name(rp_view name) {
    uint8_t *other = malloc(name.n + 1);
    FUZZ_CHECK(other);
    for (size_t i = 0; i < name.n; i++) {
        other[i] = name.p[i] == '-' ? '_' : name.p[i];
    }
    rp_view spelled = rp_view_of(other, name.n);
    FUZZ_CHECK(judge_must_strip(name, NULL, 0) == judge_must_strip(spelled, NULL, 0));
    FUZZ_CHECK(judge_must_strip(spelled, &name, 1));
    (void)judge_named_by_connection(name, spelled);
    free(other);
}

/* A path that is plain has no segment that climbs, however it is spelled. */
static void check_plain(rp_view uri) {
    rp_view path = uri;
    path = rp_view_cut(&path, '?');
    bool climbs = rp_view_find(path, RP_VIEW("/../")) < path.n;
    FUZZ_CHECK(!(climbs && judge_path_is_plain(uri)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view text = rp_view_of(data, n);
    check_cookie(text);
    check_set_cookie(text);
    check_way_back(text);
    check_name(text);
    check_plain(text);
    FUZZ_CHECK(judge_language(text) < RP_LANG_COUNT);
    FUZZ_CHECK(!judge_wants_json(text) || !judge_accepts_html(text));
    return 0;
}
