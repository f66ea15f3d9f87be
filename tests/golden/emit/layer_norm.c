/* packed 0 scratch 512 bytes */
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
static inline float fold_add_f32x16(f32x16 a) {
  const f32x8 a8 = (f32x8)__builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7) + (f32x8)__builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  const f32x4 a4 = (f32x4)__builtin_shufflevector(a8, a8, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a8, a8, 4, 5, 6, 7);
  const f32x4 a2 = (f32x4)__builtin_shufflevector(a4, a4, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a4, a4, 2, 3, 0, 1);
  const f32x4 a1 = (f32x4)__builtin_shufflevector(a2, a2, 0, 1, 2, 3) + (f32x4)__builtin_shufflevector(a2, a2, 1, 2, 3, 0);
  return a1[0];
}
static inline float sqrt_f32(float a) { return __builtin_sqrtf(a); }
static inline float rsqrt_f32(float a) { return 1 / sqrt_f32(a); }
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    char *tile = (char *)scratch + 0L + omp_get_thread_num() * 256L;
    {
      float *restrict s0 = (float *)(tile + 0L);
      float *restrict s1 = (float *)(tile + 64L);
      float *restrict s2 = (float *)(tile + 128L);
      float *restrict s3 = (float *)(tile + 192L);
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      const float *restrict a2 = (const float *)args[2];
      float *restrict s4 = (float *)args[3];
      #pragma omp for schedule(static)
      for (long i0 = 0; i0 < 34; i0 += 1) {
        const long i_s0 = i0 < 33 ? i0 : 33;
        {
          const float *restrict a0 = (const float *)args[0];
          f32x16 acc_0_0, acc_0_1, acc_0_2;
          {
            acc_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_2 = ((float)(0.0f) - (f32x16){0});
          }
          {
            const float *P0 = a0 + i_s0*48L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            acc_0_0 = (acc_0_0 + V0);
            const f32x16 V1 = *(const f32x16 *)(P0 + 16);
            acc_0_1 = (acc_0_1 + V1);
            const f32x16 V2 = *(const f32x16 *)(P0 + 32);
            acc_0_2 = (acc_0_2 + V2);
          }
          {
            s0[0] = fold_add_f32x16(((acc_0_0 + acc_0_1) + acc_0_2));
          }
        }
        const long i_s1 = i0 < 33 ? i0 : 33;
        {
          {
            const float *P0 = s0 + -i_s0+i_s1;
            const float V0 = P0[0];
            const float V1 = (V0 / 48.0f);
            s1[0] = V1;
          }
        }
        const long i_s2 = i0 < 33 ? i0 : 33;
        {
          const float *restrict a0 = (const float *)args[0];
          f32x16 acc_0_0, acc_0_1, acc_0_2;
          {
            acc_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_2 = ((float)(0.0f) - (f32x16){0});
          }
          {
            const float *P0 = a0 + i_s2*48L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const float *P1 = s1 + -i_s1+i_s2;
            const float V1 = P1[0];
            const f32x16 V2 = (V0 - V1);
            const f32x16 V3 = (V2 * V2);
            acc_0_0 = (acc_0_0 + V3);
            const f32x16 V4 = *(const f32x16 *)(P0 + 16);
            const f32x16 V5 = (V4 - V1);
            const f32x16 V6 = (V5 * V5);
            acc_0_1 = (acc_0_1 + V6);
            const f32x16 V7 = *(const f32x16 *)(P0 + 32);
            const f32x16 V8 = (V7 - V1);
            const f32x16 V9 = (V8 * V8);
            acc_0_2 = (acc_0_2 + V9);
          }
          {
            s2[0] = fold_add_f32x16(((acc_0_0 + acc_0_1) + acc_0_2));
          }
        }
        const long i_s3 = i0 < 33 ? i0 : 33;
        {
          {
            const float *P0 = s2 + -i_s2+i_s3;
            const float V0 = P0[0];
            const float V1 = (V0 / 48.0f);
            const float V2 = (V1 + 0x1.4f8b580000000p-17f);
            const float V3 = rsqrt_f32(V2);
            s3[0] = V3;
          }
        }
        {
          const float *P0 = a0 + i0*48L;
          const f32x16 V0 = *(const f32x16 *)(P0 + 0);
          const float *P1 = s1 + i0-i_s1;
          const float V1 = P1[0];
          const f32x16 V2 = (V0 - V1);
          const float *P2 = s3 + i0-i_s3;
          const float V3 = P2[0];
          const f32x16 V4 = (V2 * V3);
          const f32x16 V5 = *(const f32x16 *)(a1 + 0);
          const f32x16 V6 = (V4 * V5);
          const f32x16 V7 = *(const f32x16 *)(a2 + 0);
          const f32x16 V8 = (V6 + V7);
          float *P3 = s4 + i0*48L;
          *(f32x16 *)(P3 + 0) = V8;
          const f32x16 V9 = *(const f32x16 *)(P0 + 16);
          const f32x16 V10 = (V9 - V1);
          const f32x16 V11 = (V10 * V3);
          const f32x16 V12 = *(const f32x16 *)(a1 + 16);
          const f32x16 V13 = (V11 * V12);
          const f32x16 V14 = *(const f32x16 *)(a2 + 16);
          const f32x16 V15 = (V13 + V14);
          *(f32x16 *)(P3 + 16) = V15;
          const f32x16 V16 = *(const f32x16 *)(P0 + 32);
          const f32x16 V17 = (V16 - V1);
          const f32x16 V18 = (V17 * V3);
          const f32x16 V19 = *(const f32x16 *)(a1 + 32);
          const f32x16 V20 = (V18 * V19);
          const f32x16 V21 = *(const f32x16 *)(a2 + 32);
          const f32x16 V22 = (V20 + V21);
          *(f32x16 *)(P3 + 32) = V22;
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
