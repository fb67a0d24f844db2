/* log.c — where the lines of all roles go: standard error as it is, or log.file. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/reader.h"
#include "supervisor.h"

enum { LOG_MODE = 0640 };

static void copy(void *ctx, unsigned events) {
    struct supervisor *supervisor = ctx;
    (void)events;
    rp_stderr_copy(&supervisor->log);
    if (supervisor->log.lost > 0 && !supervisor->log.failing) {
        daemon_say(&supervisor->daemon, "%llu bytes of the log could not be written",
                   (unsigned long long)supervisor->log.lost);
        supervisor->log.lost = 0;
    }
}

static rp_err fail(const struct supervisor *supervisor, rp_err err) {
    const struct daemon *daemon = &supervisor->daemon;
    daemon_say(daemon, "log.file: %s: %s", daemon->config.log_file, rp_err_text(err, RP_EN));
    return err;
}

rp_err supervisor_open_log(struct supervisor *supervisor) {
    const struct daemon *daemon = &supervisor->daemon;
    struct rp_watch *watch;
    /* The roles say what we began with, whatever the file says when they start again. */
    if (setenv(DAEMON_LOG_FORMAT, daemon->log_json ? "json" : "text", 1) != 0) {
        return daemon_fail(daemon, RP_ERR(NO_MEMORY), "log", NULL);
    }
    if (!*daemon->config.log_file) {
        return RP_OK;
    }
    rp_err err = rp_stderr_divert(daemon->config.log_file, LOG_MODE, &supervisor->log);
    if (rp_ok(err)) {
        err = rp_loop_watch(daemon->loop, supervisor->log.pipe_fd, RP_READY_READ, copy, supervisor,
                            &watch);
    }
    return rp_ok(err) ? RP_OK : fail(supervisor, err);
}

void supervisor_reopen_log(struct supervisor *supervisor) {
    if (supervisor->log.pipe_fd < 0) {
        return;
    }
    rp_stderr_copy(&supervisor->log); /* what was said before stands in the file of before */
    rp_err err = rp_stderr_reopen(&supervisor->log, supervisor->daemon.config.log_file, LOG_MODE);
    if (!rp_ok(err)) {
        rp_ignore(fail(supervisor, err)); /* said in the old one, which goes on */
    }
}

void supervisor_close_log(struct supervisor *supervisor) {
    rp_stderr_done(&supervisor->log);
}

bool supervisor_reader_is_french(const struct supervisor *supervisor) {
    return !supervisor->daemon.log_json && rp_reader_language() == RP_FR;
}

enum { SAID_MAX = 1024 };

__attribute__((format(printf, 3, 0))) static void
print_for_reader(const struct supervisor *supervisor, char out[static SAID_MAX], const char *format,
                 va_list args) {
    vsnprintf(out, SAID_MAX, supervisor_reader_is_french(supervisor) ? rp_french(format) : format,
              args);
}

void supervisor_tell(const struct supervisor *supervisor, const char *format, ...) {
    char text[SAID_MAX];
    va_list args;
    va_start(args, format);
    print_for_reader(supervisor, text, format, args);
    va_end(args);
    if (supervisor->daemon.log_json) {
        daemon_say(&supervisor->daemon, "%s", text);
    } else {
        printf("%s\n", text);
    }
}

void supervisor_refuse_start(const struct supervisor *supervisor, const char *format, ...) {
    char text[SAID_MAX];
    va_list args;
    va_start(args, format);
    print_for_reader(supervisor, text, format, args);
    va_end(args);
    daemon_say(&supervisor->daemon, "%s", text);
}
