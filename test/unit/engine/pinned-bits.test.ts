import { testPinnedBits } from '../../support/pinned-bits.ts';

testPinnedBits();
