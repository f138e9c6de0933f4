// The first batch with a non-finite value; all ones if there is none (NonFiniteFlag in
// src/engine/webgpu/statistics/non-finite-flag.ts). Later batches change nothing, so the host may find out late.
struct Refusal {
  batch: u32,
  // quantity * nodes + node, quantity = 2 * pair + (0 for activations, 1 for gradients)
  place: u32,
  // first row of the refused batch in its chunk
  row: u32,
}

// How many of `rows` rows may be counted that begin at row `first_row` of a chunk and belong to batches `first_batch`
// up to but excluding `end_batch`.
fn valid_rows(refusal: Refusal, first_batch: u32, end_batch: u32, first_row: u32, rows: u32) -> u32 {
  if (refusal.batch < first_batch) {
    return 0u;
  }
  if (refusal.batch >= end_batch) {
    return rows;
  }
  return min(rows, max(refusal.row, first_row) - first_row);
}
