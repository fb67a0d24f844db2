/* files_api.h — what the handlers of files and of uploads share. */
#ifndef RP_WEB_FILES_API_H
#define RP_WEB_FILES_API_H

#include "spaces/files.h"
#include "web/request.h"

/* What is said of a file, as the whole answer, with its ETag. */
rp_err rp_api_send_file(struct rp_request *request, int status, const struct rp_file *file);

/* A stretch of a file on its way out. The answer's other heads stand already. */
struct rp_sending {
    rp_view collection;
    struct rp_file file;
    struct rp_blob blob;
    uint64_t at, end;
};
/* The first piece, or all when that is enough; Range and If-Range are looked at. */
rp_err rp_api_send_bytes(struct rp_request *request, struct rp_space *space,
                         struct rp_sending *sending);
/* The next one. */
rp_err rp_api_send_more(struct rp_request *request, struct rp_space *space);

#endif
