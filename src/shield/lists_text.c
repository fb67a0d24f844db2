/* lists_text.c — what an entry may ask for, and lists of networks as people keep them in files. */
#include "base/checked.h"
#include "shield/lists.h"

static bool is_token(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = rp_lower(text.p[i]);
        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && (!c || !strchr("-_.!+", c))) {
            return false;
        }
    }
    return text.n > 0;
}

static bool prints(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < ' ' || text.p[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

rp_err rp_list_entry_check(const struct rp_list_entry *entry, struct rp_diag *diag) {
    if (entry->any_address && rp_list_entry_is_network(entry)) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "nothing is asked for: a network, a path, a method or a header");
    }
    if (!entry->any_address && entry->network.bits > 128) {
        return rp_fail(diag, RP_ERR(INVALID), "a network's length");
    }
    if (entry->path.n > 0 &&
        (entry->path.p[0] != '/' || entry->path.n > RP_LIST_TEXT_MAX || !prints(entry->path))) {
        return rp_fail(diag, RP_ERR(INVALID), "a path begins with / and has at most %d bytes",
                       RP_LIST_TEXT_MAX);
    }
    if (entry->method.n > 0 && (entry->method.n > RP_LIST_METHOD_MAX || !is_token(entry->method))) {
        return rp_fail(diag, RP_ERR(INVALID), "a method is a word like POST, at most %d letters",
                       RP_LIST_METHOD_MAX);
    }
    bool header = entry->header.n > 0;
    if (header != (entry->value.n > 0) ||
        (header && (entry->header.n > RP_LIST_TEXT_MAX || entry->value.n > RP_LIST_TEXT_MAX ||
                    !is_token(entry->header) || !prints(entry->value)))) {
        return rp_fail(diag, RP_ERR(INVALID),
                       "a header is \"Name: text\", each of at most %d printable bytes",
                       RP_LIST_TEXT_MAX);
    }
    return entry->expires_s >= 0 ? RP_OK : rp_fail(diag, RP_ERR(INVALID), "when it ends");
}

rp_err rp_list_lines(rp_view text, size_t max, rp_err (*each)(void *ctx, const struct rp_ip_net *),
                     void *ctx, struct rp_diag *diag) {
    size_t count = 0;
    for (unsigned line = 1; text.p != NULL; line++) {
        rp_view rest = rp_view_cut(&text, '\n');
        rp_view network = rp_view_trim(rp_view_cut(&rest, '#'));
        struct rp_ip_net net;
        if (network.n == 0) {
            continue;
        }
        rp_err err = rp_ip_net_parse(network, &net);
        if (!rp_ok(err)) {
            return rp_fail_at(diag, RP_ERR(INVALID), line, 1,
                              rp_is(err, RP_E_INVALID)
                                  ? "\"%.*s\" is no network like 192.0.2.0/24 or 2001:db8::/32: "
                                    "bits beyond its length are set"
                                  : "\"%.*s\" is no network like 192.0.2.0/24 or 2001:db8::/32",
                              RP_FMT(rp_view_sub(network, 0, 60)));
        }
        if (++count > max) {
            return rp_fail_at(diag, RP_ERR(TOO_LARGE), line, 1, "at most %zu networks", max);
        }
        RP_TRY(each(ctx, &net));
    }
    return RP_OK;
}
