/* Any bytes as a message between roles: read, and what is accepted prints back as it was. */
#include "fuzz.h"
#include "ipc/frame.h"

static void check_greeting(rp_view payload) {
    enum rp_role_id role;
    if (rp_ok(rp_ipc_hello_read(payload, &role))) {
        struct rp_buf out = rp_buf_new(16);
        rp_ipc_hello_write(&out, role);
        RP_ASSERT(rp_view_equal(rp_buf_view(&out), payload));
        rp_buf_done(&out);
    }
}

/* Fields as the bytes themselves choose them: each read is bounded, and the end is told once. */
static void read_fields(rp_view payload) {
    struct rp_unpack in = rp_unpack_new(payload);
    size_t reads = 0;
    while (!in.failed && in.rest.n > 0 && reads++ <= payload.n) {
        size_t before = in.rest.n;
        switch (rp_unpack_u8(&in) % 6) {
        case 0:
            (void)rp_unpack_u16(&in);
            break;
        case 1:
            (void)rp_unpack_u32(&in);
            break;
        case 2:
            (void)rp_unpack_u64(&in);
            break;
        case 3:
            (void)rp_unpack_id(&in);
            break;
        case 4: {
            rp_view v = rp_unpack_bytes(&in, 64);
            RP_ASSERT(v.n <= 64 && v.n <= before);
            break;
        }
        default:
            break;
        }
        RP_ASSERT(in.rest.n < before || in.failed);
    }
    RP_ASSERT(rp_ok(rp_unpack_end(&in)) == (!in.failed && in.rest.n == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    rp_view message = rp_view_of(data, size), payload;
    struct rp_ipc_head head;
    if (rp_ok(rp_ipc_frame_read(message, &head, &payload))) {
        struct rp_buf out = rp_buf_new(RP_IPC_MAX);
        RP_ASSERT(rp_ok(rp_ipc_frame_write(&out, &head, payload)));
        RP_ASSERT(rp_view_equal(rp_buf_view(&out), message));
        rp_buf_done(&out);
        check_greeting(payload);
        read_fields(payload);
    }
    read_fields(message);
    return 0;
}
