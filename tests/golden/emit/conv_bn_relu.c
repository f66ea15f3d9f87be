/* packed 18560 scratch 16384 bytes */
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
static inline f32x16 sqrt_f32x16(f32x16 a) {
  f32x16 y;
#if defined(__AVX512F__)
  __asm__("vsqrtps %1, %0" : "=v"(y) : "v"(a));
#else
  for (int i = 0; i < 16; i++) y[i] = __builtin_sqrtf(a[i]);
#endif
  return y;
}
__INT32_TYPE__ ansord_run(void *const *args, const void *packed, void *scratch) {
  #pragma omp parallel num_threads(2)
  {
    {
      const float *restrict a0 = (const float *)args[0];
      float *restrict s0 = (float *)((char *)scratch + 0L);
      #pragma omp for collapse(2) schedule(static)
      for (long j0 = 0; j0 < 16; j0 += 1)
        for (long k0 = 0; k0 < 16; k0 += 4) {
          {
            const f32x16 V0 = (((((j0 >= 1L) && (j0 < 15L)) && (k0 >= 1L)) && (k0 < 15L)) ? (f32x16)*(const f32x16 *)(a0 + j0*224L+k0*16L-240) : (f32x16)((float)(0.0f) - (f32x16){0}));
            float *P0 = s0 + j0*256L+k0*16L;
            *(f32x16 *)(P0 + 0) = V0;
            const f32x16 V1 = ((((j0 >= 1L) && (j0 < 15L)) && (k0+1 < 15L)) ? (f32x16)*(const f32x16 *)(a0 + j0*224L+k0*16L-224) : (f32x16)((float)(0.0f) - (f32x16){0}));
            *(f32x16 *)(P0 + 16) = V1;
            const f32x16 V2 = ((((j0 >= 1L) && (j0 < 15L)) && (k0+2 < 15L)) ? (f32x16)*(const f32x16 *)(a0 + j0*224L+k0*16L-208) : (f32x16)((float)(0.0f) - (f32x16){0}));
            *(f32x16 *)(P0 + 32) = V2;
            const f32x16 V3 = ((((j0 >= 1L) && (j0 < 15L)) && (k0+3 < 15L)) ? (f32x16)*(const f32x16 *)(a0 + j0*224L+k0*16L-192) : (f32x16)((float)(0.0f) - (f32x16){0}));
            *(f32x16 *)(P0 + 48) = V3;
          }
        }
    }
    {
      const float *restrict s0 = (const float *)((char *)scratch + 0L);
      const float *restrict a1 = (const float *)args[1];
      const float *restrict a4 = (const float *)args[4];
      const float *restrict s2 = (const float *)((char *)packed + 0L);
      const float *restrict a3 = (const float *)args[3];
      float *restrict s4 = (float *)args[6];
      const float *restrict a1_s1_0 = (const float *)((char *)packed + 128L);
      #pragma omp for collapse(2) schedule(static)
      for (long h0 = 0; h0 < 14; h0 += 2)
        for (long w0 = 0; w0 < 14; w0 += 7) {
          f32x16 acc_0_0_0, acc_0_0_1, acc_0_1_0, acc_0_1_1, acc_0_2_0, acc_0_2_1, acc_0_3_0, acc_0_3_1, acc_0_4_0, acc_0_4_1, acc_0_5_0, acc_0_5_1;
          f32x16 acc_0_6_0, acc_0_6_1, acc_1_0_0, acc_1_0_1, acc_1_1_0, acc_1_1_1, acc_1_2_0, acc_1_2_1, acc_1_3_0, acc_1_3_1, acc_1_4_0, acc_1_4_1;
          f32x16 acc_1_5_0, acc_1_5_1, acc_1_6_0, acc_1_6_1;
          {
            acc_0_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_0_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_1_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_2_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_3_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_3_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_4_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_4_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_5_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_5_1 = ((float)(0.0f) - (f32x16){0});
            acc_0_6_0 = ((float)(0.0f) - (f32x16){0});
            acc_0_6_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_0_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_0_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_1_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_1_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_2_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_2_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_3_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_3_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_4_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_4_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_5_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_5_1 = ((float)(0.0f) - (f32x16){0});
            acc_1_6_0 = ((float)(0.0f) - (f32x16){0});
            acc_1_6_1 = ((float)(0.0f) - (f32x16){0});
          }
          for (long c0 = 0; c0 < 16; c0 += 4) {
            for (long kh1 = 0; kh1 < 3; kh1 += 1) {
              for (long kw1 = 0; kw1 < 3; kw1 += 1) {
                for (long c1 = c0; c1 < c0 + 4; c1 += 1) {
                  {
                    const float *P0 = s0 + c1+h0*256L+kh1*256L+kw1*16L+w0*16L;
                    const float V0 = P0[0];
                    const float *P1 = a1_s1_0 + c0*256L+c1*32L+kh1*384L+kw1*128L;
                    const f32x16 V1 = *(const f32x16 *)(P1 + 0);
                    const f32x16 V2 = (V0 * V1);
                    acc_0_0_0 = (acc_0_0_0 + V2);
                    const f32x16 V3 = *(const f32x16 *)(P1 + 16);
                    const f32x16 V4 = (V0 * V3);
                    acc_0_0_1 = (acc_0_0_1 + V4);
                    const float V5 = P0[16];
                    const f32x16 V6 = (V5 * V1);
                    acc_0_1_0 = (acc_0_1_0 + V6);
                    const f32x16 V7 = (V5 * V3);
                    acc_0_1_1 = (acc_0_1_1 + V7);
                    const float V8 = P0[32];
                    const f32x16 V9 = (V8 * V1);
                    acc_0_2_0 = (acc_0_2_0 + V9);
                    const f32x16 V10 = (V8 * V3);
                    acc_0_2_1 = (acc_0_2_1 + V10);
                    const float V11 = P0[48];
                    const f32x16 V12 = (V11 * V1);
                    acc_0_3_0 = (acc_0_3_0 + V12);
                    const f32x16 V13 = (V11 * V3);
                    acc_0_3_1 = (acc_0_3_1 + V13);
                    const float V14 = P0[64];
                    const f32x16 V15 = (V14 * V1);
                    acc_0_4_0 = (acc_0_4_0 + V15);
                    const f32x16 V16 = (V14 * V3);
                    acc_0_4_1 = (acc_0_4_1 + V16);
                    const float V17 = P0[80];
                    const f32x16 V18 = (V17 * V1);
                    acc_0_5_0 = (acc_0_5_0 + V18);
                    const f32x16 V19 = (V17 * V3);
                    acc_0_5_1 = (acc_0_5_1 + V19);
                    const float V20 = P0[96];
                    const f32x16 V21 = (V20 * V1);
                    acc_0_6_0 = (acc_0_6_0 + V21);
                    const f32x16 V22 = (V20 * V3);
                    acc_0_6_1 = (acc_0_6_1 + V22);
                    const float V23 = P0[256];
                    const f32x16 V24 = (V23 * V1);
                    acc_1_0_0 = (acc_1_0_0 + V24);
                    const f32x16 V25 = (V23 * V3);
                    acc_1_0_1 = (acc_1_0_1 + V25);
                    const float V26 = P0[272];
                    const f32x16 V27 = (V26 * V1);
                    acc_1_1_0 = (acc_1_1_0 + V27);
                    const f32x16 V28 = (V26 * V3);
                    acc_1_1_1 = (acc_1_1_1 + V28);
                    const float V29 = P0[288];
                    const f32x16 V30 = (V29 * V1);
                    acc_1_2_0 = (acc_1_2_0 + V30);
                    const f32x16 V31 = (V29 * V3);
                    acc_1_2_1 = (acc_1_2_1 + V31);
                    const float V32 = P0[304];
                    const f32x16 V33 = (V32 * V1);
                    acc_1_3_0 = (acc_1_3_0 + V33);
                    const f32x16 V34 = (V32 * V3);
                    acc_1_3_1 = (acc_1_3_1 + V34);
                    const float V35 = P0[320];
                    const f32x16 V36 = (V35 * V1);
                    acc_1_4_0 = (acc_1_4_0 + V36);
                    const f32x16 V37 = (V35 * V3);
                    acc_1_4_1 = (acc_1_4_1 + V37);
                    const float V38 = P0[336];
                    const f32x16 V39 = (V38 * V1);
                    acc_1_5_0 = (acc_1_5_0 + V39);
                    const f32x16 V40 = (V38 * V3);
                    acc_1_5_1 = (acc_1_5_1 + V40);
                    const float V41 = P0[352];
                    const f32x16 V42 = (V41 * V1);
                    acc_1_6_0 = (acc_1_6_0 + V42);
                    const f32x16 V43 = (V41 * V3);
                    acc_1_6_1 = (acc_1_6_1 + V43);
                  }
                }
              }
            }
          }
          {
            const f32x16 V0 = *(const f32x16 *)(a4 + 0);
            const f32x16 V1 = (acc_0_0_0 - V0);
            const f32x16 V2 = *(const f32x16 *)(s2 + 0);
            const f32x16 V3 = (V1 * V2);
            const f32x16 V4 = *(const f32x16 *)(a3 + 0);
            const f32x16 V5 = (V3 + V4);
            const f32x16 V6 = relu_f32x16(V5);
            float *P0 = s4 + h0*448L+w0*32L;
            *(f32x16 *)(P0 + 0) = V6;
            const f32x16 V7 = *(const f32x16 *)(a4 + 16);
            const f32x16 V8 = (acc_0_0_1 - V7);
            const f32x16 V9 = *(const f32x16 *)(s2 + 16);
            const f32x16 V10 = (V8 * V9);
            const f32x16 V11 = *(const f32x16 *)(a3 + 16);
            const f32x16 V12 = (V10 + V11);
            const f32x16 V13 = relu_f32x16(V12);
            *(f32x16 *)(P0 + 16) = V13;
            const f32x16 V14 = (acc_0_1_0 - V0);
            const f32x16 V15 = (V14 * V2);
            const f32x16 V16 = (V15 + V4);
            const f32x16 V17 = relu_f32x16(V16);
            *(f32x16 *)(P0 + 32) = V17;
            const f32x16 V18 = (acc_0_1_1 - V7);
            const f32x16 V19 = (V18 * V9);
            const f32x16 V20 = (V19 + V11);
            const f32x16 V21 = relu_f32x16(V20);
            *(f32x16 *)(P0 + 48) = V21;
            const f32x16 V22 = (acc_0_2_0 - V0);
            const f32x16 V23 = (V22 * V2);
            const f32x16 V24 = (V23 + V4);
            const f32x16 V25 = relu_f32x16(V24);
            *(f32x16 *)(P0 + 64) = V25;
            const f32x16 V26 = (acc_0_2_1 - V7);
            const f32x16 V27 = (V26 * V9);
            const f32x16 V28 = (V27 + V11);
            const f32x16 V29 = relu_f32x16(V28);
            *(f32x16 *)(P0 + 80) = V29;
            const f32x16 V30 = (acc_0_3_0 - V0);
            const f32x16 V31 = (V30 * V2);
            const f32x16 V32 = (V31 + V4);
            const f32x16 V33 = relu_f32x16(V32);
            *(f32x16 *)(P0 + 96) = V33;
            const f32x16 V34 = (acc_0_3_1 - V7);
            const f32x16 V35 = (V34 * V9);
            const f32x16 V36 = (V35 + V11);
            const f32x16 V37 = relu_f32x16(V36);
            *(f32x16 *)(P0 + 112) = V37;
            const f32x16 V38 = (acc_0_4_0 - V0);
            const f32x16 V39 = (V38 * V2);
            const f32x16 V40 = (V39 + V4);
            const f32x16 V41 = relu_f32x16(V40);
            *(f32x16 *)(P0 + 128) = V41;
            const f32x16 V42 = (acc_0_4_1 - V7);
            const f32x16 V43 = (V42 * V9);
            const f32x16 V44 = (V43 + V11);
            const f32x16 V45 = relu_f32x16(V44);
            *(f32x16 *)(P0 + 144) = V45;
            const f32x16 V46 = (acc_0_5_0 - V0);
            const f32x16 V47 = (V46 * V2);
            const f32x16 V48 = (V47 + V4);
            const f32x16 V49 = relu_f32x16(V48);
            *(f32x16 *)(P0 + 160) = V49;
            const f32x16 V50 = (acc_0_5_1 - V7);
            const f32x16 V51 = (V50 * V9);
            const f32x16 V52 = (V51 + V11);
            const f32x16 V53 = relu_f32x16(V52);
            *(f32x16 *)(P0 + 176) = V53;
            const f32x16 V54 = (acc_0_6_0 - V0);
            const f32x16 V55 = (V54 * V2);
            const f32x16 V56 = (V55 + V4);
            const f32x16 V57 = relu_f32x16(V56);
            *(f32x16 *)(P0 + 192) = V57;
            const f32x16 V58 = (acc_0_6_1 - V7);
            const f32x16 V59 = (V58 * V9);
            const f32x16 V60 = (V59 + V11);
            const f32x16 V61 = relu_f32x16(V60);
            *(f32x16 *)(P0 + 208) = V61;
            const f32x16 V62 = (acc_1_0_0 - V0);
            const f32x16 V63 = (V62 * V2);
            const f32x16 V64 = (V63 + V4);
            const f32x16 V65 = relu_f32x16(V64);
            *(f32x16 *)(P0 + 448) = V65;
            const f32x16 V66 = (acc_1_0_1 - V7);
            const f32x16 V67 = (V66 * V9);
            const f32x16 V68 = (V67 + V11);
            const f32x16 V69 = relu_f32x16(V68);
            *(f32x16 *)(P0 + 464) = V69;
            const f32x16 V70 = (acc_1_1_0 - V0);
            const f32x16 V71 = (V70 * V2);
            const f32x16 V72 = (V71 + V4);
            const f32x16 V73 = relu_f32x16(V72);
            *(f32x16 *)(P0 + 480) = V73;
            const f32x16 V74 = (acc_1_1_1 - V7);
            const f32x16 V75 = (V74 * V9);
            const f32x16 V76 = (V75 + V11);
            const f32x16 V77 = relu_f32x16(V76);
            *(f32x16 *)(P0 + 496) = V77;
            const f32x16 V78 = (acc_1_2_0 - V0);
            const f32x16 V79 = (V78 * V2);
            const f32x16 V80 = (V79 + V4);
            const f32x16 V81 = relu_f32x16(V80);
            *(f32x16 *)(P0 + 512) = V81;
            const f32x16 V82 = (acc_1_2_1 - V7);
            const f32x16 V83 = (V82 * V9);
            const f32x16 V84 = (V83 + V11);
            const f32x16 V85 = relu_f32x16(V84);
            *(f32x16 *)(P0 + 528) = V85;
            const f32x16 V86 = (acc_1_3_0 - V0);
            const f32x16 V87 = (V86 * V2);
            const f32x16 V88 = (V87 + V4);
            const f32x16 V89 = relu_f32x16(V88);
            *(f32x16 *)(P0 + 544) = V89;
            const f32x16 V90 = (acc_1_3_1 - V7);
            const f32x16 V91 = (V90 * V9);
            const f32x16 V92 = (V91 + V11);
            const f32x16 V93 = relu_f32x16(V92);
            *(f32x16 *)(P0 + 560) = V93;
            const f32x16 V94 = (acc_1_4_0 - V0);
            const f32x16 V95 = (V94 * V2);
            const f32x16 V96 = (V95 + V4);
            const f32x16 V97 = relu_f32x16(V96);
            *(f32x16 *)(P0 + 576) = V97;
            const f32x16 V98 = (acc_1_4_1 - V7);
            const f32x16 V99 = (V98 * V9);
            const f32x16 V100 = (V99 + V11);
            const f32x16 V101 = relu_f32x16(V100);
            *(f32x16 *)(P0 + 592) = V101;
            const f32x16 V102 = (acc_1_5_0 - V0);
            const f32x16 V103 = (V102 * V2);
            const f32x16 V104 = (V103 + V4);
            const f32x16 V105 = relu_f32x16(V104);
            *(f32x16 *)(P0 + 608) = V105;
            const f32x16 V106 = (acc_1_5_1 - V7);
            const f32x16 V107 = (V106 * V9);
            const f32x16 V108 = (V107 + V11);
            const f32x16 V109 = relu_f32x16(V108);
            *(f32x16 *)(P0 + 624) = V109;
            const f32x16 V110 = (acc_1_6_0 - V0);
            const f32x16 V111 = (V110 * V2);
            const f32x16 V112 = (V111 + V4);
            const f32x16 V113 = relu_f32x16(V112);
            *(f32x16 *)(P0 + 640) = V113;
            const f32x16 V114 = (acc_1_6_1 - V7);
            const f32x16 V115 = (V114 * V9);
            const f32x16 V116 = (V115 + V11);
            const f32x16 V117 = relu_f32x16(V116);
            *(f32x16 *)(P0 + 656) = V117;
          }
        }
    }
  }
  (void)packed; (void)scratch;
  return 0;
}
__INT32_TYPE__ ansord_pack(const void *const *constants, void *packed) {
  {
    const float *restrict a2 = (const float *)constants[1];
    const float *restrict a5 = (const float *)constants[4];
    float *restrict s2 = (float *)((char *)packed + 0L);
    for (long l0 = 0; l0 < 32; l0 += 16) {
      {
        const float *P0 = a2 + l0;
        const f32x16 V0 = *(const f32x16 *)(P0 + 0);
        const float *P1 = a5 + l0;
        const f32x16 V1 = *(const f32x16 *)(P1 + 0);
        const f32x16 V2 = (V1 + 0x1.4f8b580000000p-17f);
        const f32x16 V3 = sqrt_f32x16(V2);
        const f32x16 V4 = (V0 / V3);
        float *P2 = s2 + l0;
        *(f32x16 *)(P2 + 0) = V4;
      }
    }
  }
  {
    const float *restrict from = (const float *)constants[0];
    float *restrict into = (float *)((char *)packed + 128L);
    for (long o_block = 0; o_block < 1; o_block++)
      for (long c_chunk = 0; c_chunk < 4; c_chunk++)
        for (long kh_chunk = 0; kh_chunk < 1; kh_chunk++)
          for (long kw_chunk = 0; kw_chunk < 1; kw_chunk++)
            for (long kh_step = 0; kh_step < 3; kh_step++)
              for (long kw_step = 0; kw_step < 3; kw_step++)
                for (long c_step = 0; c_step < 4; c_step++)
                  {
                    const long o = o_block*32L;
                    const long kh = kh_chunk*3L + kh_step;
                    const long kw = kw_chunk*3L + kw_step;
                    const long c = c_chunk*4L + c_step;
                    float *restrict to = into + o_block*4608L + c_chunk*1152L + kh_chunk*1152L + kw_chunk*1152L + kh_step*384L + kw_step*128L + c_step*32L;
                    const long filled = 1 ? (o + 32 <= 32 ? 32 : 32 - o) : 0;
                    const float *at = from + c*32L+kh*1536L+kw*512L+o;
                    if (filled == 32) __builtin_memcpy(to, at, 128);
                    else
                    {
                      for (long i = 0; i < filled; i++) to[i] = at[i*1L];
                      for (long i = filled; i < 32; i++) to[i] = 0;
                    }
                  }
  }
  return 0;
}
