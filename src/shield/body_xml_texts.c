/* body_xml_texts.c — XML's characters: texts, attribute values, references, CDATA (XML 1.0, 2.2,
 * 2.11, 3.3.3, 4.6).
 *
 * Nothing is ever expanded: the five predefined entities and character references are decoded,
 * any other entity is an error, since its text stays unseen. */
#include "shield/body_xml.h"

/* More are an error of the body, before they fill what one request may take. */
enum { TEXTS_MAX = 1 << 18 };

/* Bytes that need no look: all but markup, quotes, controls and those over 127. */
static bool is_plain(uint8_t byte) {
    return byte >= 0x20 && byte < 0x80 && byte != '<' && byte != '&' && byte != '"' &&
           byte != '\'' && byte != ']' && byte != '>';
}

static void put(struct rp_body *body, struct xml *xml, const uint8_t *p, size_t n) {
    rp_body_text_add(body, &xml->text, rp_view_of(p, n));
}

/* A line's end is LF, and in a value a space, whatever was written. */
static void put_line_end(struct rp_body *body, struct xml *xml, const uint8_t *line_feed) {
    xml->carriage_return = false;
    if (xml->state == XML_VALUE) {
        rp_body_text_add_byte(body, &xml->text, ' ');
    } else if (line_feed) {
        put(body, xml, line_feed, 1);
    } else {
        rp_body_text_add_byte(body, &xml->text, '\n');
    }
}

static void flush_return(struct rp_body *body, struct xml *xml) {
    if (xml->carriage_return) {
        put_line_end(body, xml, NULL);
    }
}

/* ---- references ---- */

static void put_code_point(struct rp_body *body, struct xml *xml, uint32_t point) {
    bool character = point == '\t' || point == '\n' || point == '\r' ||
                     (point >= 0x20 && point < 0xd800) || (point >= 0xe000 && point < 0xfffe) ||
                     (point >= 0x10000 && point <= 0x10ffff);
    if (!character) {
        rp_body_error(body, XML_FAILED " (reference to no character).");
        return;
    }
    uint8_t p[4];
    size_t n = 0;
    if (point < 0x80) {
        p[n++] = (uint8_t)point;
    } else {
        if (point < 0x800) {
            p[n++] = (uint8_t)(0xc0 | point >> 6);
        } else if (point < 0x10000) {
            p[n++] = (uint8_t)(0xe0 | point >> 12);
        } else {
            p[n++] = (uint8_t)(0xf0 | point >> 18);
            p[n++] = (uint8_t)(0x80 | (point >> 12 & 0x3f));
        }
        if (point >= 0x800) {
            p[n++] = (uint8_t)(0x80 | (point >> 6 & 0x3f));
        }
        p[n++] = (uint8_t)(0x80 | (point & 0x3f));
    }
    for (size_t i = 0; i < n; i++) {
        rp_body_text_add_byte(body, &xml->text, p[i]);
    }
}

static void reference_done(struct rp_body *body, struct xml *xml) {
    static const struct {
        rp_view name;
        uint8_t byte;
    } predefined[] = {{RP_VIEW_INIT("lt"), '<'},
                      {RP_VIEW_INIT("gt"), '>'},
                      {RP_VIEW_INIT("amp"), '&'},
                      {RP_VIEW_INIT("quot"), '"'},
                      {RP_VIEW_INIT("apos"), '\''}};
    struct xml_reference reference = xml->reference;
    xml->reference = (struct xml_reference){.on = false};
    if (reference.number && reference.n > 0) {
        put_code_point(body, xml, reference.value);
        return;
    }
    rp_view name = rp_view_of(reference.name, reference.n);
    for (size_t i = 0; !reference.number && i < sizeof predefined / sizeof *predefined; i++) {
        if (rp_view_equal(name, predefined[i].name)) {
            rp_body_text_add_byte(body, &xml->text, predefined[i].byte);
            return;
        }
    }
    rp_body_error(body, XML_FAILED " (entity).");
}

static int digit(uint8_t byte, bool hex) {
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = rp_lower(byte);
    return hex && lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static void reference_byte(struct rp_body *body, struct xml *xml, uint8_t byte) {
    struct xml_reference *reference = &xml->reference;
    if (byte == ';') {
        reference_done(body, xml);
    } else if (byte == '#' && reference->n == 0 && !reference->number) {
        reference->number = true;
    } else if (reference->number && byte == 'x' && reference->n == 0 && !reference->hex) {
        reference->hex = true;
    } else if (reference->number && digit(byte, reference->hex) >= 0) {
        reference->n = 1;
        if (reference->value <= 0x10ffff) { /* beyond is no character, however far */
            reference->value = reference->value * (reference->hex ? 16 : 10) +
                               (uint32_t)digit(byte, reference->hex);
        }
    } else if (!reference->number && byte >= 'a' && byte <= 'z' &&
               reference->n < sizeof reference->name) {
        reference->name[reference->n++] = (char)byte;
    } else {
        rp_body_error(body, XML_FAILED " (entity).");
    }
}

/* ---- single bytes ---- */

static bool utf8(struct rp_body *body, struct xml *xml, uint8_t byte) {
    bool continues = (byte & 0xc0) == 0x80;
    bool leads = byte >= 0xc2 && byte <= 0xf4;
    if (xml->single_bytes) {
        return true;
    }
    if (xml->tail > 0 ? !continues : !leads) {
        rp_body_error(body, XML_FAILED " (bytes that are no UTF-8).");
        return false;
    }
    xml->tail = xml->tail > 0 ? xml->tail - 1 : byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
    return true;
}

static void blank(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    if (*at == '\r') {
        xml->carriage_return = true;
    } else if (*at == '\n') {
        put_line_end(body, xml, at);
    } else if (xml->state == XML_VALUE) {
        rp_body_text_add_byte(body, &xml->text, ' ');
    } else {
        put(body, xml, at, 1);
    }
}

/* What means nothing to a text, a value or a CDATA section: letters, blanks, refused controls.
 * False: the byte is another one. */
static bool taken(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    uint8_t byte = *at;
    if (byte != '\n') {
        flush_return(body, xml);
    }
    if (byte >= 0x80 || xml->tail > 0) {
        if (utf8(body, xml, byte)) {
            put(body, xml, at, 1);
        }
    } else if (byte == '\t' || byte == '\n' || byte == '\r') {
        blank(body, xml, at);
    } else if (byte < 0x20) {
        rp_body_error(body, XML_FAILED " (control character).");
    } else {
        return false;
    }
    return true;
}

/* False: the byte ends the text or the value. */
static bool special(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    uint8_t byte = *at;
    unsigned brackets = xml->marks;
    xml->marks = 0;
    if (taken(body, xml, at)) {
        return true;
    }
    if (byte == '&') {
        xml->reference = (struct xml_reference){.on = true};
    } else if (xml->state == XML_VALUE ? byte == xml->quote : byte == '<') {
        return false;
    } else if (byte == '<') {
        rp_body_error(body, XML_FAILED " (less-than sign in a value).");
    } else if (xml->state == XML_TEXT && byte == '>' && brackets >= 2) {
        rp_body_error(body, XML_FAILED " (end of no CDATA section).");
    } else {
        xml->marks = byte == ']' ? brackets + 1 : 0;
        put(body, xml, at, 1);
    }
    return true;
}

/* Outside of the root there are blanks only. */
static bool outside(struct rp_body *body, const struct xml *xml, rp_view run) {
    if (xml->state == XML_TEXT && xml->depth == 0) {
        for (size_t i = 0; i < run.n; i++) {
            if (!rp_xml_is_space(run.p[i]) && run.p[i] != '<') {
                rp_body_error(body, XML_FAILED " (text outside of the root).");
                return true;
            }
        }
    }
    return false;
}

const uint8_t *rp_xml_text(struct rp_body *body, struct xml *xml, const uint8_t *at,
                           const uint8_t *end) {
    while (at < end && !rp_body_stopped(body)) {
        const uint8_t *stop = at;
        if (xml->reference.on) {
            reference_byte(body, xml, *at++);
            continue;
        }
        while (stop < end && is_plain(*stop) && xml->tail == 0) {
            stop++;
        }
        if (outside(body, xml, rp_view_of(at, (size_t)(stop - at) + (stop < end)))) {
            return at;
        }
        if (stop > at) {
            flush_return(body, xml);
            xml->marks = 0;
            put(body, xml, at, (size_t)(stop - at));
            at = stop;
        } else if (special(body, xml, at)) {
            at++;
        } else {
            return at;
        }
    }
    return at;
}

void rp_xml_text_done(struct rp_body *body, struct xml *xml) {
    flush_return(body, xml);
    if (xml->text.n > 0 && xml->depth > 0) {
        struct rp_waf_pairs *texts = &body->result.texts;
        if (texts->n == TEXTS_MAX) {
            rp_body_error(body, XML_FAILED " (too many texts).");
            return;
        }
        rp_body_pair(body, texts, xml->levels[xml->depth - 1], rp_body_text_view(&xml->text));
        if (rp_ok(body->failed)) {
            texts->p[texts->n - 1].offset =
                (uint32_t)(xml->text_at < UINT32_MAX ? xml->text_at : UINT32_MAX);
        }
    }
    xml->text = (struct rp_body_text){0};
    xml->marks = 0;
}

/* ---- CDATA ---- */

const uint8_t *rp_xml_cdata(struct rp_body *body, struct xml *xml, const uint8_t *at,
                            const uint8_t *end) {
    for (; at < end && !rp_body_stopped(body); at++) {
        uint8_t byte = *at;
        if (byte == '>' && xml->marks >= 2) {
            xml->text.n -= 2; /* the brackets, which were taken as text */
            rp_xml_text_done(body, xml);
            xml->state = XML_TEXT;
            return at + 1;
        }
        xml->marks = byte == ']' ? xml->marks + 1 : 0;
        if (!taken(body, xml, at)) {
            put(body, xml, at, 1);
        }
    }
    return at;
}
