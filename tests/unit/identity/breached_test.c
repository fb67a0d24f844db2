/* breached_test.c — every hash of a list is found, no other is, and a list that is none is told. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/checked.h"
#include "crypto/hash.h"
#include "identity/breached.h"

enum { LINES = 3000 };

struct memory {
    rp_view text;
    size_t reads;
};

static rp_err read_memory(void *ctx, uint64_t at, uint8_t *out, size_t n, size_t *ret_n) {
    struct memory *memory = ctx;
    rp_view piece = rp_view_sub(memory->text, (size_t)at, n);
    memory->reads++;
    if (piece.n > 0) {
        memcpy(out, piece.p, piece.n);
    }
    *ret_n = piece.n;
    return RP_OK;
}

static struct rp_breached list_of(struct memory *memory) {
    return (struct rp_breached){.read = read_memory, .ctx = memory, .size = memory->text.n};
}

/* The first of them is 0…0, the last f…f; counts of one to twenty digits. */
static void hash_of(size_t i, uint8_t hash[static RP_BREACHED_HASH]) {
    memset(hash, i == LINES - 1 ? 0xff : 0, RP_BREACHED_HASH);
    if (i < LINES - 1) {
        hash[1] = (uint8_t)(i >> 8);
        hash[2] = (uint8_t)i;
        hash[RP_BREACHED_HASH - 1] = (uint8_t)(i % 7 ? 0x80 : 0);
    }
}

static struct rp_buf new_list(const char *end, bool counts, bool last_end) {
    struct rp_buf text = rp_buf_new(1 << 20);
    for (size_t i = 0; i < LINES; i++) {
        uint8_t hash[RP_BREACHED_HASH];
        hash_of(i, hash);
        for (size_t b = 0; b < RP_BREACHED_HASH; b++) {
            rp_buf_printf(&text, i % 2 ? "%02x" : "%02X", hash[b]);
        }
        if (counts) {
            rp_buf_printf(&text, ":%.*s", (int)(i % 20 + 1), "12345678901234567890");
        }
        if (i + 1 < LINES || last_end) {
            rp_buf_add_cstr(&text, end);
        }
    }
    assert_ok(rp_buf_err(&text));
    return text;
}

static void search_all(struct rp_buf text) {
    struct memory memory = {.text = rp_buf_view(&text)};
    struct rp_breached list = list_of(&memory);
    size_t fewest = SIZE_MAX, most = 0;
    for (size_t i = 0; i < LINES; i++) {
        uint8_t hash[RP_BREACHED_HASH];
        bool found = false;
        hash_of(i, hash);
        memory.reads = 0;
        assert_ok(rp_breached_find(&list, hash, &found));
        assert_true(found);
        fewest = RP_MIN(fewest, memory.reads);
        most = RP_MAX(most, memory.reads);
        hash[10] ^= 1;
        memory.reads = 0;
        assert_ok(rp_breached_find(&list, hash, &found));
        assert_false(found);
        fewest = RP_MIN(fewest, memory.reads);
        most = RP_MAX(most, memory.reads);
    }
    assert_true(most <= 16 && most - fewest <= 4); /* 2^12 > LINES; lines differ in length */
    assert_ok(rp_breached_sample(&list, 100, NULL));
    rp_buf_done(&text);
}

/*= S170 type=test */
static void what_stands_in_the_list_is_found_and_nothing_else(void **state) {
    (void)state;
    search_all(new_list("\r\n", true, true));
    search_all(new_list("\n", true, false));
    search_all(new_list("\n", false, true));
}

static void a_list_that_is_none_is_told(void **state) {
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "hello\n",
        "8846F7EAEE8FB117AD06BDD830B7586C:7\n", /* NTLM */
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:7x\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8;7\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FDG:7\n",
        "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:1234567890123456789012345678901234567890\n",
        "PK\x03\x04",
    };
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        struct memory memory = {.text = rp_view_from_cstr(bad[i])};
        struct rp_breached list = list_of(&memory);
        struct rp_diag diag = {0};
        assert_err(rp_breached_sample(&list, 10, &diag), CORRUPT);
        assert_true(diag.text[0] != 0);
    }
}

static void the_wrong_order_is_seen(void **state) {
    (void)state;
    struct memory memory = {.text = RP_VIEW("5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:7\n"
                                            "4BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:7\n")};
    struct rp_breached list = list_of(&memory);
    struct rp_diag diag = {0};
    assert_err(rp_breached_sample(&list, 10, &diag), CORRUPT);
    assert_true(rp_view_find(rp_view_from_cstr(diag.text), RP_VIEW("order")) < strlen(diag.text));
}

static void a_file_is_searched(void **state) {
    (void)state;
    char path[] = "breached-XXXXXX";
    int fd = mkstemp(path);
    struct rp_breached_file file;
    struct rp_diag diag = {0};
    bool found = false;
    static const char text[] = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\r\n";
    assert_true(fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1);
    assert_ok(rp_breached_open(path, &file, &diag));
    assert_ok(rp_breached_has(&file, RP_VIEW("password"), &found));
    assert_true(found);
    assert_ok(rp_breached_has(&file, RP_VIEW("Password"), &found));
    assert_false(found);
    rp_breached_close(&file);
    assert_ok(rp_breached_has(&file, RP_VIEW("password"), &found)); /* no list */
    assert_false(found);
    assert_int_equal(unlink(path), 0);
    close(fd);
    assert_err(rp_breached_open(path, &file, &diag), NOT_FOUND);
    assert_int_equal(file.fd, -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_in_the_list_is_found_and_nothing_else),
        cmocka_unit_test(a_list_that_is_none_is_told),
        cmocka_unit_test(the_wrong_order_is_seen),
        cmocka_unit_test(a_file_is_searched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
