/* template.h — what compiled templates (web/templates, tools/template_compiler.c) are made of. */
#ifndef RP_WEB_TEMPLATE_H
#define RP_WEB_TEMPLATE_H

#include "web/texts.h"
#include "wire/http.h"

/* An address in href, src or action: a local path, https: or mailto:; anything else prints "#". */
void rp_template_path(struct rp_buf *out, rp_view path);

#endif
