/* memory_loader.h — rule files that are literals: what tests and the fuzzer read. */
#ifndef RP_TESTS_MEMORY_LOADER_H
#define RP_TESTS_MEMORY_LOADER_H

#include "shield/seclang.h"

struct memory_file {
    const char *name;
    rp_view bytes;
};
struct memory_files {
    const struct memory_file *files;
    size_t count;
};

/* Files are found by their whole name; a pattern's star stands for every file. */
struct rp_waf_loader memory_loader(struct memory_files *files);

#endif
