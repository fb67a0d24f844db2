/* body_xml.c — XML as it comes: the texts and the attribute values of one document (XML 1.0).
 *
 * That is what the rules' two expressions mean: "/" + "*" is all text of the root, "//@*" every
 * attribute. Names keep their prefix; declarations of namespaces are no attributes. Nothing is
 * loaded, nothing expanded.
 */
#include "shield/body_xml.h"
#include "base/checked.h"

/* Each attribute of a tag is compared with those before it; each of a document is asked by rules.
 */
enum { LEVELS_START = 16, TAG_ATTRIBUTES_MAX = 128, ATTRIBUTES_MAX = 16384 };

static bool start(struct rp_body *body, rp_view content_type) {
    (void)content_type;
    body->state = rp_body_alloc(body, sizeof(struct xml));
    return body->state != NULL;
}

static bool begins_name(uint8_t byte) {
    uint8_t lower = rp_lower(byte);
    return (lower >= 'a' && lower <= 'z') || byte == '_' || byte == ':' || byte >= 0x80;
}

static bool in_name(uint8_t byte) {
    return begins_name(byte) || (byte >= '0' && byte <= '9') || byte == '-' || byte == '.';
}

/* ---- elements ---- */

static bool level_room(struct rp_body *body, struct xml *xml) {
    if (xml->depth >= body->limits.depth_max) {
        rp_body_error(body, "XML: depth limit exceeded.");
        return false;
    }
    if (xml->depth == xml->levels_room) {
        size_t room = xml->levels_room ? 2 * xml->levels_room : LEVELS_START;
        rp_view *levels = rp_body_alloc(body, room * sizeof *levels);
        if (!levels) {
            return false;
        }
        if (xml->depth > 0) {
            memcpy(levels, xml->levels, xml->depth * sizeof *levels);
        }
        xml->levels = levels;
        xml->levels_room = room;
    }
    return true;
}

static void tag_done(struct rp_body *body, struct xml *xml, bool empty) {
    if (!empty && level_room(body, xml)) {
        xml->levels[xml->depth++] = xml->element;
    }
    xml->state = XML_TEXT;
}

static void end_tag_done(struct rp_body *body, struct xml *xml) {
    rp_view name = rp_body_text_view(&xml->name);
    if (xml->depth == 0 || !rp_view_equal(name, xml->levels[xml->depth - 1])) {
        rp_body_error(body, XML_FAILED " (end tag of another element).");
        return;
    }
    xml->depth--;
    xml->state = XML_TEXT;
}

static void element_named(struct rp_body *body, struct xml *xml) {
    if (xml->depth == 0 && xml->root_seen) {
        rp_body_error(body, XML_FAILED " (second root).");
    }
    xml->root_seen = true;
    xml->element = rp_body_text_view(&xml->name);
    xml->tag_attributes = body->result.attributes.n;
    xml->spaced = false;
}

/* ---- attributes ---- */

static bool declares_namespace(rp_view name) {
    return rp_view_equal(name, RP_VIEW("xmlns")) || rp_view_starts(name, RP_VIEW("xmlns:"));
}

static void attribute_done(struct rp_body *body, struct xml *xml) {
    struct rp_waf_pairs *attributes = &body->result.attributes;
    rp_view name = rp_body_text_view(&xml->name);
    rp_view value = rp_body_text_view(&xml->text);
    xml->text = (struct rp_body_text){0};
    xml->state = XML_TAG;
    xml->spaced = false;
    if (declares_namespace(name)) {
        return;
    }
    if (attributes->n - xml->tag_attributes >= TAG_ATTRIBUTES_MAX ||
        attributes->n >= ATTRIBUTES_MAX) {
        rp_body_error(body, XML_FAILED " (too many attributes).");
        return;
    }
    for (size_t i = xml->tag_attributes; i < attributes->n; i++) {
        if (rp_view_equal(attributes->p[i].name, name)) {
            rp_body_error(body, XML_FAILED " (attribute twice).");
            return;
        }
    }
    rp_body_pair(body, attributes, name, value);
    if (rp_ok(body->failed)) {
        attributes->p[attributes->n - 1].offset = (uint32_t)RP_MIN(xml->text_at, UINT32_MAX);
    }
}

/* ---- bytes of a tag ---- */

static void begin_name(struct rp_body *body, struct xml *xml, enum xml_state state,
                       const uint8_t *at) {
    xml->name = (struct rp_body_text){0};
    xml->state = (uint8_t)state;
    if (begins_name(*at)) {
        rp_body_text_add(body, &xml->name, rp_view_of(at, 1));
    } else {
        rp_body_error(body, XML_FAILED " (name).");
    }
}

static void behind_less(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    xml->marks = 0;
    if (*at == '!') {
        xml->state = XML_BANG;
        xml->word = NULL;
    } else if (*at == '?') {
        xml->state = XML_PI;
        xml->name = (struct rp_body_text){0};
    } else if (*at == '/') {
        xml->state = XML_END_NAME;
        xml->name = (struct rp_body_text){0};
    } else {
        begin_name(body, xml, XML_NAME, at);
    }
}

/* "<!" opens a comment, a CDATA section or the document type. */
static void behind_bang(struct rp_body *body, struct xml *xml, uint8_t byte) {
    if (!xml->word) {
        xml->word = byte == '-' ? "--" : byte == '[' ? "[CDATA[" : "DOCTYPE";
        xml->word_n = 0;
    }
    if (byte != (uint8_t)xml->word[xml->word_n++]) {
        rp_body_error(body, XML_FAILED " (declaration).");
        return;
    }
    if (xml->word[xml->word_n] != '\0') {
        return;
    }
    if (byte == '-') {
        xml->state = XML_COMMENT;
    } else if (byte == '[') {
        xml->state = XML_CDATA;
        if (xml->depth == 0) {
            rp_body_error(body, XML_FAILED " (text outside of the root).");
        }
    } else {
        xml->state = XML_DOCTYPE;
        if (xml->root_seen || xml->doctype_seen) {
            rp_body_error(body, XML_FAILED " (document type).");
        }
        xml->doctype_seen = true;
    }
}

static void in_tag(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    if (rp_xml_is_space(*at)) {
        xml->spaced = true;
    } else if (*at == '>') {
        tag_done(body, xml, false);
    } else if (*at == '/') {
        xml->state = XML_SLASH;
    } else if (xml->spaced) {
        begin_name(body, xml, XML_ATTRIBUTE, at);
    } else {
        rp_body_error(body, XML_FAILED " (tag).");
    }
}

static void name_byte(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    if (in_name(*at)) {
        rp_body_text_add(body, &xml->name, rp_view_of(at, 1));
        return;
    }
    if (xml->state == XML_NAME) {
        element_named(body, xml);
        xml->state = XML_TAG;
        in_tag(body, xml, at);
    } else if (xml->name.n == 0 ||
               (xml->state == XML_ATTRIBUTE && *at != '=' && !rp_xml_is_space(*at))) {
        rp_body_error(body, XML_FAILED " (name).");
    } else if (xml->state == XML_ATTRIBUTE) {
        xml->state = *at == '=' ? XML_QUOTE : XML_EQUALS;
    } else if (*at == '>') {
        end_tag_done(body, xml);
    } else {
        xml->state = XML_END_TAG;
        if (!rp_xml_is_space(*at)) {
            rp_body_error(body, XML_FAILED " (end tag).");
        }
    }
}

static void wanted(struct rp_body *body, struct xml *xml, uint8_t byte) {
    bool blanks = xml->state != XML_SLASH && rp_xml_is_space(byte);
    if (blanks) {
        return;
    }
    if (xml->state == XML_EQUALS && byte == '=') {
        xml->state = XML_QUOTE;
    } else if (xml->state == XML_QUOTE && (byte == '"' || byte == '\'')) {
        xml->quote = byte;
        xml->state = XML_VALUE;
    } else if (xml->state == XML_SLASH && byte == '>') {
        tag_done(body, xml, true);
    } else if (xml->state == XML_END_TAG && byte == '>') {
        end_tag_done(body, xml);
    } else {
        rp_body_error(body, XML_FAILED " (tag).");
    }
}

static void markup_byte(struct rp_body *body, struct xml *xml, const uint8_t *at) {
    switch ((enum xml_state)xml->state) {
    case XML_LESS:
        behind_less(body, xml, at);
        break;
    case XML_NAME:
    case XML_ATTRIBUTE:
    case XML_END_NAME:
        name_byte(body, xml, at);
        break;
    case XML_TAG:
        in_tag(body, xml, at);
        break;
    case XML_EQUALS:
    case XML_QUOTE:
    case XML_SLASH:
    case XML_END_TAG:
        wanted(body, xml, *at);
        break;
    case XML_BANG:
        behind_bang(body, xml, *at);
        break;
    case XML_COMMENT:
        rp_xml_comment(body, xml, *at);
        break;
    case XML_PI:
        rp_xml_instruction(body, xml, *at);
        break;
    case XML_DOCTYPE:
        rp_xml_doctype(body, xml, *at);
        break;
    case XML_TEXT:
    case XML_VALUE:
    case XML_CDATA:
        break; /* read by runs */
    }
}

/* ---- the stream ---- */

/* A byte order mark is passed over; half of one is none. */
static bool byte_order_mark(struct xml *xml, uint8_t byte, uint64_t at) {
    static const uint8_t mark[3] = {0xef, 0xbb, 0xbf};
    if (at != xml->document_at || at >= sizeof mark || byte != mark[at]) {
        return false;
    }
    xml->document_at++;
    return true;
}

static const uint8_t *text(struct rp_body *body, struct xml *xml, const uint8_t *at,
                           const uint8_t *end, uint64_t offset) {
    if (byte_order_mark(xml, *at, offset)) {
        return at + 1;
    }
    const uint8_t *stop = rp_xml_text(body, xml, at, end);
    if (stop == end || rp_body_stopped(body)) {
        return stop;
    }
    if (xml->state == XML_VALUE) {
        attribute_done(body, xml);
    } else {
        rp_xml_text_done(body, xml);
        xml->token_at = offset + (uint64_t)(stop - at);
        xml->state = XML_LESS;
    }
    return stop + 1;
}

/* Nothing of a text has come, not even the half of a character. */
static bool text_begins(const struct xml *xml) {
    return xml->text.n == 0 && !xml->reference.on && !xml->carriage_return;
}

static void feed(struct rp_body *body, rp_view chunk) {
    struct xml *xml = body->state;
    const uint8_t *at = chunk.p, *end = chunk.p + chunk.n;
    while (at < end && !rp_body_stopped(body)) {
        uint64_t offset = body->before + (uint64_t)(at - chunk.p);
        if (text_begins(xml)) {
            xml->text_at = offset;
        }
        if (xml->state == XML_TEXT || xml->state == XML_VALUE) {
            at = text(body, xml, at, end, offset);
        } else if (xml->state == XML_CDATA) {
            at = rp_xml_cdata(body, xml, at, end);
        } else {
            markup_byte(body, xml, at++);
        }
    }
}

static void end(struct rp_body *body) {
    struct xml *xml = body->state;
    bool whole = xml->state == XML_TEXT && xml->depth == 0 && xml->root_seen;
    if (!whole && !rp_body_stopped(body)) {
        rp_body_error(body, XML_FAILED " (it breaks off).");
    }
    if (xml->state == XML_TEXT || xml->state == XML_CDATA) {
        rp_xml_text_done(body, xml); /* what came of it is for rules to judge */
    }
}

const struct rp_body_reader rp_body_xml = {start, feed, end};
