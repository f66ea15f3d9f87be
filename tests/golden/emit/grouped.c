/* packed 4608 scratch 0 bytes */
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
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      float *restrict s0 = (float *)args[2];
      const float *restrict a1_s0_0 = (const float *)((char *)packed + 0L);
      #pragma omp for schedule(static)
      for (long g0 = 0; g0 < 4; g0 += 1) {
        for (long h0 = 0; h0 < 5; h0 += 1) {
          f32x8 acc_0_0_0_0, acc_0_1_0_0, acc_0_2_0_0, acc_0_3_0_0, acc_0_4_0_0;
          {
            acc_0_0_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_1_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_2_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_3_0_0 = ((float)(0.0f) - (f32x8){0});
            acc_0_4_0_0 = ((float)(0.0f) - (f32x8){0});
          }
          for (long kh1 = 0; kh1 < 3; kh1 += 1) {
            for (long c1 = 0; c1 < 4; c1 += 1) {
              {
                const float *P0 = a0 + c1+g0*4L+h0*112L+kh1*112L;
                const float V0 = P0[0];
                const float *P1 = a1_s0_0 + c1*8L+g0*288L+kh1*96L;
                const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                const f32x8 V2 = (V0 * V1);
                acc_0_0_0_0 = (acc_0_0_0_0 + V2);
                const float V3 = P0[16];
                const f32x8 V4 = (V3 * V1);
                acc_0_1_0_0 = (acc_0_1_0_0 + V4);
                const float V5 = P0[32];
                const f32x8 V6 = (V5 * V1);
                acc_0_2_0_0 = (acc_0_2_0_0 + V6);
                const float V7 = P0[48];
                const f32x8 V8 = (V7 * V1);
                acc_0_3_0_0 = (acc_0_3_0_0 + V8);
                const float V9 = P0[64];
                const f32x8 V10 = (V9 * V1);
                acc_0_4_0_0 = (acc_0_4_0_0 + V10);
                const f32x8 V11 = *(const f32x8 *)(P1 + 32);
                const f32x8 V12 = (V3 * V11);
                acc_0_0_0_0 = (acc_0_0_0_0 + V12);
                const f32x8 V13 = (V5 * V11);
                acc_0_1_0_0 = (acc_0_1_0_0 + V13);
                const f32x8 V14 = (V7 * V11);
                acc_0_2_0_0 = (acc_0_2_0_0 + V14);
                const f32x8 V15 = (V9 * V11);
                acc_0_3_0_0 = (acc_0_3_0_0 + V15);
                const float V16 = P0[80];
                const f32x8 V17 = (V16 * V11);
                acc_0_4_0_0 = (acc_0_4_0_0 + V17);
                const f32x8 V18 = *(const f32x8 *)(P1 + 64);
                const f32x8 V19 = (V5 * V18);
                acc_0_0_0_0 = (acc_0_0_0_0 + V19);
                const f32x8 V20 = (V7 * V18);
                acc_0_1_0_0 = (acc_0_1_0_0 + V20);
                const f32x8 V21 = (V9 * V18);
                acc_0_2_0_0 = (acc_0_2_0_0 + V21);
                const f32x8 V22 = (V16 * V18);
                acc_0_3_0_0 = (acc_0_3_0_0 + V22);
                const float V23 = P0[96];
                const f32x8 V24 = (V23 * V18);
                acc_0_4_0_0 = (acc_0_4_0_0 + V24);
              }
            }
          }
          {
            float *P0 = s0 + g0*8L+h0*160L;
            *(f32x8 *)(P0 + 0) = acc_0_0_0_0;
            *(f32x8 *)(P0 + 32) = acc_0_1_0_0;
            *(f32x8 *)(P0 + 64) = acc_0_2_0_0;
            *(f32x8 *)(P0 + 96) = acc_0_3_0_0;
            *(f32x8 *)(P0 + 128) = acc_0_4_0_0;
          }
        }
      }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {
  {
    const float *restrict from = (const float *)constants[0];
    float *restrict into = (float *)((char *)packed + 0L);
    for (long g_block = 0; g_block < 4; g_block++)
      for (long o_block = 0; o_block < 1; o_block++)
        for (long kh_chunk = 0; kh_chunk < 1; kh_chunk++)
          for (long kw_chunk = 0; kw_chunk < 1; kw_chunk++)
            for (long c_chunk = 0; c_chunk < 1; c_chunk++)
              for (long kh_step = 0; kh_step < 3; kh_step++)
                for (long kw_step = 0; kw_step < 3; kw_step++)
                  for (long c_step = 0; c_step < 4; c_step++)
                    for (long g_point = 0; g_point < 1; g_point++)
                      {
                        const long g = g_block*1L + g_point;
                        const long o = o_block*8L;
                        const long kh = kh_chunk*3L + kh_step;
                        const long kw = kw_chunk*3L + kw_step;
                        const long c = c_chunk*4L + c_step;
                        float *restrict to = into + g_block*288L + o_block*288L + kh_chunk*288L + kw_chunk*288L + c_chunk*288L + kh_step*96L + kw_step*32L + c_step*8L + g_point*8L;
                        const long filled = 1 ? (o + 8 <= 8 ? 8 : 8 - o) : 0;
                        const float *at = from + c*32L+g*8L+kh*384L+kw*128L+o;
                        if (filled == 8) __builtin_memcpy(to, at, 32);
                        else
                        {
                          for (long i = 0; i < filled; i++) to[i] = at[i*1L];
                          for (long i = filled; i < 8; i++) to[i] = 0;
                        }
                      }
  }
  return 0;
}
