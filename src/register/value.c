#include "register/value.h"

#include "base/assert.h"
#include "base/buf.h"
#include "base/checked.h"
#include "wire/artefact.h"

enum { ID_BYTES = RP_ID_TEXT, CHOICES_SHOWN = 180 };

/* ---- checking ---- */

static bool is_hex(rp_view v, size_t n) {
    for (size_t i = 0; i < v.n && i < n; i++) {
        bool digit = (v.p[i] >= '0' && v.p[i] <= '9') || (v.p[i] >= 'a' && v.p[i] <= 'f');
        if (!digit) {
            return false;
        }
    }
    return v.n >= n;
}

/* 64 digits, and a name of at most 200 bytes behind a space. */
static bool is_evidence(rp_view v) {
    return is_hex(v, 64) && (v.n == 64 || (v.n > 65 && v.n <= 265 && v.p[64] == ' '));
}

static bool is_artefact(rp_view v) {
    struct rp_artefact artefact;
    return rp_artefact_parse(v, &artefact);
}

static bool is_leaf(rp_view v) {
    rp_view tree = rp_view_cut(&v, '/');
    uint64_t index = 0;
    bool named = rp_view_equal(tree, RP_VIEW("public")) || rp_view_equal(tree, RP_VIEW("operator"));
    return (named || (tree.n == RP_ID_TEXT && is_hex(tree, RP_ID_TEXT))) && v.p &&
           rp_view_to_u64(v, UINT64_MAX, &index);
}

static bool is_url(rp_view v) {
    bool scheme = rp_view_starts(v, RP_VIEW("https://")) || rp_view_starts(v, RP_VIEW("http://"));
    return scheme && v.n <= 2000 && rp_view_find_byte(v, ' ') == v.n;
}

static bool is_string_value(const struct rp_field *field, rp_view v) {
    struct rp_date date;
    struct rp_span span;
    rp_id id;
    int64_t ms;
    if (rp_view_find_byte(v, 0) < v.n) {
        return false; /* PostgreSQL keeps no such text, and nobody means one */
    }
    switch (field->type) {
    case RP_FIELD_TEXT:
        return v.n > 0 && v.n <= (field->unique ? RP_FIELD_UNIQUE_MAX : RP_FIELD_TEXT_MAX);
    case RP_FIELD_DATE:
        return rp_date_parse(v, &date);
    case RP_FIELD_DATETIME:
        return rp_instant_parse(v, &ms);
    case RP_FIELD_CHOICE:
    case RP_FIELD_MULTI:
        return rp_field_choice(field, v) != NULL;
    case RP_FIELD_PERSON:
    case RP_FIELD_REFERENCE:
        return rp_id_parse(v, &id);
    case RP_FIELD_FILE:
        return is_evidence(v);
    case RP_FIELD_DIGESTS:
        return is_artefact(v);
    case RP_FIELD_LEAF:
        return is_leaf(v);
    case RP_FIELD_URL:
        return is_url(v);
    case RP_FIELD_DURATION:
        return rp_span_parse(v, &span);
    case RP_FIELD_NUMBER:
    case RP_FIELD_BOOL:
    case RP_FIELD_COMPUTED:
    case RP_FIELD_TYPE_COUNT:
        return false;
    }
    RP_UNREACHABLE();
}

static bool is_list(const struct rp_field *field, const struct rp_json *json, size_t max) {
    if (json->kind != RP_JSON_ARRAY || json->count > max) {
        return false;
    }
    for (const struct rp_json *one = json->first; one; one = one->next) {
        if (one->kind != RP_JSON_STRING || !is_string_value(field, one->string)) {
            return false;
        }
    }
    return true;
}

static bool is_value(const struct rp_field *field, const struct rp_json *json) {
    switch (field->type) {
    case RP_FIELD_NUMBER:
        return json->kind == RP_JSON_NUMBER;
    case RP_FIELD_BOOL:
        return json->kind == RP_JSON_BOOL;
    case RP_FIELD_MULTI:
        return is_list(field, json, field->choice_count);
    case RP_FIELD_DIGESTS:
        return is_list(field, json, RP_DIGESTS_MAX);
    case RP_FIELD_COMPUTED:
    case RP_FIELD_TYPE_COUNT:
        return false;
    case RP_FIELD_TEXT:
    case RP_FIELD_DATE:
    case RP_FIELD_DATETIME:
    case RP_FIELD_CHOICE:
    case RP_FIELD_PERSON:
    case RP_FIELD_REFERENCE:
    case RP_FIELD_FILE:
    case RP_FIELD_LEAF:
    case RP_FIELD_URL:
    case RP_FIELD_DURATION:
        return json->kind == RP_JSON_STRING && is_string_value(field, json->string);
    }
    RP_UNREACHABLE();
}

/* What a field takes, for whoever gave it something else. */
static const struct rp_words wanted[RP_FIELD_TYPE_COUNT] = {
    [RP_FIELD_TEXT] = {{"un texte de 1 à 8000 octets, sans octet nul",
                        "a text of 1 to 8000 bytes, none of them zero"}},
    [RP_FIELD_NUMBER] = {{"un nombre", "a number"}},
    [RP_FIELD_DATE] = {{"une date, 2026-11-24", "a date, 2026-11-24"}},
    [RP_FIELD_DATETIME] = {{"un instant en UTC, 2026-11-24T10:00:00Z",
                            "an instant in UTC, 2026-11-24T10:00:00Z"}},
    [RP_FIELD_CHOICE] = {{"un de ", "one of "}},
    [RP_FIELD_MULTI] = {{"une liste [\"…\"] parmi ", "a list [\"…\"] out of "}},
    [RP_FIELD_PERSON] = {{"l’id d’une fiche du registre persons",
                          "the id of a record of the persons register"}},
    [RP_FIELD_REFERENCE] = {{"l’id d’une fiche", "the id of a record"}},
    [RP_FIELD_FILE] =
        {{"le SHA-256 du fichier en hexadécimal, puis s’il en a un une espace et son "
          "nom",
          "the file's SHA-256 in hexadecimal, and a space and its name if it has one"}},
    [RP_FIELD_DIGESTS] = {{"une liste [\"nom@sha256:…\", \"git:…\"] de 100 au plus",
                           "a list [\"name@sha256:…\", \"git:…\"] of 100 at most"}},
    [RP_FIELD_LEAF] = {{"une entrée du journal, public/123", "an entry of the log, public/123"}},
    [RP_FIELD_URL] = {{"une adresse https://…", "an address https://…"}},
    [RP_FIELD_BOOL] = {{"true ou false", "true or false"}},
    [RP_FIELD_DURATION] = {{"une durée : 15min, 72h, 30d, 1wd, 12mo",
                            "a span: 15min, 72h, 30d, 1wd, 12mo"}},
    [RP_FIELD_COMPUTED] = {{"rien, il est calculé", "nothing, it is computed"}},
};

static const struct rp_words wanted_unique = {{"un texte de 1 à 2000 octets, sans octet nul",
                                               "a text of 1 to 2000 bytes, none of them zero"}};

static const char *what_it_takes(const struct rp_field *field, enum rp_lang lang) {
    bool unique = field->type == RP_FIELD_TEXT && field->unique;
    return (unique ? &wanted_unique : &wanted[field->type])->s[lang];
}

rp_err rp_value_check(const struct rp_field *field, const struct rp_json *json, enum rp_lang lang,
                      struct rp_diag *diag) {
    if (json->kind == RP_JSON_NULL || is_value(field, json)) {
        return RP_OK;
    }
    _cleanup_(rp_buf_done) struct rp_buf choices = rp_buf_new(CHOICES_SHOWN);
    for (size_t i = 0; i < field->choice_count; i++) {
        rp_buf_printf(&choices, "%s%s", i ? ", " : "", field->choices[i].id);
    }
    /* More than one line holds: the register's description lists them. */
    rp_view shown = rp_ok(rp_buf_err(&choices)) ? rp_buf_view(&choices) : RP_VIEW("…");
    return rp_fail(diag, RP_ERR(INVALID), "%s: %s%.*s", field->id, what_it_takes(field, lang),
                   RP_FMT(shown));
}

/* ---- as expressions see it ---- */

static struct rp_value text_value(rp_view text) {
    return (struct rp_value){.kind = text.p ? RP_VALUE_TEXT : RP_VALUE_NONE, .text = text};
}

static struct rp_value time_value(int64_t ms) {
    return (struct rp_value){.kind = RP_VALUE_TIME, .ms = ms};
}

static struct rp_value of_string(const struct rp_field *field, rp_view v) {
    struct rp_date date;
    int64_t ms;
    struct rp_span span;
    if (field->type == RP_FIELD_DATE) {
        return rp_date_parse(v, &date) ? time_value(rp_paris_midnight_ms(rp_date_to_day(date)))
                                       : (struct rp_value){0};
    }
    if (field->type == RP_FIELD_DATETIME) {
        return rp_instant_parse(v, &ms) ? time_value(ms) : (struct rp_value){0};
    }
    if (field->type == RP_FIELD_DURATION && rp_span_parse(v, &span)) {
        return (struct rp_value){.kind = RP_VALUE_SPAN, .span = span};
    }
    return text_value(v);
}

struct rp_value rp_value_of_json(const struct rp_field *field, const struct rp_json *json) {
    if (!json) {
        return (struct rp_value){0};
    }
    switch (json->kind) {
    case RP_JSON_STRING:
        return of_string(field, json->string);
    case RP_JSON_NUMBER:
        return (struct rp_value){.kind = RP_VALUE_NUMBER, .number = json->number};
    case RP_JSON_BOOL:
        return (struct rp_value){.kind = RP_VALUE_BOOL, .boolean = json->boolean};
    case RP_JSON_ARRAY:
        return (struct rp_value){.kind = json->count ? RP_VALUE_LIST : RP_VALUE_NONE, .list = json};
    case RP_JSON_OBJECT:
    case RP_JSON_NULL:
        return (struct rp_value){0};
    }
    RP_UNREACHABLE();
}

static bool common_value(const struct rp_facts *facts, rp_view name, struct rp_value *ret_value) {
    if (rp_view_equal(name, RP_VIEW("id"))) {
        *ret_value = text_value(rp_view_of(facts->id_text.s, ID_BYTES));
    } else if (rp_view_equal(name, RP_VIEW("author"))) {
        *ret_value = text_value(rp_view_of(facts->author_text.s, ID_BYTES));
    } else if (rp_view_equal(name, RP_VIEW("state"))) {
        *ret_value = text_value(facts->state);
    } else if (rp_view_equal(name, RP_VIEW("created"))) {
        *ret_value = time_value(facts->created_ms);
    } else if (rp_view_equal(name, RP_VIEW("changed"))) {
        *ret_value = time_value(facts->changed_ms);
    } else if (rp_view_equal(name, RP_VIEW("number"))) {
        *ret_value = (struct rp_value){.kind = RP_VALUE_NUMBER, .number = (double)facts->number};
    } else {
        return false;
    }
    return true;
}

rp_err rp_facts_value(const struct rp_facts *facts, rp_view name, const struct rp_asking *asking,
                      struct rp_value *ret_value) {
    if (common_value(facts, name, ret_value)) {
        return RP_OK;
    }
    const struct rp_field *field = rp_register_field(facts->reg, name);
    RP_ASSERT(field != NULL); /* the checker saw it */
    if (field->type == RP_FIELD_COMPUTED) {
        return rp_expr_value(field->formula, facts, asking, ret_value);
    }
    *ret_value = rp_value_of_json(
        field, rp_json_get(field->sealed ? facts->secret : facts->open, field->id));
    return RP_OK;
}
