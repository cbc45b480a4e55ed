// Running `packtrail admin` as people do: words in, JSON, messages and exit status out.
#ifndef PACKTRAIL_TESTS_UNIT_TOOLS_ADMIN_CASES_H
#define PACKTRAIL_TESTS_UNIT_TOOLS_ADMIN_CASES_H

#include "common/base/json.h"
#include "common/chain/actor.h"
#include "tests/support/support.h"

struct admin_run {
    int status;
    json_t *answer; // NULL if nothing was printed
    char message[1024];
};

// `words`: what follows "packtrail admin", divided by '|'. The answer is freed by admin_run_free.
struct admin_run admin_run(const char *words, ...) PT_PRINTF(1, 2);
void admin_run_free(struct admin_run *run);

// Runs and expects status 0; gives the answer, which the caller frees.
json_t *admin_good(const char *words, ...) PT_PRINTF(1, 2);
// Runs and expects this status, and a message that contains `message`.
void admin_bad(int status, const char *message, const char *words, ...) PT_PRINTF(3, 4);

const char *admin_text(const json_t *answer, const char *member); // fails the test if it is not there

// A consortium with an executor "node-1", a gateway "gate-1", an operator "op", a company "maker" and a client "phone".
void admin_found(const char *directory);

struct pt_buf admin_file(const char *directory, const char *file);
struct actor admin_actor_record(const char *directory, const char *name); // freed by actor_free
bool admin_file_is_there(const char *directory, const char *file);

#endif
