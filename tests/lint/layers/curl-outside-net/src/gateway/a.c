/* SPDX-License-Identifier: MIT */
/*
 * a.c - a sample that a lint must refuse
 */
#include <curl/curl.h>
