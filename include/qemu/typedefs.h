/* SPDX-License-Identifier: MIT */
/* Forward declarations, so that headers need not include each other. */
#ifndef QEMU_TYPEDEFS_H
#define QEMU_TYPEDEFS_H

typedef struct AioContext AioContext;
typedef struct AioHandler AioHandler;
typedef struct BlockBackend BlockBackend;
typedef struct BlockDriver BlockDriver;
typedef struct BlockDriverState BlockDriverState;
typedef struct CoMutex CoMutex;
typedef struct CoQueue CoQueue;
typedef struct CoRwlock CoRwlock;
typedef struct Coroutine Coroutine;
typedef struct CqeHandler CqeHandler;
typedef struct Error Error;
typedef struct EventNotifier EventNotifier;
typedef struct IOThread IOThread;
typedef struct MemReentrancyGuard MemReentrancyGuard;
typedef struct Notifier Notifier;
typedef struct NotifierList NotifierList;
typedef struct NotifierWithReturn NotifierWithReturn;
typedef struct NotifierWithReturnList NotifierWithReturnList;
typedef struct QEMUBH QEMUBH;
typedef struct QEMUIOVector QEMUIOVector;
typedef struct QEMUTimer QEMUTimer;
typedef struct QEMUTimerList QEMUTimerList;
typedef struct QEMUTimerListGroup QEMUTimerListGroup;
typedef struct QemuCond QemuCond;
typedef struct QemuEvent QemuEvent;
typedef struct QemuLockCnt QemuLockCnt;
typedef struct QemuLockable QemuLockable;
typedef struct QemuMutex QemuMutex;
typedef struct QemuRecMutex QemuRecMutex;
typedef struct QemuSemaphore QemuSemaphore;
typedef struct QemuSpin QemuSpin;
typedef struct QemuThread QemuThread;

typedef void IOHandler(void *opaque);
typedef bool AioPollFn(void *opaque);
typedef void QEMUBHFunc(void *opaque);
typedef void EventNotifierHandler(EventNotifier *notifier);

#endif
