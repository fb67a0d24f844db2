/* Any bytes of an nginx line: what is printed of it is one line of JSON that our reader takes. */
#include "fuzz.h"
#include "wire/json.h"
#include "wire/log_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static uint8_t out[RP_LOG_LINE_MAX];
    struct rp_log_line line = {.time_ms = 1795687836123, .role = "gate", .pid = 1};
    rp_log_line_of_nginx(rp_view_of(data, size), &line);
    size_t n = rp_log_line_print(&line, out);
    FUZZ_CHECK(n > 0 && n <= sizeof out && out[n - 1] == '\n');
    FUZZ_CHECK(rp_view_find_byte(rp_view_of(out, n), '\n') == n - 1);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_json *json = NULL;
    FUZZ_CHECK(arena &&
               rp_ok(rp_json_parse(rp_view_of(out, n - 1), RP_JSON_LIMITS, arena, &json, NULL)));
    rp_arena_free(arena);
    return 0;
}
