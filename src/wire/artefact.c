#include "wire/artefact.h"

enum { SHA256_HEX = 64, SHA1_HEX = 40 };

static bool is_hex(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        bool digit = (v.p[i] >= '0' && v.p[i] <= '9') || (v.p[i] >= 'a' && v.p[i] <= 'f');
        if (!digit) {
            return false;
        }
    }
    return v.n > 0;
}

static bool is_name(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= ' ' || v.p[i] >= 127) {
            return false;
        }
    }
    return v.n > 0 && v.n <= RP_ARTEFACT_NAME_MAX;
}

bool rp_artefact_parse(rp_view text, struct rp_artefact *ret_artefact) {
    rp_view digest = text, name = {NULL, 0};
    if (rp_view_find_byte(text, '@') < text.n) {
        name = rp_view_cut(&digest, '@');
        if (!is_name(name)) {
            return false;
        }
    }
    rp_view hex = digest, kind = rp_view_cut(&hex, ':');
    bool sha256 = rp_view_equal(kind, RP_VIEW("sha256")) && hex.n == SHA256_HEX;
    bool git = rp_view_equal(kind, RP_VIEW("git")) && (hex.n == SHA1_HEX || hex.n == SHA256_HEX);
    if ((!sha256 && !git) || !is_hex(hex)) {
        return false;
    }
    *ret_artefact = (struct rp_artefact){.name = name, .git = git, .hex = hex};
    return true;
}

bool rp_artefact_parse_loose(rp_view text, struct rp_artefact *ret_artefact) {
    if ((text.n == SHA256_HEX || text.n == SHA1_HEX) && is_hex(text)) {
        *ret_artefact = (struct rp_artefact){.git = text.n == SHA1_HEX, .hex = text};
        return true;
    }
    return rp_artefact_parse(text, ret_artefact);
}
