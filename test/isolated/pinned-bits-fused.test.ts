import { setV8Flags } from '../../src/cli/v8-flags.ts';
import { testPinnedBits } from '../support/pinned-bits.ts';

// Before anything is compiled: fused products, as the command has them.
setV8Flags();
testPinnedBits();
