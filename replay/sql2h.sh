#!/bin/sh
# SPDX-License-Identifier: MIT
# Turns an SQL file into a C string literal: one line of C for each line.
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/"/' -e 's/$/\\n"/' "$1" > "$2"
