/* lookalike.c — the canary delivers names that pose as ours, as a feed does, and wants them on
 * record and told; then it takes them away again (S176). */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "lookalike/ours.h"
#include "probe.h"

#define DOOR "/.rempart/api/v1/lookalikes"
#define RECORDS "/.rempart/api/v1/registers/lookalikes"
enum { BAITS_MAX = 3, BAIT_BYTES = RP_DOMAIN_MAX + 1, PATH_BYTES = 200, BODY_BYTES = 2048 };

struct planting {
    struct probe *probe;
    struct rp_observation *seen;
    char baits[BAITS_MAX][BAIT_BYTES];
    size_t count;
};

static rp_err ask(const struct planting *planting, const char *method, const char *path,
                  const char *body, struct http_answer *answer) {
    static const char *const headers[] = {"Accept: application/json", "Accept-Language: en", NULL};
    const struct http_request request = {.method = method,
                                         .path = path,
                                         .headers = headers,
                                         .content_type = body ? "application/json" : NULL,
                                         .body = rp_view_from_cstr(body ? body : "")};
    return http_ask(planting->probe->staff.alone.session.http, &request, answer);
}

/* ---- baits ---- */

/* An operator who bought just this name says so, and it is no bait. */
static void add_bait(struct planting *planting, const struct rp_watched *watched, rp_view name) {
    struct rp_domain domain;
    bool honest = !rp_ok(rp_domain_parse(name, &domain));
    for (size_t i = 0; i < watched->count; i++) {
        honest = honest || rp_view_equal(name, rp_view_from_cstr(watched->names[i].text));
    }
    for (size_t i = 0; i < watched->honest_count; i++) {
        honest = honest || rp_view_equal(name, rp_domain_from(&watched->honest[i], 0));
    }
    if (!honest) {
        memcpy(planting->baits[planting->count++], domain.text, domain.n + 1);
    }
}

/* Made here from our name, and not by what judges. */
static void make_baits(struct planting *planting, const struct rp_watched *watched) {
    const struct probe *probe = planting->probe;
    uint32_t chance;
    probe->env.fill_random(probe->env.ctx, (uint8_t *)&chance, sizeof chance);
    const struct rp_watched_name *own = &watched->names[chance % watched->count];
    rp_view name = rp_view_from_cstr(own->text);
    rp_view label = rp_view_sub(name, 0, rp_view_find_byte(name, '.'));
    char text[BAIT_BYTES] = {0};
    struct rp_buf bait = rp_buf_over(text, sizeof text - 1);
    rp_buf_printf(&bait, "%.*s-login.com", RP_FMT(label));
    add_bait(planting, watched, rp_buf_view(&bait));
    rp_buf_clear(&bait);
    rp_buf_printf(&bait, "%.*s.canary-%08x.com", RP_FMT(name), chance);
    add_bait(planting, watched, rp_buf_view(&bait));
    if (own->label.n > 5) {
        rp_buf_clear(&bait);
        rp_buf_printf(&bait, "%c%.*s.com", name.p[0], RP_FMT(label));
        add_bait(planting, watched, rp_buf_view(&bait));
    }
}

/* ---- what must follow ---- */

static const struct rp_json *find_flagged(const struct rp_json *flagged, const char *bait) {
    for (const struct rp_json *one = flagged ? flagged->first : NULL; one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "name"), rp_view_from_cstr(bait))) {
            return one;
        }
    }
    return NULL;
}

/* Its notices of look-alikes; -1: they cannot be read. */
static int count_notices(const struct planting *planting) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    rp_err err = ask(planting, "GET", "/.rempart/api/v1/notices", NULL, &answer);
    const struct rp_json *list = rp_ok(err) ? http_json(&answer) : NULL;
    if (!rp_ok(err) || answer.status != 200 || !list) {
        return -1;
    }
    int count = 0;
    for (const struct rp_json *one = list->first; one; one = one->next) {
        count += rp_view_equal(rp_json_get_string(one, "kind"), RP_VIEW("lookalike"));
    }
    return count;
}

static bool is_as_flagged(struct http_answer *answer, const char *bait) {
    const struct rp_json *record = answer->status == 200 ? http_json(answer) : NULL;
    return record && rp_view_equal(rp_json_get_string(record, "name"), rp_view_from_cstr(bait)) &&
           rp_view_equal(rp_json_get_string(record, "state"), RP_VIEW("new"));
}

/* Its record, read where people read them. A register that cannot be read says nothing of it. */
static bool is_on_record(const struct planting *planting, const struct rp_json *flagged,
                         const char *bait) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    char path[PATH_BYTES];
    rp_id id;
    if (rp_id_parse(rp_json_get_string(flagged, "record"), &id)) {
        (void)snprintf(path, sizeof path, RECORDS "/%s", rp_id_print(id).s);
        rp_err err = ask(planting, "GET", path, NULL, &answer);
        if (!rp_ok(err) || (answer.status != 200 && answer.status != 404)) {
            rp_probe_unsure(planting->seen,
                            "the register of look-alikes cannot be read (status %ld)",
                            answer.status);
            return false;
        }
    }
    if (!is_as_flagged(&answer, bait)) {
        rp_probe_broken(planting->seen, "%s was flagged, and is on no record", bait);
        return false;
    }
    return true;
}

/* All that the canary's own shelf holds: also what a run left that was cut short. What cannot be
 * taken away now is in the way of nobody. */
static void clear_shelf(const struct planting *planting) {
    _cleanup_answer_ struct http_answer shelf = http_answer_new();
    rp_err err = ask(planting, "GET", RECORDS, NULL, &shelf);
    const struct rp_json *list = rp_ok(err) && shelf.status == 200 ? http_json(&shelf) : NULL;
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        _cleanup_answer_ struct http_answer answer = http_answer_new();
        char path[PATH_BYTES];
        rp_id id;
        if (rp_id_parse(rp_json_get_string(one, "id"), &id)) {
            (void)snprintf(path, sizeof path, RECORDS "/%s", rp_id_print(id).s);
            rp_ignore(ask(planting, "DELETE", path, NULL, &answer));
        }
    }
}

static bool all_flagged(const struct planting *planting, const struct rp_json *flagged) {
    for (size_t i = 0; i < planting->count; i++) {
        const char *bait = planting->baits[i];
        const struct rp_json *one = find_flagged(flagged, bait);
        if (!one) {
            rp_probe_broken(planting->seen, "%s was delivered and not flagged", bait);
            return false;
        }
        if (!is_on_record(planting, one, bait)) {
            return false;
        }
    }
    return true;
}

static bool deliver(const struct planting *planting, struct http_answer *answer) {
    char body[BODY_BYTES];
    struct rp_buf text = rp_buf_over(body, sizeof body - 1);
    rp_buf_add_cstr(&text, "{\"source\":\"canary\",\"names\":[");
    for (size_t i = 0; i < planting->count; i++) {
        rp_buf_printf(&text, "%s\"%s\"", i ? "," : "", planting->baits[i]);
    }
    rp_buf_add_cstr(&text, "]}");
    RP_ASSERT(rp_ok(rp_buf_err(&text)));
    body[text.n] = '\0';
    return rp_ok(ask(planting, "POST", DOOR, body, answer)) && answer->status == 200;
}

static void plant(const struct planting *planting) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    clear_shelf(planting);
    int before = count_notices(planting);
    if (before < 0 || !deliver(planting, &answer)) {
        rp_probe_unsure(planting->seen, "the feed's door does not answer (status %ld)",
                        answer.status);
        return;
    }
    const struct rp_json *flagged = rp_json_get(http_json(&answer), "flagged");
    bool held = all_flagged(planting, flagged);
    int after = count_notices(planting);
    clear_shelf(planting);
    if (held && after < 0) {
        rp_probe_unsure(planting->seen, "the canary's notices cannot be read");
    } else if (held && after == before) {
        rp_probe_broken(planting->seen, "look-alikes went on record, and nobody was told");
    } else if (held) {
        rp_probe_holds(
            planting->seen,
            "%zu names that pose as ours, delivered as a feed does, were flagged, put on "
            "record and told, %s among them",
            planting->count, planting->baits[0]);
    }
}

/* What is watched; false when it has concluded. */
static bool read_watched(const struct probe *probe, struct rp_arena *arena,
                         struct rp_watched *ret_watched, struct rp_observation *seen) {
    if (!arena || !rp_ok(rp_watched_of(probe->config, arena, ret_watched, NULL))) {
        rp_probe_unsure(seen, "the names that are watched cannot be read");
        return false;
    }
    if (ret_watched->count == 0) {
        rp_probe_not_met(seen, "no name is watched: watch.domains, or a host that can be bought");
        return false;
    }
    return true;
}

/*= S176: a name that poses as ours is flagged, on record, and told */
void probe_customer_lookalike_flagged(void *ctx, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(1 << 20);
    struct planting planting = {.probe = ctx, .seen = seen};
    struct rp_watched watched;
    if (!read_watched(ctx, arena, &watched, seen) || !probe_staff_ready(ctx, false, seen)) {
        return;
    }
    make_baits(&planting, &watched);
    if (planting.count == 0) {
        rp_probe_unsure(seen, "each name that the canary made up is ours or honest");
        return;
    }
    plant(&planting);
}

/*= S176: names come from somewhere */
void probe_customer_lookalike_feed(void *ctx, struct rp_observation *seen) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(1 << 20);
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct planting planting = {.probe = ctx, .seen = seen};
    struct rp_watched watched;
    uint64_t age_s = 0;
    if (!read_watched(ctx, arena, &watched, seen) || !probe_staff_ready(ctx, false, seen)) {
        return;
    }
    if (!rp_ok(ask(&planting, "GET", DOOR, NULL, &answer)) || answer.status != 200) {
        rp_probe_unsure(seen, "the feed's door does not answer (status %ld)", answer.status);
        return;
    }
    const struct rp_json *feed = rp_json_get(http_json(&answer), "feed");
    unsigned long long days = planting.probe->config->watch_feed_days;
    bool came = rp_json_get_u64(feed, "age_seconds", &age_s) && age_s <= days * 86400;
    if (came) {
        rp_probe_holds(seen, "a feed delivered names %llu h ago (within %llu days)",
                       (unsigned long long)age_s / 3600, days);
    } else {
        rp_probe_not_met(seen,
                         "no feed delivered names within %llu days: rempart domain look - "
                         "(docs/operations/lookalikes.md)",
                         days);
    }
}
