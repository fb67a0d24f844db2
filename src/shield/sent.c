#include "shield/sent.h"

#include "base/assert.h"
#include "base/checked.h"
#include "base/seqlock.h"
#include "shield/notes_table.h"
#include "shield/path_shape.h"

enum { PROBES = 32, DAY_MS = 24 * 3600 * 1000, DEEPEST = 16 };

/* ---- what a value could be ---- */

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static size_t digits_of(rp_view text) {
    size_t n = 0;
    while (n < text.n && is_digit(text.p[n])) {
        n++;
    }
    return n;
}

/* As the model takes it: no leading plus, and short enough for 64 bits. */
static bool is_integer(rp_view value) {
    rp_view digits = value.n > 0 && value.p[0] == '-' ? rp_view_from(value, 1) : value;
    return digits.n > 0 && digits.n <= 18 && digits_of(digits) == digits.n &&
           (digits.n == 1 || digits.p[0] != '0');
}

static bool is_number(rp_view value) {
    size_t dot = rp_view_find_byte(value, '.');
    rp_view whole = rp_view_sub(value, 0, dot),
            part = rp_view_from(value, RP_MIN(dot + 1, value.n));
    return is_integer(whole) &&
           (dot == value.n || (part.n > 0 && part.n <= 18 && digits_of(part) == part.n));
}

/* 9 = a digit, f = a hexadecimal one, any other byte itself. */
static bool has_form(rp_view value, const char *form) {
    if (value.n != strlen(form)) {
        return false;
    }
    for (size_t i = 0; i < value.n; i++) {
        uint8_t c = value.p[i], lower = c | 0x20;
        bool hex = is_digit(c) || (lower >= 'a' && lower <= 'f');
        if (form[i] == '9' ? !is_digit(c) : form[i] == 'f' ? !hex : c != (uint8_t)form[i]) {
            return false;
        }
    }
    return true;
}

unsigned rp_sent_kinds_of(rp_view value) {
    bool truth = rp_view_equal(value, RP_VIEW("true")) || rp_view_equal(value, RP_VIEW("false"));
    return (is_integer(value) ? RP_SENT_INTEGER : 0U) | (is_number(value) ? RP_SENT_NUMBER : 0U) |
           (truth ? RP_SENT_BOOLEAN : 0U) |
           (has_form(value, "ffffffff-ffff-ffff-ffff-ffffffffffff") ? RP_SENT_UUID : 0U) |
           (has_form(value, "9999-99-99") ? RP_SENT_DATE : 0U);
}

/* ---- the way to a member of JSON ---- */

static bool is_element(rp_view segment) {
    rp_view prefix = RP_VIEW("array_");
    rp_view number = rp_view_from(segment, RP_MIN(prefix.n, segment.n));
    return rp_view_starts(segment, prefix) && number.n > 0 && digits_of(number) == number.n;
}

bool rp_sent_json_name(rp_view name, uint8_t out[static RP_NOTE_NAME_MAX], size_t *ret_len) {
    rp_view rest = name, root = RP_VIEW("json.");
    if (!rp_view_starts(name, root) || name.n == root.n) {
        return false;
    }
    size_t n = 0, depth = 0;
    for (rest = rp_view_from(rest, root.n); rest.p;) {
        size_t end = rp_view_find_byte(rest, '.');
        rp_view segment = rp_view_sub(rest, 0, end);
        segment = is_element(segment) ? RP_VIEW("[]") : segment;
        bool more = end < rest.n;
        if (segment.n == 0 || depth++ == DEEPEST || n + segment.n + 1 > RP_NOTE_NAME_MAX) {
            return false;
        }
        memcpy(out + n, segment.p, segment.n);
        n += segment.n;
        if (more) {
            out[n++] = '.';
        }
        rest = more ? rp_view_from(rest, end + 1) : (rp_view){NULL, 0};
    }
    *ret_len = n;
    return true;
}

/* ---- writing ---- */

static bool is_plain(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] <= ' ' || text.p[i] >= 0x7f) {
            return false;
        }
    }
    return true;
}

/* Only a request has no name; a type is one. */
static bool is_named(unsigned place, rp_view name) {
    bool slash = rp_view_find_byte(name, '/') < name.n;
    bool type = slash && rp_view_find_byte(name, ';') == name.n;
    return (name.n == 0) == (place == RP_SENT_REQUEST) && is_plain(name) &&
           (place != RP_SENT_TYPE || type);
}

static bool is_taken(const struct rp_sent_seen *seen) {
    const struct rp_sent *row = NULL;
    return seen->app.n > 0 && seen->app.n <= sizeof row->app && seen->method.n > 0 &&
           seen->method.n <= sizeof row->method && seen->path.n <= sizeof row->path &&
           seen->name.n <= sizeof row->name && is_named(seen->place, seen->name) &&
           is_plain(seen->method);
}

static uint64_t key_of(const struct rp_sent_seen *seen) {
    uint8_t bytes[1 + 4 + 32 + RP_SENT_METHOD_MAX + 128 + RP_NOTE_NAME_MAX];
    size_t n = 0;
    bytes[n++] = (uint8_t)seen->place;
    rp_notes_add_text(bytes, &n, seen->app);
    rp_notes_add_text(bytes, &n, seen->method);
    rp_notes_add_text(bytes, &n, seen->path);
    rp_notes_add_text(bytes, &n, seen->name);
    return rp_notes_key(rp_view_of(bytes, n));
}

/* The key's row; else a free one; else the one that nobody has sent for longest, if that is long.
 * RP_SENT_ROWS when there is none. */
static size_t row_for(const struct rp_sent *rows, uint64_t key, int64_t now_ms) {
    size_t best = RP_SENT_ROWS;
    for (size_t i = 0; i < PROBES; i++) {
        size_t at = (key + i) % RP_SENT_ROWS;
        if (rows[at].key == key) {
            return at;
        }
        bool gone = rows[at].key == 0 || rows[at].last_ms < now_ms - (int64_t)RP_NOTE_DAYS * DAY_MS;
        best = gone && best == RP_SENT_ROWS ? at : best;
    }
    return best;
}

static struct rp_sent new_row(const struct rp_sent_seen *seen, uint64_t key) {
    struct rp_sent row = {.place = (uint8_t)seen->place,
                          .kinds = RP_SENT_KINDS,
                          .shortest = UINT32_MAX,
                          .key = key,
                          .first_ms = seen->now_ms};
    rp_notes_put_text(row.app, &row.app_len, seen->app);
    rp_notes_put_text(row.method, &row.method_len, seen->method);
    rp_notes_put_text(row.name, &row.name_len, seen->name);
    rp_notes_put_text(row.path, &row.path_len, seen->path);
    return row;
}

void rp_sent_see(void *memory, const struct rp_sent_seen *seen) {
    RP_ASSERT(memory != NULL && seen->place < RP_SENT_PLACE_COUNT);
    struct rp_notes_table *table = memory;
    if (!is_taken(seen)) {
        rp_notes_lose(table);
        return;
    }
    uint64_t key = key_of(seen), person = rp_notes_who(table, seen->person);
    size_t at = row_for(table->sent, key, seen->now_ms);
    bool is_new = at < RP_SENT_ROWS && table->sent[at].key != key;
    /*= S58: who signs in to widen what is taken can say little alone, and drives nobody else out.
     */
    if (at == RP_SENT_ROWS || (is_new && rp_notes_made_alone(table->sent_alone, RP_SENT_ROWS,
                                                             person) >= RP_SENT_ALONE_MAX)) {
        rp_notes_lose(table);
        return;
    }
    struct rp_sent row = is_new ? new_row(seen, key) : table->sent[at];
    uint32_t length = (uint32_t)RP_MIN(seen->value.n, (size_t)UINT32_MAX);
    row.count++;
    row.last_ms = seen->now_ms;
    row.kinds &= (uint8_t)rp_sent_kinds_of(seen->value);
    row.shortest = RP_MIN(row.shortest, length);
    row.longest = RP_MAX(row.longest, length);
    rp_notes_add_who(row.person, &row.people, RP_NOTE_PEOPLE, person);
    rp_notes_add_who(row.organisation, &row.organisations, RP_NOTE_ORGANISATIONS,
                     rp_notes_who(table, seen->organisation));
    table->sent_alone[at] = row.people == 1 ? row.person[0] : 0;
    rp_seqlock_write(&table->sent[at], &row, sizeof row);
}

/* ---- reading ---- */

static bool is_sound(const struct rp_sent *row) {
    return row->key != 0 && row->place < RP_SENT_PLACE_COUNT && row->app_len <= sizeof row->app &&
           row->method_len <= sizeof row->method && row->name_len <= sizeof row->name &&
           row->path_len <= sizeof row->path && row->people <= RP_NOTE_PEOPLE &&
           row->organisations <= RP_NOTE_ORGANISATIONS && row->method_len > 0 &&
           is_named(row->place, rp_sent_name(row)) && is_plain(rp_sent_method(row)) &&
           rp_path_shape_is_good(rp_sent_path(row));
}

bool rp_sent_get(const void *memory, size_t index, int64_t now_ms, struct rp_sent *ret_sent) {
    RP_ASSERT(memory != NULL && index < RP_SENT_ROWS);
    const struct rp_notes_table *table = memory;
    struct rp_sent row;
    if (!rp_seqlock_read(&table->sent[index], &row, sizeof row) || !is_sound(&row) ||
        row.last_ms < now_ms - (int64_t)RP_NOTE_DAYS * DAY_MS) {
        return false;
    }
    *ret_sent = row;
    return true;
}

void rp_sent_merge(struct rp_sent *into, const struct rp_sent *from) {
    RP_ASSERT(into->key == from->key);
    into->count += from->count;
    into->kinds &= from->kinds;
    into->shortest = RP_MIN(into->shortest, from->shortest);
    into->longest = RP_MAX(into->longest, from->longest);
    into->first_ms = RP_MIN(into->first_ms, from->first_ms);
    into->last_ms = RP_MAX(into->last_ms, from->last_ms);
    for (size_t i = 0; i < from->people; i++) {
        rp_notes_add_who(into->person, &into->people, RP_NOTE_PEOPLE, from->person[i]);
    }
    for (size_t i = 0; i < from->organisations; i++) {
        rp_notes_add_who(into->organisation, &into->organisations, RP_NOTE_ORGANISATIONS,
                         from->organisation[i]);
    }
}
