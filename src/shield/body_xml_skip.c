/* body_xml_skip.c — what of XML is passed over: comments, processing instructions, document types.
 *
 * A document type is read only so far as to find its end; nothing in it is kept. Of the XML
 * declaration the encoding counts: one in which ASCII bytes mean something else would hide texts.
 */
#include "shield/body_xml.h"

enum { INSTRUCTION_MAX = 256 };

/* ---- comments ---- */

void rp_xml_comment(struct rp_body *body, struct xml *xml, uint8_t byte) {
    if (xml->marks >= 2) {
        if (byte != '>') {
            rp_body_error(body, XML_FAILED " (two hyphens in a comment).");
            return;
        }
        xml->marks = 0;
        xml->state = XML_TEXT;
        return;
    }
    xml->marks = byte == '-' ? xml->marks + 1 : 0;
}

/* ---- processing instructions ---- */

/* The text in quotes behind "encoding". */
static rp_view declared_encoding(rp_view declaration) {
    size_t at = rp_view_find(declaration, RP_VIEW("encoding"));
    rp_view rest = rp_view_from(declaration, at + 8);
    while (rest.n > 0 && (rp_xml_is_space(rest.p[0]) || rest.p[0] == '=')) {
        rest = rp_view_from(rest, 1);
    }
    if (at == declaration.n || rest.n == 0) {
        return (rp_view){NULL, 0};
    }
    uint8_t quote = rest.p[0];
    rest = rp_view_from(rest, 1);
    return rp_view_sub(rest, 0, rp_view_find_byte(rest, quote));
}

static bool begins_nocase(rp_view text, rp_view beginning) {
    return rp_view_equal_nocase(rp_view_sub(text, 0, beginning.n), beginning);
}

static void declaration(struct rp_body *body, struct xml *xml, rp_view text) {
    rp_view encoding = declared_encoding(text);
    if (encoding.n == 0 || rp_view_equal_nocase(encoding, RP_VIEW("utf-8")) ||
        rp_view_equal_nocase(encoding, RP_VIEW("utf8"))) {
        return;
    }
    if (begins_nocase(encoding, RP_VIEW("iso-8859-")) ||
        begins_nocase(encoding, RP_VIEW("windows-125")) ||
        rp_view_equal_nocase(encoding, RP_VIEW("us-ascii")) ||
        rp_view_equal_nocase(encoding, RP_VIEW("ascii"))) {
        xml->single_bytes = true;
        return;
    }
    rp_body_error(body, XML_FAILED " (encoding that is not read here).");
}

static void instruction_done(struct rp_body *body, struct xml *xml) {
    rp_view text = rp_body_text_view(&xml->name);
    size_t n = 0;
    while (n < text.n && !rp_xml_is_space(text.p[n])) {
        n++;
    }
    rp_view target = rp_view_sub(text, 0, n);
    bool names_xml = rp_view_equal_nocase(target, RP_VIEW("xml"));
    if (n == 0) {
        rp_body_error(body, XML_FAILED " (processing instruction without target).");
    } else if (names_xml && xml->token_at != xml->document_at) {
        rp_body_error(body, XML_FAILED " (XML declaration not at the beginning).");
    } else if (names_xml) {
        declaration(body, xml, text);
    }
    xml->state = XML_TEXT;
}

void rp_xml_instruction(struct rp_body *body, struct xml *xml, uint8_t byte) {
    if (byte == '>' && xml->marks > 0) {
        instruction_done(body, xml);
        xml->marks = 0;
        return;
    }
    if (xml->marks > 0 && xml->name.n < INSTRUCTION_MAX) {
        rp_body_text_add_byte(body, &xml->name, '?');
    }
    xml->marks = byte == '?';
    if (byte != '?' && xml->name.n < INSTRUCTION_MAX) {
        rp_body_text_add_byte(body, &xml->name, byte);
    }
}

/* ---- document types ---- */

enum skip {
    SKIP_DECLARATIONS,
    SKIP_DOUBLE,
    SKIP_SINGLE,
    SKIP_LESS,          /* < */
    SKIP_BANG,          /* <! */
    SKIP_COMMENT_OPENS, /* <!- */
    SKIP_COMMENT,
    SKIP_INSTRUCTION
};

static void between_declarations(struct rp_body *body, struct xml *xml, uint8_t byte) {
    switch (byte) {
    case '"':
        xml->skip = SKIP_DOUBLE;
        break;
    case '\'':
        xml->skip = SKIP_SINGLE;
        break;
    case '<':
        xml->skip = SKIP_LESS;
        if (!xml->subset) {
            rp_body_error(body, XML_FAILED " (document type).");
        }
        break;
    case '[':
        xml->subset = true;
        break;
    case ']':
        xml->subset = false;
        break;
    case '>':
        if (!xml->subset) {
            xml->state = XML_TEXT;
        }
        break;
    default:
        break;
    }
}

void rp_xml_doctype(struct rp_body *body, struct xml *xml, uint8_t byte) {
    switch ((enum skip)xml->skip) {
    case SKIP_DECLARATIONS:
        between_declarations(body, xml, byte);
        break;
    case SKIP_DOUBLE:
        xml->skip = byte == '"' ? SKIP_DECLARATIONS : SKIP_DOUBLE;
        break;
    case SKIP_SINGLE:
        xml->skip = byte == '\'' ? SKIP_DECLARATIONS : SKIP_SINGLE;
        break;
    case SKIP_LESS:
        xml->skip = byte == '!' ? SKIP_BANG : byte == '?' ? SKIP_INSTRUCTION : SKIP_DECLARATIONS;
        xml->marks = 0;
        break;
    case SKIP_BANG:
        xml->skip = byte == '-' ? SKIP_COMMENT_OPENS : SKIP_DECLARATIONS;
        break;
    case SKIP_COMMENT_OPENS:
        xml->skip = SKIP_COMMENT;
        if (byte != '-') {
            rp_body_error(body, XML_FAILED " (document type).");
        }
        break;
    case SKIP_COMMENT:
        if (byte == '>' && xml->marks >= 2) {
            xml->skip = SKIP_DECLARATIONS;
        }
        xml->marks = byte == '-' ? xml->marks + 1 : 0;
        break;
    case SKIP_INSTRUCTION:
        if (byte == '>' && xml->marks > 0) {
            xml->skip = SKIP_DECLARATIONS;
        }
        xml->marks = byte == '?';
        break;
    }
}
