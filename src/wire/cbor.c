#include "wire/cbor.h"

#include "base/assert.h"
#include "wire/http.h"

enum major { UNSIGNED, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG, SIMPLE };
enum { NUMBER_IN_HEAD = 24, BYTES_1 = 24, BYTES_8 = 27 };
enum simple { SIMPLE_FALSE = 20, SIMPLE_TRUE = 21, SIMPLE_NULL = 22 };

struct head {
    enum major major;
    uint64_t number;
};

/* ---- reading ---- */

struct reader {
    rp_view rest;
    size_t items;
};

static bool take_byte(rp_view *rest, uint8_t *ret_byte) {
    if (rest->n == 0) {
        return false;
    }
    *ret_byte = rest->p[0];
    *rest = rp_view_from(*rest, 1);
    return true;
}

/* The number behind a head of `code` 24 to 27: 1, 2, 4 or 8 bytes, and none that fewer would hold.
 */
static bool take_number(rp_view *rest, unsigned code, uint64_t *ret_number) {
    static const uint64_t least[] = {NUMBER_IN_HEAD, UINT64_C(1) << 8, UINT64_C(1) << 16,
                                     UINT64_C(1) << 32};
    size_t n = (size_t)1 << (code - BYTES_1);
    uint64_t number = 0;
    if (rest->n < n) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        number = number << 8 | rest->p[i];
    }
    *rest = rp_view_from(*rest, n);
    *ret_number = number;
    return number >= least[code - BYTES_1];
}

static bool take_head(rp_view *rest, struct head *ret_head) {
    uint8_t byte = 0;
    if (!take_byte(rest, &byte)) {
        return false;
    }
    unsigned code = byte & 31;
    struct head head = {.major = (enum major)(byte >> 5), .number = code};
    if (code > BYTES_8 || (code >= NUMBER_IN_HEAD && !take_number(rest, code, &head.number))) {
        return false;
    }
    *ret_head = head;
    return true;
}

static rp_err skip(struct reader *reader, unsigned depth);

static rp_err skip_string(struct reader *reader, const struct head *head) {
    if (head->number > reader->rest.n) {
        return RP_ERR(SYNTAX);
    }
    rp_view content = rp_view_sub(reader->rest, 0, (size_t)head->number);
    reader->rest = rp_view_from(reader->rest, content.n);
    return head->major == BYTES || rp_utf8_valid(content) ? RP_OK : RP_ERR(SYNTAX);
}

static rp_err skip_array(struct reader *reader, uint64_t count, unsigned depth) {
    for (uint64_t i = 0; i < count; i++) {
        RP_TRY(skip(reader, depth));
    }
    return RP_OK;
}

/* How many items stand inside an item, from its head; what is no array and no map holds none. */
static uint64_t items_in(const struct head *head) {
    return head->major == MAP ? 2 * head->number : head->major == ARRAY ? head->number : 0;
}

/* The item at the start of what was checked before, without checking it again: a map that is looked
 * through at each of its keys, inside maps that are too, would multiply the work at every depth. */
static bool pass(rp_view *checked, rp_view *ret_item) {
    rp_view start = *checked, rest = *checked;
    for (uint64_t left = 1; left > 0; left--) {
        struct head head;
        if (!take_head(&rest, &head)) {
            return false;
        }
        left += items_in(&head);
        if (head.major == BYTES || head.major == TEXT) {
            rest = rp_view_from(rest, (size_t)head.number);
        }
    }
    *ret_item = rp_view_sub(start, 0, start.n - rest.n);
    *checked = rest;
    return true;
}

/* The next of the pairs, which were checked before; false when none is left. */
static bool next_pair(rp_view *pairs, rp_view *ret_key, rp_view *ret_value) {
    return pass(pairs, ret_key) && pass(pairs, ret_value);
}

/* Equal keys are equal bytes, since there is one way to write each. */
static bool had_key(rp_view pairs, rp_view key) {
    rp_view other = {NULL, 0}, value = {NULL, 0};
    while (next_pair(&pairs, &other, &value)) {
        if (rp_view_equal(other, key)) {
            return true;
        }
    }
    return false;
}

static bool may_be_key(rp_view item) {
    int64_t number = 0;
    rp_view text = {NULL, 0};
    return rp_cbor_number(item, &number) || rp_cbor_text(item, &text);
}

static rp_err skip_map(struct reader *reader, uint64_t pairs, unsigned depth) {
    rp_view start = reader->rest;
    for (uint64_t i = 0; i < pairs; i++) {
        rp_view before = reader->rest;
        RP_TRY(skip(reader, depth));
        rp_view key = rp_view_sub(before, 0, before.n - reader->rest.n);
        if (!may_be_key(key) || had_key(rp_view_sub(start, 0, start.n - before.n), key)) {
            return RP_ERR(SYNTAX);
        }
        RP_TRY(skip(reader, depth));
    }
    return RP_OK;
}

/* One item, checked; depth: how many arrays and maps it stands in. */
static rp_err skip(struct reader *reader, unsigned depth) {
    struct head head;
    if (++reader->items > RP_CBOR_ITEMS_MAX || depth > RP_CBOR_DEPTH_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    if (!take_head(&reader->rest, &head)) {
        return RP_ERR(SYNTAX);
    }
    switch (head.major) {
    case UNSIGNED:
    case NEGATIVE:
        return RP_OK;
    case BYTES:
    case TEXT:
        return skip_string(reader, &head);
    case ARRAY:
        return skip_array(reader, head.number, depth + 1);
    case MAP:
        return skip_map(reader, head.number, depth + 1);
    case SIMPLE:
        return head.number >= SIMPLE_FALSE && head.number <= SIMPLE_NULL ? RP_OK : RP_ERR(SYNTAX);
    case TAG:
        break;
    }
    return RP_ERR(SYNTAX);
}

rp_err rp_cbor_take(rp_view *rest, rp_view *ret_item) {
    RP_ASSERT(rest != NULL && ret_item != NULL);
    struct reader reader = {.rest = *rest};
    RP_TRY(skip(&reader, 0));
    *ret_item = rp_view_sub(*rest, 0, rest->n - reader.rest.n);
    *rest = reader.rest;
    return RP_OK;
}

rp_err rp_cbor_whole(rp_view bytes, rp_view *ret_item) {
    rp_view rest = bytes, item = {NULL, 0};
    RP_TRY(rp_cbor_take(&rest, &item));
    if (rest.n > 0) {
        return RP_ERR(SYNTAX);
    }
    *ret_item = item;
    return RP_OK;
}

/* ---- looking into an item ---- */

bool rp_cbor_number(rp_view item, int64_t *ret_number) {
    struct head head;
    if (!take_head(&item, &head) || head.major > NEGATIVE || head.number > INT64_MAX) {
        return false;
    }
    int64_t number = (int64_t)head.number;
    *ret_number = head.major == NEGATIVE ? -1 - number : number;
    return true;
}

static bool string_of(rp_view item, enum major major, rp_view *ret_content) {
    struct head head;
    if (!take_head(&item, &head) || head.major != major || head.number != item.n) {
        return false;
    }
    *ret_content = item;
    return true;
}

bool rp_cbor_bytes(rp_view item, rp_view *ret_bytes) {
    return string_of(item, BYTES, ret_bytes);
}

bool rp_cbor_text(rp_view item, rp_view *ret_text) {
    return string_of(item, TEXT, ret_text);
}

bool rp_cbor_map(rp_view item, size_t *ret_pairs) {
    struct head head;
    if (!take_head(&item, &head) || head.major != MAP) {
        return false;
    }
    *ret_pairs = (size_t)head.number;
    return true;
}

/* Is this item the key that is looked for? A text when text.p is set, else a number. */
static bool is_key(rp_view item, int64_t number, rp_view text) {
    rp_view found = {NULL, 0};
    int64_t value = 0;
    return text.p ? rp_cbor_text(item, &found) && rp_view_equal(found, text)
                  : rp_cbor_number(item, &value) && value == number;
}

static rp_view find(rp_view map, int64_t number, rp_view text) {
    struct head head;
    rp_view key = {NULL, 0}, value = {NULL, 0};
    if (!take_head(&map, &head) || head.major != MAP) {
        return (rp_view){NULL, 0};
    }
    while (next_pair(&map, &key, &value)) {
        if (is_key(key, number, text)) {
            return value;
        }
    }
    return (rp_view){NULL, 0};
}

rp_view rp_cbor_at(rp_view map, int64_t key) {
    return find(map, key, (rp_view){NULL, 0});
}

rp_view rp_cbor_at_text(rp_view map, rp_view key) {
    RP_ASSERT(key.p != NULL);
    return find(map, 0, key);
}
