#include "web/qr.h"

#include <qrencode.h>

#include "base/assert.h"
#include "wire/http.h"

enum { QUIET = 4, TEXT_MAX = 1024 };

/* Runs of dark modules in a row become one rectangle each. */
static void print_row(struct rp_buf *out, const QRcode *code, int y) {
    for (int x = 0; x < code->width;) {
        int from = x;
        while (x < code->width && (code->data[y * code->width + x] & 1)) {
            x++;
        }
        if (x > from) {
            rp_buf_printf(out, "M%d %dh%dv1h-%dz", from + QUIET, y + QUIET, x - from, x - from);
        } else {
            x++;
        }
    }
}

rp_err rp_qr_svg(rp_view text, rp_view label, struct rp_buf *out) {
    if (text.n > TEXT_MAX || text.n == 0) {
        return RP_ERR(TOO_LARGE);
    }
    QRcode *code = QRcode_encodeData((int)text.n, text.p, 0, QR_ECLEVEL_M);
    if (!code) {
        return RP_ERR(TOO_LARGE);
    }
    RP_ASSERT(code->width > 0);
    int side = code->width + 2 * QUIET;
    rp_buf_printf(out,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
                  "shape-rendering=\"crispEdges\" role=\"img\" aria-label=\"",
                  side, side);
    rp_html_escape(out, label);
    rp_buf_printf(out, "\"><path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/><path fill=\"#000\" d=\"", side,
                  side);
    for (int y = 0; y < code->width; y++) {
        print_row(out, code, y);
    }
    rp_buf_add_cstr(out, "\"/></svg>");
    QRcode_free(code);
    return rp_buf_err(out);
}
