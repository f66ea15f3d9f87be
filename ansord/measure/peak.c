/* The machine's roofs: multiply-adds a second by type, bytes a second by working set. Loaded by a runner.
   Every thread works for itself; the rates of all are added. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#include <immintrin.h>
#endif

#if defined(__AVX512F__)
enum { WIDTH = 64 };
#elif defined(__AVX__)
enum { WIDTH = 32 };
#else
enum { WIDTH = 16 };
#endif

/* Independent accumulators: more than latency times pipes (4 × 2 on x86, 4 × 4 on the widest Arm cores), few
   enough for the registers. */
#define DOZEN(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11)
#if defined(__AVX512F__) || defined(__aarch64__)
#define EACH(X) DOZEN(X) X(12) X(13) X(14) X(15) X(16) X(17) X(18) X(19)
enum { CHAINS = 20 };
#else
#define EACH(X) DOZEN(X)
enum { CHAINS = 12 };
#endif
enum { ROUNDS = 512 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC_RAW, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static volatile int zero; /* what the compiler cannot know */
#define KEEP(value) __asm__ volatile("" : : "m"(value))
#define AGAIN __asm__ volatile("" : : : "memory") /* memory may have changed: read it once more */

#define DECLARE(i) v a##i = seed + (v){i};
#define STEP(i) a##i = a##i * x + y;
#define SUM(i) seed += a##i;
#define MULTIPLY_ADDS(NAME, TYPE) \
  static double NAME(double seconds) { \
    typedef TYPE v __attribute__((vector_size(WIDTH))); \
    v seed = (v){0} + (TYPE)zero, x = (v){0} + (TYPE)(zero + 1), y = (v){0} + (TYPE)zero; \
    EACH(DECLARE) \
    double start = now(), took; \
    int64_t rounds = 0; \
    do { \
      for (int i = 0; i < ROUNDS; i++) { \
        EACH(STEP) \
      } \
      rounds += ROUNDS; \
    } while ((took = now() - start) < seconds); \
    EACH(SUM) \
    KEEP(seed); \
    return 2.0 * (double)rounds * CHAINS * (WIDTH / sizeof(TYPE)) / took; \
  }
MULTIPLY_ADDS(peak_f32, float)
MULTIPLY_ADDS(peak_f64, double)
MULTIPLY_ADDS(peak_i32, uint32_t)
MULTIPLY_ADDS(peak_i64, uint64_t)

/* Products of bytes added up in 32 bits: the dot-product instruction where there is one. */
#if defined(__AVX512VNNI__) || defined(__AVXVNNI__)
#if defined(__AVX512VNNI__)
typedef __m512i dot;
#define DOT(a) _mm512_dpbusd_epi32(a, x, y)
#else
typedef __m256i dot;
#define DOT(a) _mm256_dpbusd_avx_epi32(a, x, y)
#endif
#define DOT_DECLARE(i) dot a##i = x ^ (dot){i};
#define DOT_STEP(i) a##i = DOT(a##i);
#define DOT_SUM(i) x += a##i;
static double peak_i8(double seconds) {
  dot x = (dot){0} + zero, y = (dot){0} + zero;
  DOZEN(DOT_DECLARE)
  double start = now(), took;
  int64_t rounds = 0;
  do {
    for (int i = 0; i < ROUNDS; i++) {
      DOZEN(DOT_STEP)
    }
    rounds += ROUNDS;
  } while ((took = now() - start) < seconds);
  DOZEN(DOT_SUM)
  KEEP(x);
  return 2.0 * (double)rounds * 12 * sizeof(dot) / took;
}
#else
static double peak_i8(double seconds) { return peak_i32(seconds); }
#endif

typedef long long line __attribute__((vector_size(WIDTH), may_alias));

static double read_bytes(char *from, char *to, int64_t bytes, double seconds) {
  (void)to;
  const line *p = (const line *)from;
  int64_t n = bytes / WIDTH / 8 * 8, passes = 0;
  line s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0}, s4 = {0}, s5 = {0}, s6 = {0}, s7 = {0};
  double start = now(), took;
  do {
    for (int64_t r = 0; r < 1 + (1 << 18) / bytes; r++, passes++) {
      for (int64_t i = 0; i < n; i += 8) {
        s0 += p[i], s1 += p[i + 1], s2 += p[i + 2], s3 += p[i + 3];
        s4 += p[i + 4], s5 += p[i + 5], s6 += p[i + 6], s7 += p[i + 7];
      }
      AGAIN;
    }
  } while ((took = now() - start) < seconds);
  s0 += s1 + s2 + s3 + s4 + s5 + s6 + s7;
  KEEP(s0);
  return (double)passes * (double)n * WIDTH / took;
}

static double copy_bytes(char *from, char *to, int64_t bytes, double seconds) {
  int64_t n = bytes / 2 / WIDTH / 4 * 4, passes = 0; /* both halves together are the working set */
  double start = now(), took;
  do {
    for (int64_t r = 0; r < 1 + (1 << 18) / bytes; r++, passes++) {
      const line *p = (const line *)from;
      line *q = (line *)to;
      for (int64_t i = 0; i < n; i += 4) {
        line a = p[i], b = p[i + 1], c = p[i + 2], d = p[i + 3];
        q[i] = a, q[i + 1] = b, q[i + 2] = c, q[i + 3] = d;
      }
      AGAIN;
    }
  } while ((took = now() - start) < seconds);
  return 2.0 * (double)passes * (double)n * WIDTH / took;
}

static const struct {
  const char *name;
  double (*compute)(double);
  double (*move)(char *, char *, int64_t, double);
} cases[] = {
    {"float32", peak_f32, 0}, {"float64", peak_f64, 0}, {"int32", peak_i32, 0},  {"int64", peak_i64, 0},
    {"int8", peak_i8, 0},     {"read", 0, read_bytes},  {"copy", 0, copy_bytes},
};

int32_t ansord_peak_cases(void) { return sizeof cases / sizeof *cases; }

const char *ansord_peak_name(int32_t which) { return cases[which].name; }

/* Operations, or bytes, a second of `threads` threads; each moves `bytes` of its own, for `seconds`. */
double ansord_peak(int32_t which, int32_t threads, int64_t bytes, double seconds) {
  double rate = 0;
#pragma omp parallel num_threads(threads) reduction(+ : rate)
  {
    char *from = 0, *to = 0;
    if (cases[which].move) {
      int64_t size = (bytes + 4095) / 4096 * 4096;
      from = aligned_alloc(4096, (size_t)size), to = aligned_alloc(4096, (size_t)size);
      if (from && to)
        memset(from, 1, (size_t)size), memset(to, 2, (size_t)size);
    }
#pragma omp barrier
    if (cases[which].compute)
      rate += cases[which].compute(seconds);
    else if (from && to)
      rate += cases[which].move(from, to, bytes, seconds);
    free(from), free(to);
  }
  return rate;
}
