// The first batch that held a value that is not finite; all ones while there is none (RefusalRecord in
// src/statistics/webgpu-refusal.ts). Batches after it change nothing, so the host may find out late.
struct Refusal {
  batch: u32,
  // quantity * nodes + node, quantity = 2 * pair + (0 for activations, 1 for gradients)
  place: u32,
  // row of the stage that the refused batch begins at
  row: u32,
}

// Rows of the stage that may be counted, when its first row belongs to batch `first_batch`.
fn valid_rows(refusal: Refusal, first_batch: u32, rows: u32) -> u32 {
  if (refusal.batch < first_batch) {
    return 0u;
  }
  return min(rows, refusal.row);
}
