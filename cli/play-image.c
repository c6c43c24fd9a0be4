/* SPDX-License-Identifier: MIT */
/* Files that a play may go to, or should not. */
#include "play-run.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Formats of disk images, by what such a file begins with. */
static const struct {
    const char *name, *magic;
    unsigned len;
} formats[] = {
    {"qcow2", "QFI\xfb", 4},           {"qed", "QED", 4},
    {"vmdk", "KDMV", 4},              {"vmdk", "# Disk DescriptorFile", 21},
    {"vhdx", "vhdxfile", 8},          {"vpc", "conectix", 8},
    {"luks", "LUKS\xba\xbe", 6},      {"parallels", "WithoutFreeSpace", 16},
};

static const char *format_of(int fd)
{
    char head[32] = "";

    if (pread(fd, head, sizeof(head), 0) <= 0) {
        return NULL;
    }
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (!memcmp(head, formats[i].magic, formats[i].len)) {
            return formats[i].name;
        }
    }
    return NULL;
}

bool play_image_check(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    const char *format;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0) {
        cli_error("%s: cannot be read: %s; give a file or a block device of "
                  "the trace's size", path, g_strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode)) {
        close(fd);
        cli_error("%s: is neither a file nor a block device", path);
        return false;
    }
    format = format_of(fd);
    close(fd);
    if (format) {
        cli_error("%s: is an image of format %s, and requests would go to the "
                  "file itself, not to the disk in it; 'qemu-img convert -O "
                  "raw %s FILE' makes one to play on", path, format, path);
        return false;
    }
    return true;
}
