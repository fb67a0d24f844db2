/* replay_main.c — stands in for libFuzzer in an ordinary build: `NAME_fuzz FOLDER…` feeds each
 * file of the folders, and each of its beginnings, to the fuzzer once. An empty folder is a
 * failure: a fuzzer without seeds replays nothing. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "fuzz.h"

enum { PREFIXES_OF_MAX = 2048, FILE_MAX = 1 << 20 };

/* In memory of exactly n bytes, so that the sanitizer sees the first byte beyond. */
static void feed(const uint8_t *bytes, size_t n) {
    uint8_t *copy = malloc(n ? n : 1);
    RP_ASSERT(copy != NULL);
    memcpy(copy, bytes, n);
    LLVMFuzzerTestOneInput(copy, n);
    free(copy);
}

static bool replay_file(const char *path) {
    static uint8_t bytes[FILE_MAX];
    FILE *file = fopen(path, "rb");
    if (!file) {
        perror(path);
        return false;
    }
    size_t n = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t prefix = 0; prefix < n && n <= PREFIXES_OF_MAX; prefix++) {
        feed(bytes, prefix);
    }
    feed(bytes, n);
    return true;
}

/* How many files were replayed; -1 when one could not be read. */
static long replay_folder(const char *path) {
    DIR *folder = opendir(path);
    if (!folder) {
        perror(path);
        return -1;
    }
    long count = 0;
    for (struct dirent *entry; count >= 0 && (entry = readdir(folder));) {
        char name[4096];
        if (entry->d_name[0] != '.') {
            snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
            count = replay_file(name) ? count + 1 : -1;
        }
    }
    closedir(folder);
    return count;
}

int main(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        long count = replay_folder(argv[i]);
        printf("%s: %ld seeds\n", argv[i], count);
        if (count <= 0) {
            return 1;
        }
    }
    return argc > 1 ? 0 : 2;
}
