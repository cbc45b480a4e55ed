// What many tests need: the public vectors' folder, files, and cases that are found at run time.
#ifndef PACKTRAIL_TESTS_SUPPORT_SUPPORT_H
#define PACKTRAIL_TESTS_SUPPORT_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/bytes.h"

// The path of a vector ("cose-wg-Examples/KeySet.txt"); static, overwritten by the next call. Skips the calling
// test, saying so, when the folder of vectors is missing.
const char *test_data(const char *relative);

// Reads a whole file; fails the test if it cannot. The caller frees the buffer.
struct pt_buf test_read_file(const char *path);

// The names in a folder that end in `suffix`, sorted; fails the test when there is none. Freed by test_names_free.
struct test_names {
    char **names;
    size_t count;
};
struct test_names test_list(const char *dir, const char *suffix);
void test_names_free(struct test_names *names);

// An empty directory of its own below $TMPDIR, removed with its content by test_scratch_remove.
void test_scratch(char path[256]);
void test_scratch_remove(const char *path);

// Asserts PT_OK and prints what, where and why otherwise.
#define assert_ok(call, err) test_assert_ok((call), (err), #call, __FILE__, __LINE__)
void test_assert_ok(enum pt_code code, const struct pt_error *err, const char *call, const char *file, int line);

#endif
