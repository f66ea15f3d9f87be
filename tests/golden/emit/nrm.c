/* packed 0 scratch 64 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
typedef float f32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double f64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x4 __attribute__((vector_size(4), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x4 __attribute__((vector_size(4), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x4 __attribute__((vector_size(16), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x4 __attribute__((vector_size(32), aligned(8), may_alias));
typedef float f32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef double f64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x8 __attribute__((vector_size(8), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x8 __attribute__((vector_size(32), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x8 __attribute__((vector_size(64), aligned(8), may_alias));
typedef float f32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x16 __attribute__((vector_size(128), aligned(8), may_alias));
static inline float fold_add_f32x8(f32x8 a) {
  const f32x4 a4 = (f32x4)__builtin_shufflevector(a, a, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a, a, 4, 5, 6, 7);
  const f32x4 a2 = (f32x4)__builtin_shufflevector(a4, a4, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a4, a4, 2, 3, 0, 1);
  const f32x4 a1 = (f32x4)__builtin_shufflevector(a2, a2, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a2, a2, 1, 2, 3, 0);
  return a1[0];
}
static inline f32x16 pick_f32x16(i32x16 c, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & c) + ((i32x16)b & ~c)); }
static inline i32x16 truth_f32x16(u8x16 a) { return __builtin_convertvector(a, i32x16) != 0; }
static inline f32x16 where_f32x16(u8x16 a, f32x16 b, f32x16 c) { return pick_f32x16(truth_f32x16(a), b, c); }
static inline float fold_add_f32x16(f32x16 a) {
  const f32x8 a8 = (f32x8)__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7) + (f32x8)__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  const f32x4 a4 = (f32x4)__builtin_shufflevector(a8, a8, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a8, a8, 4, 5, 6, 7);
  const f32x4 a2 = (f32x4)__builtin_shufflevector(a4, a4, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a4, a4, 2, 3, 0, 1);
  const f32x4 a1 = (f32x4)__builtin_shufflevector(a2, a2, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a2, a2, 1, 2, 3, 0);
  return a1[0];
}
static inline float sqrt_f32(float a) { return __builtin_sqrtf(a); }
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s1r = (float *)((char *)scratch + 0L);
      #pragma omp for schedule(static)
      for (long f0 = 0; f0 < 8; f0 += 1) {
        f32x8 acc_0_0;
        {
          acc_0_0 = ((float)(0.0f) - (f32x8){0});
        }
        for (long k1 = 0; k1 < 40; k1 += 8) {
          {
            const float *P0 = a0 + f0*120L+k1;
            const f32x8 V0 = *(const f32x8 *)(P0 + 0);
            const f32x8 V1 = (V0 * V0);
            acc_0_0 = (acc_0_0 + V1);
            const f32x8 V2 = *(const f32x8 *)(P0 + 40);
            const f32x8 V3 = (V2 * V2);
            acc_0_0 = (acc_0_0 + V3);
            const f32x8 V4 = *(const f32x8 *)(P0 + 80);
            const f32x8 V5 = (V4 * V4);
            acc_0_0 = (acc_0_0 + V5);
          }
        }
        {
          float *P0 = s1r + f0;
          P0[0] = fold_add_f32x8(acc_0_0);
        }
      }
    }
    #pragma omp single
    {
      const float *restrict s1r = (const float *)((char *)scratch + 0L);
      float *restrict s2 = (float *)args[1];
      f32x16 acc_0;
      {
        acc_0 = ((float)(0.0f) - (f32x16){0});
      }
      {
        f32x16 V0 = {0};
        __builtin_memcpy(&V0, s1r + 0, 32);
        acc_0 = (acc_0 + where_f32x16((u8x16){1, 1, 1, 1, 1, 1, 1, 1}, V0, ((float)(0.0f) - (f32x16){0})));
      }
      {
        const float V0 = sqrt_f32(fold_add_f32x16(acc_0));
        s2[0] = V0;
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
