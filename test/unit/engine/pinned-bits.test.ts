import { pinnedSettings, testPinnedBits } from '../../support/pinned-bits.ts';

// One engine with sums, one without them and with workers; the fused products are tested in all four ways.
testPinnedBits([pinnedSettings[0], pinnedSettings[3]]);
