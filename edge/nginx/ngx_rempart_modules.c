/* ngx_rempart_modules.c — what nginx looks for in a dynamic module. Its configure script would
 * generate this file; the order puts our header filter where headers_filter's are. */
#include "ngx_rempart.h"

#define PUBLIC __attribute__((visibility("default")))

extern PUBLIC ngx_module_t *ngx_modules[];
extern PUBLIC char *ngx_module_names[];
extern PUBLIC char *ngx_module_order[];

ngx_module_t *ngx_modules[] = {&ngx_http_rempart_module, NULL};

/* nginx declares these as char *; it writes to none of them. */
static char module_name[] = "ngx_http_rempart_module";
static char headers_filter[] = "ngx_http_headers_filter_module";
static char copy_filter[] = "ngx_http_copy_filter_module";

char *ngx_module_names[] = {module_name, NULL};
char *ngx_module_order[] = {headers_filter, module_name, copy_filter, NULL};
