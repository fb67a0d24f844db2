#include "identity/people_file.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/foreign.h"
#include "identity/internal.h"
#include "policy/policy.h"
#include "wire/csv.h"
#include "wire/encode.h"
#include "wire/http.h"
#include "wire/json.h"

enum { CELL_MAX = 512, SEED_MIN = 10, PAIRS_MAX = 16 };
enum column { EMAIL, ROLE, LANG, PASSWORD, TOTP, COLUMN_COUNT };

static const char *const column_names[COLUMN_COUNT] = {"email", "role", "lang", "password", "totp"};
_Static_assert(sizeof((struct rp_people_file){0}.columns) / sizeof(size_t) == COLUMN_COUNT,
               "a place for each");

static const struct {
    const char *column;
    const char *text[RP_LANG_COUNT];
} faults[RP_FAULT_COUNT] = {
#define RP_FAULT(NAME, column, fr, en) [RP_FAULT_##NAME] = {column, {fr, en}},
#include "identity/people_faults.def"
#undef RP_FAULT
};

const char *rp_people_fault_text(enum rp_people_fault fault, enum rp_lang lang) {
    RP_ASSERT(fault > RP_FAULT_NONE && fault < RP_FAULT_COUNT && lang < RP_LANG_COUNT);
    return faults[fault].text[lang];
}

static enum column column_of(rp_view name) {
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(column_names[i]))) {
            return (enum column)i;
        }
    }
    return COLUMN_COUNT;
}

void rp_people_refuse(const struct rp_people_file *file, struct rp_people_line *line,
                      enum rp_people_fault fault) {
    enum column column = column_of(rp_view_from_cstr(faults[fault].column));
    line->fault = fault;
    line->column = column < COLUMN_COUNT ? file->columns[column] : 0;
}

void rp_people_wipe(struct rp_people_file *file) {
    for (size_t i = 0; i < file->count; i++) {
        rp_wipe(file->lines[i].seed, sizeof file->lines[i].seed);
    }
}

/* ---- one line's values ---- */

static enum rp_people_fault read_role(rp_view text, struct rp_people_line *line) {
    static const struct {
        rp_view word;
        unsigned roles;
    } words[] = {{RP_VIEW_INIT(""), RP_MEMBER},
                 {RP_VIEW_INIT("member"), RP_MEMBER},
                 {RP_VIEW_INIT("admin"), RP_MEMBER | RP_TENANT_ADMIN},
                 {RP_VIEW_INIT("operator"), RP_ROLES_ALL}};
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (rp_view_equal(text, words[i].word)) {
            line->roles = words[i].roles;
            return RP_FAULT_NONE;
        }
    }
    return RP_FAULT_ROLE;
}

static enum rp_people_fault read_lang(rp_view text, struct rp_people_line *line) {
    if (text.n == 0) {
        return RP_FAULT_NONE;
    }
    line->lang = rp_view_equal(text, RP_VIEW("en")) ? RP_EN : RP_FR;
    return line->lang == RP_EN || rp_view_equal(text, RP_VIEW("fr")) ? RP_FAULT_NONE
                                                                     : RP_FAULT_LANG;
}

static enum rp_people_fault read_password(rp_view text, struct rp_people_line *line) {
    struct rp_foreign foreign;
    if (text.n == 0) {
        return RP_FAULT_NONE;
    }
    rp_err err = rp_foreign_parse(text, &foreign);
    line->password = text;
    if (rp_ok(err)) {
        return RP_FAULT_NONE;
    }
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return RP_FAULT_HASH_COSTLY;
    }
    return rp_is(err, RP_E_UNSUPPORTED) ? RP_FAULT_HASH_UNKNOWN : RP_FAULT_HASH_DAMAGED;
}

/* People write seeds in groups and small letters. */
static enum rp_people_fault read_seed(rp_view text, struct rp_people_line *line) {
    struct rp_buf digits = rp_buf_new(CELL_MAX), bytes = rp_buf_new(RP_PEOPLE_SEED_MAX);
    while (text.n > 0 && text.p[text.n - 1] == '=') {
        text.n--;
    }
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = rp_lower(text.p[i]);
        if (c != ' ' && c != '-') {
            rp_buf_add_byte(&digits, c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : c);
        }
    }
    bool read = rp_ok(rp_base32_parse(rp_buf_view(&digits), &bytes)) && rp_ok(rp_buf_err(&bytes)) &&
                bytes.n >= SEED_MIN;
    if (read) {
        memcpy(line->seed, bytes.p, bytes.n);
        line->seed_n = bytes.n;
        rp_wipe(bytes.p, bytes.n);
    }
    if (digits.p) {
        rp_wipe(digits.p, digits.n);
    }
    rp_buf_done(&digits);
    rp_buf_done(&bytes);
    return read ? RP_FAULT_NONE : RP_FAULT_TOTP;
}

static bool is_or_absent(struct rp_pairs pairs, const char *name, rp_view value) {
    rp_view given = rp_pairs_get(pairs, name);
    return !given.p || rp_view_equal_nocase(given, value);
}

static enum rp_people_fault read_totp(rp_view text, struct rp_arena *arena,
                                      struct rp_people_line *line) {
    static const rp_view start = RP_VIEW_INIT("otpauth://totp/");
    struct rp_pairs pairs;
    if (text.n == 0) {
        return RP_FAULT_NONE;
    }
    if (line->password.n == 0) {
        return RP_FAULT_TOTP_ALONE;
    }
    if (!rp_view_starts(text, RP_VIEW("otpauth:"))) {
        return read_seed(text, line);
    }
    rp_view query = rp_view_from(text, rp_view_find_byte(text, '?') + 1);
    if (!rp_view_starts(text, start) || !rp_ok(rp_form_parse(query, PAIRS_MAX, arena, &pairs))) {
        return RP_FAULT_TOTP;
    }
    if (!is_or_absent(pairs, "algorithm", RP_VIEW("SHA1")) ||
        !is_or_absent(pairs, "digits", RP_VIEW("6")) ||
        !is_or_absent(pairs, "period", RP_VIEW("30"))) {
        return RP_FAULT_TOTP_KIND;
    }
    return read_seed(rp_pairs_get(pairs, "secret"), line);
}

static enum rp_people_fault read_values(const rp_view values[static COLUMN_COUNT],
                                        struct rp_arena *arena, struct rp_people_line *line) {
    struct rp_email normal;
    enum rp_people_fault fault = RP_FAULT_NONE;
    line->email = rp_view_trim(values[EMAIL]);
    if (!rp_ok(rp_email_normalise(line->email, &normal))) {
        return RP_FAULT_EMAIL;
    }
    fault = read_role(rp_view_trim(values[ROLE]), line);
    if (fault == RP_FAULT_NONE) {
        fault = read_lang(rp_view_trim(values[LANG]), line);
    }
    if (fault == RP_FAULT_NONE) {
        fault = read_password(rp_view_trim(values[PASSWORD]), line);
    }
    return fault == RP_FAULT_NONE ? read_totp(rp_view_trim(values[TOTP]), arena, line) : fault;
}

static struct rp_people_line *next_line(struct rp_people_file *file, unsigned number,
                                        enum rp_lang lang) {
    struct rp_people_line *line = &file->lines[file->count++];
    *line = (struct rp_people_line){.number = number, .lang = lang};
    return line;
}

/* ---- a table ---- */

static rp_err find_columns(const struct rp_csv *table, struct rp_people_file *file,
                           struct rp_diag *diag) {
    for (size_t i = 0; i < table->column_count; i++) {
        enum column column = column_of(table->names[i]);
        if (column == COLUMN_COUNT) {
            return rp_fail_at(diag, RP_ERR(INVALID), 1, 1,
                              "%.*s: email, role, lang, password, totp", RP_FMT(table->names[i]));
        }
        file->columns[column] = i + 1;
    }
    return file->columns[EMAIL] > 0 ? RP_OK : rp_fail_at(diag, RP_ERR(INVALID), 1, 1, "email?");
}

rp_err rp_people_read_csv(rp_view text, enum rp_lang lang, struct rp_arena *arena,
                          struct rp_people_file *ret_file, struct rp_diag *diag) {
    static const struct rp_csv_limits limits = {
        .rows_max = RP_PEOPLE_MAX, .columns_max = COLUMN_COUNT + 1, .cell_max = CELL_MAX};
    struct rp_people_file file = {.count = 0};
    struct rp_csv table;
    RP_TRY(rp_csv_parse(text, limits, arena, &table, diag));
    RP_TRY(find_columns(&table, &file, diag));
    file.lines = rp_arena_array(arena, table.row_count + 1, sizeof *file.lines);
    if (!file.lines) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < table.row_count; i++) {
        rp_view values[COLUMN_COUNT] = {{NULL, 0}};
        for (size_t c = 0; c < COLUMN_COUNT; c++) {
            if (file.columns[c] > 0) {
                values[c] = table.rows[i].cells[file.columns[c] - 1];
            }
        }
        struct rp_people_line *line = next_line(&file, table.rows[i].line, lang);
        enum rp_people_fault fault = read_values(values, arena, line);
        if (fault != RP_FAULT_NONE) {
            rp_people_refuse(&file, line, fault);
        }
    }
    *ret_file = file;
    return RP_OK;
}

/* ---- JSON ---- */

static enum rp_people_fault read_object(const struct rp_json *object, struct rp_arena *arena,
                                        struct rp_people_line *line) {
    rp_view values[COLUMN_COUNT] = {{NULL, 0}};
    if (object->kind != RP_JSON_OBJECT) {
        return RP_FAULT_TEXT;
    }
    for (const struct rp_json *one = object->first; one; one = one->next) {
        enum column column = column_of(one->key);
        if (column == COLUMN_COUNT) {
            return RP_FAULT_FIELD;
        }
        if (one->kind == RP_JSON_NULL) {
            continue;
        }
        if (one->kind != RP_JSON_STRING || one->string.n > CELL_MAX) {
            return RP_FAULT_TEXT;
        }
        values[column] = one->string;
    }
    return read_values(values, arena, line);
}

rp_err rp_people_read_json(rp_view text, enum rp_lang lang, struct rp_arena *arena,
                           struct rp_people_file *ret_file, struct rp_diag *diag) {
    static const struct rp_json_limits limits = {.depth_max = 4,
                                                 .count_max = RP_PEOPLE_MAX * (COLUMN_COUNT + 2)};
    struct rp_people_file file = {.count = 0};
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(text, limits, arena, &root, diag));
    const struct rp_json *list = root->kind == RP_JSON_OBJECT ? rp_json_get(root, "people") : root;
    if (!list || list->kind != RP_JSON_ARRAY || (list != root && root->count > 1)) {
        return rp_fail_at(diag, RP_ERR(INVALID), 1, 1, "[{\"email\": …}, …]");
    }
    if (list->count > RP_PEOPLE_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "%u", (unsigned)RP_PEOPLE_MAX);
    }
    file.lines = rp_arena_array(arena, list->count + 1, sizeof *file.lines);
    if (!file.lines) {
        return RP_ERR(TOO_LARGE);
    }
    for (const struct rp_json *one = list->first; one; one = one->next) {
        struct rp_people_line *line = next_line(&file, (unsigned)file.count + 1, lang);
        enum rp_people_fault fault = read_object(one, arena, line);
        if (fault != RP_FAULT_NONE) {
            rp_people_refuse(&file, line, fault);
        }
    }
    *ret_file = file;
    return RP_OK;
}
