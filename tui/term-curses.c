/* SPDX-License-Identifier: MIT */
/*
 * The terminal, by ncurses; the only file that includes it.
 *
 * Signals are blocked and read from a descriptor, beside the keys: with
 * getch()'s own handling a resize that comes right after a frame is not seen
 * until the next key, the very kind of lost wake-up that this program is
 * about.
 */
#include "term.h"

#include "keymap.h"

#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct Term {
    SCREEN *screen;
    FILE *in, *out;
    int signal_fd;
    sigset_t old_mask;
    bool color, mark;
    unsigned keys; /* consumed; in the mark that tests wait for */
};

/* Blue and orange rather than green and red; meaning never by colour alone. */
static const struct {
    attr_t attributes;
    short color; /* or -1 */
} looks[ROLE_MAX] = {
    [ROLE_NORMAL] = {A_NORMAL, -1},
    [ROLE_TITLE] = {A_BOLD, -1},
    [ROLE_BORDER] = {A_DIM, -1},
    [ROLE_FOCUS] = {A_BOLD, COLOR_CYAN},
    [ROLE_NOW] = {A_REVERSE, -1},
    [ROLE_PROBLEM] = {A_BOLD, COLOR_YELLOW},
    [ROLE_CHANGED] = {A_UNDERLINE, COLOR_CYAN},
    [ROLE_DIM] = {A_DIM, -1},
    [ROLE_KEY] = {A_BOLD, COLOR_BLUE},
};

static attr_t look(const Term *term, Role role)
{
    return looks[role].attributes |
           (term->color && looks[role].color >= 0 ? COLOR_PAIR(role + 1) : 0);
}

static void init_colors(Term *term)
{
    term->color = term->color && has_colors();
    if (term->color) {
        start_color();
        use_default_colors();
        for (int role = 0; role < ROLE_MAX; role++) {
            if (looks[role].color >= 0) {
                init_pair(role + 1, looks[role].color, -1);
            }
        }
    }
}

Term *term_open(const TermOptions *options)
{
    Term *term = g_new0(Term, 1);
    sigset_t mask;

    term->in = options->in ? options->in : stdin;
    term->out = options->out ? options->out : stdout;
    term->screen = newterm(options->type, term->out, term->in);
    if (!term->screen) {
        g_free(term);
        return NULL;
    }
    sigemptyset(&mask);
    sigaddset(&mask, SIGWINCH);
    sigaddset(&mask, SIGINT);
    sigaddset(&mask, SIGTERM);
    sigaddset(&mask, SIGHUP);
    sigprocmask(SIG_BLOCK, &mask, &term->old_mask);
    term->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    term->color = options->color;
    term->mark = g_getenv("AIOLAB_FRAME_MARK") != NULL;
    cbreak();
    noecho();
    nonl();
    keypad(stdscr, true);
    nodelay(stdscr, true);
    set_escdelay(25);
    init_colors(term);
    return term;
}

void term_close(Term *term)
{
    endwin();
    delscreen(term->screen);
    close(term->signal_fd);
    sigprocmask(SIG_SETMASK, &term->old_mask, NULL);
    g_free(term);
}

void term_size(Term *term, int *rows, int *cols)
{
    getmaxyx(stdscr, *rows, *cols);
}

void term_show(Term *term, const Frame *frame, bool redraw)
{
    if (redraw) {
        clear();
    }
    for (int row = 0; row < frame->rows && row < LINES; row++) {
        for (int col = 0; col < frame->cols && col < COLS; col++) {
            const Cell *cell = &frame->cells[row * frame->cols + col];

            if (cell->text[0]) {
                attrset(look(term, cell->role));
                mvaddstr(row, col, cell->text);
            }
        }
    }
    attrset(A_NORMAL);
    move(MIN(frame->cursor_row, LINES - 1), MIN(frame->cursor_col, COLS - 1));
    refresh();
    if (term->mark) {
        fprintf(term->out, "\033]2;keys=%u\007", term->keys);
        fflush(term->out);
    }
}

static int translate(int key)
{
    switch (key) {
    case KEY_HOME:
        return KEY_HOME_;
    case KEY_END:
        return KEY_END_;
    case KEY_UP:
        return KEY_UP_;
    case KEY_DOWN:
        return KEY_DOWN_;
    case KEY_PPAGE:
        return KEY_PAGE_UP_;
    case KEY_NPAGE:
        return KEY_PAGE_DOWN_;
    case KEY_BTAB:
        return KEY_BACKTAB_;
    case KEY_BACKSPACE:
    case 127:
    case 8:
        return KEY_BACKSPACE_;
    case KEY_ENTER:
    case '\r':
    case '\n':
        return KEY_ENTER_;
    case 27:
        return KEY_ESCAPE_;
    default:
        return key;
    }
}

/* Reads the signals that came; true if the terminal has a new size. */
static bool take_signals(Term *term, bool *stop)
{
    struct signalfd_siginfo info;
    bool resized = false;

    while (read(term->signal_fd, &info, sizeof(info)) == sizeof(info)) {
        if (info.ssi_signo == SIGWINCH) {
            resized = true;
        } else {
            *stop = true;
        }
    }
    if (resized) {
        struct winsize size;

        if (ioctl(fileno(term->in), TIOCGWINSZ, &size) == 0) {
            resizeterm(size.ws_row, size.ws_col);
        }
    }
    return resized;
}

int term_key(Term *term, bool wait, bool *stop)
{
    struct pollfd fds[2] = {
        {.fd = fileno(term->in), .events = POLLIN},
        {.fd = term->signal_fd, .events = POLLIN},
    };

    for (;;) {
        int key;

        if (take_signals(term, stop)) {
            term->keys++;
            return KEY_RESIZE_;
        }
        do {
            key = getch();
        } while (key == KEY_RESIZE);
        if (key != ERR) {
            term->keys++;
            return translate(key);
        }
        if (*stop || !wait) {
            return -1;
        }
        if (poll(fds, 2, -1) > 0 && fds[0].revents & (POLLHUP | POLLERR)) {
            *stop = true; /* the terminal is gone */
            return -1;
        }
    }
}
