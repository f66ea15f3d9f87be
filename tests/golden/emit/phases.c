/* packed 3072 scratch 1088 bytes */
#if defined(__AVX512F__)
#define PIN(x) __asm__("" : "+v"(x))
#elif defined(__x86_64__)
#define PIN(x) if (sizeof(x) <= 32) __asm__("" : "+x"(x))
#else
#define PIN(x) __asm__("" : "+w"(x))
#endif
extern int omp_get_thread_num(void);
typedef float f32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef double f64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __INT8_TYPE__ i8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __UINT8_TYPE__ u8x16 __attribute__((vector_size(16), aligned(1), may_alias));
typedef __INT32_TYPE__ i32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __UINT32_TYPE__ u32x16 __attribute__((vector_size(64), aligned(4), may_alias));
typedef __INT64_TYPE__ i64x16 __attribute__((vector_size(128), aligned(8), may_alias));
typedef __UINT64_TYPE__ u64x16 __attribute__((vector_size(128), aligned(8), may_alias));
static inline f32x16 pick_f32x16(i32x16 c, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & c) + ((i32x16)b & ~c)); }
static inline f32x16 fill_f32x16(float a) { return a - (f32x16){0}; }
static inline f32x16 relu_f32x16(f32x16 a) { return pick_f32x16(a < 0, fill_f32x16(0), a); }
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      const float *restrict a1_s0_0 = (const float *)((char *)packed + 0L);
      #pragma omp for schedule(static)
      for (long w0 = 0; w0 < 9; w0 += 5) {
        if (w0 + 5 <= 9) {
          f32x16 acc_0_0, acc_1_0, acc_2_0, acc_3_0, acc_4_0;
          {
            acc_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_3_0 = ((float)(0.0f) - (f32x16){0});
            acc_4_0 = ((float)(0.0f) - (f32x16){0});
          }
          for (long c1 = 0; c1 < 16; c1 += 1) {
            {
              const float *P0 = a0 + c1+w0*16L;
              const float V0 = P0[0];
              const float *P1 = a1_s0_0 + c1*16L;
              const f32x16 V1 = *(const f32x16 *)(P1 + 0);
              const f32x16 V2 = (V0 * V1);
              acc_0_0 = (acc_0_0 + V2);
              const float V3 = P0[16];
              const f32x16 V4 = (V3 * V1);
              acc_1_0 = (acc_1_0 + V4);
              const float V5 = P0[32];
              const f32x16 V6 = (V5 * V1);
              acc_2_0 = (acc_2_0 + V6);
              const float V7 = P0[48];
              const f32x16 V8 = (V7 * V1);
              acc_3_0 = (acc_3_0 + V8);
              const float V9 = P0[64];
              const f32x16 V10 = (V9 * V1);
              acc_4_0 = (acc_4_0 + V10);
            }
          }
          {
            float *P0 = s0 + w0*16L;
            *(f32x16 *)(P0 + 0) = acc_0_0;
            *(f32x16 *)(P0 + 16) = acc_1_0;
            *(f32x16 *)(P0 + 32) = acc_2_0;
            *(f32x16 *)(P0 + 48) = acc_3_0;
            *(f32x16 *)(P0 + 64) = acc_4_0;
          }
        }
        else {
          f32x16 acc_0_0, acc_1_0, acc_2_0, acc_3_0;
          {
            acc_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_3_0 = ((float)(0.0f) - (f32x16){0});
          }
          for (long c1 = 0; c1 < 16; c1 += 1) {
            {
              const float *P0 = a0 + c1+w0*16L;
              const float V0 = P0[0];
              const float *P1 = a1_s0_0 + c1*16L;
              const f32x16 V1 = *(const f32x16 *)(P1 + 0);
              const f32x16 V2 = (V0 * V1);
              acc_0_0 = (acc_0_0 + V2);
              const float V3 = P0[16];
              const f32x16 V4 = (V3 * V1);
              acc_1_0 = (acc_1_0 + V4);
              const float V5 = P0[32];
              const f32x16 V6 = (V5 * V1);
              acc_2_0 = (acc_2_0 + V6);
              const float V7 = P0[48];
              const f32x16 V8 = (V7 * V1);
              acc_3_0 = (acc_3_0 + V8);
            }
          }
          {
            float *P0 = s0 + w0*16L;
            *(f32x16 *)(P0 + 0) = acc_0_0;
            *(f32x16 *)(P0 + 16) = acc_1_0;
            *(f32x16 *)(P0 + 32) = acc_2_0;
            *(f32x16 *)(P0 + 48) = acc_3_0;
          }
        }
      }
    }
    {
      const float *restrict a0 = (const float *)args[0];
      const float *restrict a1 = (const float *)args[1];
      float *restrict s1 = (float *)((char *)scratch + 576L);
      const float *restrict a1_s1_0 = (const float *)((char *)packed + 1024L);
      #pragma omp for schedule(static)
      for (long w0 = 0; w0 < 8; w0 += 4) {
        f32x16 acc_0_0, acc_1_0, acc_2_0, acc_3_0;
        {
          acc_0_0 = ((float)(0.0f) - (f32x16){0});
          acc_1_0 = ((float)(0.0f) - (f32x16){0});
          acc_2_0 = ((float)(0.0f) - (f32x16){0});
          acc_3_0 = ((float)(0.0f) - (f32x16){0});
        }
        for (long kw1 = 0; kw1 < 2; kw1 += 1) {
          for (long c1 = 0; c1 < 16; c1 += 1) {
            {
              const float *P0 = a0 + c1-kw1*16L+w0*16L;
              const float V0 = P0[16];
              const float *P1 = a1_s1_0 + c1*16L+kw1*256L;
              const f32x16 V1 = *(const f32x16 *)(P1 + 0);
              const f32x16 V2 = (V0 * V1);
              acc_0_0 = (acc_0_0 + V2);
              const float V3 = P0[32];
              const f32x16 V4 = (V3 * V1);
              acc_1_0 = (acc_1_0 + V4);
              const float V5 = P0[48];
              const f32x16 V6 = (V5 * V1);
              acc_2_0 = (acc_2_0 + V6);
              const float V7 = P0[64];
              const f32x16 V8 = (V7 * V1);
              acc_3_0 = (acc_3_0 + V8);
            }
          }
        }
        {
          float *P0 = s1 + w0*16L;
          *(f32x16 *)(P0 + 0) = acc_0_0;
          *(f32x16 *)(P0 + 16) = acc_1_0;
          *(f32x16 *)(P0 + 32) = acc_2_0;
          *(f32x16 *)(P0 + 48) = acc_3_0;
        }
      }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict s1 = (const float *)((char *)scratch + 576L);
      const float *restrict a2 = (const float *)args[2];
      float *restrict s4 = (float *)args[3];
      #pragma omp for schedule(static)
      for (long w0 = 0; w0 < 17; w0 += 2) {
        {
          const float *P0 = s0 + w0*8L;
          const f32x16 V0 = *(const f32x16 *)(P0 + 0);
          const f32x16 V1 = *(const f32x16 *)(a2 + 0);
          const f32x16 V2 = (V0 + V1);
          const f32x16 V3 = relu_f32x16(V2);
          float *P1 = s4 + w0*16L;
          *(f32x16 *)(P1 + 0) = V3;
          if (w0+1 < 17) {
            const float *P2 = s1 + w0*8L;
            const f32x16 V4 = *(const f32x16 *)(P2 + 0);
            const f32x16 V5 = (V4 + V1);
            const f32x16 V6 = relu_f32x16(V5);
            *(f32x16 *)(P1 + 16) = V6;
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
    for (long o_block = 0; o_block < 1; o_block++)
      for (long c_chunk = 0; c_chunk < 1; c_chunk++)
        for (long c_step = 0; c_step < 16; c_step++)
          {
            const long o = o_block*16L;
            const long c = c_chunk*16L + c_step;
            float *restrict to = into + o_block*256L + c_chunk*256L + c_step*16L;
            const long filled = 1 ? (o + 16 <= 16 ? 16 : 16 - o) : 0;
            const float *at = from + c*16L+o+256;
            if (filled == 16) __builtin_memcpy(to, at, 64);
            else
            {
              for (long i = 0; i < filled; i++) to[i] = at[i*1L];
              for (long i = filled; i < 16; i++) to[i] = 0;
            }
          }
  }
  {
    const float *restrict from = (const float *)constants[0];
    float *restrict into = (float *)((char *)packed + 1024L);
    for (long o_block = 0; o_block < 1; o_block++)
      for (long kw_chunk = 0; kw_chunk < 1; kw_chunk++)
        for (long c_chunk = 0; c_chunk < 1; c_chunk++)
          for (long kw_step = 0; kw_step < 2; kw_step++)
            for (long c_step = 0; c_step < 16; c_step++)
              {
                const long o = o_block*16L;
                const long kw = kw_chunk*2L + kw_step;
                const long c = c_chunk*16L + c_step;
                float *restrict to = into + o_block*512L + kw_chunk*512L + c_chunk*512L + kw_step*256L + c_step*16L;
                const long filled = 1 ? (o + 16 <= 16 ? 16 : 16 - o) : 0;
                const float *at = from + c*16L+kw*512L+o;
                if (filled == 16) __builtin_memcpy(to, at, 64);
                else
                {
                  for (long i = 0; i < filled; i++) to[i] = at[i*1L];
                  for (long i = filled; i < 16; i++) to[i] = 0;
                }
              }
  }
  return 0;
}
