#include "os/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

/* Each test works in a new folder, as each role works in its state folder. */
static int enter_folder(void **state) {
    *state = unit_dir_new();
    return chdir(*state);
}

static int leave_folder(void **state) {
    int failed = chdir("/");
    unit_dir_remove(*state);
    return failed;
}

static rp_err count_temporary(void *ctx, const char *name, bool is_folder) {
    unsigned *count = ctx;
    (void)is_folder;
    *count += rp_view_ends(rp_view_from_cstr(name), RP_VIEW(".tmp"));
    return RP_OK;
}

static unsigned temporary_files(void) {
    unsigned count = 0;
    assert_ok(rp_folder_each(".", count_temporary, &count));
    return count;
}

static rp_view read_text(const char *path, struct rp_arena *arena) {
    rp_view bytes = {0};
    assert_ok(rp_file_read(path, 4096, arena, &bytes));
    return bytes;
}

static void replaces_whole_files(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    assert_ok(rp_file_replace("a", 0640, RP_VIEW("one")));
    assert_view(read_text("a", arena), "one");
    assert_ok(rp_file_replace("a", 0600, RP_VIEW("two, longer")));
    assert_view(read_text("a", arena), "two, longer");
    struct stat st;
    assert_int_equal(stat("a", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(temporary_files(), 0);
    rp_arena_free(arena);
}

static void a_failed_replace_changes_nothing(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    /* A folder of that name cannot be replaced by a file; the temporary file must not stay. */
    assert_ok(rp_folder_make("taken/inside", 0700));
    rp_err err = rp_file_replace("taken", 0600, RP_VIEW("x"));
    assert_false(rp_ok(err));
    assert_true(rp_file_exists("taken/inside"));
    assert_int_equal(temporary_files(), 0);
    assert_err(rp_file_replace("no/such/folder", 0600, RP_VIEW("x")), NOT_FOUND);
    rp_arena_free(arena);
}

static void a_leftover_of_a_crash_is_no_obstacle(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    char leftover[64];
    (void)snprintf(leftover, sizeof leftover, "a.%d.tmp", (int)gettid());
    assert_ok(rp_file_replace(leftover, 0600, RP_VIEW("half a fi")));
    assert_ok(rp_file_replace("a", 0600, RP_VIEW("whole")));
    assert_view(read_text("a", arena), "whole");
    assert_int_equal(temporary_files(), 0);
    rp_arena_free(arena);
}

enum { WRITERS = 4, ROUNDS = 50, LETTERS = 3000 };

struct writer {
    char letter;
    unsigned created;
};

/* Each writes files of one letter under names that all of them want. */
static void *write_files(void *ctx) {
    struct writer *writer = ctx;
    char text[LETTERS], name[32];
    memset(text, writer->letter, sizeof text);
    for (unsigned i = 0; i < ROUNDS; i++) {
        (void)snprintf(name, sizeof name, "one-%u", i);
        writer->created +=
            rp_ok(rp_file_create(name, 0600, rp_view_of((const uint8_t *)text, sizeof text)));
    }
    return NULL;
}

static void writers_of_one_name_do_not_mix(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct writer writers[WRITERS];
    pthread_t threads[WRITERS];
    unsigned created = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.letter = (char)('a' + i)};
        assert_int_equal(pthread_create(&threads[i], NULL, write_files, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        created += writers[i].created;
    }
    assert_int_equal(created, ROUNDS);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "one-%u", i);
        rp_view text = read_text(name, arena);
        assert_int_equal(text.n, LETTERS);
        for (size_t at = 0; at < text.n; at++) {
            assert_int_equal(text.p[at], text.p[0]);
        }
    }
    assert_int_equal(temporary_files(), 0);
    rp_arena_free(arena);
}

static void creates_only_once(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    assert_ok(rp_file_create("key", 0400, RP_VIEW("first")));
    assert_err(rp_file_create("key", 0400, RP_VIEW("second")), DUPLICATE);
    assert_view(read_text("key", arena), "first");
    assert_int_equal(temporary_files(), 0);
    rp_arena_free(arena);
}

static void reads_with_a_limit(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 17);
    rp_view bytes = RP_VIEW("untouched");
    assert_ok(rp_file_replace("ten", 0600, RP_VIEW("0123456789")));
    assert_err(rp_file_read("ten", 9, arena, &bytes), TOO_LARGE);
    assert_view(bytes, "untouched");
    assert_ok(rp_file_read("ten", 10, arena, &bytes));
    assert_view(bytes, "0123456789");
    assert_err(rp_file_read("absent", 10, arena, &bytes), NOT_FOUND);
    assert_ok(rp_file_replace("empty", 0600, RP_VIEW("")));
    assert_ok(rp_file_read("empty", 10, arena, &bytes));
    assert_int_equal(bytes.n, 0);
    /* The kernel's own files say that they are empty. */
    assert_ok(rp_file_read("/proc/self/status", 1 << 16, arena, &bytes));
    assert_true(rp_view_starts(bytes, RP_VIEW("Name:")));
    rp_arena_free(arena);
}

static void reads_and_writes_in_place(void **state) {
    (void)state;
    _cleanup_fd_ int fd = -1;
    uint8_t out[4];
    uint64_t size;
    assert_ok(rp_file_open_rw("place", 0600, &fd));
    assert_ok(rp_file_write_at(fd, 4, RP_VIEW("5678")));
    assert_ok(rp_file_write_at(fd, 0, RP_VIEW("1234")));
    assert_ok(rp_file_sync(fd));
    assert_ok(rp_file_size(fd, &size));
    assert_int_equal(size, 8);
    assert_ok(rp_file_read_at(fd, 2, out, 4));
    assert_view(rp_view_of(out, 4), "3456");
    assert_err(rp_file_read_at(fd, 5, out, 4), CORRUPT);
    assert_err(rp_file_read_at(fd, UINT64_MAX - 1, out, 4), INVALID);
    assert_err(rp_file_write_at(fd, INT64_MAX, RP_VIEW("x")), INVALID);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
}

static void appends_at_the_end(void **state) {
    (void)state;
    struct rp_arena *arena = rp_arena_new(1 << 16);
    for (int i = 0; i < 3; i++) {
        _cleanup_fd_ int fd = -1;
        assert_ok(rp_file_open_append("journal", 0600, &fd));
        assert_ok(rp_file_write_all(fd, RP_VIEW("line\n")));
    }
    assert_view(read_text("journal", arena), "line\nline\nline\n");
    rp_arena_free(arena);
}

static void no_space_has_its_own_name(void **state) {
    (void)state;
    _cleanup_fd_ int fd = -1;
    assert_ok(rp_file_open_rw("/dev/full", 0600, &fd));
    assert_err(rp_file_write_all(fd, RP_VIEW("x")), NO_SPACE);
}

static rp_err collect(void *ctx, const char *name, bool is_folder) {
    rp_buf_printf(ctx, "%s%s ", name, is_folder ? "/" : "");
    return RP_OK;
}

static rp_err stop_at_first(void *ctx, const char *name, bool is_folder) {
    (void)ctx;
    (void)name;
    (void)is_folder;
    return RP_ERR(BUSY);
}

static void lists_in_byte_order(void **state) {
    (void)state;
    struct rp_buf buf = rp_buf_new(1000);
    assert_ok(rp_folder_make("f/z/y", 0700));
    assert_ok(rp_folder_make("f/z", 0700));
    assert_ok(rp_file_replace("f/b", 0600, RP_VIEW("")));
    assert_ok(rp_file_replace("f/B", 0600, RP_VIEW("")));
    assert_ok(rp_file_replace("f/a", 0600, RP_VIEW("")));
    assert_ok(rp_folder_each("f", collect, &buf));
    assert_view(rp_buf_view(&buf), "B a b z/ ");
    assert_err(rp_folder_each("f", stop_at_first, NULL), BUSY);
    assert_err(rp_folder_each("nowhere", collect, &buf), NOT_FOUND);
    assert_err(rp_folder_make("f/a", 0700), DUPLICATE);
    rp_buf_done(&buf);
}

static void removes_and_tells_free_space(void **state) {
    (void)state;
    uint64_t bytes = 0;
    unsigned percent = 1000;
    assert_ok(rp_file_replace("gone", 0600, RP_VIEW("x")));
    assert_ok(rp_file_remove("gone"));
    assert_ok(rp_file_remove("gone"));
    assert_false(rp_file_exists("gone"));
    assert_ok(rp_folder_free(".", &bytes, &percent));
    assert_true(bytes > 0);
    assert_true(percent <= 100);
    assert_ok(rp_folder_sync("."));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_FOLDER(replaces_whole_files),
        IN_FOLDER(a_failed_replace_changes_nothing),
        IN_FOLDER(a_leftover_of_a_crash_is_no_obstacle),
        IN_FOLDER(creates_only_once),
        IN_FOLDER(writers_of_one_name_do_not_mix),
        IN_FOLDER(reads_with_a_limit),
        IN_FOLDER(reads_and_writes_in_place),
        IN_FOLDER(appends_at_the_end),
        IN_FOLDER(no_space_has_its_own_name),
        IN_FOLDER(lists_in_byte_order),
        IN_FOLDER(removes_and_tells_free_space),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
