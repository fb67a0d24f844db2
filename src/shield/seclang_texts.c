/* seclang_texts.c — texts with %{…} in them, cut into pieces. */
#include "base/assert.h"
#include "shield/seclang_internal.h"

static bool is_name_byte(uint8_t byte) {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_';
}

/* %{NAME}, %{NAME.key} or %{NAME:key} at the start of v; 0 when it is not one: expressions hold
 * such things as %{2}. */
static size_t macro_length(rp_view v, rp_view *ret_name, rp_view *ret_key) {
    if (v.n < 4 || v.p[0] != '%' || v.p[1] != '{' || (v.p[2] >= '0' && v.p[2] <= '9')) {
        return 0;
    }
    size_t close = rp_view_find_byte(v, '}');
    rp_view within = rp_view_sub(v, 2, close < v.n ? close - 2 : 0);
    size_t n = 0;
    while (n < within.n && is_name_byte(within.p[n])) {
        n++;
    }
    bool keyed = n < within.n && (within.p[n] == '.' || within.p[n] == ':');
    if (n == 0 || (n < within.n && !keyed)) {
        return 0;
    }
    *ret_name = rp_view_sub(within, 0, n);
    *ret_key = keyed ? rp_view_from(within, n + 1) : RP_VIEW("");
    return close + 1;
}

static rp_err add_piece(struct seclang *in, struct seclang_list *pieces,
                        const struct rp_waf_piece *piece) {
    struct rp_waf_piece *added = seclang_add(in, pieces, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = *piece;
    return RP_OK;
}

static rp_err add_macro(struct seclang *in, struct seclang_list *pieces, rp_view at, rp_view name,
                        rp_view key) {
    struct rp_waf_piece piece = {.text = key, .variable = rp_waf_variable_named(name)};
    if (piece.variable == RP_VAR_COUNT) {
        return seclang_fail(in, at, RP_ERR(UNKNOWN_KEY),
                            "unknown variable \"%.*s\" in %%{…}; expected one such as %%{TX.name}",
                            SECLANG_FMT(name));
    }
    RP_TRY(seclang_variable(in, name, &piece.variable));
    if (key.n > 0 && rp_waf_variable_shape(piece.variable) == RP_SHAPE_SCALAR) {
        return seclang_fail(
            in, at, RP_ERR(INVALID), "%s is one value; expected %%{%s} without a key",
            rp_waf_variable_name(piece.variable), rp_waf_variable_name(piece.variable));
    }
    return add_piece(in, pieces, &piece);
}

rp_err seclang_text(struct seclang *in, rp_view at, rp_view text, struct rp_waf_text *ret_text) {
    struct seclang_list pieces = {0};
    size_t from = 0, i = 0;
    while (i < text.n) {
        rp_view name, key;
        size_t n = text.p[i] == '%' ? macro_length(rp_view_from(text, i), &name, &key) : 0;
        if (n == 0) {
            i++;
            continue;
        }
        if (i > from) {
            struct rp_waf_piece literal = {.literal = true,
                                           .text = rp_view_sub(text, from, i - from)};
            RP_TRY(add_piece(in, &pieces, &literal));
        }
        RP_TRY(add_macro(in, &pieces, at, name, key));
        i += n;
        from = i;
    }
    if (from < text.n || pieces.count == 0) {
        struct rp_waf_piece literal = {.literal = true, .text = rp_view_from(text, from)};
        RP_TRY(add_piece(in, &pieces, &literal));
    }
    *ret_text = (struct rp_waf_text){.pieces = pieces.items, .count = pieces.count};
    return RP_OK;
}

bool seclang_text_literal(const struct rp_waf_text *text, rp_view *ret_value) {
    if (text->count != 1 || !text->pieces[0].literal) {
        return false;
    }
    *ret_value = text->pieces[0].text;
    return true;
}
