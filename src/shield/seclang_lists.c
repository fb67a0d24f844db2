/* seclang_lists.c — an operator's argument that is a list: phrases, addresses, files of either. */
#include <arpa/inet.h>

#include "base/id.h"
#include "shield/seclang_internal.h"

static rp_err add_phrase(struct seclang *in, struct seclang_list *phrases, rp_view phrase) {
    rp_view *added = seclang_add(in, phrases, sizeof *added);
    if (!added) {
        return RP_ERR(TOO_LARGE);
    }
    *added = phrase;
    return RP_OK;
}

/* ---- pm ---- */

/* The bytes between two bars, |41 42|, at v's start; 0 when it is no such thing, else how far. */
static size_t hex_part(rp_view v, uint8_t *out, size_t *n) {
    size_t i = 1, written = 0;
    while (i + 1 < v.n && rp_hex_digit(v.p[i]) >= 0 && rp_hex_digit(v.p[i + 1]) >= 0) {
        out[written++] = (uint8_t)(rp_hex_digit(v.p[i]) << 4 | rp_hex_digit(v.p[i + 1]));
        i += 2;
        while (i < v.n && v.p[i] == ' ') {
            i++;
        }
    }
    if (written == 0 || i >= v.n || v.p[i] != '|') {
        return 0;
    }
    *n += written;
    return i + 1;
}

rp_err seclang_phrases(struct seclang *in, rp_view at, rp_view text, struct seclang_list *phrases) {
    uint8_t *out = rp_arena_alloc(in->arena, text.n);
    if (!out) {
        return RP_ERR(TOO_LARGE);
    }
    size_t n = 0, from = 0;
    for (size_t i = 0; i <= text.n;) {
        if (i == text.n || seclang_is_space(text.p[i])) {
            if (n > from) {
                RP_TRY(add_phrase(in, phrases, rp_view_of(out + from, n - from)));
            }
            from = n;
            i++;
            continue;
        }
        size_t hex = text.p[i] == '|' ? hex_part(rp_view_from(text, i), out + n, &n) : 0;
        if (hex == 0) {
            out[n++] = text.p[i];
        }
        i += hex == 0 ? 1 : hex;
    }
    if (phrases->count == 0) {
        return seclang_fail(in, at, RP_ERR(SYNTAX), "@pm without phrases; expected at least one");
    }
    return RP_OK;
}

/* ---- addresses ---- */

static bool is_net(rp_view text) {
    char address[INET6_ADDRSTRLEN];
    rp_view rest = text;
    rp_view host = rp_view_cut(&rest, '/');
    uint8_t bytes[16];
    if (host.n == 0 || host.n >= sizeof address || rp_view_find_byte(host, 0) < host.n) {
        return false;
    }
    memcpy(address, host.p, host.n);
    address[host.n] = 0;
    uint64_t bits = 0, bits_max = 0;
    if (inet_pton(AF_INET, address, bytes) == 1) {
        bits_max = 32;
    } else if (inet_pton(AF_INET6, address, bytes) == 1) {
        bits_max = 128;
    }
    return bits_max > 0 && (rest.p == NULL || rp_view_to_u64(rest, bits_max, &bits));
}

static rp_err add_net(struct seclang *in, rp_view at, rp_view net, struct seclang_list *phrases) {
    if (!is_net(net)) {
        return seclang_fail(in, at, RP_ERR(INVALID),
                            "\"%.*s\" is no address; expected one such as 192.0.2.1, 192.0.2.0/24 "
                            "or 2001:db8::/32",
                            SECLANG_FMT(net));
    }
    return add_phrase(in, phrases, net);
}

rp_err seclang_nets(struct seclang *in, rp_view at, rp_view text, struct seclang_list *phrases) {
    rp_view rest = text;
    while (rest.p != NULL) {
        rp_view net = rp_view_trim(rp_view_cut(&rest, ','));
        RP_TRY(add_net(in, at, net, phrases));
    }
    return RP_OK;
}

/* ---- files ---- */

/* Phrases keep the spaces at their ends: "Call to private " is one. Addresses do not. */
static rp_err lines_of(struct seclang *in, rp_view at, rp_view bytes, bool nets,
                       struct seclang_list *phrases) {
    rp_view rest = bytes;
    while (rest.p != NULL) {
        rp_view line = rp_view_cut(&rest, '\n');
        if (line.n > 0 && line.p[line.n - 1] == '\r') {
            line.n--;
        }
        if (rp_view_trim(line).n == 0 || rp_view_trim(line).p[0] == '#') {
            continue;
        }
        RP_TRY(nets ? add_net(in, at, rp_view_trim(line), phrases) : add_phrase(in, phrases, line));
    }
    return RP_OK;
}

rp_err seclang_list_files(struct seclang *in, rp_view at, rp_view text, bool nets,
                          struct seclang_list *phrases) {
    rp_view rest = rp_view_trim(text);
    while (rest.n > 0) {
        size_t n = 0;
        while (n < rest.n && !seclang_is_space(rest.p[n])) {
            n++;
        }
        rp_view name = rp_view_sub(rest, 0, n), bytes, path;
        if (rp_view_find(name, RP_VIEW("://")) < name.n) {
            return seclang_fail(in, at, RP_ERR(UNSUPPORTED),
                                "%.*s: Rempart fetches no lists from the network; expected a file",
                                SECLANG_FMT(name));
        }
        rp_err err =
            in->loader->read(in->loader->ctx, in->line.file, name, in->arena, &bytes, &path);
        if (!rp_ok(err)) {
            return seclang_fail(in, at, err, "%.*s: cannot be read; expected it beside its rules",
                                SECLANG_FMT(name));
        }
        RP_TRY(lines_of(in, at, bytes, nets, phrases));
        rest = seclang_skip_spaces(rp_view_from(rest, n));
    }
    if (phrases->count == 0) {
        return seclang_fail(in, at, RP_ERR(INVALID), "%.*s holds no line; expected at least one",
                            SECLANG_FMT(text));
    }
    return RP_OK;
}
