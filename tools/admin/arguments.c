#include "tools/admin/arguments.h"

#include <stdbool.h>
#include <string.h>

static const struct argument *find(const struct argument *arguments, const char *word, size_t len) {
    for (; arguments->name; arguments++)
        if (strlen(arguments->name) == len && strncmp(arguments->name, word, len) == 0) return arguments;
    return NULL;
}

static enum pt_code take(const struct argument *argument, const char *text, struct pt_error *err) {
    if (!*text) return pt_fail(err, PT_USAGE, argument->name, "the value is empty");
    if (argument->list) {
        if (argument->list->count == ARGUMENT_LIST_MAX)
            return pt_fail(err, PT_USAGE, argument->name, "given more than %u times", ARGUMENT_LIST_MAX);
        argument->list->values[argument->list->count++] = text;
        return PT_OK;
    }
    if (*argument->value) return pt_fail(err, PT_USAGE, argument->name, "given twice");
    *argument->value = text;
    return PT_OK;
}

// "--name VALUE" and "--name=VALUE".
static enum pt_code take_option(int argc, char **argv, int *at, const struct argument *arguments,
                                struct pt_error *err) {
    const char *word = argv[*at], *equals = strchr(word, '=');
    const struct argument *argument = find(arguments, word, equals ? (size_t)(equals - word) : strlen(word));
    if (!argument) return pt_fail(err, PT_USAGE, word, "there is no such option");
    if (!equals && *at + 1 == argc) return pt_fail(err, PT_USAGE, word, "a value must follow");
    return take(argument, equals ? equals + 1 : argv[++*at], err);
}

enum pt_code arguments_parse(int argc, char **argv, const struct argument_word *words, const struct argument *arguments,
                             struct pt_error *err) {
    for (int i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) == 0) {
            const enum pt_code code = take_option(argc, argv, &i, arguments, err);
            if (code != PT_OK) return code;
        } else if (words->name && *argv[i]) {
            *words++->value = argv[i];
        } else {
            return pt_fail(err, PT_USAGE, argv[i], "one word too many");
        }
    }
    if (words->name) return pt_fail(err, PT_USAGE, words->name, "an argument is missing");
    for (; arguments->name; arguments++)
        if (arguments->needed_for && (arguments->list ? arguments->list->count == 0 : !*arguments->value))
            return pt_fail(err, PT_USAGE, arguments->name, "an option is missing: %s", arguments->needed_for);
    return PT_OK;
}

enum pt_code argument_number(const char *name, const char *text, uint64_t least, uint64_t most, uint64_t *out,
                             struct pt_error *err) {
    uint64_t number = 0;
    bool good = *text != '\0';
    for (const char *at = text; good && *at; at++) {
        good = *at >= '0' && *at <= '9' && !__builtin_mul_overflow(number, 10u, &number) &&
               !__builtin_add_overflow(number, (uint64_t)(*at - '0'), &number);
    }
    if (!good || number < least || number > most)
        return pt_fail(err, PT_USAGE, name, "must be a number from %llu to %llu", (unsigned long long)least,
                       (unsigned long long)most);
    *out = number;
    return PT_OK;
}
