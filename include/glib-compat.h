/* SPDX-License-Identifier: MIT */
/*
 * GLib as QEMU code expects it: with its Unix half (pipes, signals, sources
 * for descriptors).  QEMU's header of this name also bridges old versions of
 * GLib; those that can build this library need no bridge.
 */
#ifndef QEMU_GLIB_COMPAT_H
#define QEMU_GLIB_COMPAT_H

#include <glib.h>
#include <glib-unix.h>

#endif
