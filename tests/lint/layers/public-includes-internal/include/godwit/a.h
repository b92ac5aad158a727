/* SPDX-License-Identifier: MIT */
/*
 * a.h - a sample that a lint must refuse
 */
#include "base/buf.h"
