/* body_xml.h — inside the XML reader: its state, shared by tags and texts. */
#ifndef RP_SHIELD_BODY_XML_H
#define RP_SHIELD_BODY_XML_H

#include "shield/body_parts.h"

/* Every way of not being well formed has this beginning, libmodsecurity's text. */
#define XML_FAILED "XML: Failed parsing document"

enum xml_state {
    XML_TEXT,
    XML_LESS, /* behind "<" */
    XML_NAME,
    XML_TAG, /* between attributes */
    XML_ATTRIBUTE,
    XML_EQUALS,
    XML_QUOTE, /* before a value */
    XML_VALUE,
    XML_SLASH, /* behind "/" of an empty element */
    XML_END_NAME,
    XML_END_TAG,
    XML_BANG, /* behind "<!" */
    XML_COMMENT,
    XML_CDATA,
    XML_PI,
    XML_DOCTYPE
};

struct xml_reference { /* &…; */
    bool on, hex, number;
    uint32_t value;
    unsigned n; /* of digits, or of the name */
    char name[4];
};

struct xml {
    uint8_t state;
    struct rp_body_text text; /* of an element, or an attribute's value */
    struct rp_body_text name; /* of an element or an attribute; of a processing instruction all */
    rp_view element;          /* whose tag is being read */
    struct rp_view *levels;   /* the names of open elements */
    size_t depth, levels_room;
    size_t tag_attributes; /* where the tag's own begin among all that were collected */
    bool spaced;           /* in a tag: blanks were seen since the last attribute */
    bool root_seen, doctype_seen;
    uint8_t quote;
    uint64_t token_at, text_at;
    uint64_t document_at; /* behind a byte order mark */
    struct xml_reference reference;
    unsigned tail;     /* bytes of a UTF-8 sequence still to come */
    bool single_bytes; /* declared so: no UTF-8 */
    bool carriage_return;
    unsigned marks;   /* of ], - or ? in a row */
    const char *word; /* what "<!" has begun */
    unsigned word_n;
    /* a document type is skipped */
    bool subset;   /* within [ ] */
    unsigned skip; /* enum skip in body_xml_skip.c */
};

static inline bool rp_xml_is_space(uint8_t byte) {
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Each reads from at on, until the state changes, and returns where. */
const uint8_t *rp_xml_text(struct rp_body *body, struct xml *xml, const uint8_t *at,
                           const uint8_t *end);
const uint8_t *rp_xml_cdata(struct rp_body *body, struct xml *xml, const uint8_t *at,
                            const uint8_t *end);
/* The text so far becomes a pair of result.texts. */
void rp_xml_text_done(struct rp_body *body, struct xml *xml);

/* One byte of a comment, a processing instruction, a document type. */
void rp_xml_comment(struct rp_body *body, struct xml *xml, uint8_t byte);
void rp_xml_instruction(struct rp_body *body, struct xml *xml, uint8_t byte);
void rp_xml_doctype(struct rp_body *body, struct xml *xml, uint8_t byte);

#endif
