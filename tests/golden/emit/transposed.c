/* packed 8192 scratch 2304 bytes */
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
      for (long j0 = 0; j0 < 6; j0 += 1) {
        for (long k0 = 0; k0 < 6; k0 += 1) {
          {
            const f32x16 V0 = (((((j0 >= 1L) && (j0 < 5L)) && (k0 >= 1L)) && (k0 < 5L)) ? (f32x16)*(const f32x16 *)(a0 + j0*64L+k0*16L-80) : (f32x16)((float)(0.0f) - (f32x16){0}));
            float *P0 = s0 + j0*96L+k0*16L;
            *(f32x16 *)(P0 + 0) = V0;
          }
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1 = (const float *)args[1];
      float *restrict s1 = (float *)args[2];
      const float *restrict a1_s1_0 = (const float *)((char *)packed + 0L);
      #pragma omp for collapse(2) schedule(static)
      for (long ph0 = 0; ph0 < 2; ph0 += 1)
        for (long pw0 = 0; pw0 < 2; pw0 += 1) {
          for (long h0 = 0; h0 < 4; h0 += 2) {
            f32x8 acc_0_0_0_0_0, acc_0_0_0_1_0, acc_0_0_0_2_0, acc_0_0_0_3_0, acc_0_0_1_0_0, acc_0_0_1_1_0, acc_0_0_1_2_0, acc_0_0_1_3_0;
            {
              acc_0_0_0_0_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_0_1_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_0_2_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_0_3_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_1_0_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_1_1_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_1_2_0 = ((float)(0.0f) - (f32x8){0});
              acc_0_0_1_3_0 = ((float)(0.0f) - (f32x8){0});
            }
            for (long kh1 = 0; kh1 < 2; kh1 += 1) {
              for (long kw1 = 0; kw1 < 2; kw1 += 1) {
                for (long c1 = 0; c1 < 16; c1 += 1) {
                  {
                    const float *P0 = s0 + c1+h0*96L-kh1*96L-kw1*16L+((ph0+1)/2)*96L+((pw0+1)/2)*16L;
                    const float V0 = P0[112];
                    const float *P1 = a1_s1_0 + c1*8L+kh1*256L+kw1*128L+ph0*1024L+pw0*512L;
                    const f32x8 V1 = *(const f32x8 *)(P1 + 0);
                    const f32x8 V2 = (V0 * V1);
                    acc_0_0_0_0_0 = (acc_0_0_0_0_0 + V2);
                    const float V3 = P0[128];
                    const f32x8 V4 = (V3 * V1);
                    acc_0_0_0_1_0 = (acc_0_0_0_1_0 + V4);
                    const float V5 = P0[144];
                    const f32x8 V6 = (V5 * V1);
                    acc_0_0_0_2_0 = (acc_0_0_0_2_0 + V6);
                    const float V7 = P0[160];
                    const f32x8 V8 = (V7 * V1);
                    acc_0_0_0_3_0 = (acc_0_0_0_3_0 + V8);
                    const float V9 = P0[208];
                    const f32x8 V10 = (V9 * V1);
                    acc_0_0_1_0_0 = (acc_0_0_1_0_0 + V10);
                    const float V11 = P0[224];
                    const f32x8 V12 = (V11 * V1);
                    acc_0_0_1_1_0 = (acc_0_0_1_1_0 + V12);
                    const float V13 = P0[240];
                    const f32x8 V14 = (V13 * V1);
                    acc_0_0_1_2_0 = (acc_0_0_1_2_0 + V14);
                    const float V15 = P0[256];
                    const f32x8 V16 = (V15 * V1);
                    acc_0_0_1_3_0 = (acc_0_0_1_3_0 + V16);
                  }
                }
              }
            }
            {
              float *P0 = s1 + h0*128L+ph0*64L+pw0*8L;
              *(f32x8 *)(P0 + 0) = acc_0_0_0_0_0;
              *(f32x8 *)(P0 + 16) = acc_0_0_0_1_0;
              *(f32x8 *)(P0 + 32) = acc_0_0_0_2_0;
              *(f32x8 *)(P0 + 48) = acc_0_0_0_3_0;
              *(f32x8 *)(P0 + 128) = acc_0_0_1_0_0;
              *(f32x8 *)(P0 + 144) = acc_0_0_1_1_0;
              *(f32x8 *)(P0 + 160) = acc_0_0_1_2_0;
              *(f32x8 *)(P0 + 176) = acc_0_0_1_3_0;
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
    for (long ph_block = 0; ph_block < 2; ph_block++)
      for (long pw_block = 0; pw_block < 2; pw_block++)
        for (long o_block = 0; o_block < 1; o_block++)
          for (long kh_chunk = 0; kh_chunk < 1; kh_chunk++)
            for (long kw_chunk = 0; kw_chunk < 1; kw_chunk++)
              for (long c_chunk = 0; c_chunk < 1; c_chunk++)
                for (long kh_step = 0; kh_step < 2; kh_step++)
                  for (long kw_step = 0; kw_step < 2; kw_step++)
                    for (long c_step = 0; c_step < 16; c_step++)
                      for (long ph_point = 0; ph_point < 1; ph_point++)
                        for (long pw_point = 0; pw_point < 1; pw_point++)
                          {
                            const long ph = ph_block*1L + ph_point;
                            const long pw = pw_block*1L + pw_point;
                            const long o = o_block*8L;
                            const long kh = kh_chunk*2L + kh_step;
                            const long kw = kw_chunk*2L + kw_step;
                            const long c = c_chunk*16L + c_step;
                            float *restrict to = into + ph_block*1024L + pw_block*512L + o_block*512L + kh_chunk*512L + kw_chunk*512L + c_chunk*512L + kh_step*256L + kw_step*128L + c_step*8L + ph_point*8L + pw_point*8L;
                            const long filled = 1 ? (o + 8 <= 8 ? 8 : 8 - o) : 0;
                            const float *at = from + c*8L+kh*1024L+kw*256L+o+((ph+1)%2)*512L+((pw+1)%2)*128L;
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
