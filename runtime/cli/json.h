/* json: one object a line on a stream. Numbers that JSON does not know become null. */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include <stdint.h>
#include <stdio.h>

struct json {
    FILE *out;
    int members;
};

void json_begin(struct json *j, FILE *out);
void json_end(struct json *j); /* and the line */

/* An object in an object; what is opened last is closed first. */
void json_open(struct json *j, const char *key, struct json *inner);
void json_close(struct json *inner);

void json_text(struct json *j, const char *key, const char *value); /* NULL: null */
void json_real(struct json *j, const char *key, double value);
void json_whole(struct json *j, const char *key, int64_t value);
void json_bool(struct json *j, const char *key, int value);

#endif
