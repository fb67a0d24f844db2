/* responsibility.c — the document of S177: who answers for what, as a page and for programs.
 *
 * What the program enforces on our side stands in duties.def, with what is left to the customer;
 * what the operator adds comes from the register of responsibilities, where every duty of ours has
 * an owner or is refused.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "register/desk.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "web/trust.h"

enum { PAGE_MAX = 1 << 20, ADDED_MAX = 500 };

struct duty {
    const char *id, *sentences;
    enum rp_text_key our_owner, your_owner;
    struct rp_text title, ours, yours;
};

static const struct duty duties[] = {
#define RP_DUTY(id, ours, yours, sentences, title_fr, title_en, ours_fr, ours_en, yours_fr,        \
                yours_en)                                                                          \
    {id,                                                                                           \
     sentences,                                                                                    \
     RP_TEXT_duty_by_##ours,                                                                       \
     RP_TEXT_duty_by_##yours,                                                                      \
     {{title_fr, title_en}},                                                                       \
     {{ours_fr, ours_en}},                                                                         \
     {{yours_fr, yours_en}}},
#include "web/duties.def"
#undef RP_DUTY
};

/* ---- what the operator adds ---- */

struct added_duty {
    rp_view duty, side, state;
    struct rp_words side_label, state_label;
    bool owned;
};

struct added {
    struct rp_arena *arena;
    struct added_duty *list; /* ADDED_MAX */
    size_t count;
};

static struct rp_words side_label(const struct rp_register *reg, rp_view side) {
    for (size_t i = 0; i < reg->field_count; i++) {
        const struct rp_field *field = &reg->fields[i];
        for (size_t c = 0; strcmp(field->id, "side") == 0 && c < field->choice_count; c++) {
            if (rp_view_equal(rp_view_from_cstr(field->choices[c].id), side)) {
                return field->choices[c].label;
            }
        }
    }
    return (struct rp_words){{"", ""}};
}

static struct rp_words state_label(const struct rp_register *reg, rp_view state) {
    for (size_t i = 0; i < reg->state_count; i++) {
        if (rp_view_equal(rp_view_from_cstr(reg->states[i].id), state)) {
            return reg->states[i].label;
        }
    }
    return (struct rp_words){{"", ""}};
}

/* One customer's own duties are nobody else's business. The facts go when we return. */
static rp_err gather(void *ctx, const struct rp_facts *facts) {
    struct added *added = ctx;
    if (facts->example || rp_view_equal(facts->state, RP_VIEW("retired")) ||
        rp_json_get_string(facts->open, "tenant").n > 0) {
        return RP_OK;
    }
    if (added->count == ADDED_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct added_duty *duty = &added->list[added->count++];
    RP_TRY(rp_arena_copy(added->arena, rp_json_get_string(facts->open, "duty"), &duty->duty));
    RP_TRY(rp_arena_copy(added->arena, rp_json_get_string(facts->open, "side"), &duty->side));
    RP_TRY(rp_arena_copy(added->arena, facts->state, &duty->state));
    duty->side_label = side_label(facts->reg, duty->side);
    duty->state_label = state_label(facts->reg, duty->state);
    duty->owned = rp_json_get_string(facts->open, "owner").n > 0;
    return RP_OK;
}

static const struct rp_register *find_register(const struct rp_request *request) {
    const struct rp_registers *all = request->web->registers;
    for (size_t i = 0; i < all->count; i++) {
        if (strcmp(all->list[i].id, "responsibilities") == 0) {
            return &all->list[i];
        }
    }
    return NULL;
}

static rp_err read_added(struct rp_request *request, struct added *ret_added) {
    const struct rp_register *reg = find_register(request);
    struct rp_desk desk = {.env = &request->web->env,
                           .registers = request->web->registers,
                           .arena = request->arena,
                           .diag = &request->diag};
    *ret_added = (struct added){.arena = request->arena};
    ret_added->list = rp_arena_array(request->arena, ADDED_MAX, sizeof *ret_added->list);
    if (!ret_added->list) {
        return RP_ERR(NO_MEMORY);
    }
    if (!reg) {
        return RP_OK;
    }
    RP_TRY(rp_store_system(request->thread->store, &desk.db, &request->diag));
    struct rp_asking asking = rp_desk_asking(&desk);
    return asking.each(asking.ctx, reg, NULL, (rp_view){NULL, 0}, gather, ret_added);
}

/* ---- the page ---- */

typedef struct rp_template_responsibility_duties page_duty;
typedef struct rp_template_responsibility_duties_sentences page_sentence;
typedef struct rp_template_responsibility_added page_added;

static rp_err fill_sentences(struct rp_request *request, const struct duty *duty, page_duty *to) {
    enum { SENTENCES_MAX = 8 };
    rp_view rest = rp_view_from_cstr(duty->sentences);
    page_sentence *list = rp_arena_array(request->arena, SENTENCES_MAX, sizeof *list);
    if (!list) {
        return RP_ERR(NO_MEMORY);
    }
    to->sentences.p = list;
    while (rest.p) {
        rp_view name = rp_view_cut(&rest, ' ');
        RP_ASSERT(to->sentences.n < SENTENCES_MAX);
        list[to->sentences.n++] = (page_sentence){
            .name = name, .link = rp_arena_printf(request->arena, "/trust#%.*s", RP_FMT(name))};
    }
    return RP_OK;
}

static rp_err fill_duties(struct rp_request *request, struct rp_template_responsibility *page) {
    enum rp_lang lang = request->lang;
    page->duties.p = rp_arena_array(request->arena, RP_COUNT_OF(duties), sizeof *page->duties.p);
    if (!page->duties.p) {
        return RP_ERR(NO_MEMORY);
    }
    page->duties.n = RP_COUNT_OF(duties);
    for (size_t i = 0; i < RP_COUNT_OF(duties); i++) {
        const struct duty *duty = &duties[i];
        page->duties.p[i] = (page_duty){.id = rp_view_from_cstr(duty->id),
                                        .title = rp_view_from_cstr(duty->title.s[lang]),
                                        .ours = rp_view_from_cstr(duty->ours.s[lang]),
                                        .our_owner = rp_text(lang, duty->our_owner),
                                        .yours = rp_view_from_cstr(duty->yours.s[lang]),
                                        .your_owner = rp_text(lang, duty->your_owner)};
        RP_TRY(fill_sentences(request, duty, &page->duties.p[i]));
    }
    return RP_OK;
}

static rp_err fill_added(struct rp_request *request, const struct added *added,
                         struct rp_template_responsibility *page) {
    page->added.p =
        rp_arena_array(request->arena, RP_MAX(added->count, (size_t)1), sizeof *page->added.p);
    if (!page->added.p) {
        return RP_ERR(NO_MEMORY);
    }
    page->has_added = added->count > 0;
    page->added.n = added->count;
    for (size_t i = 0; i < added->count; i++) {
        const struct added_duty *duty = &added->list[i];
        page->added.p[i] =
            (page_added){.duty = duty->duty,
                         .side = rp_view_from_cstr(duty->side_label.s[request->lang]),
                         .state = rp_view_from_cstr(duty->state_label.s[request->lang])};
    }
    return RP_OK;
}

/*= S177, S178: who answers for what can be read by everybody, and each duty has its owner. */
rp_err rp_responsibility_page(struct rp_request *request) {
    struct added added;
    struct rp_template_responsibility page = {
        .operator= rp_view_from_cstr(request->web->config->operator_name)};
    RP_TRY(read_added(request, &added));
    RP_TRY(fill_duties(request, &page));
    RP_TRY(fill_added(request, &added, &page));
    struct rp_buf body = rp_buf_new(PAGE_MAX);
    rp_template_responsibility_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_duty_title, &body, true);
    request->response.cache = "no-cache";
    return RP_OK;
}

/* ---- for programs ---- */

static void add_both(struct rp_arena *arena, struct rp_json *to, const char *name, const char *fr,
                     const char *en) {
    struct rp_json *text = rp_json_add_object(arena, to, name);
    rp_json_add_cstr(arena, text, "fr", fr);
    rp_json_add_cstr(arena, text, "en", en);
}

static void add_owner(struct rp_arena *arena, struct rp_json *to, const char *name,
                      enum rp_text_key key) {
    struct rp_json *text = rp_json_add_object(arena, to, name);
    rp_json_add_string(arena, text, "fr", rp_text(RP_FR, key));
    rp_json_add_string(arena, text, "en", rp_text(RP_EN, key));
}

static void add_duty(struct rp_arena *arena, struct rp_json *list, const struct duty *duty) {
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "id", duty->id);
    add_both(arena, json, "title", duty->title.s[RP_FR], duty->title.s[RP_EN]);
    add_both(arena, json, "ours", duty->ours.s[RP_FR], duty->ours.s[RP_EN]);
    add_owner(arena, json, "our_owner", duty->our_owner);
    add_both(arena, json, "yours", duty->yours.s[RP_FR], duty->yours.s[RP_EN]);
    add_owner(arena, json, "your_owner", duty->your_owner);
    struct rp_json *sentences = rp_json_add_array(arena, json, "sentences");
    rp_view rest = rp_view_from_cstr(duty->sentences);
    while (rest.p) {
        rp_json_add_string(arena, sentences, NULL, rp_view_cut(&rest, ' '));
    }
}

rp_err rp_responsibility_json(struct rp_request *request) {
    struct added added;
    struct rp_arena *arena = request->arena;
    RP_TRY(read_added(request, &added));
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "duties");
    for (size_t i = 0; i < RP_COUNT_OF(duties); i++) {
        add_duty(arena, list, &duties[i]);
    }
    list = rp_json_add_array(arena, root, "added");
    for (size_t i = 0; i < added.count; i++) {
        struct rp_json *json = rp_json_add_object(arena, list, NULL);
        rp_json_add_string(arena, json, "duty", added.list[i].duty);
        rp_json_add_string(arena, json, "side", added.list[i].side);
        rp_json_add_string(arena, json, "state", added.list[i].state);
        rp_json_add_bool(arena, json, "owned", added.list[i].owned);
    }
    return rp_api_send(request, 200, root);
}
