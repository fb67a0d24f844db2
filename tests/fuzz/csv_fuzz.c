/* What the reader accepts, printed and read again, is the same table. */
#include "fuzz.h"
#include "wire/csv.h"

static const struct rp_csv_limits limits = {.rows_max = 200, .columns_max = 20, .cell_max = 1000};

static void round_trip(struct rp_arena *arena, const struct rp_csv *table, size_t n) {
    struct rp_buf text = rp_buf_new(8 * n + 4096);
    struct rp_csv again;
    for (size_t c = 0; c < table->column_count; c++) {
        rp_csv_add(&text, c == 0, table->names[c]);
    }
    rp_csv_end_row(&text);
    for (size_t r = 0; r < table->row_count; r++) {
        for (size_t c = 0; c < table->column_count; c++) {
            rp_csv_add(&text, c == 0, table->rows[r].cells[c]);
        }
        rp_csv_end_row(&text);
    }
    FUZZ_CHECK(rp_ok(rp_buf_err(&text)));
    FUZZ_CHECK(rp_ok(rp_csv_parse(rp_buf_view(&text), limits, arena, &again, NULL)));
    FUZZ_CHECK(again.row_count == table->row_count && again.column_count == table->column_count);
    for (size_t r = 0; r < table->row_count; r++) {
        for (size_t c = 0; c < table->column_count; c++) {
            FUZZ_CHECK(rp_view_equal(again.rows[r].cells[c], table->rows[r].cells[c]));
        }
    }
    rp_buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(16 << 20);
    struct rp_csv table;
    struct rp_diag diag = {0};
    rp_err err = rp_csv_parse(rp_view_of(data, n), limits, arena, &table, &diag);
    if (rp_ok(err)) {
        round_trip(arena, &table, n);
    } else {
        FUZZ_CHECK(diag.text[0] != 0 && diag.line > 0 && diag.column > 0);
    }
    rp_arena_free(arena);
    return 0;
}
