/* ngx_rempart_nginx.h — nginx's own headers; the build includes them before the banned words. */
#ifndef NGX_REMPART_NGINX_H
#define NGX_REMPART_NGINX_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#endif
