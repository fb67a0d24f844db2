/* ngx_rempart_log_json.c — nginx's own lines in the form of the other roles' (rempart_log_json).
 *
 * nginx knows a second way for a line to go, which it uses for syslog. It is called with the whole
 * line, also within signal handlers: nothing is allocated here.
 */
#include "ngx_rempart.h"

#include "wire/log_line.h"

static void write_line(ngx_log_t *log, ngx_uint_t level, u_char *text, size_t n) {
    uint8_t out[RP_LOG_LINE_MAX];
    struct rp_log_line line = {
        .time_ms = ngx_rempart_now_ms(), .role = "gate", .pid = (uint64_t)ngx_pid};
    (void)log;
    (void)level; /* its word stands in the line */
    rp_log_line_of_nginx(rp_view_of(text, n), &line);
    (void)ngx_write_fd(ngx_stderr, out, rp_log_line_print(&line, out));
}

void ngx_rempart_log_as_json(ngx_cycle_t *cycle) {
    for (ngx_log_t *log = &cycle->new_log; log; log = log->next) {
        if (log->file && log->file->fd == ngx_stderr && !log->writer) {
            log->writer = write_line;
        }
    }
}
