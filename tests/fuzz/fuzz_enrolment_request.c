#include "common/chain/enrolment_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct enrolment_request request;
    struct pt_error err;
    if (enrolment_request_open(pt_bytes_of(data, size), &request, &err) == PT_OK) enrolment_request_free(&request);
    return 0;
}
