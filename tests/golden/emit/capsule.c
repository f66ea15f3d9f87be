/* packed 0 scratch 8192 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
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
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    #pragma omp single
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      for (long j0 = 0; j0 < 8; j0 += 1) {
        for (long k0 = 0; k0 < 8; k0 += 1) {
          for (long l0 = 0; l0 < 2; l0 += 1) {
            for (long m0 = 0; m0 < 2; m0 += 1) {
              {
                const f32x8 V0 = (((((j0 >= 1L) && (j0 < 7L)) && (k0 >= 1L)) && (k0 < 7L)) ? (f32x8)*(const f32x8 *)(a0 + j0*192L+k0*32L+l0*16L+m0*8L-224) : (f32x8)((float)(0.0f) - (f32x8){0}));
                float *P0 = s0 + j0*256L+k0*32L+l0*16L+m0*8L;
                *(f32x8 *)(P0 + 0) = V0;
              }
            }
          }
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1 = (const float *)args[1];
      float *restrict s1 = (float *)args[2];
      #pragma omp for schedule(static)
      for (long j0 = 0; j0 < 3; j0 += 1) {
        for (long m0 = 0; m0 < 2; m0 += 1) {
          f32x16 acc_0_0_0_0_0, acc_0_0_1_0_0, acc_0_1_0_0_0, acc_0_1_1_0_0, acc_0_2_0_0_0, acc_0_2_1_0_0;
          {
            acc_0_0_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_0_1_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_1_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_1_0_0 = ((float)(0.0f) - (f32x16){0});
          }
          for (long u1 = 0; u1 < 3; u1 += 1) {
            for (long v1 = 0; v1 < 3; v1 += 1) {
              for (long y1 = 0; y1 < 8; y1 += 1) {
                {
                  const float *P0 = s0 + j0*512L+u1*256L+v1*32L+y1;
                  const float V0 = P0[0];
                  const float *P1 = a1 + m0*128L+u1*1536L+v1*512L+y1*16L;
                  const f32x16 V1 = *(const f32x16 *)(P1 + 0);
                  const f32x16 V2 = (V0 * V1);
                  acc_0_0_0_0_0 = (acc_0_0_0_0_0 + V2);
                  const float V3 = P0[16];
                  const f32x16 V4 = (V3 * V1);
                  acc_0_0_1_0_0 = (acc_0_0_1_0_0 + V4);
                  const float V5 = P0[64];
                  const f32x16 V6 = (V5 * V1);
                  acc_0_1_0_0_0 = (acc_0_1_0_0_0 + V6);
                  const float V7 = P0[80];
                  const f32x16 V8 = (V7 * V1);
                  acc_0_1_1_0_0 = (acc_0_1_1_0_0 + V8);
                  const float V9 = P0[128];
                  const f32x16 V10 = (V9 * V1);
                  acc_0_2_0_0_0 = (acc_0_2_0_0_0 + V10);
                  const float V11 = P0[144];
                  const f32x16 V12 = (V11 * V1);
                  acc_0_2_1_0_0 = (acc_0_2_1_0_0 + V12);
                  const float V13 = P0[8];
                  const f32x16 V14 = *(const f32x16 *)(P1 + 256);
                  const f32x16 V15 = (V13 * V14);
                  acc_0_0_0_0_0 = (acc_0_0_0_0_0 + V15);
                  const float V16 = P0[24];
                  const f32x16 V17 = (V16 * V14);
                  acc_0_0_1_0_0 = (acc_0_0_1_0_0 + V17);
                  const float V18 = P0[72];
                  const f32x16 V19 = (V18 * V14);
                  acc_0_1_0_0_0 = (acc_0_1_0_0_0 + V19);
                  const float V20 = P0[88];
                  const f32x16 V21 = (V20 * V14);
                  acc_0_1_1_0_0 = (acc_0_1_1_0_0 + V21);
                  const float V22 = P0[136];
                  const f32x16 V23 = (V22 * V14);
                  acc_0_2_0_0_0 = (acc_0_2_0_0_0 + V23);
                  const float V24 = P0[152];
                  const f32x16 V25 = (V24 * V14);
                  acc_0_2_1_0_0 = (acc_0_2_1_0_0 + V25);
                }
              }
            }
          }
          {
            float *P0 = s1 + j0*192L+m0*16L;
            *(f32x16 *)(P0 + 0) = acc_0_0_0_0_0;
            *(f32x16 *)(P0 + 32) = acc_0_0_1_0_0;
            *(f32x16 *)(P0 + 64) = acc_0_1_0_0_0;
            *(f32x16 *)(P0 + 96) = acc_0_1_1_0_0;
            *(f32x16 *)(P0 + 128) = acc_0_2_0_0_0;
            *(f32x16 *)(P0 + 160) = acc_0_2_1_0_0;
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
