/* packed 24576 scratch 8448 bytes */
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
static inline f32x16 pick_f32x16(i32x16 c, f32x16 a, f32x16 b) { return (f32x16)(((i32x16)a & c) + ((i32x16)b & ~c)); }
static inline f32x16 fill_f32x16(float a) { return a - (f32x16){0}; }
static inline f32x16 relu_f32x16(f32x16 a) { return pick_f32x16(a < 0, fill_f32x16(0), a); }
static inline f64x8 cast_f64_f32x8(f32x8 a) { return (f64x8)__builtin_convertvector(a, f64x8); }
static inline f32x8 cast_f32_f64x8(f64x8 a) { return (f32x8)__builtin_convertvector(a, f32x8); }
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    #pragma omp single
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s1x = (float *)((char *)scratch + 0L);
      for (long j0 = 0; j0 < 18; j0 += 4) {
        if (j0 + 4 <= 18) {
          {
            if (((j0 >= 1L) && (j0 < 15L))) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V0 = *(const f32x16 *)(P0 + -32);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 0) = V0;
              const f32x16 V1 = *(const f32x16 *)(P0 + -16);
              *(f32x16 *)(P1 + 16) = V1;
            }
            else {
              const f32x16 V2 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 0) = V2;
              *(f32x16 *)(P0 + 16) = V2;
            }
            if ((j0+1 < 15L)) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V3 = *(const f32x16 *)(P0 + 0);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 32) = V3;
              const f32x16 V4 = *(const f32x16 *)(P0 + 16);
              *(f32x16 *)(P1 + 48) = V4;
            }
            else {
              const f32x16 V5 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 32) = V5;
              *(f32x16 *)(P0 + 48) = V5;
            }
            if ((j0+2 < 15L)) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V6 = *(const f32x16 *)(P0 + 32);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 64) = V6;
              const f32x16 V7 = *(const f32x16 *)(P0 + 48);
              *(f32x16 *)(P1 + 80) = V7;
            }
            else {
              const f32x16 V8 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 64) = V8;
              *(f32x16 *)(P0 + 80) = V8;
            }
            if ((j0+3 < 15L)) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V9 = *(const f32x16 *)(P0 + 64);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 96) = V9;
              const f32x16 V10 = *(const f32x16 *)(P0 + 80);
              *(f32x16 *)(P1 + 112) = V10;
            }
            else {
              const f32x16 V11 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 96) = V11;
              *(f32x16 *)(P0 + 112) = V11;
            }
          }
        }
        else {
          {
            if (((j0 >= 1L) && (j0 < 15L))) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V0 = *(const f32x16 *)(P0 + -32);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 0) = V0;
              const f32x16 V1 = *(const f32x16 *)(P0 + -16);
              *(f32x16 *)(P1 + 16) = V1;
            }
            else {
              const f32x16 V2 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 0) = V2;
              *(f32x16 *)(P0 + 16) = V2;
            }
            if ((j0+1 < 15L)) {
              const float *P0 = a0 + j0*32L;
              const f32x16 V3 = *(const f32x16 *)(P0 + 0);
              float *P1 = s1x + j0*32L;
              *(f32x16 *)(P1 + 32) = V3;
              const f32x16 V4 = *(const f32x16 *)(P0 + 16);
              *(f32x16 *)(P1 + 48) = V4;
            }
            else {
              const f32x16 V5 = ((float)(0.0f) - (f32x16){0});
              float *P0 = s1x + j0*32L;
              *(f32x16 *)(P0 + 32) = V5;
              *(f32x16 *)(P0 + 48) = V5;
            }
          }
        }
      }
    }
    {
      const float *restrict s1x = (const float *)((char *)scratch + 0L);
      float *restrict s1v0 = (float *)((char *)scratch + 2304L);
      #pragma omp for schedule(static)
      for (long tw0 = 0; tw0 < 4; tw0 += 1) {
        for (long c0 = 0; c0 < 32; c0 += 16) {
          {
            const float *P0 = s1x + c0+tw0*128L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = *(const f32x16 *)(P0 + 128);
            const f32x16 V2 = (V0 + V1);
            const f32x16 V3 = *(const f32x16 *)(P0 + 64);
            const f32x16 V4 = (V3 * 0x1.58e38e38e38e4p+1f);
            const f32x16 V5 = (V2 - V4);
            float *P1 = s1v0 + c0+tw0*32L;
            *(f32x16 *)(P1 + 0) = V5;
            const f32x16 V6 = (V3 * 0x1.2000000000000p+1f);
            const f32x16 V7 = (V1 - V6);
            const f32x16 V8 = *(const f32x16 *)(P0 + 96);
            const f32x16 V9 = *(const f32x16 *)(P0 + 32);
            const f32x16 V10 = (V9 * 0x1.2000000000000p+1f);
            const f32x16 V11 = (V8 - V10);
            const f32x16 V12 = (V11 * 0x1.5555555555555p-1f);
            const f32x16 V13 = (V7 + V12);
            *(f32x16 *)(P1 + 128) = V13;
            const f32x16 V14 = (V7 - V12);
            *(f32x16 *)(P1 + 256) = V14;
            const f32x16 V15 = (V3 * 0x1.c71c71c71c71cp-2f);
            const f32x16 V16 = (V1 - V15);
            const f32x16 V17 = (V9 * 0x1.c71c71c71c71cp-2f);
            const f32x16 V18 = (V8 - V17);
            const f32x16 V19 = (V18 * 0x1.8000000000000p+0f);
            const f32x16 V20 = (V16 + V19);
            *(f32x16 *)(P1 + 384) = V20;
            const f32x16 V21 = (V16 - V19);
            *(f32x16 *)(P1 + 512) = V21;
            const f32x16 V22 = *(const f32x16 *)(P0 + 160);
            const f32x16 V23 = (V9 + V22);
            const f32x16 V24 = (V8 * 0x1.58e38e38e38e4p+1f);
            const f32x16 V25 = (V23 - V24);
            *(f32x16 *)(P1 + 640) = V25;
          }
        }
      }
    }
    {
      const float *restrict s1v0 = (const float *)((char *)scratch + 2304L);
      const float *restrict s1u0 = (const float *)((char *)packed + 0L);
      float *restrict s1m = (float *)((char *)scratch + 5376L);
      const float *restrict s1u0_s1m_0 = (const float *)((char *)packed + 0L);
      #pragma omp for schedule(static)
      for (long e00 = 0; e00 < 6; e00 += 1) {
        f32x16 acc_0_0_0, acc_0_0_1, acc_0_1_0, acc_0_1_1, acc_0_2_0, acc_0_2_1, acc_0_3_0, acc_0_3_1;
        {
          acc_0_0_0 = ((float)(0.0f) - (f32x16){0});
          acc_0_0_1 = ((float)(0.0f) - (f32x16){0});
          acc_0_1_0 = ((float)(0.0f) - (f32x16){0});
          acc_0_1_1 = ((float)(0.0f) - (f32x16){0});
          acc_0_2_0 = ((float)(0.0f) - (f32x16){0});
          acc_0_2_1 = ((float)(0.0f) - (f32x16){0});
          acc_0_3_0 = ((float)(0.0f) - (f32x16){0});
          acc_0_3_1 = ((float)(0.0f) - (f32x16){0});
        }
        for (long c1 = 0; c1 < 32; c1 += 1) {
          {
            const float *P0 = s1v0 + c1+e00*128L;
            const float V0 = P0[0];
            const float *P1 = s1u0_s1m_0 + c1*32L+e00*1024L;
            const f32x16 V1 = *(const f32x16 *)(P1 + 0);
            const f32x16 V2 = (V0 * V1);
            acc_0_0_0 = (acc_0_0_0 + V2);
            const f32x16 V3 = *(const f32x16 *)(P1 + 16);
            const f32x16 V4 = (V0 * V3);
            acc_0_0_1 = (acc_0_0_1 + V4);
            const float V5 = P0[32];
            const f32x16 V6 = (V5 * V1);
            acc_0_1_0 = (acc_0_1_0 + V6);
            const f32x16 V7 = (V5 * V3);
            acc_0_1_1 = (acc_0_1_1 + V7);
            const float V8 = P0[64];
            const f32x16 V9 = (V8 * V1);
            acc_0_2_0 = (acc_0_2_0 + V9);
            const f32x16 V10 = (V8 * V3);
            acc_0_2_1 = (acc_0_2_1 + V10);
            const float V11 = P0[96];
            const f32x16 V12 = (V11 * V1);
            acc_0_3_0 = (acc_0_3_0 + V12);
            const f32x16 V13 = (V11 * V3);
            acc_0_3_1 = (acc_0_3_1 + V13);
          }
        }
        {
          float *P0 = s1m + e00*128L;
          *(f32x16 *)(P0 + 0) = acc_0_0_0;
          *(f32x16 *)(P0 + 16) = acc_0_0_1;
          *(f32x16 *)(P0 + 32) = acc_0_1_0;
          *(f32x16 *)(P0 + 48) = acc_0_1_1;
          *(f32x16 *)(P0 + 64) = acc_0_2_0;
          *(f32x16 *)(P0 + 80) = acc_0_2_1;
          *(f32x16 *)(P0 + 96) = acc_0_3_0;
          *(f32x16 *)(P0 + 112) = acc_0_3_1;
        }
      }
    }
    {
      const float *restrict s1m = (const float *)((char *)scratch + 5376L);
      const float *restrict a2 = (const float *)args[2];
      float *restrict s3 = (float *)args[3];
      #pragma omp for schedule(static)
      for (long w0 = 0; w0 < 14; w0 += 4) {
        for (long o0 = 0; o0 < 32; o0 += 16) {
          {
            const float *P0 = s1m + o0+w0*8L;
            const f32x16 V0 = *(const f32x16 *)(P0 + 0);
            const f32x16 V1 = *(const f32x16 *)(P0 + 128);
            const f32x16 V2 = *(const f32x16 *)(P0 + 256);
            const f32x16 V3 = (V1 + V2);
            const f32x16 V4 = (V0 + V3);
            const f32x16 V5 = *(const f32x16 *)(P0 + 384);
            const f32x16 V6 = *(const f32x16 *)(P0 + 512);
            const f32x16 V7 = (V5 + V6);
            const f32x16 V8 = (V4 + V7);
            const float *P1 = a2 + o0;
            const f32x16 V9 = *(const f32x16 *)(P1 + 0);
            const f32x16 V10 = (V8 + V9);
            const f32x16 V11 = relu_f32x16(V10);
            float *P2 = s3 + o0+w0*32L;
            *(f32x16 *)(P2 + 0) = V11;
            const f32x16 V12 = (V1 - V2);
            const f32x16 V13 = (V12 * 0x1.5555555555555p-1f);
            const f32x16 V14 = (V5 - V6);
            const f32x16 V15 = (V14 * 0x1.8000000000000p+0f);
            const f32x16 V16 = (V13 + V15);
            const f32x16 V17 = (V16 + V9);
            const f32x16 V18 = relu_f32x16(V17);
            *(f32x16 *)(P2 + 32) = V18;
            if (w0+2 < 14) {
              const f32x16 V19 = (V3 * 0x1.c71c71c71c71cp-2f);
              const f32x16 V20 = (V7 * 0x1.2000000000000p+1f);
              const f32x16 V21 = (V19 + V20);
              const f32x16 V22 = (V21 + V9);
              const f32x16 V23 = relu_f32x16(V22);
              *(f32x16 *)(P2 + 64) = V23;
            }
            if (w0+3 < 14) {
              const f32x16 V24 = *(const f32x16 *)(P0 + 640);
              const f32x16 V25 = (V12 * 0x1.2f684bda12f68p-2f);
              const f32x16 V26 = (V24 + V25);
              const f32x16 V27 = (V14 * 0x1.b000000000000p+1f);
              const f32x16 V28 = (V26 + V27);
              const f32x16 V29 = (V28 + V9);
              const f32x16 V30 = relu_f32x16(V29);
              *(f32x16 *)(P2 + 96) = V30;
            }
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
    const float *restrict a1 = (const float *)constants[0];
    float *restrict s1u0 = (float *)((char *)packed + 0L);
    for (long c0 = 0; c0 < 32; c0 += 1) {
      for (long o0 = 0; o0 < 32; o0 += 8) {
        {
          const float *P0 = a1 + c0*32L+o0;
          const f32x8 V0 = *(const f32x8 *)(P0 + 0);
          const f64x8 V1 = cast_f64_f32x8(V0);
          const f32x8 V2 = cast_f32_f64x8(V1);
          float *P1 = s1u0 + c0*32L+((o0)/8)*8L;
          *(f32x8 *)(P1 + 0) = V2;
          const f64x8 V3 = (V1 * -0x1.3f03f03f03f04p-1);
          const f32x8 V4 = *(const f32x8 *)(P0 + 1024);
          const f64x8 V5 = cast_f64_f32x8(V4);
          const f64x8 V6 = (V5 * 0x1.a95a95a95a95bp-2);
          const f64x8 V7 = (V3 - V6);
          const f32x8 V8 = *(const f32x8 *)(P0 + 2048);
          const f64x8 V9 = cast_f64_f32x8(V8);
          const f64x8 V10 = (V9 * 0x1.1b91b91b91b92p-2);
          const f64x8 V11 = (V7 - V10);
          const f32x8 V12 = cast_f32_f64x8(V11);
          *(f32x8 *)(P1 + 1024) = V12;
          const f64x8 V13 = (V3 + V6);
          const f64x8 V14 = (V13 - V10);
          const f32x8 V15 = cast_f32_f64x8(V14);
          *(f32x8 *)(P1 + 2048) = V15;
          const f64x8 V16 = (V1 * 0x1.f81f81f81f820p-4);
          const f64x8 V17 = (V5 * 0x1.7a17a17a17a18p-3);
          const f64x8 V18 = (V16 + V17);
          const f64x8 V19 = (V18 + V10);
          const f32x8 V20 = cast_f32_f64x8(V19);
          *(f32x8 *)(P1 + 3072) = V20;
          const f64x8 V21 = (V16 - V17);
          const f64x8 V22 = (V21 + V10);
          const f32x8 V23 = cast_f32_f64x8(V22);
          *(f32x8 *)(P1 + 4096) = V23;
          const f32x8 V24 = cast_f32_f64x8(V9);
          *(f32x8 *)(P1 + 5120) = V24;
        }
      }
    }
  }
  return 0;
}
