/** Whether a file is an edge table rather than data: its schema names the columns that only an edge table has. */
export function isEdgeTable(bytes: Uint8Array): boolean {
  // Arrow and CSV have the schema at the start, Parquet at the end.
  const ends = [bytes.subarray(0, 16384), bytes.subarray(Math.max(0, bytes.length - 16384))];
  const text = ends.map((part) => new TextDecoder('latin1').decode(part)).join('');
  return ['src_func', 'dst_func'].every((name) => text.includes(name)) && /corr|score/.test(text);
}
