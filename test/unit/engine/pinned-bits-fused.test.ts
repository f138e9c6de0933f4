import { enableRelaxedSimd } from '../../../src/cli/relaxed-simd.ts';
import { testPinnedBits } from '../../support/pinned-bits.ts';

// Before anything is compiled: fused products, as the command has them.
enableRelaxedSimd();
testPinnedBits();
