/* What a runner needs in C: the timed loop, the machine's pulse, and words for a bad access.
   Compiled once by `build`, loaded beside every candidate; it allocates nothing. */
#define _GNU_SOURCE
#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

typedef int32_t run_t(void *const *args, const void *packed, void *scratch);

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_RAW, &t);
  return t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds that `n` calls take, or -1 when one reports an error. The sets of operands are used in turn:
   one set stays warm, sets beyond the last cache are cold. */
int64_t ansord_time(run_t *run, void *const *const *args, const void *const *packed, int32_t sets, void *scratch,
                    int64_t n) {
  int32_t status = 0;
  fesetenv(FE_DFL_ENV); /* a candidate before may have left flush-to-zero or another rounding behind */
  int64_t start = now();
  for (int64_t i = 0, s = 0; i < n; i++) {
    status |= run(args[s], packed[s], scratch);
    s = s + 1 < sets ? s + 1 : 0;
  }
  int64_t took = now() - start;
  return status ? -1 : took;
}

/* One parallel region of `ns` nanoseconds. Fresh threads share a core until the scheduler has seen them busy. */
void ansord_spread(int32_t threads, int64_t ns) {
  int64_t end = now() + ns;
#pragma omp parallel num_threads(threads)
  while (now() < end)
    __asm__ volatile("");
}

#if defined(__AVX512F__)
enum { WIDTH = 64 };
#elif defined(__AVX__)
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif

/* Multiply-adds a second of all threads at once, during `seconds`: half of what it was means that the cores are
   half as many as they seem (two virtual ones on one real core), which no counter of this machine tells. */
double ansord_pulse(int32_t threads, double seconds) {
  typedef float v __attribute__((vector_size(WIDTH)));
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    v a = {0}, b = {1}, c = {2}, d = {3}, e = {4}, f = {5}, g = {6}, h = {7}, i = {8}, j = {9}, x = {1}, y = {2};
    __asm__ volatile("" : "+m"(x), "+m"(y));
    int64_t rounds = 0, took, limit = (int64_t)(seconds * 1e9);
#pragma omp barrier
    int64_t start = now();
    do {
      for (int k = 0; k < 256; k++) {
        a = a * x + y, b = b * x + y, c = c * x + y, d = d * x + y, e = e * x + y;
        f = f * x + y, g = g * x + y, h = h * x + y, i = i * x + y, j = j * x + y;
      }
      rounds += 256;
    } while ((took = now() - start) < limit);
    a += b + c + d + e + f + g + h + i + j;
    __asm__ volatile("" : : "m"(a));
    rate += 10.0 * (double)rounds / (double)took * 1e9;
  }
  return rate;
}

/* A mapping between guards: [low, high) is mapped for the operand [begin, end) alone. */
struct region {
  uintptr_t low, begin, end, high;
  char name[96];
};

static const struct region *regions;
static int32_t count;

static void report(int number, siginfo_t *info, void *context) {
  char text[256];
  uintptr_t at = (uintptr_t)info->si_addr;
  const char *how = "touches";
#if defined(__x86_64__)
  how = ((ucontext_t *)context)->uc_mcontext.gregs[REG_ERR] & 2 ? "writes" : "reads";
#endif
  int size = 0;
  for (int32_t i = 0; i < count && !size; i++) {
    const struct region *r = &regions[i];
    if (at < r->low || at >= r->high)
      continue;
    if (at >= r->begin && at < r->end)
      size = snprintf(text, sizeof text, "it %s %s, which it must not\n", how, r->name);
    else
      size = snprintf(text, sizeof text, "it %s byte %ld of %s, which has %ld bytes\n", how,
                      (long)(at - r->begin), r->name, (long)(r->end - r->begin));
  }
  if (!size)
    size = snprintf(text, sizeof text, "it %s address %p\n", how, info->si_addr);
  if (write(2, text, (size_t)size) < 0)
    _exit(99);
  signal(number, SIG_DFL); /* the access is repeated on return, and then ends the process by its signal */
}

/* Describe bad accesses to `n` regions on standard error before the process dies. */
int32_t ansord_watch(const struct region *table, int32_t n) {
  static char stack[16384];
  stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
  struct sigaction action = {.sa_sigaction = report, .sa_flags = SA_SIGINFO | SA_ONSTACK};
  regions = table;
  count = n;
  return sigaltstack(&other, 0) | sigaction(SIGSEGV, &action, 0) | sigaction(SIGBUS, &action, 0);
}
