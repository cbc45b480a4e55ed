#include "gateway/settlement/answer.h"

#include <stdio.h>
#include <string.h>

// RFC 6901, without escapes in the names: mapping files name ordinary members.
static const json_t *at(const json_t *root, const char *pointer) {
    const json_t *node = root;
    while (node && pointer && *pointer == '/') {
        char name[128];
        const size_t len = strcspn(++pointer, "/");
        if (len >= sizeof name) return NULL;
        memcpy(name, pointer, len);
        name[len] = 0;
        pointer += len;
        if (json_is_array(node)) {
            size_t index = 0;
            if (len == 0 || len > 6 || strspn(name, "0123456789") != len) return NULL;
            for (size_t i = 0; i < len; i++) index = index * 10 + (size_t)(name[i] - '0');
            node = json_array_get(node, index);
        } else node = json_object_get(node, name);
    }
    return node;
}

// A scalar as text, cut to the room there is at a character's border; false if it is none.
static bool as_text(const json_t *value, char *out, size_t size) {
    if (json_is_string(value)) {
        size_t len = json_string_length(value);
        const char *text = json_string_value(value);
        if (len >= size)
            for (len = size - 1; len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80;) len--;
        memcpy(out, text, len);
        out[len] = 0;
        return true;
    }
    if (json_is_integer(value)) snprintf(out, size, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_boolean(value)) snprintf(out, size, "%s", json_is_true(value) ? "true" : "false");
    else return false;
    return true;
}

static bool among(const json_t *list, const char *value) {
    for (size_t i = 0; i < json_array_size(list); i++)
        if (strcmp(json_string_value(json_array_get(list, i)), value) == 0) return true;
    return false;
}

static void tell(const json_t *root, const char *code_at, const char *text_at, const char *otherwise, struct answer *out) {
    if (!code_at || !as_text(at(root, code_at), out->code, sizeof out->code))
        snprintf(out->code, sizeof out->code, "%.60s", otherwise);
    if (!text_at || !as_text(at(root, text_at), out->text, sizeof out->text)) out->text[0] = 0;
}

static void read_business(const struct answer_rules *rules, const json_t *root, struct answer *out) {
    char value[128];
    if (!as_text(at(root, rules->business_at), value, sizeof value)) {
        snprintf(out->text, sizeof out->text, "the answer says nothing at %.100s", rules->business_at);
        return;
    }
    out->business = true;
    tell(root, rules->business_code, rules->business_text, value, out);
    if (among(rules->accepted, value)) out->meaning = ANSWER_ACCEPTED;
    else if (among(rules->refused, value)) out->meaning = ANSWER_REFUSED;
    else if (among(rules->pending, value)) out->meaning = ANSWER_PENDING;
    else if (among(rules->absent, value)) out->meaning = ANSWER_ABSENT;
}

static void read_body(const struct answer_rules *rules, const json_t *root, struct answer *out) {
    char value[128];
    if (!as_text(at(root, rules->transport_at), value, sizeof value)) {
        snprintf(out->text, sizeof out->text, "the answer says nothing at %.100s", rules->transport_at);
        return;
    }
    if (among(rules->good, value)) {
        read_business(rules, root, out);
        return;
    }
    tell(root, rules->transport_code, rules->transport_text, value, out);
    // A question that failed says nothing about the document.
    if (among(rules->again, value)) out->meaning = ANSWER_AGAIN;
    else out->meaning = rules->absent ? ANSWER_UNCLEAR : ANSWER_REFUSED;
}

// Without a body that says more. A server that failed (5xx) may have failed after taking the document.
static void read_status(const struct answer_rules *rules, unsigned status, struct answer *out) {
    snprintf(out->code, sizeof out->code, "HTTP %u", status);
    switch (status) {
    case 401:
    case 403:
    case 404:
    case 405:
    case 429:
        // The way to the platform is wrong or closed, not the document.
        out->meaning = ANSWER_AGAIN;
        return;
    case 400:
    case 411:
    case 413:
    case 415:
    case 422: out->meaning = rules->absent ? ANSWER_UNCLEAR : ANSWER_REFUSED; return;
    default: return;
    }
}

void answer_read(const struct answer_rules *rules, unsigned status, struct pt_bytes body, struct answer *out) {
    *out = (struct answer){.meaning = ANSWER_UNCLEAR};
    json_t *root = NULL;
    struct pt_error err;
    const bool readable = pt_json_parse(body, ANSWER_MAX, &root, &err) == PT_OK;
    if (status / 100 == 2) {
        if (readable) read_body(rules, root, out);
        else snprintf(out->text, sizeof out->text, "the answer is no JSON");
    } else {
        read_status(rules, status, out);
        // An error's text helps people; its meaning is the status'.
        if (readable) as_text(at(root, rules->transport_text), out->text, sizeof out->text);
    }
    json_decref(root);
}
