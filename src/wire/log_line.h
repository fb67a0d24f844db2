/* log_line.h — one line of a program's log as JSON, for journald or a collector.
 *
 *   {"level":"error","message":"…","pid":123,"role":"core","time":"2026-11-26T09:50:36.123Z"}
 *
 * Whatever the message holds, it is one line of valid JSON: bytes that are not UTF-8 become U+FFFD,
 * controls are escaped. nginx's own lines are taken apart, so that theirs have the same members.
 * A message that does not fit is cut, and ends in "…": a log is for people, and the rest is better
 * than nothing.
 */
#ifndef RP_WIRE_LOG_LINE_H
#define RP_WIRE_LOG_LINE_H

#include "base/view.h"

enum { RP_LOG_LINE_MAX = 4096 }; /* bytes printed, the end of the line included */

struct rp_log_line {
    int64_t time_ms;
    rp_view level; /* of syslog's words: "info", "error", … */
    const char *role;
    uint64_t pid;
    rp_view message;
};

/* Fills out with the line and its end; returns how many bytes. */
size_t rp_log_line_print(const struct rp_log_line *line, uint8_t out[static RP_LOG_LINE_MAX]);

/* "2026/11/26 09:50:36 [warn] 12#34: message", with or without its end: level, pid and message;
 * of another form it is the message of an error, whole. Points into text. */
void rp_log_line_of_nginx(rp_view text, struct rp_log_line *line);

#endif
