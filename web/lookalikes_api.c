/* lookalikes_api.c — the door for feeds of names: which pose as ours is said, and put on record
 * (S176).
 *
 * A feed comes with an API token whose scope is the register of look-alikes and nothing else.
 */
#include "base/checked.h"
#include "lookalike/feed.h"
#include "lookalike/ours.h"
#include "register/lookalike.h"
#include "web/register_desk.h"

enum { NAMES_MAX = 2000, SHOWN_MAX = 4 * RP_DOMAIN_MAX };

/* One delivery, being looked through. */
struct looking {
    struct rp_request *request;
    struct rp_watched watched;
    struct rp_delivery delivery;
    size_t no_names; /* that are none */
};

static rp_err open_register(struct rp_request *request, struct rp_desk *ret_desk,
                            const struct rp_register **ret_reg) {
    RP_TRY(rp_desk_open(request, ret_desk));
    const struct rp_register *reg = rp_register_find(ret_desk->registers, RP_VIEW("lookalikes"));
    if (!reg) {
        return rp_fail(&request->diag, RP_ERR(NOT_FOUND), "registers/lookalikes.yaml");
    }
    ret_desk->identity = request->thread->identity;
    *ret_reg = reg;
    return rp_staff_covers(request, reg) ? RP_OK : rp_fail(&request->diag, RP_ERR(DENIED), "scope");
}

static void add_shown(struct rp_arena *arena, struct rp_json *json, rp_view name) {
    char text[SHOWN_MAX];
    struct rp_buf shown = rp_buf_over(text, sizeof text);
    rp_domain_show(name, &shown);
    rp_json_add_string(arena, json, "shown", rp_buf_view(&shown));
}

/* ---- what is watched ---- */

static void add_feed(const struct rp_request *request, struct rp_json *root,
                     const struct rp_last_delivery *last) {
    struct rp_arena *arena = request->arena;
    int64_t age_ms = rp_request_now_ms(request) - last->at_ms;
    if (last->at_ms == 0) {
        rp_json_add_null(arena, root, "feed");
        return;
    }
    struct rp_json *feed = rp_json_add_object(arena, root, "feed");
    rp_json_add_cstr(arena, feed, "at", rp_time_print(last->at_ms / 1000).s);
    rp_json_add_u64(arena, feed, "age_seconds", (uint64_t)RP_MAX(age_ms, INT64_C(0)) / 1000);
    rp_json_add_string(arena, feed, "source", last->source);
    rp_json_add_u64(arena, feed, "names", last->names);
    rp_json_add_u64(arena, feed, "flagged", last->flagged);
}

rp_err rp_api_lookalikes(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_watched watched;
    struct rp_last_delivery last;
    const struct rp_register *reg;
    struct rp_arena *arena = request->arena;
    RP_TRY(open_register(request, &desk, &reg));
    RP_TRY(rp_desk_check_read(request, &desk, reg, NULL));
    RP_TRY(rp_watched_of(request->web->config, arena, &watched, &request->diag));
    RP_TRY(rp_desk_last_delivery(&desk, &last));
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *names = rp_json_add_array(arena, root, "watched");
    for (size_t i = 0; i < watched.count; i++) {
        rp_json_add_cstr(arena, names, NULL, watched.names[i].text);
    }
    struct rp_json *honest = rp_json_add_array(arena, root, "honest");
    for (size_t i = 0; i < watched.honest_count; i++) {
        rp_json_add_cstr(arena, honest, NULL, watched.honest[i].text);
    }
    rp_json_add_u64(arena, root, "feed_days", request->web->config->watch_feed_days);
    add_feed(request, root, &last);
    return rp_api_send(request, 200, root);
}

/* ---- a delivery ---- */

static rp_err judge_one(struct looking *looking, rp_view name) {
    struct rp_domain domain;
    if (!rp_ok(rp_domain_parse(name, &domain))) {
        looking->no_names++;
        return RP_OK;
    }
    struct rp_lookalike judged = rp_lookalike_judge(&looking->watched, &domain);
    if (judged.kind == RP_LOOKALIKE_NONE) {
        return RP_OK;
    }
    struct rp_delivery *delivery = &looking->delivery;
    for (size_t i = 0; i < delivery->count; i++) {
        if (rp_view_equal(delivery->found[i].judged.part, judged.part)) {
            return RP_OK;
        }
    }
    if (delivery->count == RP_DELIVERY_FOUND_MAX) {
        return rp_fail(&looking->request->diag, RP_ERR(TOO_LARGE),
                       "more than %d look-alikes at once: send fewer names", RP_DELIVERY_FOUND_MAX);
    }
    RP_TRY(rp_arena_copy(looking->request->arena, judged.part, &judged.part));
    delivery->found[delivery->count++].judged = judged;
    return RP_OK;
}

static rp_err judge_all(struct looking *looking, const struct rp_json *names) {
    struct rp_request *request = looking->request;
    RP_TRY(rp_watched_of(request->web->config, request->arena, &looking->watched, &request->diag));
    if (looking->watched.count == 0) {
        return rp_fail(&request->diag, RP_ERR(INVALID),
                       "watch.domains is empty, and host and the applications have no name that "
                       "can be bought");
    }
    looking->delivery.found =
        rp_arena_array(request->arena, RP_DELIVERY_FOUND_MAX, sizeof *looking->delivery.found);
    if (!looking->delivery.found) {
        return RP_ERR(TOO_LARGE);
    }
    for (const struct rp_json *one = names->first; one; one = one->next) {
        RP_TRY(judge_one(looking, one->string));
    }
    looking->delivery.names = names->count;
    return RP_OK;
}

static rp_err read_delivery(struct looking *looking) {
    struct rp_request *request = looking->request;
    struct rp_json *body = NULL;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    const struct rp_json *names = rp_feed_names(body);
    if (!names) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "names: [\"…\"]");
    }
    if (names->count > NAMES_MAX) {
        return rp_fail(&request->diag, RP_ERR(TOO_LARGE), "names: 1–%d", NAMES_MAX);
    }
    looking->delivery.source = rp_json_get_string(body, "source");
    if (looking->delivery.source.n > RP_DELIVERY_SOURCE_MAX) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "source: 1–%d", RP_DELIVERY_SOURCE_MAX);
    }
    (void)rp_json_get_bool(body, "typed", &looking->delivery.typed);
    return judge_all(looking, names);
}

static void add_found(struct rp_request *request, struct rp_json *list,
                      const struct rp_found_name *found, bool dry_run) {
    struct rp_arena *arena = request->arena;
    struct rp_json *one = rp_json_add_object(arena, list, NULL);
    rp_json_add_string(arena, one, "name", found->judged.part);
    add_shown(arena, one, found->judged.part);
    rp_json_add_cstr(arena, one, "own", found->judged.own);
    rp_json_add_cstr(arena, one, "kind", rp_lookalike_name(found->judged.kind));
    rp_json_add_cstr(arena, one, "reason", rp_lookalike_reason(found->judged.kind, request->lang));
    if (!dry_run) {
        const struct rp_facts *facts = &found->record.facts;
        rp_json_add_cstr(arena, one, "what", rp_found_what_name(found->what));
        rp_json_add_cstr(arena, one, "record", facts->id_text.s);
        rp_json_add_u64(arena, one, "number", facts->number);
        rp_json_add_string(arena, one, "state", facts->state);
    }
}

static rp_err send_answer(struct looking *looking, bool dry_run) {
    struct rp_request *request = looking->request;
    struct rp_arena *arena = request->arena;
    const struct rp_delivery *delivery = &looking->delivery;
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_bool(arena, root, "dry_run", dry_run);
    rp_json_add_u64(arena, root, "looked", delivery->names);
    rp_json_add_u64(arena, root, "no_names", looking->no_names);
    rp_json_add_u64(arena, root, "told", delivery->told);
    struct rp_json *list = rp_json_add_array(arena, root, "flagged");
    for (size_t i = 0; i < delivery->count; i++) {
        add_found(request, list, &delivery->found[i], dry_run);
    }
    return rp_api_send(request, 200, root);
}

/* {"names":["…"],"source":"…","typed":false}, or what a monitor prints of a certificate;
 * ?dry_run=true judges and writes nothing down. */
rp_err rp_api_lookalikes_post(struct rp_request *request) {
    struct looking looking = {.request = request};
    const struct rp_register *reg;
    struct rp_desk desk;
    bool dry_run = false;
    RP_TRY(rp_request_flag(request, "dry_run", &dry_run));
    RP_TRY(open_register(request, &desk, &reg));
    RP_TRY(rp_desk_check_read(request, &desk, reg, NULL));
    RP_TRY(read_delivery(&looking));
    RP_TRY(dry_run ? RP_OK : rp_desk_take_delivery(&desk, &looking.delivery));
    return send_answer(&looking, dry_run);
}
