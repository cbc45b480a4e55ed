// The trace platform and the insurer's platform of China, as far as a pharmacy's reports see them: they take documents,
// answer questions about them, and misbehave when told to. For demonstrations and tests.
#ifndef PACKTRAIL_TOOLS_PLATFORMSIM_PLATFORMSIM_H
#define PACKTRAIL_TOOLS_PLATFORMSIM_PLATFORMSIM_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/json.h"
#include "common/base/time.h"
#include "common/net/https_server.h"

enum sim_platform { SIM_TRACE, SIM_INSURER, SIM_PLATFORMS };

// What happens to documents that come in.
enum sim_mode {
    SIM_ACCEPT,
    SIM_REFUSE,     // taken and refused, with code and text
    SIM_PENDING,    // taken; decided (accepted) after delay_ms
    SIM_HOLD,       // accepted; the answer never comes
    SIM_LATE,       // accepted only after delay_ms; the answer never comes
    SIM_LOSE,       // not taken; no answer comes
    SIM_SLOW,       // accepted; the answer comes after delay_ms
    SIM_BUSY,       // not taken: try again
    SIM_ERROR,      // not taken, answer 500
    SIM_ERROR_TAKEN,// accepted, answer 500
    SIM_GARBAGE,    // accepted, the answer is no JSON
};

struct sim_rule {
    enum sim_mode mode;
    int64_t times;  // for so many documents, then accept; -1: until told otherwise
    pt_millis delay;
    char code[32], text[128];
};

// A document that was taken; `times` counts how often.
struct sim_document {
    enum sim_platform platform;
    char serial[64], name[64];
    json_t *codes;
    unsigned times;
    enum { SIM_IS_ACCEPTED, SIM_IS_REFUSED } state;
    pt_millis from;  // when it is there, decided
    bool pending;    // shown as pending until `from`; otherwise not there until then
    char code[32], text[128];
};

struct sim_held {
    struct https_deferred *deferred;
    pt_millis due;
    struct pt_buf answer;
    unsigned status;
};

struct platformsim {
    pthread_mutex_t lock;
    struct sim_rule rules[SIM_PLATFORMS];
    struct sim_document *documents;
    size_t document_count, document_cap;
    struct sim_held *held;
    size_t held_count, held_cap;
    uint64_t sends[SIM_PLATFORMS], questions[SIM_PLATFORMS];
    pthread_t thread;
    pthread_cond_t changed;
    bool stopping;
    struct https_server *server;
    struct https_route routes[8];
};

// Serves HTTP on 127.0.0.1 (port 0: any).
enum pt_code platformsim_start(uint16_t port, struct platformsim *sim, struct pt_error *err) PT_NODISCARD;
void platformsim_stop(struct platformsim *sim);
uint16_t platformsim_port(const struct platformsim *sim);

// {"platform":"trace"|"insurer","mode":"accept"|…,"times":N,"delay_ms":N,"code":…,"text":…}
enum pt_code platformsim_control(struct platformsim *sim, struct pt_bytes json, struct pt_error *err) PT_NODISCARD;
// {"documents":[{"platform","serial","name","codes","times","state"}],"sends":{…},"questions":{…}}
json_t *platformsim_state(struct platformsim *sim);

#endif
