#include "web/template.h"

#include "base/assert.h"

void rp_template_path(struct rp_buf *out, rp_view path) {
    RP_ASSERT(out != NULL);
    bool local = rp_view_starts(path, RP_VIEW("/")) && !rp_view_starts(path, RP_VIEW("//")) &&
                 !rp_view_starts(path, RP_VIEW("/\\"));
    bool away =
        rp_view_starts(path, RP_VIEW("https://")) || rp_view_starts(path, RP_VIEW("mailto:"));
    rp_html_escape(out, local || away ? path : RP_VIEW("#"));
}
