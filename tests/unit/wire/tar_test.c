#include "unit.h"

#include "wire/untar.h"

static void a_header_has_its_fields_and_its_sum(void **state) {
    (void)state;
    uint8_t block[RP_TAR_BLOCK];
    assert_ok(rp_tar_header(RP_VIEW("records/a/b/000001.jsonl"), 01234, 0, block));
    assert_string_equal((const char *)block, "records/a/b/000001.jsonl");
    assert_string_equal((const char *)block + 124, "00000001234");
    assert_memory_equal(block + 257, "ustar\00000", 8);
    unsigned sum = 0;
    char printed[16];
    for (size_t i = 0; i < sizeof block; i++) {
        sum += i >= 148 && i < 156 ? ' ' : block[i];
    }
    snprintf(printed, sizeof printed, "%06o", sum);
    assert_string_equal((const char *)block + 148, printed);
    assert_int_equal(rp_tar_padding(0), 0);
    assert_int_equal(rp_tar_padding(1), 511);
    assert_int_equal(rp_tar_padding(512), 0);
}

static void what_does_not_fit_is_refused(void **state) {
    (void)state;
    uint8_t block[RP_TAR_BLOCK];
    char name[RP_TAR_NAME_MAX + 1];
    memset(name, 'a', sizeof name);
    assert_ok(rp_tar_header(rp_view_of(name, RP_TAR_NAME_MAX), 077777777777, 0, block));
    assert_err(rp_tar_header(rp_view_of(name, sizeof name), 0, 0, block), TOO_LARGE);
    assert_err(rp_tar_header(RP_VIEW("a"), 0100000000000, 0, block), TOO_LARGE);
    assert_err(rp_tar_header(RP_VIEW(""), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("/a"), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("a/../b"), 0, 0, block), INVALID);
    assert_err(rp_tar_header(RP_VIEW("a\0b"), 0, 0, block), INVALID);
}

static void a_header_is_read_as_it_was_made(void **state) {
    (void)state;
    uint8_t block[RP_TAR_BLOCK];
    struct rp_tar_entry entry;
    assert_ok(rp_tar_header(RP_VIEW("kms/keyring"), 234, 1700000000, block));
    rp_tar_set_mode(block, 0640);
    assert_ok(rp_tar_parse(block, &entry));
    assert_view(entry.name, "kms/keyring");
    assert_int_equal(entry.size, 234);
    assert_int_equal(entry.mode, 0640);
    for (size_t i = 0; i < sizeof block; i++) { /* not one byte may be another */
        block[i] ^= 1;
        assert_err(rp_tar_parse(block, &entry), CORRUPT);
        block[i] ^= 1;
    }
}

/* What is not plain, or leaves its folder, is refused though its sum is right. */
static void what_we_never_write_is_not_read(void **state) {
    (void)state;
    static const struct {
        size_t at;
        const char *bytes;
    } altered[] = {{0, "/etc/passwd"}, {0, "a/../../b"}, {156, "2"},      {156, "5"},
                   {157, "link"},      {265, "root"},    {345, "prefix"}, {108, "0000001"}};
    for (size_t i = 0; i < sizeof altered / sizeof altered[0]; i++) {
        uint8_t block[RP_TAR_BLOCK];
        struct rp_tar_entry entry;
        assert_ok(rp_tar_header(RP_VIEW("plain"), 1, 0, block));
        memcpy(block + altered[i].at, altered[i].bytes, strlen(altered[i].bytes));
        rp_tar_set_mode(block, 0600);
        assert_err(rp_tar_parse(block, &entry), CORRUPT);
    }
}

/* Two files, one of them empty, in an archive. */
static size_t make_archive(uint8_t *out) {
    memset(out, 0, 8 * RP_TAR_BLOCK);
    assert_ok(rp_tar_header(RP_VIEW("a"), 700, 0, out));
    memset(out + RP_TAR_BLOCK, 'x', 700);
    assert_ok(rp_tar_header(RP_VIEW("b/c"), 0, 0, out + 3 * RP_TAR_BLOCK));
    return 6 * RP_TAR_BLOCK;
}

static void pieces_of_any_size_give_the_same_files(void **state) {
    (void)state;
    uint8_t archive[8 * RP_TAR_BLOCK];
    size_t n = make_archive(archive);
    for (size_t piece = 1; piece <= n; piece += piece < 40 ? 1 : 97) {
        struct rp_untar untar = {.have = 0};
        struct rp_untar_step step;
        size_t files = 0, bytes = 0, closed = 0, ends = 0;
        for (size_t at = 0; at < n; at += piece) {
            rp_view rest = rp_view_of(archive + at, at + piece < n ? piece : n - at);
            do {
                assert_ok(rp_untar_step(&untar, &rest, &step));
                files += step.what == RP_UNTAR_FILE;
                bytes += step.what == RP_UNTAR_BYTES ? step.bytes.n : 0;
                closed += step.what == RP_UNTAR_CLOSE;
                ends += step.what == RP_UNTAR_END;
            } while (step.what != RP_UNTAR_MORE && step.what != RP_UNTAR_END);
            assert_int_equal(rest.n, 0);
        }
        assert_int_equal(files, 2);
        assert_int_equal(bytes, 700);
        assert_int_equal(closed, 2);
        assert_int_equal(ends, 1);
        assert_true(rp_untar_ended(&untar));
    }
}

static void an_end_that_is_missing_or_not_the_end_is_noticed(void **state) {
    (void)state;
    uint8_t archive[8 * RP_TAR_BLOCK];
    size_t n = make_archive(archive);
    struct rp_untar untar = {.have = 0};
    struct rp_untar_step step = {.what = RP_UNTAR_FILE};
    rp_view rest = rp_view_of(archive, n - 1);
    while (step.what != RP_UNTAR_MORE) {
        assert_ok(rp_untar_step(&untar, &rest, &step));
    }
    assert_false(rp_untar_ended(&untar));
    untar = (struct rp_untar){.have = 0};
    rest = rp_view_of(archive, n + 1);
    rp_err err = RP_OK;
    for (int i = 0; i < 8 && rp_ok(err); i++) {
        err = rp_untar_step(&untar, &rest, &step);
    }
    assert_err(err, CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_header_is_read_as_it_was_made),
        cmocka_unit_test(what_we_never_write_is_not_read),
        cmocka_unit_test(pieces_of_any_size_give_the_same_files),
        cmocka_unit_test(an_end_that_is_missing_or_not_the_end_is_noticed),
        cmocka_unit_test(a_header_has_its_fields_and_its_sum),
        cmocka_unit_test(what_does_not_fit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
