/* SPDX-License-Identifier: MIT */
/*
 * jansson_beside.h - <jansson.h> beside our json.h, which has names of its own for the same things
 *
 * Include json.h first.  jansson's types are JANSSON_OBJECT and so on; its
 * json_is_object() family would compare with ours, so use json_typeof().
 */
#ifndef TESTS_JANSSON_BESIDE_H
#define TESTS_JANSSON_BESIDE_H

#define json_type jansson_type
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_INTEGER JANSSON_INTEGER
#define JSON_REAL JANSSON_REAL
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef json_type
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_INTEGER
#undef JSON_REAL
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#endif
