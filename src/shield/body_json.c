/* body_json.c — JSON as it comes: each leaf is an argument named by its path (RFC 8259).
 *
 * Names are libmodsecurity 3's: the root is "json", a member adds ".name" (".empty-key" for ""),
 * an element ".array_N". Numbers stay as they are written, null is empty, empty objects and arrays
 * are nothing. The same member twice is two arguments: which one an application takes is unknown.
 */
#include "shield/body_json.h"
#include "base/assert.h"
#include "base/checked.h"

enum expect { VALUE, FIRST_ELEMENT, FIRST_KEY, KEY, COLON, AFTER, NOTHING };

/* A name repeats the path to it: its length bounds what a few bytes can make of memory. */
enum { LEVELS_START = 16, NAMES_BYTES = 4096, NAME_MAX = 16384, INDEX_BYTES = 16 };

static bool start(struct rp_body *body, rp_view content_type) {
    (void)content_type;
    struct json *json = rp_body_alloc(body, sizeof *json);
    if (!json) {
        return false;
    }
    body->state = json;
    return rp_body_text_add(body, &json->path, RP_VIEW("json"));
}

/* ---- paths ---- */

/* "array_N" */
static rp_view index_text(uint32_t index, uint8_t space[static INDEX_BYTES]) {
    size_t at = INDEX_BYTES;
    do {
        space[--at] = (uint8_t)('0' + index % 10);
        index /= 10;
    } while (index > 0);
    _Static_assert(INDEX_BYTES >= 6 + 10, "a uint32_t has ten digits");
    at -= 6;
    memcpy(space + at, "array_", 6);
    return rp_view_of(space + at, INDEX_BYTES - at);
}

/* What the value to come is called in the object or array around it. */
static rp_view last_step(const struct json *json, uint8_t space[static INDEX_BYTES]) {
    const struct json_level *level = &json->levels[json->depth - 1];
    if (level->array) {
        return index_text(level->elements, space);
    }
    return json->member.n > 0 ? json->member : RP_VIEW("empty-key");
}

static bool is_too_long(struct rp_body *body, rp_view path, rp_view step) {
    if (path.n + 1 + step.n <= NAME_MAX) {
        return false;
    }
    rp_body_error(body, "JSON name over 16384 bytes");
    return true;
}

static uint8_t *name_room(struct rp_body *body, struct json *json, size_t n) {
    if (n > json->names_left) {
        size_t piece = RP_MAX(n, (size_t)NAMES_BYTES);
        json->names = rp_body_alloc(body, piece);
        json->names_left = json->names ? piece : 0;
        if (!json->names) {
            return NULL;
        }
    }
    uint8_t *p = json->names;
    json->names += n;
    json->names_left -= n;
    return p;
}

static rp_view leaf_name(struct rp_body *body, struct json *json) {
    if (json->depth == 0) {
        return RP_VIEW("json");
    }
    uint8_t space[INDEX_BYTES];
    rp_view step = last_step(json, space);
    rp_view path = rp_body_text_view(&json->path);
    uint8_t *p = is_too_long(body, path, step) ? NULL : name_room(body, json, path.n + 1 + step.n);
    if (!p) {
        return (rp_view){NULL, 0};
    }
    memcpy(p, path.p, path.n);
    p[path.n] = '.';
    memcpy(p + path.n + 1, step.p, step.n);
    return rp_view_of(p, path.n + 1 + step.n);
}

/* ---- structure ---- */

static void value_done(struct json *json) {
    if (json->depth > 0 && json->levels[json->depth - 1].array) {
        json->levels[json->depth - 1].elements++;
    }
    json->expect = json->depth > 0 ? AFTER : NOTHING;
}

static bool level_room(struct rp_body *body, struct json *json) {
    if (json->depth >= body->limits.depth_max) {
        rp_body_error(body, "JSON depth limit exceeded");
        return false;
    }
    if (json->depth == json->levels_room) {
        size_t room = json->levels_room ? 2 * json->levels_room : LEVELS_START;
        struct json_level *levels = rp_body_alloc(body, room * sizeof *levels);
        if (!levels) {
            return false;
        }
        if (json->depth > 0) {
            memcpy(levels, json->levels, json->depth * sizeof *levels);
        }
        json->levels = levels;
        json->levels_room = room;
    }
    return true;
}

static void open_level(struct rp_body *body, struct json *json, bool array) {
    uint32_t path_n = (uint32_t)json->path.n;
    if (!level_room(body, json)) {
        return;
    }
    if (json->depth > 0) {
        uint8_t space[INDEX_BYTES];
        rp_view step = last_step(json, space);
        if (is_too_long(body, rp_body_text_view(&json->path), step) ||
            !rp_body_text_add_byte(body, &json->path, '.') ||
            !rp_body_text_add(body, &json->path, step)) {
            return;
        }
    }
    json->levels[json->depth++] = (struct json_level){.path_n = path_n, .array = array};
    json->expect = array ? FIRST_ELEMENT : FIRST_KEY;
}

static void close_level(struct json *json) {
    RP_ASSERT(json->depth > 0);
    json->path.n = json->levels[--json->depth].path_n;
    value_done(json);
}

static void begin(struct json *json, enum json_token token, uint64_t at, const char *word) {
    json->token = (uint8_t)token;
    json->text = (struct json_text){.at = at, .word = word};
}

static void unexpected(struct rp_body *body, uint8_t byte, const char *message) {
    if (byte == '/') {
        rp_body_error(body, "lexical error: probable comment found in input text, comments are "
                            "not enabled.");
    } else if (byte == 0 || !strchr("\"-0123456789tfn[]{}:,", byte)) {
        rp_body_error(body, "lexical error: invalid char in json text.");
    } else {
        rp_body_error(body, message);
    }
}

static void open_value(struct rp_body *body, struct json *json, uint8_t byte, uint64_t at) {
    switch (byte) {
    case '"':
        json->key = false;
        begin(json, JSON_STRING, at + 1, NULL);
        break;
    case '{':
        open_level(body, json, false);
        break;
    case '[':
        open_level(body, json, true);
        break;
    case 't':
        begin(json, JSON_WORD, at, "true");
        break;
    case 'f':
        begin(json, JSON_WORD, at, "false");
        break;
    case 'n':
        begin(json, JSON_WORD, at, "null");
        break;
    default:
        if (byte == '-' || (byte >= '0' && byte <= '9')) {
            begin(json, JSON_NUMBER, at, NULL);
        } else if (byte == ']' && json->expect == FIRST_ELEMENT) {
            close_level(json);
        } else {
            unexpected(body, byte, "parse error: unallowed token at this point in JSON text");
        }
    }
}

static void open_key(struct rp_body *body, struct json *json, uint8_t byte, uint64_t at) {
    if (byte == '"') {
        json->key = true;
        begin(json, JSON_STRING, at + 1, NULL);
    } else if (byte == '}' && json->expect == FIRST_KEY) {
        close_level(json);
    } else {
        unexpected(body, byte, "parse error: invalid object key (must be a string)");
    }
}

static void after_value(struct rp_body *body, struct json *json, uint8_t byte) {
    bool array = json->levels[json->depth - 1].array;
    if (byte == ',') {
        json->expect = array ? VALUE : KEY;
    } else if (byte == (array ? ']' : '}')) {
        close_level(json);
    } else {
        unexpected(body, byte,
                   array ? "parse error: after array element, I expect ',' or ']'"
                         : "parse error: after key and value, inside map, I expect ',' or '}'");
    }
}

/* One byte between tokens. */
static void between(struct rp_body *body, struct json *json, uint8_t byte, uint64_t at) {
    switch ((enum expect)json->expect) {
    case VALUE:
    case FIRST_ELEMENT:
        open_value(body, json, byte, at);
        break;
    case FIRST_KEY:
    case KEY:
        open_key(body, json, byte, at);
        break;
    case COLON:
        if (byte == ':') {
            json->expect = VALUE;
        } else {
            unexpected(body, byte,
                       "parse error: object key and value must be separated by a colon (':')");
        }
        break;
    case AFTER:
        after_value(body, json, byte);
        break;
    case NOTHING:
        rp_body_error(body, "parse error: trailing garbage");
        break;
    }
}

/* ---- tokens ---- */

static void token_done(struct rp_body *body, struct json *json) {
    rp_view text = rp_body_text_view(&json->text.bytes);
    bool null = json->token == JSON_WORD && json->text.word[0] == 'n';
    json->token = JSON_NONE;
    if (json->key) {
        json->key = false;
        json->member = text;
        json->expect = COLON;
        return;
    }
    rp_view name = leaf_name(body, json);
    if (name.p && rp_body_argument(body, name, null ? RP_VIEW("") : text, json->text.at)) {
        value_done(json);
    }
}

static const uint8_t *token(struct rp_body *body, struct json *json, const uint8_t *at,
                            const uint8_t *end) {
    bool done = false;
    if (json->token == JSON_STRING) {
        at = rp_body_json_string(body, &json->text, at, end, &done);
    } else if (json->token == JSON_NUMBER) {
        at = rp_body_json_number(body, &json->text, at, end, &done);
    } else {
        at = rp_body_json_word(body, &json->text, at, end, &done);
    }
    if (done && !rp_body_stopped(body)) {
        token_done(body, json);
    }
    return at;
}

static void feed(struct rp_body *body, rp_view chunk) {
    struct json *json = body->state;
    const uint8_t *at = chunk.p, *end = chunk.p + chunk.n;
    while (at < end && !rp_body_stopped(body)) {
        if (json->token != JSON_NONE) {
            at = token(body, json, at, end);
            continue;
        }
        uint8_t byte = *at;
        if (byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n') {
            between(body, json, byte, body->before + (uint64_t)(at - chunk.p));
        }
        if (json->token != JSON_NUMBER && json->token != JSON_WORD) {
            at++; /* those two begin with this very byte */
        }
    }
}

static void end(struct rp_body *body) {
    struct json *json = body->state;
    if (rp_body_stopped(body)) {
        return;
    }
    if (json->token == JSON_NUMBER && rp_body_json_number_ends(body, &json->text)) {
        token_done(body, json);
    } else if (json->token == JSON_WORD) {
        rp_body_error(body, "lexical error: invalid string in json text.");
    }
    if (!rp_body_stopped(body) && json->expect != NOTHING) {
        rp_body_error(body, "parse error: premature EOF");
    }
}

const struct rp_body_reader rp_body_json = {start, feed, end};
