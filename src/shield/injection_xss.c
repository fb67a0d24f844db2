/* The verdict on markup: the value is read in each place of a page it could be pasted into, until
 * a tag, an attribute, an address or a comment shows that can run a script. */
#include "base/checked.h"
#include "shield/injection.h"
#include "shield/injection_html.h"
#include "shield/transform_parts.h"

enum attribute { HARMLESS, DANGEROUS, ADDRESS, STYLE, NAMES_ATTRIBUTE };

/* Is this the word, in any case and with NULs anywhere within? */
static bool is_word(rp_view text, rp_view word) {
    size_t at = 0;
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] != 0) {
            if (at == word.n || rp_to_lower(text.p[i]) != word.p[at]) {
                return false;
            }
            at++;
        }
    }
    return at == word.n;
}

/* The first byte that is no NUL, small; 0 when there is none. */
static uint8_t first_letter(rp_view text) {
    size_t at = 0;
    while (at < text.n && text.p[at] == 0) {
        at++;
    }
    return at < text.n ? rp_to_lower(text.p[at]) : 0;
}

static bool starts(rp_view text, rp_view word) {
    return is_word(rp_view_sub(text, 0, word.n), word);
}

static bool begins_nocase(rp_view text, rp_view beginning) {
    return rp_view_equal_nocase(rp_view_sub(text, 0, beginning.n), beginning);
}

static bool is_dangerous_tag(rp_view name) {
    static const rp_view words[] = {
        RP_VIEW_INIT("applet"),  RP_VIEW_INIT("base"),     RP_VIEW_INIT("comment"),
        RP_VIEW_INIT("embed"),   RP_VIEW_INIT("frame"),    RP_VIEW_INIT("frameset"),
        RP_VIEW_INIT("handler"), RP_VIEW_INIT("iframe"),   RP_VIEW_INIT("import"),
        RP_VIEW_INIT("isindex"), RP_VIEW_INIT("link"),     RP_VIEW_INIT("listener"),
        RP_VIEW_INIT("meta"),    RP_VIEW_INIT("noscript"), RP_VIEW_INIT("object"),
        RP_VIEW_INIT("script"),  RP_VIEW_INIT("style"),    RP_VIEW_INIT("vmlframe"),
        RP_VIEW_INIT("xml"),     RP_VIEW_INIT("xss"),
    };
    if (name.n < 3) {
        return false;
    }
    uint8_t first = first_letter(name);
    for (size_t i = 0; i < RP_COUNT_OF(words); i++) {
        if (words[i].p[0] == first && is_word(name, words[i])) {
            return true;
        }
    }
    return begins_nocase(name, RP_VIEW("svg")) || begins_nocase(name, RP_VIEW("xsl"));
}

static enum attribute attribute_of(rp_view name) {
    static const struct {
        rp_view name;
        enum attribute kind;
    } rows[] = {
        {RP_VIEW_INIT("action"), ADDRESS},
        {RP_VIEW_INIT("attributename"), NAMES_ATTRIBUTE},
        {RP_VIEW_INIT("by"), ADDRESS},
        {RP_VIEW_INIT("background"), ADDRESS},
        {RP_VIEW_INIT("dataformatas"), DANGEROUS},
        {RP_VIEW_INIT("datasrc"), DANGEROUS},
        {RP_VIEW_INIT("dynsrc"), ADDRESS},
        {RP_VIEW_INIT("filter"), STYLE},
        {RP_VIEW_INIT("formaction"), ADDRESS},
        {RP_VIEW_INIT("folder"), ADDRESS},
        {RP_VIEW_INIT("from"), ADDRESS},
        {RP_VIEW_INIT("handler"), ADDRESS},
        {RP_VIEW_INIT("href"), ADDRESS},
        {RP_VIEW_INIT("lowsrc"), ADDRESS},
        {RP_VIEW_INIT("poster"), ADDRESS},
        {RP_VIEW_INIT("src"), ADDRESS},
        {RP_VIEW_INIT("style"), STYLE},
        {RP_VIEW_INIT("to"), ADDRESS},
        {RP_VIEW_INIT("values"), ADDRESS},
        {RP_VIEW_INIT("xlink:href"), ADDRESS},
    };
    if (name.n < 2) {
        return HARMLESS;
    }
    if (name.n >= 5 && (begins_nocase(name, RP_VIEW("on")) || starts(name, RP_VIEW("xmlns")) ||
                        starts(name, RP_VIEW("xlink")))) {
        return DANGEROUS;
    }
    uint8_t first = first_letter(name);
    for (size_t i = 0; i < RP_COUNT_OF(rows); i++) {
        if (rows[i].name.p[0] == first && is_word(name, rows[i].name)) {
            return rows[i].kind;
        }
    }
    return HARMLESS;
}

/* ---- addresses ---- */

enum { CODE_POINT_MAX = 0x1000ff };

/* The character at the beginning of `text`, a numeric reference decoded; *ret_bytes it took. What
 * is no reference, or one of too large a number, is its ampersand. */
static uint32_t character(rp_view text, size_t *ret_bytes) {
    *ret_bytes = 1;
    if (text.n < 3 || text.p[0] != '&' || text.p[1] != '#') {
        return text.p[0];
    }
    bool hexadecimal = (text.p[2] | 0x20) == 'x';
    size_t first = hexadecimal ? 3 : 2;
    size_t at = first;
    uint32_t value = 0;
    for (; at < text.n && (hexadecimal ? rp_is_hex(text.p[at]) : rp_is_digit(text.p[at])); at++) {
        value = hexadecimal ? value * 16 + rp_hex_value(text.p[at])
                            : value * 10 + (uint32_t)(text.p[at] - '0');
        if (value > CODE_POINT_MAX) {
            return '&';
        }
    }
    if (at == first) {
        return '&';
    }
    *ret_bytes = at < text.n && text.p[at] == ';' ? at + 1 : at;
    return value;
}

/* Does the address begin with the word, whatever is written as a reference, behind white bytes,
 * NULs and line feeds within? A character counts by its low byte, as in the original. */
static bool begins_decoded(rp_view address, rp_view word) {
    size_t at = 0;
    bool first = true;
    for (size_t i = 0; i < address.n && at < word.n;) {
        size_t bytes = 0;
        uint32_t c = character(rp_view_from(address, i), &bytes);
        i += bytes;
        if ((first && c <= ' ') || c == 0 || c == '\n') {
            continue;
        }
        first = false;
        uint8_t low = c >= 'a' && c <= 'z' ? (uint8_t)(c - 32) : (uint8_t)c;
        if (low != word.p[at]) {
            return false;
        }
        at++;
    }
    return at == word.n;
}

static bool runs_script(rp_view address) {
    while (address.n > 0 && (address.p[0] <= ' ' || address.p[0] >= 127)) {
        address = rp_view_from(address, 1);
    }
    return begins_decoded(address, RP_VIEW("DATA")) ||
           begins_decoded(address, RP_VIEW("VIEW-SOURCE")) ||
           begins_decoded(address, RP_VIEW("JAVA")) || begins_decoded(address, RP_VIEW("VBSCRIPT"));
}

/* ---- tokens ---- */

static bool is_dangerous_value(rp_view value, enum attribute attribute) {
    switch (attribute) {
    case HARMLESS:
        return false;
    case DANGEROUS:
    case STYLE:
        return true;
    case ADDRESS:
        return runs_script(value);
    case NAMES_ATTRIBUTE:
        return attribute_of(value) != HARMLESS;
    }
    return false;
}

/* Old browsers end tags at a tick, obey <!--[if, and import; entities define anything. */
static bool is_dangerous_comment(rp_view text) {
    return rp_view_find_byte(text, '`') < text.n ||
           (text.n > 3 &&
            (begins_nocase(text, RP_VIEW("[if")) || begins_nocase(text, RP_VIEW("xml")))) ||
           (text.n > 5 && (starts(text, RP_VIEW("import")) || starts(text, RP_VIEW("entity"))));
}

static bool is_attack(rp_view value, enum rp_html_state state, uint8_t quote) {
    struct rp_html_reader reader = {.value = value, .state = state, .quote = quote};
    struct rp_html_token token;
    enum attribute attribute = HARMLESS;
    while (rp_html_next(&reader, &token)) {
        bool found = false;
        enum attribute before = attribute;
        attribute = HARMLESS;
        switch (token.type) {
        case RP_HTML_TEXT:
        case RP_HTML_TAG_END:
            break;
        case RP_HTML_TAG:
            found = is_dangerous_tag(token.text);
            break;
        case RP_HTML_NAME:
            attribute = attribute_of(token.text);
            break;
        case RP_HTML_VALUE:
            found = is_dangerous_value(token.text, before);
            break;
        case RP_HTML_COMMENT:
            found = is_dangerous_comment(token.text);
            break;
        case RP_HTML_DOCTYPE:
            found = true;
            break;
        }
        if (found) {
            return true;
        }
    }
    return false;
}

/* Tags need a '<'; attributes a '=', or a '>' and a '<'; and whoever is within quotes must first
 * get out of them. */
bool rp_detect_xss(rp_view value) {
    bool tags = rp_view_find_byte(value, '<') < value.n;
    if (!tags && rp_view_find_byte(value, '=') == value.n) {
        return false;
    }
    if ((tags && is_attack(value, RP_HTML_DATA, 0)) || is_attack(value, RP_HTML_BEFORE_NAME, 0)) {
        return true;
    }
    for (const char *quote = "'\"`"; *quote != '\0'; quote++) {
        if (rp_view_find_byte(value, (uint8_t)*quote) < value.n &&
            is_attack(value, RP_HTML_IN_QUOTES, (uint8_t)*quote)) {
            return true;
        }
    }
    return false;
}
