import {
  encodeRowGroup,
  type EncodedRowGroup,
  type RowGroup,
  type WrittenField,
} from '../columns/parquet-writer.ts';
import { answerCalls } from '../engine/answer-calls.ts';
import type { AnyCall } from '../engine/cpu/worker-protocol.ts';

/** The calls that a worker answers. */
export interface RowGroupCalls {
  encode: {
    argument: { readonly fields: readonly WrittenField[]; readonly group: RowGroup };
    result: EncodedRowGroup;
  };
}

/** The program of a worker that encodes Parquet row groups. */
answerCalls((call) => {
  const { fields, group } = (call as AnyCall<RowGroupCalls>).argument;
  return encodeRowGroup(fields, group);
});
